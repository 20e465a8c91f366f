// SPDX-License-Identifier: GPL-2.0
/*
 * Share and unshare (H_SVM_PAGE_IN with H_PAGE_IN_SHARED, and without it on a
 * shared GFN).
 *
 * A shared GFN has one normal page, mapped by H and by G, and pinned for as
 * long. Content of a secure page never gets there: its device page is replaced
 * by a page of zeros, and the ultravisor zeroes the page it is given.
 *
 * Pinning may fault and so end in migrate_to_ram(): it is done without the
 * stripe, and what was found is checked again with it.
 */
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "uvmem.h"

/* How often a page may change under us before the guest is to ask again. */
#define SHARE_TRIES	16

/**
 * uvmem_unpin() - let go of the page of a shared GFN
 * @slot: the memslot
 * @gfn: a GFN of @slot in state Shared
 *
 * The caller changes the GFN's value right after it; the ultravisor has taken
 * the page out of G before.
 *
 * Context: the stripe held.
 */
void uvmem_unpin(struct uvmem_slot *slot, u64 gfn)
{
	u64 pfn = uvmem_gfn_value(slot, gfn);
	struct page *page;

	if (!pfn)
		return;
	page = pfn_to_page(pfn);
	unpin_user_pages_dirty_lock(&page, 1, true);
}

/**
 * uvmem_unshare_page() - make a shared GFN secure
 * @slot: the memslot
 * @gfn: a GFN of @slot in state Shared
 *
 * Context: mmap lock (read) and the stripe held.
 * Return: H_SUCCESS, or H_PARAMETER if the ultravisor still has it as shared:
 * only the guest can unshare.
 */
s64 uvmem_unshare_page(struct uvmem_slot *slot, u64 gfn)
{
	struct uvmem_svm *svm = slot->svm;
	s64 rc;

	/* U_P2 says that it is a secure page by now. */
	while ((rc = uvsim_ucall(UV_PAGE_INVAL, svm->lpid, gfn << PAGE_SHIFT, PAGE_SHIFT, 0, 0)) ==
	       U_BUSY)
		cond_resched();
	if (rc != U_P2)
		return H_PARAMETER;
	uvmem_unpin(slot, gfn);
	uvmem_gfn_set(slot, gfn, UVMEM_GFN_MEM, UVMEM_MEM_EMPTY, UVMEM_R_UNSHARE, 0);
	uvmem_count(&svm->count->unshares);
	return H_SUCCESS;
}

static s64 uv_share(struct uvmem_slot *slot, u64 gfn, struct page *page)
{
	s64 rc = uvsim_ucall(UV_PAGE_IN, slot->svm->lpid, uvmem_page_ra(page),
			     gfn << PAGE_SHIFT, UV_SIM_PAGE_IN_SHARED, PAGE_SHIFT);

	if (rc == U_BUSY)
		return H_BUSY;
	return rc == U_SUCCESS ? H_SUCCESS : H_PARAMETER;
}

/*
 * Give @page, pinned, to the ultravisor, unless the GFN or H changed since
 * @seq was read (-EAGAIN). The pin stays with the GFN on H_SUCCESS only.
 */
static s64 install_shared(struct uvmem_slot *slot, u64 gfn, struct page *page,
			  unsigned long seq, u64 start_ns)
{
	struct uvmem_svm *svm = slot->svm;
	bool stale;
	s64 rc;

	if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_UVMEM ||
	    (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_SHARED && uvmem_gfn_value(slot, gfn)))
		return -EAGAIN;

	/* Such as by the pinning itself, when it broke copy-on-write. */
	if (mmu_interval_check_retry(&slot->notifier, seq))
		return -EAGAIN;
	rc = uv_share(slot, gfn, page);
	if (rc)
		return rc;
	spin_lock(&svm->inval_lock);
	stale = mmu_interval_read_retry(&slot->notifier, seq);
	if (!stale)
		uvmem_gfn_set(slot, gfn, UVMEM_GFN_SHARED, page_to_pfn(page), UVMEM_R_SHARE,
			      start_ns);
	spin_unlock(&svm->inval_lock);
	if (!stale) {
		uvmem_count(&svm->count->shares);
		return H_SUCCESS;
	}
	/* H has another page by now: G must not keep this one. */
	while (uvsim_ucall(UV_PAGE_INVAL, svm->lpid, gfn << PAGE_SHIFT, PAGE_SHIFT, 0, 0) ==
	       U_BUSY)
		cond_resched();
	return -EAGAIN;
}

/* Replace the device page of a GFN by zeros. */
static void discard(struct uvmem_slot *slot, struct vm_area_struct *vma, u64 gfn,
		    struct uvmem_pfns *pfns)
{
	struct mutex *stripe = uvmem_stripe(slot->svm, gfn);

