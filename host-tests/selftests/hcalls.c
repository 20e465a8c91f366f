// SPDX-License-Identifier: GPL-2.0
/*
 * Every hypercall x every return value that ultravisor.rst lists for it, plus
 * H_BUSY, and the same for the range calls. H_SVM_INIT_* in its right order is
 * in transient.c; here are arguments and numbers.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0004
#define TOUCHED 600 /* more than a few runs of 64 */
#define PAGES 640
#define HOLE 610 /* a page that nobody touched */

FIXTURE(hcalls)
{
	struct own own;
	struct usage before;
	struct pin pin;
};

FIXTURE_VARIANT(hcalls)
{
	uint64_t nr, range_nr;
};

FIXTURE_VARIANT_ADD(hcalls, page_in){ .nr = H_SVM_PAGE_IN, .range_nr = H_SIM_SVM_PAGE_IN_RANGE };

FIXTURE_VARIANT_ADD(hcalls, page_out){ .nr = H_SVM_PAGE_OUT, .range_nr = H_SIM_SVM_PAGE_OUT_RANGE };

FIXTURE_SETUP(hcalls)
{
	self->pin.ring = -1;
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
}

FIXTURE_TEARDOWN(hcalls)
{
	fail_migrations(0, 0);
	pin_release(&self->pin);
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

/* The page size of a kernel that is configured another way. */
static uint64_t other_order(void)
{
	return page_order() == 12 ? 16 : 12;
}

static int64_t call(struct own *o, uint64_t nr, uint64_t page)
{
	return own_hcall(o, nr, page * page_size(), 0, page_order(), 0, NULL);
}

static int64_t range(struct own *o, uint64_t nr, uint64_t page, uint64_t n, uint64_t *done)
{
	return own_hcall(o, nr, page * page_size(), n, 0, page_order(), done);
}

/* Page 7 is where the call has something to do. */
static int prepare(struct own *o, uint64_t nr, uint64_t page, uint64_t n)
{
	uint64_t done;

	if (nr != H_SVM_PAGE_IN)
		return 0;
	return range(o, H_SIM_SVM_PAGE_OUT_RANGE, page, n, &done) == H_SUCCESS && done == n ?
		       0 :
		       say("H_SIM_SVM_PAGE_OUT_RANGE failed");
}

static unsigned int state_after(uint64_t nr)
{
	return nr == H_SVM_PAGE_IN ? UVMEM_GFN_UVMEM : UVMEM_GFN_MEM;
}

TEST_F(hcalls, h_success)
{
	ASSERT_EQ(0, prepare(&self->own, variant->nr, 7, 1));
	EXPECT_EQ(H_SUCCESS, call(&self->own, variant->nr, 7));
	EXPECT_EQ(state_after(variant->nr), own_hv_state(&self->own, 7));
}

TEST_F(hcalls, h_parameter_guest_pa)
{
	uint64_t order = page_order();
	uint64_t bad[] = {
		7 * page_size() + 1, /* no page's address */
		7 * page_size() + page_size() / 2,
		PAGES * page_size(), /* the end of the memslot */
		1ULL << 52,
		UINT64_MAX - page_size() + 1, /* the last page there can be */
		UINT64_MAX,
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(H_PARAMETER,
			  own_hcall(&self->own, variant->nr, bad[i], 0, order, 0, NULL));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 7));
}

TEST_F(hcalls, h_p2_flags)
{
	uint64_t order = page_order();

	ASSERT_EQ(0, prepare(&self->own, variant->nr, 7, 1));
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (variant->nr == H_SVM_PAGE_IN && 1ULL << bit == H_PAGE_IN_SHARED)
			continue;
		EXPECT_EQ(H_P2, own_hcall(&self->own, variant->nr, 7 * page_size(), 1ULL << bit,
					  order, 0, NULL));
	}
	EXPECT_NE(UVMEM_GFN_SHARED, own_hv_state(&self->own, 7));
}

TEST_F(hcalls, h_p3_order)
{
	uint64_t bad[] = { 0,  1,  other_order(), page_order() - 1,	      page_order() + 1,
			   21, 64, UINT64_MAX,	  (1ULL << 32) | page_order() };

	ASSERT_EQ(0, prepare(&self->own, variant->nr, 7, 1));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(H_P3,
			  own_hcall(&self->own, variant->nr, 7 * page_size(), 0, bad[i], 0, NULL));
}

/* Somebody pins the page: it cannot move now. */
TEST_F(hcalls, h_busy_then_success)
{
	ASSERT_EQ(0, prepare(&self->own, variant->nr, 7, 1));
	if (variant->nr == H_SVM_PAGE_IN) {
		ASSERT_EQ(0, pin_pages(&self->pin, self->own.h + 7 * page_size(), 1));
	} else {
		/* A device page cannot be pinned. Its migration is given up instead. */
		ASSERT_EQ(0, fail_migrations(1, 1000));
	}
	EXPECT_EQ(H_BUSY, call(&self->own, variant->nr, 7));
	pin_release(&self->pin);
	ASSERT_EQ(0, fail_migrations(0, 0));
	EXPECT_EQ(H_SUCCESS, call(&self->own, variant->nr, 7));
	EXPECT_EQ(state_after(variant->nr), own_hv_state(&self->own, 7));
}

