// SPDX-License-Identifier: GPL-2.0
/*
 * The table of VM states, and the GFN states of a VM on its way to secure.
 *
 *	VM        | INIT_START | INIT_DONE     | INIT_ABORT       | terminate
 *	Normal    | H_STATE    | H_UNSUPPORTED | H_UNSUPPORTED    | Normal
 *	Transient | H_STATE    | Secure        | Normal, H_PARAM. | Normal
 *	Secure    | H_STATE    | H_UNSUPPORTED | H_STATE          | Normal
 *
 * From Normal, H_SVM_INIT_START leads to Transient when the ultravisor makes it
 * for UV_ESM; a VMM that makes it by itself finds that the ultravisor takes no
 * memslots. The test is VMM and guest at once: UV_ESM runs in a thread, and
 * measures so much that the VM stays Transient for a while.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0002
#define TOUCHED 140 /* pages with content */
#define PAGES 200   /* the rest but the blob is never touched */
#define MEASURED (120 * page_size())
#define OUT 130 /* a page with content that is not measured */
/*
 * So much is measured that the VM is Transient for a second or two. A call that
 * wants what is being measured waits for a page, the longer the larger it is.
 */
#define TOTAL ((debug_kernel() ? 12 : page_size() > 4096 ? 160 : 64) * MIB)
#define TIMES (1 + TOTAL / MEASURED)

FIXTURE(transient)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(transient)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	ASSERT_EQ(0, own_blob(&self->own, MEASURED, TIMES, true));
	ASSERT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
}

FIXTURE_TEARDOWN(transient)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static int64_t init_start(struct own *o)
{
	return own_hcall(o, H_SVM_INIT_START, 0, 0, 0, 0, NULL);
}

static int64_t init_done(struct own *o)
{
	return own_hcall(o, H_SVM_INIT_DONE, 0, 0, 0, 0, NULL);
}

static int64_t init_abort(struct own *o)
{
	return own_hcall(o, H_SVM_INIT_ABORT, 0, 0, 0, 0, NULL);
}

/* A VM whose measurement fails, so that the ultravisor aborts it. */
static int make_it_fail(struct own *o)
{
	return own_blob(o, MEASURED, TIMES, false);
}

