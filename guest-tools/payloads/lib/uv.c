// SPDX-License-Identifier: GPL-2.0
/* The ultracalls of a guest, by the names Linux has for them. */
#include "guest.h"

static int64_t ucall2(uint64_t nr, uint64_t a0, uint64_t a1)
{
	struct guest_ucall call = { .nr = nr, .args = { a0, a1 } };

	arch_ucall(&call);
	return call.ret;
}

int64_t uv_esm(uint64_t blob_gpa, uint64_t fdt_gpa)
{
	return ucall2(UV_ESM, blob_gpa, fdt_gpa);
}

int64_t uv_share_page(uint64_t gfn, uint64_t npages)
{
	return ucall2(UV_SHARE_PAGE, gfn, npages);
}

int64_t uv_unshare_page(uint64_t gfn, uint64_t npages)
{
	return ucall2(UV_UNSHARE_PAGE, gfn, npages);
}

int64_t uv_unshare_all_pages(void)
{
	return ucall2(UV_UNSHARE_ALL_PAGES, 0, 0);
}

int64_t h_random(uint64_t *value)
{
	struct guest_ucall call = { .nr = H_RANDOM };

	arch_ucall(&call);
	*value = call.out[0];
	return call.ret;
}
