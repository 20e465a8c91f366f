// SPDX-License-Identifier: GPL-2.0
/*
 * A termination takes the device pages out of H: their content is gone, and who touches
 * memory that is not there gets zeros. Nothing is allocated, so that the end of an SVM
 * cannot fail for want of memory, and gives back what it had.
 *
 * Only what is plainly one of H's own entries is taken: those of a page that stands for
 * this GFN, at its place, and that no other process maps. What else there is - remapped,
 * left to a child, in a large folio, in memory that is locked or watched by userfaultfd -
 * is moved out as ever (drop.c).
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
	struct page *page;

	if (uvmem_gfn_state(slot, gfn) != UVMEM_GFN_UVMEM)
		return false;
	page = uvmem_devpage((u32)uvmem_gfn_value(slot, gfn));
	return page_ref_count(page) == 1 && !folio_test_large(page_folio(page)) &&
	       uvmem_device_entry(slot->svm->mm, uvmem_slot_hva(slot, gfn)) == page;
}

/* With the stripes held. */
static void unmap_run(struct uvmem_slot *slot, struct vm_area_struct *vma, u64 gfn, u64 n)
{
	u64 i;

	for (i = gfn; i < gfn + n; i++) {
		uvmem_devpage_detach(uvmem_devpage((u32)uvmem_gfn_value(slot, i)));
		uvmem_gfn_set(slot, i, UVMEM_GFN_NORMAL, 0, UVMEM_R_TERMINATE, 0);
	}
	uvmem_zap(vma, uvmem_slot_hva(slot, gfn), n << PAGE_SHIFT);
}

/* GFNs of one block, all of them in @vma. */
static void unmap_in_vma(struct uvmem_slot *slot, struct vm_area_struct *vma, u64 gfn, u64 n)
{
	u64 end = gfn + n, block = round_down(gfn, UVMEM_BLOCK_MAX), first;

	vma_start_write(vma);
	uvmem_block_lock(slot->svm, block);
	while (gfn < end) {
		for (first = gfn; gfn < end && is_in_place(slot, gfn); gfn++)
			;
		if (gfn > first)
			unmap_run(slot, vma, first, gfn - first);
		else
			gfn++;
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

static bool any_resident(const struct uvmem_slot *slot, u64 gfn, u64 n)
{
	return uvmem_leaf_is_mixed(slot, gfn) && uvmem_first_resident(slot, gfn, n) < gfn + n;
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
		if (any_resident(slot, gfn, n)) {
			unmap_some(slot, gfn, n);
			left |= any_resident(slot, gfn, n);
		}
		cond_resched();
	}
	return left;
}
