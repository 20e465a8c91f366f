// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls: what the ultravisor asks of the hypervisor (ultravisor.rst,
 * "Hypervisor calls to support Ultravisor"), checked and handed on.
 */
#include <linux/timekeeping.h>

#include "uvmem.h"
#include "trace.h"

/* A run of GFNs that the arguments name. */
struct run {
	u64 gfn;
	u64 npages;
	u64 flags;
};

/*
 * H_PARAMETER for a GPA that is no page of the VM, or a number of pages, H_P2 for flags,
 * H_P3 for an order that is not the page size. H_UNSUPPORTED before H_SVM_INIT_START, as
 * upstream has it.
 */
static s64 check_run(struct uvmem_svm *svm, struct run *run, u64 gpa, u64 npages,
		     u64 flags, u64 order, u64 known_flags)
{
	if (READ_ONCE(svm->state) == UVMEM_VM_NORMAL)
		return H_UNSUPPORTED;
	if (order != PAGE_SHIFT)
		return H_P3;
	if (flags & ~known_flags)
		return H_P2;
	run->gfn = gpa >> PAGE_SHIFT;
	if (gpa & ~PAGE_MASK || !npages || npages > (U64_MAX >> PAGE_SHIFT) - run->gfn)
		return H_PARAMETER;
	run->npages = npages;
	run->flags = flags;
	return H_SUCCESS;
}

static s64 h_page_in(struct uvmem_svm *svm, const struct run *run, u64 *done)
{
	if (run->flags & H_PAGE_IN_SHARED)
		return uvmem_share(svm, run->gfn, run->npages, done);
	return uvmem_page_in(svm, run->gfn, run->npages, run->flags, done);
}

/* H_SVM_PAGE_IN of a page that is paged in already is refused. */
static s64 h_svm_page_in(struct uvmem_svm *svm, const u64 args[4])
{
	struct uvmem_slot *slot;
	struct run run;
	bool here;
	u64 done;
	s64 ret;

	ret = check_run(svm, &run, args[0], 1, args[1], args[2], H_PAGE_IN_SHARED);
	if (ret)
		return ret;
	slot = uvmem_slot_find(svm, run.gfn);
	if (!slot)
		return H_PARAMETER;
	/* With the stripe, so that a page-out that is under way is over. */
	mutex_lock(uvmem_stripe(svm, run.gfn));
	here = uvmem_gfn_state(slot, run.gfn) == UVMEM_GFN_UVMEM;
	mutex_unlock(uvmem_stripe(svm, run.gfn));
	if (here && !(run.flags & H_PAGE_IN_SHARED))
		return H_PARAMETER;
	run.flags |= H_SIM_PAGE_IN_GUEST;
	return h_page_in(svm, &run, &done);
}

static s64 h_svm_page_out(struct uvmem_svm *svm, const u64 args[4])
{
	struct run run;
	u64 done;
	s64 ret;

	ret = check_run(svm, &run, args[0], 1, args[1], args[2], 0);
	return ret ?: uvmem_page_out(svm, run.gfn, 1, &done);
}

/* guest_pa, npages, flags, order: flags are the third parameter here. */
static s64 h_sim_page_in_range(struct uvmem_svm *svm, const u64 args[4], u64 *done)
{
	struct run run;
	s64 ret;

	ret = check_run(svm, &run, args[0], args[1], args[2], args[3],
			H_PAGE_IN_SHARED | H_SIM_PAGE_IN_TOUCHED | H_SIM_PAGE_IN_GUEST);
	return ret ?: h_page_in(svm, &run, done);
}

static s64 h_sim_page_out_range(struct uvmem_svm *svm, const u64 args[4], u64 *done)
{
	struct run run;
	s64 ret;

	ret = check_run(svm, &run, args[0], args[1], args[2], args[3], 0);
	return ret ?: uvmem_page_out(svm, run.gfn, run.npages, done);
}

static s64 dispatch(struct uvmem_svm *svm, u64 nr, const u64 args[4], u64 out[1])
{
	s64 ret;
	int idx;

	switch (nr) {
	case H_SVM_INIT_START:
		return uvmem_init_start(svm);
	case H_SVM_INIT_DONE:
		return uvmem_init_done(svm);
	case H_SVM_INIT_ABORT:
		return uvmem_init_abort(svm);
	}

	idx = srcu_read_lock(&uvmem_srcu);
	switch (nr) {
	case H_SVM_PAGE_IN:
		ret = h_svm_page_in(svm, args);
		break;
	case H_SVM_PAGE_OUT:
		ret = h_svm_page_out(svm, args);
		break;
	case H_SIM_SVM_PAGE_IN_RANGE:
		ret = h_sim_page_in_range(svm, args, &out[0]);
		break;
	case H_SIM_SVM_PAGE_OUT_RANGE:
		ret = h_sim_page_out_range(svm, args, &out[0]);
		break;
	default:
		ret = H_FUNCTION;
	}
	srcu_read_unlock(&uvmem_srcu, idx);
	if (ret == H_BUSY)
		uvmem_count(&svm->count->busy);
	return ret;
}

/**
 * uvmem_hcall() - a hypercall of the ultravisor
 * @svm: the VM
 * @nr: H_SVM_* or H_SIM_SVM_*
 * @args: parameters from R4 on
 * @out: R4 on return; number of pages done for the range calls
 *
 * Context: process context, no locks held; sleeps, and makes ultracalls.
 * Return: H_SUCCESS; H_BUSY if a page is in use and the call can be tried
 * again; H_FUNCTION for an unknown @nr; else as ultravisor.rst lists them.
 */
s64 uvmem_hcall(struct uvmem_svm *svm, u64 nr, const u64 args[4], u64 out[1])
{
	u64 start = trace_uvmem_hcall_enabled() ? ktime_get_ns() : 0;
	s64 ret;

	out[0] = 0;
	ret = dispatch(svm, nr, args, out);
	if (start)
		trace_uvmem_hcall(svm->lpid, nr, args, ret, ktime_get_ns() - start);
	return ret;
}
