// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a secure memslot: abort, terminate, or the slot is deleted.
 *
 * After an abort H has every page in the clear, as the guest left it: the
 * ultravisor hands out plaintext, since the VM never was secure. After a
 * termination H has zeros, or nothing (unmap.c), whatever a page was. Nobody can make a
 * GFN secure any more: the VM state is Normal, or the slot is out of the tree.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "uvmem.h"

/*
 * Pages that somebody holds locked or pinned at the moment are tried again. That is a
 * moment, but whoever it is may have lost the CPU; a page that is left to stand for nothing
 * is missing from the pool for as long as it is mapped.
 */
#define DROP_TRIES	2000
#define TERMINATE_TRIES	50

struct part {
	struct uvmem_slot *slot;
	unsigned long piece;
	bool alone;
	enum uvmem_reason reason;
};

/*
 * The device pages that are at their place in H: of a block, if it moves as a whole, or
 * of a run. What is left, for whatever reason, goes page by page. Returns how many GFNs
 * that was, @max at most.
 */
static u64 drop_some(struct part *part, u64 gfn, u64 max, struct uvmem_pfns *pfns)
{
	struct uvmem_slot *slot = part->slot;
	struct mm_struct *mm = slot->svm->mm;
	unsigned long addr = uvmem_slot_hva(slot, gfn);
	u64 n = min(UVMEM_RUN_MAX - (gfn & (UVMEM_RUN_MAX - 1)), max);
	struct vm_area_struct *vma;

	if (!uvmem_any_resident(slot, gfn, n))
		return n;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && uvmem_is_block(slot, gfn, vma, addr, min_t(u64, max, part->piece)) &&
	    uvmem_page_out_block(slot, vma, addr, gfn, pfns, part->reason, part->alone)) {
		n = UVMEM_BLOCK_MAX;
	} else if (vma) {
		mutex_lock(uvmem_stripe(slot->svm, gfn));
		uvmem_page_out_run(slot, vma, addr, gfn,
				   min_t(u64, n, (vma->vm_end - addr) >> PAGE_SHIFT), pfns,
				   part->reason);
		mutex_unlock(uvmem_stripe(slot->svm, gfn));
	}
	mmap_read_unlock(mm);
	return n;
}

/* A part of a memslot, with a reference to the mm held. Killed or not, all of it is done. */
static s64 drop_part(void *arg, u64 gfn, u64 npages, u64 *done)
{
	struct part *part = arg;
	struct uvmem_pfns *pfns = uvmem_pfns_alloc(part->piece, GFP_KERNEL | __GFP_NOFAIL);
	u64 end = gfn + npages;

	*done = npages;
	while (gfn < end) {
		gfn += drop_some(part, gfn, end - gfn, pfns);
		cond_resched();
	}
	kvfree(pfns);
	return 0;
}

/* With a reference to @folio, which holds the page of @gfn, and the stripes of its block. */
static void orphan_folio(struct uvmem_slot *slot, u64 gfn, struct folio *folio,
			 enum uvmem_reason reason)
{
	struct page *page = uvmem_gfn_page(slot, gfn);
	u64 first = gfn - folio_page_idx(folio, page), i, of;

	/* Who lets a page stand for something else sets its GFN's state before. */
	if (WARN_ON_ONCE(uvmem_devpage_slot(page, &of) != slot || of != gfn)) {
		uvmem_gfn_set(slot, gfn, UVMEM_GFN_NORMAL, 0, reason, 0);
		return;
	}
	uvmem_devpage_detach(page);
	for (i = 0; i < folio_nr_pages(folio); i++)
		if (uvmem_gfn_page(slot, first + i) == folio_page(folio, i))
			uvmem_gfn_set(slot, first + i, UVMEM_GFN_NORMAL, 0, reason, 0);
}

/*
 * Let the device page of a GFN stand for nothing, with all the others if it is part of a
 * large folio. Returns false if it is about to be freed, or to be split: what it is then
 * has to be looked at again.
 */
static bool orphan(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	u64 block = round_down(gfn, UVMEM_BLOCK_MAX);
	struct folio *folio;
	struct page *page;
	bool done = true;

	uvmem_block_lock(slot->svm, block);
	page = uvmem_gfn_page(slot, gfn);
	folio = page ? page_folio(page) : NULL;
	if (folio && !folio_try_get(folio)) {
		done = false;
		folio = NULL;
	}
	if (folio) {
		bool large = folio_test_large(folio);

		done = !large || folio_trylock(folio);
		if (done && page_folio(page) == folio && uvmem_gfn_page(slot, gfn) == page)
			orphan_folio(slot, gfn, folio, reason);
		if (large && done)
			folio_unlock(folio);
		folio_put(folio);
	}
	uvmem_block_unlock(slot->svm, block);
	return done && uvmem_gfn_state(slot, gfn) != UVMEM_GFN_UVMEM;
}

