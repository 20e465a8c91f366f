// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/uvupstream: how a VMM makes its KVM VM known to the ultravisor, and how
 * tests make a hypercall as the ultravisor would.
 *
 * Locks: attach_lock serializes UVUP_ATTACH; an attached file stays attached.
 */
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "internal.h"

static DEFINE_MUTEX(attach_lock);	/* file->private_data from NULL on */

static int dev_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;	/* misc_open() set it */
	return 0;
}

static int dev_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		uvup_partition_close(file->private_data);
	return 0;
}

static long attach(struct file *file, struct uvup_attach __user *argp)
{
	struct uvup_partition *part;
	struct uvup_attach req;

	if (copy_from_user(&req, argp, sizeof(req)))
		return -EFAULT;
	if (req.flags || req.pad)
		return -EINVAL;

	guard(mutex)(&attach_lock);
	if (file->private_data)
		return -EBUSY;
	part = uvup_partition_new(req.kvm_fd);
	if (IS_ERR(part))
		return PTR_ERR(part);
	if (put_user(part->lpid, &argp->lpid)) {
		uvup_partition_close(part);
		return -EFAULT;
	}
	/* Pairs with dev_ioctl(). */
	smp_store_release(&file->private_data, part);
	return 0;
}

static long hcall(struct uvup_partition *part, struct uvmem_hcall __user *argp)
{
	struct uvmem_hcall req;

	if (copy_from_user(&req, argp, sizeof(req)))
		return -EFAULT;
	if (req.flags)
		return -EINVAL;
	if (part->kvm->mm != current->mm)
		return -EACCES;
	req.ret = uvup_hcall(part->lpid, req.nr, req.args, req.out);
	return copy_to_user(argp, &req, sizeof(req)) ? -EFAULT : 0;
}

static u32 vm_state(const struct kvm *kvm)
{
	u8 state = READ_ONCE(kvm->arch.secure_guest);

	if (state & KVMPPC_SECURE_INIT_DONE)
		return UVMEM_VM_SECURE;
	return state & KVMPPC_SECURE_INIT_START ? UVMEM_VM_TRANSIENT : UVMEM_VM_NORMAL;
}

static u32 count_slots(struct kvm *kvm)
{
	int idx = srcu_read_lock(&kvm->srcu), bkt;
	struct kvm_memory_slot *slot;
	u32 n = 0;

	kvm_for_each_memslot(slot, bkt, kvm_memslots(kvm))
		n++;
	srcu_read_unlock(&kvm->srcu, idx);
	return n;
}

static long get_info(struct uvup_partition *part, void __user *argp)
{
	struct uvmem_info info = {
		.abi_version = UVMEM_ABI_VERSION,
		.page_shift = PAGE_SHIFT,
		.lpid = part->lpid,
		.vm_state = vm_state(part->kvm),
		.nslots = count_slots(part->kvm),
	};

	return copy_to_user(argp, &info, sizeof(info)) ? -EFAULT : 0;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	/* Pairs with attach(). */
	struct uvup_partition *part = smp_load_acquire(&file->private_data);

	if (cmd == UVUP_ATTACH)
		return attach(file, (void __user *)arg);
	if (!part)
		return -ENXIO;
	switch (cmd) {
	case UVMEM_HCALL:
		return hcall(part, (void __user *)arg);
	case UVMEM_GET_INFO:
		return get_info(part, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.release = dev_release,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "uvupstream",
	.mode = 0600,
	.fops = &dev_fops,
};

int uvup_dev_init(void)
{
	return misc_register(&misc);
}

void uvup_dev_exit(void)
{
	misc_deregister(&misc);
}
