// SPDX-License-Identifier: GPL-2.0
/*
 * Memslots: where each GFN is in H.
 *
 * Looked up through a maple tree under uvmem_srcu; changed with
 * uvmem_svm.lock held. A slot is freed when no reader and no device page
 * knows it any more. While a VM is secure its H is kept from KSM, as merging
 * would read every page of it, and, where huge pages cannot move, from being made
 * huge ones, which would read 512 of them.
 */
#include <linux/ksm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "uvmem.h"

/**
 * uvmem_slot_find() - the memslot of a GFN
 * @svm: the VM
 * @gfn: the GFN
 *
 * Context: inside uvmem_srcu or with @svm->lock held.
 * Return: the memslot, or NULL.
 */
struct uvmem_slot *uvmem_slot_find(struct uvmem_svm *svm, u64 gfn)
{
	return gfn > ULONG_MAX ? NULL : mtree_load(&svm->slots, gfn);
}

#define HUGE_ADVICE	(VM_HUGEPAGE | VM_NOHUGEPAGE)

/* @ksm: MADV_MERGEABLE, MADV_UNMERGEABLE, or 0: as it is. Called with the mmap lock (write). */
static int vma_advise(struct vm_area_struct *vma, int ksm, vm_flags_t huge)
{
	vm_flags_t flags = vma->vm_flags;
	int ret;

	vma_start_write(vma);
	ret = ksm ? ksm_madvise(vma, vma->vm_start, vma->vm_end, ksm, &flags) : 0;
	if (ret)
		return ret;
	if (!UVMEM_HUGE_ORDER)
		flags = (flags & ~HUGE_ADVICE) | huge;
	vm_flags_reset(vma, flags);
	return 0;
}

/*
 * Take H of a slot away from KSM, and from khugepaged where huge pages cannot move. Fails
 * if a part of H is not mapped, or is not private anonymous memory; then, too, what was
 * done is for slot_give_back() to undo. Takes the mmap lock for writing.
 */
static int slot_take_away(struct uvmem_slot *slot)
{
	unsigned long addr = slot->hva, end = addr + (slot->npages << PAGE_SHIFT);
	struct vm_area_struct *vma;
	int ret = 0;

	slot->advice = 0;
	mmap_write_lock(slot->svm->mm);
	while (addr < end && !ret) {
		vma = vma_lookup(slot->svm->mm, addr);
		if (!vma || !vma_is_anonymous(vma)) {
			ret = -EINVAL;
			break;
		}
		slot->advice |= vma->vm_flags & (VM_MERGEABLE | HUGE_ADVICE);
		ret = vma_advise(vma, MADV_UNMERGEABLE, VM_NOHUGEPAGE);
		addr = vma->vm_end;
	}
	slot->advised_end = addr;
	mmap_write_unlock(slot->svm->mm);
	return ret;
}

/*
 * Only what was taken away: another memslot may be in the same VMA, and have been first.
 * Where a part had VM_NOHUGEPAGE before, all keeps it. It ends where H is not mapped, since
 * the VMM may have unmapped parts. Takes the mmap lock for writing.
 */
static void slot_give_back(struct uvmem_slot *slot)
{
	unsigned long addr = slot->hva, end = slot->advised_end;
	int ksm = slot->advice & VM_MERGEABLE ? MADV_MERGEABLE : 0;
	bool huge = !UVMEM_HUGE_ORDER && !(slot->advice & VM_NOHUGEPAGE);
	struct vm_area_struct *vma;

	if (!ksm && !huge)
		return;
	mmap_write_lock(slot->svm->mm);
	while (addr < end) {
		vma = vma_lookup(slot->svm->mm, addr);
		if (!vma || !vma_is_anonymous(vma) ||
		    vma_advise(vma, ksm, (huge ? slot->advice : vma->vm_flags) & HUGE_ADVICE))
			break;
		addr = vma->vm_end;
	}
	mmap_write_unlock(slot->svm->mm);
}

/**
 * uvmem_slot_register() - tell the ultravisor about a memslot
 * @slot: the memslot
 *
 * Context: @slot->svm->lock held, no mmap lock.
 * Return: H_SUCCESS, or H_STATE if H is not all there or the ultravisor
 * refuses the slot.
 */
