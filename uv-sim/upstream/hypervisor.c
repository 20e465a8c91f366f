// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls of the ultravisor's, made by calling what KVM-HV's own hypercall
 * handler calls. A real ultravisor enters that handler on behalf of the SVM,
 * with MSR[S] set in SRR1, and the handler does nothing but look at that bit
 * before it calls the function.
 *
 * The functions are looked up by name for each call: KVM-HV cannot go while a
 * partition holds a VM of its, and may be another one afterwards.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <asm/kvm_ppc.h>

#include "internal.h"

typedef unsigned long (*vm_fn)(struct kvm *kvm);
typedef unsigned long (*page_fn)(struct kvm *kvm, unsigned long gpa, unsigned long flags,
				 unsigned long page_shift);

static const struct {
	u64 nr;
	bool page;		/* page_fn, else vm_fn */
	const char *name;
} handlers[] = {
	{ H_SVM_PAGE_IN, true, "kvmppc_h_svm_page_in" },
	{ H_SVM_PAGE_OUT, true, "kvmppc_h_svm_page_out" },
	{ H_SVM_INIT_START, false, "kvmppc_h_svm_init_start" },
	{ H_SVM_INIT_DONE, false, "kvmppc_h_svm_init_done" },
	{ H_SVM_INIT_ABORT, false, "kvmppc_h_svm_init_abort" },
};

/**
 * uvup_kvm_hv_is_here() - has KVM-HV been loaded?
 */
bool uvup_kvm_hv_is_here(void)
{
	return uvup_symbol(handlers[0].name);
}

/**
 * uvup_is_kvm_hv() - is it a VM of KVM-HV?
 * @kvm: any KVM VM
 */
bool uvup_is_kvm_hv(const struct kvm *kvm)
{
	const struct module *owner = kvm->arch.kvm_ops->owner;

	return owner && !strcmp(owner->name, "kvm_hv");
}

static s64 call(struct kvm *kvm, u64 nr, const u64 args[4])
{
	unsigned int i;
	void *fn;

	for (i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (handlers[i].nr != nr)
			continue;
		fn = uvup_symbol(handlers[i].name);
		if (!fn)
			return H_FUNCTION;
		if (handlers[i].page)
			return ((page_fn)fn)(kvm, args[0], args[1], args[2]);
		return ((vm_fn)fn)(kvm);
	}
	return H_FUNCTION;
}

/**
 * uvup_hcall() - hypercall of the ultravisor's
 * @lpid: partition
 * @nr: H_SVM_*
 * @args: R4 and up
 * @out: R4 on return
 *
 * Context: process context, no lock of the ultravisor and no mmap lock held;
 * makes ultracalls.
 * Return: what KVM-HV returns; H_FUNCTION for a number that it does not know,
 * the range calls of kvm-uvmem among them; H_PARAMETER when there is no such
 * partition or its process is gone.
 */
s64 uvup_hcall(u32 lpid, u64 nr, const u64 args[4], u64 out[1])
{
	struct uvup_partition *part = uvup_partition_get(lpid);
	struct mm_struct *mm;
	s64 ret = H_PARAMETER;

	out[0] = 0;
	if (!part)
		return H_PARAMETER;
	mm = part->kvm->mm;
	if (mmget_not_zero(mm)) {
		ret = call(part->kvm, nr, args);
		/* It may wait in another CPU's batch; KVM-HV does not look there. */
		if (nr == H_SVM_PAGE_IN && ret == H_PARAMETER)
			uvsim_lru_drain_all();
		mmput(mm);
	}
	uvup_inval_drain(lpid);
	uvup_partition_put(part);
	return ret;
}
