// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that touched little of its memory: the hypervisor keeps the states of GFNs in
 * leaves of 512, and of a leaf of which nothing ever changed only that. No GFN may differ
 * for it, whatever its neighbours are.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0016
#define LEAF 512UL
#define PAGES (10 * LEAF + 40)
#define SEAM 700UL /* where the second memslot begins, inside a leaf */
#define TOUCHED (5 * LEAF + 9)
#define NEVER (7 * LEAF) /* a leaf of which nothing is touched */
#define ALONE (8 * LEAF + 5)
/* So much that it takes a second or two. */
#define MEASURED (120 * page_size())
#define TOTAL ((debug_kernel() ? 12 : page_size() > 4096 ? 160 : 64) * MIB)
#define TIMES (1 + TOTAL / MEASURED)

FIXTURE(leaves)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(leaves)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(o, PAGES));
	ASSERT_EQ(0, own_memslot(o, 0, 0, 0));
	ASSERT_EQ(0, own_memslot(o, 0, 0, SEAM));
	ASSERT_EQ(0, own_memslot(o, 1, SEAM, PAGES - SEAM));
	own_fill(o, 0, 3, SEED);
	own_fill(o, SEAM - 1, 2, SEED);
	own_fill(o, TOUCHED, 1, SEED);
}

FIXTURE_TEARDOWN(leaves)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static struct uvmem_stats stats(struct own *o)
{
	struct uvmem_stats st = { 0 };

	ioctl(o->svm, UVMEM_GET_STATS, &st);
	return st;
}

/* GFNs in a state, as each one says. */
static size_t in_state(struct own *o, unsigned int state)
{
	size_t n = 0;

	for (size_t page = 0; page < PAGES; page++)
		n += own_hv_state(o, page) == state;
	return n;
}

/* What is counted is what the GFNs say. */
static int counts(struct own *o)
{
	struct uvmem_stats st = stats(o);

	if (st.normal != in_state(o, UVMEM_GFN_NORMAL) || st.mem != in_state(o, UVMEM_GFN_MEM) ||
	    st.uvmem != in_state(o, UVMEM_GFN_UVMEM) || st.shared != in_state(o, UVMEM_GFN_SHARED))
		return say("counted: %llu normal, %llu mem, %llu uvmem, %llu shared",
			   (unsigned long long)st.normal, (unsigned long long)st.mem,
			   (unsigned long long)st.uvmem, (unsigned long long)st.shared);
	return 0;
}

static int go_secure(struct own *o)
{
	return own_blob(o, page_size(), 1, true) || own_esm(o) != U_SUCCESS ? -1 : 0;
}

TEST_F(leaves, secure)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, go_secure(o));
	EXPECT_EQ(0, in_state(o, UVMEM_GFN_NORMAL));
	/* These, and what of the blob there is. */
	EXPECT_LT(6, in_state(o, UVMEM_GFN_UVMEM));
	EXPECT_GE(6 + own_blob_pages(), in_state(o, UVMEM_GFN_UVMEM));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, SEAM - 1));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, SEAM));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, TOUCHED));
	EXPECT_EQ(0, counts(o));
}

/* One GFN of such a leaf changes; the others stay what they were. */
TEST_F(leaves, one_is_shared)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, go_secure(o));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, ALONE, 1, 0, 0, 0));
	EXPECT_EQ(UVMEM_GFN_SHARED, own_hv_state(o, ALONE));
	EXPECT_EQ(1, in_state(o, UVMEM_GFN_SHARED));
	EXPECT_EQ(0, in_state(o, UVMEM_GFN_NORMAL));
	EXPECT_EQ(0, counts(o));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_UNSHARE_PAGE, ALONE, 1, 0, 0, 0));
	EXPECT_EQ(0, in_state(o, UVMEM_GFN_SHARED));
	EXPECT_EQ(0, in_state(o, UVMEM_GFN_NORMAL));
	EXPECT_EQ(0, counts(o));
}

/* The host's content of a page that was never the guest's does not become the guest's. */
TEST_F(leaves, one_is_paged_in)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, go_secure(o));
	o->h[NEVER * page_size()] = 0x66;
	ASSERT_EQ(H_SUCCESS,
		  own_hcall(o, H_SVM_PAGE_IN, NEVER * page_size(), 0, page_order(), 0, NULL));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, NEVER));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(o, NEVER + 1));
	EXPECT_EQ(0, counts(o));
}

TEST_F(leaves, terminate_and_again)
{
	struct own *o = &self->own;

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, go_secure(o));
		ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, ALONE, 1, 0, 0, 0));
		ASSERT_EQ(0, own_off(o));
		EXPECT_EQ(PAGES, in_state(o, UVMEM_GFN_NORMAL));
		EXPECT_EQ(0, counts(o));
		EXPECT_TRUE(all_zeros(o->h, SEAM * page_size()));
		own_fill(o, 0, 3, SEED + (uint64_t)round);
	}
}

TEST_F(leaves, abort)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, own_blob(o, page_size(), 1, false));
	ASSERT_EQ(U_PERMISSION, own_esm(o));
	EXPECT_EQ(PAGES, in_state(o, UVMEM_GFN_NORMAL));
	EXPECT_EQ(0, counts(o));
	EXPECT_EQ(0, own_has_pattern(o, 0, 3, SEED));
	EXPECT_EQ(0, own_has_pattern(o, SEAM - 1, 2, SEED));
	ASSERT_EQ(0, go_secure(o));
	EXPECT_EQ(0, in_state(o, UVMEM_GFN_NORMAL));
	EXPECT_EQ(0, counts(o));
}

/* What the host puts there after the page-ins of UV_ESM is not left to it in the clear. */
TEST_F(leaves, touched_while_it_goes_secure)
{
	struct own *o = &self->own;
	uint8_t *page = o->h + (NEVER + 3) * page_size();

	ASSERT_EQ(0, own_blob(o, MEASURED, TIMES, true));
	ASSERT_EQ(0, own_esm_start(o));
	ASSERT_EQ(0, own_wait_transient(o));
	memset(page, 0x66, page_size());
	ASSERT_EQ(U_SUCCESS, own_esm_join(o));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, NEVER + 3));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(o, NEVER));
	EXPECT_EQ(0, counts(o));
	EXPECT_NE(0x66, page[77]);
}

/* Memslots come and go while the VM is secure. */
TEST_F(leaves, a_memslot_is_plugged_in)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, go_secure(o));
	ASSERT_EQ(0, own_memslot(o, 1, 0, 0));
	EXPECT_EQ(SEAM, stats(o).mem + stats(o).uvmem);
	ASSERT_EQ(0, own_memslot(o, 1, SEAM, PAGES - SEAM));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, SEAM - 1));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(o, SEAM));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, SEAM + 1, 1, 0, 0, 0));
	EXPECT_EQ(1, in_state(o, UVMEM_GFN_SHARED));
	EXPECT_EQ(0, in_state(o, UVMEM_GFN_NORMAL));
	EXPECT_EQ(0, counts(o));
}

TEST_HARNESS_MAIN