TEST_F(hcalls, h_unsupported_in_a_normal_vm)
{
	uint64_t done = 42;
	struct own normal;

	ASSERT_EQ(0, own_open(&normal, 16));
	EXPECT_EQ(H_UNSUPPORTED, call(&normal, variant->nr, 1));
	EXPECT_EQ(H_UNSUPPORTED, range(&normal, variant->range_nr, 1, 4, &done));
	EXPECT_EQ(0, done);
	own_close(&normal);
}

TEST_F(hcalls, range_h_success)
{
	uint64_t done = 0;

	ASSERT_EQ(0, prepare(&self->own, variant->nr, 0, TOUCHED));
	EXPECT_EQ(H_SUCCESS, range(&self->own, variant->range_nr, 0, TOUCHED, &done));
	EXPECT_EQ(TOUCHED, done);
	for (size_t page = 0; page < TOUCHED; page++)
		ASSERT_EQ(state_after(variant->nr), own_hv_state(&self->own, page));
	/* What is done already stays done. */
	EXPECT_EQ(H_SUCCESS, range(&self->own, variant->range_nr, 0, TOUCHED, &done));
	EXPECT_EQ(TOUCHED, done);
}

TEST_F(hcalls, range_h_parameter)
{
	uint64_t order = page_order(), done;
	struct {
		uint64_t gpa, npages;
	} bad[] = {
		{ 7 * page_size() + 8, 4 },
		{ 7 * page_size(), 0 },
		{ PAGES * page_size(), 1 },
		{ 7 * page_size(), UINT64_MAX },
		{ 7 * page_size(), UINT64_MAX >> page_order() },
		{ UINT64_MAX - page_size() + 1, 2 },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		done = 42;
		EXPECT_EQ(H_PARAMETER, own_hcall(&self->own, variant->range_nr, bad[i].gpa,
						 bad[i].npages, 0, order, &done));
		EXPECT_EQ(0, done);
	}
}

/* A range that runs over the end of the memslot is done up to there. */
TEST_F(hcalls, range_partial_at_the_end_of_the_memslot)
{
	uint64_t done = 0;

	EXPECT_EQ(H_PARAMETER, range(&self->own, variant->range_nr, PAGES - 50, 100, &done));
	EXPECT_EQ(50, done);
}

TEST_F(hcalls, range_h_busy)
{
	uint64_t done = 42;

	ASSERT_EQ(0, prepare(&self->own, variant->nr, 0, 100));
	ASSERT_EQ(0, fail_migrations(1, 100000));
	EXPECT_EQ(H_BUSY, range(&self->own, variant->range_nr, 0, 100, &done));
	EXPECT_EQ(0, done);
	ASSERT_EQ(0, fail_migrations(0, 0));
	EXPECT_EQ(H_SUCCESS, range(&self->own, variant->range_nr, 0, 100, &done));
	EXPECT_EQ(100, done);
}

TEST_F(hcalls, range_h_p2_flags)
{
	uint64_t order = page_order();

	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t flag = 1ULL << bit;

		if (variant->nr == H_SVM_PAGE_IN &&
		    (flag == H_PAGE_IN_SHARED || flag == H_SIM_PAGE_IN_TOUCHED ||
		     flag == H_SIM_PAGE_IN_GUEST))
			continue;
		EXPECT_EQ(H_P2, own_hcall(&self->own, variant->range_nr, 0, 4, flag, order, NULL));
	}
}

TEST_F(hcalls, range_h_p3_order)
{
	uint64_t bad[] = { 0, other_order(), page_order() + 1 };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(H_P3, own_hcall(&self->own, variant->range_nr, 0, 4, 0, bad[i], NULL));
}

FIXTURE(other)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(other)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
}

FIXTURE_TEARDOWN(other)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

/* H_SVM_PAGE_IN of a page that is in secure memory. */
TEST_F(other, page_in_twice)
{
	EXPECT_EQ(H_PARAMETER, call(&self->own, H_SVM_PAGE_IN, 7));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 7));
	EXPECT_EQ(UV_GFN_RESIDENT, own_uv_state(&self->own, 7));
}

TEST_F(other, page_out_twice)
{
	EXPECT_EQ(H_SUCCESS, call(&self->own, H_SVM_PAGE_OUT, 7));
	EXPECT_EQ(H_SUCCESS, call(&self->own, H_SVM_PAGE_OUT, 7));
	EXPECT_EQ(UV_GFN_SEALED, own_uv_state(&self->own, 7));
}

