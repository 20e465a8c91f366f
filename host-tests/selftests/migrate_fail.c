// SPDX-License-Identifier: GPL-2.0
/*
 * A migration that is given up at each of its steps: after
 * migrate_vma_setup(), after the copy, after migrate_vma_pages(). The module's
 * parameters fail_step and fail_count do it. Afterwards guest and host go on
 * with the page, its content is right, and no migration entry is left in the
 * page table: who touched that would hang, and so would the test.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0007
#define SOME 3 /* fewer than the ultravisor, or the fault, tries again */

FIXTURE(fail)
{
	struct vm vm;
	struct usage before;
	uint64_t gpa;
};

FIXTURE_VARIANT(fail)
{
	unsigned int step;
};

FIXTURE_VARIANT_ADD(fail, after_setup){ .step = 1 };

FIXTURE_VARIANT_ADD(fail, after_copy){ .step = 2 };

FIXTURE_VARIANT_ADD(fail, after_migrate_pages){ .step = 3 };

FIXTURE_SETUP(fail)
{
	ASSERT_EQ(0, fail_migrations(0, 0));
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	self->gpa = vm_page(&self->vm, 7);
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, 4 * page_size(), SEED));
}

FIXTURE_TEARDOWN(fail)
{
	fail_migrations(0, 0);
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* Guest and host use the page in turn; what the guest wrote stays. */
static int goes_on(struct vm *vm, uint64_t gpa)
{
	for (unsigned int i = 0; i < 2; i++)
		if (guest_verify(vm, gpa, 4 * page_size(), SEED, 0) ||
		    host_pagemap(vm, gpa) != PAGEMAP_DEVICE ||
		    host_sees_ciphertext(vm, gpa, SEED) || host_pagemap(vm, gpa) != PAGEMAP_PRESENT)
			return say("GPA 0x%llx cannot be used as before", (unsigned long long)gpa);
	return guest_verify(vm, gpa, 4 * page_size(), SEED, 0);
}

static int all_used_up(void)
{
	unsigned int left = fail_migrations_left();

	return left ? say("%u failures were not used: nothing was tested", left) : 0;
}

TEST_F(fail, host_touch)
{
	ASSERT_EQ(0, fail_migrations(variant->step, SOME));
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED));
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED));
	EXPECT_EQ(0, goes_on(&self->vm, self->gpa));
}

TEST_F(fail, guest_fault)
{
	ASSERT_EQ(H_SUCCESS, hcall_page_out(&self->vm, self->gpa));
	ASSERT_EQ(0, fail_migrations(variant->step, SOME));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	EXPECT_EQ(0, goes_on(&self->vm, self->gpa));
}

TEST_F(fail, h_svm_page_out)
{
	ASSERT_EQ(0, fail_migrations(variant->step, 1000));
	EXPECT_EQ(H_BUSY, hcall_page_out(&self->vm, self->gpa));
	EXPECT_GT(1000, fail_migrations_left());
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	EXPECT_EQ(PAGEMAP_DEVICE, host_pagemap(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	ASSERT_EQ(0, fail_migrations(0, 0));
	EXPECT_EQ(H_SUCCESS, hcall_page_out(&self->vm, self->gpa));
	EXPECT_EQ(0, goes_on(&self->vm, self->gpa));
}

TEST_F(fail, h_svm_page_in)
{
	ASSERT_EQ(H_SUCCESS, hcall_page_out(&self->vm, self->gpa));
	ASSERT_EQ(0, fail_migrations(variant->step, 1000));
	EXPECT_EQ(H_BUSY, hcall_page_in(&self->vm, self->gpa));
	EXPECT_GT(1000, fail_migrations_left());
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED));
	EXPECT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED));
	ASSERT_EQ(0, fail_migrations(0, 0));
	EXPECT_EQ(0, goes_on(&self->vm, self->gpa));
}

/* A run of which some pages move and some do not. */
TEST_F(fail, a_part_of_a_range)
{
	uint64_t done = 0;

	ASSERT_EQ(0, fail_migrations(variant->step, 2));
	hcall(&self->vm, H_SIM_SVM_PAGE_OUT_RANGE, self->gpa, 4, 0, page_order(), &done);
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, 4 * page_size(), SEED, 0));
	ASSERT_EQ(H_SUCCESS,
		  hcall(&self->vm, H_SIM_SVM_PAGE_OUT_RANGE, self->gpa, 4, 0, page_order(), &done));
	ASSERT_EQ(0, fail_migrations(variant->step, 2));
	hcall(&self->vm, H_SIM_SVM_PAGE_IN_RANGE, self->gpa, 4, 0, page_order(), &done);
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(0, goes_on(&self->vm, self->gpa));
}

/* Share takes the device page out of H, and that is what fails here. */
TEST_F(fail, share)
{
	ASSERT_EQ(0, fail_migrations(variant->step, SOME));
	EXPECT_EQ(U_SUCCESS, guest_share(&self->vm, self->gpa, 1));
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_SHARED, UV_GFN_SHARED));
	EXPECT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED + 1));
	EXPECT_EQ(0, host_sees_pattern(&self->vm, self->gpa, SEED + 1));
}

