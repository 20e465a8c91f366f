/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protection of an entry of the guest view, 64-bit powerpc with radix: readable
 * and writable, as KVM-HV wants it, but out of reach of user mode. KVM-HV
 * copies the entry into the guest's partition-scoped table, where the
 * privileged bit has no effect. Also what it takes to get rid of an entry.
 */
#ifndef _UVSIM_GUEST_PROT_H
#define _UVSIM_GUEST_PROT_H

#include <linux/pgtable.h>
#include <linux/smp.h>
#include <asm/cputable.h>

/*
 * The writable bit is set by hand because dirty tracking may have taken it out
 * of the VMA's protection. The others are what the kernel sets in an entry that
 * a write fault finds in place already (ptep_set_access_flags()), and what
 * vmf_insert_pfn_pmd() sets: an entry must not change while KVM-HV has a copy,
 * which warns of a difference in the soft-dirty bit (kvmppc_create_pte()).
 */
static inline pgprot_t uvsim_guest_prot(pgprot_t vma_prot)
{
	return __pgprot(pgprot_val(vma_prot) | _PAGE_PRIVILEGED | _PAGE_RW | _PAGE_ACCESSED |
			_PAGE_DIRTY | _PAGE_SOFT_DIRTY);
}

/*
 * An entry is gone when every CPU has forgotten it. A nested KVM-HV leaves that
 * to its own hypervisor (H_TLB_INVALIDATE), and QEMU's emulation of that
 * hypervisor only forgets when a CPU enters or leaves a guest. So each CPU is
 * made to leave.
 */
static inline void uvsim_guest_flush(void)
{
	if (!cpu_has_feature(CPU_FTR_HVMODE))
		kick_all_cpus_sync();
}

#endif /* _UVSIM_GUEST_PROT_H */
