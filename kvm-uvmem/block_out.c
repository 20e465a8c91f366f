// SPDX-License-Identifier: GPL-2.0
/*
 * Page-out of a block (huge.c): one device-private folio of UVMEM_BLOCK_MAX pages
 * becomes one folio of normal memory, or is taken apart.
 *
 * As with single pages, the folio is moved first and its pages are filled then. Each
 * is sealed by an ultracall of its own, and has its own state afterwards.
 *
 * Locks: all stripes of the block.
 */
#include "page_out.h"

/* Is the folio what the GFNs of @out stand for? H may have been remapped. */
static bool is_source(const struct page_out *out)
{
	struct page *page = migrate_pfn_to_page(out->src[0]);
	u64 gfn;

	return page && out->src[0] & MIGRATE_PFN_MIGRATE && out->src[0] & UVMEM_PFN_COMPOUND &&
	       uvmem_devpage_slot(page, &gfn) == out->slot && gfn == out->gfn;
}

/* As move_and_fill() of page_out.c, to @folio. Returns false if the block stays. */
static bool move_and_fill(struct page_out *out, struct migrate_vma *mig, struct folio *folio)
{
	if (!is_source(out) || uvmem_should_fail(UVMEM_FAIL_SETUP) ||
	    uvmem_should_fail(UVMEM_FAIL_COPY))
		return false;
	folio_lock(folio);
	out->dst[0] = migrate_pfn(folio_pfn(folio)) | UVMEM_PFN_COMPOUND;
	uvmem_out_migrate(out, mig);
	if (!(out->src[0] & MIGRATE_PFN_MIGRATE)) {
		out->dst[0] = 0;
		folio_unlock(folio);
		return false;
	}
	uvmem_block_expand(out->src);
	uvmem_block_expand(out->dst);
	uvmem_out_fill(out);
	uvmem_block_collapse(out->src);
	uvmem_block_collapse(out->dst);
	return true;
}

/**
 * uvmem_out_block() - move a block as a whole
 * @out: the block; src and the like have room for it
 * @gfp: for the folio it becomes
 * @fault_page: of struct migrate_vma, or NULL
 *
 * Context: mmap lock (read) and the stripes of the block held.
 * Return: false if it stays, as one or split.
 */
bool uvmem_out_block(struct page_out *out, gfp_t gfp, struct page *fault_page)
{
	struct folio *folio = uvmem_alloc_huge(out->vma, out->addr, gfp);
	struct migrate_vma mig;
	bool moved = false;

	if (!folio)
		return false;
	memset(out->dst, 0, out->npages * sizeof(*out->dst));
	uvmem_out_init(out, &mig, fault_page);
	mig.flags |= UVMEM_SELECT_COMPOUND;
	if (!migrate_vma_setup(&mig)) {
		moved = mig.cpages && move_and_fill(out, &mig, folio);
		migrate_vma_finalize(&mig);
	}
	if (moved)
		uvsim_lru_drain();
	else
		folio_put(folio);
	return moved;
}

/**
 * uvmem_out_block_apart() - take the one entry of a block apart
 * @out: the block
 * @fault_page: of struct migrate_vma
 *
 * By a migration of its first page, which gives up when the folio cannot be split, for
 * instance because of the fault's own reference. If it can, that page moves.
 *
 * Context: mmap lock (read) and, if there is a slot, the stripes of the block held.
 * Return: 0; -ENOMEM; -EINVAL if the VMA cannot be migrated.
 */
