// SPDX-License-Identifier: GPL-2.0
/*
 * Makes steps on real VMs. What is expensive (KVM's VM and vCPU, the ESM blobs,
 * the devices) is made once; a sequence begins with new SVMs and a new H. H is at
 * a fixed address far below everything else, so that no other mapping can take
 * the place of a page that was unmapped.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "real.h"
#include "uv-sim/user/esm_blob.h"

#define H_BASE 0x20000000UL
#define H_STRIDE 0x1000000UL
#define CODE_BYTES 64 /* measured */
#define BLOB 0x400    /* offsets in GFN 0 */
#define BAD_BLOB 0x800
#define BLOB_ROOM 0x400

size_t conf_offset(unsigned int i)
{
	const size_t at[CONF_OFFSETS] = { 0, page_size() / 2 + 5, page_size() - 1 };

	return at[i];
}

/* --- an access that may fail --- */

static sigjmp_buf segv_jump;
static volatile sig_atomic_t may_fault;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (may_fault)
		siglongjmp(segv_jump, sig);
	say("signal %d at %p", sig, info->si_addr);
	_exit(1);
}

static int catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

	return sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL) ?
		       say("sigaction: %s", strerror(errno)) :
		       0;
}

/* One byte of H: EFAULT if there is nothing. @flip: write its opposite. */
static int host_access(volatile uint8_t *at, bool write, bool flip, uint8_t *byte)
{
	volatile int ret = EFAULT;

	if (!sigsetjmp(segv_jump, 1)) {
		may_fault = 1;
		if (flip)
			*at ^= 0x5a;
		else if (write)
			*at = *byte;
		else
			*byte = *at;
		ret = 0;
	}
	may_fault = 0;
	return ret;
}

/* --- the blobs: the first bytes of GFN 0 are measured --- */

static int put_blob(uint8_t *page, size_t at, const uint8_t *key, const uint8_t *code)
{
	const struct uv_esm_range_src src = { .data = code,
					      .len = CODE_BYTES,
					      .alg = UV_ESM_SHA256 };
	uint8_t *blob = NULL;
	size_t len = 0;
	int err = uv_esm_blob_build(key, 0, &src, 1, &blob, &len);

	if (!err && len <= BLOB_ROOM)
		memcpy(page + at, blob, len);
	free(blob);
	return err || len > BLOB_ROOM ? say("the ESM blob cannot be made") : 0;
}

static int make_blobs(struct real *r)
{
	struct own o = { .h = calloc(1, page_size()) };
	uint8_t wrong[CODE_BYTES], key[32];

	r->blobs = o.h;
	if (!o.h || own_key(key))
		return -1;
	own_vcpu_code(&o, 0);
	memcpy(wrong, o.h, CODE_BYTES);
	wrong[CODE_BYTES - 1] ^= 1;
	return put_blob(o.h, BLOB, key, o.h) || put_blob(o.h, BAD_BLOB, key, wrong) ? -1 : 0;
}

static void stay_here(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		say("sched_setaffinity: %s", strerror(errno));
}

/* The model knows of the page that is touched, not of what goes along with it. */
static int one_page_a_touch(void)
{
	if (file_write("/sys/module/uv_sim/parameters/fault_around", "0"))
		return -1;
	return access("/sys/module/kvm_uvmem", F_OK) ? 0 : uvmem_param("fault_around", 0);
}

int real_open(struct real *r, const struct hv *hv)
{
	*r = (struct real){ .hv = hv };
	for (unsigned int i = 0; i < CONF_VMS; i++)
		r->vm[i] = (struct own){ .svm = -1, .uv = -1 };
	if (hv->one_cpu)
		stay_here();
	/* "LPID 1 went secure" a thousand times is slow on an emulated console. */
	if (file_write("/proc/sys/kernel/printk", "5") || one_page_a_touch() || catch_faults() ||
	    make_blobs(r) || uctrace_open())
		return -1;
	return pagemap_open(&r->pagemap, getpid()) ? say("pagemap: %s", strerror(errno)) : 0;
}

static void end_vm(struct real *r, unsigned int i)
{
	struct own *o = &r->vm[i];

	if (!o->h)
		return;
	if (o->uv >= 0)
		close(o->uv);
	/* First: upstream's device pages point to their VM. */
	munmap(o->h, o->len);
	r->hv->destroy(o);
	*o = (struct own){ .svm = -1, .uv = -1 };
}

