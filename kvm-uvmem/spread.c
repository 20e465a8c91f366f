// SPDX-License-Identifier: GPL-2.0
/*
 * Work on a large range of GFNs, on several CPUs: the caller and a few workers take
 * run after run until none is left. Small ranges are the caller's alone, since
 * waking another CPU costs as much as moving some pages.
 *
 * Locks: spread.lock, for the next run and the first failure. The caller may hold
 * what the workers need to be held, but no lock that they take.
 */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "../uv-sim/linux/cpus.h"
#include "uvmem.h"

#define SHARE_MIN	(2 * UVMEM_RUN_MAX)	/* GFNs that are worth another CPU */

static unsigned int bulk_cpus;
module_param(bulk_cpus, uint, 0644);
MODULE_PARM_DESC(bulk_cpus,
		 "most CPUs that one large page-out uses; 0: all (default)");

struct spread {
	uvmem_run_fn fn;
	void *arg;
	spinlock_t lock;	/* next, failed_at, ret */
	u64 next;		/* the next GFN that nobody works on */
	u64 end;
	u64 failed_at;		/* the first GFN that is not done */
	s64 ret;		/* why */
};

static bool take_run(struct spread *s, u64 *gfn, u64 *n)
{
	bool any;

	spin_lock(&s->lock);
	*gfn = s->next;
	any = s->next < min(s->end, s->failed_at);
	if (any)
		s->next = min(round_down(s->next, UVMEM_RUN_MAX) + UVMEM_RUN_MAX, s->end);
	*n = s->next - *gfn;
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
	u64 gfn, n, done;
	s64 ret;

	while (take_run(s, &gfn, &n)) {
		ret = s->fn(s->arg, gfn, n, &done);
		if (ret)
			note(s, gfn + done, ret);
		cond_resched();
	}
}

static unsigned int workers_for(u64 npages)
{
	unsigned int cpus = READ_ONCE(bulk_cpus) ?: num_online_cpus();

	cpus = min(cpus, num_online_cpus());
	cpus = min_t(u64, cpus, npages / SHARE_MIN);
	return cpus ? min(cpus - 1, UVSIM_WORKERS_MAX) : 0;
}

/**
 * uvmem_spreads() - will uvmem_spread() use other CPUs?
 * @npages: number of GFNs
 */
bool uvmem_spreads(u64 npages)
{
	return workers_for(npages);
}

/**
 * uvmem_spread() - call a function for a range of GFNs, run by run
 * @gfn: first GFN
 * @npages: number of GFNs
 * @fn: works on GFNs of one run, or, on a small range, on all of them
 * @arg: its first argument
 * @done: out: GFNs done, from the start; others may be done as well
 *
 * Context: process context; sleeps. @fn is called in others, too.
 * Return: 0, or what @fn returned for the first GFN that is not done.
 */
s64 uvmem_spread(u64 gfn, u64 npages, uvmem_run_fn fn, void *arg, u64 *done)
{
	unsigned int n = workers_for(npages);
	struct spread s = {
		.fn = fn, .arg = arg, .next = gfn, .end = gfn + npages, .failed_at = U64_MAX,
	};

	if (!n)
		return fn(arg, gfn, npages, done);
	spin_lock_init(&s.lock);
	uvsim_on_cpus(n, work_on, &s);
	*done = min(s.failed_at, s.end) - gfn;
	return s.ret;
}
