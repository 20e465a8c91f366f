// SPDX-License-Identifier: GPL-2.0
/*
 * What the ultravisor tells about itself. Takes uv->lpids, the GFN locks,
 * svm->table, uv->pool.
 */
#include "internal.h"

/**
 * uv_lpid_valid() - is there a partition with this LPID?
 * @uv: ultravisor
 * @lpid: LPID
 */
bool uv_lpid_valid(struct uv *uv, uint32_t lpid)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);

	if (svm)
		uv_svm_put(svm);
	return svm;
}

/**
 * uv_get_stats() - statistics of the whole ultravisor
 * @uv: ultravisor
 * @st: out; totals since uv_create(), @svms being the VMs that are not normal
 */
void uv_get_stats(struct uv *uv, struct uv_stats *st)
{
	uv_lock(uv, uv->pool);
	st->secure_total = uv->total;
	st->secure_used = uv->total - uv->nfree;
	st->secure_peak = uv->peak;
	st->svms = uv->nsvms;
	st->page_ins = uv->count[UV_C_PAGE_INS];
	st->page_outs = uv->count[UV_C_PAGE_OUTS];
	st->seals = uv->count[UV_C_SEALS];
	st->opens = uv->count[UV_C_OPENS];
	st->integrity_failures = uv->count[UV_C_INTEGRITY];
	st->evictions = uv->count[UV_C_EVICTIONS];
	st->guest_faults = uv->count[UV_C_GUEST_FAULTS];
	st->ahead = uv->count[UV_C_AHEAD];
	st->unseen = uv->count[UV_C_UNSEEN];
	uv_unlock(uv, uv->pool);
}

/**
 * uv_get_svm() - state and statistics of one partition
 * @uv: ultravisor
 * @lpid: partition, in any state
 * @info: out; totals since its LPID was registered. The stop reason outlives
 *	UV_SVM_TERMINATE, until the next UV_ESM
 *
 * Return: false if there is no such partition.
 */
bool uv_get_svm(struct uv *uv, uint32_t lpid, struct uv_svm_info *info)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);

	if (!svm)
		return false;
	uv_lock(uv, svm->table);
	info->state = svm->state;
	info->stop_reason = svm->stop_reason;
	info->stop_gpa = svm->stop_gpa;
	info->esm_ret = svm->esm_ret;
	info->memslots = svm->nslots;
	uv_unlock(uv, svm->table);
	uv_lock(uv, uv->pool);
	info->resident = svm->count[UV_C_RESIDENT];
	info->paged_out = svm->count[UV_C_SEALED];
	info->shared = svm->count[UV_C_SHARED];
	info->page_ins = svm->count[UV_C_PAGE_INS];
	info->page_outs = svm->count[UV_C_PAGE_OUTS];
	info->seals = svm->count[UV_C_SEALS];
	info->opens = svm->count[UV_C_OPENS];
	info->integrity_failures = svm->count[UV_C_INTEGRITY];
	info->evictions = svm->count[UV_C_EVICTIONS];
	uv_unlock(uv, uv->pool);
	uv_svm_put(svm);
	return true;
}

/**
 * uv_list() - LPIDs of all partitions, normal ones included
 * @uv: ultravisor
 * @lpids: out, in no particular order
 * @room: how many @lpids takes
 *
 * Return: how many partitions there are, which may be more than @room.
 */
uint32_t uv_list(struct uv *uv, uint32_t *lpids, uint32_t room)
{
	struct uv_svm *svm;
	uint32_t n = 0;
	unsigned int i;

	uv_lock(uv, uv->lpids);
	for (i = 0; i < UV_NBUCKETS; i++) {
		for (svm = uv->bucket[i]; svm; svm = svm->next) {
			if (n < room)
				lpids[n] = svm->lpid;
			n++;
		}
	}
	uv_unlock(uv, uv->lpids);
	return n;
}

/**
 * uv_get_map() - states of a range of GFNs
 * @uv: ultravisor
 * @lpid: partition
 * @gfn: first GFN
 * @npages: number of GFNs
 * @states: out: enum uv_gfn_state, one byte each
 */
void uv_get_map(struct uv *uv, uint32_t lpid, uint64_t gfn, uint64_t npages, uint8_t *states)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);
	struct uv_gfn_ref ref;
	uint64_t i;

	memset(states, UV_GFN_NOSLOT, npages);
	if (!svm)
		return;
	for (i = 0; i < npages; i++) {
		if (uv_gfn_lock(svm, gfn + i, false, &ref) != UV_LOOKUP_OK)
			continue;
		states[i] = (uint8_t)ref.state;
		uv_gfn_unlock(&ref);
	}
	uv_svm_put(svm);
}
