// SPDX-License-Identifier: GPL-2.0
/*
 * Work on a large range of GFNs, on several CPUs: the caller and a few workers, or
 * workers alone, take share after share until none is left, and work on it by runs or
 * blocks. A share is a run or a block, or of a very large range a page table's worth. Small
 * ranges are the caller's alone, since waking another CPU costs as much as moving some
 * pages.
 *
 * A page-in is for workers alone. It takes pages out of H that are present, and
 * migrate_vma flushes the TLB for each of them, on every CPU that has H loaded: if the
 * caller worked, too, every page of the workers' would interrupt it. A worker is a
 * kernel thread, whose CPU gives H up at the first flush.
 *
 * Locks: spread.lock, for the next share and the first failure. The caller may hold
 * what the workers need to be held, but no lock that they take.
 */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "../uv-sim/linux/cpus.h"
#include "uvmem.h"

#define SHARE_MIN	(2 * UVMEM_RUN_MAX)	/* GFNs that are worth a worker */

static unsigned int bulk_cpus;
module_param(bulk_cpus, uint, 0644);
MODULE_PARM_DESC(bulk_cpus,
		 "most CPUs that one large page-in or page-out uses; 0: all (default)");

struct spread {
	uvmem_run_fn fn;
	void *arg;
	spinlock_t lock;	/* next, failed_at, ret */
	u64 next;		/* the next GFN that nobody works on */
	u64 end;
	u64 piece;		/* GFNs that @fn gets at a time, aligned */
	u64 share;		/* GFNs that a CPU takes at a time, aligned */
	u64 failed_at;		/* the first GFN that is not done */
	s64 ret;		/* why */
};

/* What a CPU has taken. */
struct share {
	u64 next;
	u64 end;
};

static bool take_piece(struct spread *s, struct share *mine, u64 *gfn, u64 *n)
{
	bool any;

	spin_lock(&s->lock);
	if (mine->next == mine->end) {
		mine->next = s->next;
		mine->end = min(round_down(s->next, s->share) + s->share, s->end);
		s->next = mine->end;
	}
	*gfn = mine->next;
	any = mine->next < min(mine->end, s->failed_at);
	mine->next = min(round_down(mine->next, s->piece) + s->piece, mine->end);
	*n = mine->next - *gfn;
	spin_unlock(&s->lock);
	return any;
}

static void note(struct spread *s, u64 failed_at, s64 ret)
{
	spin_lock(&s->lock);
	if (failed_at < s->failed_at) {
		s->failed_at = failed_at;
		s->ret = ret;
	}
	spin_unlock(&s->lock);
}

static void work_on(void *arg)
{
	struct spread *s = arg;
	struct share mine = {};
	u64 gfn, n, done;
	s64 ret;

	while (take_piece(s, &mine, &gfn, &n)) {
		ret = s->fn(s->arg, gfn, n, &done);
		if (ret)
			note(s, gfn + done, ret);
		cond_resched();
	}
}

/*
 * CPUs that work in the same page table wait for its lock: each takes all of one, if there
 * are enough of them for everybody.
 */
static u64 share_of(u64 npages, u64 piece, unsigned int cpus)
{
	return npages < 2 * cpus * PTRS_PER_PTE ? piece : max_t(u64, piece, PTRS_PER_PTE);
}

static unsigned int cpus_for(u64 npages)
{
	unsigned int cpus = READ_ONCE(bulk_cpus) ?: num_online_cpus();

	cpus = min3(cpus, num_online_cpus(), UVSIM_WORKERS_MAX + 1);
	return max_t(u64, min_t(u64, cpus, npages / SHARE_MIN), 1);
}

/**
 * uvmem_spreads() - will uvmem_spread() use other CPUs?
 * @npages: number of GFNs
 */
bool uvmem_spreads(u64 npages)
{
	return cpus_for(npages) > 1;
}

/**
 * uvmem_spread() - call a function for a range of GFNs, piece by piece
 * @gfn: first GFN
 * @npages: number of GFNs
 * @piece: UVMEM_RUN_MAX or UVMEM_BLOCK_MAX
 * @apart: the caller only waits, unless the range is small
 * @fn: works on GFNs of one piece, or, if nobody helps, on all of them
 * @arg: its first argument
 * @done: out: GFNs done, from the start; others may be done as well
 *
 * Context: process context; sleeps. @fn is called in others, too.
 * Return: 0, or what @fn returned for the first GFN that is not done.
 */
s64 uvmem_spread(u64 gfn, u64 npages, unsigned long piece, bool apart, uvmem_run_fn fn,
		 void *arg, u64 *done)
{
	unsigned int cpus = cpus_for(npages);
	struct spread s = {
		.fn = fn, .arg = arg, .next = gfn, .end = gfn + npages, .piece = piece,
		.share = share_of(npages, piece, cpus), .failed_at = U64_MAX,
	};

	if (npages < SHARE_MIN || (cpus == 1 && !apart))
		return fn(arg, gfn, npages, done);
	spin_lock_init(&s.lock);
	if (apart)
		uvsim_on_cpus_apart(min(cpus, UVSIM_WORKERS_MAX), work_on, &s);
	else
		uvsim_on_cpus(cpus - 1, work_on, &s);
	*done = min(s.failed_at, s.end) - gfn;
	return s.ret;
}
