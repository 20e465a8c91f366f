/* SPDX-License-Identifier: GPL-2.0 */
/* Work for other CPUs than this one. */
#ifndef _UVSIM_CPUS_H
#define _UVSIM_CPUS_H

#include <linux/cpumask.h>
#include <linux/workqueue.h>

/*
 * Queue @work on the online CPU after @cpu, which is where the next one goes on from.
 * A plain queue_work() stays with the CPUs that share a cache with this one, which on
 * small and emulated machines is this one alone.
 */
static inline int uvsim_queue_after(int cpu, struct work_struct *work)
{
	cpu = cpumask_next(cpu, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	queue_work_on(cpu, system_unbound_wq, work);
	return cpu;
}

#endif /* _UVSIM_CPUS_H */
