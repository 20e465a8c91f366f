// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks of secure memory: frames that lie as one entry of a page middle directory
 * needs them, so that the guest view can map all of them with it.
 *
 * The first page-in of a region, as many GFNs as a block has frames and as aligned,
 * sets a free block aside for it; its GFNs get the frames in their places there, as
 * long as nobody else had to take them. A frame in its place is ready while its GFN's
 * page is in it and was not taken out of the guest view for a reason of its own. When
 * all of a block's are ready the guest view may map it, until the first of them leaves.
 *
 * All of it under uv->pool, but for uv_frame.ready, which is its GFN's lock's.
 */
#include "internal.h"

static uint32_t block_frames(const struct uv *uv)
{
	return 1u << uv->port.block_shift;
}

static uint32_t first_frame(const struct uv *uv, const struct uv_block *b)
{
	return (uint32_t)(b - uv->blocks) << uv->port.block_shift;
}

static uint32_t *bucket(struct uv *uv, const struct uv_svm *svm, uint64_t region)
{
	uint64_t hash = ((uintptr_t)svm ^ region) * 0x9e3779b97f4a7c15ULL;

	return &uv->block_bucket[(uint32_t)(hash >> 32) % uv->nblocks];
}

/* Where the number of @region's block is in its bucket, or UV_NO_PAGE. */
static uint32_t *find(struct uv *uv, const struct uv_svm *svm, uint64_t region)
{
	uint32_t *link = bucket(uv, svm, region);

	while (*link != UV_NO_PAGE &&
	       (uv->blocks[*link].svm != svm || uv->blocks[*link].region != region))
		link = &uv->blocks[*link].next;
	return link;
}

static void list_free(struct uv *uv, struct uv_block *b)
{
	if (b->listed || !b->whole)
		return;
	b->listed = true;
	b->next = uv->free_blocks;
	uv->free_blocks = (uint32_t)(b - uv->blocks);
}

/* Set a block aside for @region. One of the list may have lost a frame since. */
static struct uv_block *claim(struct uv *uv, struct uv_svm *svm, uint64_t region)
{
	uint32_t *head = bucket(uv, svm, region), nr;

	while ((nr = uv->free_blocks) != UV_NO_PAGE) {
		struct uv_block *b = &uv->blocks[nr];

		uv->free_blocks = b->next;
		b->listed = false;
		if (b->nfree != block_frames(uv))
			continue;
		b->svm = svm;
		b->region = region;
		b->next = *head;
		*head = nr;
		return b;
	}
	return NULL;
}

/*
 * Set up the blocks of the pool, all frames of which are taken. False when there is no
 * memory for it. A port without blocks, or one whose are smaller than a chunk, has none.
 */
bool uv_blocks_init(struct uv *uv)
{
	const struct uv_port *port = &uv->port;
	uint32_t i;

	uv->free_blocks = UV_NO_PAGE;
	if (port->block_shift < UV_CHUNK_SHIFT || !(uv->total >> port->block_shift))
		return true;
	uv->blocks = uv_alloc(uv, (uv->total >> port->block_shift) * sizeof(*uv->blocks));
	uv->block_bucket =
		uv_alloc(uv, (uv->total >> port->block_shift) * sizeof(*uv->block_bucket));
	if (!uv->blocks || !uv->block_bucket)
		return false;
	uv->nblocks = uv->total >> port->block_shift;
	for (i = 0; i < uv->nblocks; i++) {
		uv->block_bucket[i] = UV_NO_PAGE;
		uv->blocks[i].whole = port->block_is_whole(port->ctx, i << port->block_shift);
	}
	return true;
}

void uv_blocks_exit(struct uv *uv)
{
	uv_free(uv, uv->block_bucket);
	uv_free(uv, uv->blocks);
}

/*
 * Called with uv->pool held. The frame in @gfn's place, which is free no more as far as
 * its block is concerned, or UV_NO_PAGE: there is none, or it is in use.
 */
