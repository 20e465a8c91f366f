// SPDX-License-Identifier: GPL-2.0
/*
 * Dispatch of ultracalls. Takes no lock.
 *
 * Which side may make a call is decided here: the wrong one gets U_PERMISSION.
 * While secure execution is off, every call returns U_FUNCTION.
 */
#include "internal.h"

static bool is_guest_call(uint64_t nr)
{
	return nr == UV_ESM || nr == UV_SHARE_PAGE || nr == UV_UNSHARE_PAGE ||
	       nr == UV_UNSHARE_ALL_PAGES || nr == UV_SIM_ESM_START || nr == UV_SIM_ESM_FINISH;
}

static bool is_hv_call(uint64_t nr)
{
	return nr == UV_WRITE_PATE || nr == UV_REGISTER_MEM_SLOT ||
	       nr == UV_UNREGISTER_MEM_SLOT || nr == UV_PAGE_IN || nr == UV_PAGE_OUT ||
	       nr == UV_PAGE_INVAL || nr == UV_SVM_TERMINATE;
}

static int64_t page_call(struct uv *uv, uint64_t nr, const uint64_t *args)
{
	int64_t ret;
	const struct uv_page_run run = {
		.nr = nr,
		.lpid = args[0],
		.gpa = args[2],
		.flags = args[3],
		.order = args[4],
		.n = 1,
		.ra = &args[1],
		.ret = &ret,
	};

	uv_hv_page_run(uv, &run);
	return ret;
}

/**
 * uv_hv_call() - ultracall from the hypervisor
 * @uv: ultravisor
 * @nr: UV_* number
 * @args: its arguments, the LPID first
 * @out: R4 and R5 on return
 *
 * UV_RETURN returns U_FUNCTION: the simulation switches no context, so there is
 * nothing to go back to.
 *
 * Context: may sleep. Locks of the hypervisor may be held: no hypercall is made.
 * Return: a U_* code.
 */
int64_t uv_hv_call(struct uv *uv, uint64_t nr, const uint64_t args[UV_UCALL_ARGS],
		   uint64_t out[UV_UCALL_OUT])
{
	memset(out, 0, UV_UCALL_OUT * sizeof(*out));
	if (!uv->total)
		return U_FUNCTION;
	switch (nr) {
	case UV_WRITE_PATE:
		return uv_hv_write_pate(uv, args[0], args[1], args[2]);
	case UV_REGISTER_MEM_SLOT:
		return uv_hv_register_slot(uv, args);
	case UV_UNREGISTER_MEM_SLOT:
		return uv_hv_unregister_slot(uv, args[0], args[1]);
	case UV_PAGE_IN:
	case UV_PAGE_OUT:
		return page_call(uv, nr, args);
	case UV_PAGE_INVAL:
		return uv_hv_page_inval(uv, args[0], args[1], args[2]);
	case UV_SVM_TERMINATE:
		return uv_hv_terminate(uv, args[0]);
	}
	return is_guest_call(nr) ? U_PERMISSION : U_FUNCTION;
}

static int64_t h_random(struct uv *uv, uint64_t *value)
{
	if (!uv->port.random(uv->port.ctx, value, sizeof(*value)))
		return H_SUCCESS;
	*value = 0;
	return H_HARDWARE;
}

static int64_t guest_call(struct uv_svm *svm, uint64_t nr, const uint64_t *args, uint64_t *out)
{
	switch (nr) {
	case UV_ESM:
		return uv_g_esm(svm, args[0], args[1], out);
	case UV_SIM_ESM_START:
		return uv_g_esm_start(svm);
	case UV_SIM_ESM_FINISH:
		return uv_g_esm_finish(svm, args[0], args[1], out);
	case UV_SHARE_PAGE:
		return uv_g_share(svm, args[0], args[1]);
	case UV_UNSHARE_PAGE:
		return uv_g_unshare(svm, args[0], args[1]);
	case UV_UNSHARE_ALL_PAGES:
		return uv_g_unshare_all(svm);
	case H_RANDOM:
		return h_random(svm->uv, out);
	case UV_RETURN:
		return U_INVALID;
	}
	return is_hv_call(nr) ? U_PERMISSION : U_FUNCTION;
}

/**
 * uv_guest_call() - ultracall, or H_RANDOM, from a guest
 * @uv: ultravisor
 * @lpid: partition whose guest calls
 * @caller: who says so; NULL: it is certain
 * @nr: UV_* number or H_RANDOM
 * @args: its arguments
 * @out: R4 and R5 on return; the entry point after UV_ESM, the random number
 *	after H_RANDOM
 *
 * Context: may sleep, and makes hypercalls: no lock of the hypervisor and no
 * mmap lock may be held.
 * Return: a U_* code; U_PARAMETER for an unknown LPID, or one that is not @caller's.
 */
int64_t uv_guest_call(struct uv *uv, uint32_t lpid, const struct uv_caller *caller, uint64_t nr,
		      const uint64_t args[UV_UCALL_ARGS], uint64_t out[UV_UCALL_OUT])
{
	struct uv_svm *svm;
	int64_t ret;

	memset(out, 0, UV_UCALL_OUT * sizeof(*out));
	if (!uv->total)
		return U_FUNCTION;
	svm = uv_svm_get_for(uv, lpid, caller);
	if (!svm)
		return U_PARAMETER;
	ret = guest_call(svm, nr, args, out);
	uv_svm_put(svm);
	return ret;
}
