// SPDX-License-Identifier: GPL-2.0
/*
 * The tree in which a memslot's GFN entries hang.
 *
 * A leaf holds the entries of an aligned block of GFNs; the nodes above it and
 * the leaf itself are made when an entry of the block is first needed, so that
 * a hypervisor cannot take memory by registering a slot of 64 TiB. A leaf has
 * several chunks, each under a GFN lock. The tree is walked and extended under
 * svm->table; a leaf is freed only after its slot can no longer be found, and after
 * each of these locks was taken once since.
 */
#include "internal.h"

#define NODE_SHIFT	9
#define NODE_CHILDREN	512u	/* 2 to the NODE_SHIFT */

struct uv_node {
	void *child[NODE_CHILDREN];
};

static uint64_t block_of(const struct uv_slot *slot, uint64_t gfn)
{
	return (gfn >> UV_LEAF_SHIFT) - (slot->base >> UV_LEAF_SHIFT);
}

static uint64_t nblocks(const struct uv_slot *slot)
{
	return block_of(slot, slot->base + slot->npages - 1) + 1;
}

/* Set the height of @slot's tree from its size. */
void uv_slot_init_table(struct uv_slot *slot)
{
	uint64_t n = nblocks(slot);

	slot->height = 0;
	for (n--; n; n >>= NODE_SHIFT)
		slot->height++;
}

static struct uv_leaf *new_leaf(struct uv_svm *svm)
{
	struct uv_leaf *leaf = uv_alloc(svm->uv, sizeof(*leaf));
	unsigned int i;

	if (leaf && svm->measuring)
		for (i = 0; i < UV_LEAF_GFNS; i++)
			leaf->gfn[i].state = UV_GFN_ZERO;
	return leaf;
}

/*
 * The leaf that holds @gfn of @slot, or NULL: with @alloc when there is no
 * memory, without it when there is none yet. Called with svm->table held.
 */
struct uv_leaf *uv_slot_leaf(struct uv_svm *svm, struct uv_slot *slot, uint64_t gfn, bool alloc)
{
	uint64_t block = block_of(slot, gfn);
	void **p = &slot->root;
	unsigned int level;

	for (level = slot->height; level; level--) {
		struct uv_node *node = *p;

		if (!node && alloc)
			node = *p = uv_alloc(svm->uv, sizeof(*node));
		if (!node)
			return NULL;
		p = &node->child[(block >> (NODE_SHIFT * (level - 1))) & (NODE_CHILDREN - 1)];
	}
	if (!*p && alloc)
		*p = new_leaf(svm);
	return *p;
}

/*
 * First GFN of @slot, from @gfn on, that has a leaf. Whole empty subtrees are
 * skipped in one step. Called with svm->table held.
 */
bool uv_slot_leaf_next(struct uv_slot *slot, uint64_t gfn, uint64_t *found)
{
	uint64_t block = block_of(slot, gfn), start = block, end = nblocks(slot);

	while (block < end) {
		unsigned int level = slot->height, shift;
		void *p = slot->root;

		while (p && level) {
			level--;
			shift = NODE_SHIFT * level;
			p = ((struct uv_node *)p)->child[(block >> shift) & (NODE_CHILDREN - 1)];
		}
		if (p) {
			*found = ((slot->base >> UV_LEAF_SHIFT) + block) << UV_LEAF_SHIFT;
			if (block == start)
				*found = gfn;
			return true;
		}
		shift = NODE_SHIFT * level;
		block = ((block >> shift) + 1) << shift;
	}
	return false;
}

/* Release what the entries of a chunk hold. */
static void free_chunk(struct uv_svm *svm, struct uv_slot *slot, struct uv_gfn *e,
		       uint64_t first)
{
	struct uv_gfn_ref ref = { .svm = svm };
	unsigned int i;

	uv_lock(svm->uv, uv_gfn_chunk(svm, first));
	ref.gfn = first;
	ref.e = e;
	uv_gfn_unmap_run(&ref, UV_CHUNK_GFNS, NULL);
	for (i = 0; i < UV_CHUNK_GFNS; i++) {
		ref.gfn = first + i;
		ref.e = &e[i];
		if (ref.gfn >= slot->base && ref.gfn - slot->base < slot->npages)
			uv_gfn_set_state(&ref, UV_GFN_NORMAL, 0);
	}
	uv_unlock(svm->uv, uv_gfn_chunk(svm, first));
}

/* A slot whose leaves are released, by one or several CPUs. */
struct release {
	struct uv_svm *svm;
	struct uv_slot *slot;
	uint64_t next; /* GFN of the next leaf; under svm->table */
};

static struct uv_leaf *next_leaf(struct release *r, uint64_t *first)
{
	struct uv_svm *svm = r->svm;
	struct uv_leaf *leaf = NULL;
	uint64_t gfn;

	uv_lock(svm->uv, svm->table);
	if (uv_slot_leaf_next(r->slot, r->next, &gfn)) {
		leaf = uv_slot_leaf(svm, r->slot, gfn, false);
		*first = gfn & ~(uint64_t)(UV_LEAF_GFNS - 1);
		r->next = *first + UV_LEAF_GFNS;
	}
	uv_unlock(svm->uv, svm->table);
	return leaf;
}

static void release_leaves(void *arg)
{
	struct release *r = arg;
	struct uv_leaf *leaf;
	uint64_t first;
	unsigned int i;

	while ((leaf = next_leaf(r, &first))) {
		for (i = 0; i < UV_LEAF_GFNS; i += UV_CHUNK_GFNS)
			free_chunk(r->svm, r->slot, &leaf->gfn[i], first + i);
		uv_go_on(r->svm->uv);
	}
}

/* Recursion is as deep as the tree is high: three at most. */
static void free_tree(struct uv_svm *svm, void *p, unsigned int level)
{
	struct uv_node *node = p;
	unsigned int i;

	for (i = 0; p && level && i < NODE_CHILDREN; i++)
		free_tree(svm, node->child[i], level - 1);
	uv_free(svm->uv, p);
}

/*
 * Free @slot, which the caller has taken out of svm->slots, with all secure
 * pages of it. Takes svm->table and the GFN locks.
 */
void uv_slot_free(struct uv_svm *svm, struct uv_slot *slot)
{
	struct release r = { .svm = svm, .slot = slot, .next = slot->base };
	struct uv *uv = svm->uv;

	if (uv->port.on_cpus && slot->npages > UV_LEAF_GFNS)
		uv->port.on_cpus(uv->port.ctx, release_leaves, &r);
	else
		release_leaves(&r);
	free_tree(svm, slot->root, slot->height);
	uv_free(uv, slot);
}
