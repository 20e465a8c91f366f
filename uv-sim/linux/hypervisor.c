// SPDX-License-Identifier: GPL-2.0
/*
 * Where the ultravisor's hypercalls go: to the one hypervisor module that has
 * registered. SRCU keeps that module's code in place while a hypercall runs,
 * so unregistering, and with it unloading, waits for the calls under way.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/srcu.h>
#include "internal.h"

DEFINE_STATIC_SRCU(hypervisor_srcu);
static DEFINE_MUTEX(hypervisor_lock);	/* serializes changes of @hypervisor */
static const struct uvsim_hypervisor __rcu *hypervisor;

/**
 * uvsim_register_hypervisor() - become the hypervisor
 * @hv: stays the caller's; valid until it is unregistered
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL without a hypercall function, -EBUSY when there is a
 * hypervisor already.
 */
int uvsim_register_hypervisor(const struct uvsim_hypervisor *hv)
{
	if (!hv->hcall)
		return -EINVAL;

	guard(mutex)(&hypervisor_lock);
	if (rcu_access_pointer(hypervisor))
		return -EBUSY;
	rcu_assign_pointer(hypervisor, hv);
	return 0;
}
EXPORT_SYMBOL_GPL(uvsim_register_hypervisor);

/**
 * uvsim_unregister_hypervisor() - stop being the hypervisor
 * @hv: what was registered; anything else is ignored
 *
 * When it returns no hypercall runs and none will start. Hypercalls of the
 * ultravisor fail with H_FUNCTION from then on.
 *
 * Context: process context, may sleep; not from within a hypercall.
 */
void uvsim_unregister_hypervisor(const struct uvsim_hypervisor *hv)
{
	scoped_guard(mutex, &hypervisor_lock) {
		if (rcu_access_pointer(hypervisor) != hv)
			return;
		RCU_INIT_POINTER(hypervisor, NULL);
	}
	synchronize_srcu(&hypervisor_srcu);
}
EXPORT_SYMBOL_GPL(uvsim_unregister_hypervisor);

s64 uvsim_hcall(void *ctx, u32 lpid, u64 nr, const u64 args[4], u64 out[1])
{
	const struct uvsim_hypervisor *hv;
	s64 ret = H_FUNCTION;
	int idx;

	idx = srcu_read_lock(&hypervisor_srcu);
	hv = srcu_dereference(hypervisor, &hypervisor_srcu);
	if (hv)
		ret = hv->hcall(lpid, nr, args, out);
	srcu_read_unlock(&hypervisor_srcu, idx);
	return ret;
}

/**
 * uvsim_is_vmm() - may the calling process speak for a guest?
 * @lpid: of a VM that a hypervisor has registered
 */
bool uvsim_is_vmm(u32 lpid)
{
	const struct uvsim_hypervisor *hv;
	bool is = true;
	int idx;

	idx = srcu_read_lock(&hypervisor_srcu);
	hv = srcu_dereference(hypervisor, &hypervisor_srcu);
	if (hv && hv->is_vmm)
		is = hv->is_vmm(lpid);
	srcu_read_unlock(&hypervisor_srcu, idx);
	return is;
}
