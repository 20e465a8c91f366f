/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this is built for, 6.12 and 7.2: device-private
 * memory speaks of folios since 6.19.
 */
#ifndef _UVMEM_COMPAT_H
#define _UVMEM_COMPAT_H

#include <linux/memremap.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)

static inline void uvmem_device_page_init(struct page *page, struct dev_pagemap *pgmap)
{
	zone_device_page_init(page, pgmap, 0);
}

/* Defines FN_folio(), for .folio_free, around FN(struct page *). */
#define UVMEM_FREE_CALLBACK(fn)				\
	static void fn##_folio(struct folio *folio)	\
	{						\
		fn(folio_page(folio, 0));		\
	}
#define UVMEM_FREE_OP(fn)	.folio_free = fn##_folio

#else

static inline void uvmem_device_page_init(struct page *page, struct dev_pagemap *pgmap)
{
	zone_device_page_init(page);
}

#define UVMEM_FREE_CALLBACK(fn)
#define UVMEM_FREE_OP(fn)	.page_free = fn

#endif

#endif /* _UVMEM_COMPAT_H */