int uvmem_out_block_apart(struct page_out *out, struct page *fault_page)
{
	struct page *page = alloc_page_vma(GFP_HIGHUSER_MOVABLE, out->vma, out->addr);
	struct migrate_vma mig;
	int ret;

	if (!page)
		return -ENOMEM;
	memset(out->dst, 0, out->npages * sizeof(*out->dst));
	uvmem_out_init(out, &mig, fault_page);
	mig.flags |= UVMEM_SELECT_COMPOUND;
	ret = migrate_vma_setup(&mig) ? -EINVAL : 0;
	if (!ret && mig.cpages && is_source(out)) {
		lock_page(page);
		out->dst[0] = migrate_pfn(page_to_pfn(page));
		page = NULL;
		uvmem_out_migrate(out, &mig);
		uvmem_out_fill(out);
	}
	if (!ret)
		migrate_vma_finalize(&mig);
	if (page)
		put_page(page);
	return ret;
}

/**
 * uvmem_page_out_block() - move a block of device pages out of H, as a whole
 * @slot: the memslot
 * @vma: VMA that holds it
 * @addr: address of the first page in @vma
 * @gfn: first GFN, for which uvmem_is_block() is true
 * @pfns: scratch memory
 * @reason: why
 * @alone: other CPUs work on other blocks
 *
 * Context: mmap lock (read) held; takes the stripes.
 * Return: false if the pages have to go one by one.
 */
bool uvmem_page_out_block(struct uvmem_slot *slot, struct vm_area_struct *vma,
			  unsigned long addr, u64 gfn, struct uvmem_pfns *pfns,
			  enum uvmem_reason reason, bool alone)
{
	struct page_out out = {
		.slot = slot, .vma = vma, .addr = addr, .gfn = gfn, .npages = UVMEM_BLOCK_MAX,
		.reason = reason, .alone = alone,
	};
	bool moved = false;

	if (!uvmem_block_folio(slot, gfn))
		return false;
	page_out_use(&out, pfns);
	uvmem_block_lock(slot->svm, gfn);
	if (uvmem_block_folio(slot, gfn))
		moved = uvmem_out_block(&out, GFP_TRANSHUGE | __GFP_NOWARN, NULL);
	uvmem_block_unlock(slot->svm, gfn);
	return moved;
}

/**
 * uvmem_out_stray_block() - as uvmem_page_out_stray(), of a page in a block: all of it
 * @out: the GFN
 *
 * Pages of the block that nobody maps are not filled: their content stays in secure
 * memory, as it does when a page is unmapped that is no part of a block.
 *
 * Context: no stripe held.
 * Return: 0, also if it could not be moved now; -ENOMEM.
 */
int uvmem_out_stray_block(struct page_out *out)
{
	struct folio *to = uvmem_alloc_huge(NULL, 0, GFP_TRANSHUGE | __GFP_NOWARN);
	struct uvmem_pfns *pfns = uvmem_pfns_alloc(UVMEM_BLOCK_MAX, GFP_KERNEL);
	DECLARE_BITMAP(unmapped, UVMEM_BLOCK_MAX);
	struct folio *folio;
	bool moved = false;
	int ret = -ENOMEM;

	if (!pfns || !to)
		goto out;
	ret = 0;
	page_out_use(out, pfns);
	out->gfn = round_down(out->gfn, UVMEM_BLOCK_MAX);
	out->npages = UVMEM_BLOCK_MAX;
	out->unmapped = unmapped;
	/* The other pages are not shared; the one that is the ultravisor does not fill. */
	if (out->reason == UVMEM_R_SHARE)
		out->reason = UVMEM_R_PAGE_OUT;
	memset(out->dst, 0, out->npages * sizeof(*out->dst));
	uvmem_block_lock(out->slot->svm, out->gfn);
	folio = uvmem_block_folio(out->slot, out->gfn);
	if (folio) {
		uvmem_block_unmapped(folio, unmapped);
		migrate_device_range(out->src, folio_pfn(folio), out->npages);
		moved = move_and_fill(out, NULL, to);
		migrate_device_finalize(out->src, out->dst, out->npages);
	}
	uvmem_block_unlock(out->slot->svm, out->gfn);
out:
	if (to && !moved)
		folio_put(to);
	kvfree(pfns);
	return ret;
}
