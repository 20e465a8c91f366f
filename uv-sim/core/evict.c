// SPDX-License-Identifier: GPL-2.0
/*
 * Making room in secure memory: reservations, and eviction of the least
 * recently used page of any SVM with H_SVM_PAGE_OUT.
 *
 * The core does not see what a guest does with a page that the guest view
 * maps. So while pages are evicted, the oldest ones wait on the inactive list,
 * resident but taken out of the guest view: a guest that touches one faults,
 * and the page is young again. The victim is the one that waited longest, and
 * its neighbours if they waited as long: one hypercall pages out all of them.
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

/* Pages that one hypercall is to evict: neighbours, in the order of their age. */
struct victims {
	struct uv_svm *svm;
	uint64_t gfn;
	uint32_t n;
	uint32_t page[WINDOW_MAX];
};

/* Called with uv->pool held. */
static void add_victim(struct uv *uv, struct victims *v, uint32_t page)
{
	uv_list_del(uv, page);
	uv_list_add(uv, page, UV_LIST_ACTIVE);
	uv->frames[page].evicting = true;
	v->page[v->n++] = page;
}

/*
 * The pages to evict next, @want at most: the oldest, and those that follow it both
 * in age and in the memory of the same SVM. They go to the young end of the active
 * list, so that one that cannot be evicted is not tried again before all others were.
 */
static bool pick_victims(struct uv *uv, uint32_t want, struct victims *v)
{
	uint32_t page, next;

	v->n = 0;
	uv_lock(uv, uv->pool);
	page = uv->lists[UV_LIST_INACTIVE].head;
	if (page == UV_NO_PAGE)
		page = uv->lists[UV_LIST_ACTIVE].head;
	if (page != UV_NO_PAGE)
		v->svm = hold_owner(uv, page, &v->gfn);
	while (page != UV_NO_PAGE && v->n < want) {
		next = uv->frames[page].next;
		add_victim(uv, v, page);
		page = next;
		if (page == UV_NO_PAGE || uv->frames[page].evicting ||
		    uv->frames[page].svm != v->svm || uv->frames[page].gfn != v->gfn + v->n)
			break;
	}
	uv_unlock(uv, uv->pool);
	return v->n;
}

static void page_out_victims(const struct victims *v)
{
	uint64_t done;
	uint32_t i;

	if (v->n > 1 && !uv_is_unknown(uv_hcall_range(v->svm, H_SIM_SVM_PAGE_OUT_RANGE, v->gfn,
						      v->n, 0, &done)))
		return;
	for (i = 0; i < v->n; i++)
		uv_hcall(v->svm, H_SVM_PAGE_OUT, v->gfn + i, 0);
}

/* How many left secure memory; those that did not are victims no more. */
static uint32_t count_gone(struct uv *uv, const struct victims *v)
{
	uint32_t gone = 0, i;

	uv_lock(uv, uv->pool);
	for (i = 0; i < v->n; i++) {
		struct uv_frame *f = &uv->frames[v->page[i]];

		if (f->svm != v->svm || f->gfn != v->gfn + i || !f->evicting)
			gone++;
		else
			f->evicting = false;
	}
	uv_unlock(uv, uv->pool);
	return gone;
}

/* True if pages of some SVM, @want at most, left secure memory. */
static bool evict_some(struct uv *uv, uint32_t want)
{
	struct victims v = { .svm = NULL };
	unsigned int i;
	uint32_t gone;

	for (i = 0; i < 2 * WINDOW_MAX && deactivate_one(uv); i++)
		;
	if (!pick_victims(uv, uv_min32(WINDOW_MAX, want), &v))
		return false;
	page_out_victims(&v);
	gone = count_gone(uv, &v);
	uv_svm_put(v.svm);
	return gone;
}

/* Pages that are to become free before @want of them are. */
static uint32_t short_of(struct uv *uv, uint32_t want)
{
	uint32_t avail;

	uv_lock(uv, uv->pool);
	avail = uv->nfree - uv->reserved;
	uv_unlock(uv, uv->pool);
	return avail < want ? want - avail : 1;
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
		if (!evict_some(uv, short_of(uv, want)))
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
