// SPDX-License-Identifier: GPL-2.0
/*
 * Every ultracall with every return value that ultravisor.rst lists for it, one
 * row each: what was done before, the arguments, the answer.
 */
#include "machine.h"

#define RA RA_BASE
#define BAD_RA 0x1000ULL /* no normal memory there */
#define NPAGES 20

/* What the world looks like when a row's call is made. VMs: */
enum lpid {
	NONE = 9, /* not registered */
	NORMAL = 1,
	SECURE = 2, /* GFN 0 to 17 resident, then as below */
	STOPPED = 3,
};

enum gfn {
	G_RES = 0,
	G_SEALED = 1,
	G_SHARED = 2,
	G_UNMAPPED = 3, /* shared, the host took its page back */
	G_ZERO = 25,	/* in a slot plugged in later */
	G_NOSLOT = 300,
};

struct row {
	const char *what;
	uint64_t nr;
	uint64_t a[5];
	int64_t ret;
	uint32_t guest; /* LPID of the guest that calls; 0: the hypervisor */
	void (*before)(struct machine *m);
	void (*after)(struct machine *m);
};

static struct vm *vm_of(struct machine *m, uint32_t lpid)
{
	for (int i = 0; i < MAX_VMS; i++)
		if (m->vm[i].lpid == lpid)
			return &m->vm[i];
	fail();
	return NULL;
}

static struct machine *world(bool no_key)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 80 });
	struct vm *vm;

	vm_put_blob(vm_new(m, NORMAL, NPAGES), owner_key, 0, 4, UV_ESM_SHA512);
	vm = vm_secure(m, SECURE, NPAGES, 1);
	vm_add_slot(vm, 24, 8);
	assert_int_equal(host_page_out(vm, G_SEALED), 0);
	assert_int_equal(guest(vm, UV_SHARE_PAGE, G_SHARED, 2, NULL), 0);
	assert_int_equal(host_unmap_shared(vm, G_UNMAPPED), 0);
	vm = vm_secure(m, STOPPED, NPAGES, 1);
	host_touch(vm, 1)[0] ^= 1;
	assert_false(guest_check(vm, 1, 1));
	if (no_key) {
		m->port.aead_free(m->user, m->uv->owner_key);
		m->uv->owner_key = NULL;
	}
	return m;
}

static void no_memory(struct machine *m)
{
	m->fail_alloc = 1;
}

static void memory_again(struct machine *m)
{
	m->fail_alloc = 0;
}

static void no_random(struct machine *m)
{
	m->fail_random = true;
}

static void no_seal(struct machine *m)
{
	m->fail_seal = true;
}

static void secure_memory_full(struct machine *m)
{
	while (uv_page_take(m->uv->bucket[SECURE], 0) != UV_NO_PAGE)
		;
}

static void secure_memory_back(struct machine *m)
{
	for (uint32_t i = 0; i < m->uv->total; i++) {
		struct uv_frame *f = &m->uv->frames[i];

		if (f->list == UV_LIST_NONE && !f->svm)
			uv_page_put(m->uv, i);
	}
}

static void teardown_begins(struct machine *m)
{
	m->uv->bucket[NORMAL]->dying = true;
}

static void teardown_ends(struct machine *m)
{
	m->uv->bucket[NORMAL]->dying = false;
}

static void esm_begins(struct machine *m)
{
	m->uv->bucket[NORMAL]->in_esm = true;
}

static void esm_ends(struct machine *m)
{
	m->uv->bucket[NORMAL]->in_esm = false;
}

static bool refuse_all(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		       uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)nr, (void)args, (void)out;
	*ret = nr == H_SVM_INIT_START ? H_STATE : H_PARAMETER;
	return true;
}

static bool busy_start(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		       uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)args, (void)out;
	*ret = H_BUSY;
	return nr == H_SVM_INIT_START;
}

static bool refuse_done(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)args, (void)out;
	*ret = H_STATE;
	return nr == H_SVM_INIT_DONE;
}

static void hv_refuses(struct machine *m)
{
	m->hook = refuse_all;
}

static void hv_busy(struct machine *m)
{
	m->hook = busy_start;
}

static void hv_not_done(struct machine *m)
{
	m->hook = refuse_done;
}

