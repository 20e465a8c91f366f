// SPDX-License-Identifier: GPL-2.0
/*
 * An SVM as a file descriptor: its life, and the ioctls on it.
 *
 * The file and every hypercall that runs hold a reference. Closing the file
 * terminates the VM, whatever state it is in; the memory map H is in may be
 * gone before or live on after that.
 */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "uvmem.h"

static DEFINE_XARRAY_ALLOC1(uvmem_svms);

/* PATE of a VM: host radix, process table at 4 KiB: nothing in it is used. */
#define PATE_DW1	0x1000ULL

/**
 * uvmem_svm_get() - find a VM by LPID
 * @lpid: the LPID
 *
 * Return: the VM with a reference, or NULL.
 */
struct uvmem_svm *uvmem_svm_get(u32 lpid)
{
	struct uvmem_svm *svm;

	rcu_read_lock();
	svm = xa_load(&uvmem_svms, lpid);
	if (svm && !kref_get_unless_zero(&svm->ref))
		svm = NULL;
	rcu_read_unlock();
	return svm;
}

static void uvmem_svm_free(struct kref *ref)
{
	struct uvmem_svm *svm = container_of(ref, struct uvmem_svm, ref);

	mtree_destroy(&svm->slots);
	mmdrop(svm->mm);
	free_percpu(svm->count);
	kvfree_rcu(svm, rcu);
}

/**
 * uvmem_svm_put() - drop a reference
 * @svm: the VM
 */
void uvmem_svm_put(struct uvmem_svm *svm)
{
	kref_put(&svm->ref, uvmem_svm_free);
}

/**
 * uvmem_svm_for_each() - call a function for every VM
 * @fn: the function; may sleep
 * @arg: its second argument
 */
void uvmem_svm_for_each(void (*fn)(struct uvmem_svm *svm, void *arg), void *arg)
{
	unsigned long lpid = 0;
	struct uvmem_svm *svm;

	for (;;) {
		rcu_read_lock();
		svm = xa_find(&uvmem_svms, &lpid, UVMEM_MAX_LPID, XA_PRESENT);
		if (svm && !kref_get_unless_zero(&svm->ref))
			svm = ERR_PTR(-ENOENT);
		rcu_read_unlock();
		if (!svm)
			return;
		if (!IS_ERR(svm)) {
			fn(svm, arg);
			uvmem_svm_put(svm);
		}
		lpid++;
	}
}

/*
 * Release the LPID in the ultravisor, before it can be given out again. That waits for
 * ultracalls under way, and for an UV_ESM of a guest that still tries.
 */
static void release_lpid(struct uvmem_svm *svm)
{
	s64 rc;

	for (;;) {
		rc = uvsim_ucall(UV_WRITE_PATE, svm->lpid, 0, 0, 0, 0);
		if (rc != U_BUSY && rc != U_PERMISSION)
			return;
		uvsim_ucall(UV_SVM_TERMINATE, svm->lpid, 0, 0, 0, 0);
		usleep_range(50, 200);
	}
}

static int uvmem_svm_release(struct inode *inode, struct file *file)
{
	struct uvmem_svm *svm = file->private_data;
	struct uvmem_slot *slot;
	unsigned long gfn = 0;

	mutex_lock(&svm->lock);
	svm->closing = true;
	mutex_unlock(&svm->lock);
	uvmem_terminate(svm);
	mutex_lock(&svm->lock);
	while ((slot = mt_find(&svm->slots, &gfn, ULONG_MAX)))
		uvmem_slot_delete(slot);
	mutex_unlock(&svm->lock);
	cancel_work_sync(&svm->inval_work);

	release_lpid(svm);
	xa_erase(&uvmem_svms, svm->lpid);
	uvmem_svm_put(svm);
	return 0;
}

static int get_state(struct uvmem_svm *svm, struct uvmem_state __user *argp)
{
	u8 __user *states;
	struct uvmem_state req;
	u64 i = 0;
	int idx;

	if (copy_from_user(&req, argp, sizeof(req)))
		return -EFAULT;
	if (req.flags || req.gfn > (U64_MAX >> PAGE_SHIFT) ||
	    req.npages > (U64_MAX >> PAGE_SHIFT) - req.gfn)
		return -EINVAL;

	states = u64_to_user_ptr(req.states);
	while (i < req.npages) {
		u8 buf[256];
		u32 n = min_t(u64, req.npages - i, sizeof(buf)), k;

		idx = srcu_read_lock(&uvmem_srcu);
		for (k = 0; k < n; k++) {
			struct uvmem_slot *slot = uvmem_slot_find(svm, req.gfn + i + k);

			buf[k] = slot ? uvmem_gfn_state(slot, req.gfn + i + k) :
					UVMEM_GFN_NOSLOT;
		}
		srcu_read_unlock(&uvmem_srcu, idx);
		if (copy_to_user(states + i, buf, n))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		i += n;
	}
	return put_user((u32)READ_ONCE(svm->state), &argp->vm_state);
}

static int get_slots(struct uvmem_svm *svm, struct uvmem_slots __user *argp)
{
	struct uvmem_memslot __user *out;
	struct uvmem_slots req;
	struct uvmem_slot *slot;
	unsigned long gfn = 0;
	u32 n = 0;
	int ret = 0;

	if (copy_from_user(&req, argp, sizeof(req)))
		return -EFAULT;
	if (req.flags)
		return -EINVAL;
	out = u64_to_user_ptr(req.slots);

	mutex_lock(&svm->lock);
	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX) {
		struct uvmem_memslot s = {
			.slot = slot->id,
			.guest_phys_addr = slot->base_gfn << PAGE_SHIFT,
			.memory_size = slot->npages << PAGE_SHIFT,
			.userspace_addr = slot->hva,
		};

		if (n < req.count && copy_to_user(&out[n], &s, sizeof(s))) {
			ret = -EFAULT;
			break;
		}
		n++;
	}
	mutex_unlock(&svm->lock);
	return ret ?: put_user(n, &argp->count);
}

