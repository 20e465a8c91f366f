/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work that this CPU shares with others: all of them call the same function, which
 * takes piece after piece until none is left.
 *
 * Workers are queued on other CPUs than this one. A plain queue_work() stays with
 * those that share a cache with it, which on small and emulated machines is this one
 * alone. Who works as well waits for no worker that has not begun, so that the work is
 * done also when no worker can be had.
 *
 * Locks: none of its own. The caller's stay held meanwhile. All of it is inline, so
 * that each module's workers are a lockdep class of their own: runs are shared with the
 * mmap lock held, which the workers of large ranges take.
 */
#ifndef _UVSIM_CPUS_H
#define _UVSIM_CPUS_H

#include <linux/cpumask.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#define UVSIM_WORKERS_MAX	15

struct uvsim_worker {
	struct work_struct work;
	void (*fn)(void *arg);
	void *arg;
};

static inline void uvsim_worker_fn(struct work_struct *work)
{
	struct uvsim_worker *worker = container_of(work, struct uvsim_worker, work);

	worker->fn(worker->arg);
}

/* The one behind @cpu, which may be -1, in a circle. */
static inline int uvsim_next_cpu(int cpu)
{
	cpu = cpumask_next(cpu, cpu_online_mask);
	return cpu < nr_cpu_ids ? cpu : cpumask_first(cpu_online_mask);
}

static inline void uvsim_queue_workers(struct uvsim_worker *worker, unsigned int n, int cpu,
				       void (*fn)(void *arg), void *arg)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		cpu = uvsim_next_cpu(cpu);
		worker[i].fn = fn;
		worker[i].arg = arg;
		INIT_WORK_ONSTACK(&worker[i].work, uvsim_worker_fn);
		queue_work_on(cpu, system_unbound_wq, &worker[i].work);
	}
}

/**
 * uvsim_on_cpus() - call a function here and on other CPUs
 * @workers: how many others, UVSIM_WORKERS_MAX at most; 0: only here
 * @fn: returns when nothing is left to take
 * @arg: its argument
 *
 * Context: process context, sleeps. The caller may hold what @fn needs to be held, but
 * no lock that @fn takes: @fn runs in workers as well.
 */
static inline void uvsim_on_cpus(unsigned int workers, void (*fn)(void *arg), void *arg)
{
	struct uvsim_worker worker[UVSIM_WORKERS_MAX];
	unsigned int i;

	uvsim_queue_workers(worker, workers, raw_smp_processor_id(), fn, arg);
	fn(arg);
	for (i = 0; i < workers; i++) {
		cancel_work_sync(&worker[i].work);
		destroy_work_on_stack(&worker[i].work);
	}
}

/**
 * uvsim_on_cpus_apart() - call a function in workers only, and wait for them
 * @workers: how many, 1 to UVSIM_WORKERS_MAX
 * @fn: returns when nothing is left to take
 * @arg: its argument
 *
 * For work on the caller's own memory map: while the caller waits no CPU has the map
 * loaded, and a TLB flush of one worker interrupts no other CPU.
 *
 * Context: as uvsim_on_cpus().
 */
static inline void uvsim_on_cpus_apart(unsigned int workers, void (*fn)(void *arg), void *arg)
{
	struct uvsim_worker worker[UVSIM_WORKERS_MAX];
	unsigned int i;

	uvsim_queue_workers(worker, workers, raw_smp_processor_id() - 1, fn, arg);
	for (i = 0; i < workers; i++) {
		flush_work(&worker[i].work);
		destroy_work_on_stack(&worker[i].work);
	}
}

#endif /* _UVSIM_CPUS_H */
