// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that another CPU moves ahead of a host that reads in order.
 *
 * When the window of a reader has grown to its full size (around.c), the pages of the
 * next stripe go to a worker on another CPU, while the reader's own fault moves the
 * window. Once the reader has come far, it is those of the next page table: the two have
 * no lock in common then. Nobody waits for the worker, unless the reader touches a page
 * that is just under way. Each page is one that went along, with all that around.c learns
 * from it.
 *
 * Blocks (huge.c) are claimed several at a time, as many as the reader has read. The worker
 * takes one after another of them, and so does the reader's fault when it is done with its
 * own, since the reader would only come to wait for the next. With seven of them there is one
 * more for the worker, behind the block that the reader touches next: so neither waits for
 * the other while the reader reads. The reader's fault holds the lock of the folio that was
 * touched, and so tries where the worker waits.
 *
 * There is one such worker a memslot. It is cancelled when the memslot is deleted, after
 * the last fault that can start it.
 *
 * Locks: uvmem_around.lock, for uvmem_slot.ahead; the worker takes the mmap lock (read)
 * and a stripe.
 */
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "../uv-sim/linux/cpus.h"
#include "uvmem.h"

static bool fault_ahead = true;
module_param(fault_ahead, bool, 0644);
MODULE_PARM_DESC(fault_ahead,
		 "while the host reads in order another CPU pages out what comes next (default Y)");

static void move_ahead(struct uvmem_slot *slot, u64 gfn, unsigned long npages)
{
	struct mm_struct *mm = slot->svm->mm;

	if (!mmget_not_zero(mm))
		return;
	mmap_read_lock(mm);
	uvmem_page_out_ahead(slot, gfn, npages, true);
	mmap_read_unlock(mm);
	mmput(mm);
}

/* The next pages of those claimed; none are left if there are none. With the lock held. */
static unsigned long take(struct uvmem_ahead *ahead, u64 *gfn)
{
	unsigned long n = min(ahead->npages, ahead->step);

	*gfn = ahead->gfn;
	ahead->gfn += n;
	ahead->npages -= n;
	return n;
}

/* What the worker is to move next; 0, and it is done, if nothing is left. */
static unsigned long next_for_worker(struct uvmem_slot *slot, u64 *gfn)
{
	struct uvmem_ahead *ahead = &slot->ahead;
	unsigned long n;

	spin_lock(&slot->around.lock);
	n = take(ahead, gfn);
	if (!n && ahead->beyond && !ahead->begun) {
		*gfn = ahead->beyond;
		n = UVMEM_BLOCK_MAX;
		ahead->begun = true;
	}
	if (!n)
		WRITE_ONCE(ahead->busy, false);
	spin_unlock(&slot->around.lock);
	return n;
}

/* A block below @end that the worker has not begun with. */
static bool next_for_reader(struct uvmem_slot *slot, u64 end, u64 *gfn)
{
	struct uvmem_ahead *ahead = &slot->ahead;
	bool any;

	spin_lock(&slot->around.lock);
	any = ahead->step == UVMEM_BLOCK_MAX && ahead->gfn < end && take(ahead, gfn);
	spin_unlock(&slot->around.lock);
	return any;
}

static void ahead_fn(struct work_struct *work)
{
	struct uvmem_slot *slot = container_of(work, struct uvmem_slot, ahead.work);
	unsigned long npages;
	u64 gfn;

	while ((npages = next_for_worker(slot, &gfn))) {
		move_ahead(slot, gfn, npages);
		cond_resched();
	}
}

/**
 * uvmem_ahead_init() - no page is under way
 * @slot: the memslot
 */
void uvmem_ahead_init(struct uvmem_slot *slot)
{
	INIT_WORK(&slot->ahead.work, ahead_fn);
}

static bool have_other_cpus(void)
{
	return READ_ONCE(fault_ahead) && num_online_cpus() > 1;
}

/* Have the worker begin if it is to. Returns true if no CPU is left for anything else. */
static bool start(struct uvmem_slot *slot, bool claimed)
{
	if (claimed)
		queue_work_on(uvsim_next_cpu(raw_smp_processor_id()), system_unbound_wq,
			      &slot->ahead.work);
	return READ_ONCE(slot->ahead.busy) && num_online_cpus() == 2;
}

/**
 * uvmem_ahead() - the host touched a page: have another CPU move what comes next
 * @slot: the memslot
 * @gfn: the GFN touched, of the window that uvmem_around_window() has just returned
 *
 * Does nothing unless the reader goes upwards with windows of full size.
 *
 * Context: inside uvmem_srcu, @gfn's stripe held.
 * Return: true if no CPU is left that could help with the caller's own pages.
 */
bool uvmem_ahead(struct uvmem_slot *slot, u64 gfn)
{
	return have_other_cpus() && start(slot, uvmem_around_claim(slot, gfn));
}

/**
 * uvmem_ahead_blocks() - as uvmem_ahead(), for a block that is about to move: the next ones
 * @slot: the memslot
 * @gfn: the GFN touched, for which uvmem_around_block() said that the block may move
 * @end: out: the GFN behind the blocks, for uvmem_ahead_help()
 *
 * Context: inside uvmem_srcu, the stripes of the block held.
 * Return: true if no CPU is left that could help with the caller's own pages.
 */
bool uvmem_ahead_blocks(struct uvmem_slot *slot, u64 gfn, u64 *end)
{
	*end = have_other_cpus() ? uvmem_around_claim_blocks(slot, gfn) : 0;
	return start(slot, *end);
}

/**
 * uvmem_ahead_help() - move blocks that the worker has not come to
 * @slot: the memslot
 * @end: from uvmem_ahead_blocks()
 *
 * The reader would only wait for the worker. Ends early if somebody waits for the mmap lock.
 *
 * Context: inside uvmem_srcu, mmap lock (read) of the VMM held, and perhaps the lock of a
 * folio; no stripe.
 */
void uvmem_ahead_help(struct uvmem_slot *slot, u64 end)
{
	u64 gfn;

	while (!fatal_signal_pending(current) && !mmap_lock_is_contended(slot->svm->mm) &&
	       next_for_reader(slot, end, &gfn)) {
		uvmem_page_out_ahead(slot, gfn, UVMEM_BLOCK_MAX, false);
		cond_resched();
	}
}

/**
 * uvmem_ahead_exit() - wait for the worker of a memslot
 * @slot: the memslot; no fault can reach it any more
 *
 * Context: no mmap lock, no stripe.
 */
void uvmem_ahead_exit(struct uvmem_slot *slot)
{
	cancel_work_sync(&slot->ahead.work);
}
