// SPDX-License-Identifier: GPL-2.0
/*
 * UV_PAGE_OUT and UV_PAGE_INVAL: the hypervisor takes a page's contents,
 * sealed, or takes back a page that it shared.
 *
 * Allocates nothing for a page that is resident: a hypervisor that gives up a
 * migration after UV_PAGE_IN undoes it here, and that has to work. UV_PAGE_OUT
 * is called with the GFN's lock held (page_run.c), UV_PAGE_INVAL takes it.
 */
#include "internal.h"

/*
 * While UV_ESM is aborted: the VM never was secure, its memory goes back to it
 * in the clear.
 */
static int64_t out_plain(struct uv_gfn_ref *ref, const void *src, uint64_t dest_ra)
{
	struct uv *uv = ref->svm->uv;
	void *dst = uv->port.map(uv->port.ctx, dest_ra, true);

	if (!dst)
		return U_P2;
	uv_copy_page(uv, dst, src);
	uv_unmap(uv, dst);
	uv_gfn_set_state(ref, UV_GFN_NORMAL, 0);
	return U_SUCCESS;
}

static int64_t out_sealed(struct uv_gfn_ref *ref, const void *src, uint64_t dest_ra, bool snapshot)
{
	struct uv_gfn to = { .state = UV_GFN_SEALED };
	int err;

	if (!snapshot)
		uv_gfn_unmap(ref);	/* before its contents are taken */
	err = uv_seal_page(ref, src, dest_ra, &to.seal);
	if (err)
		return err == UV_SEAL_BADRA ? U_P2 : U_BUSY;
	if (snapshot)
		uv_count(ref->svm, UV_C_SEALS);
	else
		uv_gfn_set(ref, &to);
	return U_SUCCESS;
}

/*
 * UV_PAGE_OUT of one page, whose arguments and VM are in order. Called with the GFN's
 * lock held; leaves *@tampered alone.
 *
 * The page is sealed, and leaves secure memory. With UV_SNAPSHOT it stays, and the
 * copy handed out can never be paged in. For a shared page nothing is done, which is
 * U_P3 with UV_SIM_PAGE_OUT_SECURE. A stopped SVM can still be paged out.
 *
 * Returns U_SUCCESS; U_P2 for an address that is no page of normal memory; U_P3 for
 * a GFN that is paged out; U_BUSY when sealing fails.
 */
int64_t uv_page_out(struct uv_gfn_ref *ref, uint64_t dest_ra, uint64_t flags, bool *tampered)
{
	bool snapshot = flags & UV_SNAPSHOT;
	struct uv *uv = ref->svm->uv;
	const void *src = uv->zeros;

	(void)tampered;
	switch (ref->state) {
	case UV_GFN_SHARED:
	case UV_GFN_SHARED_UNMAPPED:
		return flags & UV_SIM_PAGE_OUT_SECURE ? U_P3 : U_SUCCESS;
	case UV_GFN_SEALED:
		return U_P3;
	case UV_GFN_RESIDENT:
		src = uv_frame_va(uv, ref->e->page);
		break;
	default:
		break;	/* never touched: zeros */
	}
	if (ref->aborting && !snapshot)
		return out_plain(ref, src, dest_ra);
	return out_sealed(ref, src, dest_ra, snapshot);
}

static int64_t inval(struct uv_svm *svm, uint64_t gpa)
{
	struct uv_gfn_ref ref;
	enum uv_lookup found;
	int64_t ret = U_P2;

	found = uv_gfn_lock(svm, gpa >> svm->uv->port.page_shift, false, &ref);
	if (ref.dying) {
		ret = U_BUSY;
	} else if (ref.vm_state == UV_VM_NORMAL) {
		ret = U_PARAMETER;
	} else if (ref.state == UV_GFN_SHARED) {
		uv_gfn_set_state(&ref, UV_GFN_SHARED_UNMAPPED, 0);
		ret = U_SUCCESS;
	} else if (ref.state == UV_GFN_SHARED_UNMAPPED) {
		ret = U_SUCCESS;
	}
	if (found == UV_LOOKUP_OK)
		uv_gfn_unlock(&ref);
	return ret;
}

/**
 * uv_hv_page_inval() - UV_PAGE_INVAL
 * @uv: ultravisor
 * @lpid: SVM
 * @gpa: shared page that the hypervisor unmapped
 * @order: page size as log2
 *
 * The guest view has lost the page when this returns; the guest's next access
 * asks for it again.
 *
 * Context: the hypervisor's locks may be held; no hypercall is made.
 * Return: U_SUCCESS; U_PARAMETER for an LPID that is unknown or a normal VM;
 * U_P2 for a GPA that is unaligned, in no slot or not shared; U_P3; U_BUSY
 * while the VM is torn down.
 */
int64_t uv_hv_page_inval(struct uv *uv, uint64_t lpid, uint64_t gpa, uint64_t order)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);
	int64_t ret;

	if (!svm)
		return U_PARAMETER;
	if (!uv_page_aligned(uv, gpa))
		ret = U_P2;
	else if (order != uv->port.page_shift)
		ret = U_P3;
	else
		ret = inval(svm, gpa);
	uv_svm_put(svm);
	return ret;
}
