// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a VM beside UV_ESM: stopping an SVM, and tearing one down.
 *
 *              UV_ESM     H_SVM_INIT_DONE  abort    stop      UV_SVM_TERMINATE
 *   NORMAL     TRANSIENT  -                -        -         U_INVALID
 *   TRANSIENT  U_BUSY     SECURE           NORMAL   -         NORMAL
 *   SECURE     U_SUCCESS  -                -        STOPPED   NORMAL
 *   STOPPED    U_INVALID  -                -        -         NORMAL
 *
 * Takes svm->life, svm->gfn[], svm->table, uv->pool.
 */
#include "internal.h"

/* Called with svm->table held. */
void uv_svm_set_state(struct uv_svm *svm, enum uv_vm_state state)
{
	struct uv *uv = svm->uv;

	uv_lock(uv, uv->pool);
	if (svm->state == UV_VM_NORMAL && state != UV_VM_NORMAL)
		uv->nsvms++;
	if (svm->state != UV_VM_NORMAL && state == UV_VM_NORMAL)
		uv->nsvms--;
	uv_unlock(uv, uv->pool);
	svm->state = state;
}

bool uv_svm_is(struct uv_svm *svm, enum uv_vm_state state)
{
	bool is;

	uv_lock(svm->uv, svm->table);
	is = svm->state == state;
	uv_unlock(svm->uv, svm->table);
	return is;
}

/*
 * Wait until every operation on a GFN that began with an older state of the
 * VM is over. Called without a lock below svm->life.
 */
void uv_svm_barrier(struct uv_svm *svm)
{
	unsigned int i;

	for (i = 0; i < UV_NCHUNKS; i++) {
		uv_lock(svm->uv, svm->gfn[i]);
		uv_unlock(svm->uv, svm->gfn[i]);
	}
}

static bool unmap_gfn(struct uv_gfn_ref *ref, void *arg)
{
	(void)arg;
	uv_gfn_unmap(ref);
	return true;
}

/*
 * Stop a secure VM: nothing is mapped for its guest any more. What it has in
 * secure memory stays until it is terminated, and can still be paged out.
 * Called without a lock.
 */
void uv_svm_stop(struct uv_svm *svm, enum uv_stop_reason why, uint64_t gpa)
{
	struct uv *uv = svm->uv;
	struct uv_line l;
	bool stopped;

	uv_lock(uv, svm->table);
	stopped = svm->state == UV_VM_SECURE;
	if (stopped) {
		uv_svm_set_state(svm, UV_VM_STOPPED);
		svm->stop_reason = why;
		svm->stop_gpa = gpa;
	}
	uv_unlock(uv, svm->table);
	if (!stopped)
		return;

	uv_line_start(&l, svm);
	uv_line_str(&l, "stopped at GPA ");
	uv_line_hex(&l, gpa);
	uv_line_str(&l, ": ");
	uv_line_str(&l, uv_stop_name(why));
	uv_line_end(&l, uv);
	uv_svm_barrier(svm);
	uv_walk_gfns(svm, 0, unmap_gfn, NULL);
}

/* Called with svm->life held; the VM is dying and its slots are the caller's. */
static void release_all(struct uv_svm *svm, struct uv_slot **slots, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		uv_slot_free(svm, slots[i]);
	uv_free(svm->uv, slots);
	uv_svm_barrier(svm);
	uv_seal_clear(svm);
}

/*
 * Make a VM that is transient, secure or stopped a normal one, and release all
 * that it has. False if it is a normal one already. Called without a lock.
 */
bool uv_svm_teardown(struct uv_svm *svm, enum uv_stop_reason why)
{
	struct uv *uv = svm->uv;
	struct uv_slot **slots;
	uint32_t n;

	uv_lock(uv, svm->life);
	uv_lock(uv, svm->table);
	if (svm->state == UV_VM_NORMAL) {
		uv_unlock(uv, svm->table);
		uv_unlock(uv, svm->life);
		return false;
	}
	uv_svm_set_state(svm, UV_VM_NORMAL);
	svm->dying = true;
	if (svm->stop_reason == UV_STOP_NONE && !svm->aborting)
		svm->stop_reason = why;
	if (svm->esm_held) {
		svm->esm_held = false;
		svm->in_esm = false;
	}
	slots = svm->slots;
	n = svm->nslots;
	svm->slots = NULL;
	svm->nslots = 0;
	svm->slot_room = 0;
	uv_unlock(uv, svm->table);

	release_all(svm, slots, n);

	uv_lock(uv, svm->table);
	svm->dying = false;
	svm->measuring = false;
	svm->aborting = false;
	uv_unlock(uv, svm->table);
	uv_unlock(uv, svm->life);
	return true;
}

/**
 * uv_hv_terminate() - UV_SVM_TERMINATE
 * @uv: ultravisor
 * @lpid: SVM, or VM on its way there
 *
 * Secure pages are wiped. The VM is a normal one afterwards and may go secure
 * again. Runs against everything else.
 *
 * Return: U_SUCCESS; U_PARAMETER for an unknown LPID; U_INVALID for a normal VM.
 */
int64_t uv_hv_terminate(struct uv *uv, uint64_t lpid)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);
	struct uv_line l;
	bool done;

	if (!svm)
		return U_PARAMETER;
	done = uv_svm_teardown(svm, UV_STOP_TERMINATED);
	if (done) {
		uv_line_start(&l, svm);
		uv_line_str(&l, "terminated");
		uv_line_end(&l, uv);
	}
	uv_svm_put(svm);
	return done ? U_SUCCESS : U_INVALID;
}