static void hv_again(struct machine *m)
{
	m->hook = NULL;
}

static void tamper(struct machine *m)
{
	host_touch(vm_of(m, SECURE), G_SEALED)[7] ^= 0x10;
}

static void is_stopped(struct machine *m)
{
	struct uv_svm_info i = svm_info(vm_of(m, SECURE));

	assert_int_equal(i.state, UV_VM_STOPPED);
	assert_int_equal(i.stop_reason, UV_STOP_INTEGRITY);
	assert_int_equal(i.stop_gpa, G_SEALED * PG);
	assert_int_equal(i.integrity_failures, 1);
}

static void bad_measure(struct machine *m)
{
	vm_fill_normal(vm_of(m, NORMAL), 2, 99);
}

static void bad_blob(struct machine *m)
{
	/* the last byte of header, 4 ranges and tag */
	host_touch(vm_of(m, NORMAL), NPAGES - 2)[48 + 4 * 88 + 15] ^= 1;
}

static void bad_magic(struct machine *m)
{
	host_touch(vm_of(m, NORMAL), NPAGES - 2)[0] ^= 1;
}

static void fdt_at_page_5(struct machine *m)
{
	static const uint8_t head[8] = { 0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0x10, 0 };

	memcpy(host_touch(vm_of(m, NORMAL), 5), head, sizeof(head));
}

static void fdt_too_long(struct machine *m)
{
	static const uint8_t head[8] = { 0xd0, 0x0d, 0xfe, 0xed, 0x10, 0, 0, 0 };

	memcpy(host_touch(vm_of(m, NORMAL), 5), head, sizeof(head));
}

/* The H view learns what a direct ultracall of a row did. */
static void settle(struct machine *m)
{
	struct vm *vm = vm_of(m, SECURE);

	for (uint64_t gfn = 0; gfn < vm->top; gfn++)
		if (vm->h[gfn].state == H_DEVICE && gfn_state(vm, gfn) == UV_GFN_SEALED)
			vm->h[gfn].state = H_HOLE;
}

#define BLOB ((NPAGES - 2) * PG)
#define LONG (1ULL << 47)

