// SPDX-License-Identifier: GPL-2.0
/* What the tracepoints cost while somebody listens. */
#include "bench.h"

#define TRACING "/sys/kernel/tracing/"

static void out_and_in(struct bench *b, struct own *o, const char *figure)
{
	uint64_t begin = now_ns();

	bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, b->pages);
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	sample(b, figure, b->pages, (double)(now_ns() - begin) / (double)b->pages);
}

void bench_trace(struct bench *b)
{
	struct own o;

	bench_svm(&o, b->pages, 0, b->pages);
	out_and_in(b, &o, "trace_off");
	need(!file_write(TRACING "events/uvmem/enable", "1"), "tracing");
	out_and_in(b, &o, "trace_on");
	need(!file_write(TRACING "events/uvmem/enable", "0"), "tracing");
	need(!file_write(TRACING "trace", ""), "tracing");
	bench_close(&o);
}
