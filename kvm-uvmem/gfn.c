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
 */
#include <linux/lockdep.h>
#include <linux/timekeeping.h>

#include "uvmem.h"
#include "trace.h"

#define STATE_BITS	2
#define STATE_MASK	((1ULL << STATE_BITS) - 1)

static u64 *entry(const struct uvmem_slot *slot, u64 gfn)
{
	return &slot->gfn[gfn - slot->base_gfn];
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
	return READ_ONCE(*entry(slot, gfn)) & STATE_MASK;
}

/**
 * uvmem_gfn_value() - what goes with the state, see the head of this file
 * @slot: the memslot
 * @gfn: a GFN of @slot
 */
u64 uvmem_gfn_value(const struct uvmem_slot *slot, u64 gfn)
{
	return READ_ONCE(*entry(slot, gfn)) >> STATE_BITS;
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
	u64 old = xchg(entry(slot, gfn), value << STATE_BITS | state);

	lockdep_assert_held(uvmem_stripe(slot->svm, gfn));
	account(slot->svm, old & STATE_MASK, state);
	if (trace_uvmem_gfn_enabled())
		trace_uvmem_gfn(slot->svm->lpid, gfn << PAGE_SHIFT, old & STATE_MASK, state,
				reason, start_ns ? ktime_get_ns() - start_ns : 0);
}

/**
 * uvmem_gfns_secure() - Normal GFNs that H has nothing for become Secure
 * @slot: the memslot
 * @gfn: first GFN
 * @n: number of GFNs; those that are not Normal are passed over
 * @reason: for the tracepoint
 *
 * As uvmem_gfn_set() of each to MEM with UVMEM_MEM_EMPTY, but counted together: most of
 * a large guest is memory that it never touched.
 *
 * Context: the stripe of all of them is held, or nobody else can reach the slot.
 */
void uvmem_gfns_secure(struct uvmem_slot *slot, u64 gfn, unsigned long n,
		       enum uvmem_reason reason)
{
	u64 *e = entry(slot, gfn), empty = (u64)UVMEM_MEM_EMPTY << STATE_BITS | UVMEM_GFN_MEM;
	unsigned long i, changed = 0;

	for (i = 0; i < n; i++) {
		if ((READ_ONCE(e[i]) & STATE_MASK) != UVMEM_GFN_NORMAL)
			continue;
		WRITE_ONCE(e[i], empty);
		changed++;
		if (trace_uvmem_gfn_enabled())
			trace_uvmem_gfn(slot->svm->lpid, (gfn + i) << PAGE_SHIFT, UVMEM_GFN_NORMAL,
					UVMEM_GFN_MEM, reason, 0);
	}
	this_cpu_sub(slot->svm->count->states[UVMEM_GFN_NORMAL], changed);
	this_cpu_add(slot->svm->count->states[UVMEM_GFN_MEM], changed);
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
	u64 new = (u64)UVMEM_MEM_DROPPED << STATE_BITS | UVMEM_GFN_MEM;
	u64 old = READ_ONCE(*entry(slot, gfn));

	/* Nobody else makes it an UVMEM entry of this page meanwhile. */
	if ((old & STATE_MASK) != UVMEM_GFN_UVMEM || (u32)(old >> STATE_BITS) != index ||
	    cmpxchg(entry(slot, gfn), old, new) != old)
		return;
	account(slot->svm, UVMEM_GFN_UVMEM, UVMEM_GFN_MEM);
	uvmem_count(&slot->svm->count->drops);
	trace_uvmem_gfn(slot->svm->lpid, gfn << PAGE_SHIFT, UVMEM_GFN_UVMEM, UVMEM_GFN_MEM,
			UVMEM_R_DROP, 0);
}
