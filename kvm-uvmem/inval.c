// SPDX-License-Identifier: GPL-2.0
/*
 * The host unmaps a page of H that is shared (munmap(), MADV_DONTNEED).
 *
 * G maps the same page, which is pinned, so nothing is urgent: the notifier
 * only notes the range. A worker then tells the ultravisor (UV_PAGE_INVAL),
 * which takes the page out of G, and unpins it. The GFN stays Shared; the
 * guest's next access gets whatever page H has by then. Unmapping G from
 * inside the notifier would nest notifiers.
 *
 * The worker needs no reference to the VM: memslots, and so notifiers, are gone
 * before the last user cancels it (svm.c).
 */
#include <linux/sched.h>

#include "uvmem.h"

/* The worker has to look at @gfn. */
static void note(struct uvmem_svm *svm, u64 gfn)
{
	spin_lock(&svm->inval_lock);
	svm->inval_first = min(svm->inval_first, gfn);
	svm->inval_last = max(svm->inval_last, gfn);
	spin_unlock(&svm->inval_lock);
}

static bool is_shared(const struct uvmem_slot *slot, u64 gfn)
{
	return uvmem_gfn_state(slot, gfn) == UVMEM_GFN_SHARED && uvmem_gfn_value(slot, gfn);
}

/*
 * Add the GFNs of [@gfn, @end) that have a shared page to what the worker has
 * to look at. Those that have none must stay out: the worker would take away the
 * page that they get before it runs.
 */
static bool note_range(struct uvmem_slot *slot, u64 gfn, u64 end, bool may_sleep)
{
	bool found = false;
	u64 next;

	if (!atomic64_read(&slot->svm->shared))
		return false;
	while (uvmem_leaf_next_mixed(slot, &gfn, end, &next)) {
		for (; gfn < next; gfn++) {
			if (!is_shared(slot, gfn))
				continue;
			note(slot->svm, gfn);
			found = true;
		}
		if (may_sleep)
			cond_resched();
	}
	return found;
}

static bool inval_notify(struct mmu_interval_notifier *mni,
			 const struct mmu_notifier_range *range, unsigned long cur_seq)
{
	struct uvmem_slot *slot = container_of(mni, struct uvmem_slot, notifier);
	unsigned long end = slot->hva + (slot->npages << PAGE_SHIFT);
	struct uvmem_svm *svm = slot->svm;
	u64 first, last;

	/* Migration cannot take a pinned page away; nor can write protection. */
	if (range->event != MMU_NOTIFY_UNMAP && range->event != MMU_NOTIFY_CLEAR &&
	    range->event != MMU_NOTIFY_RELEASE)
		return true;

	first = slot->base_gfn + ((max(range->start, slot->hva) - slot->hva) >> PAGE_SHIFT);
	last = slot->base_gfn + ((min(range->end, end) - 1 - slot->hva) >> PAGE_SHIFT);

	/* Who shares a page from here on sees it, and starts again. */
	spin_lock(&svm->inval_lock);
	mmu_interval_set_seq(mni, cur_seq);
	spin_unlock(&svm->inval_lock);
	if (note_range(slot, first, last + 1, mmu_notifier_range_blockable(range)))
		queue_work(system_unbound_wq, &svm->inval_work);
	return true;
}

const struct mmu_interval_notifier_ops uvmem_inval_ops = {
	.invalidate = inval_notify,
};

/* The stripe is held, so nothing is shared again before the ultravisor knows. */
static void inval_page(struct uvmem_slot *slot, u64 gfn)
{
	struct page *page = pfn_to_page(uvmem_gfn_value(slot, gfn));
	struct uvmem_svm *svm = slot->svm;

	/* First: what is unmapped from here on is not to be noted again. */
	uvmem_gfn_set(slot, gfn, UVMEM_GFN_SHARED, 0, UVMEM_R_INVAL, 0);
	/* U_P2: the guest unshared it meanwhile; G has let go of it. */
	while (uvsim_ucall(UV_PAGE_INVAL, svm->lpid, gfn << PAGE_SHIFT, PAGE_SHIFT, 0, 0) ==
	       U_BUSY)
		cond_resched();
	unpin_user_pages_dirty_lock(&page, 1, true);
	uvmem_count(&svm->count->invals);
}

static void inval_gfn(struct uvmem_slot *slot, u64 gfn)
{
	struct mutex *stripe = uvmem_stripe(slot->svm, gfn);

	mutex_lock(stripe);
	if (is_shared(slot, gfn))
		inval_page(slot, gfn);
	mutex_unlock(stripe);
}

/*
 * The GFNs of [*@gfn, @last] that are in one leaf of a memslot's table: what is between
 * memslots, and leaves without a shared page, may be very large. Moves *@gfn on; false at
 * the end.
 */
static bool inval_some(struct uvmem_svm *svm, u64 *gfn, u64 last)
{
	unsigned long index = *gfn;
	struct uvmem_slot *slot;
	u64 next;
	int idx;

	idx = srcu_read_lock(&uvmem_srcu);
	slot = mt_find(&svm->slots, &index, last);
	if (slot) {
		*gfn = max(*gfn, slot->base_gfn);
		if (!uvmem_leaf_next_mixed(slot, gfn, min(last + 1, slot->base_gfn + slot->npages),
					   &next))
			next = *gfn;
		for (; *gfn < next; ++*gfn)
			if (is_shared(slot, *gfn))
				inval_gfn(slot, *gfn);
	}
	srcu_read_unlock(&uvmem_srcu, idx);
	return slot;
}

static void inval_worker(struct work_struct *work)
{
	struct uvmem_svm *svm = container_of(work, struct uvmem_svm, inval_work);
	u64 gfn, last;

	spin_lock(&svm->inval_lock);
	gfn = svm->inval_first;
	last = svm->inval_last;
	svm->inval_first = U64_MAX;
	svm->inval_last = 0;
	spin_unlock(&svm->inval_lock);

	while (gfn <= last && inval_some(svm, &gfn, last))
		cond_resched();
}

/**
 * uvmem_inval_init() - set up what this file needs of a new VM
 * @svm: the VM
 */
void uvmem_inval_init(struct uvmem_svm *svm)
{
	spin_lock_init(&svm->inval_lock);
	svm->inval_first = U64_MAX;
	INIT_WORK(&svm->inval_work, inval_worker);
}
