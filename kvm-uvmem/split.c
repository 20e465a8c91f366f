// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios of H that are to be split: migrate_vma_setup() does it for whom it meets.
 *
 * In Linux 6.12 it knows huge entries only, not folios that are mapped by pages. And a
 * second call that meets the same huge entry at that moment does not get the folio's lock,
 * and leaves behind the reference that it took: the folio cannot be split then, now or ever,
 * but the entry is one for each page, and none of them can be migrated any more. So, where
 * blocks do not move as a whole, the huge entries of a range are split here, one at a time,
 * before anything else is done with it.
 *
 * Others may hold a reference just then (a pin, reclaim), with the same end. A VMM does well
 * to have no huge pages in H there: MADV_NOHUGEPAGE. While a VM is secure it gets no new ones
 * (memslot.c).
 *
 * Locks: mmap lock (read); a stripe may be held; split_lock, inside it.
 */
#include "uvmem.h"

static DEFINE_MUTEX(split_lock);

/* Moves nothing, and splits what the page at @addr is part of. */
static void split(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long src = 0, dst = 0;
	struct migrate_vma mig = {
		.vma = vma,
		.start = addr,
		.end = addr + PAGE_SIZE,
		.src = &src,
		.dst = &dst,
		.pgmap_owner = uvmem_pool_owner(),
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};

	if (!migrate_vma_setup(&mig))
		migrate_vma_finalize(&mig);
}

/**
 * uvmem_split_at() - split the folio of H that a page is part of, if that can be
 * @vma: the VMA that holds it
 * @addr: address of the page
 *
 * Context: mmap lock (read); a stripe may be held.
 */
void uvmem_split_at(struct vm_area_struct *vma, unsigned long addr)
{
	mutex_lock(&split_lock);
	split(vma, addr);
	mutex_unlock(&split_lock);
}

/**
 * uvmem_split_huge() - have no huge entry in a range of H where blocks do not move
 * @vma: the VMA that holds it, or NULL: pages that are anywhere
 * @addr: start of the range
 * @npages: number of pages
 *
 * Context: mmap lock (read); a stripe may be held.
 */
void uvmem_split_huge(struct vm_area_struct *vma, unsigned long addr, unsigned long npages)
{
	unsigned long end = addr + (npages << PAGE_SHIFT);

	if (UVMEM_HUGE_ORDER || !vma)
		return;
	for (; addr < end; addr = pmd_addr_end(addr, end)) {
		if (!uvmem_huge_entry(vma->vm_mm, addr))
			continue;
		mutex_lock(&split_lock);
		if (uvmem_huge_entry(vma->vm_mm, addr))
			split(vma, addr);
		mutex_unlock(&split_lock);
	}
}
