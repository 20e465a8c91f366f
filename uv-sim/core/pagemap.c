// SPDX-License-Identifier: GPL-2.0
/*
 * GFN entries: finding one, locking it, and the one function that changes its
 * state.
 *
 *             share     unshare  page-in            page-out      PAGE_INVAL
 *  NORMAL     -         -        RESIDENT (1)       SEALED (2)    U_P2
 *  ZERO       UNBACKED  ZERO     RESIDENT (zeros)   SEALED (2)    U_P2
 *  RESIDENT   UNBACKED  zeroed   U_P3               SEALED (2)    U_P2
 *  SEALED     UNBACKED  ZERO     RESIDENT (opened)  U_P3          U_P2
 *  SHARED     zeroed    ZERO     SHARED             U_SUCCESS     UNBACKED
 *  UNBACKED   zeroed    ZERO     SHARED             U_SUCCESS     U_SUCCESS
 *
 * UNBACKED is UV_GFN_SHARED_UNMAPPED. (1) In the clear until measurement begins,
 * when NORMAL turns into ZERO. (2) NORMAL, in the clear, while UV_ESM is aborted.
 *
 * Takes svm->gfn[], svm->table, uv->pool.
 */
#include "internal.h"

struct uv_lock *uv_gfn_chunk(struct uv_svm *svm, uint64_t gfn)
{
	return svm->gfn[uv_gfn_chunk_index(gfn)];
}

static struct uv_gfn *find(struct uv_svm *svm, uint64_t gfn, bool alloc, enum uv_lookup *res,
			   uint32_t *room)
{
	struct uv_slot *slot = uv_slot_at(svm, gfn);
	struct uv_leaf *leaf;

	*res = UV_LOOKUP_NOSLOT;
	if (!slot)
		return NULL;
	leaf = uv_slot_leaf(svm, slot, gfn, alloc);
	*room = uv_min32(UV_CHUNK_GFNS - (uint32_t)(gfn & (UV_CHUNK_GFNS - 1)),
			 slot->base + slot->npages - gfn);
	*res = alloc && !leaf ? UV_LOOKUP_NOMEM : UV_LOOKUP_OK;
	return leaf ? &leaf->gfn[gfn & (UV_LEAF_GFNS - 1)] : NULL;
}

/*
 * Lock @gfn and look it up; with @alloc, make an entry if it has none. On
 * UV_LOOKUP_OK the lock is held and the caller calls uv_gfn_unlock(). @ref
 * tells the state of the VM in any case.
 */
enum uv_lookup uv_gfn_lock(struct uv_svm *svm, uint64_t gfn, bool alloc, struct uv_gfn_ref *ref)
{
	struct uv *uv = svm->uv;
	enum uv_lookup res;

	uv_lock(uv, uv_gfn_chunk(svm, gfn));
	uv_lock(uv, svm->table);
	ref->svm = svm;
	ref->gfn = gfn;
	ref->e = find(svm, gfn, alloc, &res, &ref->room);
	ref->vm_state = svm->state;
	ref->measuring = svm->measuring;
	ref->aborting = svm->aborting;
	ref->dying = svm->dying;
	ref->moves = NULL;
	uv_unlock(uv, svm->table);
	if (res != UV_LOOKUP_OK) {
		uv_unlock(uv, uv_gfn_chunk(svm, gfn));
		ref->state = UV_GFN_NOSLOT;
		return res;
	}
	if (ref->e)
		ref->state = ref->e->state;
	else
		ref->state = ref->measuring ? UV_GFN_ZERO : UV_GFN_NORMAL;
	return UV_LOOKUP_OK;
}

void uv_gfn_unlock(struct uv_gfn_ref *ref)
{
	uv_unlock(ref->svm->uv, uv_gfn_chunk(ref->svm, ref->gfn));
}

static bool is_to_leave(const struct uv_gfn *e, const uint64_t *ra)
{
	return !ra || (*ra != UV_NO_RA && e->state == UV_GFN_RESIDENT);
}

static bool is_to_unmap(const struct uv_gfn *e, const uint64_t *ra)
{
	return e->flags & UV_GFN_MAPPED && is_to_leave(e, ra);
}

