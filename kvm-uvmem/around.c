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
 * Where pages are in secure memory as one folio (huge.c), all of it goes along once the
 * host has read as many pages before it, in order: the window doubled, as it were, past
 * its largest size. So it does if the first of its pages is the first that the host
 * touches: as likely as not that is a reader, and to take the block apart for any other
 * touch costs as much. Whoever touches pages at random may be lucky once: no such touch is
 * believed again before a reader has come to the block behind.
 *
 * Nor is the guest to be robbed: a page that it brought in by touching it stays
 * for fault_around_slice_ms, unless the host touches that very page.
 *
 * Locks: the stripe is the caller's; uvmem_around.lock, for the streams.
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>

#include "uvmem.h"

#define PATIENCE_MAX	5	/* 2^n - 1 faults in a row before a window opens */
#define AHEAD_MIN	16	/* pages that are worth another CPU */
#define AHEAD_BLOCKS	7ULL	/* most that follow the touched one */
#define AHEAD_MAX	max_t(u64, PTRS_PER_PTE, UVMEM_RUN_MAX)	/* those of a page table */

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
		if (s->ahead > s->end && gfn == s->ahead)
			return s;
		if (gfn >= s->first && gfn < max(s->end, s->ahead))
			within = s;
	}
	return within;
}

/*
 * Again, or a page that the guest took back. Not so where the reader has come to what
 * another CPU was to move, and finds a page that was left.
 */
static bool in_the_middle(const struct uvmem_stream *s, u64 gfn)
{
	if (gfn < s->first || gfn >= max(s->end, s->ahead))
		return false;
	return gfn < s->end || (gfn > s->end && s->end < s->from);
}

/*
 * A large window ends at a multiple of half its size: CPUs that seal it together share
 * it by aligned chunks.
 */
static unsigned long past_boundary(u64 gfn, unsigned int window)
{
	return window < 32 ? 0 : (gfn + window) % rounddown_pow_of_two(window / 2);
}

/* A stream that begins at @gfn, instead of another one. */
static struct uvmem_stream *new_stream(struct uvmem_around *around, u64 gfn)
{
	struct uvmem_stream *s = &around->stream[around->next++ % UVMEM_STREAMS];