s64 uvmem_slot_register(struct uvmem_slot *slot)
{
	struct mm_struct *mm = slot->svm->mm;
	int ret;

	if (!mmget_not_zero(mm))
		return H_STATE;
	ret = slot_take_away(slot);
	if (!ret && uvsim_ucall(UV_REGISTER_MEM_SLOT, slot->svm->lpid,
				slot->base_gfn << PAGE_SHIFT, slot->npages << PAGE_SHIFT,
				0, slot->id) != U_SUCCESS)
		ret = -EINVAL;
	if (ret)
		slot_give_back(slot);
	mmput(mm);
	if (ret)
		return H_STATE;
	slot->registered = true;
	return H_SUCCESS;
}

/**
 * uvmem_slot_unregister() - undo uvmem_slot_register()
 * @slot: the memslot
 *
 * The ultravisor frees the secure pages of the slot and removes it from G.
 *
 * Context: @slot->svm->lock held, no mmap lock.
 */
void uvmem_slot_unregister(struct uvmem_slot *slot)
{
	struct mm_struct *mm = slot->svm->mm;

	if (!slot->registered)
		return;
	/* U_PARAMETER, U_P2: it is gone already, as after UV_SVM_TERMINATE. */
	while (uvsim_ucall(UV_UNREGISTER_MEM_SLOT, slot->svm->lpid, slot->id, 0, 0, 0) == U_BUSY)
		cond_resched();
	slot->registered = false;
	if (mmget_not_zero(mm)) {
		slot_give_back(slot);
		mmput(mm);
	}
}

/**
 * uvmem_slot_delete() - remove a memslot
 * @slot: the memslot; freed
 *
 * Of secure pages H has nothing afterwards, or zeros (drop.c); shared ones are unpinned.
 *
 * Context: @slot->svm->lock held, no mmap lock.
 */
void uvmem_slot_delete(struct uvmem_slot *slot)
{
	struct uvmem_svm *svm = slot->svm;

	mtree_erase(&svm->slots, slot->base_gfn);
	WRITE_ONCE(svm->nslots, svm->nslots - 1);
	synchronize_srcu(&uvmem_srcu);	/* page-ins and shares that found it */

	uvmem_slot_unregister(slot);
	uvmem_drop_slot(slot, UVMEM_R_TERMINATE);
	mmu_interval_notifier_remove(&slot->notifier);
	synchronize_srcu(&uvmem_srcu);	/* host faults on its device pages */
	uvmem_ahead_exit(slot);
	uvmem_pool_settle();		/* others who dropped its device pages */

	this_cpu_sub(svm->count->states[UVMEM_GFN_NORMAL], slot->npages);
	uvmem_gfn_table_free(slot);
	kfree(slot);
}

static int slot_check(struct uvmem_svm *svm, const struct uvmem_memslot *req)
{
	u64 first = req->guest_phys_addr >> PAGE_SHIFT;
	u64 last = first + (req->memory_size >> PAGE_SHIFT) - 1;
	unsigned long gfn = 0;
	struct uvmem_slot *slot;

	if ((req->guest_phys_addr | req->memory_size | req->userspace_addr) & ~PAGE_MASK)
		return -EINVAL;
	if (req->guest_phys_addr + req->memory_size < req->guest_phys_addr ||
	    req->userspace_addr + req->memory_size < req->userspace_addr)
		return -EINVAL;
	if (!access_ok((void __user *)(unsigned long)req->userspace_addr, req->memory_size))
		return -EINVAL;

	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX) {
		unsigned long end = slot->hva + (slot->npages << PAGE_SHIFT);

		if (slot->id == req->slot)
			return -EEXIST;
		if (first < slot->base_gfn + slot->npages && last >= slot->base_gfn)
			return -EEXIST;
		if (req->userspace_addr < end &&
		    req->userspace_addr + req->memory_size > slot->hva)
			return -EEXIST;
	}
	return 0;
}

