// SPDX-License-Identifier: GPL-2.0
/*
 * What is left to page in when UV_ESM is done: H_SVM_INIT_DONE.
 *
 * Locks: mmap lock (read), then the stripe of the run.
 */
#include <linux/sched/mm.h>

#include "page_in.h"

static unsigned long count_normal(const struct page_in *in, bool but_holes)
{
	unsigned long i, n = 0;

	for (i = 0; i < in->npages; i++)
		n += uvmem_gfn_state(in->slot, in->gfn + i) == UVMEM_GFN_NORMAL &&
		     !(but_holes && test_bit(i, in->holes));
	return n;
}

/*
 * A run of H_SVM_INIT_DONE: whatever is still normal becomes a device page, so
 * that the host has no plaintext of it. The ultravisor took no content of it
 * and will show zeros.
 */
static s64 rest_of_run(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	struct mutex *stripe = uvmem_stripe(in->slot->svm, in->gfn);
	s64 rc = H_SUCCESS;

	mutex_lock(stripe);
	if (uvmem_in_untouched(vma, addr, in->npages) < in->npages && count_normal(in, false))
		rc = uvmem_in_run(in, vma, addr) || count_normal(in, true) ? H_STATE : H_SUCCESS;
	if (!rc)
		uvmem_gfns_secure(in->slot, in->gfn, in->npages, in->reason);
	mutex_unlock(stripe);
	return rc;
}

/* Whole leaves of the table of GFNs that never were touched. Returns how many GFNs. */
static u64 rest_of_leaves(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	u64 room = uvmem_leaf_room(in->slot, in->gfn), n = 0, most;

	if (!room)
		return 0;
	most = uvmem_in_untouched(vma, addr, in->slot->base_gfn + in->slot->npages - in->gfn);
	while (room && n + room <= most && uvmem_leaf_secure(in->slot, in->gfn + n, in->reason)) {
		n += room;
		room = n < most ? uvmem_leaf_room(in->slot, in->gfn + n) : 0;
	}
	return n;
}

/* As much at once as never was touched, else a run. *n is the number of GFNs. */
static s64 rest_of_some(struct page_in *in, struct vm_area_struct *vma, unsigned long addr,
			u64 *n)
{
	s64 rc;

	*n = rest_of_leaves(in, vma, addr);
	if (*n)
		return H_SUCCESS;
	in->npages = uvmem_run_len(in->slot, in->gfn, vma, addr, U64_MAX);
	rc = rest_of_run(in, vma, addr);
	*n = in->npages;
	return rc;
}

/**
 * uvmem_h_is_there() - does H have memory for all of a memslot?
 * @slot: the memslot
 *
 * Context: @slot->svm->lock held, no mmap lock.
 */
bool uvmem_h_is_there(struct uvmem_slot *slot)
{
	unsigned long addr = slot->hva, end = addr + (slot->npages << PAGE_SHIFT);
	struct mm_struct *mm = slot->svm->mm;
	struct vm_area_struct *vma = NULL;

	if (!mmget_not_zero(mm))
		return false;
	mmap_read_lock(mm);
	do {
		vma = uvmem_h_vma(mm, addr);
		addr = vma ? vma->vm_end : addr;
	} while (vma && addr < end);
	mmap_read_unlock(mm);
	mmput(mm);
	return vma;
}

/**
 * uvmem_page_in_rest() - H_SVM_INIT_DONE for a memslot
 * @slot: the memslot
 *
 * Every GFN that is still Normal becomes Secure.
 *
 * Context: @slot->svm->lock held, no mmap lock.
 * Return: H_SUCCESS or H_STATE.
 */
s64 uvmem_page_in_rest(struct uvmem_slot *slot)
{
	struct mm_struct *mm = slot->svm->mm;
	struct vm_area_struct *vma;
	struct page_in *in;
	u64 gfn = slot->base_gfn, n;
	s64 rc = H_SUCCESS;

	in = uvmem_in_alloc(UVMEM_RUN_MAX);
	if (!in)
		return H_STATE;
	in->slot = slot;
	in->touched_only = true;
	in->reason = UVMEM_R_INIT_DONE;
	if (!mmget_not_zero(mm)) {
		uvmem_in_free(in);
		return H_STATE;
	}
	uvsim_lru_drain_all();
	while (!rc && gfn < slot->base_gfn + slot->npages) {
		unsigned long addr = uvmem_slot_hva(slot, gfn);

		mmap_read_lock(mm);
		vma = uvmem_h_vma(mm, addr);
		if (vma) {
			in->gfn = gfn;
			rc = rest_of_some(in, vma, addr, &n);
			gfn += n;
		} else {
			rc = H_STATE;
		}
		mmap_read_unlock(mm);
		cond_resched();
	}
	mmput(mm);
	uvmem_in_free(in);
	return rc;
}
