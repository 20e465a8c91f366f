// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a VM: Normal -> Transient -> Secure, and back.
 *
 * uvmem_svm.lock is held over each transition. The hypercalls that move pages
 * only read the state, inside uvmem_srcu; leaving Transient or Secure waits for
 * those that have seen it.
 */
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "uvmem.h"
#include "trace.h"

static void set_state(struct uvmem_svm *svm, enum uvmem_vm_state state,
		      enum uvmem_reason reason, u64 start_ns)
{
	enum uvmem_vm_state old = svm->state;

	WRITE_ONCE(svm->state, state);
	trace_uvmem_vm(svm->lpid, old, state, reason, start_ns ? ktime_get_ns() - start_ns : 0);
}

static void unregister_all(struct uvmem_svm *svm)
{
	struct uvmem_slot *slot;
	unsigned long gfn = 0;

	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX)
		uvmem_slot_unregister(slot);
}

/**
 * uvmem_init_start() - H_SVM_INIT_START
 * @svm: the VM
 *
 * Registers every memslot with the ultravisor and takes H away from KSM.
 *
 * Context: no locks held.
 * Return: H_SUCCESS; H_STATE if the VM is not Normal, has no memslots, or a
 * slot is refused; then it is what it was.
 */
s64 uvmem_init_start(struct uvmem_svm *svm)
{
	u64 start_ns = ktime_get_ns();
	struct uvmem_slot *slot;
	unsigned long gfn = 0;
	s64 rc = H_SUCCESS;

	mutex_lock(&svm->lock);
	if (svm->state != UVMEM_VM_NORMAL || svm->closing || !svm->nslots) {
		mutex_unlock(&svm->lock);
		return H_STATE;
	}
	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX) {
		rc = uvmem_slot_register(slot);
		if (rc)
			break;
	}
	if (rc)
		unregister_all(svm);
	else
		set_state(svm, UVMEM_VM_TRANSIENT, UVMEM_R_INIT_START, start_ns);
	mutex_unlock(&svm->lock);
	return rc;
}

/*
 * What the ultravisor did not ask for. An abort cannot give back what is thrown away here.
 * Called with @svm->lock held.
 */
static s64 page_in_rest(struct uvmem_svm *svm)
{
	struct uvmem_slot *slot;
	unsigned long gfn = 0;
	s64 rc = H_SUCCESS;

	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX)
		if (!uvmem_h_is_there(slot))
			return H_STATE;
	gfn = 0;
	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX) {
		rc = uvmem_page_in_rest(slot);
		if (rc)
			break;
	}
	return rc;
}

/**
 * uvmem_init_done() - H_SVM_INIT_DONE
 * @svm: the VM
 *
 * Context: no locks held.
 * Return: H_SUCCESS; H_UNSUPPORTED if the VM is Normal or Secure; H_STATE if a
 * page could not be made secure: the VM stays Transient, to be aborted.
 */
s64 uvmem_init_done(struct uvmem_svm *svm)
{
	u64 start_ns = ktime_get_ns();
	s64 rc;

	mutex_lock(&svm->lock);
	if (svm->state != UVMEM_VM_TRANSIENT) {
		mutex_unlock(&svm->lock);
		return H_UNSUPPORTED;
	}
	rc = page_in_rest(svm);
	if (!rc) {
		set_state(svm, UVMEM_VM_SECURE, UVMEM_R_INIT_DONE, start_ns);
		pr_info("kvm-uvmem: LPID %u went secure\n", svm->lpid);
	}
	mutex_unlock(&svm->lock);
	return rc;
}

/**
 * uvmem_init_abort() - H_SVM_INIT_ABORT
 * @svm: the VM
 *
 * Every page is paged out, in the clear if the ultravisor gave up itself, and
 * the VM terminated in the ultravisor.
 *
 * Context: no locks held.
 * Return: H_PARAMETER on success, for the guest; H_UNSUPPORTED if the VM is
 * Normal; H_STATE if it is Secure; H_BUSY if a page is in use for too long:
 * the VM is Transient still and the call can be made again.
 */
s64 uvmem_init_abort(struct uvmem_svm *svm)
{
	u64 start_ns = ktime_get_ns();
	struct uvmem_slot *slot;
	unsigned long gfn = 0;
	s64 rc = H_PARAMETER;

	mutex_lock(&svm->lock);
	if (svm->state == UVMEM_VM_NORMAL)
		rc = H_UNSUPPORTED;
	else if (svm->state == UVMEM_VM_SECURE)
		rc = H_STATE;
	if (rc != H_PARAMETER)
		goto out;

	/* First, so that no page-in that runs beside us brings a page back. */
	WRITE_ONCE(svm->state, UVMEM_VM_NORMAL);
	synchronize_srcu(&uvmem_srcu);
	mt_for_each(&svm->slots, slot, gfn, ULONG_MAX) {
		if (uvmem_drop_slot(slot, UVMEM_R_ABORT)) {
			WRITE_ONCE(svm->state, UVMEM_VM_TRANSIENT);
			rc = H_BUSY;
			goto out;
		}
	}
	trace_uvmem_vm(svm->lpid, UVMEM_VM_TRANSIENT, UVMEM_VM_NORMAL, UVMEM_R_ABORT,
		       ktime_get_ns() - start_ns);
	unregister_all(svm);
	while (uvsim_ucall(UV_SVM_TERMINATE, svm->lpid, 0, 0, 0, 0) == U_BUSY)
		cond_resched();
out:
	mutex_unlock(&svm->lock);
	return rc;
}

/**
 * uvmem_terminate() - end the secure life of a VM
 * @svm: the VM
 *
 * UV_SVM_TERMINATE, as KVM_PPC_SVM_OFF has it: all GFNs become Normal. The host
 * reads zeros.
 *
 * Context: no locks held.
 * Return: 0, also if the VM was Normal.
 */
int uvmem_terminate(struct uvmem_svm *svm)
{
	u64 start_ns = ktime_get_ns();
	struct uvmem_slot *slot;
	unsigned long gfn = 0;

	mutex_lock(&svm->lock);
	if (svm->state != UVMEM_VM_NORMAL) {
		set_state(svm, UVMEM_VM_NORMAL, UVMEM_R_TERMINATE, start_ns);
		synchronize_srcu(&uvmem_srcu);
		while (uvsim_ucall(UV_SVM_TERMINATE, svm->lpid, 0, 0, 0, 0) == U_BUSY)
			cond_resched();
		unregister_all(svm);
		mt_for_each(&svm->slots, slot, gfn, ULONG_MAX)
			uvmem_drop_slot(slot, UVMEM_R_TERMINATE);
	}
	mutex_unlock(&svm->lock);
	return 0;
}
