// SPDX-License-Identifier: GPL-2.0
/*
 * The state of each GFN.
 *
 * One 64-bit entry a page, in an array of the memslot: bits 0-1 are the state,
 * the others its value:
 *	UVMEM	UVMEM_DEVICE(): index of the device-private page, and a stamp
 *	MEM	UVMEM_MEM_*
 *	Shared	PFN of the pinned page, 0 if there is none at the moment
 *
 * Entries are written with the GFN's stripe held. The one exception is the
 * host dropping a device page (munmap() and the like): page_free() comes with
 * page table locks held, so it uses cmpxchg() and may only turn the UVMEM
 * entry of that very page into MEM.
 *
 * Most of a large guest is memory that it never touched. So the entries come in leaves,
 * of which a byte says that nobody ever changed one of them (all are Normal, and 0), or
 * that all are MEM with UVMEM_MEM_EMPTY, whatever is written there: going secure and back
 * costs a byte for such a leaf. The first change of an entry makes a leaf a mixed one, in
 * which the entries count; it stays so. The byte changes with uvmem_slot.leaf_lock held.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "uvmem.h"
#include "trace.h"

#define STATE_BITS	2
#define STATE_MASK	((1ULL << STATE_BITS) - 1)
#define ENTRY(state, value)	((u64)(value) << STATE_BITS | (state))
#define EMPTY_ENTRY	ENTRY(UVMEM_GFN_MEM, UVMEM_MEM_EMPTY)

#define LEAF_SHIFT	9	/* GFNs of a leaf, aligned */
#define LEAF_GFNS	BIT_ULL(LEAF_SHIFT)

enum { LEAF_NORMAL, LEAF_EMPTY, LEAF_MIXED };

static u64 *entry(const struct uvmem_slot *slot, u64 gfn)
{
	return &slot->gfn[gfn - slot->base_gfn];
}

static u8 *leaf_of(const struct uvmem_slot *slot, u64 gfn)
{
	return &slot->leaf[(gfn >> LEAF_SHIFT) - (slot->base_gfn >> LEAF_SHIFT)];
}

/* The part of a leaf that is in the memslot. */
static u64 leaf_begin(const struct uvmem_slot *slot, u64 gfn)
{
	return max(round_down(gfn, LEAF_GFNS), slot->base_gfn);
}

static u64 leaf_end(const struct uvmem_slot *slot, u64 gfn)
{
	return min(round_down(gfn, LEAF_GFNS) + LEAF_GFNS, slot->base_gfn + slot->npages);
}

static u64 load(const struct uvmem_slot *slot, u64 gfn)
{
	/* Pairs with mix(): who sees the leaf mixed sees its entries. */
	if (smp_load_acquire(leaf_of(slot, gfn)) == LEAF_EMPTY)
		return EMPTY_ENTRY;
	return READ_ONCE(*entry(slot, gfn));
}

/* From now on the entries of the leaf that @gfn is in count. */
static void mix(struct uvmem_slot *slot, u64 gfn)
{
	u64 i, end = leaf_end(slot, gfn);
	u8 *leaf = leaf_of(slot, gfn);

	if (READ_ONCE(*leaf) == LEAF_MIXED)
		return;
	spin_lock(&slot->leaf_lock);
	if (*leaf == LEAF_EMPTY)
		for (i = leaf_begin(slot, gfn); i < end; i++)
			WRITE_ONCE(*entry(slot, i), EMPTY_ENTRY);
	/* Pairs with load(). */
	smp_store_release(leaf, LEAF_MIXED);
	spin_unlock(&slot->leaf_lock);
}

/**
 * uvmem_gfn_table_alloc() - make the table of a memslot's GFNs, all of them Normal
 * @slot: the memslot, whose place and size are known
 *
 * Return: false if there is no memory for it.
 */