/*
 * A device page, wherever it is. On termination the last resort is to let it
 * stand for nothing: who touches it gets zeros.
 */
static int drop_stray(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	int tries;

	for (tries = 0; tries < DROP_TRIES; tries++) {
		if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_UVMEM)
			uvmem_page_out_stray(slot, gfn, reason);
		if (uvmem_gfn_state(slot, gfn) != UVMEM_GFN_UVMEM)
			return 0;
		if (reason == UVMEM_R_TERMINATE && tries >= TERMINATE_TRIES)
			break;
		usleep_range(100, 1000);
	}
	if (reason != UVMEM_R_TERMINATE)
		return -EBUSY;
	while (!orphan(slot, gfn, reason))
		usleep_range(100, 1000);
	return 0;
}

/* Sealed content is of no use to anybody once the VM is gone. */
static void zero_sealed(struct uvmem_slot *slot, u64 gfn)
{
	struct mm_struct *mm = slot->svm->mm;
	struct page *page;

	mmap_read_lock(mm);
	if (uvmem_h_vma(mm, uvmem_slot_hva(slot, gfn)) &&
	    get_user_pages_remote(mm, uvmem_slot_hva(slot, gfn), 1, FOLL_WRITE, &page,
				  NULL) == 1) {
		lock_page(page);
		if (!is_zone_device_page(page)) {
			clear_highpage(page);
			set_page_dirty(page);
		}
		unlock_page(page);
		put_page(page);
	}
	mmap_read_unlock(mm);
}

static void drop_shared(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	u64 pfn = uvmem_gfn_value(slot, gfn);

	if (pfn && reason == UVMEM_R_TERMINATE)
		clear_highpage(pfn_to_page(pfn));
	uvmem_unpin(slot, gfn);
}

/* Everything but device pages. */
static void drop_gfn(struct uvmem_slot *slot, u64 gfn, bool have_mm, enum uvmem_reason reason)
{
	struct mutex *stripe = uvmem_stripe(slot->svm, gfn);
	bool zero = false;

	mutex_lock(stripe);
	switch (uvmem_gfn_state(slot, gfn)) {
	case UVMEM_GFN_SHARED:
		drop_shared(slot, gfn, reason);
		break;
	case UVMEM_GFN_MEM:
		zero = reason == UVMEM_R_TERMINATE &&
		       (uvmem_gfn_value(slot, gfn) == UVMEM_MEM_SEALED ||
			uvmem_gfn_value(slot, gfn) == UVMEM_MEM_ALONG);
		break;
	default:
		mutex_unlock(stripe);
		return;
	}
	uvmem_gfn_set(slot, gfn, UVMEM_GFN_NORMAL, 0, reason, 0);
	mutex_unlock(stripe);
	if (zero && have_mm)
		zero_sealed(slot, gfn);
}

/**
 * uvmem_drop_slot() - make every GFN of a memslot Normal
 * @slot: the memslot
 * @reason: UVMEM_R_ABORT (H gets the content) or UVMEM_R_TERMINATE (nothing, or zeros)
 *
 * For a termination the ultravisor has let go of the slot or the VM before.
 *
 * Context: @slot->svm->lock held, no mmap lock; sleeps.
 * Return: 0; -EBUSY if a page could not be moved (abort only), then it can be
 * called again.
 */
int uvmem_drop_slot(struct uvmem_slot *slot, enum uvmem_reason reason)
{
	u64 gfn = slot->base_gfn, end = gfn + slot->npages, done, n;
	bool have_mm = mmget_not_zero(slot->svm->mm);
	struct part part = { .slot = slot, .reason = reason };
	int ret = 0;

	if (have_mm && (reason != UVMEM_R_TERMINATE || uvmem_unmap_slot(slot))) {
		part.piece = uvmem_slot_piece(slot);
		part.alone = uvmem_spreads(slot->npages);
		uvmem_spread(gfn, slot->npages, part.piece, false, drop_part, &part, &done);
	}

	for (gfn = slot->base_gfn; !ret && gfn < end; gfn += n) {
		n = uvmem_leaf_normal(slot, gfn, reason);
		cond_resched();
		if (n)
			continue;
		n = 1;
		if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_NORMAL)
			continue;
		if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_UVMEM)
			ret = drop_stray(slot, gfn, reason);
		drop_gfn(slot, gfn, have_mm, reason);
	}
	if (have_mm)
		mmput(slot->svm->mm);
	return ret;
}