/* H_PAGE_IN_SHARED is the guest's to allow. */
TEST_F(other, shared_without_the_guest)
{
	uint64_t done = 42;

	EXPECT_EQ(H_PARAMETER, own_hcall(&self->own, H_SVM_PAGE_IN, 7 * page_size(),
					 H_PAGE_IN_SHARED, page_order(), 0, NULL));
	EXPECT_EQ(H_PARAMETER, own_hcall(&self->own, H_SIM_SVM_PAGE_IN_RANGE, 0, 16,
					 H_PAGE_IN_SHARED, page_order(), &done));
	EXPECT_EQ(0, done);
	EXPECT_NE(UVMEM_GFN_SHARED, own_hv_state(&self->own, 7));
	EXPECT_NE(UV_GFN_SHARED, own_uv_state(&self->own, 7));
}

/* Asking again for a page that is shared: the ultravisor gets the same one. */
TEST_F(other, shared_twice)
{
	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 7, 1, 0, 0, 0));
	ASSERT_EQ(UVMEM_GFN_SHARED, own_hv_state(&self->own, 7));
	EXPECT_EQ(H_SUCCESS, own_hcall(&self->own, H_SVM_PAGE_IN, 7 * page_size(), H_PAGE_IN_SHARED,
				       page_order(), 0, NULL));
	EXPECT_EQ(UV_GFN_SHARED, own_uv_state(&self->own, 7));
}

/* Without the flag on a page that the guest still shares: only it can unshare. */
TEST_F(other, page_in_of_a_shared_page)
{
	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 7, 1, 0, 0, 0));
	EXPECT_EQ(H_PARAMETER, call(&self->own, H_SVM_PAGE_IN, 7));
	EXPECT_EQ(UVMEM_GFN_SHARED, own_hv_state(&self->own, 7));
	/* Whether it is mapped at this moment is the hypervisor's business. */
	EXPECT_TRUE(own_uv_state(&self->own, 7) == UV_GFN_SHARED ||
		    own_uv_state(&self->own, 7) == UV_GFN_SHARED_UNMAPPED);
	EXPECT_EQ(H_SUCCESS, own_hcall(&self->own, H_SVM_PAGE_IN, 7 * page_size(), H_PAGE_IN_SHARED,
				       page_order(), 0, NULL));
	EXPECT_EQ(UV_GFN_SHARED, own_uv_state(&self->own, 7));
}

/* The range is done up to the page that somebody holds. */
TEST_F(other, range_partial_at_a_pinned_page)
{
	struct pin pin;
	uint64_t done = 0;

	ASSERT_EQ(H_SUCCESS, range(&self->own, H_SIM_SVM_PAGE_OUT_RANGE, 0, TOUCHED, &done));
	ASSERT_EQ(0, pin_pages(&pin, self->own.h + 300 * page_size(), 1));
	EXPECT_EQ(H_BUSY, range(&self->own, H_SIM_SVM_PAGE_IN_RANGE, 0, TOUCHED, &done));
	EXPECT_EQ(300, done);
	/* What comes after it in the same run may have moved: no matter. */
	pin_release(&pin);
	EXPECT_EQ(H_SUCCESS, range(&self->own, H_SIM_SVM_PAGE_IN_RANGE, 300, TOUCHED - 300, &done));
	EXPECT_EQ(TOUCHED - 300, done);
}

TEST_F(other, touched_passes_over_holes)
{
	uint64_t done = 0;

	EXPECT_EQ(H_SUCCESS, own_hcall(&self->own, H_SIM_SVM_PAGE_IN_RANGE, HOLE * page_size(), 20,
				       H_SIM_PAGE_IN_TOUCHED, page_order(), &done));
	EXPECT_EQ(20, done);
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, HOLE));
	EXPECT_EQ(UV_GFN_ZERO, own_uv_state(&self->own, HOLE));
	EXPECT_EQ(PAGEMAP_HOLE,
		  pagemap_kind_at(getpid(), (uintptr_t)self->own.h + HOLE * page_size()));
}

TEST_F(other, h_function)
{
	uint64_t nr[] = { 0,
			  4,
			  H_RANDOM,
			  0xEEFC,
			  0xEE08,
			  0xEF10,
			  0xEF18,
			  UV_ESM,
			  UV_PAGE_IN,
			  UINT64_MAX,
			  (1ULL << 32) | H_SVM_PAGE_IN };
	struct own normal;

	ASSERT_EQ(0, own_open(&normal, 16));
	for (unsigned int i = 0; i < sizeof(nr) / sizeof(nr[0]); i++) {
		EXPECT_EQ(H_FUNCTION, call(&self->own, nr[i], 7));
		EXPECT_EQ(H_FUNCTION, call(&normal, nr[i], 7));
	}
	own_close(&normal);
}

/* After H is gone there is nothing to move. */
TEST_F(other, h_parameter_without_h)
{
	ASSERT_EQ(0, munmap(self->own.h + 7 * page_size(), page_size()));
	EXPECT_EQ(H_PARAMETER, call(&self->own, H_SVM_PAGE_IN, 7));
	EXPECT_EQ(H_PARAMETER, call(&self->own, H_SVM_PAGE_OUT, 7));
}

TEST_HARNESS_MAIN
