// SPDX-License-Identifier: GPL-2.0
/*
 * UV_SHARE_PAGE, UV_UNSHARE_PAGE, UV_UNSHARE_ALL_PAGES.
 *
 * A GFN changes hands under its lock, first, and the hypervisor is told after:
 * what it answers decides when a page is backed, never what its state is. A
 * page that is shared has lost its contents in secure memory before any normal
 * page backs it, and is zeroed when one does; a page that is unshared starts
 * over as zeros.
 */
#include "internal.h"

/* Zero the hypervisor's page behind a shared GFN, now or when it comes. */
static void zero_shared(struct uv_gfn_ref *ref)
{
	const struct uv_port *port = &ref->svm->uv->port;
	void *page = NULL;

	if (ref->state == UV_GFN_SHARED)
		page = port->map(port->ctx, ref->e->ra, true);
	if (page) {
		memset(page, 0, uv_page_size(ref->svm->uv));
		uv_unmap(ref->svm->uv, page);
	} else {
		uv_gfn_set_state(ref, UV_GFN_SHARED_UNMAPPED, UV_GFN_FRESH);
	}
}

/* @ask: the hypervisor has to be asked for a page. */
static void share_one(struct uv_gfn_ref *ref, bool *ask)
{
	if (ref->state == UV_GFN_SHARED || ref->state == UV_GFN_SHARED_UNMAPPED)
		zero_shared(ref);
	else
		uv_gfn_set_state(ref, UV_GFN_SHARED_UNMAPPED, UV_GFN_FRESH);
	*ask = ref->state != UV_GFN_SHARED;
}

/* @ask: the hypervisor has to be told that it can release its page. */
static void unshare_one(struct uv_gfn_ref *ref, bool *ask)
{
	*ask = ref->state == UV_GFN_SHARED || ref->state == UV_GFN_SHARED_UNMAPPED;
	if (ref->state == UV_GFN_RESIDENT)
		memset(uv_frame_va(ref->svm->uv, ref->e->page), 0, uv_page_size(ref->svm->uv));
	else
		uv_gfn_set_state(ref, UV_GFN_ZERO, 0);
}

/* Share or unshare @n <= UV_BATCH GFNs. Bit i of @ask: GFN @gfn + i. */
static int64_t change(struct uv_svm *svm, uint64_t gfn, uint32_t n, bool share, uint64_t *ask)
{
	struct uv_gfn_ref ref;
	uint32_t i;

	*ask = 0;
	for (i = 0; i < n; i++) {
		/* Of a page that has no entry nothing is to be taken back. */
		enum uv_lookup found = uv_gfn_lock(svm, gfn + i, share, &ref);
		bool secure = ref.vm_state == UV_VM_SECURE, bit = false;

		if (found != UV_LOOKUP_OK) {
			if (!secure)
				return U_INVALID;
			return found == UV_LOOKUP_NOMEM ? U_BUSY : U_PARAMETER;
		}
		if (secure && share)
			share_one(&ref, &bit);
		else if (secure && ref.e)
			unshare_one(&ref, &bit);
		uv_gfn_unlock(&ref);
		if (!secure)
			return U_INVALID;
		if (bit)
			*ask |= 1ULL << i;
	}
	return U_SUCCESS;
}

/*
 * The hypervisor could not back these pages now: that is no failure as long as
 * it may when the guest touches them.
 */
static int64_t ask_shared(struct uv_svm *svm, uint64_t gfn, uint32_t n)
{
	int64_t ret = uv_hcall_page_in(svm, gfn, n, H_PAGE_IN_SHARED);

	return ret == H_SUCCESS || uv_is_busy(ret) ? U_SUCCESS : U_PARAMETER;
}

/*
 * Have the hypervisor release its pages. Its UV_PAGE_IN brings zeros. Whatever
 * it answers, the GFNs are secure and it can reach nothing of them.
 */
static int64_t ask_secure(struct uv_svm *svm, uint64_t gfn, uint32_t n)
{
	uint32_t step = uv_batch(svm->uv);

	while (n) {
		uint32_t now = uv_min32(step, n), reserved = uv_reserve(svm, now);

		uv_hcall_page_in(svm, gfn, now, 0);
		uv_unreserve(svm, reserved);
		gfn += now;
		n -= now;
	}
	return U_SUCCESS;
}