static int get_info(struct uvmem_svm *svm, struct uvmem_info __user *argp)
{
	struct uvmem_info info = {
		.abi_version = UVMEM_ABI_VERSION,
		.page_shift = PAGE_SHIFT,
		.lpid = svm->lpid,
		.vm_state = READ_ONCE(svm->state),
		.nslots = READ_ONCE(svm->nslots),
	};

	uvmem_pool_usage(&info.device_pages, &info.device_free);
	return copy_to_user(argp, &info, sizeof(info)) ? -EFAULT : 0;
}

static int get_stats(struct uvmem_svm *svm, struct uvmem_stats __user *argp)
{
	struct uvmem_stats st;

	uvmem_get_stats(svm, &st);
	return copy_to_user(argp, &st, sizeof(st)) ? -EFAULT : 0;
}

static int set_memslot(struct uvmem_svm *svm, const struct uvmem_memslot __user *argp)
{
	struct uvmem_memslot req;

	if (copy_from_user(&req, argp, sizeof(req)))
		return -EFAULT;
	return uvmem_slot_set(svm, &req);
}

static int do_hcall(struct uvmem_svm *svm, struct uvmem_hcall __user *argp)
{
	struct uvmem_hcall req;

	if (copy_from_user(&req, argp, sizeof(req)))
		return -EFAULT;
	if (req.flags)
		return -EINVAL;
	req.out[0] = 0;
	req.ret = uvmem_hcall(svm, req.nr, req.args, req.out);
	return copy_to_user(argp, &req, sizeof(req)) ? -EFAULT : 0;
}

static long uvmem_svm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct uvmem_svm *svm = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case UVMEM_SET_MEMSLOT:
		return set_memslot(svm, argp);
	case UVMEM_HCALL:
		return do_hcall(svm, argp);
	case UVMEM_GET_STATE:
		return get_state(svm, argp);
	case UVMEM_GET_STATS:
		return get_stats(svm, argp);
	case UVMEM_GET_INFO:
		return get_info(svm, argp);
	case UVMEM_GET_SLOTS:
		return get_slots(svm, argp);
	case UVMEM_SVM_OFF:
		return arg ? -EINVAL : uvmem_terminate(svm);
	}
	return -ENOTTY;
}

static const struct file_operations uvmem_svm_fops = {
	.owner = THIS_MODULE,
	.release = uvmem_svm_release,
	.unlocked_ioctl = uvmem_svm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct uvmem_svm *uvmem_svm_alloc(void)
{
	struct uvmem_svm *svm = kvzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	int i;

	if (!svm)
		return NULL;
	svm->count = alloc_percpu_gfp(struct uvmem_counters, GFP_KERNEL_ACCOUNT);
	if (!svm->count) {
		kvfree(svm);
		return NULL;
	}
	kref_init(&svm->ref);
	mutex_init(&svm->lock);
	mt_init_flags(&svm->slots, MT_FLAGS_USE_RCU);
	for (i = 0; i < UVMEM_STRIPES; i++)
		mutex_init(&svm->stripe[i]);
	uvmem_inval_init(svm);
	svm->mm = current->mm;
	mmgrab(svm->mm);
	return svm;
}

/**
 * uvmem_svm_create_fd() - make a VM
 * @args: what the caller asked for
 * @argp: where the LPID goes
 *
 * The LPID and a PATE are registered with the ultravisor (UV_WRITE_PATE).
 * H is in the memory map of the caller.
 *
 * Return: a file descriptor, or -EINVAL, -EFAULT, -ENOMEM, -EMFILE, -EBUSY (no LPID is
 * free), -EOPNOTSUPP (the ultravisor has no secure memory).
 */
int uvmem_svm_create_fd(const struct uvmem_create *args,
			struct uvmem_create __user *argp)
{
	struct uvmem_svm *svm;
	struct file *file;
	int ret, fd;
	s64 rc;

	if (args->flags || args->lpid)
		return -EINVAL;
	svm = uvmem_svm_alloc();
	if (!svm)
		return -ENOMEM;

	/* Reserve the LPID; nobody can look it up before the file exists. */
	ret = xa_alloc(&uvmem_svms, &svm->lpid, NULL, XA_LIMIT(1, UVMEM_MAX_LPID), GFP_KERNEL);
	if (ret)
		goto err_put;
	rc = uvsim_ucall(UV_WRITE_PATE, svm->lpid, UV_PATE_HR, PATE_DW1, 0, 0);
	if (rc != U_SUCCESS) {
		ret = rc == U_FUNCTION ? -EOPNOTSUPP : -ENOMEM;
		goto err_lpid;
	}
	if (put_user(svm->lpid, &argp->lpid)) {
		ret = -EFAULT;
		goto err_pate;
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_pate;
	}
	file = anon_inode_getfile("[kvm-uvmem]", &uvmem_svm_fops, svm, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		ret = PTR_ERR(file);
		goto err_pate;
	}
	/* The slot was reserved above, so that this cannot fail. */
	xa_store(&uvmem_svms, svm->lpid, svm, GFP_KERNEL);
	fd_install(fd, file);
	return fd;

err_pate:
	release_lpid(svm);
err_lpid:
	xa_erase(&uvmem_svms, svm->lpid);
err_put:
	uvmem_svm_put(svm);
	return ret;
}
