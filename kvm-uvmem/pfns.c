// SPDX-License-Identifier: GPL-2.0
/* Scratch memory for a migration: of a page, a run or a block. */
#include <linux/slab.h>

#include "uvmem.h"

/**
 * uvmem_pfns_alloc() - scratch memory for a migration
 * @npages: most pages
 * @gfp: how
 *
 * Return: to be freed with kvfree(); or NULL.
 */
struct uvmem_pfns *uvmem_pfns_alloc(unsigned long npages, gfp_t gfp)
{
	struct uvmem_pfns *pfns;

	pfns = kvmalloc(sizeof(*pfns) + npages * 4 * sizeof(u64), gfp);
	if (!pfns)
		return NULL;
	pfns->src = (void *)(pfns + 1);
	pfns->dst = pfns->src + npages;
	pfns->ra = (u64 *)(pfns->dst + npages);
	pfns->rc = (s64 *)(pfns->ra + npages);
	return pfns;
}