/* Tell the hypervisor of each run of set bits in @ask. */
static int64_t tell(struct uv_svm *svm, uint64_t gfn, uint64_t ask, bool share)
{
	int64_t ret = U_SUCCESS, err;

	while (ask) {
		uint32_t n = 0;

		while (!(ask & 1)) {
			ask >>= 1;
			gfn++;
		}
		while (ask & 1) {
			ask >>= 1;
			n++;
		}
		err = share ? ask_shared(svm, gfn, n) : ask_secure(svm, gfn, n);
		if (err && !ret)
			ret = err;
		gfn += n;
	}
	return ret;
}

static int64_t change_range(struct uv_svm *svm, uint64_t gfn, uint64_t num, bool share)
{
	int64_t ret = U_SUCCESS;

	while (num && !ret) {
		uint32_t n = uv_min32(UV_BATCH, num);
		uint64_t ask;
		int64_t err;

		if (!uv_go_on(svm->uv))
			return U_BUSY;
		ret = change(svm, gfn, n, share, &ask);
		err = tell(svm, gfn, ask, share);
		if (!ret)
			ret = err;
		gfn += n;
		num -= n;
	}
	/* Not secure any more: that is why, whatever a hypercall made of it. */
	return ret && !uv_svm_is(svm, UV_VM_SECURE) ? U_INVALID : ret;
}

static int64_t check_range(struct uv_svm *svm, uint64_t gfn, uint64_t num)
{
	if (!uv_svm_is(svm, UV_VM_SECURE))
		return U_INVALID;
	if (!uv_slots_cover(svm, gfn, 1))
		return U_PARAMETER;
	if (!num || !uv_slots_cover(svm, gfn, num))
		return U_P2;
	return U_SUCCESS;
}

/**
 * uv_g_share() - UV_SHARE_PAGE
 * @svm: SVM whose guest calls
 * @gfn: first GFN
 * @num: number of pages
 *
 * Context: no lock held; makes hypercalls.
 * Return: U_SUCCESS; U_INVALID if the VM is not secure; U_PARAMETER for a GFN
 * in no slot, or one that the hypervisor has no page for: it is shared, and
 * the hypervisor is asked again when the guest touches it; U_P2 for a number
 * that is 0 or leaves the slots; U_BUSY when there is no memory, or the caller is being killed.
 */
int64_t uv_g_share(struct uv_svm *svm, uint64_t gfn, uint64_t num)
{
	int64_t ret = check_range(svm, gfn, num);

	return ret ? ret : change_range(svm, gfn, num, true);
}

/**
 * uv_g_unshare() - UV_UNSHARE_PAGE
 * @svm: SVM whose guest calls
 * @gfn: first GFN
 * @num: number of pages; those that are not shared are zeroed
 *
 * Context: no lock held; makes hypercalls.
 * Return: as uv_g_share(), but that it takes no memory.
 */
int64_t uv_g_unshare(struct uv_svm *svm, uint64_t gfn, uint64_t num)
{
	int64_t ret = check_range(svm, gfn, num);

	return ret ? ret : change_range(svm, gfn, num, false);
}

struct shared_run {
	uint64_t gfn;
	uint32_t n;
};

/* Grows the first run of shared GFNs; ends the walk where the run ends. */
static bool find_run(struct uv_gfn_ref *ref, void *arg)
{
	struct shared_run *run = arg;
	bool shared = ref->state == UV_GFN_SHARED || ref->state == UV_GFN_SHARED_UNMAPPED;

	if (!shared || (run->n && ref->gfn != run->gfn + run->n))
		return !run->n;
	if (!run->n)
		run->gfn = ref->gfn;
	return ++run->n < UV_BATCH;
}

/**
 * uv_g_unshare_all() - UV_UNSHARE_ALL_PAGES
 * @svm: SVM whose guest calls
 *
 * Pages that were never shared keep their contents.
 *
 * Context: no lock held; makes hypercalls.
 * Return: U_SUCCESS; U_INVALID if the VM is not secure; U_BUSY if the caller is being
 * killed.
 */
int64_t uv_g_unshare_all(struct uv_svm *svm)
{
	struct shared_run run = { .gfn = 0 };
	int64_t ret = U_SUCCESS;

	if (!uv_svm_is(svm, UV_VM_SECURE))
		return U_INVALID;
	while (!ret) {
		run.n = 0;
		uv_walk_gfns(svm, run.gfn, find_run, &run);
		if (!run.n)
			break;
		ret = change_range(svm, run.gfn, run.n, false);
		/* A slot went away: what there is of the run is found once more. */
		if (ret == U_PARAMETER)
			ret = U_SUCCESS;
		else
			run.gfn += run.n;
	}
	return ret;
}
