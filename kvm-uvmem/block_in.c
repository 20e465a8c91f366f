// SPDX-License-Identifier: GPL-2.0
/*
 * Page-in of a block (huge.c): a transparent huge page of H becomes one device-private
 * folio. What fails on the way is tried page by page.
 *
 * Locks: all stripes of the block.
 */
#include "page_in.h"

/* Give the content of the block to the ultravisor. Returns false if it refuses a page. */
static bool copy(struct page_in *in)
{
	struct uvmem_pfns *pfns = in->pfns;
	bool all = true;
	unsigned long i;

	for (i = 0; i < in->npages; i++) {
		pfns->ra[i] = uvmem_page_ra(migrate_pfn_to_page(pfns->src[i]));
		pfns->rc[i] = U_SUCCESS;
	}
	uvsim_ucall_run(UV_PAGE_IN, in->slot->svm->lpid, in->gfn << PAGE_SHIFT,
			UV_SIM_PAGE_IN_SECURE, pfns->ra, pfns->rc, in->npages, in->alone);
	for (i = 0; i < in->npages; i++)
		all &= pfns->rc[i] == U_SUCCESS;
	return all;
}

/* The struct pages, whose arrays are expanded. Returns false if the block stays. */
static bool move(struct page_in *in)
{
	struct page *extra;

	uvmem_block_collapse(in->pfns->src);
	uvmem_block_collapse(in->pfns->dst);
	extra = uvmem_in_fail(in);
	migrate_vma_pages(&in->mig);
	if (extra)
		put_page(extra);
	uvmem_block_expand(in->pfns->src);
	uvmem_block_expand(in->pfns->dst);
	return in->pfns->src[0] & MIGRATE_PFN_MIGRATE;
}

/* What the ultravisor took goes back, sealed. */
static void take_back(struct page_in *in, struct page *block)
{
	unsigned long i;

	uvmem_devpage_detach(block);
	for (i = 0; i < in->npages; i++)
		if (in->pfns->rc[i] == U_SUCCESS)
			uvmem_in_take_back(in, i, block);
	in->pfns->dst[0] = 0;
	unlock_page(block);
	put_page(block);
}

/* Between migrate_vma_setup() and migrate_vma_finalize(). Returns false if it stays. */
static bool copy_and_move(struct page_in *in)
{
	unsigned long *src = in->pfns->src, *dst = in->pfns->dst, i;
	bool moved = false;
	struct page *block;

	if (!(src[0] & MIGRATE_PFN_MIGRATE) || !(src[0] & UVMEM_PFN_COMPOUND) ||
	    !migrate_pfn_to_page(src[0]) || !uvmem_is_h_page(migrate_pfn_to_page(src[0])) ||
	    uvmem_should_fail(UVMEM_FAIL_SETUP))
		return false;
	block = uvmem_devblock_alloc(in->slot, in->gfn);
	if (!block)
		return false;
	dst[0] = migrate_pfn(page_to_pfn(block)) | UVMEM_PFN_COMPOUND;
	uvmem_block_expand(src);
	uvmem_block_expand(dst);
	if (copy(in) && !uvmem_should_fail(UVMEM_FAIL_COPY))
		moved = move(in);
	for (i = 0; moved && i < in->npages; i++)
		uvmem_in_moved(in, i, migrate_pfn_to_page(dst[i]));
	if (!moved)
		take_back(in, block);
	uvmem_block_collapse(src);
	uvmem_block_collapse(dst);
	return moved;
}

/* Are all of them to move? With the stripes held. */
static bool wanted(const struct page_in *in)
{
	enum uvmem_gfn_state state;
	unsigned long i;

	for (i = 0; i < in->npages; i++) {
		state = uvmem_gfn_state(in->slot, in->gfn + i);
		if (state != UVMEM_GFN_NORMAL && state != UVMEM_GFN_MEM)
			return false;
	}
	return true;
}

/**
 * uvmem_in_block() - page in a block as a whole
 * @in: where; in->pfns has room for a block, in->copy is true
 * @vma: the VMA that holds it
 * @addr: of the first page
 *
 * Only what H has as one transparent huge page.
 *
 * Context: mmap lock (read) held; takes the stripes.
 * Return: false if its pages are to be tried one by one.
 */
bool uvmem_in_block(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	struct uvmem_svm *svm = in->slot->svm;
	s64 error = in->error;
	bool moved = false;

	if (!uvmem_huge_entry(vma->vm_mm, addr))
		return false;
	in->npages = UVMEM_BLOCK_MAX;
	uvmem_block_lock(svm, in->gfn);
	if (wanted(in)) {
		uvmem_in_init(in, vma, addr);
		in->mig.flags |= UVMEM_SELECT_COMPOUND;
		uvmem_in_look(in);
		if (!migrate_vma_setup(&in->mig)) {
			moved = in->mig.cpages && copy_and_move(in);
			migrate_vma_finalize(&in->mig);
		}
	}
	uvmem_block_unlock(svm, in->gfn);
	in->error = error;
	return moved;
}