static const struct row rows[] = {
	/* UV_PAGE_OUT */
	{ "page-out",
	  UV_PAGE_OUT,
	  { SECURE, RA, G_RES *PG, 0, SHIFT },
	  U_SUCCESS,
	  0,
	  NULL,
	  settle },
	{ "page-out of a snapshot", UV_PAGE_OUT, { SECURE, RA, 0, UV_SNAPSHOT, SHIFT }, U_SUCCESS },
	{ "page-out of zeros", UV_PAGE_OUT, { SECURE, RA, G_ZERO *PG, 0, SHIFT }, U_SUCCESS },
	{ "page-out, shared", UV_PAGE_OUT, { SECURE, RA, G_SHARED *PG, 0, SHIFT }, U_SUCCESS },
	{ "page-out, shared, no page",
	  UV_PAGE_OUT,
	  { SECURE, RA, G_UNMAPPED *PG, 0, SHIFT },
	  U_SUCCESS },
	{ "page-out, stopped", UV_PAGE_OUT, { STOPPED, RA, 0, 0, SHIFT }, U_SUCCESS },
	{ "page-out, LPID 0", UV_PAGE_OUT, { 0, RA, 0, 0, SHIFT }, U_PARAMETER },
	{ "page-out, no LPID", UV_PAGE_OUT, { NONE, RA, 0, 0, SHIFT }, U_PARAMETER },
	{ "page-out, huge LPID", UV_PAGE_OUT, { LONG + SECURE, RA, 0, 0, SHIFT }, U_PARAMETER },
	{ "page-out, normal VM", UV_PAGE_OUT, { NORMAL, RA, 0, 0, SHIFT }, U_PARAMETER },
	{ "page-out, unaligned ra", UV_PAGE_OUT, { SECURE, RA + 8, 0, 0, SHIFT }, U_P2 },
	{ "page-out, no memory at ra", UV_PAGE_OUT, { SECURE, BAD_RA, 0, 0, SHIFT }, U_P2 },
	{ "page-out, unaligned gpa", UV_PAGE_OUT, { SECURE, RA, 8, 0, SHIFT }, U_P3 },
	{ "page-out, no slot", UV_PAGE_OUT, { SECURE, RA, G_NOSLOT *PG, 0, SHIFT }, U_P3 },
	{ "page-out, last gpa", UV_PAGE_OUT, { SECURE, RA, -PG, 0, SHIFT }, U_P3 },
	{ "page-out, sealed", UV_PAGE_OUT, { SECURE, RA, G_SEALED *PG, 0, SHIFT }, U_P3 },
	{ "page-out, flags", UV_PAGE_OUT, { SECURE, RA, 0, 2, SHIFT }, U_P4 },
	{ "page-out, high flags", UV_PAGE_OUT, { SECURE, RA, 0, LONG, SHIFT }, U_P4 },
	{ "page-out, order", UV_PAGE_OUT, { SECURE, RA, 0, 0, OTHER_SHIFT }, U_P5 },
	{ "page-out, sealing fails", UV_PAGE_OUT, { SECURE, RA, 0, 0, SHIFT }, U_BUSY, 0, no_seal },
	{ "page-out, teardown",
	  UV_PAGE_OUT,
	  { NORMAL, RA, 0, 0, SHIFT },
	  U_BUSY,
	  0,
	  teardown_begins,
	  teardown_ends },
	{ "page-out, guest", UV_PAGE_OUT, { SECURE, RA, 0, 0, SHIFT }, U_PERMISSION, SECURE },

	/* UV_PAGE_IN */
	{ "page-in of zeros", UV_PAGE_IN, { SECURE, RA, G_ZERO *PG, 0, SHIFT }, U_SUCCESS },
	{ "page-in, shared", UV_PAGE_IN, { SECURE, RA, G_UNMAPPED *PG, 0, SHIFT }, U_SUCCESS },
	{ "page-in, LPID 0", UV_PAGE_IN, { 0, RA, G_ZERO *PG, 0, SHIFT }, U_PARAMETER },
	{ "page-in, no LPID", UV_PAGE_IN, { NONE, RA, G_ZERO *PG, 0, SHIFT }, U_PARAMETER },
	{ "page-in, normal VM", UV_PAGE_IN, { NORMAL, RA, 0, 0, SHIFT }, U_PARAMETER },
	{ "page-in, stopped", UV_PAGE_IN, { STOPPED, RA, PG, 0, SHIFT }, U_PARAMETER },
	{ "page-in, unaligned ra", UV_PAGE_IN, { SECURE, RA + 1, G_ZERO *PG, 0, SHIFT }, U_P2 },
	{ "page-in, no memory at ra", UV_PAGE_IN, { SECURE, BAD_RA, G_ZERO *PG, 0, SHIFT }, U_P2 },
	{ "page-in, shared, no memory",
	  UV_PAGE_IN,
	  { SECURE, BAD_RA, G_UNMAPPED *PG, 0, SHIFT },
	  U_P2 },
	{ "page-in, other content",
	  UV_PAGE_IN,
	  { SECURE, RA, G_SEALED *PG, 0, SHIFT },
	  U_P2,
	  0,
	  tamper,
	  is_stopped },
	{ "page-in, unaligned gpa", UV_PAGE_IN, { SECURE, RA, 1, 0, SHIFT }, U_P3 },
	{ "page-in, no slot", UV_PAGE_IN, { SECURE, RA, G_NOSLOT *PG, 0, SHIFT }, U_P3 },
	{ "page-in, resident", UV_PAGE_IN, { SECURE, RA, G_RES *PG, 0, SHIFT }, U_P3 },
	{ "page-in, flags", UV_PAGE_IN, { SECURE, RA, G_ZERO *PG, 1, SHIFT }, U_P4 },
	{ "page-in, order", UV_PAGE_IN, { SECURE, RA, G_ZERO *PG, 0, 21 }, U_P5 },
	{ "page-in, full",
	  UV_PAGE_IN,
	  { SECURE, RA, G_ZERO *PG, 0, SHIFT },
	  U_BUSY,
	  0,
	  secure_memory_full,
	  secure_memory_back },
	{ "page-in, no memory",
	  UV_PAGE_IN,
	  { SECURE, RA, G_ZERO *PG, 0, SHIFT },
	  U_BUSY,
	  0,
	  no_memory,
	  memory_again },
	{ "page-in, teardown",
	  UV_PAGE_IN,
	  { NORMAL, RA, 0, 0, SHIFT },
	  U_BUSY,
	  0,
	  teardown_begins,
	  teardown_ends },
	{ "page-in, guest", UV_PAGE_IN, { SECURE, RA, 0, 0, SHIFT }, U_PERMISSION, SECURE },

	/* UV_PAGE_INVAL */
	{ "inval", UV_PAGE_INVAL, { SECURE, G_SHARED *PG, SHIFT }, U_SUCCESS },
	{ "inval again", UV_PAGE_INVAL, { SECURE, G_UNMAPPED *PG, SHIFT }, U_SUCCESS },
	{ "inval, LPID 0", UV_PAGE_INVAL, { 0, G_SHARED *PG, SHIFT }, U_PARAMETER },
	{ "inval, no LPID", UV_PAGE_INVAL, { NONE, 0, SHIFT }, U_PARAMETER },
	{ "inval, normal VM", UV_PAGE_INVAL, { NORMAL, 0, SHIFT }, U_PARAMETER },
	{ "inval, unaligned", UV_PAGE_INVAL, { SECURE, G_SHARED *PG + 4, SHIFT }, U_P2 },
	{ "inval, no slot", UV_PAGE_INVAL, { SECURE, G_NOSLOT *PG, SHIFT }, U_P2 },
	{ "inval, secure", UV_PAGE_INVAL, { SECURE, G_RES *PG, SHIFT }, U_P2 },
	{ "inval, sealed", UV_PAGE_INVAL, { SECURE, G_SEALED *PG, SHIFT }, U_P2 },
	{ "inval, zero", UV_PAGE_INVAL, { SECURE, G_ZERO *PG, SHIFT }, U_P2 },
	{ "inval, order", UV_PAGE_INVAL, { SECURE, G_SHARED *PG, 0 }, U_P3 },
	{ "inval, teardown",
	  UV_PAGE_INVAL,
	  { NORMAL, 0, SHIFT },
	  U_BUSY,
	  0,
	  teardown_begins,
	  teardown_ends },
	{ "inval, guest", UV_PAGE_INVAL, { SECURE, 0, SHIFT }, U_PERMISSION, SECURE },

	/* UV_WRITE_PATE */
	{ "pate, change", UV_WRITE_PATE, { NORMAL, UV_PATE_HR | 0x2000, 0 }, U_SUCCESS },
	{ "pate, table size",
	  UV_WRITE_PATE,
	  { NORMAL, UV_PATE_HR, 0x800000000000100cULL },
	  U_SUCCESS },
	{ "pate, LPID 0", UV_WRITE_PATE, { 0, UV_PATE_HR, 0 }, U_PARAMETER },
	{ "pate, LPID too large", UV_WRITE_PATE, { 4096, UV_PATE_HR, 0 }, U_PARAMETER },
	{ "pate, release unknown", UV_WRITE_PATE, { NONE, 0, 0 }, U_PARAMETER },
	{ "pate, not host radix", UV_WRITE_PATE, { NORMAL, 0x1000, 0 }, U_P2 },
	{ "pate, dw0 0", UV_WRITE_PATE, { NORMAL, 0, 0x1000 }, U_P2 },
	{ "pate, reserved bits", UV_WRITE_PATE, { NORMAL, UV_PATE_HR, 0x1800 }, U_P3 },
	{ "pate, reserved high bits", UV_WRITE_PATE, { NORMAL, UV_PATE_HR, 1ULL << 62 }, U_P3 },
	{ "pate, secure", UV_WRITE_PATE, { SECURE, UV_PATE_HR, 0 }, U_PERMISSION },
	{ "pate, release secure", UV_WRITE_PATE, { SECURE, 0, 0 }, U_PERMISSION },
	{ "pate, stopped", UV_WRITE_PATE, { STOPPED, UV_PATE_HR, 0 }, U_PERMISSION },
	{ "pate, release stopped", UV_WRITE_PATE, { STOPPED, 0, 0 }, U_PERMISSION },
	{ "pate, in ESM",
	  UV_WRITE_PATE,
	  { NORMAL, UV_PATE_HR, 0 },
	  U_BUSY,
	  0,
	  esm_begins,
	  esm_ends },
	{ "pate, release in ESM",
	  UV_WRITE_PATE,
	  { NORMAL, 0, 0 },
	  U_BUSY,
	  0,
	  esm_begins,
	  esm_ends },
	{ "pate, no memory",
	  UV_WRITE_PATE,
	  { NONE, UV_PATE_HR, 0 },
	  U_BUSY,
	  0,
	  no_memory,
	  memory_again },
	{ "pate, guest", UV_WRITE_PATE, { NORMAL, UV_PATE_HR, 0 }, U_PERMISSION, NORMAL },

	/* UV_RETURN */
	{ "return", UV_RETURN, { 0 }, U_FUNCTION },
	{ "return, guest", UV_RETURN, { 0 }, U_INVALID, SECURE },

	/* UV_REGISTER_MEM_SLOT */
	{ "slot", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, PG, 0, 7 }, U_SUCCESS },
	{ "slot, 64 TiB", UV_REGISTER_MEM_SLOT, { SECURE, LONG, LONG / 2, 0, 0xffff }, U_SUCCESS },
	{ "slot, LPID 0", UV_REGISTER_MEM_SLOT, { 0, 400 * PG, PG, 0, 7 }, U_PARAMETER },
	{ "slot, no LPID", UV_REGISTER_MEM_SLOT, { NONE, 400 * PG, PG, 0, 7 }, U_PARAMETER },
	{ "slot, normal VM", UV_REGISTER_MEM_SLOT, { NORMAL, 400 * PG, PG, 0, 7 }, U_PARAMETER },
	{ "slot, stopped", UV_REGISTER_MEM_SLOT, { STOPPED, 400 * PG, PG, 0, 7 }, U_PARAMETER },
	{ "slot, unaligned", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG + 8, PG, 0, 7 }, U_P2 },
	{ "slot, overlap", UV_REGISTER_MEM_SLOT, { SECURE, 0, PG, 0, 7 }, U_P2 },
	{ "slot, overlap above", UV_REGISTER_MEM_SLOT, { SECURE, 23 * PG, 2 * PG, 0, 7 }, U_P2 },
	{ "slot, around another", UV_REGISTER_MEM_SLOT, { SECURE, 21 * PG, 50 * PG, 0, 7 }, U_P2 },
	{ "slot, size 0", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, 0, 0, 7 }, U_P3 },
	{ "slot, odd size", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, PG + 1, 0, 7 }, U_P3 },
	{ "slot, overflow", UV_REGISTER_MEM_SLOT, { SECURE, -PG, 2 * PG, 0, 7 }, U_P3 },
	{ "slot, absurd", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, LONG, 0, 7 }, U_P3 },
	{ "slot, flags", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, PG, 1, 7 }, U_P4 },
	{ "slot, id in use", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, PG, 0, 1 }, U_P5 },
	{ "slot, id too large", UV_REGISTER_MEM_SLOT, { SECURE, 400 * PG, PG, 0, 65536 }, U_P5 },
	{ "slot, no memory",
	  UV_REGISTER_MEM_SLOT,
	  { SECURE, 400 * PG, PG, 0, 7 },
	  U_BUSY,
	  0,
	  no_memory,
	  memory_again },
	{ "slot, guest",
	  UV_REGISTER_MEM_SLOT,
	  { SECURE, 400 * PG, PG, 0, 7 },
	  U_PERMISSION,
	  SECURE },

	/* UV_UNREGISTER_MEM_SLOT */
	{ "unslot", UV_UNREGISTER_MEM_SLOT, { SECURE, 0 }, U_SUCCESS },
	{ "unslot, LPID 0", UV_UNREGISTER_MEM_SLOT, { 0, 0 }, U_PARAMETER },
	{ "unslot, no LPID", UV_UNREGISTER_MEM_SLOT, { NONE, 0 }, U_PARAMETER },
	{ "unslot, no slot", UV_UNREGISTER_MEM_SLOT, { SECURE, 7 }, U_P2 },
	{ "unslot, huge id", UV_UNREGISTER_MEM_SLOT, { SECURE, LONG }, U_P2 },
	{ "unslot, guest", UV_UNREGISTER_MEM_SLOT, { SECURE, 0 }, U_PERMISSION, SECURE },

	/* UV_SVM_TERMINATE */
	{ "terminate", UV_SVM_TERMINATE, { SECURE }, U_SUCCESS },
	{ "terminate, stopped", UV_SVM_TERMINATE, { STOPPED }, U_SUCCESS },
	{ "terminate, LPID 0", UV_SVM_TERMINATE, { 0 }, U_PARAMETER },
	{ "terminate, no LPID", UV_SVM_TERMINATE, { NONE }, U_PARAMETER },
	{ "terminate, normal VM", UV_SVM_TERMINATE, { NORMAL }, U_INVALID },
	{ "terminate, guest", UV_SVM_TERMINATE, { SECURE }, U_PERMISSION, SECURE },

	/* UV_SHARE_PAGE */
	{ "share", UV_SHARE_PAGE, { G_RES, 1 }, U_SUCCESS, SECURE },
	{ "share all states", UV_SHARE_PAGE, { 0, NPAGES }, U_SUCCESS, SECURE },
	{ "share zeros", UV_SHARE_PAGE, { G_ZERO, 2 }, U_SUCCESS, SECURE },
	{ "share, normal VM", UV_SHARE_PAGE, { 0, 1 }, U_INVALID, NORMAL },
	{ "share, stopped", UV_SHARE_PAGE, { 0, 1 }, U_INVALID, STOPPED },
	{ "share, no slot", UV_SHARE_PAGE, { G_NOSLOT, 1 }, U_PARAMETER, SECURE },
	{ "share, huge gfn", UV_SHARE_PAGE, { ~0ULL, 1 }, U_PARAMETER, SECURE },
	{ "share, no page", UV_SHARE_PAGE, { 0, 1 }, U_PARAMETER, SECURE, hv_refuses, hv_again },
	{ "share, num 0", UV_SHARE_PAGE, { 0, 0 }, U_P2, SECURE },
	{ "share, num into the gap", UV_SHARE_PAGE, { 0, NPAGES + 1 }, U_P2, SECURE },
	{ "share, num overflow", UV_SHARE_PAGE, { 4, ~0ULL }, U_P2, SECURE },
	{ "share, no memory",
	  UV_SHARE_PAGE,
	  { G_ZERO, 1 },
	  U_BUSY,
	  SECURE,
	  no_memory,
	  memory_again },
	{ "share, hypervisor", UV_SHARE_PAGE, { 0, 1 }, U_PERMISSION },

	/* UV_UNSHARE_PAGE */
	{ "unshare", UV_UNSHARE_PAGE, { G_SHARED, 1 }, U_SUCCESS, SECURE },
	{ "unshare all states", UV_UNSHARE_PAGE, { 0, NPAGES }, U_SUCCESS, SECURE },
	{ "unshare, no host",
	  UV_UNSHARE_PAGE,
	  { G_SHARED, 2 },
	  U_SUCCESS,
	  SECURE,
	  hv_refuses,
	  hv_again },
	{ "unshare, normal VM", UV_UNSHARE_PAGE, { 0, 1 }, U_INVALID, NORMAL },
	{ "unshare, stopped", UV_UNSHARE_PAGE, { 0, 1 }, U_INVALID, STOPPED },
	{ "unshare, no slot", UV_UNSHARE_PAGE, { G_NOSLOT, 1 }, U_PARAMETER, SECURE },
	{ "unshare, num 0", UV_UNSHARE_PAGE, { 0, 0 }, U_P2, SECURE },
	{ "unshare, num", UV_UNSHARE_PAGE, { 0, 1ULL << 60 }, U_P2, SECURE },
	{ "unshare, hypervisor", UV_UNSHARE_PAGE, { 0, 1 }, U_PERMISSION },

	/* UV_UNSHARE_ALL_PAGES */
	{ "unshare-all", UV_UNSHARE_ALL_PAGES, { 0 }, U_SUCCESS, SECURE },
	{ "unshare-all, normal VM", UV_UNSHARE_ALL_PAGES, { 0 }, U_INVALID, NORMAL },
	{ "unshare-all, stopped", UV_UNSHARE_ALL_PAGES, { 0 }, U_INVALID, STOPPED },
	{ "unshare-all, hypervisor", UV_UNSHARE_ALL_PAGES, { 0 }, U_PERMISSION },

	/* UV_ESM */
	{ "esm", UV_ESM, { BLOB, 0 }, U_SUCCESS, NORMAL },
	{ "esm with fdt", UV_ESM, { BLOB, 5 * PG }, U_SUCCESS, NORMAL, fdt_at_page_5 },
	{ "esm, already", UV_ESM, { 0, 0 }, U_SUCCESS, SECURE },
	{ "esm, refused", UV_ESM, { BLOB, 0 }, U_INVALID, NORMAL, hv_refuses, hv_again },
	{ "esm, not done", UV_ESM, { BLOB, 0 }, U_INVALID, NORMAL, hv_not_done, hv_again },
	{ "esm, stopped", UV_ESM, { BLOB, 0 }, U_INVALID, STOPPED },
	{ "esm, no slot", UV_ESM, { G_NOSLOT * PG, 0 }, U_PARAMETER, NORMAL },
	{ "esm, address wraps", UV_ESM, { ~0ULL - 3, 0 }, U_PARAMETER, NORMAL },
	{ "esm, no blob", UV_ESM, { 0, 0 }, U_PARAMETER, NORMAL },
	{ "esm, blob runs out", UV_ESM, { NPAGES * PG - 40, 0 }, U_PARAMETER, NORMAL },
	{ "esm, magic", UV_ESM, { BLOB, 0 }, U_PARAMETER, NORMAL, bad_magic },
	{ "esm, fdt in no slot", UV_ESM, { BLOB, G_NOSLOT *PG }, U_P2, NORMAL },
	{ "esm, no fdt there", UV_ESM, { BLOB, 5 * PG }, U_P2, NORMAL },
	{ "esm, fdt too long", UV_ESM, { BLOB, 5 * PG }, U_P2, NORMAL, fdt_too_long },
	{ "esm, digest", UV_ESM, { BLOB, 0 }, U_PERMISSION, NORMAL, bad_measure },
	{ "esm, tag", UV_ESM, { BLOB, 0 }, U_PERMISSION, NORMAL, bad_blob },
	{ "esm, no memory", UV_ESM, { BLOB, 0 }, U_RETRY, NORMAL, no_memory, memory_again },
	{ "esm, no random", UV_ESM, { BLOB, 0 }, U_RETRY, NORMAL, no_random },
	{ "esm, host busy", UV_ESM, { BLOB, 0 }, U_RETRY, NORMAL, hv_busy, hv_again },
	{ "esm, another runs", UV_ESM, { BLOB, 0 }, U_BUSY, NORMAL, esm_begins, esm_ends },
	{ "esm, hypervisor", UV_ESM, { BLOB, 0 }, U_PERMISSION },

	/* H_RANDOM, and what is nothing at all */
	{ "random", H_RANDOM, { 0 }, H_SUCCESS, NORMAL },
	{ "random, secure", H_RANDOM, { 0 }, H_SUCCESS, SECURE },
	{ "random, no entropy", H_RANDOM, { 0 }, H_HARDWARE, NORMAL, no_random },
	{ "random, hypervisor", H_RANDOM, { 0 }, U_FUNCTION },
	{ "unknown", 0xF144, { 1 }, U_FUNCTION },
	{ "unknown, guest", 0xF144, { 1 }, U_FUNCTION, SECURE },
	{ "hypercall number", H_SVM_PAGE_IN, { 1 }, U_FUNCTION, SECURE },
	{ "guest of no LPID", UV_ESM, { 0 }, U_PARAMETER, NONE },
};