static bool is_ready(const struct uv *uv, const struct uv_gfn *e, const uint64_t *ra)
{
	return uv_gfn_is_ready(uv, e) && is_to_leave(e, ra);
}

/*
 * Those of the GFNs that are ready are so no more, and if their block is in the guest
 * view it is taken out. All of them are of one block, since they are of one chunk.
 */
static void break_block(struct uv_gfn_ref *ref, uint32_t n, const uint64_t *ra)
{
	struct uv *uv = ref->svm->uv;
	uint64_t first = ref->gfn >> uv->port.block_shift << uv->port.block_shift;
	uint32_t i, page = 0, left = 0;
	bool mapped;

	for (i = 0; i < n; i++)
		if (is_ready(uv, &ref->e[i], ra ? &ra[i] : NULL)) {
			page = ref->e[i].page;
			uv->frames[page].ready = false;
			left++;
		}
	if (!left)
		return;
	uv_lock(uv, uv->pool);
	mapped = uv_block_leave(uv, page, left);
	uv_unlock(uv, uv->pool);
	if (!mapped)
		return;
	uv->port.guest_unmap(uv->port.ctx, ref->svm->lpid, first, 1ULL << uv->port.block_shift);
	uv_lock(uv, uv->pool);
	uv_block_unmapped(uv, page);
	uv_unlock(uv, uv->pool);
}

/*
 * Take @n GFNs from @ref on, which has an entry and room for them, out of the guest
 * view, neighbours at one go; with @ra only those of them that are resident and have
 * an address there.
 */
void uv_gfn_unmap_run(struct uv_gfn_ref *ref, uint32_t n, const uint64_t *ra)
{
	const struct uv_port *port = &ref->svm->uv->port;
	uint32_t i, end;

	break_block(ref, n, ra);
	for (i = 0; i < n; i = end + 1) {
		for (end = i; end < n && is_to_unmap(&ref->e[end], ra ? &ra[end] : NULL); end++)
			;
		if (end == i)
			continue;
		port->guest_unmap(port->ctx, ref->svm->lpid, ref->gfn + i, end - i);
		for (; i < end; i++)
			ref->e[i].flags &= (uint8_t)~UV_GFN_MAPPED;
	}
}

static bool is_shared(uint8_t state)
{
	return state == UV_GFN_SHARED || state == UV_GFN_SHARED_UNMAPPED;
}

/* Called with uv->pool held. */
static void leave(const struct uv_gfn_ref *ref, const struct uv_move *m)
{
	bool out = m->to == UV_GFN_SEALED || (m->to == UV_GFN_NORMAL && ref->aborting);
	struct uv_svm *svm = ref->svm;

	if (out)
		uv_count_locked(svm, UV_C_PAGE_OUTS, 1);
	if (m->from == UV_GFN_RESIDENT) {
		if (out && m->from_flags & UV_GFN_AHEAD)
			uv_around_unseen(svm);
		uv_count_locked(svm, UV_C_RESIDENT, -1);
		if (uv_frame_detach(svm->uv, m->from_page) && out)
			uv_count_locked(svm, UV_C_EVICTIONS, 1);
	} else if (m->from == UV_GFN_SEALED) {
		uv_count_locked(svm, UV_C_SEALED, -1);
		if (m->to == UV_GFN_RESIDENT)
			uv_count_locked(svm, UV_C_OPENS, 1);
	} else if (is_shared(m->from)) {
		uv_count_locked(svm, UV_C_SHARED, -1);
	}
}

/* Called with uv->pool held. */
static void enter(struct uv_svm *svm, const struct uv_move *m)
{
	if (m->to == UV_GFN_RESIDENT) {
		uv_count_locked(svm, UV_C_RESIDENT, 1);
		uv_count_locked(svm, UV_C_PAGE_INS, 1);
		if (m->to_flags & UV_GFN_AHEAD)
			uv_count_locked(svm, UV_C_AHEAD, 1);
		uv_frame_attach(svm, m->gfn, m->to_page);
	} else if (m->to == UV_GFN_SEALED) {
		uv_count_locked(svm, UV_C_SEALED, 1);
		uv_count_locked(svm, UV_C_SEALS, 1);
	} else if (is_shared(m->to)) {
		uv_count_locked(svm, UV_C_SHARED, 1);
	}
}