TEST_F(fail, unshare)
{
	ASSERT_EQ(U_SUCCESS, guest_share(&self->vm, self->gpa, 1));
	ASSERT_EQ(0, fail_migrations(variant->step, SOME));
	EXPECT_EQ(U_SUCCESS, guest_unshare(&self->vm, self->gpa, 1));
	EXPECT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
	EXPECT_EQ(0, all_used_up());
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED));
	EXPECT_EQ(0, goes_on(&self->vm, self->gpa));
}

/* On termination nothing may stop it: zeros, whatever fails. Locked memory has to move. */
TEST_F(fail, terminate)
{
	struct own own;

	ASSERT_EQ(0, own_open_secure(&own, 32, 16, SEED));
	ASSERT_EQ(0, own_lock_memory(&own));
	ASSERT_EQ(0, fail_migrations(variant->step, SOME));
	EXPECT_EQ(0, own_off(&own));
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&own, 7));
	EXPECT_EQ(PAGEMAP_PRESENT, pagemap_kind_at(getpid(), (uintptr_t)own.h + 7 * page_size()));
	EXPECT_TRUE(all_zeros(own.h, own.len));
	own_close(&own);
}

/* Not even when every migration fails: who touches the page gets zeros. */
TEST_F(fail, terminate_with_nothing_moving)
{
	struct own own;

	ASSERT_EQ(0, own_open_secure(&own, 32, 16, SEED));
	ASSERT_EQ(0, own_lock_memory(&own));
	ASSERT_EQ(0, fail_migrations(variant->step, 1000000));
	EXPECT_EQ(0, own_off(&own));
	EXPECT_GT(1000000, fail_migrations_left());
	ASSERT_EQ(0, fail_migrations(0, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(own.svm));
	EXPECT_TRUE(all_zeros(own.h, own.len));
	own_close(&own);
}

/* Pages of which each is sealed and opened in dozens of attempts: more than fail in one. */
#define TOUCHED (slow_machine() ? 24 : 40)

FIXTURE(fail_esm)
{
	struct own own;
	struct usage before;
};

FIXTURE_VARIANT(fail_esm)
{
	unsigned int step;
};

FIXTURE_VARIANT_ADD(fail_esm, after_setup){ .step = 1 };

FIXTURE_VARIANT_ADD(fail_esm, after_copy){ .step = 2 };

FIXTURE_VARIANT_ADD(fail_esm, after_migrate_pages){ .step = 3 };

FIXTURE_SETUP(fail_esm)
{
	ASSERT_EQ(0, fail_migrations(0, 0));
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(&self->own, 96));
	own_fill(&self->own, 0, TOUCHED, SEED);
}

FIXTURE_TEARDOWN(fail_esm)
{
	fail_migrations(0, 0);
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

/* The content is measured after all of them were brought in. */
TEST_F(fail_esm, esm_succeeds_in_the_end)
{
	ASSERT_EQ(0, own_blob(&self->own, TOUCHED * page_size(), 1, true));
	ASSERT_EQ(0, fail_migrations(variant->step, 5));
	EXPECT_EQ(U_SUCCESS, own_esm(&self->own));
	EXPECT_EQ(0, all_used_up());
	for (size_t page = 0; page < TOUCHED; page++)
		ASSERT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, page));
}

/* The hypervisor never gets there: the VM stays a normal one. */
TEST_F(fail_esm, esm_gives_up)
{
	ASSERT_EQ(0, own_blob(&self->own, TOUCHED * page_size(), 1, true));
	/*
	 * Enough for every try of UV_ESM. The third step takes one page a call; the
	 * rest comes in, and the abort has to get it out with what is left over.
	 */
	ASSERT_EQ(0, fail_migrations(variant->step, variant->step == 3 ? 300 : 100000));
	EXPECT_EQ(U_RETRY, own_esm(&self->own));
	ASSERT_EQ(0, fail_migrations(0, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
	EXPECT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, 0));
	EXPECT_EQ(U_SUCCESS, own_esm(&self->own));
}

/* Failures while the pages go back: the content is intact. */
TEST_F(fail_esm, abort)
{
	ASSERT_EQ(0,
		  own_blob(&self->own, TOUCHED * page_size(),
			   1 + (debug_kernel() ? 4 : 32) * MIB / (TOUCHED * page_size()), false));
	ASSERT_EQ(0, own_esm_start(&self->own));
	ASSERT_EQ(0, own_wait_transient(&self->own));
	ASSERT_EQ(0, fail_migrations(variant->step, 20));
	EXPECT_EQ(U_PERMISSION, own_esm_join(&self->own));
	EXPECT_EQ(0, all_used_up());
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_EQ(0, own_has_pattern(&self->own, 0, TOUCHED, SEED));
}

TEST_HARNESS_MAIN