	mutex_lock(stripe);
	if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_UVMEM)
		uvmem_page_out_run(slot, vma, uvmem_slot_hva(slot, gfn), gfn, 1, pfns,
				   UVMEM_R_SHARE);
	mutex_unlock(stripe);
	if (uvmem_gfn_state(slot, gfn) == UVMEM_GFN_UVMEM)
		uvmem_page_out_stray(slot, gfn, UVMEM_R_SHARE);
}

/* A GFN that is shared and has its page: the ultravisor asks for it again. */
static bool reshare(struct uvmem_slot *slot, u64 gfn, s64 *rc)
{
	u64 pfn = uvmem_gfn_value(slot, gfn);

	if (uvmem_gfn_state(slot, gfn) != UVMEM_GFN_SHARED || !pfn)
		return false;
	*rc = uv_share(slot, gfn, pfn_to_page(pfn));
	return true;
}

/*
 * A page of H that is part of a larger folio: that could not be split, nor any page of it
 * be moved, for as long as this one is pinned. What no split helps is dropped: the guest
 * has given up the content.
 */
static void take_apart(struct vm_area_struct *vma, unsigned long addr, int tries)
{
	if (tries < SHARE_TRIES / 2)
		uvmem_split_at(vma, addr);
	else
		uvmem_zap(vma, addr, PAGE_SIZE);
}

static s64 share_page(struct uvmem_slot *slot, u64 gfn, struct uvmem_pfns *pfns)
{
	struct mutex *stripe = uvmem_stripe(slot->svm, gfn);
	unsigned long addr = uvmem_slot_hva(slot, gfn), seq;
	struct mm_struct *mm = slot->svm->mm;
	u64 start_ns = uvmem_gfn_clock();
	struct vm_area_struct *vma;
	struct page *page;
	long pinned;
	bool again;
	int tries;
	s64 rc;

	for (tries = 0; tries < SHARE_TRIES; tries++) {
		vma = uvmem_h_vma(mm, addr);
		if (!vma)
			return H_PARAMETER;
		mutex_lock(stripe);
		again = reshare(slot, gfn, &rc);
		mutex_unlock(stripe);
		if (again)
			return rc;

		discard(slot, vma, gfn, pfns);
		seq = mmu_interval_read_begin(&slot->notifier);
		pinned = pin_user_pages_remote(mm, addr, 1, FOLL_WRITE | FOLL_LONGTERM, &page,
					       NULL);
		if (pinned != 1)	/* short of memory, say: the guest asks again */
			return pinned == -EFAULT ? H_PARAMETER : H_BUSY;
		if (folio_test_large(page_folio(page))) {
			unpin_user_page(page);
			take_apart(vma, addr, tries);
			continue;
		}
		mutex_lock(stripe);
		rc = install_shared(slot, gfn, page, seq, start_ns);
		mutex_unlock(stripe);
		if (rc == H_SUCCESS)
			return rc;
		unpin_user_page(page);
		if (rc != -EAGAIN)
			return rc;
	}
	return H_BUSY;
}

/**
 * uvmem_share() - share a range of GFNs
 * @svm: the VM
 * @gfn: first GFN
 * @npages: number of pages
 * @done: out: pages done, from the start of the range
 *
 * H_SVM_PAGE_IN with H_PAGE_IN_SHARED. The ultravisor knows that the guest
 * shared them, and refuses any other.
 *
 * Context: inside uvmem_srcu, no other locks; takes the mmap lock.
 * Return: H_SUCCESS, H_PARAMETER (no such GFN, H cannot be pinned, the guest did
 * not share it), H_BUSY.
 */
s64 uvmem_share(struct uvmem_svm *svm, u64 gfn, u64 npages, u64 *done)
{
	struct uvmem_pfns *pfns;
	struct uvmem_slot *slot;
	s64 rc = H_SUCCESS;

	*done = 0;
	pfns = uvmem_pfns_alloc(1, GFP_KERNEL);
	if (!pfns)
		return H_BUSY;
	if (!mmget_not_zero(svm->mm)) {
		kvfree(pfns);
		return H_PARAMETER;
	}
	mmap_read_lock(svm->mm);
	while (!rc && *done < npages) {
		slot = uvmem_slot_find(svm, gfn + *done);
		if (!slot || READ_ONCE(svm->state) == UVMEM_VM_NORMAL)
			rc = H_PARAMETER;
		else if (fatal_signal_pending(current))
			rc = H_BUSY;
		else
			rc = share_page(slot, gfn + *done, pfns);
		if (!rc) {
			++*done;
			uvmem_mmap_relax(svm->mm);
		}
	}
	mmap_read_unlock(svm->mm);
	mmput(svm->mm);
	kvfree(pfns);
	return rc;
}
