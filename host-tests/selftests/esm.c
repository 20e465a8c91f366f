// SPDX-License-Identifier: GPL-2.0
/*
 * UV_ESM x every value that ultravisor.rst lists for it. Whatever is wrong, the
 * VM runs on as a normal one with its memory as it was, and can go secure once
 * nothing is wrong any more. U_NO_KEY and U_FUNCTION are in unload.c.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "uv-sim/user/esm_blob.h"
#include "vmfix.h"

#define SEED 0x5eed000a
#define PAGES 96
#define TOUCHED 40
#define FDT 50 /* a page for a device tree */

FIXTURE(esm)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(esm)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	ASSERT_EQ(0, own_blob(&self->own, TOUCHED * page_size(), 1, true));
}

/* The VM is as it was, and the same UV_ESM succeeds when it is made properly. */
static int runs_on(struct own *o)
{
	int64_t ret;

	if (vm_state_fd(o->svm) != UVMEM_VM_NORMAL)
		return say("the VM is not normal");
	for (size_t page = 0; page < PAGES; page++)
		if (own_hv_state(o, page) != UVMEM_GFN_NORMAL)
			return say("page %zu is not normal", page);
	if (own_has_pattern(o, 0, TOUCHED, SEED))
		return -1;
	if (own_blob(o, TOUCHED * page_size(), 1, true))
		return -1;
	ret = own_esm(o);
	return ret == U_SUCCESS ? 0 : say("the second UV_ESM: %lld", (long long)ret);
}

FIXTURE_TEARDOWN(esm)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static int64_t esm(struct own *o, uint64_t blob, uint64_t fdt)
{
	return own_ucall(o, UV_ESM, blob, fdt, 0, 0, 0);
}

TEST_F(esm, u_success)
{
	struct uvsim_svm svm = { .lpid = self->own.lpid };
	struct uvsim_stats st;

	EXPECT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
	ASSERT_EQ(0, ioctl(self->own.uv, UVSIM_GET_SVM, &svm));
	EXPECT_EQ(UV_VM_SECURE, svm.state);
	EXPECT_EQ(U_SUCCESS, svm.esm_ret);
	EXPECT_EQ(1, svm.memslots);
	/* What nobody touched costs no secure page. */
	EXPECT_LE(TOUCHED, svm.resident);
	EXPECT_GT(PAGES, svm.resident);
	ASSERT_EQ(0, uvsim_stats(&st));
	EXPECT_EQ(self->before.secure_used + svm.resident, st.secure_used);
}

TEST_F(esm, u_success_if_secure_already)
{
	ASSERT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(U_SUCCESS, esm(&self->own, UINT64_MAX, UINT64_MAX));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
}

