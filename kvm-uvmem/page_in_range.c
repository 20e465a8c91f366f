// SPDX-License-Identifier: GPL-2.0
/*
 * H_SVM_PAGE_IN without H_PAGE_IN_SHARED, of a GFN or of a range.
 *
 * A large range is for several workers; the VMM's thread waits (spread.c says why).
 *
 * Locks: mmap lock (read), then the stripe of the run, or those of a block.
 */
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "page_in.h"

/* Is the GFN where the caller wants it? */
static bool page_in_done(struct page_in *in, unsigned long i)
{
	return test_bit(i, in->holes) ||
	       uvmem_gfn_state(in->slot, in->gfn + i) == UVMEM_GFN_UVMEM;
}

/* Pages from the start of the run that are done. */
static unsigned long page_in_count(struct page_in *in)
{
	unsigned long i = 0;

	while (i < in->npages && page_in_done(in, i))
		i++;
	return i;
}

/*
 * migrate_vma takes neither swapped pages nor, at times, pages that are new to
 * the LRU: touch what is left. Called without the stripe, since touching may
 * end in migrate_to_ram().
 */
static void touch_rest(struct page_in *in, unsigned long first)
{
	struct mm_struct *mm = in->slot->svm->mm;
	struct page *page;
	unsigned long i;

	for (i = first; i < in->npages; i++) {
		unsigned long addr = uvmem_slot_hva(in->slot, in->gfn + i);

		if (!page_in_done(in, i) &&
		    get_user_pages_remote(mm, addr, 1, FOLL_WRITE, &page, NULL) == 1)
			put_page(page);
	}
}

static s64 unshare_run(struct page_in *in)
{
	unsigned long i;
	s64 rc;

	for (i = 0; i < in->npages; i++) {
		if (uvmem_gfn_state(in->slot, in->gfn + i) != UVMEM_GFN_SHARED)
			continue;
		rc = uvmem_unshare_page(in->slot, in->gfn + i);
		if (rc)
			return rc;
	}
	return H_SUCCESS;
}

/* One run, tried twice. *done is the number of pages done from its start. */
static s64 try_run(struct page_in *in, struct vm_area_struct *vma, unsigned long addr,
		   unsigned long *done)
{
	struct mutex *stripe = uvmem_stripe(in->slot->svm, in->gfn);
	int attempt;
	s64 rc;

	for (attempt = 0; attempt < 2; attempt++) {
		in->error = 0;
		mutex_lock(stripe);
		rc = unshare_run(in);
		if (!rc && uvmem_in_run(in, vma, addr))
			rc = H_PARAMETER;
		*done = rc ? 0 : page_in_count(in);
		mutex_unlock(stripe);

		if (rc || *done == in->npages)
			return rc;
		if (in->error && in->error != H_BUSY)
			return in->error;
		touch_rest(in, *done);
	}
	return H_BUSY;
}

/* The next pages: a block as a whole, or a run. */
static s64 page_in_next(struct page_in *in, struct vm_area_struct *vma, unsigned long addr,
			u64 max, unsigned long *done)
{
	if (uvmem_is_block(in->slot, in->gfn, vma, addr, max) && uvmem_in_block(in, vma, addr)) {
		*done = UVMEM_BLOCK_MAX;
		return H_SUCCESS;
	}
	in->npages = uvmem_run_len(in->slot, in->gfn, vma, addr, max);
	return try_run(in, vma, addr, done);
}

static s64 page_in_locked(struct page_in *in, struct uvmem_svm *svm, u64 gfn, u64 npages,
			  u64 *done)
{
	struct vm_area_struct *vma;
	unsigned long addr, n;
	s64 rc;

	while (*done < npages) {
		in->gfn = gfn + *done;
		in->slot = uvmem_slot_find(svm, in->gfn);
		if (!in->slot || READ_ONCE(svm->state) == UVMEM_VM_NORMAL)
			return H_PARAMETER;
		addr = uvmem_slot_hva(in->slot, in->gfn);
		vma = uvmem_h_vma(svm->mm, addr);
		if (!vma)
			return H_PARAMETER;
		rc = page_in_next(in, vma, addr, npages - *done, &n);
		*done += n;
		if (rc)
			return rc;
		if (fatal_signal_pending(in->caller))
			return H_BUSY;
		uvmem_mmap_relax(svm->mm);
	}
	return H_SUCCESS;
}

