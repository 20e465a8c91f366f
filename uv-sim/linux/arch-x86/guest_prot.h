/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protection of an entry of the guest view, x86: present and writable, as
 * KVM's page-table walk wants it, but out of reach of user mode.
 */
#ifndef _UVSIM_GUEST_PROT_H
#define _UVSIM_GUEST_PROT_H

#include <linux/pgtable.h>

/*
 * The writable bit is set by hand because dirty tracking may have taken it out
 * of the VMA's protection.
 */
static inline pgprot_t uvsim_guest_prot(pgprot_t vma_prot)
{
	return __pgprot((pgprot_val(vma_prot) & ~(pgprotval_t)_PAGE_USER) | _PAGE_RW);
}

/* KVM's mmu notifier has flushed every CPU before an unmap returns. */
static inline void uvsim_guest_flush(void)
{
}

#endif /* _UVSIM_GUEST_PROT_H */
