// SPDX-License-Identifier: GPL-2.0
/*
 * UV_WRITE_PATE: the hypervisor makes a partition known, changes its
 * partition table entry, or gives its LPID back. Takes svm->life, uv->lpids,
 * svm->table.
 */
#include "internal.h"

/*
 * Reserved bits of the second doubleword (Power ISA, radix PATE): beside the
 * table's address, 4 KiB aligned, only its size and the GR bit mean something.
 */
#define PATE1_RESERVED	0x7000000000000fe0ULL

/* The PATE of a partition that is there. Called with svm->life held. */
static int64_t change(struct uv_svm *svm, uint64_t dw0, uint64_t dw1)
{
	struct uv *uv = svm->uv;
	int64_t ret = U_SUCCESS;

	uv_lock(uv, svm->table);
	if (svm->gone)
		ret = U_PARAMETER;
	else if (svm->in_esm || svm->dying)
		ret = U_BUSY;
	else if (svm->state != UV_VM_NORMAL)
		ret = U_PERMISSION;
	uv_unlock(uv, svm->table);
	if (ret)
		return ret;

	svm->dw0 = dw0;
	svm->dw1 = dw1;
	if (!dw0 && !dw1) {
		svm->gone = true;
		uv_lock(uv, uv->lpids);
		*uv_svm_link(uv, svm->lpid) = svm->next;
		uv_unlock(uv, uv->lpids);
		uv_svm_put(svm);	/* the table's reference */
	}
	return U_SUCCESS;
}

static int64_t create(struct uv *uv, uint32_t lpid, uint64_t dw0, uint64_t dw1)
{
	struct uv_svm *svm = uv_svm_new(uv, lpid);
	struct uv_svm **link;
	bool raced;

	if (!svm)
		return U_BUSY;
	svm->dw0 = dw0;
	svm->dw1 = dw1;
	uv_lock(uv, uv->lpids);
	link = uv_svm_link(uv, lpid);
	raced = *link;
	if (!raced)
		*link = svm;
	uv_unlock(uv, uv->lpids);
	if (!raced)
		return U_SUCCESS;
	uv_svm_free(svm);
	return U_BUSY;
}

/**
 * uv_hv_write_pate() - UV_WRITE_PATE
 * @uv: ultravisor
 * @lpid: partition, 1 up to the largest LPID configured
 * @dw0: first doubleword; needs UV_PATE_HR
 * @dw1: second doubleword; both 0 give the LPID back
 *
 * Return: U_SUCCESS; U_PARAMETER for an LPID that is out of range, or to be
 * given back and unknown; U_P2 and U_P3 for a bad doubleword; U_PERMISSION for
 * the PATE of an SVM; U_BUSY while UV_ESM or a teardown runs, or when there is
 * no memory.
 */
int64_t uv_hv_write_pate(struct uv *uv, uint64_t lpid, uint64_t dw0, uint64_t dw1)
{
	bool release = !dw0 && !dw1;
	struct uv_svm *svm;
	int64_t ret;

	if (!lpid || lpid > uv->max_lpid)
		return U_PARAMETER;
	if (!release && !(dw0 & UV_PATE_HR))
		return U_P2;
	if (dw1 & PATE1_RESERVED)
		return U_P3;
	svm = uv_svm_get(uv, lpid);
	if (!svm)
		return release ? U_PARAMETER : create(uv, (uint32_t)lpid, dw0, dw1);
	uv_lock(uv, svm->life);
	ret = change(svm, dw0, dw1);
	uv_unlock(uv, svm->life);
	uv_svm_put(svm);
	return ret;
}
