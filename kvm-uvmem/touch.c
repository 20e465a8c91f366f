// SPDX-License-Identifier: GPL-2.0
/*
 * A touch of the host's: migrate_to_ram(), and what moves with the page that was touched
 * (around.c) or ahead of the reader (ahead.c).
 *
 * Locks: mmap lock (read), then the stripe of the run, or those of a block.
 */
#include <linux/delay.h>

#include "page_out.h"

#define GFP_ALONG	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)
#define GFP_BLOCK	(GFP_TRANSHUGE_LIGHT | __GFP_NORETRY | __GFP_NOWARN)

/*
 * The stripe's part of the VMA, in GFNs, around a fault. Nothing goes along with a page of a
 * folio that is to be split: its lock is ours, and the window may have pages of another one,
 * whose lock the kernel would wait for.
 */
static void limits(const struct vm_fault *vmf, const struct uvmem_slot *slot, u64 gfn,
		   u64 *lowest, u64 *highest)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	u64 below = min((u64)(addr - vma->vm_start) >> PAGE_SHIFT, gfn - slot->base_gfn);
	u64 above = min((u64)(vma->vm_end - addr) >> PAGE_SHIFT,
			slot->base_gfn + slot->npages - gfn) - 1;

	if (folio_test_large(page_folio(vmf->page))) {
		below = 0;
		above = 0;
	}
	*lowest = gfn - min(below, gfn & (UVMEM_RUN_MAX - 1));
	*highest = gfn + min(above, UVMEM_RUN_MAX - 1 - (gfn & (UVMEM_RUN_MAX - 1)));
}

/* Extend @out, which is the touched page, to what is to go along with it. */
static void widen(struct page_out *out, const struct vm_fault *vmf)
{
	u64 gfn = out->gfn, lowest, highest;

	limits(vmf, out->slot, gfn, &lowest, &highest);
	out->npages = uvmem_around_window(out->slot, gfn, lowest, highest, &out->gfn);
	out->touched = gfn - out->gfn;
	out->addr -= out->touched << PAGE_SHIFT;
}

/* With the stripe held, if there is a slot. */
static int move_touched(struct page_out *out, const struct vm_fault *vmf)
{
	struct uvmem_pfns *pfns = NULL;
	unsigned long src = 0, dst = 0;
	struct page_out one;
	u64 ra;
	s64 rc;
	int ret;

	if (out->slot) {
		one = *out;
		widen(out, vmf);
		if (out->npages > 1 && vmf->vma->vm_mm == out->slot->svm->mm)
			out->alone = uvmem_ahead(out->slot, one.gfn);
		if (out->npages > 1)
			pfns = uvmem_pfns_alloc(out->npages, GFP_ALONG);
		if (!pfns)
			*out = one;
	}
	out->src = &src;
	out->dst = &dst;
	out->ra = &ra;
	out->rc = &rc;
	if (pfns)
		page_out_use(out, pfns);
	memset(out->dst, 0, out->npages * sizeof(*out->dst));
	ret = uvmem_out_pages(out, vmf->page);
	kvfree(pfns);
	return ret;
}

/* Did who had the stripe before leave the page where it was? */
static bool still_there(const struct page_out *out, const struct vm_fault *vmf)
{
	u64 gfn;

	return uvmem_devpage_slot(vmf->page, &gfn) == out->slot;
}

/* Let who has the stripe run, whatever our priority is. */
static bool nap(void)
{
	usleep_range(20, 50);
	return false;
}

/*
 * Who has a stripe may wait for the lock of the folio, which is ours: then the access is
 * to fault again.
 */
static bool lock_touched(struct mutex *stripe)
{
	if (UVMEM_TOUCH_HAS_LOCK)
		return mutex_trylock(stripe) || nap();
	mutex_lock(stripe);
	return true;
}

static int page_touched(struct page_out *out, const struct vm_fault *vmf)
{
	struct mutex *stripe = out->slot ? uvmem_stripe(out->slot->svm, out->gfn) : NULL;
	int ret;

	if (stripe && !lock_touched(stripe))
		return 0;
	ret = still_there(out, vmf) ? move_touched(out, vmf) : 0;
	if (stripe)
		mutex_unlock(stripe);
	return ret;
}

/*
 * Moves the block @out as a whole if the reader is worth it, with its locks held. @end: out:
 * where those end that are to follow it, or 0.
 */
static bool move_whole(struct page_out *out, const struct vm_fault *vmf, u64 touched, u64 *end)
{
	if (!out->slot || vmf->vma->vm_mm != out->slot->svm->mm ||
	    !uvmem_is_block(out->slot, out->gfn, out->vma, out->addr, UVMEM_BLOCK_MAX) ||
	    !uvmem_around_block(out->slot, touched))
		return false;
	out->alone = uvmem_ahead_blocks(out->slot, touched, end);
	if (!uvmem_out_block(out, GFP_BLOCK, vmf->page))
		return false;
	uvmem_around_block_moved(out->slot, touched);
	return true;
}

/*
 * The entry of the page table is one for a block, whose first page @out is. If it does
 * not move as a whole it is taken apart, and the access faults again, on a page.
 */
