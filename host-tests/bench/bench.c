// SPDX-License-Identifier: GPL-2.0
/* What the measurements have in common: the clock, the output, an SVM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"

#define SEED 0x5eed0020

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void sample(const struct bench *b, const char *figure, uint64_t x, double value)
{
	printf("@sample %s%s%s%s %llu %.1f\n", b->upstream ? "upstream_" : "", figure,
	       *b->cipher ? "." : "", b->cipher, (unsigned long long)x, value);
	fflush(stdout);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The distribution of @ns, which is sorted: X is the per mille. */
void sample_latency(const struct bench *b, const char *figure, uint64_t *ns, size_t n)
{
	static const unsigned int at[] = { 100, 250, 500, 750, 900, 950, 990, 999 };

	qsort(ns, n, sizeof(*ns), by_value);
	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		sample(b, figure, at[i], (double)ns[n * at[i] / 1000]);
}

void need(bool ok, const char *what)
{
	if (ok)
		return;
	printf("@error bench: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

size_t *shuffled(struct bench *b, size_t n)
{
	size_t *order = calloc(n, sizeof(*order));

	need(order, "memory");
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = rnd(&b->rng) % (i + 1), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	return order;
}

int uvsim_param(const char *name, unsigned int value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "/sys/module/uv_sim/parameters/%s", name);
	snprintf(text, sizeof(text), "%u", value);
	return file_write(path, text);
}

struct uvmem_stats bench_stats(const struct own *o)
{
	struct uvmem_stats st;

	need(!ioctl(o->svm, UVMEM_GET_STATS, &st), "UVMEM_GET_STATS");
	return st;
}

/* Upstream refuses to page in what is in. */
static void one_by_one(struct own *o, uint64_t nr, uint64_t page, uint64_t n)
{
	bool in = nr == H_SIM_SVM_PAGE_IN_RANGE;

	for (uint64_t i = page; i < page + n; i++) {
		int64_t ret = own_hcall(o, in ? H_SVM_PAGE_IN : H_SVM_PAGE_OUT, i * page_size(), 0,
					page_order(), 0, NULL);

		need(ret == H_SUCCESS ||
			     (in && ret == H_PARAMETER && own_uv_state(o, i) == UV_GFN_RESIDENT),
		     in ? "H_SVM_PAGE_IN" : "H_SVM_PAGE_OUT");
	}
}

void bench_range(struct own *o, uint64_t nr, uint64_t page, uint64_t n)
{
	uint64_t done = 0;

	if (o->hv >= 0) {
		one_by_one(o, nr, page, n);
		return;
	}
	need(own_hcall(o, nr, page * page_size(), n, 0, page_order(), &done) == H_SUCCESS &&
		     done == n,
	     "a range hypercall");
}

uint64_t bench_svm(struct own *o, size_t npages, size_t first, size_t n)
{
	uint64_t start;

	need(!own_open(o, npages + 1 + own_blob_pages()), "an SVM");
	own_vcpu_code(o, npages);
	own_fill(o, first, n, SEED);
	need(!own_blob(o, page_size(), 1, true), "the ESM blob");
	start = now_ns();
	need(own_esm(o) == U_SUCCESS, "UV_ESM");
	return now_ns() - start;
}

/*
 * A device page of upstream's points to its VM without holding it: as when a process
 * ends, the memory goes first.
 */
void bench_close(struct own *o)
{
	if (o->hv >= 0) {
		munmap(o->h, o->len);
		o->h = MAP_FAILED;
	}
	own_close(o);
}

void touch(const struct own *o, size_t page)
{
	*(volatile uint8_t *)(o->h + page * page_size());
}
