// SPDX-License-Identifier: GPL-2.0
/*
 * uv-upstream.ko: uv-sim.ko as the ultravisor of an unmodified KVM-HV, so that
 * arch/powerpc/kvm/book3s_hv_uvmem.c runs on a machine that has none.
 *
 * It is loaded after uv-sim.ko and before kvm-hv.ko, which looks for secure
 * memory when it is loaded, and stays as long as kvm-hv.ko does: once that has
 * found an ultravisor it makes ultracalls.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <asm/mmu.h>

#include "internal.h"

static const struct uvsim_hypervisor hypervisor = {
	.owner = THIS_MODULE,
	.hcall = uvup_hcall,
};

static int watch_kvm_hv(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *mod = data;

	if (strcmp(mod->name, "kvm_hv"))
		return NOTIFY_DONE;
	if (event == MODULE_STATE_COMING)
		__module_get(THIS_MODULE);
	else if (event == MODULE_STATE_GOING)
		module_put(THIS_MODULE);
	return NOTIFY_OK;
}

static struct notifier_block module_watch = {
	.notifier_call = watch_kvm_hv,
};

static int __init check_machine(void)
{
	if (!radix_enabled()) {
		pr_err("secure guests need the radix MMU: boot with disable_radix=0\n");
		return -EOPNOTSUPP;
	}
	if (uvup_devtree_has_ultravisor()) {
		pr_err("this machine has an ultravisor of its own\n");
		return -EBUSY;
	}
	if (!uvsim_secure_pages()) {
		pr_err("uv-sim was loaded with secure_mem=0: there is no secure memory\n");
		return -ENODEV;
	}
	return 0;
}

static int __init check_kvm_hv(void)
{
	if (!uvup_kvm_hv_is_here())
		return 0;
	pr_err("kvm-hv is there already and has looked for secure memory: remove it, load this module, then kvm-hv again\n");
	return -EBUSY;
}

static int __init uvup_init(void)
{
	int err = check_machine();

	if (err)
		return err;
	err = uvup_ucall_init();
	if (err)
		return err;
	err = check_kvm_hv();
	if (err)
		goto exit_ucall;
	err = uvsim_register_hypervisor(&hypervisor);
	if (err) {
		pr_err("uv-sim has a hypervisor half already: remove kvm-uvmem\n");
		goto exit_ucall;
	}
	err = uvup_devtree_init();
	if (err) {
		pr_err("secure memory cannot be added to the device tree: error %d\n", err);
		goto exit_hypervisor;
	}
	err = register_module_notifier(&module_watch);
	if (err)
		goto exit_devtree;
	err = uvup_dev_init();
	if (err)
		goto exit_notifier;
	pr_info("ultracalls of the kernel go to uv-sim; load kvm-hv now\n");
	return 0;

exit_notifier:
	unregister_module_notifier(&module_watch);
exit_devtree:
	uvup_devtree_exit();
exit_hypervisor:
	uvsim_unregister_hypervisor(&hypervisor);
exit_ucall:
	uvup_ucall_exit();
	return err;
}
module_init(uvup_init);

static void __exit uvup_exit(void)
{
	uvup_dev_exit();
	unregister_module_notifier(&module_watch);
	uvup_devtree_exit();
	uvsim_unregister_hypervisor(&hypervisor);
	uvup_ucall_exit();
}
module_exit(uvup_exit);

MODULE_DESCRIPTION("Simulated ultravisor for an unmodified KVM-HV");
MODULE_LICENSE("GPL");
