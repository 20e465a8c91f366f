/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels that this is built for, 6.12 and 7.2. */
#ifndef _UVSIM_COMPAT_H
#define _UVSIM_COMPAT_H

#include <linux/version.h>

/* struct folio_batch */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#include <linux/mm.h>

/* vmf_insert_pfn_pmd(), for writing */
static inline vm_fault_t uvsim_insert_pmd(struct vm_fault *vmf, unsigned long pfn)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return vmf_insert_pfn_pmd(vmf, pfn, true);
#else
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), true);
#endif
}
#endif

/* See secmem.c. */
#define UVSIM_RESERVE_SECMEM	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 95))

#endif /* _UVSIM_COMPAT_H */