/* What the parts of a range have in common. */
struct part {
	struct uvmem_svm *svm;
	u64 flags;
	unsigned long piece;
	bool alone;
	struct task_struct *caller;
	s64 error;		/* page_in.error of a part that failed */
};

/* A part of a range, with a reference to the mm held. */
static s64 page_in_part(void *arg, u64 gfn, u64 npages, u64 *done)
{
	struct part *part = arg;
	struct uvmem_svm *svm = part->svm;
	struct page_in *in = uvmem_in_alloc(part->piece);
	s64 rc;

	*done = 0;
	if (!in) {
		WRITE_ONCE(part->error, H_BUSY);
		return H_BUSY;
	}
	in->touched_only = part->flags & H_SIM_PAGE_IN_TOUCHED;
	in->stamp = part->flags & H_SIM_PAGE_IN_GUEST ? uvmem_around_stamp() : 0;
	in->alone = part->alone;
	in->caller = part->caller;
	in->copy = true;
	in->reason = UVMEM_R_PAGE_IN;
	mmap_read_lock(svm->mm);
	rc = page_in_locked(in, svm, gfn, npages, done);
	mmap_read_unlock(svm->mm);
	if (rc && in->error)
		WRITE_ONCE(part->error, in->error);
	uvmem_in_free(in);
	return rc;
}

/* Pages from the start of a range that nobody ever touched, by whole page tables. */
static u64 count_untouched(struct uvmem_svm *svm, u64 gfn, u64 npages)
{
	struct vm_area_struct *vma;
	struct uvmem_slot *slot;
	unsigned long addr;
	u64 done = 0, n;

	mmap_read_lock(svm->mm);
	while (done < npages && READ_ONCE(svm->state) != UVMEM_VM_NORMAL) {
		slot = uvmem_slot_find(svm, gfn + done);
		addr = slot ? uvmem_slot_hva(slot, gfn + done) : 0;
		vma = slot ? uvmem_h_vma(svm->mm, addr) : NULL;
		if (!vma)
			break;
		n = min(npages - done, slot->base_gfn + slot->npages - gfn - done);
		n = uvmem_in_untouched(vma, addr, n);
		if (!n)
			break;
		done += n;
	}
	mmap_read_unlock(svm->mm);
	return done;
}

/**
 * uvmem_page_in() - move a range of GFNs to secure memory
 * @svm: the VM
 * @gfn: first GFN
 * @npages: number of pages
 * @flags: H_SIM_PAGE_IN_TOUCHED to leave pages alone that nobody ever touched,
 *	H_SIM_PAGE_IN_GUEST if the guest touched one of them
 * @done: out: pages done, from the start of the range; others may be done as well
 *
 * H_SVM_PAGE_IN without H_PAGE_IN_SHARED. Shared GFNs that the guest unshared
 * are unpinned first.
 *
 * Context: inside uvmem_srcu, no other locks; takes the mmap lock.
 * Return: H_SUCCESS, H_PARAMETER (no such GFN, H is not mapped or cannot be
 * migrated, the ultravisor refuses the content), H_BUSY (a page is pinned or
 * locked, or no secure or device page is free).
 */
s64 uvmem_page_in(struct uvmem_svm *svm, u64 gfn, u64 npages, u64 flags, u64 *done)
{
	struct part part = { .svm = svm, .flags = flags, .caller = current };
	u64 more, untouched = 0;
	s64 rc = H_SUCCESS;

	*done = 0;
	if (!mmget_not_zero(svm->mm))
		return H_PARAMETER;
	if (flags & H_SIM_PAGE_IN_TOUCHED)
		untouched = count_untouched(svm, gfn, npages);
	gfn += untouched;
	npages -= untouched;
	part.alone = uvmem_spreads(npages);
	part.piece = uvmem_piece(svm, gfn, npages);
	if (npages)
		rc = uvmem_spread(gfn, npages, part.piece, true, page_in_part, &part, done);
	if (rc == H_BUSY && !part.error && !fatal_signal_pending(current)) {
		uvsim_lru_drain_all();
		rc = uvmem_spread(gfn + *done, npages - *done, part.piece, true, page_in_part,
				  &part, &more);
		*done += more;
	}
	*done += untouched;
	mmput(svm->mm);
	return rc;
}
