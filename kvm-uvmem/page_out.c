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
 * What is moved by one call is a run; block_out.c moves blocks. A touch of the host's
 * (touch.c) may move neighbours as well.
 *
 * Locks: mmap lock (read), then the stripe of the run.
 */
#include <linux/highmem.h>

#include "page_out.h"

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

static gfp_t gfp_for(bool along)
{
	return GFP_HIGHUSER_MOVABLE | (along ? __GFP_NORETRY | __GFP_NOWARN : 0);
}

static bool has_policy(const struct vm_area_struct *vma)
{
#ifdef CONFIG_NUMA
	return current->mempolicy || (vma && vma->vm_policy);
#else
	return false;
#endif
}

/*
 * A page for each that may move at one go, as alloc_page_vma() gives them one by one where
 * nobody said from where they are to be. Returns how many there are.
 */
static unsigned long alloc_many(const struct page_out *out, struct page **pages)
{
	const unsigned long moves = MIGRATE_PFN_VALID | MIGRATE_PFN_MIGRATE;
	unsigned long i, n = 0;

	for (i = 0; i < out->npages; i++)
		n += (out->src[i] & moves) == moves;	/* holes only migrate */
	if (n < 2 || has_policy(out->vma))
		return 0;
	memset(pages, 0, n * sizeof(*pages));
	return uvmem_alloc_pages(gfp_for(true), n, pages);
}

static struct page *alloc_one(const struct page_out *out, unsigned long i)
{
	gfp_t gfp = gfp_for(goes_along(out, i));

	return out->vma ? alloc_page_vma(gfp, out->vma, out->addr + (i << PAGE_SHIFT)) :
			  alloc_page(gfp);
}

/* A locked page, which nobody else knows yet, or NULL if a test wants it so. */
static struct page *prepare(struct page *page)
{
	__folio_set_locked(page_folio(page));
	if (!uvmem_should_fail(UVMEM_FAIL_COPY))
		return page;
	unlock_page(page);
	put_page(page);
	return NULL;
}