TEST_F(transient, normal_init_start_by_the_vmm)
{
	EXPECT_EQ(H_STATE, init_start(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
}

TEST_F(transient, normal_init_start_by_esm)
{
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	ASSERT_EQ(U_SUCCESS, own_esm_join(&self->own));
	ASSERT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
}

/* Without memslots there is nothing to secure. */
TEST_F(transient, normal_init_start_without_memslots)
{
	struct uvmem_memslot slot = { .slot = 0 };

	ASSERT_EQ(0, ioctl(self->own.svm, UVMEM_SET_MEMSLOT, &slot));
	EXPECT_EQ(H_STATE, init_start(&self->own));
	EXPECT_NE(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
}

TEST_F(transient, normal_init_done)
{
	EXPECT_EQ(H_UNSUPPORTED, init_done(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
}

TEST_F(transient, normal_init_abort)
{
	EXPECT_EQ(H_UNSUPPORTED, init_abort(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
}

TEST_F(transient, normal_terminate)
{
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
}

TEST_F(transient, transient_init_start)
{
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(H_STATE, init_start(&self->own));
	EXPECT_EQ(UVMEM_VM_TRANSIENT, vm_state_fd(self->own.svm));
	EXPECT_EQ(U_SUCCESS, own_esm_join(&self->own));
}

/* A VMM that says "done" too early: secure to itself, and UV_ESM fails. */
TEST_F(transient, transient_init_done_by_the_vmm)
{
	uint8_t *plain = malloc(page_size()), *seen = malloc(page_size());

	ASSERT_NE(NULL, plain);
	ASSERT_NE(NULL, seen);
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(H_SUCCESS, init_done(&self->own));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
	EXPECT_EQ(U_INVALID, own_esm_join(&self->own));
	pattern_fill(plain, OUT * page_size(), page_size(), SEED, 0);
	memcpy(seen, self->own.h + OUT * page_size(), page_size());
	EXPECT_TRUE(no_plaintext(seen, plain, page_size()));
	/* Whatever the VMM made of it, it can end it. */
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	free(plain);
	free(seen);
}

/* The ultravisor's own abort: the content is intact, wherever it was. */
TEST_F(transient, transient_init_abort_by_the_ultravisor)
{
	ASSERT_EQ(0, make_it_fail(&self->own));
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(U_PERMISSION, own_esm_join(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	for (size_t page = 0; page < PAGES; page++)
		ASSERT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, page));
	EXPECT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
	EXPECT_TRUE(all_zeros(self->own.h + TOUCHED * page_size(), page_size()));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* The host's look at @n pages; false if it came too late: they were not sealed any more. */
static bool look_in_time(struct own *o, const size_t *page, unsigned int n, uint8_t *seen)
{
	for (unsigned int i = 0; i < n; i++)
		memcpy(seen + i * page_size(), o->h + page[i] * page_size(), page_size());
	/* None of these is measured, so nothing but the abort takes it out of this state. */
	for (unsigned int i = 0; i < n; i++)
		if (own_uv_state(o, page[i]) != UV_GFN_SEALED)
			return false;
	return true;
}

/*
 * The same with pages that the host touched, and got sealed, meanwhile. Where
 * the machine is slow the ultravisor may be done first: then once more.
 */
TEST_F(transient, abort_brings_back_what_was_paged_out)
{
	const size_t page[] = { OUT - 1, OUT, TOUCHED - 1 };
	uint8_t *seen = malloc(3 * page_size()), *plain = malloc(page_size());
	bool in_time = false;

	ASSERT_NE(NULL, seen);
	ASSERT_NE(NULL, plain);
	ASSERT_EQ(0, make_it_fail(&self->own));
	for (unsigned int tries = 0; !in_time && tries < 20; tries++) {
		ASSERT_EQ(0, own_esm_start(&self->own));
		ASSERT_EQ(0, own_wait_transient(&self->own));
		in_time = look_in_time(&self->own, page, 3, seen);
		EXPECT_EQ(U_PERMISSION, own_esm_join(&self->own));
		EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
		EXPECT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, OUT));
		EXPECT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
	}
	ASSERT_TRUE(in_time);
	for (unsigned int i = 0; i < 3; i++) {
		pattern_fill(plain, page[i] * page_size(), page_size(), SEED, 0);
		EXPECT_TRUE(is_ciphertext(seen + i * page_size(), plain, page_size()));
	}
	free(seen);
	free(plain);
}

/*
 * A host that keeps looking gets ciphertext; UV_ESM goes on with what it sealed.
 * Again if the ultravisor was done before the host had looked often enough.
 */
TEST_F(transient, host_looks_at_what_is_measured)
{
	uint8_t *seen = malloc(page_size()), *plain = malloc(page_size());
	unsigned int looks = 0;

	ASSERT_NE(NULL, seen);
	ASSERT_NE(NULL, plain);
	pattern_fill(plain, page_size(), page_size(), SEED, 0);
	for (unsigned int tries = 0; looks <= 2 && tries < 20; tries++) {
		if (tries) {
			ASSERT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
			own_fill(&self->own, 0, TOUCHED, SEED);
			ASSERT_EQ(0, own_blob(&self->own, MEASURED, TIMES, true));
		}
		ASSERT_EQ(0, own_esm_start(&self->own));
		ASSERT_EQ(0, own_wait_transient(&self->own));
		while (vm_state_fd(self->own.svm) == UVMEM_VM_TRANSIENT) {
			memcpy(seen, self->own.h + page_size(), page_size());
			ASSERT_TRUE(no_plaintext(seen, plain, page_size()));
			looks++;
			usleep(1000);
		}
		EXPECT_EQ(U_SUCCESS, own_esm_join(&self->own));
	}
	EXPECT_LT(2, looks);
	free(seen);
	free(plain);
}

/* Paged out in the clear or paged out again: ESM can be tried once more. */
TEST_F(transient, esm_after_abort)
{
	ASSERT_EQ(0, make_it_fail(&self->own));
	ASSERT_EQ(U_PERMISSION, own_esm(&self->own));
	ASSERT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
	ASSERT_EQ(0, own_blob(&self->own, MEASURED, 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
}

/*
 * A VMM that aborts on its own while the ultravisor goes on measuring. It may
 * get ciphertext, or what it had before; what counts is that the VM is a normal
 * one with no page left behind, and that UV_ESM fails and can be tried again.
 */
TEST_F(transient, transient_init_abort_by_the_vmm)
{
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(H_PARAMETER, init_abort(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_NE(U_SUCCESS, own_esm_join(&self->own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	for (size_t page = 0; page < PAGES; page++)
		ASSERT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, page));
	EXPECT_EQ(0, usage_check(&self->before));

	own_fill(&self->own, 0, TOUCHED, SEED + 1);
	ASSERT_EQ(0, own_blob(&self->own, MEASURED, 1, true));
	EXPECT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, OUT));
}

TEST_F(transient, transient_terminate)
{
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_EQ(U_INVALID, own_esm_join(&self->own));
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* What the guest would have to say, nobody can say for it yet. */
TEST_F(transient, transient_refuses_share_and_unshare)
{
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(U_INVALID, own_ucall(&self->own, UV_SHARE_PAGE, 1, 1, 0, 0, 0));
	EXPECT_EQ(U_INVALID, own_ucall(&self->own, UV_UNSHARE_PAGE, 1, 1, 0, 0, 0));
	EXPECT_EQ(U_INVALID, own_ucall(&self->own, UV_UNSHARE_ALL_PAGES, 0, 0, 0, 0, 0));
	/* A GFN that is still Normal, and one that is secure. */
	EXPECT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, TOUCHED));
	EXPECT_EQ(H_PARAMETER, own_hcall(&self->own, H_SVM_PAGE_IN, TOUCHED * page_size(),
					 H_PAGE_IN_SHARED, page_order(), 0, NULL));
	EXPECT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, TOUCHED));
	EXPECT_EQ(H_PARAMETER, own_hcall(&self->own, H_SVM_PAGE_IN, OUT * page_size(),
					 H_PAGE_IN_SHARED, page_order(), 0, NULL));
	EXPECT_NE(UVMEM_GFN_SHARED, own_hv_state(&self->own, OUT));
	EXPECT_EQ(U_SUCCESS, own_esm_join(&self->own));
}

TEST_F(transient, transient_memslots_are_fixed)
{
	struct uvmem_memslot slot = { .slot = 0 };

	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	EXPECT_EQ(-1, ioctl(self->own.svm, UVMEM_SET_MEMSLOT, &slot));
	EXPECT_EQ(EBUSY, errno);
	/* A second UV_ESM, too. */
	EXPECT_EQ(U_BUSY, own_esm(&self->own));
	EXPECT_EQ(U_SUCCESS, own_esm_join(&self->own));
}

/*
 * A memslot has lost memory of H by the time of H_SVM_INIT_DONE: nothing was thrown away,
 * also not what another vCPU wrote since the ultravisor passed by.
 */
TEST_F(transient, init_done_fails_before_it_drops_anything)
{
	struct own *o = &self->own;
	size_t gone = 4, blob = own_blob_pages();

	ASSERT_EQ(0, own_memslot(o, 0, 0, 0));
	ASSERT_EQ(0, own_memslot(o, 0, 0, PAGES - blob));
	ASSERT_EQ(0, own_memslot(o, 1, PAGES - blob, blob));
	ASSERT_EQ(0, own_esm_start(o));
	ASSERT_EQ(0, own_wait_transient(o));
	own_fill(o, TOUCHED + 10, gone, SEED);
	ASSERT_EQ(0, munmap(o->h + (PAGES - 1) * page_size(), page_size()));
	EXPECT_EQ(U_INVALID, own_esm_join(o));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(o->svm));
	EXPECT_EQ(0, own_has_pattern(o, 0, TOUCHED, SEED));
	EXPECT_EQ(0, own_has_pattern(o, TOUCHED + 10, gone, SEED));
}

/* The column H_SVM_INIT_DONE of the GFN table. */
TEST_F(transient, init_done_makes_every_gfn_secure)
{
	uint8_t *plain = malloc(page_size()), *seen = malloc(page_size());

	ASSERT_NE(NULL, plain);
	ASSERT_NE(NULL, seen);
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	memcpy(seen, self->own.h + OUT * page_size(), page_size());
	ASSERT_EQ(U_SUCCESS, own_esm_join(&self->own));
	/* Secure stays Secure, in secure memory or paged out. */
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 0));
	EXPECT_EQ(UV_GFN_RESIDENT, own_uv_state(&self->own, 0));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, OUT));
	EXPECT_EQ(UV_GFN_SEALED, own_uv_state(&self->own, OUT));
	/* Normal becomes Secure; no page was needed for it. */
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, TOUCHED));
	EXPECT_EQ(UV_GFN_ZERO, own_uv_state(&self->own, TOUCHED));
	for (size_t page = 0; page < TOUCHED; page++) {
		pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
		memcpy(seen, self->own.h + page * page_size(), page_size());
		EXPECT_TRUE(is_ciphertext(seen, plain, page_size()));
	}
	free(plain);
	free(seen);
}

TEST_F(transient, secure_refuses_all_but_terminate)
{
	ASSERT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(H_STATE, init_start(&self->own));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
	EXPECT_EQ(H_UNSUPPORTED, init_done(&self->own));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
	EXPECT_EQ(H_STATE, init_abort(&self->own));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 0));
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
}

TEST_HARNESS_MAIN
