// SPDX-License-Identifier: GPL-2.0
/*
 * Making room in secure memory: reservations, and eviction of the least
 * recently used page of any SVM with H_SVM_PAGE_OUT.
 *
 * The core does not see what a guest does with a page that the guest view
 * maps. So while pages are evicted, the oldest ones wait on the inactive list,
 * resident but taken out of the guest view: a guest that touches one faults,
 * and the page is young again. The victim is the one that waited longest.
 *
 * Called without any lock, since it makes hypercalls. Takes the GFN locks,
 * uv->pool.
 */
#include "internal.h"

#define WINDOW_MAX	32

/* Called with uv->pool held. */
static bool window_full(struct uv *uv)
{
	uint32_t want = uv_min32(WINDOW_MAX, (uv->total - uv->nfree) / 4);

	return uv->lists[UV_LIST_INACTIVE].n >= (want ? want : 1);
}

/* Called with uv->pool held. Its SVM is alive as long as it owns a frame. */
static struct uv_svm *hold_owner(struct uv *uv, uint32_t page, uint64_t *gfn)
{
	struct uv_svm *svm = uv->frames[page].svm;

	svm->refs++;
	*gfn = uv->frames[page].gfn;
	return svm;
}

/* Move the oldest active page to the inactive list; false if there is none. */
static bool deactivate_one(struct uv *uv)
{
	struct uv_gfn_ref ref;
	struct uv_svm *svm;
	uint32_t page;
	uint64_t gfn;

	uv_lock(uv, uv->pool);
	page = uv->lists[UV_LIST_ACTIVE].head;
	if (page == UV_NO_PAGE || window_full(uv)) {
		uv_unlock(uv, uv->pool);
		return false;
	}
	svm = hold_owner(uv, page, &gfn);
	uv_unlock(uv, uv->pool);

	if (uv_gfn_lock(svm, gfn, false, &ref) == UV_LOOKUP_OK) {
		if (ref.state == UV_GFN_RESIDENT && ref.e->page == page) {
			uv_gfn_unmap(&ref);
			uv_lock(uv, uv->pool);
			uv_list_del(uv, page);
			uv_list_add(uv, page, UV_LIST_INACTIVE);
			uv_unlock(uv, uv->pool);
		}
		uv_gfn_unlock(&ref);
	}
	uv_svm_put(svm);
	return true;
}

/*
 * The page to evict next. It goes to the young end of the active list, so that
 * one that cannot be evicted is not tried again before all others were.
 */
static struct uv_svm *pick_victim(struct uv *uv, uint32_t *page, uint64_t *gfn)
{
	struct uv_svm *svm = NULL;

	uv_lock(uv, uv->pool);
	*page = uv->lists[UV_LIST_INACTIVE].head;
	if (*page == UV_NO_PAGE)
		*page = uv->lists[UV_LIST_ACTIVE].head;
	if (*page != UV_NO_PAGE) {
		svm = hold_owner(uv, *page, gfn);
		uv_list_del(uv, *page);
		uv_list_add(uv, *page, UV_LIST_ACTIVE);
		uv->frames[*page].evicting = true;
	}
	uv_unlock(uv, uv->pool);
	return svm;
}

/* True if a page of some SVM left secure memory. */
static bool evict_one(struct uv *uv)
{
	unsigned int i;
	struct uv_frame *f;
	struct uv_svm *svm;
	uint32_t page;
	uint64_t gfn;
	bool gone;

	for (i = 0; i < 2 * WINDOW_MAX && deactivate_one(uv); i++)
		;
	svm = pick_victim(uv, &page, &gfn);
	if (!svm)
		return false;
	uv_hcall(svm, H_SVM_PAGE_OUT, gfn, 0);

	uv_lock(uv, uv->pool);
	f = &uv->frames[page];
	gone = f->svm != svm || f->gfn != gfn || !f->evicting;
	if (!gone)
		f->evicting = false;
	uv_unlock(uv, uv->pool);
	uv_svm_put(svm);
	return gone;
}

/* Grant @want pages to @svm if that many are free; with @any, what is free. */
static uint32_t grant(struct uv_svm *svm, uint32_t want, bool any)
{
	struct uv *uv = svm->uv;
	uint32_t avail;

	uv_lock(uv, uv->pool);
	avail = uv->nfree - uv->reserved;
	if (avail < want)
		want = any ? avail : 0;
	svm->reserved += want;
	svm->reserving += want;
	uv->reserved += want;
	uv_unlock(uv, uv->pool);
	return want;
}

/*
 * Set secure pages aside for page-ins of @svm, evicting others as needed.
 * Returns how many, at most @want; 0 if none can be had. The caller gives that
 * number to uv_unreserve() afterwards.
 */
uint32_t uv_reserve(struct uv_svm *svm, uint32_t want)
{
	struct uv *uv = svm->uv;
	unsigned int failed = 0, rounds;
	uint32_t got;

	if (want > uv->total)
		want = uv->total;
	for (rounds = 2 * want + UV_MAX_TRIES; rounds && failed < UV_MAX_TRIES; rounds--) {
		got = grant(svm, want, false);
		if (got)
			return got;
		if (!evict_one(uv))
			uv_relax(uv, failed++);
	}
	return grant(svm, want, true);
}

/* The same of what is free, without evicting anything; may be 0. */
uint32_t uv_reserve_free(struct uv_svm *svm, uint32_t want)
{
	return want ? grant(svm, want, true) : 0;
}

/*
 * End a reservation of @want pages. Several may run for one SVM, and a page-in
 * takes from all alike: what goes back is what exceeds the others' claims.
 */
void uv_unreserve(struct uv_svm *svm, uint32_t want)
{
	struct uv *uv = svm->uv;

	uv_lock(uv, uv->pool);
	svm->reserving -= want;
	if (svm->reserved > svm->reserving) {
		uv->reserved -= svm->reserved - svm->reserving;
		svm->reserved = svm->reserving;
	}
	uv_unlock(uv, uv->pool);
}
