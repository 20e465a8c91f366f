// SPDX-License-Identifier: GPL-2.0
/*
 * Page-out: a device-private page of H becomes a normal one with sealed
 * content, by UV_PAGE_OUT (H_SVM_PAGE_OUT of ultravisor.rst, or a touch of the
 * host's).
 *
 * The struct page is moved first and filled then, while its page table entries
 * still are migration entries: what cannot be moved has not left secure memory,
 * and what was moved is seen by nobody before migrate_vma_finalize(). A page
 * that the ultravisor does not fill is zeroed.
 *
 * A touch of the host's may move neighbours as well (around.c).
 *
 * Locks: mmap lock (read), then the stripe of the run.
 */
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "uvmem.h"

/*
 * One migration. No @vma: by device page. No @slot: of pages that stand for
 * nothing any more, since their VM or memslot is gone.
 */
struct page_out {
	struct uvmem_slot *slot;
	struct vm_area_struct *vma;
	unsigned long addr;
	u64 gfn;
	unsigned long npages;
	unsigned long touched;	/* of UVMEM_R_HOST_TOUCH: which one it is */
	bool alone;		/* other CPUs work on other runs */
	enum uvmem_reason reason;
	u64 start_ns;
	unsigned long *src;
	unsigned long *dst;
	u64 *ra;		/* of the pages that UV_PAGE_OUT is to fill */
	s64 *rc;		/* what it says */
};

static void use_pfns(struct page_out *out, struct uvmem_pfns *pfns)
{
	out->src = pfns->src;
	out->dst = pfns->dst;
	out->ra = pfns->ra;
	out->rc = pfns->rc;
}

/* The device page of the i-th GFN, if that is what is about to move. */
static struct page *source(struct page_out *out, unsigned long i)
{
	struct page *page = migrate_pfn_to_page(out->src[i]);
	u64 gfn;

	if (!page || !(out->src[i] & MIGRATE_PFN_MIGRATE))
		return NULL;
	/* H may have been remapped, and hold another GFN's page here. */
	if (uvmem_devpage_slot(page, &gfn) != out->slot || (out->slot && gfn != out->gfn + i))
		return NULL;
	return page;
}

/* Does the content of the page go to the host, sealed or (abort) in the clear? */
static bool has_content(enum uvmem_reason reason)
{
	return reason != UVMEM_R_SHARE && reason != UVMEM_R_TERMINATE;
}

static bool goes_along(const struct page_out *out, unsigned long i)
{
	return out->reason == UVMEM_R_HOST_TOUCH && i != out->touched;
}

static struct page *alloc_destination(const struct page_out *out, unsigned long i)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE;

	if (goes_along(out, i))
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	return out->vma ? alloc_page_vma(gfp, out->vma, out->addr + (i << PAGE_SHIFT)) :
			  alloc_page(gfp);
}

static bool alloc_destinations(struct page_out *out)
{
	struct page *page;
	unsigned long i;

	for (i = 0; i < out->npages; i++) {
		if (!source(out, i) || uvmem_should_fail(UVMEM_FAIL_SETUP))
			continue;
		page = alloc_destination(out, i);
		if (!page && goes_along(out, i))
			continue;
		if (!page)
			return false;
		lock_page(page);
		if (uvmem_should_fail(UVMEM_FAIL_COPY)) {
			unlock_page(page);
			put_page(page);
			continue;
		}
		out->dst[i] = migrate_pfn(page_to_pfn(page));
	}
	return true;
}

/* @rc: of UV_PAGE_OUT. U_P3, U_PARAMETER: there is nothing in secure memory. */
static void set_moved(struct page_out *out, unsigned long i, s64 rc)
{
	struct uvmem_svm *svm = out->slot->svm;
	enum uvmem_gfn_state state = UVMEM_GFN_MEM;
	enum uvmem_reason reason = out->reason;
	u64 value = UVMEM_MEM_DROPPED;

	if (rc == U_SUCCESS)
		value = UVMEM_MEM_SEALED;
	else if (rc == U_P3 || rc == U_PARAMETER)
		value = UVMEM_MEM_EMPTY;
	if (out->reason == UVMEM_R_ABORT || out->reason == UVMEM_R_TERMINATE) {
		state = UVMEM_GFN_NORMAL;
		value = 0;
	} else if (out->reason == UVMEM_R_SHARE) {
		value = UVMEM_MEM_EMPTY;	/* the ultravisor dropped it before */
	}
	if (goes_along(out, i)) {
		reason = UVMEM_R_HOST_ALONG;
		value = rc == U_SUCCESS ? UVMEM_MEM_ALONG : value;
	}
	uvmem_gfn_set(out->slot, out->gfn + i, state, value, reason, out->start_ns);
	if (reason == UVMEM_R_HOST_ALONG)
		uvmem_count(&svm->count->along);
	else if (reason == UVMEM_R_HOST_TOUCH)
		uvmem_count(&svm->count->host_faults);
	else if (reason == UVMEM_R_PAGE_OUT)
		uvmem_count(&svm->count->page_outs);
}

