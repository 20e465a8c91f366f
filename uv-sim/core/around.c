// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages go along when a guest touches one: how many behind it are paged
 * in, or mapped, with it.
 *
 * The window is learned from the guest's faults: one right behind the last
 * window doubles it, one elsewhere is a page. A few streams an SVM are told apart.
 * A page that was brought in with another has UV_GFN_AHEAD until the guest
 * touches it or the page before it; one that leaves secure memory with it was
 * brought in for nothing, which halves the windows and makes the SVM more patient:
 * that many more faults in a row have to come before a window opens.
 *
 * Takes uv->pool.
 */
#include "internal.h"

#define PATIENCE_MAX	5	/* 2^n faults in a row before a window opens */

/**
 * uv_set_around() - most pages that one fault of a guest's brings in or maps
 * @uv: ultravisor
 * @pages: 0 or 1: only the one that was touched; UV_AROUND_MAX at most
 */
void uv_set_around(struct uv *uv, uint32_t pages)
{
	uv_lock(uv, uv->pool);
	uv->around = uv_min32(UV_AROUND_MAX, pages);
	uv_unlock(uv, uv->pool);
}

/* The stream that @gfn goes on, or else one that it lies within. */
static struct uv_stream *find_stream(struct uv_around *around, uint64_t gfn)
{
	struct uv_stream *s, *within = NULL;

	for (s = around->stream; s < around->stream + UV_STREAMS; s++) {
		if (s->end && s->end == gfn)
			return s;
		if (gfn >= s->first && gfn < s->end)
			within = s;
	}
	return within;
}

/* Called with uv->pool held. */
static uint32_t learn(struct uv_around *around, struct uv_stream *s, uint32_t max)
{
	if (s->window > 1 && around->patience)
		around->patience--;
	if (s->window > 1 || ++s->run >= 1u << around->patience)
		s->window *= 2;
	s->window = uv_min32(s->window, max ? max : 1);
	return s->window;
}

/*
 * Pages that a fault at @gfn is to bring in or map, of the @room from there on for
 * which it can be done; 1 at least.
 */
uint32_t uv_around_window(struct uv_svm *svm, uint64_t gfn, uint32_t room)
{
	struct uv_around *around = &svm->around;
	struct uv *uv = svm->uv;
	struct uv_stream *s;
	uint32_t n = 1;

	uv_lock(uv, uv->pool);
	s = find_stream(around, gfn);
	if (!s) {
		s = &around->stream[around->next++ % UV_STREAMS];
		memset(s, 0, sizeof(*s));
		s->window = 1;
		s->begin = gfn;
		s->first = gfn;
		s->end = gfn + 1;
	} else if (s->end == gfn) {
		n = uv_min32(learn(around, s, uv->around), room);
		s->first = gfn;
		s->end = gfn + n;
	}
	uv_unlock(uv, uv->pool);
	return n;
}

/*
 * Has the guest read the block before @gfn, the first of another, in order? Then it may
 * have all of that one.
 */
bool uv_around_block(struct uv_svm *svm, uint64_t gfn)
{
	struct uv *uv = svm->uv;
	struct uv_stream *s;
	bool in_order;

	uv_lock(uv, uv->pool);
	s = find_stream(&svm->around, gfn);
	in_order = uv->around > 1 && s && s->end == gfn && s->window > 1 &&
		   gfn - s->begin >= 1ULL << uv->port.block_shift;
	uv_unlock(uv, uv->pool);
	return in_order;
}

/* Called with uv->pool held: the guest touched @gfn, and has all up to @end now. */
void uv_around_passes(struct uv_svm *svm, uint64_t gfn, uint64_t end)
{
	struct uv_stream *s = find_stream(&svm->around, gfn);

	if (s && s->end == gfn) {
		s->first = gfn;
		s->end = end;
	}
}

/* Called with uv->pool held: a page left that the guest has not used. */
void uv_around_unseen(struct uv_svm *svm)
{
	struct uv_around *around = &svm->around;
	struct uv_stream *s;

	uv_count_locked(svm, UV_C_UNSEEN, 1);
	for (s = around->stream; s < around->stream + UV_STREAMS; s++) {
		s->window = s->window > 1 ? s->window / 2 : 1;
		s->run = 0;
	}
	if (around->patience < PATIENCE_MAX)
		around->patience++;
}
