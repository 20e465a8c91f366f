// SPDX-License-Identifier: GPL-2.0
/*
 * Module and /dev/uvmem: loading, unloading, and making SVMs.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "uvmem.h"

#if !IS_ENABLED(CONFIG_DEVICE_PRIVATE)
#error "kvm-uvmem needs CONFIG_DEVICE_PRIVATE=y: enable it and rebuild the kernel"
#endif

DEFINE_SRCU(uvmem_srcu);

static s64 uvmem_from_uv(u32 lpid, u64 nr, const u64 args[4], u64 out[1])
{
	struct uvmem_svm *svm = uvmem_svm_get(lpid);
	s64 ret;

	if (!svm)
		return H_PARAMETER;
	ret = uvmem_hcall(svm, nr, args, out);
	uvmem_svm_put(svm);
	return ret;
}

static bool uvmem_is_vmm(u32 lpid)
{
	struct uvmem_svm *svm = uvmem_svm_get(lpid);
	bool is = svm && svm->mm == current->mm;

	if (svm)
		uvmem_svm_put(svm);
	return is;
}

static const struct uvsim_hypervisor uvmem_hypervisor = {
	.owner = THIS_MODULE,
	.hcall = uvmem_from_uv,
	.is_vmm = uvmem_is_vmm,
};

static long uvmem_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct uvmem_create __user *argp = (void __user *)arg;
	struct uvmem_create args;

	if (cmd != UVMEM_CREATE_SVM)
		return -ENOTTY;
	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	return uvmem_svm_create_fd(&args, argp);
}

static const struct file_operations uvmem_dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = uvmem_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice uvmem_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "uvmem",
	.mode = 0600,
	.fops = &uvmem_dev_fops,
};

static int __init uvmem_init(void)
{
	int ret = uvmem_pool_init();

	if (ret) {
		pr_err("kvm-uvmem: no device-private memory: error %d\n", ret);
		return ret;
	}
	ret = uvsim_register_hypervisor(&uvmem_hypervisor);
	if (ret)
		goto err_pool;
	ret = misc_register(&uvmem_misc);
	if (ret)
		goto err_hypervisor;
	uvmem_stats_init();
	return 0;

err_hypervisor:
	uvsim_unregister_hypervisor(&uvmem_hypervisor);
err_pool:
	uvmem_pool_exit();
	return ret;
}

static void __exit uvmem_exit(void)
{
	uvmem_stats_exit();
	misc_deregister(&uvmem_misc);
	uvsim_unregister_hypervisor(&uvmem_hypervisor);
	uvmem_pool_exit();
}

module_init(uvmem_init);
module_exit(uvmem_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Secure-guest memory as device-private pages: page-in, page-out, share");