uint32_t uv_block_place(struct uv_svm *svm, uint64_t gfn)
{
	struct uv *uv = svm->uv;
	uint64_t region = gfn >> uv->port.block_shift;
	struct uv_block *b;
	uint32_t nr, page;

	if (!uv->nblocks)
		return UV_NO_PAGE;
	b = &uv->blocks[svm->last_block];
	if (b->svm != svm || b->region != region) {
		nr = *find(uv, svm, region);
		b = nr == UV_NO_PAGE ? claim(uv, svm, region) : &uv->blocks[nr];
		if (!b)
			return UV_NO_PAGE;
		svm->last_block = (uint32_t)(b - uv->blocks);
	}
	page = first_frame(uv, b) + (uint32_t)(gfn & (block_frames(uv) - 1));
	if (uv->frames[page].list != UV_LIST_FREE)
		return UV_NO_PAGE;
	b->nfree--;
	return page;
}

/*
 * Called with uv->pool held, and a frame of some block free: one that may be any. Where
 * secure memory is short, blocks lose frames one after another.
 */
uint32_t uv_block_steal(struct uv *uv)
{
	uint32_t end = uv->nblocks << uv->port.block_shift, page = uv->rotor;

	for (;; page++) {
		struct uv_block *b;

		if (page == end)
			page = 0;
		b = uv_block_of(uv, page);
		if (!b->nfree) {
			page |= block_frames(uv) - 1;
		} else if (uv->frames[page].list == UV_LIST_FREE) {
			uv->rotor = page + 1;
			b->nfree--;
			return page;
		}
	}
}

/* Called with uv->pool held: all frames of @b are free. It is anybody's. */
void uv_block_is_free(struct uv *uv, struct uv_block *b)
{
	if (b->svm) {
		*find(uv, b->svm, b->region) = b->next;
		b->svm = NULL;
	}
	list_free(uv, b);
}

/*
 * Called with uv->pool held: @n frames of the block that @page lies in are to be out of
 * the guest view, and are not ready any more. True if the block may be mapped there, which
 * the caller is to end, and to tell with uv_block_unmapped(). Several may do so at once:
 * nobody may go on before it has ended for itself.
 */
bool uv_block_leave(struct uv *uv, uint32_t page, uint32_t n)
{
	struct uv_block *b = uv_block_of(uv, page);

	b->nready -= n;
	return b->mapped;
}

/*
 * Called with uv->pool held, and the lock of the GFN for whose frame the block left the
 * guest view: as long as that is held it cannot be mapped again.
 */
void uv_block_unmapped(struct uv *uv, uint32_t page)
{
	uv_block_of(uv, page)->mapped = false;
}

/*
 * Map the block of the resident GFN @ref, if all of it is ready. Called with the GFN's
 * lock held; the pool's is held over @map, so that no other page of the block can leave
 * without being seen to.
 */
enum uv_fault uv_block_map(struct uv_gfn_ref *ref, uv_map_fn map, void *arg)
{
	struct uv *uv = ref->svm->uv;
	struct uv_frame *f = &uv->frames[ref->e->page];
	struct uv_map_target target = { .npages = block_frames(uv) };
	enum uv_fault res = UV_FAULT_NOT_WHOLE;
	struct uv_block *b;

	uv_lock(uv, uv->pool);
	b = uv_block_of(uv, ref->e->page);
	if (uv->around > 1 && f->ready && b->nready == block_frames(uv)) {
		target.gfn = b->region << uv->port.block_shift;
		target.secure_page = first_frame(uv, b);
		b->mapped = true; /* a failed map may have got half way */
		res = map(arg, &target) ? UV_FAULT_FAILED : UV_FAULT_MAPPED;
	}
	if (res == UV_FAULT_MAPPED) {
		uv_count_locked(ref->svm, UV_C_GUEST_FAULTS, 1);
		uv_around_passes(ref->svm, ref->gfn, target.gfn + target.npages);
	}
	uv_unlock(uv, uv->pool);
	return res;
}
