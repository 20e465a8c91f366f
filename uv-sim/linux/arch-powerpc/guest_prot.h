/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protection of an entry of the guest view, 64-bit powerpc with radix: readable
 * and writable, as KVM-HV wants it, but out of reach of user mode. KVM-HV
 * copies the entry into the guest's partition-scoped table, where the
 * privileged bit has no effect.
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
	return __pgprot(pgprot_val(vma_prot) | _PAGE_PRIVILEGED | _PAGE_RW);
}

#endif /* _UVSIM_GUEST_PROT_H */
