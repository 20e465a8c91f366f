// SPDX-License-Identifier: GPL-2.0
/*
 * Page-in: a normal page of H becomes a device-private one, its content goes
 * to secure memory by UV_PAGE_IN (H_SVM_PAGE_IN of ultravisor.rst).
 *
 * A run of pages takes one migrate_vma call: collect and unmap the pages, let
 * the ultravisor copy each, move the struct pages, put device-private entries
 * into the page table. What fails on the way leaves its page where it was, with
 * sealed content that both sides can go on with.
 *
 * A large range is for several workers; the VMM's thread waits (spread.c says why).
 *
 * Locks: mmap lock (read), then the stripe of the run.
 */
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "uvmem.h"

/* One migrate_vma call. */
struct page_in {
	struct uvmem_slot *slot;
	struct migrate_vma mig;
	u64 gfn;
	unsigned long npages;
	u64 start_ns;
	bool touched_only;	/* leave alone what nobody ever touched */
	bool copy;		/* false: the ultravisor knows the content */
	bool alone;		/* other CPUs work on other runs */
	u32 stamp;		/* when the guest asked for it, or 0 */
	s64 error;		/* first refusal of the ultravisor */
	struct task_struct *caller;	/* who stops it when killed */
	enum uvmem_reason reason;
	DECLARE_BITMAP(holes, UVMEM_RUN_MAX);	/* left alone: never touched */
	unsigned long src[UVMEM_RUN_MAX];
	unsigned long dst[UVMEM_RUN_MAX];
	u64 ra[UVMEM_RUN_MAX];	/* of the pages that UV_PAGE_IN is to take */
	s64 rc[UVMEM_RUN_MAX];	/* what it says */
};

/* Shall this page move? Notes the holes that are left alone. */
static bool wanted(struct page_in *in, unsigned long i)
{
	enum uvmem_gfn_state state = uvmem_gfn_state(in->slot, in->gfn + i);

	if (!(in->src[i] & MIGRATE_PFN_MIGRATE))
		return false;
	if (!migrate_pfn_to_page(in->src[i]) && in->touched_only) {
		__set_bit(i, in->holes);
		return false;
	}
	/* Sealed content in H is the only copy there is: it cannot go without one. */
	return state == UVMEM_GFN_NORMAL || (in->copy && state == UVMEM_GFN_MEM);
}

/* Give the pages that are to move their device pages. */
static void alloc_device_pages(struct page_in *in)
{
	struct page *spage, *dpage;
	unsigned long i;

	for (i = 0; i < in->npages; i++) {
		in->ra[i] = UVSIM_NO_RA;
		if (!wanted(in, i) || uvmem_should_fail(UVMEM_FAIL_SETUP))
			continue;
		dpage = uvmem_devpage_alloc(in->slot, in->gfn + i);
		if (!dpage) {
			in->error = in->error ?: H_BUSY;
			continue;
		}
		in->dst[i] = migrate_pfn(page_to_pfn(dpage));
		/* A hole has no content: the ultravisor knows that it reads as zeros. */
		spage = migrate_pfn_to_page(in->src[i]);
		if (spage && in->copy)
			in->ra[i] = uvmem_page_ra(spage);
	}
}

/* The device page of a page that stays where it is. */
static void drop_device_page(struct page_in *in, unsigned long i)
{
	struct page *dpage = migrate_pfn_to_page(in->dst[i]);

	in->dst[i] = 0;
	unlock_page(dpage);
	put_page(dpage);
}

/* Give the content of the pages to the ultravisor. */
static void copy_pages_in(struct page_in *in)
{
	unsigned long i;

	if (!in->copy)
		return;
	uvsim_ucall_run(UV_PAGE_IN, in->slot->svm->lpid, in->gfn << PAGE_SHIFT,
			UV_SIM_PAGE_IN_SECURE, in->ra, in->rc, in->npages, in->alone);
	for (i = 0; i < in->npages; i++) {
		if (in->ra[i] == UVSIM_NO_RA || in->rc[i] == U_SUCCESS)
			continue;
		uvmem_devpage_detach(migrate_pfn_to_page(in->dst[i]));
		drop_device_page(in, i);
		in->error = in->error ?: (in->rc[i] == U_BUSY ? H_BUSY : H_PARAMETER);
	}
}

