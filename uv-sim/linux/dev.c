// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/uvsim: how a VMM reaches the ultravisor for its guest, and how tools ask
 * it what it does. Everything that user space passes in is untrusted; what the
 * ultracalls themselves mean is up to the core.
 *
 * Locks: none of its own.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "internal.h"

#define MAP_CHUNK	4096	/* GFNs whose state is read at a time */

static int dev_open(struct inode *inode, struct file *file)
{
	struct uvsim_view *view = uvsim_view_new();

	if (IS_ERR(view))
		return PTR_ERR(view);
	file->private_data = view;
	file->f_mapping = view->inode->i_mapping;
	return 0;
}

static int dev_release(struct inode *inode, struct file *file)
{
	uvsim_view_close(file->private_data);
	return 0;
}

static u32 info_flags(void)
{
	return uvsim_cipher_is_copy() ? UVSIM_CIPHER_COPY : 0;
}

static long get_info(void __user *arg)
{
	struct uvsim_info info = {
		.abi_version = UVSIM_ABI_VERSION,
		.page_shift = PAGE_SHIFT,
		.secure_pages = uvsim_secure_pages(),
		.has_owner_key = uvsim_has_owner_key,
		.flags = info_flags(),
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long bind(struct uvsim_view *view, void __user *arg)
{
	struct uvsim_bind b;

	if (copy_from_user(&b, arg, sizeof(b)))
		return -EFAULT;
	if (b.flags)
		return -EINVAL;
	return uvsim_view_bind(view, b.lpid);
}

static long ucall(struct uvsim_view *view, void __user *arg)
{
	const struct uv_caller caller = { .is_ours = uvsim_view_is_ours, .arg = view };
	u64 args[UV_UCALL_ARGS], out[UV_UCALL_OUT] = {};
	struct uvsim_ucall c;
	int err;

	BUILD_BUG_ON(sizeof(args) != sizeof(c.args) || sizeof(out) != sizeof(c.out));

	err = uvsim_view_check(view);
	if (err)
		return err;
	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags)
		return -EINVAL;

	memcpy(args, c.args, sizeof(args));
	c.ret = uv_guest_call(uvsim_uv, view->lpid, &caller, c.nr, args, out);
	memcpy(c.out, out, sizeof(out));
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static long get_stats(void __user *arg)
{
	struct uvsim_stats out = {};
	struct uv_stats st;

	uv_get_stats(uvsim_uv, &st);
	out.secure_total = st.secure_total;
	out.secure_used = st.secure_used;
	out.secure_peak = st.secure_peak;
	out.svms = st.svms;
	out.page_ins = st.page_ins;
	out.page_outs = st.page_outs;
	out.seals = st.seals;
	out.opens = st.opens;
	out.integrity_failures = st.integrity_failures;
	out.evictions = st.evictions;
	out.guest_faults = st.guest_faults;
	out.ahead = st.ahead;
	out.unseen = st.unseen;
	out.flags = info_flags();
	return copy_to_user(arg, &out, sizeof(out)) ? -EFAULT : 0;
}

static long get_svm(void __user *arg)
{
	struct uv_svm_info info;
	struct uvsim_svm in, out = {};

	if (copy_from_user(&in, arg, sizeof(in)))
		return -EFAULT;
	if (in.flags)
		return -EINVAL;
	if (!uv_get_svm(uvsim_uv, in.lpid, &info))
		return -ENOENT;

	out.lpid = in.lpid;
	out.state = info.state;
	out.stop_reason = info.stop_reason;
	out.stop_gpa = info.stop_gpa;
	out.esm_ret = info.esm_ret;
	out.memslots = info.memslots;
	out.resident = info.resident;
	out.paged_out = info.paged_out;
	out.shared = info.shared;
	out.page_ins = info.page_ins;
	out.page_outs = info.page_outs;
	out.seals = info.seals;
	out.opens = info.opens;
	out.integrity_failures = info.integrity_failures;
	out.evictions = info.evictions;
	return copy_to_user(arg, &out, sizeof(out)) ? -EFAULT : 0;
}

static long list(void __user *arg)
{
	struct uvsim_list l;
	u32 *lpids, room;
	long ret = 0;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	if (l.flags)
		return -EINVAL;

	room = min_t(u32, l.count, UVSIM_MAX_LPID + 1);
	lpids = kvcalloc(room, sizeof(*lpids), GFP_KERNEL);
	if (!lpids)
		return -ENOMEM;
	l.count = uv_list(uvsim_uv, lpids, room);
	if (copy_to_user(u64_to_user_ptr(l.lpids), lpids,
			 min(room, l.count) * sizeof(*lpids)) ||
	    copy_to_user(arg, &l, sizeof(l)))
		ret = -EFAULT;
	kvfree(lpids);
	return ret;
}

/* @states is room for MAP_CHUNK of them. */
static long copy_map(const struct uvsim_map *m, u8 *states)
{
	u8 __user *to = u64_to_user_ptr(m->states);
	u64 done, n;

	for (done = 0; done < m->npages; done += n) {
		if (fatal_signal_pending(current))
			return -EINTR;
		n = min_t(u64, m->npages - done, MAP_CHUNK);
		uv_get_map(uvsim_uv, m->lpid, m->gfn + done, n, states);
		if (copy_to_user(to + done, states, n))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static long map(void __user *arg)
{
	struct uvsim_map m;
	u64 end;
	u8 *states;
	long ret;

	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.flags || check_add_overflow(m.gfn, m.npages, &end))
		return -EINVAL;
	if (!uv_lpid_valid(uvsim_uv, m.lpid))
		return -ENOENT;

	states = kmalloc(MAP_CHUNK, GFP_KERNEL);
	if (!states)
		return -ENOMEM;
	ret = copy_map(&m, states);
	kfree(states);
	return ret;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case UVSIM_GET_INFO:
		return get_info(argp);
	case UVSIM_BIND:
		return bind(file->private_data, argp);
	case UVSIM_UCALL:
		return ucall(file->private_data, argp);
	case UVSIM_GET_STATS:
		return get_stats(argp);
	case UVSIM_GET_SVM:
		return get_svm(argp);
	case UVSIM_LIST:
		return list(argp);
	case UVSIM_MAP:
		return map(argp);
	}
	return -ENOTTY;
}

static const struct file_operations dev_fops = {
	.owner		= THIS_MODULE,
	.open		= dev_open,
	.release	= dev_release,
	.unlocked_ioctl	= dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= uvsim_guest_mmap,
	/* An address that agrees with the GPA as far as a block needs it. */
	.get_unmapped_area = thp_get_unmapped_area,
};

static struct miscdevice uvsim_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "uvsim",
	.mode	= 0600,
	.fops	= &dev_fops,
};

int uvsim_dev_init(void)
{
	return misc_register(&uvsim_misc);
}

void uvsim_dev_exit(void)
{
	misc_deregister(&uvsim_misc);
}
