// SPDX-License-Identifier: GPL-2.0
/*
 * What book3s_hv_uvmem.c loses for good, so that nothing else can run after it
 * (docs/upstream-findings.md). A finding that is seen is an expected failure.
 * Needs little secure memory (secure_mem=4M).
 */

#define SEED 0x5eed0023
#define PAGES 60
#define TOUCHED 56

#include "finding.h"

/* An SVM whose pages are paged out and refused when they are to come back. */
static int refuse_pages(struct own *o)
{
	if (own_esm(o) != U_SUCCESS)
		return say("UV_ESM failed");
	for (size_t i = 0; i < TOUCHED; i++)
		if (own_hcall(o, H_SVM_PAGE_OUT, i * page_size(), 0, page_order(), 0, NULL))
			return say("page %zu is not paged out", i);
	/* The first one is not what was sealed; that stops the SVM. */
	o->h[0] ^= 1;
	for (size_t i = 0; i < TOUCHED; i++)
		if (own_hcall(o, H_SVM_PAGE_IN, i * page_size(), 0, page_order(), 0, NULL) !=
		    H_PARAMETER)
			return say("page %zu is not refused", i);
	return 0;
}

/*
 * A device page was taken when the ultravisor refuses: in 6.12 it is neither
 * given back, nor is the GFN put back into the state it had. It takes some seventy VMs.
 */
TEST_F_TIMEOUT(upstream, a_refused_page_in_loses_no_device_page, 1700)
{
	/* There are as many device pages as fill blocks of 16 MiB. */
	size_t rounds = 16 * MIB / page_size() / TOUCHED + 2;
	struct own *o = &self->own;

	for (size_t i = 0; i < rounds; i++) {
		int64_t ret = i ? own_esm(o) : U_SUCCESS;

		FINDING(ret != U_SUCCESS,
			"after %zu refused page-ins no device page is left: UV_ESM is %lld",
			i * TOUCHED, (long long)ret);
		if (i)
			ASSERT_EQ(0, own_off(o));
		own_close(o);
		ASSERT_EQ(0, own_open(o, PAGES));
		own_fill(o, 0, TOUCHED, SEED);
		ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
		ASSERT_EQ(0, refuse_pages(o));
		ASSERT_EQ(0, own_off(o));
		own_fill(o, 0, TOUCHED, SEED);
		ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	}
}

TEST_HARNESS_MAIN
