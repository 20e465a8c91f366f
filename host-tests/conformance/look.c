// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at everything there is to see after a step, and says what the model did
 * not expect. Looking changes nothing: H is read only where pagemap says that a
 * page is there, since a touch of a device page pages it out.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "guest-tools/lib/names.h"
#include "real.h"

#define WORKER_TRIES 1000 /* a look a millisecond: only a hang gets there */

#define SEEN 4096 /* upstream makes many that lead to nothing */

static struct seen_ucall seen[SEEN];

static void differs(struct mismatch *mm, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void differs(struct mismatch *mm, const char *what, const char *format, ...)
{
	va_list args;

	if (mm->what)
		return;
	mm->what = what;
	va_start(args, format);
	vsnprintf(mm->text, sizeof(mm->text), format, args);
	va_end(args);
}

/* --- return code and bytes --- */

static void look_at_outcome(const struct step *step, const struct expect *e,
			    const struct outcome *out, struct mismatch *mm)
{
	if (out->ret != e->ret) {
		differs(mm, "return code", "returned %lld, expected %lld", (long long)out->ret,
			(long long)e->ret);
		return;
	}
	if (!e->bytes_known || e->ret)
		return;
	for (unsigned int i = 0; i < CONF_OFFSETS; i++) {
		if (step->op == OP_HOST_READ && i != step->arg[1])
			continue;
		if (out->byte[i] != e->byte[i])
			differs(mm, step->op == OP_HOST_READ ? "host read" : "guest read",
				"read 0x%02x at offset 0x%zx, expected 0x%02x", out->byte[i],
				conf_offset(i), e->byte[i]);
	}
}

/* --- states --- */

static void look_at_uv(struct real *r, const struct model *m, unsigned int i, struct mismatch *mm)
{
	const struct model_vm *vm = &m->vm[i];
	uint8_t states[CONF_GFNS];
	struct uvsim_map map = { .lpid = r->vm[i].lpid,
				 .npages = CONF_GFNS,
				 .states = (uintptr_t)states };
	struct uvsim_svm svm = { .lpid = r->vm[i].lpid };

	if (ioctl(r->vm[i].uv, UVSIM_MAP, &map) || ioctl(r->vm[i].uv, UVSIM_GET_SVM, &svm)) {
		differs(mm, "/dev/uvsim", "%s", strerror(errno));
		return;
	}
	if (svm.state != vm->uv)
		differs(mm, "VM state", "the ultravisor has state %u, expected %u", svm.state,
			vm->uv);
	if (vm->uv == UV_VM_STOPPED &&
	    (svm.stop_reason != vm->stop || svm.stop_gpa / page_size() != vm->stop_gfn))
		differs(mm, "stop reason", "stopped for %u at GFN %llu, expected %u at %llu",
			svm.stop_reason, (unsigned long long)(svm.stop_gpa / page_size()), vm->stop,
			(unsigned long long)vm->stop_gfn);
	for (unsigned int k = 0; k < CONF_GFNS; k++)
		if (states[k] != vm->gfn[k].uv)
			differs(mm, "ultravisor's state", "GFN %u is %s, expected %s", k,
				uv_gfn_state_name(states[k]), uv_gfn_state_name(vm->gfn[k].uv));
}

/* UV_PAGE_INVAL of one of many: wait until the ultravisor's states are right. */
static void wait_for_uv(struct real *r, const struct model *m, unsigned int i)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	struct mismatch mm;

	for (unsigned int tries = 0; tries < WORKER_TRIES; tries++) {
		mm.what = NULL;
		look_at_uv(r, m, i, &mm);
		if (!mm.what)
			return;
		nanosleep(&nap, NULL);
	}
}

static void look_at_hv(struct real *r, const struct model *m, unsigned int i, struct mismatch *mm)
{
	const struct model_vm *vm = &m->vm[i];
	uint8_t states[CONF_GFNS];
	int state;

	if (!r->hv->states)
		return;
	state = r->hv->states(&r->vm[i], states, CONF_GFNS);
	if (state != (int)vm->hv)
		differs(mm, "VM state", "the hypervisor has state %d, expected %d", state, vm->hv);
	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		unsigned int want = vm->slot[slot_of(k)].hv ? vm->gfn[k].hv : UVMEM_GFN_NOSLOT;

		if (states[k] != want)
			differs(mm, "hypervisor's state", "GFN %u is %s, expected %s", k,
				uvmem_gfn_state_name(states[k]), uvmem_gfn_state_name(want));
	}
}