/* What the ultravisor did not fill is filled with zeros. */
static void set_filled(struct page_out *out, unsigned long i)
{
	if (out->rc[i] != U_SUCCESS)
		memset(page_address(migrate_pfn_to_page(out->dst[i])), 0, PAGE_SIZE);
	uvmem_devpage_detach(migrate_pfn_to_page(out->src[i]));
	if (out->slot)
		set_moved(out, i, out->rc[i]);
}

static void fill_moved(struct page_out *out)
{
	unsigned long i;

	for (i = 0; i < out->npages; i++) {
		bool moved = out->dst[i] && (out->src[i] & MIGRATE_PFN_MIGRATE);

		out->ra[i] = moved ? uvmem_page_ra(migrate_pfn_to_page(out->dst[i])) :
				     UVSIM_NO_RA;
		out->rc[i] = U_FUNCTION;
	}
	if (out->slot && has_content(out->reason))
		uvsim_ucall_run(UV_PAGE_OUT, out->slot->svm->lpid, out->gfn << PAGE_SHIFT,
				UV_SIM_PAGE_OUT_SECURE, out->ra, out->rc, out->npages,
				out->alone);
	for (i = 0; i < out->npages; i++)
		if (out->ra[i] != UVSIM_NO_RA)
			set_filled(out, i);
}

/* Returns the reference taken to make migrate_vma_pages() give up, or NULL. */
static struct page *fail_pages(struct page_out *out)
{
	unsigned long i;

	for (i = 0; i < out->npages; i++) {
		if (out->dst[i] && uvmem_should_fail(UVMEM_FAIL_PAGES)) {
			struct page *page = migrate_pfn_to_page(out->src[i]);

			get_page(page);
			return page;
		}
	}
	return NULL;
}

/* Between migrate_vma_setup() and migrate_vma_finalize(). */
static int move_and_fill(struct page_out *out, struct migrate_vma *mig)
{
	int ret = alloc_destinations(out) ? 0 : -ENOMEM;
	struct page *extra = fail_pages(out);

	if (mig)
		migrate_vma_pages(mig);
	else
		migrate_device_pages(out->src, out->dst, out->npages);
	if (extra)
		put_page(extra);
	fill_moved(out);
	return ret;
}

static int page_out_vma(struct page_out *out, struct page *fault_page)
{
	struct migrate_vma mig = {
		.vma = out->vma,
		.start = out->addr,
		.end = out->addr + (out->npages << PAGE_SHIFT),
		.src = out->src,
		.dst = out->dst,
		.pgmap_owner = uvmem_pool_owner(),
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
		.fault_page = fault_page,
	};
	int ret = 0;

	out->start_ns = uvmem_gfn_clock();
	if (out->slot)
		uvmem_count(&out->slot->svm->count->migrate_calls);
	if (migrate_vma_setup(&mig))
		return -EINVAL;
	if (mig.cpages)
		ret = move_and_fill(out, &mig);
	migrate_vma_finalize(&mig);
	/* Where they wait, another CPU that is to page them in would not find them. */
	if (out->npages > 1)
		uvsim_lru_drain();
	return ret;
}

static int page_out_run(struct page_out *out, struct uvmem_pfns *pfns)
{
	use_pfns(out, pfns);
	memset(pfns->dst, 0, out->npages * sizeof(pfns->dst[0]));
	return page_out_vma(out, NULL);
}

/**
 * uvmem_page_out_run() - move a run of device pages out of H
 * @slot: the memslot
 * @vma: VMA that holds them
 * @addr: address of the first page in @vma
 * @gfn: first GFN
 * @npages: number of pages; all in one stripe and in @vma
 * @pfns: scratch memory
 * @reason: why
 *
 * GFNs that have no device page at their place in @vma are passed over.
 *
 * Context: mmap lock (read) and the stripe held.
 * Return: 0; -ENOMEM if a page is missing; -EINVAL if @vma cannot be migrated.
 */
int uvmem_page_out_run(struct uvmem_slot *slot, struct vm_area_struct *vma,
		       unsigned long addr, u64 gfn, unsigned long npages,
		       struct uvmem_pfns *pfns, enum uvmem_reason reason)
{
	struct page_out out = {
		.slot = slot, .vma = vma, .addr = addr, .gfn = gfn, .npages = npages,
		.reason = reason,
	};

	return page_out_run(&out, pfns);
}

/**
 * uvmem_page_out_stray() - move the device page of a GFN, wherever it is mapped
 * @slot: the memslot
 * @gfn: a GFN of @slot in state UVMEM
 * @reason: why
 *
 * For pages that are not at their place in H: remapped, or left in a child.
 *
 * Context: the stripe held, or nobody else can reach the slot.
 * Return: 0, also if the page could not be moved now; -ENOMEM.
 */
