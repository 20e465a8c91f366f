// SPDX-License-Identifier: GPL-2.0
/*
 * The guest view by blocks: where no page table was made yet, all of a block that lies in
 * secure memory as one (core/block.c) is mapped by one entry of the page middle directory.
 * KVM follows: its own fault maps as much as the entry that it finds.
 *
 * A block is taken out as one as well. A guest that then touches single pages gets a page
 * table, and with it entries of single pages until the view is mapped anew: the kernel
 * does not let a module remove a page table.
 *
 * Locks: uvsim_view.entries, for writing: while it is held nobody makes a page table.
 * vmf_insert_pfn_pmd() warns of one. It is called with the core's pool locked, does not
 * sleep, and takes the lock of the page table.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include "compat.h"
#include "guest_prot.h"
#include "internal.h"

static bool huge = true;
module_param(huge, bool, 0644);
MODULE_PARM_DESC(huge,
		 "the guest view maps a block of secure memory as one, where it can (default Y)");

/**
 * uvsim_block_shift() - pages that one entry of the guest view can map, as log2
 *
 * Return: 0 where it is one: without transparent huge pages, and where such an entry
 * takes memory as well (the hash page table of powerpc).
 */
unsigned int uvsim_block_shift(void)
{
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || !has_transparent_hugepage() ||
	    arch_needs_pgtable_deposit())
		return 0;
	return PMD_SHIFT - PAGE_SHIFT;
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE

struct insertion {
	struct vm_fault *vmf;
	struct uvsim_view *view;
};

/* Called by the core, with the GFN's lock and the pool's held. */
static int insert_block(void *arg, const struct uv_map_target *target)
{
	struct insertion *ins = arg;
	struct vm_fault *vmf = ins->vmf;
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PMD_MASK;
	unsigned long pfn = uvsim_secmem_pfn(target->secure_page);

	if (READ_ONCE(ins->view->revoked))
		return -ENXIO;
	if (target->gfn != linear_page_index(vma, addr) || !pmd_none(pmdp_get_lockless(vmf->pmd)))
		return -EBUSY;
	return uvsim_insert_pmd(vmf, pfn) == VM_FAULT_NOPAGE ? 0 : -ENOMEM;
}

static bool has_guest_prot(const struct vm_area_struct *vma)
{
	pgprot_t prot = vma->vm_page_prot;

	return pgprot_val(prot) == pgprot_val(uvsim_guest_prot(prot));
}

/*
 * An entry that is inserted for a block has the protection of the VMA, which mmap() sets
 * after it called us. The lock is dropped, so the fault comes again.
 */
static vm_fault_t set_guest_prot(struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	unsigned long addr = vmf->address;
	struct vm_area_struct *vma;

	mmap_read_unlock(mm);
	if (mmap_write_lock_killable(mm))
		return VM_FAULT_RETRY;
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_ops == ops)
		vma->vm_page_prot = uvsim_guest_prot(vma->vm_page_prot);
	mmap_write_unlock(mm);
	return VM_FAULT_RETRY;
}

static bool block_fits(const struct vm_fault *vmf)
{
	unsigned long addr = vmf->address & PMD_MASK;

	return addr >= vmf->vma->vm_start && addr + PMD_SIZE <= vmf->vma->vm_end;
}

/**
 * uvsim_guest_block_fault() - vm_operations_struct.huge_fault of the guest view
 * @vmf: the fault
 * @order: size of the entry that is none
 *
 * Context: mmap lock (read), which is dropped as the return value says.
 * Return: VM_FAULT_FALLBACK: go on with a single page.
 */
vm_fault_t uvsim_guest_block_fault(struct vm_fault *vmf, unsigned int order)
{
	struct insertion ins = { .vmf = vmf, .view = vmf->vma->vm_file->private_data };
	enum uv_fault res;

	if (order != PMD_ORDER || !READ_ONCE(huge) || !uvsim_guest_fault_is_kvm(vmf) ||
	    !block_fits(vmf))
		return VM_FAULT_FALLBACK;
	if (!has_guest_prot(vmf->vma))
		return set_guest_prot(vmf);

	down_write(&ins.view->entries);
	res = uv_guest_map_block(uvsim_uv, ins.view->lpid, vmf->pgoff, insert_block, &ins);
	up_write(&ins.view->entries);
	switch (res) {
	case UV_FAULT_MAPPED:
		return uvsim_guest_mapped(vmf);
	case UV_FAULT_PAGE_IN:
		return uvsim_guest_page_in(vmf, true);
	default:
		/* Or else the kernel would return 0, with the lock held. */
		return uvsim_guest_has_block(vmf) ? uvsim_guest_mapped(vmf) : VM_FAULT_FALLBACK;
	}
}

#endif /* CONFIG_TRANSPARENT_HUGEPAGE */