TEST_F(esm, u_parameter_blob)
{
	struct own *o = &self->own;
	uint64_t bad[] = {
		o->len,	    /* behind the last memslot */
		o->len - 8, /* a header does not fit */
		UINT64_MAX,
		UINT64_MAX - 47,
		1ULL << 60,
		TOUCHED * page_size(), /* zeros */
		0,		       /* something else */
		o->blob_gpa + 1,
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(U_PARAMETER, esm(o, bad[i], 0));
	EXPECT_EQ(0, runs_on(o));
}

/* Every field of the header that says what the blob is. */
TEST_F(esm, u_parameter_header)
{
	struct own *o = &self->own;
	struct uv_esm_header *h = (void *)(o->h + o->blob_gpa), good = *h;

	h->magic[7] ^= 1;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->version++;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->total_size++;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->total_size = UINT32_MAX;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->nranges = 0;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->nranges = UINT32_MAX;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->flags = 1;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	*h = good;
	h->reserved = 1;
	EXPECT_EQ(U_PARAMETER, own_esm(o));
	EXPECT_EQ(0, runs_on(o));
}

TEST_F(esm, u_p2_fdt)
{
	static const uint8_t head[] = { 0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0, 64 };
	uint64_t blob = self->own.blob_gpa, fdt = FDT * page_size();
	uint8_t *tree = self->own.h + fdt;

	EXPECT_EQ(U_P2, esm(&self->own, blob, self->own.len));
	EXPECT_EQ(U_P2, esm(&self->own, blob, self->own.len - 16));
	EXPECT_EQ(U_P2, esm(&self->own, blob, UINT64_MAX));
	EXPECT_EQ(U_P2, esm(&self->own, blob, fdt)); /* zeros */
	EXPECT_EQ(U_P2, esm(&self->own, blob, 8));   /* something else */
	memcpy(tree, head, sizeof(head));
	tree[4] = 0x7f; /* longer than memory */
	EXPECT_EQ(U_P2, esm(&self->own, blob, fdt));
	tree[4] = 0;
	tree[7] = 39; /* shorter than a header */
	EXPECT_EQ(U_P2, esm(&self->own, blob, fdt));
	tree[7] = 64;
	EXPECT_EQ(U_SUCCESS, esm(&self->own, blob, fdt));
}

TEST_F(esm, u_permission_measurement)
{
	/* A byte of what is measured changes after the blob was made. */
	self->own.h[TOUCHED * page_size() - 1] ^= 1;
	EXPECT_EQ(U_PERMISSION, own_esm(&self->own));
	self->own.h[TOUCHED * page_size() - 1] ^= 1;
	EXPECT_EQ(0, runs_on(&self->own));
}

TEST_F(esm, u_permission_blob_changed)
{
	struct own *o = &self->own;
	size_t offset[] = {
		24,				/* entry */
		32,				/* IV */
		48,				/* the first byte of the table */
		48 + 87, 48 + 88, 48 + 88 + 15, /* tag */
	};

	for (unsigned int i = 0; i < sizeof(offset) / sizeof(offset[0]); i++) {
		o->h[o->blob_gpa + offset[i]] ^= 0x40;
		EXPECT_EQ(U_PERMISSION, own_esm(o));
		o->h[o->blob_gpa + offset[i]] ^= 0x40;
	}
	EXPECT_EQ(0, runs_on(o));
}

/* A blob of our own making at the usual place. */
static int put_blob(struct own *o, const uint8_t key[32], uint64_t entry, uint64_t gpa, size_t len)
{
	struct uv_esm_range_src src = {
		.gpa = gpa, .data = o->h, .len = len, .alg = UV_ESM_SHA256
	};
	uint8_t *blob;
	size_t size;

	if (uv_esm_blob_build(key, entry, &src, 1, &blob, &size))
		return say("no blob");
	memcpy(o->h + o->blob_gpa, blob, size);
	free(blob);
	return 0;
}

TEST_F(esm, u_permission_another_owners_key)
{
	uint8_t key[32];

	ASSERT_EQ(0, own_key(key));
	key[31] ^= 1;
	ASSERT_EQ(0, put_blob(&self->own, key, 0, 0, page_size()));
	EXPECT_EQ(U_PERMISSION, own_esm(&self->own));
	EXPECT_EQ(0, runs_on(&self->own));
}

TEST_F(esm, u_permission_ranges)
{
	struct own *o = &self->own;
	uint8_t key[32];

	ASSERT_EQ(0, own_key(key));
	/* Beyond the memslots; over the end of memory. */
	ASSERT_EQ(0, put_blob(o, key, o->len, o->len, page_size()));
	EXPECT_EQ(U_PERMISSION, own_esm(o));
	ASSERT_EQ(0, put_blob(o, key, o->len - 8, o->len - 8, 16));
	EXPECT_EQ(U_PERMISSION, own_esm(o));
	EXPECT_EQ(0, runs_on(o));
}

/* The hypervisor cannot hand a page over: to the ultravisor it is short of memory. */
TEST_F(esm, u_retry)
{
	struct pin pin;

	ASSERT_EQ(0, pin_pages(&pin, self->own.h + 3 * page_size(), 1));
	EXPECT_EQ(U_RETRY, own_esm(&self->own));
	pin_release(&pin);
	EXPECT_EQ(0, runs_on(&self->own));
}

/* The hypervisor refuses: there is no H behind the memslot. */
TEST_F(esm, u_invalid)
{
	uint8_t *hole = self->own.h + (TOUCHED + 1) * page_size();

	ASSERT_EQ(0, munmap(hole, page_size()));
	EXPECT_EQ(U_INVALID, own_esm(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	ASSERT_EQ(hole, mmap(hole, page_size(), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, runs_on(&self->own));
}

FIXTURE(guest_esm)
{
	struct vm vm;
	struct usage before;
	uint64_t gpa;
};

FIXTURE_SETUP(guest_esm)
{
	ASSERT_EQ(0, usage_get(&self->before));
}

FIXTURE_TEARDOWN(guest_esm)
{
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

FIXTURE_VARIANT(guest_esm)
{
	struct vm_opts opts;
	int64_t ret;
};

FIXTURE_VARIANT_ADD(guest_esm, wrong_measurement){
	.opts = { .bad_measurement = true },
	.ret = U_PERMISSION,
};

FIXTURE_VARIANT_ADD(guest_esm, wrong_owner_key){
	.opts = { .owner_key = "00112233445566778899aabbccddeeff"
			       "00112233445566778899aabbccddeeff" },
	.ret = U_PERMISSION,
};

FIXTURE_VARIANT_ADD(guest_esm, no_blob){
	.opts = { .esm_blob = "/dev/null" },
	.ret = U_PARAMETER,
};

/* A real guest runs on after its UV_ESM failed, and the host sees it work. */
TEST_F(guest_esm, the_guest_runs_on)
{
	struct vm *vm = &self->vm;
	uint64_t gpa;

	ASSERT_EQ(0, vm_start(vm, &variant->opts));
	gpa = vm_page(vm, 9);
	ASSERT_EQ(0, guest_pattern(vm, gpa, 30 * page_size(), SEED));
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(variant->ret, guest_esm(vm));
		EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(vm->c.svm_fd));
		EXPECT_EQ(UVMEM_GFN_NORMAL, hv_state(vm, gpa));
		EXPECT_EQ(0, guest_verify(vm, gpa, 30 * page_size(), SEED, 0));
		EXPECT_EQ(0, host_sees_pattern(vm, gpa + 29 * page_size(), SEED));
	}
	EXPECT_EQ(0, guest_pattern(vm, gpa, page_size(), SEED + 1));
	EXPECT_EQ(0, host_sees_pattern(vm, gpa, SEED + 1));
	EXPECT_EQ(0, usage_check(&self->before));
}

TEST_HARNESS_MAIN