void real_end_vms(struct real *r)
{
	for (unsigned int i = 0; i < CONF_VMS; i++)
		end_vm(r, i);
}

void real_close(struct real *r)
{
	real_end_vms(r);
	for (unsigned int i = 0; i < CONF_VMS; i++)
		if (r->have_vcpu[i])
			own_vcpu_close(&r->vcpu[i]);
	uctrace_close();
	pagemap_close(&r->pagemap);
	free(r->blobs);
}

/* --- H --- */

static int map_h(void *at, size_t len)
{
	void *p = mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		       0);

	if (p != at || madvise(at, len, MADV_NOHUGEPAGE))
		return say("H at %p: %s", at, strerror(errno));
	return 0;
}

static uint8_t *h_page(struct own *o, unsigned int gfn)
{
	return o->h + gfn * page_size();
}

static int show_guest(struct real *r, unsigned int i)
{
	if (r->have_vcpu[i])
		return own_vcpu_move(&r->vcpu[i], &r->vm[i]);
	if (own_vcpu_open(&r->vcpu[i], &r->vm[i], 0))
		return -1;
	r->have_vcpu[i] = true;
	return 0;
}

static int new_vm(struct real *r, unsigned int i)
{
	struct own *o = &r->vm[i];

	end_vm(r, i);
	o->len = REAL_PAGES * page_size();
	o->h = (uint8_t *)(H_BASE + i * H_STRIDE);
	if (map_h(o->h, o->len))
		return -1;
	/* The VMA's anon_vma: the parts it is split into later can merge again. */
	*h_page(o, REAL_PAGES - 1) = 1;
	if (r->hv->create(o) || own_bind(o) || show_guest(r, i))
		return -1;
	for (unsigned int s = 0; s < 2; s++)
		if (r->hv->memslot(o, s, slot_ranges[s].first, slot_ranges[s].n))
			return say("memslot %u: %s", s, strerror(errno));
	return look_away();
}

/* --- calls --- */

static int64_t esm(struct own *o, uint64_t nr, enum esm_variant variant)
{
	const uint64_t nowhere = (uint64_t)CONF_BAD_GFN * page_size();
	uint64_t blob = variant == ESM_DIGEST ? BAD_BLOB : BLOB;

	if (variant == ESM_BLOB_ADDR)
		blob = nowhere;
	return own_ucall(o, nr, blob, variant == ESM_FDT ? nowhere : 0, 0, 0, 0);
}

static int64_t bad_ucall(struct own *o, enum bad_ucall which)
{
	static const uint64_t nr[UCALL_VARIANTS] = {
		[UCALL_PAGE_IN] = UV_PAGE_IN,
		[UCALL_PAGE_OUT] = UV_PAGE_OUT,
		[UCALL_PAGE_INVAL] = UV_PAGE_INVAL,
		[UCALL_WRITE_PATE] = UV_WRITE_PATE,
		[UCALL_REGISTER] = UV_REGISTER_MEM_SLOT,
		[UCALL_UNREGISTER] = UV_UNREGISTER_MEM_SLOT,
		[UCALL_TERMINATE] = UV_SVM_TERMINATE,
		[UCALL_RETURN] = UV_RETURN,
		[UCALL_UNKNOWN] = 0xF1FC,
	};

	return own_ucall(o, nr[which], o->lpid, page_size(), page_size(), 0, page_order());
}

static int64_t page_hcall(struct real *r, unsigned int i, uint64_t nr, uint64_t flags,
			  unsigned int gfn, enum bad_arg bad)
{
	uint64_t gpa = (uint64_t)gfn * page_size(), order = page_order();

	if (bad == ARG_FLAGS)
		flags |= 0x2;
	else if (bad == ARG_ORDER_SMALL)
		order--;
	else if (bad == ARG_ORDER_LARGE)
		order++;
	else if (bad == ARG_UNALIGNED)
		gpa += page_size() / 2;
	else if (bad == ARG_NO_GFN)
		gpa = UINT64_MAX - page_size() + 1;
	return r->hv->hcall(&r->vm[i], nr, gpa, flags, order);
}

static int64_t slot(struct real *r, unsigned int i, unsigned int s, bool add)
{
	return r->hv->memslot(&r->vm[i], s, slot_ranges[s].first, add ? slot_ranges[s].n : 0);
}