static void settle(const struct uv_gfn_ref *ref, const struct uv_move *moves, uint32_t n)
{
	struct uv *uv = ref->svm->uv;
	uint32_t i;

	uv_lock(uv, uv->pool);
	for (i = 0; i < n; i++) {
		leave(ref, &moves[i]);
		enter(ref->svm, &moves[i]);
	}
	uv_unlock(uv, uv->pool);
}

/*
 * Tell uv->pool of what was left in @ref->moves: CPUs that work on different GFNs meet
 * there, and once for several pages is less often. To be called before the GFN's lock is
 * released: who waits for that to look at a frame again finds it where it belongs.
 */
void uv_gfn_settle(const struct uv_gfn_ref *ref)
{
	if (ref->moves->n)
		settle(ref, ref->moves->move, ref->moves->n);
	ref->moves->n = 0;
}

/*
 * Change the state of a GFN, which has an entry, to @to: takes it out of the
 * guest view, wipes and frees the secure page that it had or lets go of the
 * hypervisor's, takes over the one that it gets, and counts. The only place
 * where a GFN's state changes. Called with the GFN's lock held.
 */
void uv_gfn_set(struct uv_gfn_ref *ref, const struct uv_gfn *to)
{
	const struct uv_move move = {
		.gfn = ref->gfn, .from = ref->e->state, .from_flags = ref->e->flags,
		.from_page = ref->e->page, .to = to->state, .to_flags = to->flags,
		.to_page = to->page,
	};
	struct uv *uv = ref->svm->uv;

	uv_gfn_unmap(ref);
	if (ref->e->state == UV_GFN_RESIDENT)
		memset(uv_frame_va(uv, ref->e->page), 0, uv_page_size(uv));
	else if (ref->e->state == UV_GFN_SHARED)
		uv->port.ra_put(uv->port.ctx, ref->e->ra);
	if (ref->moves)
		ref->moves->move[ref->moves->n++] = move;
	else
		settle(ref, &move, 1);
	*ref->e = *to;
	ref->state = to->state;
}

/* uv_gfn_set() for the states that need no more than their name. */
void uv_gfn_set_state(struct uv_gfn_ref *ref, enum uv_gfn_state state, uint8_t flags)
{
	struct uv_gfn to = { .state = state, .flags = flags };

	if (ref->e->state != to.state || ref->e->flags != flags)
		uv_gfn_set(ref, &to);
}

/* First GFN from @gfn on that has an entry. Called with svm->table held. */
static bool next_entry(struct uv_svm *svm, uint64_t gfn, uint64_t *found)
{
	struct uv_slot *slot;

	for (slot = uv_slot_after(svm, gfn); slot; slot = uv_slot_after(svm, gfn)) {
		if (gfn < slot->base)
			gfn = slot->base;
		if (uv_slot_leaf_next(slot, gfn, found))
			return true;
		gfn = slot->base + slot->npages;
	}
	return false;
}

/*
 * Call @fn for every GFN from @from on that has an entry, with its lock held,
 * until @fn returns false. Slots may come and go meanwhile: the walk goes by
 * GFN and looks everything up again. Takes no lock over more than one GFN.
 */
void uv_walk_gfns(struct uv_svm *svm, uint64_t from, uv_gfn_fn fn, void *arg)
{
	struct uv *uv = svm->uv;
	uint64_t gfn = from;
	bool more = true;

	while (more) {
		struct uv_gfn_ref ref;

		uv_lock(uv, svm->table);
		more = next_entry(svm, gfn, &gfn);
		uv_unlock(uv, svm->table);
		if (!more || uv_gfn_lock(svm, gfn, false, &ref) != UV_LOOKUP_OK)
			continue;
		if (ref.e)
			more = fn(&ref, arg);
		uv_gfn_unlock(&ref);
		if (!(++gfn & (UV_LEAF_GFNS - 1)))
			uv_go_on(uv);
	}
}
