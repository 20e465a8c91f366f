/* SPDX-License-Identifier: GPL-2.0 */
/* What the page-in of a run and that of a block have in common. */
#ifndef _UVMEM_PAGE_IN_H
#define _UVMEM_PAGE_IN_H

#include "uvmem.h"

/**
 * struct page_in - one migration
 * @slot: the memslot
 * @mig: what migrate_vma_setup() is called with
 * @gfn: the first GFN
 * @npages: number of pages
 * @start_ns: uvmem_gfn_clock()
 * @touched_only: leave alone what nobody ever touched
 * @copy: false: the ultravisor knows the content
 * @alone: other CPUs work on other runs
 * @stamp: when the guest asked for it, or 0
 * @error: first refusal of the ultravisor
 * @caller: who stops it when killed
 * @reason: why
 * @holes: pages of a run that are left alone: never touched
 * @pfns: scratch memory
 */
struct page_in {
	struct uvmem_slot *slot;
	struct migrate_vma mig;
	u64 gfn;
	unsigned long npages;
	u64 start_ns;
	bool touched_only;
	bool copy;
	bool alone;
	u32 stamp;
	s64 error;
	struct task_struct *caller;
	enum uvmem_reason reason;
	DECLARE_BITMAP(holes, UVMEM_RUN_MAX);
	struct uvmem_pfns *pfns;
};

/* page_in.c */
void uvmem_in_init(struct page_in *in, struct vm_area_struct *vma, unsigned long addr);
void uvmem_in_look(struct page_in *in);
void uvmem_in_moved(struct page_in *in, unsigned long i, struct page *dpage);
void uvmem_in_take_back(struct page_in *in, unsigned long i, struct page *dpage);
struct page *uvmem_in_fail(struct page_in *in);
u64 uvmem_in_untouched(struct vm_area_struct *vma, unsigned long addr, u64 most);
int uvmem_in_run(struct page_in *in, struct vm_area_struct *vma, unsigned long addr);
struct page_in *uvmem_in_alloc(unsigned long npages);
void uvmem_in_free(struct page_in *in);

/* block_in.c */
bool uvmem_in_block(struct page_in *in, struct vm_area_struct *vma, unsigned long addr);

#endif /* _UVMEM_PAGE_IN_H */
