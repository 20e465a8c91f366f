// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's memory as the ultravisor sees it: secure memory, which is a
 * fixed set of pages taken from the kernel at load time, and normal memory,
 * which is every other page of RAM.
 *
 * A secure page is never mapped into a process except through the guest view.
 * It carries a mark in page->private by which a real address that a hypervisor
 * passes in is recognized as secure at once, without a search. Nothing else in
 * the kernel looks at that field: the pages are on no LRU and have no mapping.
 *
 * No locks: the set is constant from load to unload. Needs a 64-bit kernel,
 * where all RAM has an address in the linear map.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "internal.h"

static struct page **secure_pages;
static unsigned long nr_secure_pages;	/* that are allocated */

static unsigned long secure_mark(void)
{
	return (unsigned long)&secure_pages;
}

static bool is_secure(struct page *page)
{
	return PagePrivate(page) && page_private(page) == secure_mark();
}

/* Whole blocks while there are any; single pages must not call the OOM killer. */
static struct page *alloc_block(unsigned int *order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;
	struct page *page;

	for (; *order; --*order) {
		page = alloc_pages(gfp | __GFP_NORETRY, *order);
		if (page)
			return page;
	}
	return alloc_pages(gfp | __GFP_RETRY_MAYFAIL, 0);
}

/*
 * KVM takes a reference to the page that its guest touched, so each has its own count. Older
 * releases of 6.12 gave it back to the first page of the block that they mapped instead; of
 * reserved pages KVM takes none. But VFIO would give a device any reserved page that it
 * finds in a page table, without telling us: where KVM does it right none is reserved.
 */
static void adopt_block(struct page *page, unsigned int order)
{
	unsigned long i;

	if (order)
		split_page(page, order);
	for (i = 0; i < 1UL << order; i++) {
		if (UVSIM_RESERVE_SECMEM)
			SetPageReserved(page + i);
		SetPagePrivate(page + i);
		set_page_private(page + i, secure_mark());
		secure_pages[nr_secure_pages++] = page + i;
	}
}

/**
 * uvsim_secmem_init() - set up secure memory
 * @npages: its size; may be 0
 *
 * Return: 0 or -ENOMEM, and then nothing is allocated.
 */
int uvsim_secmem_init(unsigned long npages)
{
	unsigned int order = MAX_PAGE_ORDER;
	struct page *page;

	if (!npages)
		return 0;
	secure_pages = kvcalloc(npages, sizeof(*secure_pages), GFP_KERNEL);
	if (!secure_pages)
		return -ENOMEM;

	while (nr_secure_pages < npages) {
		order = min_t(unsigned int, order, ilog2(npages - nr_secure_pages));
		page = alloc_block(&order);
		if (!page) {
			uvsim_secmem_exit();
			return -ENOMEM;
		}
		adopt_block(page, order);
		cond_resched();
	}
	return 0;
}

/* Wipes what it frees: whoever gets these pages next must find nothing. */
void uvsim_secmem_exit(void)
{
	struct page *page;

	while (nr_secure_pages) {
		page = secure_pages[--nr_secure_pages];
		clear_highpage(page);
		set_page_private(page, 0);
		ClearPagePrivate(page);
		if (UVSIM_RESERVE_SECMEM)
			ClearPageReserved(page);
		__free_page(page);
		cond_resched();
	}
	kvfree(secure_pages);
	secure_pages = NULL;
}

void *uvsim_secmem_page(void *ctx, u32 n)
{
	return page_address(secure_pages[n]);
}

unsigned long uvsim_secmem_pfn(u32 n)
{
	return page_to_pfn(secure_pages[n]);
}

/**
 * uvsim_secmem_block_is_whole() - uv_port.block_is_whole
 * @ctx: unused
 * @first: number of the first page
 */
bool uvsim_secmem_block_is_whole(void *ctx, u32 first)
{
	unsigned long n = 1UL << uvsim_block_shift(), pfn = uvsim_secmem_pfn(first), i;

	for (i = 1; i < n && uvsim_secmem_pfn(first + i) == pfn + i; i++)
		;
	return i == n && IS_ALIGNED(pfn, n);
}

/*
 * The page of normal memory at @ra, or NULL. The caller of the ultracall must
 * have pinned it (ultravisor.rst, UV_PAGE_IN): a page that nobody holds, or
 * that was taken out of the linear map, is no memory of the hypervisor's.
 */
static struct page *normal_page(u64 ra)
{
	struct page *page;
	u8 probe;

	if (!PAGE_ALIGNED(ra))
		return NULL;
	page = pfn_to_online_page(PHYS_PFN(ra));
	if (!page || is_zone_device_page(page) || PageReserved(page) ||
	    PageHWPoison(page) || !page_count(page) || is_secure(page))
		return NULL;
	if (get_kernel_nofault(probe, (u8 *)page_address(page)))
		return NULL;
	return page;
}

/**
 * uvsim_ra_is_normal() - is there a page of normal memory at a real address?
 * @ra: real address in bytes; anything may be passed
 */
bool uvsim_ra_is_normal(u64 ra)
{
	return normal_page(ra);
}

/* The hypervisor is to pin what it shares; upstream's does not. */
bool uvsim_ra_get(void *ctx, u64 ra)
{
	struct page *page = normal_page(ra);
	struct folio *folio;

	if (!page)
		return false;
	folio = page_folio(page);
	if (!folio_try_get(folio))
		return false;
	if (page_folio(page) == folio)
		return true;
	folio_put(folio);	/* it was split meanwhile */
	return false;
}

void uvsim_ra_put(void *ctx, u64 ra)
{
	put_page(pfn_to_page(PHYS_PFN(ra)));
}

/* uv_port.map; the linear map is always there, so that nothing has to be unmapped. */
void *uvsim_map(void *ctx, u64 ra, bool write)
{
	struct page *page = normal_page(ra);

	return page ? page_address(page) : NULL;
}