static int64_t call(struct machine *m, const struct row *r, uint64_t *out)
{
	uint64_t args[UV_UCALL_ARGS] = { 0 };

	memcpy(args, r->a, sizeof(r->a));
	if (r->guest)
		return uv_guest_call(m->uv, r->guest, NULL, r->nr, args, out);
	return uv_hv_call(m->uv, r->nr, args, out);
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct machine *m = world(false);
		uint64_t out[UV_UCALL_OUT];
		int64_t ret;

		/* a page of normal memory that no VM uses, for the RA of rows */
		m->nfree--;
		memmove(m->free, m->free + 1, m->nfree * sizeof(*m->free));
		if (r->before)
			r->before(m);
		ret = call(m, r, out);
		if (ret != r->ret)
			fail_msg("%s: %lld, expected %lld", r->what, (long long)ret,
				 (long long)r->ret);
		m->fail_seal = false;
		m->fail_random = false;
		if (r->after)
			r->after(m);
		machine_free(m);
	}
}

static void switched_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine *m = machine_new(&(struct options){ .secure_pages = 0 });
		uint64_t out[UV_UCALL_OUT];

		assert_int_equal(call(m, &rows[i], out), U_FUNCTION);
		machine_free(m);
	}
}

static void esm_without_key(void **state)
{
	struct machine *m = world(true);
	struct vm *vm = vm_of(m, NORMAL);

	(void)state;
	assert_int_equal(guest(vm, UV_ESM, BLOB, 0, NULL), U_NO_KEY);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(guest(vm_of(m, SECURE), UV_ESM, BLOB, 0, NULL), U_SUCCESS);
	machine_free(m);
}

