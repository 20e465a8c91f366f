// SPDX-License-Identifier: GPL-2.0
/*
 * The guest view: what the vCPUs of an SVM run on. It stands for the
 * partition-scoped page table, which on real hardware belongs to the
 * ultravisor. A VMM maps /dev/uvsim at offset = GPA and hands the address to
 * KVM as the memslot's userspace_addr; the entries that are inserted here are
 * for KVM to find, not for the VMM to use.
 *
 * Who may fault pages in: KVM alone. It comes through fixup_user_fault(), with
 * neither FAULT_FLAG_USER nor FAULT_FLAG_INTERRUPTIBLE. An access by the VMM in
 * user mode carries the first. An access that the kernel makes for it, such as
 * copy_from_user(), carries the second, since the fault handlers of x86 and
 * powerpc start from FAULT_FLAG_DEFAULT. FAULT_FLAG_REMOTE is somebody who maps
 * the VMM's memory for a device (VFIO). All of these get SIGBUS or an error.
 *
 * Entries of resident pages are present and writable, but not accessible in
 * user mode (guest_prot.h):
 * - In user mode a read of a resident page gets SIGSEGV. A write faults again
 *   and again, since to the kernel the entry looks good; a signal ends it.
 * - To CONFIG_PAGE_TABLE_CHECK they are no user mapping. A shared page is the
 *   anonymous page of the host view, which may not be mapped writable twice.
 * - KVM takes the PFN from a present and writable entry and asks no more.
 * - The kernel itself can reach a resident page through them, which KVM's
 *   instruction emulator depends on. It also means that a system call that the
 *   VMM gives an address in the guest view can move the content of a resident
 *   page. Simulated hardware ends here: no entry is present for KVM and absent
 *   for the rest of the kernel.
 *
 * mprotect() and mremap() are refused, the first because it would write new
 * entries from the VMA's protection. So would write protection by userfaultfd: on 6.12 it
 * takes any memory if it is asked for UFFD_FEATURE_WP_ASYNC, and a driver cannot refuse; 7.2
 * takes none with VM_PFNMAP. VM_DONTCOPY keeps children out, VM_PFNMAP
 * and VM_IO keep out get_user_pages(), ptrace and process_vm_readv().
 *
 * Locks: the fault handler has the mmap lock, and calls the core, which takes
 * the GFN's lock. A page-in makes hypercalls, and the hypervisor takes the mmap
 * lock for them: it is dropped first, as VM_FAULT_RETRY allows. While entries are made
 * uvsim_view.entries is held, for the sake of blocks (guest_block.c).
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include "guest_prot.h"
#include "internal.h"

/* Each of these tells that the fault is not KVM's. */
#define FAULT_FLAGS_NOT_KVM	(FAULT_FLAG_USER | FAULT_FLAG_INTERRUPTIBLE | \
				 FAULT_FLAG_REMOTE | FAULT_FLAG_RETRY_NOWAIT)

struct insertion {
	struct vm_fault *vmf;
	struct uvsim_view *view;
	vm_fault_t ret;
};

/*
 * Called by the core, with the GFN's lock held: for the page that was touched, and
 * perhaps for others behind it, which may lie outside of the VMA.
 */
static int insert_page(void *arg, const struct uv_map_target *target)
{
	struct insertion *ins = arg;
	struct vm_area_struct *vma = ins->vmf->vma;
	pgoff_t behind = target->gfn - ins->vmf->pgoff;
	unsigned long addr = (ins->vmf->address & PAGE_MASK) + (behind << PAGE_SHIFT);
	unsigned long pfn;
	vm_fault_t ret;

	/*
	 * Whether the LPID still names our VM is certain only here: it cannot
	 * be given to another before it is revoked.
	 */
	if (!behind)
		ins->ret = VM_FAULT_SIGBUS;
	if (behind >= (vma->vm_end - (ins->vmf->address & PAGE_MASK)) >> PAGE_SHIFT)
		return -ERANGE;
	if (READ_ONCE(ins->view->revoked))
		return -ENXIO;
	if (target->shared && !uvsim_ra_is_normal(target->ra))
		return -EFAULT;

	pfn = target->shared ? PHYS_PFN(target->ra) : uvsim_secmem_pfn(target->secure_page);
	ret = vmf_insert_pfn_prot(vma, addr, pfn, uvsim_guest_prot(vma->vm_page_prot));
	if (!behind)
		ins->ret = ret;
	return ret == VM_FAULT_NOPAGE ? 0 : -ENOMEM;
}

/* May fault pages in, and can wait for them: it is KVM. */
bool uvsim_guest_fault_is_kvm(const struct vm_fault *vmf)
{
	return !(vmf->flags & (FAULT_FLAGS_NOT_KVM | FAULT_FLAG_VMA_LOCK)) &&
	       vmf->flags & FAULT_FLAG_ALLOW_RETRY;
}

static enum uv_fault page_in(struct uvsim_view *view, u64 gfn, bool block)
{
	const struct uv_caller caller = { .is_ours = uvsim_view_is_ours, .arg = view };

	if (block && uv_guest_page_in_block(uvsim_uv, view->lpid, &caller, gfn))
		return UV_FAULT_MAPPED;
	return uv_guest_page_in(uvsim_uv, view->lpid, &caller, gfn);
}