	*s = (struct uvmem_stream){ .first = gfn, .end = gfn + 1, .window = 1, .begin = gfn };
	return s;
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
		*stream = new_stream(around, gfn);
		return 1;
	}
	if (in_the_middle(s, gfn)) {
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

/* If the reader is faster than the worker, what is left for that is behind this stripe. */
static void overtake(struct uvmem_ahead *ahead, u64 gfn)
{
	u64 end = ahead->gfn + ahead->npages;

	if (gfn < ahead->gfn || gfn >= end)
		return;
	ahead->gfn = min(round_down(gfn, ahead->step) + ahead->step, end);
	ahead->npages = end - ahead->gfn;
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
	overtake(&slot->ahead, gfn);
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

/**
 * uvmem_around_count() - pages in a row that may go along
 * @slot: the memslot
 * @gfn: the first one
 * @most: no more than these
 *
 * Context: any; true for as long as the stripe is held, but for pages that the host
 * drops.
 */
unsigned long uvmem_around_count(struct uvmem_slot *slot, u64 gfn, unsigned long most)
{
	u64 end = min(gfn + most, slot->base_gfn + slot->npages), i = gfn;

	while (i < end && may_go_along(slot, i))
		i++;
	return i - gfn;
}

/* The stream whose last window is of full size and begins with @gfn. */
static struct uvmem_stream *full_stream(struct uvmem_around *around, u64 gfn)
{
	unsigned int full = min_t(unsigned int, READ_ONCE(fault_around), UVMEM_RUN_MAX);
	struct uvmem_stream *s;

	for (s = around->stream; s < around->stream + UVMEM_STREAMS; s++)
		if (gfn == s->first && gfn < s->end && s->window == full && full > 1)
			return s;
	return NULL;
}

static void claim(struct uvmem_ahead *ahead, struct uvmem_stream *s, u64 gfn, unsigned long n,
		  unsigned long step)
{
	ahead->gfn = gfn;
	ahead->npages = n;
	ahead->step = step;
	ahead->beyond = 0;
	ahead->begun = false;
	WRITE_ONCE(ahead->busy, true);
	s->from = gfn;
	s->ahead = gfn + n;
}

static bool block_at(const struct uvmem_slot *slot, u64 gfn)
{
	return gfn < slot->base_gfn + slot->npages && uvmem_block_folio(slot, gfn);
}

/* Pages that the reader has read before it came to @gfn. */
static u64 read_before(const struct uvmem_stream *s, u64 gfn)
{
	return max(gfn, s->begin) - min(gfn, s->begin);
}

/* A block's worth of pages. */
static bool has_come_far(const struct uvmem_stream *s, u64 gfn)
{
	return read_before(s, gfn) >= UVMEM_BLOCK_MAX;
}

/**
 * uvmem_around_claim() - claim what a reader comes to next, see ahead.c
 * @slot: the memslot
 * @gfn: the GFN touched, of the window that uvmem_around_window() has just returned
 *
 * Context: @gfn's stripe held.
 * Return: true if there are pages for the worker: those that slot->ahead says.
 */
bool uvmem_around_claim(struct uvmem_slot *slot, u64 gfn)
{
	struct uvmem_ahead *ahead = &slot->ahead;
	struct uvmem_stream *s;
	unsigned long n, most;
	u64 next;

	spin_lock(&slot->around.lock);
	s = full_stream(&slot->around, gfn);
	most = s && has_come_far(s, gfn) ? AHEAD_MAX : UVMEM_RUN_MAX;
	next = round_down(gfn, most) + most;
	/* Of a block nothing goes but all. The worker looks again at each run. */
	n = s && !ahead->busy && s->ahead <= next && !block_at(slot, next) ?
		    uvmem_around_count(slot, next, UVMEM_RUN_MAX) : 0;
	if (n == UVMEM_RUN_MAX)
		n = min(most, slot->base_gfn + slot->npages - next);
	if (n >= AHEAD_MIN)
		claim(ahead, s, next, n, UVMEM_RUN_MAX);
	spin_unlock(&slot->around.lock);
	return n >= AHEAD_MIN;
}

/* Does @gfn follow what the reader's own touches, or they and the worker, have moved? */
static bool goes_on_at(const struct uvmem_stream *s, u64 gfn)
{
	return gfn == s->end || gfn + 1 == s->first || (s->ahead > s->end && gfn == s->ahead);
}

/* The stream that @gfn is next in, if it has come far. */
static struct uvmem_stream *far_stream(struct uvmem_around *around, u64 gfn)
{
	struct uvmem_stream *s = find_stream(around, gfn);

	return s && goes_on_at(s, gfn) && has_come_far(s, gfn) ? s : NULL;
}

/*
 * May it be the first touch of a reader that goes on, or that has come to a block which the
 * worker left? To split the block costs as much as to move it. But only one such reader at a
 * time is believed.
 */
static bool is_trusted(const struct uvmem_around *around, u64 gfn)
{
	return IS_ALIGNED(gfn, UVMEM_BLOCK_MAX) && !around->trusting && !around->patience;
}

/**
 * uvmem_around_block() - may a touch of the host's move the whole block it is in?
 * @slot: the memslot
 * @gfn: the GFN touched; all of the block is in @slot
 *
 * Context: the stripes of the block held.
 */
bool uvmem_around_block(struct uvmem_slot *slot, u64 gfn)
{
	u64 first = round_down(gfn, UVMEM_BLOCK_MAX), i;
	struct uvmem_around *around = &slot->around;
	bool far, whole = READ_ONCE(fault_around) > 1;

	for (i = first; whole && i < first + UVMEM_BLOCK_MAX; i++)
		whole = i == gfn || may_go_along(slot, i);
	if (!whole)
		return false;
	spin_lock(&around->lock);
	overtake(&slot->ahead, gfn);
	far = far_stream(around, gfn);
	whole = far || is_trusted(around, gfn);
	if (whole)
		around->trusting = !far;
	spin_unlock(&around->lock);
	return whole;
}

/* Blocks at @gfn and behind it, @most of them. Who moves one looks at it again. */
static unsigned long count_blocks(const struct uvmem_slot *slot, u64 gfn, unsigned long most)
{
	unsigned long n = 0;

	while (n < most && block_at(slot, gfn + n * UVMEM_BLOCK_MAX))
		n++;
	return n;
}

/*
 * As many blocks from @next on as the reader has read, up to AHEAD_BLOCKS; and one more, so
 * that the worker has something to do while the reader comes to its next touch, which is the
 * block between. Returns how many.
 */
static unsigned long claim_blocks(struct uvmem_slot *slot, struct uvmem_stream *s, u64 gfn,
				  u64 next)
{
	unsigned long most = min(read_before(s, gfn) / UVMEM_BLOCK_MAX, AHEAD_BLOCKS);
	unsigned long n = count_blocks(slot, next, most + 2);
	u64 beyond = n == AHEAD_BLOCKS + 2 ? next + (n - 1) * UVMEM_BLOCK_MAX : 0;

	n = min(n, most);
	if (n) {
		claim(&slot->ahead, s, next, n * UVMEM_BLOCK_MAX, UVMEM_BLOCK_MAX);
		s->from = round_down(gfn, UVMEM_BLOCK_MAX) + UVMEM_BLOCK_MAX;
		slot->ahead.beyond = beyond;
	}
	return n;
}

/**
 * uvmem_around_claim_blocks() - claim the blocks that a reader comes to next, see ahead.c
 * @slot: the memslot
 * @gfn: the GFN touched, in a block that is to move as a whole
 *
 * Context: the stripes of the block held.
 * Return: the GFN behind them; 0: none. slot->ahead says which.
 */
u64 uvmem_around_claim_blocks(struct uvmem_slot *slot, u64 gfn)
{
	u64 next = round_down(gfn, UVMEM_BLOCK_MAX) + UVMEM_BLOCK_MAX;
	struct uvmem_ahead *ahead = &slot->ahead;
	struct uvmem_stream *s;
	unsigned long n = 0;

	spin_lock(&slot->around.lock);
	if (ahead->begun && ahead->beyond == next)
		next += UVMEM_BLOCK_MAX;
	s = far_stream(&slot->around, gfn);
	if (s && gfn >= s->end && !ahead->npages)
		n = claim_blocks(slot, s, gfn, next);
	spin_unlock(&slot->around.lock);
	return n ? next + n * UVMEM_BLOCK_MAX : 0;
}

/**
 * uvmem_around_block_moved() - a touch of the host's has moved a block
 * @slot: the memslot
 * @gfn: the GFN touched
 *
 * Context: the stripes of the block held since uvmem_around_block() said so.
 */
void uvmem_around_block_moved(struct uvmem_slot *slot, u64 gfn)
{
	u64 first = round_down(gfn, UVMEM_BLOCK_MAX);
	struct uvmem_stream *s;

	spin_lock(&slot->around.lock);
	s = find_stream(&slot->around, gfn) ?: new_stream(&slot->around, first);
	s->first = first;
	s->end = first + UVMEM_BLOCK_MAX;
	spin_unlock(&slot->around.lock);
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

	if (uvmem_pte_young(slot->svm->mm, uvmem_slot_hva(slot, gfn)))
		return;
	uvmem_count(&slot->svm->count->unseen);
	spin_lock(&around->lock);
	for (s = around->stream; s < around->stream + UVMEM_STREAMS; s++) {
		s->window = max(s->window / 2, 1U);
		s->run = 0;
		s->begin = s->end;
	}
	if (around->patience < PATIENCE_MAX)
		around->patience++;
	spin_unlock(&around->lock);
}