bool uvmem_gfn_table_alloc(struct uvmem_slot *slot)
{
	u64 last = slot->base_gfn + slot->npages - 1;
	u64 leaves = (last >> LEAF_SHIFT) - (slot->base_gfn >> LEAF_SHIFT) + 1;

	spin_lock_init(&slot->leaf_lock);
	slot->gfn = __vcalloc(slot->npages, sizeof(*slot->gfn),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	slot->leaf = kvcalloc(leaves, sizeof(*slot->leaf), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (slot->gfn && slot->leaf)
		return true;
	uvmem_gfn_table_free(slot);
	return false;
}

/**
 * uvmem_gfn_table_free() - undo uvmem_gfn_table_alloc()
 * @slot: the memslot
 */
void uvmem_gfn_table_free(struct uvmem_slot *slot)
{
	kvfree(slot->leaf);
	vfree(slot->gfn);
}

static void account(struct uvmem_svm *svm, enum uvmem_gfn_state from,
		    enum uvmem_gfn_state to)
{
	if (from == to)
		return;
	if (from == UVMEM_GFN_SHARED)
		atomic64_dec(&svm->shared);
	else
		this_cpu_dec(svm->count->states[from]);
	if (to == UVMEM_GFN_SHARED)
		atomic64_inc(&svm->shared);
	else
		this_cpu_inc(svm->count->states[to]);
}

/* Neither state is Shared. */
static void account_many(struct uvmem_svm *svm, enum uvmem_gfn_state from,
			 enum uvmem_gfn_state to, s64 n)
{
	this_cpu_sub(svm->count->states[from], n);
	this_cpu_add(svm->count->states[to], n);
}

/**
 * uvmem_gfn_state() - state of a GFN
 * @slot: the memslot
 * @gfn: a GFN of @slot
 *
 * Context: any; the state is stable only while the GFN's stripe is held, and
 * even then UVMEM may turn into MEM.
 */
enum uvmem_gfn_state uvmem_gfn_state(const struct uvmem_slot *slot, u64 gfn)
{
	return load(slot, gfn) & STATE_MASK;
}

/**
 * uvmem_gfn_value() - what goes with the state, see the head of this file
 * @slot: the memslot
 * @gfn: a GFN of @slot
 */
u64 uvmem_gfn_value(const struct uvmem_slot *slot, u64 gfn)
{
	return load(slot, gfn) >> STATE_BITS;
}

/**
 * uvmem_gfn_page() - the device page of a GFN
 * @slot: the memslot
 * @gfn: a GFN of @slot
 *
 * Context: as uvmem_gfn_state(); state and page are of one moment.
 * Return: NULL if the state is not UVMEM.
 */
struct page *uvmem_gfn_page(const struct uvmem_slot *slot, u64 gfn)
{
	u64 e = load(slot, gfn);

	return (e & STATE_MASK) == UVMEM_GFN_UVMEM ? uvmem_devpage((u32)(e >> STATE_BITS)) : NULL;
}

/**
 * uvmem_gfn_stamp() - when the guest brought a page in
 * @slot: the memslot
 * @gfn: a GFN of @slot in state UVMEM
 */
u32 uvmem_gfn_stamp(const struct uvmem_slot *slot, u64 gfn)
{
	return uvmem_gfn_value(slot, gfn) >> 32;
}

/**
 * uvmem_any_resident() - has one of some GFNs a device page?
 * @slot: the memslot
 * @gfn: the first one
 * @n: number of GFNs, all of one leaf
 *
 * Context: any.
 */
bool uvmem_any_resident(const struct uvmem_slot *slot, u64 gfn, u64 n)
{
	u64 end = uvmem_leaf_is_mixed(slot, gfn) ? gfn + n : gfn;

	while (gfn < end && uvmem_gfn_state(slot, gfn) != UVMEM_GFN_UVMEM)
		gfn++;
	return gfn < end;
}

/**
 * uvmem_gfn_clock() - the time at which a transition begins, for the tracepoint
 *
 * Return: nanoseconds; 0, at no cost, if nobody traces.
 */
u64 uvmem_gfn_clock(void)
{
	return trace_uvmem_gfn_enabled() ? ktime_get_ns() : 0;
}

/**
 * uvmem_gfn_set() - change the state of a GFN
 * @slot: the memslot
 * @gfn: a GFN of @slot
 * @state: new state
 * @value: its value
 * @reason: for the tracepoint
 * @start_ns: when the transition began (uvmem_gfn_clock()), 0 if it took no time
 *
 * Context: the GFN's stripe is held.
 */
void uvmem_gfn_set(struct uvmem_slot *slot, u64 gfn, enum uvmem_gfn_state state,
		   u64 value, enum uvmem_reason reason, u64 start_ns)
{
	u64 old;

	lockdep_assert_held(uvmem_stripe(slot->svm, gfn));
	mix(slot, gfn);
	old = xchg(entry(slot, gfn), ENTRY(state, value));
	account(slot->svm, old & STATE_MASK, state);
	if (trace_uvmem_gfn_enabled())
		trace_uvmem_gfn(slot->svm->lpid, gfn << PAGE_SHIFT, old & STATE_MASK, state,
				reason, start_ns ? ktime_get_ns() - start_ns : 0);
}

/**
 * uvmem_gfns_secure() - Normal GFNs that H has nothing for become Secure
 * @slot: the memslot
 * @gfn: first GFN
 * @n: number of GFNs, in one run; those that are not Normal are passed over
 * @reason: for the tracepoint
 *
 * As uvmem_gfn_set() of each to MEM with UVMEM_MEM_EMPTY, but counted together: most of
 * a large guest is memory that it never touched.
 *
 * Context: the stripe of all of them is held.
 */
void uvmem_gfns_secure(struct uvmem_slot *slot, u64 gfn, unsigned long n,
		       enum uvmem_reason reason)
{
	u64 *e = entry(slot, gfn);
	unsigned long i;
	s64 changed = 0;

	mix(slot, gfn);
	for (i = 0; i < n; i++) {
		if ((READ_ONCE(e[i]) & STATE_MASK) != UVMEM_GFN_NORMAL)
			continue;
		WRITE_ONCE(e[i], EMPTY_ENTRY);
		changed++;
		trace_uvmem_gfn(slot->svm->lpid, (gfn + i) << PAGE_SHIFT, UVMEM_GFN_NORMAL,
				UVMEM_GFN_MEM, reason, 0);
	}
	account_many(slot->svm, UVMEM_GFN_NORMAL, UVMEM_GFN_MEM, changed);
}

/* Change the byte of the leaf that @gfn is in, if it is @from. */
static bool leaf_becomes(struct uvmem_slot *slot, u64 gfn, u8 from, u8 to)
{
	u8 *leaf = leaf_of(slot, gfn);
	bool ok;

	if (READ_ONCE(*leaf) != from)
		return false;
	spin_lock(&slot->leaf_lock);
	ok = *leaf == from;
	if (ok)
		WRITE_ONCE(*leaf, to);
	spin_unlock(&slot->leaf_lock);
	return ok;
}

static void leaf_changed(struct uvmem_slot *slot, u64 gfn, enum uvmem_gfn_state from,
			 enum uvmem_gfn_state to, enum uvmem_reason reason)
{
	u64 begin = leaf_begin(slot, gfn), end = leaf_end(slot, gfn), i;

	account_many(slot->svm, from, to, end - begin);
	if (!trace_uvmem_gfn_enabled())
		return;
	for (i = begin; i < end; i++)
		trace_uvmem_gfn(slot->svm->lpid, i << PAGE_SHIFT, from, to, reason, 0);
}

/**
 * uvmem_leaf_room() - GFNs of a leaf
 * @slot: the memslot
 * @gfn: a GFN of @slot
 *
 * Return: how many GFNs follow @gfn, itself included, in its leaf and in @slot; 0 if
 * @gfn is not the first one there.
 */
u64 uvmem_leaf_room(const struct uvmem_slot *slot, u64 gfn)
{
	return gfn == leaf_begin(slot, gfn) ? leaf_end(slot, gfn) - gfn : 0;
}

/**
 * uvmem_leaf_secure() - a leaf of Normal GFNs that H has nothing for becomes Secure
 * @slot: the memslot
 * @gfn: first GFN of the leaf
 * @reason: for the tracepoint
 *
 * As uvmem_gfns_secure() of all of it. Who works on one of them at the moment, with its
 * stripe held, does so as if it came later.
 *
 * Context: @slot->svm->lock held, or nobody else can reach the slot.
 * Return: false if one of them was changed before: nothing is done.
 */
bool uvmem_leaf_secure(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	if (!leaf_becomes(slot, gfn, LEAF_NORMAL, LEAF_EMPTY))
		return false;
	leaf_changed(slot, gfn, UVMEM_GFN_NORMAL, UVMEM_GFN_MEM, reason);
	return true;
}

/**
 * uvmem_leaf_normal() - a leaf of which H has nothing becomes Normal
 * @slot: the memslot
 * @gfn: a GFN of @slot
 * @reason: for the tracepoint
 *
 * Context: @slot->svm->lock held; nobody can make a GFN secure any more.
 * Return: GFNs from @gfn to the end of its leaf, all of which are Normal now; 0 if the
 * leaf is a mixed one, of which each GFN has to be looked at.
 */
u64 uvmem_leaf_normal(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason)
{
	if (leaf_becomes(slot, gfn, LEAF_EMPTY, LEAF_NORMAL))
		leaf_changed(slot, gfn, UVMEM_GFN_MEM, UVMEM_GFN_NORMAL, reason);
	return READ_ONCE(*leaf_of(slot, gfn)) == LEAF_MIXED ? 0 : leaf_end(slot, gfn) - gfn;
}

/**
 * uvmem_leaf_is_mixed() - may a GFN of a leaf be anything but Normal or empty?
 * @slot: the memslot
 * @gfn: a GFN of @slot
 *
 * Context: any.
 */
bool uvmem_leaf_is_mixed(const struct uvmem_slot *slot, u64 gfn)
{
	return READ_ONCE(*leaf_of(slot, gfn)) == LEAF_MIXED;
}

/**
 * uvmem_leaf_next_mixed() - the next leaf whose GFNs may be anything
 * @slot: the memslot
 * @gfn: where to begin; out: the first GFN of such a leaf, from there on, or @end
 * @end: where to stop, in @slot or right behind it
 * @next: out: where that leaf ends, @end at most
 *
 * Context: any.
 * Return: false if there is none.
 */
bool uvmem_leaf_next_mixed(const struct uvmem_slot *slot, u64 *gfn, u64 end, u64 *next)
{
	while (*gfn < end && !uvmem_leaf_is_mixed(slot, *gfn))
		*gfn = min(leaf_end(slot, *gfn), end);
	if (*gfn >= end)
		return false;
	*next = min(leaf_end(slot, *gfn), end);
	return true;
}

/**
 * uvmem_gfn_dropped() - the host dropped the device page of a GFN
 * @slot: the memslot
 * @gfn: a GFN of @slot
 * @index: the device page
 *
 * The content stays in secure memory and the guest goes on with it; the
 * hypervisor only has nothing to show for it any more.
 *
 * Context: atomic.
 */
void uvmem_gfn_dropped(struct uvmem_slot *slot, u64 gfn, u32 index)
{
	u64 new = ENTRY(UVMEM_GFN_MEM, UVMEM_MEM_DROPPED);
	u64 old = load(slot, gfn);

	/* Nobody else makes it an UVMEM entry of this page meanwhile. */
	if ((old & STATE_MASK) != UVMEM_GFN_UVMEM || (u32)(old >> STATE_BITS) != index ||
	    cmpxchg(entry(slot, gfn), old, new) != old)
		return;
	account(slot->svm, UVMEM_GFN_UVMEM, UVMEM_GFN_MEM);
	uvmem_count(&slot->svm->count->drops);
	trace_uvmem_gfn(slot->svm->lpid, gfn << PAGE_SHIFT, UVMEM_GFN_UVMEM, UVMEM_GFN_MEM,
			UVMEM_R_DROP, 0);
}
