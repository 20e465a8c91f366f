// SPDX-License-Identifier: GPL-2.0
/* Pages that move in ranges: UV_ESM, hypercalls, termination; by run length. */
#include "bench.h"

#define RUNS_PAGES 1024 /* at most, that are moved for each run length */

/* The first pages in runs of @len, out and in again. */
static void runs_of(struct bench *b, struct own *o, size_t len)
{
	size_t n = b->pages < RUNS_PAGES ? b->pages : RUNS_PAGES;
	uint64_t begin = now_ns(), mid;

	for (size_t i = 0; i < n; i += len)
		bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, i, len);
	mid = now_ns();
	for (size_t i = 0; i < n; i += len)
		bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, i, len);
	sample(b, "out_run", len, (double)(mid - begin) / (double)n);
	sample(b, "in_run", len, (double)(now_ns() - mid) / (double)n);
}

static void ranges(struct bench *b, struct own *o)
{
	static const size_t lengths[] = { 1, 4, 16, 64, 256 };
	uint64_t begin = now_ns(), mid;
	double n = (double)b->pages;

	bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, b->pages);
	mid = now_ns();
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	sample(b, "bulk_out", b->pages, (double)(mid - begin) / n);
	sample(b, "bulk_in", b->pages, (double)(now_ns() - mid) / n);
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (lengths[i] <= b->pages)
			runs_of(b, o, lengths[i]);
}

/*
 * Upstream's H_SVM_INIT_DONE moves what the ultravisor has not asked for, without
 * its content: no UV_PAGE_IN is made for it.
 */
static void init_done(struct bench *b)
{
	uint64_t begin;
	struct own o;

	need(!own_open(&o, b->pages), "an SVM");
	own_fill(&o, 0, b->pages, 0);
	need(own_ucall(&o, UV_SIM_ESM_START, 0, 0, 0, 0, 0) == U_SUCCESS, "UV_SIM_ESM_START");
	begin = now_ns();
	need(own_hcall(&o, H_SVM_INIT_DONE, 0, 0, 0, 0, NULL) == H_SUCCESS, "H_SVM_INIT_DONE");
	sample(b, "init_done", b->pages, (double)(now_ns() - begin) / (double)b->pages);
	bench_close(&o);
}

void bench_bulk(struct bench *b)
{
	double n = (double)b->pages;
	uint64_t ns, begin;
	struct own o;

	ns = bench_svm(&o, b->pages, 0, b->pages);
	sample(b, "esm", b->pages, (double)ns / n);
	if (!b->upstream)
		ranges(b, &o);
	begin = now_ns();
	need(!own_off(&o), "termination");
	sample(b, "terminate", b->pages, (double)(now_ns() - begin) / n);
	bench_close(&o);
	if (b->upstream)
		init_done(b);
}