int uvmem_page_out_stray(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	unsigned long src = 0, dst = 0;
	u64 ra;
	s64 rc;
	struct page_out out = {
		.slot = slot, .gfn = gfn, .npages = 1, .reason = reason,
		.start_ns = uvmem_gfn_clock(), .src = &src, .dst = &dst, .ra = &ra, .rc = &rc,
	};
	int ret;

	migrate_device_range(&src, page_to_pfn(uvmem_devpage((u32)uvmem_gfn_value(slot, gfn))), 1);
	ret = move_and_fill(&out, NULL);
	migrate_device_finalize(&src, &dst, 1);
	return ret;
}

/* The stripe's part of the VMA, in GFNs, around a fault. */
static void limits(const struct vm_fault *vmf, const struct uvmem_slot *slot, u64 gfn,
		   u64 *lowest, u64 *highest)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	u64 below = min((u64)(addr - vma->vm_start) >> PAGE_SHIFT, gfn - slot->base_gfn);
	u64 above = min((u64)(vma->vm_end - addr) >> PAGE_SHIFT,
			slot->base_gfn + slot->npages - gfn) - 1;

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
static int page_out_touched(struct page_out *out, const struct vm_fault *vmf)
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
			pfns = kmalloc(sizeof(*pfns), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (!pfns)
			*out = one;
	}
	out->src = &src;
	out->dst = &dst;
	out->ra = &ra;
	out->rc = &rc;
	if (pfns)
		use_pfns(out, pfns);
	memset(out->dst, 0, out->npages * sizeof(*out->dst));
	ret = page_out_vma(out, vmf->page);
	kfree(pfns);
	return ret;
}

/**
 * uvmem_page_out_ahead() - move pages that the host is about to touch
 * @slot: the memslot
 * @gfn: first GFN
 * @npages: number of pages, all in one stripe; those up to the first that may not go
 *	along with another are moved
 *
 * Context: mmap lock (read) of the VMM held; takes the stripe.
 */
void uvmem_page_out_ahead(struct uvmem_slot *slot, u64 gfn, unsigned long npages)
{
	unsigned long addr = uvmem_slot_hva(slot, gfn);
	struct vm_area_struct *vma = vma_lookup(slot->svm->mm, addr);
	struct page_out out = {
		.slot = slot, .vma = vma, .addr = addr, .gfn = gfn,
		.touched = ULONG_MAX, .alone = true, .reason = UVMEM_R_HOST_TOUCH,
	};
	struct uvmem_pfns *pfns;

	if (!vma)
		return;
	pfns = kmalloc(sizeof(*pfns), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!pfns)
		return;
	mutex_lock(uvmem_stripe(slot->svm, gfn));
	out.npages = uvmem_around_count(slot, gfn, uvmem_run_len(slot, gfn, vma, addr, npages));
	if (out.npages)
		page_out_run(&out, pfns);
	mutex_unlock(uvmem_stripe(slot->svm, gfn));
	kfree(pfns);
}

/**
 * uvmem_migrate_to_ram() - the host touched a device page
 * @vmf: the fault; vmf->page is the device page, with a reference of the
 *	caller's
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
	struct mutex *stripe = NULL;
	int idx, ret;
	u64 gfn;

	idx = srcu_read_lock(&uvmem_srcu);
	out.slot = uvmem_devpage_slot(vmf->page, &out.gfn);
	if (out.slot) {
		stripe = uvmem_stripe(out.slot->svm, out.gfn);
		mutex_lock(stripe);
	}
	/* Who had the stripe before may have moved it. */
	ret = uvmem_devpage_slot(vmf->page, &gfn) == out.slot ? page_out_touched(&out, vmf) : 0;
	if (stripe)
		mutex_unlock(stripe);
	srcu_read_unlock(&uvmem_srcu, idx);

	if (ret)
		return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	return 0;
}

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

	if (get_user_pages_remote(svm->mm, uvmem_slot_hva(slot, gfn), 1, FOLL_WRITE, &page,
				  NULL) != 1)
		return H_PARAMETER;
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
	ret = page_out_run(out, pfns);
	for (i = 0; !ret && i < out->npages; i++)
		if (uvmem_gfn_state(slot, out->gfn + i) == UVMEM_GFN_UVMEM)
			ret = uvmem_page_out_stray(slot, out->gfn + i, out->reason);
	mutex_unlock(stripe);
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

static s64 page_out_locked(struct page_out *out, struct uvmem_svm *svm, u64 gfn, u64 npages,
			   struct uvmem_pfns *pfns, u64 *done)
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
		out->npages = uvmem_run_len(out->slot, out->gfn, out->vma, out->addr,
					    npages - *done);
		n = 0;
		rc = page_out_one_run(out, pfns, &n);
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
	pfns = kmalloc(sizeof(*pfns), GFP_KERNEL);
	if (!pfns)
		return H_BUSY;
	mmap_read_lock(svm->mm);
	rc = page_out_locked(&out, svm, gfn, npages, pfns, done);
	mmap_read_unlock(svm->mm);
	kfree(pfns);
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
	rc = uvmem_spread(gfn, npages, false, page_out_part, &part, done);
	mmput(svm->mm);
	return rc;
}
