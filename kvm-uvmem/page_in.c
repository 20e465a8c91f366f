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
 * Locks: mmap lock (read), then the stripe of the run.
 */
#include <linux/slab.h>

#include "page_in.h"

/* Shall this page move? Notes the holes that are left alone. */
static bool wanted(struct page_in *in, unsigned long i)
{
	enum uvmem_gfn_state state = uvmem_gfn_state(in->slot, in->gfn + i);
	struct page *page = migrate_pfn_to_page(in->pfns->src[i]);

	if (!(in->pfns->src[i] & MIGRATE_PFN_MIGRATE) || (page && !uvmem_is_h_page(page)))
		return false;
	if (!page && in->touched_only) {
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
		in->pfns->ra[i] = UVSIM_NO_RA;
		if (!wanted(in, i) || uvmem_should_fail(UVMEM_FAIL_SETUP))
			continue;
		dpage = uvmem_devpage_alloc(in->slot, in->gfn + i);
		if (!dpage) {
			in->error = in->error ?: H_BUSY;
			continue;
		}
		in->pfns->dst[i] = migrate_pfn(page_to_pfn(dpage));
		/* A hole has no content: the ultravisor knows that it reads as zeros. */
		spage = migrate_pfn_to_page(in->pfns->src[i]);
		if (spage && in->copy)
			in->pfns->ra[i] = uvmem_page_ra(spage);
	}
}

/* The device page of a page that stays where it is. */
static void drop_device_page(struct page_in *in, unsigned long i)
{
	struct page *dpage = migrate_pfn_to_page(in->pfns->dst[i]);

	in->pfns->dst[i] = 0;
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
			UV_SIM_PAGE_IN_SECURE, in->pfns->ra, in->pfns->rc, in->npages, in->alone);
	for (i = 0; i < in->npages; i++) {
		if (in->pfns->ra[i] == UVSIM_NO_RA || in->pfns->rc[i] == U_SUCCESS)
			continue;
		uvmem_devpage_detach(migrate_pfn_to_page(in->pfns->dst[i]));
		drop_device_page(in, i);
		in->error = in->error ?: (in->pfns->rc[i] == U_BUSY ? H_BUSY : H_PARAMETER);
	}
}

/**
 * uvmem_in_take_back() - the ultravisor has a page, but the struct page did not move
 * @in: the migration
 * @i: which page
 * @dpage: the device page that was to stand for it
 *
 * Have the content sealed back into it, while nobody can see it.
 *
 * Context: between migrate_vma_setup() and migrate_vma_finalize(); the stripe held.
 */
