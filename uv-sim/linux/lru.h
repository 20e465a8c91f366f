/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that a CPU has gathered for the LRU lists. Each has a reference in the CPU's
 * batch, which looks like a pin to migrate_vma and may stay for ever.
 * lru_add_drain() and lru_add_drain_all() are not for modules.
 */
#ifndef _UVSIM_LRU_H
#define _UVSIM_LRU_H

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/workqueue.h>
#include "compat.h"

/* Those of this CPU. */
static inline void uvsim_lru_drain(void)
{
	struct folio_batch none;

	folio_batch_init(&none);
	__folio_batch_release(&none);	/* calls lru_add_drain() */
}

static inline long uvsim_lru_drain_fn(void *unused)
{
	uvsim_lru_drain();
	return 0;
}

/* Those of all CPUs. Sleeps. */
static inline void uvsim_lru_drain_all(void)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, uvsim_lru_drain_fn, NULL);
	cpus_read_unlock();
}

#endif /* _UVSIM_LRU_H */