/*
 * The ultravisor has the page, but the struct page did not move: have the
 * content sealed back into it, while nobody can see it.
 */
static void take_back(struct page_in *in, unsigned long i, struct page *dpage)
{
	struct page *spage = migrate_pfn_to_page(in->src[i]);
	s64 rc;

	uvmem_devpage_detach(dpage);
	in->error = in->error ?: H_BUSY;
	if (!spage || !in->copy)
		return;
	rc = uvsim_ucall(UV_PAGE_OUT, in->slot->svm->lpid, uvmem_page_ra(spage),
			 (in->gfn + i) << PAGE_SHIFT, 0, PAGE_SHIFT);
	uvmem_gfn_set(in->slot, in->gfn + i, UVMEM_GFN_MEM,
		      rc == U_SUCCESS ? UVMEM_MEM_SEALED : UVMEM_MEM_DROPPED, in->reason,
		      in->start_ns);
}

/* Returns the reference taken to make migrate_vma_pages() give up, or NULL. */
static struct page *fail_pages(struct page_in *in)
{
	unsigned long i;

	for (i = 0; i < in->npages; i++) {
		struct page *spage = migrate_pfn_to_page(in->src[i]);

		if (in->dst[i] && spage && uvmem_should_fail(UVMEM_FAIL_PAGES)) {
			get_page(spage);
			return spage;
		}
	}
	return NULL;
}

static void migrate_in(struct page_in *in)
{
	struct page *extra;
	unsigned long i;

	alloc_device_pages(in);
	copy_pages_in(in);
	for (i = 0; i < in->npages; i++) {
		if (in->dst[i] && uvmem_should_fail(UVMEM_FAIL_COPY)) {
			take_back(in, i, migrate_pfn_to_page(in->dst[i]));
			drop_device_page(in, i);
		}
	}
	extra = fail_pages(in);
	migrate_vma_pages(&in->mig);
	if (extra)
		put_page(extra);

	for (i = 0; i < in->npages; i++) {
		struct page *dpage = migrate_pfn_to_page(in->dst[i]);

		if (!dpage)
			continue;
		if (!(in->src[i] & MIGRATE_PFN_MIGRATE)) {
			take_back(in, i, dpage);
			continue;
		}
		uvmem_gfn_set(in->slot, in->gfn + i, UVMEM_GFN_UVMEM,
			      UVMEM_DEVICE(uvmem_devpage_index(dpage), in->stamp), in->reason,
			      in->start_ns);
		uvmem_count(&in->slot->svm->count->page_ins);
	}
}

/* Tell what was seen of the pages that went along with others, while it shows. */
static void look_at_pages_along(struct page_in *in)
{
	unsigned long i;

	for (i = 0; i < in->npages; i++)
		if (uvmem_gfn_state(in->slot, in->gfn + i) == UVMEM_GFN_MEM &&
		    uvmem_gfn_value(in->slot, in->gfn + i) == UVMEM_MEM_ALONG)
			uvmem_around_returns(in->slot, in->gfn + i);
}

/*
 * Page in a run. The mmap lock (read) and the stripe are held. Returns -errno
 * if H cannot be migrated at all.
 */
static int page_in_run(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long end = addr + (in->npages << PAGE_SHIFT);
	int ret;

	bitmap_zero(in->holes, UVMEM_RUN_MAX);
	if (in->touched_only && vma_is_anonymous(vma) &&
	    uvmem_no_page_table(vma->vm_mm, addr, end)) {
		bitmap_fill(in->holes, in->npages);
		return 0;
	}
	memset(in->dst, 0, in->npages * sizeof(in->dst[0]));
	in->mig = (struct migrate_vma) {
		.vma = vma,
		.start = addr,
		.end = end,
		.src = in->src,
		.dst = in->dst,
		.pgmap_owner = uvmem_pool_owner(),
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};
	in->start_ns = uvmem_gfn_clock();
	look_at_pages_along(in);
	uvmem_count(&in->slot->svm->count->migrate_calls);
	ret = migrate_vma_setup(&in->mig);
	if (ret)
		return ret;
	if (in->mig.cpages)
		migrate_in(in);
	migrate_vma_finalize(&in->mig);
	return 0;
}

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
		if (!rc && page_in_run(in, vma, addr))
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
		vma = vma_lookup(svm->mm, addr);
		if (!vma)
			return H_PARAMETER;
		in->npages = uvmem_run_len(in->slot, in->gfn, vma, addr, npages - *done);
		rc = try_run(in, vma, addr, &n);
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
	bool alone;
	struct task_struct *caller;
	s64 error;		/* page_in.error of a part that failed */
};

