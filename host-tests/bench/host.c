// SPDX-License-Identifier: GPL-2.0
/* The host touches secure pages: in order, and at random addresses. */
#include <stdlib.h>

#include "bench.h"

/* Touch @n pages in the order of @order, or in order; ns of all of them. */
static uint64_t touch_all(const struct own *o, const size_t *order, size_t n, uint64_t *each)
{
	uint64_t begin = now_ns(), last = begin, t = begin;

	for (size_t i = 0; i < n; i++) {
		touch(o, order ? order[i] : i);
		if (each) {
			t = now_ns();
			each[i] = t - last;
			last = t;
		}
	}
	return (each ? t : now_ns()) - begin;
}

/* Upstream counts nothing. */
static struct uvmem_stats stats(const struct bench *b, const struct own *o)
{
	static const struct uvmem_stats none;

	return b->upstream ? none : bench_stats(o);
}

static void in_order(struct bench *b, struct own *o, uint64_t *each)
{
	struct uvmem_stats before = stats(b, o), after;
	uint64_t ns = touch_all(o, NULL, b->pages, NULL);

	after = stats(b, o);
	sample(b, "host_seq", b->pages, (double)ns / (double)b->pages);
	if (!b->upstream)
		sample(b, "host_seq_calls", b->pages,
		       100.0 * (double)(after.migrate_calls - before.migrate_calls) /
			       (double)b->pages);
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	touch_all(o, NULL, b->pages, each);
	sample_latency(b, "host_seq_lat", each, b->pages);
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
}

/* One page in eight, so that what was moved in vain stays visible. */
static void at_random(struct bench *b, struct own *o, uint64_t *each)
{
	size_t *order = shuffled(b, b->pages), n = b->pages / 8;
	struct uvmem_stats before = stats(b, o), after;
	uint64_t ns = touch_all(o, order, n, NULL), moved;

	after = stats(b, o);
	moved = after.host_faults - before.host_faults + after.host_along - before.host_along;
	sample(b, "host_rand", n, (double)ns / (double)n);
	if (!b->upstream)
		sample(b, "host_rand_waste", n,
		       100.0 * ((double)moved - (double)n) / (double)moved);
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	touch_all(o, order, n, each);
	sample_latency(b, "host_rand_lat", each, n);
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	free(order);
}

static void without_around(struct bench *b, struct own *o)
{
	uint64_t ns;

	need(!uvmem_param("fault_around", 0), "fault_around");
	ns = touch_all(o, NULL, b->pages, NULL);
	sample(b, "host_one", b->pages, (double)ns / (double)b->pages);
	need(!uvmem_param("fault_around", 32), "fault_around");
}

void bench_host(struct bench *b)
{
	uint64_t *each = calloc(b->pages, sizeof(*each));
	struct own o;

	need(each, "memory");
	bench_svm(&o, b->pages, 0, b->pages);
	in_order(b, &o, each);
	at_random(b, &o, each);
	if (!b->upstream)
		without_around(b, &o);
	bench_close(&o);
	free(each);
}
