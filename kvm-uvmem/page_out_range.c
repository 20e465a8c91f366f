// SPDX-License-Identifier: GPL-2.0
/*
 * H_SVM_PAGE_OUT, of a GFN or of a range.
 *
 * Locks: mmap lock (read), then the stripe of the run, or those of a block.
 */
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "page_out.h"

/*
 * A secure page that H has nothing for, because the host dropped it: fault in a
 * normal page and have the content sealed into it. U_P3: it is not in secure
 * memory; nothing is to be done. No stripe is held.
 */
static s64 page_out_dropped(struct uvmem_slot *slot, u64 gfn)
{
	struct uvmem_svm *svm = slot->svm;
	struct mutex *stripe = uvmem_stripe(svm, gfn);
	u64 start_ns = uvmem_gfn_clock();
	struct page *page;
	s64 rc = U_P3;
	long got;

	if (!uvmem_h_vma(svm->mm, uvmem_slot_hva(slot, gfn)))
		return H_PARAMETER;
	got = get_user_pages_remote(svm->mm, uvmem_slot_hva(slot, gfn), 1, FOLL_WRITE, &page, NULL);
	if (got != 1)
		return got == -EFAULT ? H_PARAMETER : H_BUSY;
	mutex_lock(stripe);
	if (!is_zone_device_page(page) && uvmem_gfn_state(slot, gfn) == UVMEM_GFN_MEM &&
	    uvmem_gfn_value(slot, gfn) == UVMEM_MEM_DROPPED) {
		lock_page(page);
		rc = uvsim_ucall(UV_PAGE_OUT, svm->lpid, uvmem_page_ra(page), gfn << PAGE_SHIFT,
				 UV_SIM_PAGE_OUT_SECURE, PAGE_SHIFT);
		if (rc == U_SUCCESS) {
			uvmem_gfn_set(slot, gfn, UVMEM_GFN_MEM, UVMEM_MEM_SEALED,
				      UVMEM_R_PAGE_OUT, start_ns);
			uvmem_count(&svm->count->page_outs);
			set_page_dirty(page);
		} else if (rc == U_P3) {
			uvmem_gfn_set(slot, gfn, UVMEM_GFN_MEM, UVMEM_MEM_EMPTY,
				      UVMEM_R_PAGE_OUT, start_ns);
		}
		unlock_page(page);
	}
	mutex_unlock(stripe);
	put_page(page);
	return rc == U_BUSY ? H_BUSY : H_SUCCESS;
}

static bool is_dropped(struct uvmem_slot *slot, u64 gfn)
{
	return uvmem_gfn_state(slot, gfn) == UVMEM_GFN_MEM &&
	       uvmem_gfn_value(slot, gfn) == UVMEM_MEM_DROPPED;
}

/* One run. *done is the number of pages done from its start. */
static s64 page_out_one_run(struct page_out *out, struct uvmem_pfns *pfns, unsigned long *done)
{
	struct uvmem_slot *slot = out->slot;
	struct mutex *stripe = uvmem_stripe(slot->svm, out->gfn);
	unsigned long i;
	int ret;
	s64 rc;

	mutex_lock(stripe);
	ret = uvmem_out_run(out, pfns);
	mutex_unlock(stripe);
	for (i = 0; !ret && i < out->npages; i++)
		if (uvmem_gfn_state(slot, out->gfn + i) == UVMEM_GFN_UVMEM)
			ret = uvmem_page_out_stray(slot, out->gfn + i, out->reason);
	if (ret == -EINVAL)
		return H_PARAMETER;

	for (i = 0; i < out->npages; i++) {
		*done = i;
		if (uvmem_gfn_state(slot, out->gfn + i) == UVMEM_GFN_UVMEM)
			return H_BUSY;
		rc = is_dropped(slot, out->gfn + i) ? page_out_dropped(slot, out->gfn + i) :
						      H_SUCCESS;
		if (rc)
			return rc;
	}
	*done = i;
	return H_SUCCESS;
}

/* The next pages: a block as a whole, or a run. */
static s64 page_out_next(struct page_out *out, struct uvmem_pfns *pfns, u64 max,
			 unsigned long *done)
{
	*done = 0;
	if (uvmem_is_block(out->slot, out->gfn, out->vma, out->addr, max) &&
	    uvmem_page_out_block(out->slot, out->vma, out->addr, out->gfn, pfns, out->reason,
				 out->alone)) {
		*done = UVMEM_BLOCK_MAX;
		return H_SUCCESS;
	}
	out->npages = uvmem_run_len(out->slot, out->gfn, out->vma, out->addr, max);
	return page_out_one_run(out, pfns, done);
}

/* @pfns has room for @most pages. */
static s64 page_out_locked(struct page_out *out, struct uvmem_svm *svm, u64 gfn, u64 npages,
			   struct uvmem_pfns *pfns, unsigned long most, u64 *done)
{
	unsigned long n;
	s64 rc;

	while (*done < npages) {
		out->gfn = gfn + *done;
		out->slot = uvmem_slot_find(svm, out->gfn);
		if (!out->slot || READ_ONCE(svm->state) == UVMEM_VM_NORMAL)
			return H_PARAMETER;
		out->addr = uvmem_slot_hva(out->slot, out->gfn);
		out->vma = vma_lookup(svm->mm, out->addr);
		if (!out->vma)
			return H_PARAMETER;
		rc = page_out_next(out, pfns, min_t(u64, npages - *done, most), &n);
		*done += n;
		if (rc)
			return rc;
		if (fatal_signal_pending(current))
			return H_BUSY;
		uvmem_mmap_relax(svm->mm);
	}
	return H_SUCCESS;
}

struct part {
	struct uvmem_svm *svm;
	unsigned long piece;
	bool alone;
};

/* A part of a range, with a reference to the mm held. */
static s64 page_out_part(void *arg, u64 gfn, u64 npages, u64 *done)
{
	struct part *part = arg;
	struct page_out out = { .reason = UVMEM_R_PAGE_OUT, .alone = part->alone };
	struct uvmem_svm *svm = part->svm;
	struct uvmem_pfns *pfns;
	s64 rc;

	*done = 0;
	pfns = uvmem_pfns_alloc(part->piece, GFP_KERNEL);
	if (!pfns)
		return H_BUSY;
	mmap_read_lock(svm->mm);
	rc = page_out_locked(&out, svm, gfn, npages, pfns, part->piece, done);
	mmap_read_unlock(svm->mm);
	kvfree(pfns);
	return rc;
}

/**
 * uvmem_page_out() - move a range of GFNs to normal memory
 * @svm: the VM
 * @gfn: first GFN
 * @npages: number of pages
 * @done: out: pages done, from the start of the range
 *
 * H_SVM_PAGE_OUT. A GFN that is not in secure memory is done already.
 *
 * Context: inside uvmem_srcu, no other locks; takes the mmap lock.
 * Return: H_SUCCESS, H_PARAMETER (no such GFN, or H is not mapped), H_BUSY (a
 * page is pinned or locked, or memory is short).
 */
s64 uvmem_page_out(struct uvmem_svm *svm, u64 gfn, u64 npages, u64 *done)
{
	struct part part = { .svm = svm, .alone = uvmem_spreads(npages) };
	s64 rc;

	*done = 0;
	if (!mmget_not_zero(svm->mm))
		return H_PARAMETER;
	part.piece = uvmem_piece(svm, gfn, npages);
	rc = uvmem_spread(gfn, npages, part.piece, false, page_out_part, &part, done);
	mmput(svm->mm);
	return rc;
}
