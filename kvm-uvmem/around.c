// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages go along when the host touches one.
 *
 * A fault costs more than the move of a page, so a host that reads a guest's
 * memory in order is better served by a window of pages a fault. The window is
 * learned, as swap read-ahead learns its own: a fault right behind (or right
 * before) the last window doubles it, a fault elsewhere is one page. A few
 * streams a memslot are told apart, so that readers do not disturb each other.
 *
 * A window is of no use if nobody reads it. A page that was taken along and
 * comes back to secure memory without the host having seen it - its page table
 * entry is not young - halves the windows of its memslot and makes it more
 * patient: that many more faults in a row have to come before a window opens.
 * Each window that was read to its end makes it less so.
 *
 * Nor is the guest to be robbed: a page that it brought in by touching it stays
 * for fault_around_slice_ms, unless the host touches that very page.
 *
 * Locks: the stripe is the caller's; uvmem_around.lock, for the streams.
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "uvmem.h"

#define PATIENCE_MAX	5	/* 2^n - 1 faults in a row before a window opens */

static unsigned int fault_around = 32;
module_param(fault_around, uint, 0644);
MODULE_PARM_DESC(fault_around,
		 "most pages that one touch of the host's pages out; 0 or 1: only the touched one (default 32)");

static unsigned int fault_around_slice_ms = 10;
module_param(fault_around_slice_ms, uint, 0644);
MODULE_PARM_DESC(fault_around_slice_ms,
		 "for so long after the guest brought a page in it is not taken along (default 10)");

/**
 * uvmem_around_init() - nothing is known of a memslot's faults yet
 * @slot: the memslot
 */
void uvmem_around_init(struct uvmem_slot *slot)
{
	spin_lock_init(&slot->around.lock);
}

/**
 * uvmem_around_stamp() - the time as it is noted with a page that is brought in
 *
 * Return: never 0, which is a page that the guest did not ask for.
 */
u32 uvmem_around_stamp(void)
{
	return ((u32)jiffies & UVMEM_STAMP_MASK) ?: 1;
}

static bool protected(const struct uvmem_slot *slot, u64 gfn)
{
	u32 stamp = uvmem_gfn_stamp(slot, gfn);
	u32 age = ((u32)jiffies - stamp) & UVMEM_STAMP_MASK;

	return stamp && age <= msecs_to_jiffies(READ_ONCE(fault_around_slice_ms));
}

static bool may_go_along(const struct uvmem_slot *slot, u64 gfn)
{
	return uvmem_gfn_state(slot, gfn) == UVMEM_GFN_UVMEM && !protected(slot, gfn);
}

/* The stream that @gfn goes on, or else one that it lies within. */
static struct uvmem_stream *find_stream(struct uvmem_around *around, u64 gfn)
{
	struct uvmem_stream *s, *within = NULL;

	for (s = around->stream; s < around->stream + UVMEM_STREAMS; s++) {
		if (s->end && (gfn + 1 == s->first || gfn == s->end))
			return s;
		if (gfn >= s->first && gfn < s->end)
			within = s;
	}
	return within;
}

/*
 * A large window ends at a multiple of half its size: CPUs that seal it together share
 * it by aligned chunks.
 */
static unsigned long past_boundary(u64 gfn, unsigned int window)
{
	return window < 32 ? 0 : (gfn + window) % rounddown_pow_of_two(window / 2);
}

/*
 * Pages that the fault at @gfn may move; sets @down if they lie below it. Called
 * with the lock held.
 */
static unsigned long learn(struct uvmem_around *around, u64 gfn, struct uvmem_stream **stream,
			   bool *down)
{
	struct uvmem_stream *s = find_stream(around, gfn);
	unsigned int max = min_t(unsigned int, READ_ONCE(fault_around), UVMEM_RUN_MAX);

	*stream = s;
	*down = false;
	if (!s) {
		s = &around->stream[around->next++ % UVMEM_STREAMS];
		*s = (struct uvmem_stream){ .first = gfn, .end = gfn + 1, .window = 1 };
		*stream = s;
		return 1;
	}
	/* In the middle: again, or a page that the guest took back. */
	if (gfn >= s->first && gfn < s->end) {
		*stream = NULL;
		return 1;
	}
	*down = gfn < s->first;
	if (s->window > 1 && around->patience)
		around->patience--;
	if (s->window > 1 || ++s->run >= 1U << around->patience)
		s->window *= 2;
	s->window = clamp(s->window, 1U, max(max, 1U));
	return *down ? s->window : s->window - past_boundary(gfn, s->window);
}

/**
 * uvmem_around_window() - the pages that a touch of the host's is to move
 * @slot: the memslot
 * @gfn: the GFN touched
 * @lowest: lowest GFN that may be moved with it
 * @highest: highest one; both in one stripe with @gfn
 * @first: out: the first GFN of the window, which holds @gfn
 *
 * Context: the stripe held.
 * Return: number of pages, 1 at least.
 */
unsigned long uvmem_around_window(struct uvmem_slot *slot, u64 gfn, u64 lowest, u64 highest,
				  u64 *first)
{
	struct uvmem_around *around = &slot->around;
	struct uvmem_stream *s;
	unsigned long n;
	u64 end = gfn + 1;
	bool down;

	*first = gfn;
	spin_lock(&around->lock);
	n = learn(around, gfn, &s, &down);
	while (down && --n && *first > lowest && may_go_along(slot, *first - 1))
		--*first;
	while (!down && --n && end <= highest && may_go_along(slot, end))
		end++;
	if (s) {
		s->first = *first;
		s->end = end;
	}
	spin_unlock(&around->lock);
	return end - *first;
}

/* The page table entry of @addr, unlocked: a value of some moment. */
static bool is_young(struct mm_struct *mm, unsigned long addr)
{
	bool young = true;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;
	pmd_t pmd;
	pte_t pte;

	/* Page tables go away by RCU, if at all under the mmap lock. */
	rcu_read_lock();
	pgd = pgd_offset(mm, addr);
	if (pgd_none(READ_ONCE(*pgd)))
		goto out;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)))
		goto out;
	pud = pud_offset(p4d, addr);
	if (pud_none(READ_ONCE(*pud)) || pud_leaf(READ_ONCE(*pud)))
		goto out;
	pmd = pmdp_get_lockless(pmd_offset(pud, addr));
	if (!pmd_present(pmd) || pmd_leaf(pmd))
		goto out;
	pte = ptep_get(pte_offset_kernel(&pmd, addr));
	if (pte_present(pte))
		young = pte_young(pte);
out:
	rcu_read_unlock();
	return young;
}

/**
 * uvmem_around_returns() - a page that was taken along goes back to secure memory
 * @slot: the memslot
 * @gfn: a GFN of @slot, in state MEM with the value UVMEM_MEM_ALONG
 *
 * Context: mmap lock (read) and the stripe held, before H loses the page.
 */
void uvmem_around_returns(struct uvmem_slot *slot, u64 gfn)
{
	struct uvmem_around *around = &slot->around;
	struct uvmem_stream *s;

	if (is_young(slot->svm->mm, uvmem_slot_hva(slot, gfn)))
		return;
	atomic64_inc(&slot->svm->count.unseen);
	spin_lock(&around->lock);
	for (s = around->stream; s < around->stream + UVMEM_STREAMS; s++) {
		s->window = max(s->window / 2, 1U);
		s->run = 0;
	}
	if (around->patience < PATIENCE_MAX)
		around->patience++;
	spin_unlock(&around->lock);
}