static int64_t call(struct real *r, const struct step *step)
{
	struct own *o = &r->vm[step->vm];
	const uint8_t *arg = step->arg;

	switch (step->op) {
	case OP_ESM:
		return esm(o, UV_ESM, arg[0]);
	case OP_BEGIN:
		return own_ucall(o, UV_SIM_ESM_START, 0, 0, 0, 0, 0);
	case OP_FINISH:
		return esm(o, UV_SIM_ESM_FINISH, arg[0]);
	case OP_SHARE:
		return own_ucall(o, UV_SHARE_PAGE, arg[0], arg[1], 0, 0, 0);
	case OP_UNSHARE:
		return own_ucall(o, UV_UNSHARE_PAGE, arg[0], arg[1], 0, 0, 0);
	case OP_UNSHARE_ALL:
		return own_ucall(o, UV_UNSHARE_ALL_PAGES, 0, 0, 0, 0, 0);
	case OP_UCALL:
		return bad_ucall(o, arg[0]);
	case OP_IN:
		return page_hcall(r, step->vm, H_SVM_PAGE_IN, 0, arg[0], arg[1]);
	case OP_IN_SHARED:
		return page_hcall(r, step->vm, H_SVM_PAGE_IN, H_PAGE_IN_SHARED, arg[0], arg[1]);
	case OP_OUT:
		return page_hcall(r, step->vm, H_SVM_PAGE_OUT, 0, arg[0], arg[1]);
	case OP_START:
		return r->hv->hcall(o, H_SVM_INIT_START, 0, 0, 0);
	case OP_DONE:
		return r->hv->hcall(o, H_SVM_INIT_DONE, 0, 0, 0);
	case OP_ABORT:
		return r->hv->hcall(o, H_SVM_INIT_ABORT, 0, 0, 0);
	case OP_SLOT_DEL:
	case OP_SLOT_ADD:
		return slot(r, step->vm, arg[0], step->op == OP_SLOT_ADD);
	default:
		return r->hv->terminate(o);
	}
}

static int guest_access(struct real *r, const struct step *step, struct outcome *out)
{
	struct own_vcpu *v = &r->vcpu[step->vm];
	uint64_t gpa = (uint64_t)step->arg[0] * page_size();

	if (step->op == OP_GUEST_WRITE)
		return own_vcpu_write(v, gpa + conf_offset(step->arg[1]), step->arg[2]);
	for (unsigned int i = 0; i < CONF_OFFSETS; i++) {
		int err = own_vcpu_read(v, gpa + conf_offset(i), &out->byte[i]);

		if (err)
			return err;
	}
	return 0;
}

static int change_h(struct real *r, const struct step *step)
{
	uint8_t *at = h_page(&r->vm[step->vm], step->arg[0]);

	if (step->op == OP_MAP)
		return map_h(at, page_size());
	if (step->op == OP_UNMAP)
		return munmap(at, page_size()) ? say("munmap: %s", strerror(errno)) : 0;
	if (madvise(at, page_size(), MADV_DONTNEED) && errno != ENOMEM)
		return say("madvise: %s", strerror(errno));
	return 0;
}

int real_step(struct real *r, const struct step *step, const struct expect *expect,
	      struct outcome *out)
{
	struct own *o = &r->vm[step->vm];
	uint8_t *byte = &out->byte[step->arg[1] % CONF_OFFSETS];

	*out = (struct outcome){ .ret = 0 };
	if (step->op == OP_NEW)
		return new_vm(r, step->vm);
	if (!o->h)
		return 0;
	/* A VMM loads them before its guest runs. */
	if (expect->loads)
		memcpy(o->h, r->blobs, BAD_BLOB + BLOB_ROOM);
	switch (step->op) {
	case OP_GUEST_READ:
	case OP_GUEST_WRITE:
		out->ret = guest_access(r, step, out);
		return 0;
	case OP_HOST_READ:
	case OP_HOST_WRITE:
		*byte = step->arg[2];
		out->ret = host_access(h_page(o, step->arg[0]) + conf_offset(step->arg[1]),
				       step->op == OP_HOST_WRITE, expect->flips, byte);
		return 0;
	case OP_UNMAP:
	case OP_MAP:
	case OP_ZAP:
		return change_h(r, step);
	default:
		out->ret = call(r, step);
		return out->ret == NO_ANSWER ? -1 : 0;
	}
}