void uvmem_in_take_back(struct page_in *in, unsigned long i, struct page *dpage)
{
	struct page *spage = migrate_pfn_to_page(in->pfns->src[i]);
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

/**
 * uvmem_in_fail() - take a reference that makes migrate_vma_pages() give up, if asked to
 * @in: the migration
 *
 * Context: right before migrate_vma_pages(); the caller puts it right after that.
 * Return: the page it is of, or NULL.
 */
struct page *uvmem_in_fail(struct page_in *in)
{
	unsigned long i;

	for (i = 0; i < in->npages; i++) {
		struct page *spage = migrate_pfn_to_page(in->pfns->src[i]);

		if (in->pfns->dst[i] && spage && uvmem_should_fail(UVMEM_FAIL_PAGES)) {
			get_page(spage);
			return spage;
		}
	}
	return NULL;
}

/**
 * uvmem_in_moved() - a page is in secure memory
 * @in: the migration
 * @i: which page
 * @dpage: the device page that stands for it
 *
 * Context: between migrate_vma_pages() and migrate_vma_finalize(); the stripe held.
 */
void uvmem_in_moved(struct page_in *in, unsigned long i, struct page *dpage)
{
	uvmem_gfn_set(in->slot, in->gfn + i, UVMEM_GFN_UVMEM,
		      UVMEM_DEVICE(uvmem_devpage_index(dpage), in->stamp), in->reason,
		      in->start_ns);
	uvmem_count(&in->slot->svm->count->page_ins);
}

static void migrate_in(struct page_in *in)
{
	struct page *extra;
	unsigned long i;

	alloc_device_pages(in);
	copy_pages_in(in);
	for (i = 0; i < in->npages; i++) {
		if (in->pfns->dst[i] && uvmem_should_fail(UVMEM_FAIL_COPY)) {
			uvmem_in_take_back(in, i, migrate_pfn_to_page(in->pfns->dst[i]));
			drop_device_page(in, i);
		}
	}
	extra = uvmem_in_fail(in);
	migrate_vma_pages(&in->mig);
	if (extra)
		put_page(extra);

	for (i = 0; i < in->npages; i++) {
		struct page *dpage = migrate_pfn_to_page(in->pfns->dst[i]);

		if (!dpage)
			continue;
		if (!(in->pfns->src[i] & MIGRATE_PFN_MIGRATE)) {
			uvmem_in_take_back(in, i, dpage);
			continue;
		}
		uvmem_in_moved(in, i, dpage);
	}
}

/**
 * uvmem_in_look() - tell what was seen of the pages that went along with others
 * @in: the pages that are about to move
 *
 * Context: mmap lock (read) and the stripes held, while it still shows.
 */
void uvmem_in_look(struct page_in *in)
{
	unsigned long i;

	for (i = 0; i < in->npages; i++)
		if (uvmem_gfn_state(in->slot, in->gfn + i) == UVMEM_GFN_MEM &&
		    uvmem_gfn_value(in->slot, in->gfn + i) == UVMEM_MEM_ALONG)
			uvmem_around_returns(in->slot, in->gfn + i);
}

/**
 * uvmem_in_init() - what migrate_vma_setup() is to be called with: in->mig
 * @in: the pages
 * @vma: the VMA that holds them
 * @addr: of the first one
 *
 * Context: mmap lock (read) and the stripes of the pages held.
 */
void uvmem_in_init(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	memset(in->pfns->dst, 0, in->npages * sizeof(in->pfns->dst[0]));
	in->mig = (struct migrate_vma) {
		.vma = vma,
		.start = addr,
		.end = addr + (in->npages << PAGE_SHIFT),
		.src = in->pfns->src,
		.dst = in->pfns->dst,
		.pgmap_owner = uvmem_pool_owner(),
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};
	in->start_ns = uvmem_gfn_clock();
	uvmem_count(&in->slot->svm->count->migrate_calls);
}

/**
 * uvmem_in_untouched() - how many pages did nobody ever touch?
 * @vma: the VMA that holds the first one
 * @addr: of the first one
 * @most: number of pages that are asked about
 *
 * Context: mmap lock (read).
 * Return: so many from @addr on, in @vma, as far as one can see at a glance; those that
 * follow may be untouched, too.
 */
u64 uvmem_in_untouched(struct vm_area_struct *vma, unsigned long addr, u64 most)
{
	unsigned long end = addr + (min_t(u64, most, (vma->vm_end - addr) >> PAGE_SHIFT)
				    << PAGE_SHIFT);

	if (!vma_is_anonymous(vma))
		return 0;
	return (uvmem_untouched_end(vma->vm_mm, addr, end) - addr) >> PAGE_SHIFT;
}

/**
 * uvmem_in_run() - page in a run
 * @in: the run
 * @vma: the VMA that holds it
 * @addr: of the first page
 *
 * What did not move is where it was, and was left alone if it is in in->holes.
 *
 * Context: mmap lock (read) and the stripe held.
 * Return: 0, or -errno if H cannot be migrated at all.
 */
int uvmem_in_run(struct page_in *in, struct vm_area_struct *vma, unsigned long addr)
{
	int ret;

	bitmap_zero(in->holes, UVMEM_RUN_MAX);
	if (in->touched_only && uvmem_in_untouched(vma, addr, in->npages) == in->npages) {
		bitmap_fill(in->holes, in->npages);
		return 0;
	}
	uvmem_split_huge(vma, addr, in->npages);
	uvmem_in_init(in, vma, addr);
	uvmem_in_look(in);
	ret = migrate_vma_setup(&in->mig);
	if (ret)
		return ret;
	if (in->mig.cpages)
		migrate_in(in);
	migrate_vma_finalize(&in->mig);
	return 0;
}

/**
 * uvmem_in_free() - the opposite of uvmem_in_alloc()
 * @in: from there
 */
void uvmem_in_free(struct page_in *in)
{
	kvfree(in->pfns);
	kfree(in);
}

/**
 * uvmem_in_alloc() - memory for migrations, one after the other
 * @npages: pages that one is of, at most
 *
 * Return: zeros but for the scratch memory; or NULL.
 */
struct page_in *uvmem_in_alloc(unsigned long npages)
{
	struct page_in *in = kzalloc(sizeof(*in), GFP_KERNEL);

	if (!in)
		return NULL;
	in->pfns = uvmem_pfns_alloc(npages, GFP_KERNEL);
	if (!in->pfns) {
		kfree(in);
		return NULL;
	}
	return in;
}