static int block_touched(struct page_out *out, const struct vm_fault *vmf)
{
	struct uvmem_pfns *pfns = uvmem_pfns_alloc(UVMEM_BLOCK_MAX, GFP_KERNEL);
	u64 end = 0;
	int ret = 0;

	if (!pfns)
		return -ENOMEM;
	page_out_use(out, pfns);
	out->npages = UVMEM_BLOCK_MAX;
	out->touched = (out->addr >> PAGE_SHIFT) & (UVMEM_BLOCK_MAX - 1);
	out->addr -= out->touched << PAGE_SHIFT;
	if (out->slot && !uvmem_block_trylock(out->slot->svm, out->gfn) && !nap())
		goto free;
	if (still_there(out, vmf) && !move_whole(out, vmf, out->gfn + out->touched, &end))
		ret = uvmem_out_block_apart(out, vmf->page);
	if (out->slot)
		uvmem_block_unlock(out->slot->svm, out->gfn);
	if (end)
		uvmem_ahead_help(out->slot, end);
free:
	kvfree(pfns);
	return ret;
}

/* A run of pages, as uvmem_page_out_ahead(). */
static void run_ahead(struct page_out *out, struct uvmem_pfns *pfns, unsigned long npages)
{
	struct mutex *stripe = uvmem_stripe(out->slot->svm, out->gfn);

	mutex_lock(stripe);
	npages = uvmem_run_len(out->slot, out->gfn, out->vma, out->addr, npages);
	out->npages = uvmem_around_count(out->slot, out->gfn, npages);
	if (out->npages)
		uvmem_out_run(out, pfns);
	mutex_unlock(stripe);
}

/* Without waiting: neither for who has a stripe, nor for a folio's lock, to split it. */
static bool lock_block(struct page_out *out, bool wait)
{
	struct uvmem_svm *svm = out->slot->svm;

	if (!wait)
		return uvmem_device_block(svm->mm, out->addr) && uvmem_block_trylock(svm, out->gfn);
	uvmem_block_lock(svm, out->gfn);
	return true;
}

/* A block, if it still is one, as uvmem_page_out_ahead(). */
static void block_ahead(struct page_out *out, struct uvmem_pfns *pfns, bool wait)
{
	if (!uvmem_is_block(out->slot, out->gfn, out->vma, out->addr, UVMEM_BLOCK_MAX))
		return;
	page_out_use(out, pfns);
	out->npages = UVMEM_BLOCK_MAX;
	if (!lock_block(out, wait))
		return;
	if (uvmem_around_count(out->slot, out->gfn, UVMEM_BLOCK_MAX) == UVMEM_BLOCK_MAX)
		uvmem_out_block(out, GFP_BLOCK, NULL);
	uvmem_block_unlock(out->slot->svm, out->gfn);
}

/**
 * uvmem_page_out_ahead() - move pages that the host is about to touch
 * @slot: the memslot
 * @gfn: first GFN
 * @npages: number of pages: a block, or all in one stripe; of these those up to the
 *	first that may not go along with another are moved
 * @wait: for who has a stripe of a block, or the lock of a folio that is to be split; not
 *	where the caller has the lock of one itself
 *
 * Context: mmap lock (read) of the VMM held; takes the stripes.
 */
void uvmem_page_out_ahead(struct uvmem_slot *slot, u64 gfn, unsigned long npages, bool wait)
{
	unsigned long addr = uvmem_slot_hva(slot, gfn);
	struct page_out out = {
		.slot = slot, .vma = vma_lookup(slot->svm->mm, addr), .addr = addr, .gfn = gfn,
		.touched = ULONG_MAX, .alone = true, .reason = UVMEM_R_HOST_TOUCH,
	};
	struct uvmem_pfns *pfns;

	if (!out.vma)
		return;
	pfns = uvmem_pfns_alloc(npages, GFP_ALONG);
	if (!pfns)
		return;
	if (npages == UVMEM_BLOCK_MAX)
		block_ahead(&out, pfns, wait);
	else
		run_ahead(&out, pfns, npages);
	kvfree(pfns);
}

/**
 * uvmem_migrate_to_ram() - the host touched a device page
 * @vmf: the fault; vmf->page is the device page, or the first one of a block, with a
 *	reference of the caller's
 *
 * Context: mmap lock (read) held, of any process that maps the page.
 * Return: 0 (the fault is taken again, and finds what is there then),
 * VM_FAULT_OOM, or VM_FAULT_SIGBUS.
 */
vm_fault_t uvmem_migrate_to_ram(struct vm_fault *vmf)
{
	struct page_out out = {
		.vma = vmf->vma, .addr = vmf->address & PAGE_MASK, .npages = 1,
		.reason = UVMEM_R_HOST_TOUCH,
	};
	int idx, ret;

	idx = srcu_read_lock(&uvmem_srcu);
	out.slot = uvmem_devpage_slot(vmf->page, &out.gfn);
	ret = UVMEM_HUGE_ORDER && !vmf->pte ? block_touched(&out, vmf) : page_touched(&out, vmf);
	srcu_read_unlock(&uvmem_srcu, idx);

	if (ret)
		return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	return 0;
}