/* A call that is refused changes nothing that anyone can see. */
static void refused_calls_change_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct machine *m;
		uint8_t before[3][32], after[3][32];
		uint64_t out[UV_UCALL_OUT];

		if (r->before || r->ret == U_SUCCESS || r->nr == UV_ESM)
			continue;
		m = world(false);
		for (uint32_t l = 0; l < 3; l++)
			uv_get_map(m->uv, l + 1, 0, 32, before[l]);
		assert_int_equal(call(m, r, out), r->ret);
		for (uint32_t l = 0; l < 3; l++)
			uv_get_map(m->uv, l + 1, 0, 32, after[l]);
		assert_memory_equal(before, after, sizeof(before));
		assert_int_equal(out[0] | out[1], 0);
		assert_true(guest_check(vm_of(m, SECURE), G_RES, 1));
		machine_free(m);
	}
}

static void random_differs(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 4 });
	struct vm *vm = vm_new(m, 1, 4);
	uint64_t a[2], b[2];

	(void)state;
	assert_int_equal(guest(vm, H_RANDOM, 0, 0, a), H_SUCCESS);
	assert_int_equal(guest(vm, H_RANDOM, 0, 0, b), H_SUCCESS);
	assert_true(a[0] != b[0] && a[1] == 0);
	machine_free(m);
}