/**
 * uvsim_guest_page_in() - bring in the page that the guest touched
 * @vmf: the fault, of KVM's
 * @block: all of its block, if that can be had
 *
 * The mmap lock is dropped here, so from then on @vmf->vma may be gone; the
 * reference to the file keeps the view, and this code, in place. With
 * VM_FAULT_RETRY fixup_user_fault() takes the lock and comes again, unless a
 * fatal signal is pending. An error is returned with the lock held, as every
 * error is.
 *
 * Context: mmap lock (read), and no other.
 * Return: VM_FAULT_RETRY or VM_FAULT_SIGBUS.
 */
vm_fault_t uvsim_guest_page_in(struct vm_fault *vmf, bool block)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct file *file = get_file(vmf->vma->vm_file);
	struct uvsim_view *view = file->private_data;
	vm_fault_t ret = VM_FAULT_RETRY;

	mmap_read_unlock(mm);
	switch (page_in(view, vmf->pgoff, block)) {
	case UV_FAULT_MAPPED:
	case UV_FAULT_PAGE_IN:
		break;
	case UV_FAULT_AGAIN:
		uvsim_relax(NULL, UINT_MAX);
		break;
	default:
		mmap_read_lock(mm);
		ret = VM_FAULT_SIGBUS;
	}
	fput(file);
	return ret;
}

/**
 * uvsim_guest_mapped() - what a fault returns when the guest view has the page
 * @vmf: the fault
 *
 * The entry may be taken away again before KVM reads it. KVM looks for a missing entry
 * twice only if the lock was dropped, and fails KVM_RUN with EFAULT otherwise.
 *
 * Context: mmap lock (read), which is dropped.
 */
vm_fault_t uvsim_guest_mapped(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
	return VM_FAULT_NOPAGE | VM_FAULT_COMPLETED;
}

/**
 * uvsim_guest_has_block() - did another vCPU map the block that was touched meanwhile?
 * @vmf: the fault
 *
 * No page can be inserted then.
 *
 * Context: uvsim_view.entries held if the answer is to last, but for blocks that leave.
 */
bool uvsim_guest_has_block(const struct vm_fault *vmf)
{
	pmd_t pmd = pmdp_get_lockless(vmf->pmd);

	return pmd_present(pmd) && pmd_leaf(pmd);
}

/* The GFN is being worked on by somebody else. */
static vm_fault_t try_later(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
	uvsim_relax(NULL, UINT_MAX);
	return VM_FAULT_RETRY;
}

static vm_fault_t guest_fault(struct vm_fault *vmf)
{
	struct uvsim_view *view = vmf->vma->vm_file->private_data;
	struct insertion ins = { .vmf = vmf, .view = view };
	enum uv_fault res = UV_FAULT_MAPPED;

	if (vmf->flags & FAULT_FLAGS_NOT_KVM || !(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_VMA_LOCK) {
		vma_end_read(vmf->vma);
		return VM_FAULT_RETRY;
	}

	down_read(&view->entries);
	if (!uvsim_guest_has_block(vmf))
		res = uv_guest_map(uvsim_uv, view->lpid, vmf->pgoff, insert_page, &ins);
	up_read(&view->entries);
	switch (res) {
	case UV_FAULT_MAPPED:
		return uvsim_guest_mapped(vmf);
	case UV_FAULT_PAGE_IN:
		return uvsim_guest_page_in(vmf, false);
	case UV_FAULT_AGAIN:
		return try_later(vmf);
	case UV_FAULT_FAILED:
		return ins.ret;
	default:
		break;
	}
	return VM_FAULT_SIGBUS;
}

static int guest_mprotect(struct vm_area_struct *vma, unsigned long start,
			  unsigned long end, unsigned long newflags)
{
	return -EACCES;
}

static int guest_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct guest_vm_ops = {
	.fault		= guest_fault,
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	.huge_fault	= uvsim_guest_block_fault,
#endif
	.mprotect	= guest_mprotect,
	.mremap		= guest_mremap,
};

/**
 * uvsim_guest_mmap() - map the guest view at offset = GPA
 * @file: bound to an LPID by the calling address space
 * @vma: shared, readable and writable, not executable
 *
 * Return: 0, -ENXIO or -EACCES as uvsim_view_check() says, -EINVAL for another
 * kind of mapping.
 */
int uvsim_guest_mmap(struct file *file, struct vm_area_struct *vma)
{
	const vm_flags_t wanted = VM_SHARED | VM_READ | VM_WRITE;
	int err = uvsim_view_check(file->private_data);

	if (err)
		return err;
	if ((vma->vm_flags & (wanted | VM_EXEC)) != wanted)
		return -EINVAL;

	vm_flags_mod(vma, VM_PFNMAP | VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP |
		     VM_HUGEPAGE, VM_MAYEXEC);
	vma->vm_ops = &guest_vm_ops;
	return 0;
}

/*
 * Takes GFNs out of every mapping of the guest view, and thereby, through its
 * mmu notifier, out of KVM's page table. Called with the GFN's lock held.
 */
void uvsim_guest_unmap(void *ctx, u32 lpid, u64 gfn, u64 npages)
{
	struct uvsim_view *view;

	if (!npages)
		return;
	view = uvsim_view_find(lpid);
	if (!view)
		return;
	unmap_mapping_pages(view->inode->i_mapping, gfn, npages, false);
	uvsim_guest_flush();
	uvsim_view_put(view);
}
