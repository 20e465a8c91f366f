// SPDX-License-Identifier: GPL-2.0
/*
 * A termination takes the device pages out of H: their content is gone, and who touches
 * memory that is not there gets zeros. Nothing is allocated, so that the end of an SVM
 * cannot fail for want of memory, and gives back what it had.
 *
 * Only what is plainly one of H's own entries is taken: those of a page that stands for
 * this GFN, at its place, and that no other process maps; or of a block, if it is one
 * still. What else there is - remapped, left to a child, a part of a block, in memory that
 * is locked or watched by userfaultfd - is moved out as ever (drop.c).
 *
 * The mmap lock is held for writing: between the look at an entry and its end nobody may
 * drop the page and write another one there.
 *
 * Locks: mmap lock (write), VMA (write), then the stripes of a block.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/userfaultfd_k.h>

#include "uvmem.h"

/* Memory of which a part may be missing. */
static bool may_be_unmapped(const struct vm_area_struct *vma)
{
	return vma_is_anonymous((struct vm_area_struct *)vma) && !(vma->vm_flags & VM_LOCKED) &&
	       !userfaultfd_armed((struct vm_area_struct *)vma);
}

/* With the stripe held. */
static bool is_in_place(const struct uvmem_slot *slot, u64 gfn)
{
	struct page *page = uvmem_gfn_page(slot, gfn);

	return page && page_ref_count(page) == 1 && !folio_test_large(page_folio(page)) &&
	       uvmem_device_entry(slot->svm->mm, uvmem_slot_hva(slot, gfn)) == page;
}

/* Is it the first GFN of a block that H has with one entry? With its stripes held. */
static bool block_is_in_place(const struct uvmem_slot *slot, const struct vm_area_struct *vma,
			      u64 gfn, u64 max)
{
	unsigned long addr = uvmem_slot_hva(slot, gfn);
	struct folio *folio;

	if (!uvmem_is_block(slot, gfn, vma, addr, max))
		return false;
	folio = uvmem_block_folio(slot, gfn);
	return folio && folio_ref_count(folio) == 1 &&
	       uvmem_device_block(slot->svm->mm, addr) == folio_page(folio, 0);
}

/* GFNs from @gfn on, @max at most, whose pages are in place. */
static u64 in_place(const struct uvmem_slot *slot, const struct vm_area_struct *vma, u64 gfn,
		    u64 max)
{
	u64 n = 0;

	if (block_is_in_place(slot, vma, gfn, max))
		return UVMEM_BLOCK_MAX;
	while (n < max && is_in_place(slot, gfn + n))
		n++;
	return n;
}

/* With the stripes held. */
static void unmap_run(struct uvmem_slot *slot, struct vm_area_struct *vma, u64 gfn, u64 n)
{
	u64 i;

	for (i = gfn; i < gfn + n; i++) {
		uvmem_devpage_detach(uvmem_gfn_page(slot, i));
		uvmem_gfn_set(slot, i, UVMEM_GFN_NORMAL, 0, UVMEM_R_TERMINATE, 0);
	}
	uvmem_zap(vma, uvmem_slot_hva(slot, gfn), n << PAGE_SHIFT);
}

/* GFNs of one block, all of them in @vma. */
static void unmap_in_vma(struct uvmem_slot *slot, struct vm_area_struct *vma, u64 gfn, u64 n)
{
	u64 end = gfn + n, block = round_down(gfn, UVMEM_BLOCK_MAX);

	vma_start_write(vma);
	uvmem_block_lock(slot->svm, block);
	for (; gfn < end; gfn += n ?: 1) {
		n = in_place(slot, vma, gfn, end - gfn);
		if (n)
			unmap_run(slot, vma, gfn, n);
	}
	uvmem_block_unlock(slot->svm, block);
}

/* GFNs of one block. */
static void unmap_some(struct uvmem_slot *slot, u64 gfn, u64 n)
{
	struct mm_struct *mm = slot->svm->mm;
	struct vm_area_struct *vma;
	u64 end = gfn + n;

	mmap_write_lock(mm);
	for (; gfn < end; gfn += n) {
		vma = vma_lookup(mm, uvmem_slot_hva(slot, gfn));
		n = vma ? (vma->vm_end - uvmem_slot_hva(slot, gfn)) >> PAGE_SHIFT : 1;
		n = min(n, end - gfn);
		if (vma && may_be_unmapped(vma))
			unmap_in_vma(slot, vma, gfn, n);
	}
	mmap_write_unlock(mm);
}

/**
 * uvmem_unmap_slot() - take the device pages of a memslot out of H, for its termination
 * @slot: the memslot; the ultravisor has let go of it, or of the VM
 *
 * Their GFNs become Normal.
 *
 * Context: @slot->svm->lock and a reference to the mm held, no mmap lock; sleeps.
 * Return: true if there are others, which are to be moved out.
 */
bool uvmem_unmap_slot(struct uvmem_slot *slot)
{
	u64 gfn = slot->base_gfn, end = gfn + slot->npages, n;
	bool left = false;

	for (; gfn < end; gfn += n) {
		n = min(round_down(gfn, UVMEM_BLOCK_MAX) + UVMEM_BLOCK_MAX, end) - gfn;
		if (uvmem_any_resident(slot, gfn, n)) {
			unmap_some(slot, gfn, n);
			left |= uvmem_any_resident(slot, gfn, n);
		}
		cond_resched();
	}
	return left;
}