static void statistics_of_partitions(void **state)
{
	struct machine *m = world(false);
	uint32_t lpids[8] = { 0 };
	uint8_t map[4];

	(void)state;
	assert_int_equal(uv_list(m->uv, lpids, 2), 3);
	assert_int_equal(lpids[2], 0);
	assert_int_equal(uv_list(m->uv, lpids, 8), 3);
	assert_int_equal(lpids[0] + lpids[1] + lpids[2], 6);
	assert_int_equal(stats(m).svms, 2);
	assert_true(uv_lpid_valid(m->uv, SECURE));
	assert_false(uv_lpid_valid(m->uv, NONE));
	assert_false(uv_get_svm(m->uv, NONE, &(struct uv_svm_info){ 0 }));
	assert_int_equal(svm_info(vm_of(m, SECURE)).memslots, 2);
	assert_int_equal(svm_info(vm_of(m, SECURE)).shared, 2);
	assert_int_equal(svm_info(vm_of(m, SECURE)).paged_out, 1);
	assert_int_equal(svm_info(vm_of(m, STOPPED)).esm_ret, U_SUCCESS);
	uv_get_map(m->uv, SECURE, 0, 4, map);
	assert_int_equal(map[0], UV_GFN_RESIDENT);
	assert_int_equal(map[1], UV_GFN_SEALED);
	assert_int_equal(map[2], UV_GFN_SHARED);
	assert_int_equal(map[3], UV_GFN_SHARED_UNMAPPED);
	uv_get_map(m->uv, NONE, 0, 4, map);
	assert_int_equal(map[0], UV_GFN_NOSLOT);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),	   cmocka_unit_test(switched_off),
		cmocka_unit_test(esm_without_key), cmocka_unit_test(refused_calls_change_nothing),
		cmocka_unit_test(random_differs),  cmocka_unit_test(statistics_of_partitions),
	};

	return cmocka_run_group_tests_name("ultracalls", tests, NULL, NULL);
}
