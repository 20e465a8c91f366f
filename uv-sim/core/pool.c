// SPDX-License-Identifier: GPL-2.0
/*
 * Secure memory: which pages are free, reserved or in use, and in which order
 * the used ones were last seen in use. All of it under uv->pool.
 *
 * A free page is always zero: it is wiped as it is freed, so that no page ever
 * carries something from one GFN to another. A frame that belongs to a GFN is
 * on the active or the inactive list; one that was taken and is being filled is on
 * none. Which one a GFN gets is block.c's to say: free frames of blocks are only marked
 * as such, so that CPUs that are about different blocks have little in common; those of
 * no block are on the free list.
 */
#include "internal.h"

/* Called with uv->pool held. To the young end of @list. */
void uv_list_add(struct uv *uv, uint32_t page, enum uv_frame_list list)
{
	struct uv_list_head *l = &uv->lists[list];
	struct uv_frame *f = &uv->frames[page];

	f->list = list;
	f->next = UV_NO_PAGE;
	f->prev = l->tail;
	if (l->tail == UV_NO_PAGE)
		l->head = page;
	else
		uv->frames[l->tail].next = page;
	l->tail = page;
	l->n++;
}

/* Called with uv->pool held. Takes @page off the list that it is on. */
void uv_list_del(struct uv *uv, uint32_t page)
{
	struct uv_frame *f = &uv->frames[page];
	struct uv_list_head *l = &uv->lists[f->list];

	if (f->prev == UV_NO_PAGE)
		l->head = f->next;
	else
		uv->frames[f->prev].next = f->next;
	if (f->next == UV_NO_PAGE)
		l->tail = f->prev;
	else
		uv->frames[f->next].prev = f->prev;
	f->list = UV_LIST_NONE;
	l->n--;
}

/* Called with uv->pool held, or before others see it. @page is zero and on no list. */
static void frame_free(struct uv *uv, uint32_t page)
{
	struct uv_block *b = uv_block_of(uv, page);
	struct uv_frame *f = &uv->frames[page];

	f->svm = NULL;
	f->evicting = false;
	uv->nfree++;
	if (b) {
		if (uv->nfree == 1)
			uv->rotor = page; /* the only one need not be looked for */
		f->list = UV_LIST_FREE;
		if (++b->nfree == 1u << uv->port.block_shift)
			uv_block_is_free(uv, b);
	} else {
		uv_list_add(uv, page, UV_LIST_FREE);
	}
}

/* Set up the pool of uv->total pages. False when there is no memory for it. */
bool uv_pool_init(struct uv *uv)
{
	const struct uv_port *port = &uv->port;
	size_t bytes = (size_t)uv->total * sizeof(*uv->frames);
	unsigned int l;
	uint32_t i;

	uv->pool = port->lock_new(port->ctx, "uv-pool", UV_LEVEL_POOL);
	if (!uv->pool)
		return false;
	for (l = 0; l < UV_NLISTS; l++) {
		uv->lists[l].head = UV_NO_PAGE;
		uv->lists[l].tail = UV_NO_PAGE;
	}
	if (!uv->total)
		return true;
	if (bytes / sizeof(*uv->frames) != uv->total)
		return false;
	uv->frames = uv_alloc(uv, bytes);
	if (!uv->frames || !uv_blocks_init(uv))
		return false;
	for (i = uv->total; i-- > 0;) {
		memset(uv_frame_va(uv, i), 0, uv_page_size(uv));
		frame_free(uv, i);
	}
	uv->rotor = 0;
	return true;
}

void uv_pool_exit(struct uv *uv)
{
	uv_blocks_exit(uv);
	uv_free(uv, uv->frames);
	if (uv->pool)
		uv->port.lock_free(uv->port.ctx, uv->pool);
}

/* Called with uv->pool held. One is free: of no block, the last one freed, or of any. */
static uint32_t frame_any(struct uv *uv)
{
	uint32_t page = uv->lists[UV_LIST_FREE].tail;

	if (page == UV_NO_PAGE)
		return uv_block_steal(uv);
	uv_list_del(uv, page);
	return page;
}

/* Called with uv->pool held. One is free. */
static uint32_t frame_take(struct uv_svm *svm, uint64_t gfn)
{
	uint32_t page = uv_block_place(svm, gfn);
	bool in_place = page != UV_NO_PAGE;
	struct uv *uv = svm->uv;

	if (!in_place)
		page = frame_any(uv);
	uv->frames[page].list = UV_LIST_NONE;
	uv->frames[page].in_place = in_place;
	uv->nfree--;
	return page;
}

/*
 * A zeroed page for a page-in of @gfn of @svm: one that is reserved for it, else one
 * that nobody reserved, else UV_NO_PAGE.
 */
uint32_t uv_page_take(struct uv_svm *svm, uint64_t gfn)
{
	struct uv *uv = svm->uv;
	uint32_t page = UV_NO_PAGE;

	uv_lock(uv, uv->pool);
	if (svm->reserved) {
		svm->reserved--;
		uv->reserved--;
	} else if (uv->nfree == uv->reserved) {
		goto out;
	}
	page = frame_take(svm, gfn);
	if (uv->total - uv->nfree > uv->peak)
		uv->peak = uv->total - uv->nfree;
out:
	uv_unlock(uv, uv->pool);
	return page;
}

/* Give back a page that was taken and never attached to a GFN. Wipes it. */
void uv_page_put(struct uv *uv, uint32_t page)
{
	memset(uv_frame_va(uv, page), 0, uv_page_size(uv));
	uv_lock(uv, uv->pool);
	frame_free(uv, page);
	uv_unlock(uv, uv->pool);
}

/* Called with uv->pool held: @page now belongs to @gfn of @svm. */
void uv_frame_attach(struct uv_svm *svm, uint64_t gfn, uint32_t page)
{
	struct uv_frame *f = &svm->uv->frames[page];

	f->svm = svm;
	f->gfn = gfn;
	f->evicting = false;
	uv_list_add(svm->uv, page, UV_LIST_ACTIVE);
	uv_block_enter(svm->uv, page);
}

/*
 * Called with uv->pool held: free @page, which the caller wiped. True if it
 * was being evicted.
 */
bool uv_frame_detach(struct uv *uv, uint32_t page)
{
	bool evicting = uv->frames[page].evicting;

	uv_list_del(uv, page);
	frame_free(uv, page);
	return evicting;
}

/* Not on its way out. Called with its GFN's lock held. */
bool uv_frame_is_active(struct uv *uv, uint32_t page)
{
	bool active;

	uv_lock(uv, uv->pool);
	active = uv->frames[page].list == UV_LIST_ACTIVE && !uv->frames[page].evicting;
	uv_unlock(uv, uv->pool);
	return active;
}

/* The guest uses @page. Called with its GFN's lock held. */
void uv_frame_touch(struct uv *uv, uint32_t page)
{
	uv_lock(uv, uv->pool);
	uv_list_del(uv, page);
	uv_list_add(uv, page, UV_LIST_ACTIVE);
	uv_block_enter(uv, page);
	uv_unlock(uv, uv->pool);
}

void uv_count(struct uv_svm *svm, enum uv_counter c)
{
	uv_lock(svm->uv, svm->uv->pool);
	uv_count_locked(svm, c, 1);
	uv_unlock(svm->uv, svm->uv->pool);
}
