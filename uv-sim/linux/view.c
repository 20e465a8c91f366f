// SPDX-License-Identifier: GPL-2.0
/*
 * Which open file of /dev/uvsim speaks for the guest with which LPID.
 *
 * At most one file is bound to an LPID. The binding belongs to the address
 * space that made it: only there can the guest view be mapped and ultracalls
 * be made, so a child that inherits the file descriptor gains nothing.
 *
 * Every file has an inode of its own on a small internal file system, because
 * unmapping a GFN from every mapping of the guest view goes by address_space,
 * and the inode of the device node is common to all files.
 *
 * Locks: bind_lock, outermost; the xa_lock of views, innermost. The table does
 * not hold a reference; a view leaves it before its last reference is dropped.
 */
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "guest_prot.h"
#include "internal.h"

#define UVSIM_FS_MAGIC	0x75767369	/* "uvsi" */

static DEFINE_XARRAY(views);		/* LPID -> the view bound to it */
static DEFINE_MUTEX(bind_lock);		/* a file is bound once */
static struct vfsmount *view_mnt;

static int view_fs_init(struct fs_context *fc)
{
	return init_pseudo(fc, UVSIM_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: our own mount would keep the module from being unloaded. */
static struct file_system_type view_fs = {
	.name			= "uvsim",
	.init_fs_context	= view_fs_init,
	.kill_sb		= kill_anon_super,
};

int uvsim_view_init(void)
{
	view_mnt = kern_mount(&view_fs);
	return PTR_ERR_OR_ZERO(view_mnt);
}

void uvsim_view_exit(void)
{
	kern_unmount(view_mnt);
	xa_destroy(&views);
}

/**
 * uvsim_view_new() - state of a newly opened file, not bound
 *
 * Return: the view with one reference, or an ERR_PTR() of -ENOMEM.
 */
struct uvsim_view *uvsim_view_new(void)
{
	struct uvsim_view *view = kzalloc(sizeof(*view), GFP_KERNEL);
	struct inode *inode;

	if (!view)
		return ERR_PTR(-ENOMEM);
	inode = alloc_anon_inode(view_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		kfree(view);
		return ERR_CAST(inode);
	}
	kref_init(&view->ref);
	init_rwsem(&view->entries);
	view->inode = inode;
	return view;
}

static void view_release(struct kref *ref)
{
	struct uvsim_view *view = container_of(ref, struct uvsim_view, ref);

	iput(view->inode);
	if (view->mm)
		mmdrop(view->mm);
	kfree(view);
}

/* May sleep. */
void uvsim_view_put(struct uvsim_view *view)
{
	kref_put(&view->ref, view_release);
}

static void forget(struct uvsim_view *view)
{
	xa_cmpxchg(&views, view->lpid, view, NULL, 0);
}

/**
 * uvsim_view_close() - the file is closed: unbind it
 * @view: loses the file's reference
 *
 * Every VMA of the guest view held the file, so none is left. The SVM itself
 * goes on: its life is the hypervisor's business.
 */
void uvsim_view_close(struct uvsim_view *view)
{
	/* What was mapped is not any more, and uvsim_guest_unmap() will not find the view. */
	if (view->mm) {
		uvsim_guest_flush();
		forget(view);
	}
	uvsim_view_put(view);
}

/**
 * uvsim_view_bind() - UVSIM_BIND
 * @view: of the calling process' file
 * @lpid: of a VM that a hypervisor has registered
 *
 * Return: 0, -ENOENT if no VM has this LPID, -EACCES if another process made it, -EBUSY if
 * another file is bound to it or this file is bound already, -ENOMEM.
 */
int uvsim_view_bind(struct uvsim_view *view, u32 lpid)
{
	int err;

	if (!uv_lpid_valid(uvsim_uv, lpid))
		return -ENOENT;
	if (!uvsim_is_vmm(lpid))
		return -EACCES;

	guard(mutex)(&bind_lock);
	if (view->mm)
		return -EBUSY;
	view->lpid = lpid;
	err = xa_insert(&views, lpid, view, GFP_KERNEL);
	if (err)
		return err;
	/*
	 * uvsim_view_revoke() may have come before the view was in the table, and another
	 * VM have the LPID since. In this order: an LPID that was valid before its VM was
	 * found to be ours is revoked from here on only, when the view is found.
	 */
	if (!uv_lpid_valid(uvsim_uv, lpid) || !uvsim_is_vmm(lpid)) {
		forget(view);
		return -ENOENT;
	}
	mmgrab(current->mm);
	/* Pairs with uvsim_view_check(): who sees @mm sees @lpid. */
	smp_store_release(&view->mm, current->mm);
	return 0;
}

/**
 * uvsim_view_check() - may the caller speak for the guest?
 * @view: of the file it came through
 *
 * Return: 0, -ENXIO if the file is not bound or its LPID is gone, -EACCES if
 * another address space bound it.
 */
int uvsim_view_check(struct uvsim_view *view)
{
	struct mm_struct *mm;

	/* Pairs with uvsim_view_bind(). */
	mm = smp_load_acquire(&view->mm);
	if (!mm || READ_ONCE(view->revoked))
		return -ENXIO;
	return mm == current->mm ? 0 : -EACCES;
}

/**
 * uvsim_view_is_ours() - struct uv_caller.is_ours
 * @arg: the view
 *
 * A VM that was found by the LPID is the one that the view was bound to: the LPID cannot
 * be given to another before the view is revoked.
 */
bool uvsim_view_is_ours(void *arg)
{
	const struct uvsim_view *view = arg;

	return !READ_ONCE(view->revoked);
}

/**
 * uvsim_view_find() - the guest view of an LPID
 * @lpid: anything
 *
 * Return: the view, with a reference, or NULL when no file is bound to @lpid.
 */
struct uvsim_view *uvsim_view_find(u32 lpid)
{
	struct uvsim_view *view;

	xa_lock(&views);
	view = xa_load(&views, lpid);
	if (view)
		kref_get(&view->ref);
	xa_unlock(&views);
	return view;
}

/**
 * uvsim_view_revoke() - an LPID no longer names the VM that it named
 * @lpid: just unregistered by the hypervisor, which can give it to another VM
 *	once this returns
 *
 * The file that is bound to it stays open, and is of no use any more.
 */
void uvsim_view_revoke(u32 lpid)
{
	struct uvsim_view *view = uvsim_view_find(lpid);

	if (!view)
		return;
	WRITE_ONCE(view->revoked, true);
	unmap_mapping_range(view->inode->i_mapping, 0, 0, 0);
	forget(view);
	uvsim_view_put(view);
}