static bool alloc_destinations(struct page_out *out)
{
	struct page **many = (struct page **)out->ra, *page;
	unsigned long have = alloc_many(out, many), used = 0, i;
	bool ok = true;

	for (i = 0; i < out->npages && ok; i++) {
		if (!source(out, i) || uvmem_should_fail(UVMEM_FAIL_SETUP))
			continue;
		page = used < have ? many[used++] : alloc_one(out, i);
		ok = page || goes_along(out, i);
		if (page)
			page = prepare(page);
		if (page)
			out->dst[i] = migrate_pfn(page_to_pfn(page));
	}
	while (used < have)
		put_page(many[used++]);
	return ok;
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

static bool has_moved(const struct page_out *out, unsigned long i)
{
	return out->dst[i] && (out->src[i] & MIGRATE_PFN_MIGRATE);
}

/**
 * uvmem_out_fill() - give the pages that have moved their content, and their GFNs a state
 * @out: the migration
 *
 * Context: between migrate_vma_pages() and migrate_vma_finalize(); the stripes held.
 */
void uvmem_out_fill(struct page_out *out)
{
	unsigned long i;

	for (i = 0; i < out->npages; i++) {
		bool fill = has_moved(out, i) && !(out->unmapped && test_bit(i, out->unmapped));

		out->ra[i] = fill ? uvmem_page_ra(migrate_pfn_to_page(out->dst[i])) :
				    UVSIM_NO_RA;
		out->rc[i] = U_FUNCTION;
	}
	if (out->slot && has_content(out->reason))
		uvsim_ucall_run(UV_PAGE_OUT, out->slot->svm->lpid, out->gfn << PAGE_SHIFT,
				UV_SIM_PAGE_OUT_SECURE, out->ra, out->rc, out->npages,
				out->alone);
	for (i = 0; i < out->npages; i++)
		if (has_moved(out, i))
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

/**
 * uvmem_out_migrate() - move the struct pages
 * @out: the migration, whose dst[] says where to
 * @mig: what migrate_vma_setup() was called with; NULL: by device page
 *
 * Context: between migrate_vma_setup(), or migrate_device_range(), and its end; the
 * stripes held, if there is a slot.
 */
void uvmem_out_migrate(struct page_out *out, struct migrate_vma *mig)
{
	struct page *extra = fail_pages(out);

	if (mig)
		migrate_vma_pages(mig);
	else
		migrate_device_pages(out->src, out->dst, out->npages);
	if (extra)
		put_page(extra);
}

/* Between migrate_vma_setup() and migrate_vma_finalize(). */
static int move_and_fill(struct page_out *out, struct migrate_vma *mig)
{
	int ret = alloc_destinations(out) ? 0 : -ENOMEM;

	uvmem_out_migrate(out, mig);
	uvmem_out_fill(out);
	return ret;
}

/**
 * uvmem_out_init() - what migrate_vma_setup() is to be called with
 * @out: the migration
 * @mig: out: to be called with
 * @fault_page: of struct migrate_vma, or NULL
 *
 * Context: mmap lock (read) and, if there is a slot, the stripes held.
 */
void uvmem_out_init(struct page_out *out, struct migrate_vma *mig, struct page *fault_page)
{
	*mig = (struct migrate_vma){
		.vma = out->vma,
		.start = out->addr,
		.end = out->addr + (out->npages << PAGE_SHIFT),
		.src = out->src,
		.dst = out->dst,
		.pgmap_owner = uvmem_pool_owner(),
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
		.fault_page = fault_page,
	};
	out->start_ns = uvmem_gfn_clock();
	if (out->slot)
		uvmem_count(&out->slot->svm->count->migrate_calls);
}

/**
 * uvmem_out_pages() - move pages, each on its own
 * @out: the pages, in one stripe; dst[] is zeros
 * @fault_page: of struct migrate_vma, or NULL
 *
 * Context: mmap lock (read) and, if there is a slot, the stripe held.
 * Return: 0; -ENOMEM if a page is missing; -EINVAL if the VMA cannot be migrated.
 */
int uvmem_out_pages(struct page_out *out, struct page *fault_page)
{
	struct migrate_vma mig;
	int ret = 0;

	/* A page that was touched has an entry of its own. */
	if (!fault_page || out->npages > 1)
		uvmem_split_huge(out->vma, out->addr, out->npages);
	uvmem_out_init(out, &mig, fault_page);
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

/**
 * uvmem_out_run() - move a run of pages
 * @out: the run
 * @pfns: scratch memory
 *
 * Context: as uvmem_out_pages(). Return: as that.
 */
int uvmem_out_run(struct page_out *out, const struct uvmem_pfns *pfns)
{
	page_out_use(out, pfns);
	memset(pfns->dst, 0, out->npages * sizeof(pfns->dst[0]));
	return uvmem_out_pages(out, NULL);
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

	return uvmem_out_run(&out, pfns);
}

/**
 * uvmem_page_out_stray() - move the device page of a GFN, wherever it is mapped
 * @slot: the memslot
 * @gfn: a GFN of @slot in state UVMEM
 * @reason: why
 *
 * For pages that are not at their place in H: remapped, or left in a child. If it is
 * part of a block, all of that moves.
 *
 * Context: no stripe held.
 * Return: 0, also if the page could not be moved now; -ENOMEM.
 */
int uvmem_page_out_stray(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	struct mutex *stripe = uvmem_stripe(slot->svm, gfn);
	unsigned long src = 0, dst = 0;
	u64 ra;
	s64 rc;
	struct page_out out = {
		.slot = slot, .gfn = gfn, .npages = 1, .reason = reason,
		.start_ns = uvmem_gfn_clock(), .src = &src, .dst = &dst, .ra = &ra, .rc = &rc,
	};
	struct page *page;
	int ret = 0;

	mutex_lock(stripe);
	if (uvmem_block_folio(slot, gfn)) {
		mutex_unlock(stripe);
		return uvmem_out_stray_block(&out);
	}
	page = uvmem_gfn_page(slot, gfn);
	if (page) {
		migrate_device_range(&src, page_to_pfn(page), 1);
		ret = move_and_fill(&out, NULL);
		migrate_device_finalize(&src, &dst, 1);
	}
	mutex_unlock(stripe);
	return ret;
}
