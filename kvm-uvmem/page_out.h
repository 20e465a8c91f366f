/* SPDX-License-Identifier: GPL-2.0 */
/* What the ways to page out have in common: a run, a block, a touch, a range. */
#ifndef _UVMEM_PAGE_OUT_H
#define _UVMEM_PAGE_OUT_H

#include "uvmem.h"

/**
 * struct page_out - one migration
 * @slot: the memslot; NULL: of pages that stand for nothing any more, since their VM or
 *	memslot is gone
 * @vma: the VMA that holds the pages; NULL: by device page
 * @addr: of the first page in @vma
 * @gfn: the first GFN
 * @npages: number of pages
 * @touched: of UVMEM_R_HOST_TOUCH: which one it is
 * @alone: other CPUs work on other runs
 * @reason: why
 * @start_ns: uvmem_gfn_clock()
 * @unmapped: pages of a block that nobody maps, which are not filled; or NULL
 * @src: of struct migrate_vma
 * @dst: of struct migrate_vma
 * @ra: of the pages that UV_PAGE_OUT is to fill
 * @rc: what it says
 */
struct page_out {
	struct uvmem_slot *slot;
	struct vm_area_struct *vma;
	unsigned long addr;
	u64 gfn;
	unsigned long npages;
	unsigned long touched;
	bool alone;
	enum uvmem_reason reason;
	u64 start_ns;
	const unsigned long *unmapped;
	unsigned long *src;
	unsigned long *dst;
	u64 *ra;
	s64 *rc;
};

static inline void page_out_use(struct page_out *out, const struct uvmem_pfns *pfns)
{
	out->src = pfns->src;
	out->dst = pfns->dst;
	out->ra = pfns->ra;
	out->rc = pfns->rc;
}

/* page_out.c */
void uvmem_out_init(struct page_out *out, struct migrate_vma *mig, struct page *fault_page);
void uvmem_out_migrate(struct page_out *out, struct migrate_vma *mig);
void uvmem_out_fill(struct page_out *out);
int uvmem_out_pages(struct page_out *out, struct page *fault_page);
int uvmem_out_run(struct page_out *out, const struct uvmem_pfns *pfns);

/* block_out.c */
bool uvmem_out_block(struct page_out *out, gfp_t gfp, struct page *fault_page);
int uvmem_out_block_apart(struct page_out *out, struct page *fault_page);
int uvmem_out_stray_block(struct page_out *out);

#endif /* _UVMEM_PAGE_OUT_H */
