// SPDX-License-Identifier: GPL-2.0
/* Pages that move in ranges: UV_ESM, hypercalls, termination; by run length. */
#include <sys/ioctl.h>

#include "bench.h"

#define RUNS_PAGES 1024 /* that are moved for each run length */

/* The first pages in runs of @len, out and in again. */
static void runs_of(struct bench *b, struct own *o, size_t len)
{
	uint64_t begin = now_ns(), mid;

	for (size_t i = 0; i < RUNS_PAGES; i += len)
		bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, i, len);
	mid = now_ns();
	for (size_t i = 0; i < RUNS_PAGES; i += len)
		bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, i, len);
	sample(b, "out_run", len, (double)(mid - begin) / RUNS_PAGES);
	sample(b, "in_run", len, (double)(now_ns() - mid) / RUNS_PAGES);
}

void bench_bulk(struct bench *b)
{
	static const size_t lengths[] = { 1, 4, 16, 64, 256 };
	double n = (double)b->pages;
	uint64_t ns, begin, mid;
	struct own o;

	ns = bench_svm(&o, b->pages, 0, b->pages);
	sample(b, "esm", b->pages, (double)ns / n);
	begin = now_ns();
	bench_range(&o, H_SIM_SVM_PAGE_OUT_RANGE, 0, b->pages);
	mid = now_ns();
	bench_range(&o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	sample(b, "bulk_out", b->pages, (double)(mid - begin) / n);
	sample(b, "bulk_in", b->pages, (double)(now_ns() - mid) / n);
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		runs_of(b, &o, lengths[i]);
	begin = now_ns();
	need(!ioctl(o.svm, UVMEM_SVM_OFF, 0), "UVMEM_SVM_OFF");
	sample(b, "terminate", b->pages, (double)(now_ns() - begin) / n);
	own_close(&o);
}
