/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this is built for, 6.12 and 7.2: device-private
 * memory speaks of folios since 6.19, and they can be large.
 */
#ifndef _UVMEM_COMPAT_H
#define _UVMEM_COMPAT_H

#include <linux/gfp.h>
#include <linux/huge_mm.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/version.h>

/*
 * Order of the folios that move as a whole (huge.c), or 0: never. Only where a page
 * table entry of the next level up is one block of GFNs, and where the kernel counts
 * how often each page of a folio is mapped.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0) && PAGE_SHIFT == 12 && \
	defined(CONFIG_ARCH_ENABLE_THP_MIGRATION) && !defined(CONFIG_NO_PAGE_MAPCOUNT)
#define UVMEM_HUGE_ORDER	9
#define UVMEM_SELECT_COMPOUND	MIGRATE_VMA_SELECT_COMPOUND
#define UVMEM_PFN_COMPOUND	MIGRATE_PFN_COMPOUND
#define uvmem_huge_kernel()	(HPAGE_PMD_ORDER == UVMEM_HUGE_ORDER)
#else
#define UVMEM_HUGE_ORDER	0
#define UVMEM_SELECT_COMPOUND	0
#define UVMEM_PFN_COMPOUND	0
#define uvmem_huge_kernel()	false
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)

#include <linux/leafops.h>

/*
 * migrate_to_ram() is called with the folio locked, which migrate_vma_setup() waits for
 * when it has to split it.
 */
#define UVMEM_TOUCH_HAS_LOCK	true

/* The device page that an entry of a page table is for, or NULL. */
static inline struct page *uvmem_pte_device_page(pte_t pte)
{
	softleaf_t leaf = softleaf_from_pte(pte);

	return softleaf_is_device_private(leaf) ? softleaf_to_page(leaf) : NULL;
}

/* The same one level up: the first page of the folio. */
static inline struct page *uvmem_pmd_device_page(pmd_t pmd)
{
	return pmd_is_device_private_entry(pmd) ? softleaf_to_page(softleaf_from_pmd(pmd)) :
						  NULL;
}

/* Fills @pages, which are NULL, from the first on. Returns how many. */
static inline unsigned long uvmem_alloc_pages(gfp_t gfp, unsigned long n, struct page **pages)
{
	return alloc_pages_bulk(gfp, n, pages);
}

static inline void uvmem_zap(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long bytes)
{
	zap_vma_range(vma, addr, bytes);
}

static inline void uvmem_device_folio_init(struct page *page, struct dev_pagemap *pgmap,
					   unsigned int order)
{
	zone_device_folio_init((struct folio *)page, pgmap, order);
}

/* Defines FN_folio(), for .folio_free, around FN(struct page *, order). */
#define UVMEM_FREE_CALLBACK(fn)						\
	static void fn##_folio(struct folio *folio)			\
	{								\
		fn(folio_page(folio, 0), folio_order(folio));		\
	}
#define UVMEM_FREE_OP(fn)	.folio_free = fn##_folio

/* Defines FN_folio(), for .folio_split, around FN(struct page *head, *tail). */
#define UVMEM_SPLIT_CALLBACK(fn)					\
	static void fn##_folio(struct folio *head, struct folio *tail)	\
	{								\
		if (!tail)						\
			return;						\
		tail->pgmap = head->pgmap;				\
		tail->mapping = head->mapping;				\
		fn(folio_page(head, 0), folio_page(tail, 0));		\
	}
#define UVMEM_SPLIT_OP(fn)	.folio_split = fn##_folio,

/* A folio of UVMEM_HUGE_ORDER for @addr of @vma, or for any place. */
static inline struct folio *uvmem_alloc_huge(struct vm_area_struct *vma, unsigned long addr,
					     gfp_t gfp)
{
	return vma ? vma_alloc_folio(gfp, UVMEM_HUGE_ORDER, vma, addr) :
		     folio_alloc(gfp, UVMEM_HUGE_ORDER);
}

#else

#include <linux/swapops.h>

#define UVMEM_TOUCH_HAS_LOCK	false

static inline struct page *uvmem_pte_device_page(pte_t pte)
{
	swp_entry_t entry;

	if (pte_none(pte) || pte_present(pte))
		return NULL;
	entry = pte_to_swp_entry(pte);
	return is_device_private_entry(entry) ? pfn_swap_entry_to_page(entry) : NULL;
}

static inline struct page *uvmem_pmd_device_page(pmd_t pmd)
{
	return NULL;
}

static inline unsigned long uvmem_alloc_pages(gfp_t gfp, unsigned long n, struct page **pages)
{
	return alloc_pages_bulk_array(gfp, n, pages);
}

static inline void uvmem_zap(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long bytes)
{
	zap_page_range_single(vma, addr, bytes, NULL);
}

static inline void uvmem_device_folio_init(struct page *page, struct dev_pagemap *pgmap,
					   unsigned int order)
{
	zone_device_page_init(page);
}

#define UVMEM_FREE_CALLBACK(fn)						\
	static void fn##_page(struct page *page)			\
	{								\
		fn(page, 0);						\
	}
#define UVMEM_FREE_OP(fn)	.page_free = fn##_page

#define UVMEM_SPLIT_CALLBACK(fn)
#define UVMEM_SPLIT_OP(fn)

static inline struct folio *uvmem_alloc_huge(struct vm_area_struct *vma, unsigned long addr,
					     gfp_t gfp)
{
	return NULL;
}

#endif

#endif /* _UVMEM_COMPAT_H */