static struct uvmem_slot *slot_alloc(struct uvmem_svm *svm, const struct uvmem_memslot *req)
{
	struct uvmem_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->svm = svm;
	slot->id = req->slot;
	slot->base_gfn = req->guest_phys_addr >> PAGE_SHIFT;
	slot->npages = req->memory_size >> PAGE_SHIFT;
	slot->hva = req->userspace_addr;
	uvmem_around_init(slot);
	uvmem_ahead_init(slot);
	if (!uvmem_gfn_table_alloc(slot)) {
		kfree(slot);
		return NULL;
	}
	return slot;
}

/* Memory that is plugged into a secure VM is secure, and reads as zeros. */
static int slot_hotplug(struct uvmem_slot *slot)
{
	u64 gfn;

	if (slot->svm->state == UVMEM_VM_NORMAL)
		return 0;
	if (uvmem_slot_register(slot) != H_SUCCESS)
		return -EIO;
	for (gfn = slot->base_gfn; gfn < slot->base_gfn + slot->npages;
	     gfn += uvmem_leaf_room(slot, gfn))
		uvmem_leaf_secure(slot, gfn, UVMEM_R_INIT_DONE);
	return 0;
}

static int slot_add(struct uvmem_svm *svm, const struct uvmem_memslot *req)
{
	struct uvmem_slot *slot;
	int ret;

	if (svm->nslots >= UVMEM_MAX_SLOTS)
		return -ENOSPC;
	ret = slot_check(svm, req);
	if (ret)
		return ret;
	slot = slot_alloc(svm, req);
	if (!slot)
		return -ENOMEM;
	ret = mmu_interval_notifier_insert(&slot->notifier, svm->mm, slot->hva,
					   slot->npages << PAGE_SHIFT, &uvmem_inval_ops);
	if (ret)
		goto err_free;
	this_cpu_add(svm->count->states[UVMEM_GFN_NORMAL], slot->npages);
	ret = slot_hotplug(slot);
	if (ret)
		goto err_notifier;
	ret = mtree_store_range(&svm->slots, slot->base_gfn,
				slot->base_gfn + slot->npages - 1, slot, GFP_KERNEL);
	if (ret)
		goto err_register;
	WRITE_ONCE(svm->nslots, svm->nslots + 1);
	return 0;

err_register:
	uvmem_slot_unregister(slot);
	uvmem_drop_slot(slot, UVMEM_R_TERMINATE);
err_notifier:
	this_cpu_sub(svm->count->states[UVMEM_GFN_NORMAL], slot->npages);
	mmu_interval_notifier_remove(&slot->notifier);
err_free:
	uvmem_gfn_table_free(slot);
	kfree(slot);
	return ret;
}

static int slot_remove(struct uvmem_svm *svm, u32 id)
{
	struct uvmem_slot *slot;
	unsigned long gfn = 0;

	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX) {
		if (slot->id == id) {
			uvmem_slot_delete(slot);
			return 0;
		}
	}
	return -ENOENT;
}

/**
 * uvmem_slot_set() - UVMEM_SET_MEMSLOT
 * @svm: the VM
 * @req: the memslot; memory_size 0 deletes it
 *
 * Context: no locks held.
 * Return: 0, or -EINVAL (flags, alignment, overflow, slot number), -EEXIST
 * (overlap, or the number is taken), -ENOENT, -ENOSPC, -ENOMEM, -EPERM (not
 * the process that made the VM), -EBUSY (the VM is going secure), -EIO (the
 * ultravisor refused a slot plugged into a secure VM).
 */
int uvmem_slot_set(struct uvmem_svm *svm, const struct uvmem_memslot *req)
{
	int ret;

	if (req->flags || req->slot >= UVMEM_MAX_SLOTS)
		return -EINVAL;
	if (svm->mm != current->mm)
		return -EPERM;

	mutex_lock(&svm->lock);
	if (svm->state == UVMEM_VM_TRANSIENT)
		ret = -EBUSY;
	else if (req->memory_size)
		ret = slot_add(svm, req);
	else
		ret = slot_remove(svm, req->slot);
	mutex_unlock(&svm->lock);
	return ret;
}