/* --- H --- */

static const char *content_name(const struct model_gfn *g)
{
	if (g->pte == PTE_ZERO)
		return "zeros";
	return g->h.seal ? "ciphertext" : "plaintext";
}

/* Ciphertext: nothing like the nearly empty pages that the plaintext is. */
static bool looks_random(const uint64_t *word, size_t n)
{
	size_t zeros = 0;

	for (size_t i = 0; i < n; i++)
		zeros += !word[i];
	return zeros < 4;
}

/* All zeros but for the bytes that @want has. */
static bool is_plain(const uint8_t *page, const struct content *want)
{
	const uint64_t *word = (const uint64_t *)(const void *)page;
	size_t n = page_size() / sizeof(*word), at = 0;

	for (unsigned int i = 0; i < CONF_OFFSETS; i++) {
		size_t mine = conf_offset(i) / sizeof(*word);
		uint64_t expected = 0;

		((uint8_t *)&expected)[conf_offset(i) % sizeof(*word)] = want->byte[i];
		for (; at < mine; at++)
			if (word[at])
				return false;
		if (word[at++] != expected)
			return false;
	}
	return at == n;
}

static void look_at_page(const uint8_t *page, unsigned int k, const struct model_gfn *g,
			 struct mismatch *mm)
{
	static const struct content zeros;
	bool good;

	if (g->pte == PTE_PAGE && g->h.seal == SEAL_UNKNOWN)
		good = true;
	else if (g->pte == PTE_PAGE && g->h.seal)
		good = looks_random((const uint64_t *)(const void *)page, page_size() / 8);
	else
		good = is_plain(page, g->pte == PTE_ZERO ? &zeros : &g->h);
	if (!good)
		differs(mm, "content of H",
			"the host sees %02x %02x %02x at the offsets in GFN %u, expected %s %02x %02x %02x",
			page[conf_offset(0)], page[conf_offset(1)], page[conf_offset(2)], k,
			content_name(g), g->h.byte[0], g->h.byte[1], g->h.byte[2]);
}

static const enum pagemap_kind kinds[] = {
	[PTE_NONE] = PAGEMAP_HOLE,
	[PTE_ZERO] = PAGEMAP_PRESENT,
	[PTE_PAGE] = PAGEMAP_PRESENT,
	[PTE_DEVICE] = PAGEMAP_DEVICE,
};

static void look_at_h(struct real *r, const struct model *m, unsigned int i, struct mismatch *mm)
{
	uint64_t raw[CONF_GFNS];

	if (pagemap_read(&r->pagemap, (uintptr_t)r->vm[i].h, raw, CONF_GFNS) != CONF_GFNS) {
		differs(mm, "pagemap", "%s", strerror(errno));
		return;
	}
	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		const struct model_gfn *g = &m->vm[i].gfn[k];
		struct pagemap_entry e =
			pagemap_decode(raw[k], &r->pagemap.layout, r->pagemap.pfns);

		if (e.kind != kinds[g->pte])
			differs(mm, "page of H", "GFN %u: H has a %s entry, expected %s", k,
				pagemap_kind_name(e.kind), pagemap_kind_name(kinds[g->pte]));
		else if (k && e.kind == PAGEMAP_PRESENT)
			look_at_page(r->vm[i].h + k * page_size(), k, g, mm);
	}
}

/* --- ultracalls --- */

static bool is_of_page(uint16_t nr)
{
	return nr == UV_PAGE_IN || nr == UV_PAGE_OUT || nr == UV_PAGE_INVAL;
}

/* As the model writes it down: a GFN, or a memslot's number. */
static int translate(const struct real *r, const struct seen_ucall *s, struct ucall *u)
{
	uint64_t what = 0;

	u->vm = CONF_VMS;
	for (unsigned int i = 0; i < CONF_VMS; i++)
		if (r->vm[i].h && r->vm[i].lpid == s->lpid)
			u->vm = (uint16_t)i;
	if (s->nr == UV_PAGE_IN || s->nr == UV_PAGE_OUT)
		what = s->arg[1] / page_size();
	else if (s->nr == UV_PAGE_INVAL)
		what = s->arg[0] / page_size();
	else if (s->nr == UV_REGISTER_MEM_SLOT)
		what = s->arg[3];
	else if (s->nr == UV_UNREGISTER_MEM_SLOT)
		what = s->arg[0];
	u->nr = (uint16_t)s->nr;
	u->what = (uint16_t)what;
	u->ret = (int16_t)s->ret;
	return u->vm < CONF_VMS ? 0 : -1;
}

