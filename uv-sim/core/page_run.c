// SPDX-License-Identifier: GPL-2.0
/*
 * UV_PAGE_IN and UV_PAGE_OUT, of one page or of pages that follow one another:
 * checking the arguments, and locking. A hypervisor that moves a run of pages has each
 * of them answered as if it had made a call for each; only the VM, the memslot and
 * the GFN's lock are looked up once for several.
 *
 * Takes the GFNs' locks.
 */
#include "internal.h"

#define LOCKED_BYTES 0x10000 /* that are worked on under one lock */

/* What the two calls differ in. */
struct call {
	uint64_t flags;	   /* that are known */
	bool when_stopped; /* it is for stopped SVMs, too */
	bool leaves;	   /* pages leave the guest view */
	int64_t (*page)(struct uv_gfn_ref *ref, uint64_t ra, uint64_t flags, bool *tampered);
};

static const struct call page_in = {
	.flags = UV_SIM_PAGE_IN_SECURE | UV_SIM_PAGE_IN_SHARED,
	.page = uv_page_in,
};

static const struct call page_out = {
	.flags = UV_SNAPSHOT | UV_SIM_PAGE_OUT_SECURE,
	.when_stopped = true,
	.leaves = true,
	.page = uv_page_out,
};

/* What is wrong with the arguments of the i-th call, or U_SUCCESS. */
static int64_t check(const struct uv *uv, const struct uv_page_run *run, uint32_t i,
		     const struct call *call)
{
	if (!uv_page_aligned(uv, run->ra[i]))
		return U_P2;
	if (!uv_page_aligned(uv, run->gpa))
		return U_P3;
	if (run->flags & ~call->flags)
		return U_P4;
	return run->order == uv->port.page_shift ? U_SUCCESS : U_P5;
}

static bool is_to_do(const struct uv_page_run *run, uint32_t i)
{
	return run->ra[i] != UV_NO_RA && run->ret[i] == U_SUCCESS;
}

static int64_t check_vm(const struct uv_gfn_ref *ref, enum uv_lookup found, const struct call *call)
{
	if (found == UV_LOOKUP_NOMEM || ref->dying)
		return U_BUSY;
	if (ref->vm_state == UV_VM_NORMAL ||
	    (ref->vm_state == UV_VM_STOPPED && !call->when_stopped))
		return U_PARAMETER;
	return found == UV_LOOKUP_NOSLOT ? U_P3 : U_SUCCESS;
}

static uint32_t at_a_time(const struct uv *uv)
{
	uint32_t n = LOCKED_BYTES >> uv->port.page_shift;

	return n ? n : 1;
}

/* A sealed page does not open. Called without a lock. */
static void refuse(struct uv_svm *svm, uint64_t gpa)
{
	uv_count(svm, UV_C_INTEGRITY);
	uv_svm_stop(svm, UV_STOP_INTEGRITY, gpa);
}

/*
 * The calls from the i-th on that one hold of the lock is for. What comes behind a page
 * that was tampered with is left, and finds the SVM stopped. Returns their number.
 */
static uint32_t do_some(struct uv_svm *svm, const struct uv_page_run *run, uint32_t i,
			const struct call *call)
{
	uint64_t gfn = (run->gpa >> svm->uv->port.page_shift) + i;
	struct uv_gfn_ref first, ref;
	enum uv_lookup found = uv_gfn_lock(svm, gfn, true, &first);
	int64_t wrong = check_vm(&first, found, call);
	struct uv_moves moves;
	bool tampered = false;
	uint32_t n, k;

	if (found != UV_LOOKUP_OK) {
		run->ret[i] = wrong;
		return 1;
	}
	n = uv_min32(uv_min32(at_a_time(svm->uv), first.room), run->n - i);
	if (!wrong && call->leaves && !(run->flags & UV_SNAPSHOT))
		uv_gfn_unmap_run(&first, n, run->ra + i);
	moves.n = 0;
	first.moves = &moves;	/* of which there is at most one a GFN */
	for (k = 0; k < n && !tampered; k++) {
		if (!is_to_do(run, i + k))
			continue;
		uv_gfn_step(&first, k, &ref);
		run->ret[i + k] = wrong ? wrong :
					  call->page(&ref, run->ra[i + k], run->flags, &tampered);
	}
	uv_gfn_settle(&first);
	uv_gfn_unlock(&first);
	if (tampered)
		refuse(svm, uv_gpa(svm->uv, gfn + k - 1));
	return k;
}

/**
 * uv_hv_page_run() - UV_PAGE_IN or UV_PAGE_OUT for each page of a run
 * @uv: ultravisor
 * @run: the calls; those with the real address UV_NO_RA are not made
 *
 * Context: the hypervisor's locks may be held; no hypercall is made.
 * Return: in @run->ret, for each call: U_PARAMETER for an LPID that is unknown or a
 * normal VM, and with UV_PAGE_IN a stopped SVM; U_P2 for an address that is
 * unaligned; U_P3 for a GPA that is unaligned or in no slot; U_P4 for unknown flags;
 * U_P5 for an order that is not the page size; U_BUSY while the VM is torn down, or
 * without memory for tables; else what uv_page_in() or uv_page_out() return.
 */
void uv_hv_page_run(struct uv *uv, const struct uv_page_run *run)
{
	const struct call *call = run->nr == UV_PAGE_IN ? &page_in : &page_out;
	struct uv_svm *svm = uv_svm_get(uv, run->lpid);
	uint32_t i;

	for (i = 0; i < run->n; i++)
		run->ret[i] = svm ? check(uv, run, i, call) : U_PARAMETER;
	if (!svm)
		return;
	for (i = 0; i < run->n;)
		i += is_to_do(run, i) ? do_some(svm, run, i, call) : 1;
	uv_svm_put(svm);
}
