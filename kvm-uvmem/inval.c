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

/*
 * Add the GFNs of [first, last] that have a shared page to what the worker has
 * to look at. Those that have none must stay out: the worker would take away the
 * page that they get before it runs.
 */
static bool note_range(struct uvmem_slot *slot, u64 first, u64 last)
{
	struct uvmem_svm *svm = slot->svm;
	bool found = false;
	u64 gfn;

	if (!atomic64_read(&svm->shared))
		return false;
	for (gfn = first; gfn <= last; gfn++) {
		if (uvmem_gfn_state(slot, gfn) != UVMEM_GFN_SHARED || !uvmem_gfn_value(slot, gfn))
			continue;
		svm->inval_first = min(svm->inval_first, gfn);
		svm->inval_last = max(svm->inval_last, gfn);
		found = true;
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
	bool found;

	/* Migration cannot take a pinned page away; nor can write protection. */
	if (range->event != MMU_NOTIFY_UNMAP && range->event != MMU_NOTIFY_CLEAR &&
	    range->event != MMU_NOTIFY_RELEASE)
		return true;

	first = slot->base_gfn + ((max(range->start, slot->hva) - slot->hva) >> PAGE_SHIFT);
	last = slot->base_gfn + ((min(range->end, end) - 1 - slot->hva) >> PAGE_SHIFT);

	spin_lock(&svm->inval_lock);
	mmu_interval_set_seq(mni, cur_seq);
	found = note_range(slot, first, last);
	spin_unlock(&svm->inval_lock);
	if (found)
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

static void inval_gfn(struct uvmem_svm *svm, u64 gfn)
{
	struct mutex *stripe = uvmem_stripe(svm, gfn);
	struct uvmem_slot *slot;
	int idx;

	idx = srcu_read_lock(&uvmem_srcu);
	slot = uvmem_slot_find(svm, gfn);
	if (slot) {
		mutex_lock(stripe);
		if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_SHARED && uvmem_gfn_value(slot, gfn))
			inval_page(slot, gfn);
		mutex_unlock(stripe);
	}
	srcu_read_unlock(&uvmem_srcu, idx);
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

	for (; gfn <= last; gfn++) {
		inval_gfn(svm, gfn);
		cond_resched();
	}
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
