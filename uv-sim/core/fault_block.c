// SPDX-License-Identifier: GPL-2.0
/*
 * The guest view by blocks (block.c): what a guest's access finds where nothing of a
 * block is mapped, and bringing in a block for a guest that reads in order.
 *
 * Takes the GFNs' locks, one after another; none over the hypercall.
 */
#include "internal.h"

static uint32_t block_gfns(const struct uv *uv)
{
	return uv->nblocks ? 1u << uv->port.block_shift : 0;
}

/*
 * Mark the GFNs of a chunk that are to come along, as page_in_window() does, or take the
 * marks away. False if one of them is not sealed. Called with the lock held.
 */
static bool mark_chunk(struct uv_gfn_ref *ref, uint64_t touched, bool on)
{
	uint32_t i;

	for (i = 0; on && i < ref->room; i++)
		if (ref->e[i].state != UV_GFN_SEALED)
			return false;
	for (i = 0; i < ref->room; i++) {
		if (on && ref->gfn + i != touched)
			ref->e[i].flags |= UV_GFN_AHEAD;
		else
			ref->e[i].flags &= (uint8_t)~UV_GFN_AHEAD;
	}
	return true;
}

/* The same of [@gfn, @end), the first of which was touched. The GFN where it ended. */
static uint64_t mark(struct uv_svm *svm, uint64_t gfn, uint64_t end, bool on)
{
	uint64_t at = gfn;
	bool ok = true;

	while (ok && at < end) {
		struct uv_gfn_ref ref;

		if (uv_gfn_lock(svm, at, false, &ref) != UV_LOOKUP_OK)
			break;
		ok = ref.e && ref.vm_state == UV_VM_SECURE && mark_chunk(&ref, gfn, on);
		if (ok)
			at += ref.room;
		uv_gfn_unlock(&ref);
	}
	return at;
}

/* The hypervisor's word is not enough. */
static bool is_there(struct uv_svm *svm, uint64_t gfn)
{
	struct uv_gfn_ref ref;
	bool there;

	if (uv_gfn_lock(svm, gfn, false, &ref) != UV_LOOKUP_OK)
		return false;
	there = ref.state == UV_GFN_RESIDENT;
	uv_gfn_unlock(&ref);
	return there;
}

/**
 * uv_guest_page_in_block() - bring in a block whose guest reads in order
 * @uv: ultravisor
 * @lpid: SVM
 * @caller: as for uv_guest_call()
 * @gfn: GFN for which uv_guest_map_block() returned UV_FAULT_PAGE_IN
 *
 * Only if all of it is paged out, and as far as secure memory is free. A page that does
 * not verify is left as it is, unless it is @gfn itself.
 *
 * Context: as uv_guest_page_in().
 * Return: false if @gfn did not come in: go on as without blocks.
 */
bool uv_guest_page_in_block(struct uv *uv, uint32_t lpid, const struct uv_caller *caller,
			    uint64_t gfn)
{
	uint32_t n = block_gfns(uv), reserved = 0;
	struct uv_svm *svm = uv_svm_get_for(uv, lpid, caller);
	uint64_t marked, done;
	bool there;

	if (!svm)
		return false;
	marked = uv_knows_no_ranges(svm) ? gfn : mark(svm, gfn, gfn + n, true);
	if (marked == gfn + n)
		reserved = uv_reserve_free(svm, n);
	if (reserved && reserved == n)
		uv_hcall_range(svm, H_SIM_SVM_PAGE_IN_RANGE, gfn, n, H_SIM_PAGE_IN_GUEST, &done);
	uv_unreserve(svm, reserved);
	mark(svm, gfn, marked, false);
	there = is_there(svm, gfn);
	uv_svm_put(svm);
	return there;
}

/**
 * uv_guest_map_block() - map all of a block into the guest view, if it is there
 * @uv: ultravisor
 * @lpid: SVM
 * @gfn: GFN that its guest touched
 * @map: as for uv_guest_map(), but for a block, with a spinlock held; it does not sleep
 * @arg: first argument of @map
 *
 * Makes no hypercall.
 *
 * Return: UV_FAULT_MAPPED, UV_FAULT_FAILED when @map failed, UV_FAULT_PAGE_IN when the
 * guest has read a block in order and @gfn is the start of another that is paged out: the
 * caller drops its locks, calls uv_guest_page_in_block() and tries again.
 * UV_FAULT_NOT_WHOLE: go on with uv_guest_map().
 */
enum uv_fault uv_guest_map_block(struct uv *uv, uint32_t lpid, uint64_t gfn, uv_map_fn map,
				 void *arg)
{
	struct uv_svm *svm = uv->nblocks ? uv_svm_get(uv, lpid) : NULL;
	enum uv_fault res = UV_FAULT_NOT_WHOLE;
	struct uv_gfn_ref ref;

	if (!svm)
		return res;
	if (uv_gfn_lock(svm, gfn, false, &ref) == UV_LOOKUP_OK) {
		if (ref.vm_state == UV_VM_SECURE && ref.state == UV_GFN_RESIDENT)
			res = uv_block_map(&ref, map, arg);
		else if (ref.vm_state == UV_VM_SECURE && ref.state == UV_GFN_SEALED &&
			 !(gfn & (block_gfns(uv) - 1)) && uv_around_block(svm, gfn))
			res = UV_FAULT_PAGE_IN;
		uv_gfn_unlock(&ref);
	}
	uv_svm_put(svm);
	return res;
}