/*
 * Pages are moved in the order that suits the hypervisor; what counts is the
 * order of the calls for one page, and of those for the VM against all others.
 * So: between two calls for the VM, sort by page.
 */
static void put_in_order(struct ucall *u, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		struct ucall moved = u[i];
		unsigned int k = i;

		if (!is_of_page(moved.nr))
			continue;
		for (; k && is_of_page(u[k - 1].nr) && u[k - 1].what > moved.what; k--)
			u[k] = u[k - 1];
		u[k] = moved;
	}
}

static char *ucall_text(char *buf, size_t room, const struct ucall *u, unsigned int n,
			unsigned int i)
{
	if (i >= n)
		snprintf(buf, room, "no more");
	else if (u[i].nr == UV_SVM_TERMINATE)
		snprintf(buf, room, "UV_SVM_TERMINATE = %d", u[i].ret);
	else
		snprintf(buf, room, "%s(%s %u) = %d", ucall_name(u[i].nr),
			 is_of_page(u[i].nr) ? "GFN" : "slot", u[i].what, u[i].ret);
	return buf;
}

static void compare_ucalls(struct ucall *was, unsigned int n, struct ucall *want, unsigned int m,
			   struct mismatch *mm)
{
	char a[64], b[64];

	put_in_order(was, n);
	put_in_order(want, m);
	for (unsigned int i = 0; i < n || i < m; i++) {
		if (i < n && i < m && !memcmp(&was[i], &want[i], sizeof(was[i])))
			continue;
		differs(mm, "ultracalls", "ultracall %u was %s, expected %s", i + 1,
			ucall_text(a, sizeof(a), was, n, i), ucall_text(b, sizeof(b), want, m, i));
		return;
	}
}

/* -1: the trace cannot be read. */
static int read_ucalls(const struct expect *e)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	int n = 0, more, tries = 0;

	for (;;) {
		more = uctrace_read(seen + n, SEEN - (unsigned int)n);
		if (more < 0)
			return -1;
		n += more;
		if (!e->waits || !e->nucalls || n >= (int)e->nucalls || ++tries == WORKER_TRIES)
			return n;
		nanosleep(&nap, NULL);
	}
}

/* @n: how many were read. */
static void look_at_ucalls(struct real *r, const struct expect *e, int n, struct mismatch *mm)
{
	static struct ucall was[SEEN], want[MODEL_UCALLS];
	unsigned int nwas = 0;

	if (n < 0) {
		differs(mm, "trace", "it cannot be read");
		return;
	}
	for (int i = 0; i < n; i++) {
		if (seen[i].nr == UV_PAGE_INVAL && r->hv->deviations & 1u << DEV_INVALS)
			continue;
		if (translate(r, &seen[i], &was[nwas++]))
			differs(mm, "ultracalls", "%s for LPID %llu, which is no VM of ours",
				ucall_name(seen[i].nr), (unsigned long long)seen[i].lpid);
	}
	memcpy(want, e->ucall, e->nucalls * sizeof(want[0]));
	compare_ucalls(was, nwas, want, e->nucalls, mm);
}

int look_away(void)
{
	return uctrace_read(seen, SEEN) < 0 ? -1 : 0;
}

void look(struct real *r, const struct model *m, const struct step *step,
	  const struct expect *expect, const struct outcome *out, struct mismatch *mm)
{
	int n = read_ucalls(expect); /* first: a worker may have to come to its end */

	if (expect->waits && deviates(m, DEV_INVALS))
		wait_for_uv(r, m, step->vm);
	mm->what = NULL;
	look_at_outcome(step, expect, out, mm);
	for (unsigned int i = 0; i < CONF_VMS; i++) {
		if (!m->vm[i].exists)
			continue;
		look_at_uv(r, m, i, mm);
		look_at_hv(r, m, i, mm);
		look_at_h(r, m, i, mm);
	}
	look_at_ucalls(r, expect, n, mm);
}