/* A part of a range, with a reference to the mm held. */
static s64 page_in_part(void *arg, u64 gfn, u64 npages, u64 *done)
{
	struct part *part = arg;
	struct uvmem_svm *svm = part->svm;
	struct page_in *in = kmalloc(sizeof(*in), GFP_KERNEL);
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
	in->error = 0;
	mmap_read_lock(svm->mm);
	rc = page_in_locked(in, svm, gfn, npages, done);
	mmap_read_unlock(svm->mm);
	if (rc && in->error)
		WRITE_ONCE(part->error, in->error);
	kfree(in);
	return rc;
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
	struct part part = {
		.svm = svm, .flags = flags, .alone = uvmem_spreads(npages), .caller = current,
	};
	u64 more;
	s64 rc;

	*done = 0;
	if (!mmget_not_zero(svm->mm))
		return H_PARAMETER;
	rc = uvmem_spread(gfn, npages, true, page_in_part, &part, done);
	if (rc == H_BUSY && !part.error && !fatal_signal_pending(current)) {
		uvsim_lru_drain_all();
		rc = uvmem_spread(gfn + *done, npages - *done, true, page_in_part, &part, &more);
		*done += more;
	}
	mmput(svm->mm);
	return rc;
}

/*
 * A run of H_SVM_INIT_DONE: whatever is still normal becomes a device page, so
 * that the host has no plaintext of it. The ultravisor took no content of it
 * and will show zeros.
 */
static s64 rest_of_run(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	struct mutex *stripe = uvmem_stripe(in->slot->svm, in->gfn);
	unsigned long i, left = 0;
	s64 rc = H_SUCCESS;

	mutex_lock(stripe);
	for (i = 0; i < in->npages; i++)
		left += uvmem_gfn_state(in->slot, in->gfn + i) == UVMEM_GFN_NORMAL;
	if (left && page_in_run(in, vma, addr))
		rc = H_STATE;
	for (i = 0; left && !rc && i < in->npages; i++) {
		if (uvmem_gfn_state(in->slot, in->gfn + i) != UVMEM_GFN_NORMAL)
			continue;
		if (!test_bit(i, in->holes))
			rc = H_STATE;
		else
			uvmem_gfn_set(in->slot, in->gfn + i, UVMEM_GFN_MEM, UVMEM_MEM_EMPTY,
				      in->reason, in->start_ns);
	}
	mutex_unlock(stripe);
	return rc;
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
	u64 gfn = slot->base_gfn;
	s64 rc = H_SUCCESS;

	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return H_STATE;
	in->slot = slot;
	in->touched_only = true;
	in->reason = UVMEM_R_INIT_DONE;
	if (!mmget_not_zero(mm)) {
		kfree(in);
		return H_STATE;
	}
	uvsim_lru_drain_all();
	while (!rc && gfn < slot->base_gfn + slot->npages) {
		unsigned long addr = uvmem_slot_hva(slot, gfn);

		mmap_read_lock(mm);
		vma = vma_lookup(mm, addr);
		if (vma) {
			in->gfn = gfn;
			in->npages = uvmem_run_len(slot, gfn, vma, addr, U64_MAX);
			rc = rest_of_run(in, vma, addr);
			gfn += in->npages;
		} else {
			rc = H_STATE;
		}
		mmap_read_unlock(mm);
		cond_resched();
	}
	mmput(mm);
	kfree(in);
	return rc;
}
