// SPDX-License-Identifier: GPL-2.0
/*
 * Ultracalls for runs of pages. Sealing is most of what a page costs: a run that is
 * long enough is shared by several CPUs (cpus.h), which take the chunks that have a
 * lock of their own. Wiping all that an SVM had is shared as well.
 *
 * Locks: none of its own. Workers take the core's.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/moduleparam.h>
#include "cpus.h"
#include "internal.h"
#include "trace.h"

#define SHARE_BYTES	0x10000	/* that are worth another CPU */

static unsigned int seal_cpus;
module_param(seal_cpus, uint, 0644);
MODULE_PARM_DESC(seal_cpus,
		 "most CPUs that seal or open the pages of one run, or wipe an SVM's; 0: all (default)");

struct sharing {
	const struct uv_page_run *run;
	u64 gfn;		/* the first one */
	atomic_t next;		/* the chunk that nobody has taken yet, from the first on */
};

static bool take_chunk(struct sharing *s, struct uv_page_run *chunk)
{
	u64 nr = (s->gfn >> UV_CHUNK_SHIFT) + atomic_fetch_inc(&s->next);
	u64 first = max(nr << UV_CHUNK_SHIFT, s->gfn);
	u64 end = min((nr + 1) << UV_CHUNK_SHIFT, s->gfn + s->run->n);

	if (first >= end)
		return false;
	*chunk = *s->run;
	chunk->gpa = first << PAGE_SHIFT;
	chunk->n = end - first;
	chunk->ra += first - s->gfn;
	chunk->ret += first - s->gfn;
	return true;
}

static void work_on(void *arg)
{
	struct uv_page_run chunk;

	while (take_chunk(arg, &chunk))
		uv_hv_page_run(uvsim_uv, &chunk);
}

/* Other CPUs that take part where there is work for @most. */
static unsigned int workers(u64 most)
{
	unsigned int cpus = READ_ONCE(seal_cpus) ?: num_online_cpus();

	cpus = min_t(u64, min(cpus, num_online_cpus()), most);
	return min(cpus - 1, UVSIM_WORKERS_MAX);
}

/**
 * uvsim_share_work() - uv_port.on_cpus
 * @ctx: unused
 * @fn: takes piece after piece
 * @arg: its argument
 *
 * Context: process context, sleeps.
 */
void uvsim_share_work(void *ctx, void (*fn)(void *arg), void *arg)
{
	uvsim_on_cpus(workers(U64_MAX), fn, arg);
}

static unsigned int workers_for(const struct uv_page_run *run)
{
	u64 first = run->gpa >> PAGE_SHIFT, last = first + run->n - 1, chunks;
	u64 bytes = 0;
	u32 i;

	chunks = (last >> UV_CHUNK_SHIFT) - (first >> UV_CHUNK_SHIFT) + 1;
	if (chunks < 2 || uvsim_cipher_is_copy())
		return 0;
	for (i = 0; i < run->n; i++)
		bytes += run->ra[i] == UVSIM_NO_RA ? 0 : PAGE_SIZE;
	return bytes < SHARE_BYTES ? 0 : workers(chunks);
}

static void trace_calls(const struct uv_page_run *run)
{
	u32 i;

	for (i = 0; i < run->n; i++) {
		const u64 args[UV_UCALL_ARGS] = {
			run->lpid, run->ra[i], run->gpa + ((u64)i << PAGE_SHIFT), run->flags,
			run->order,
		};

		if (run->ra[i] != UVSIM_NO_RA)
			trace_uvsim_ucall(run->nr, args, run->ret[i]);
	}
}

/**
 * uvsim_ucall_run() - UV_PAGE_IN or UV_PAGE_OUT for each page of a run
 * @nr: which of the two
 * @lpid: VM
 * @gpa: of the first page, in bytes
 * @flags: of all calls
 * @ra: real address of each page; UVSIM_NO_RA: no call for this one
 * @ret: out: what each call returned
 * @n: number of pages, 1 at least
 * @alone: this CPU is to make them all, others are busy with runs of their own
 *
 * As many ultracalls as there are addresses, at less cost.
 *
 * Context: as uvsim_ucall().
 */
void uvsim_ucall_run(u64 nr, u64 lpid, u64 gpa, u64 flags, const u64 *ra, s64 *ret, u32 n,
		     bool alone)
{
	const struct uv_page_run run = {
		.nr = nr, .lpid = lpid, .gpa = gpa, .flags = flags, .order = PAGE_SHIFT,
		.n = n, .ra = ra, .ret = ret,
	};
	struct sharing s = { .run = &run, .gfn = gpa >> PAGE_SHIFT, .next = ATOMIC_INIT(0) };
	unsigned int n_others = alone ? 0 : workers_for(&run);

	if (n_others)
		uvsim_on_cpus(n_others, work_on, &s);
	else
		uv_hv_page_run(uvsim_uv, &run);
	if (trace_uvsim_ucall_enabled())
		trace_calls(&run);
}
EXPORT_SYMBOL_GPL(uvsim_ucall_run);
