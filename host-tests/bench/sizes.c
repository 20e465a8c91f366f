// SPDX-License-Identifier: GPL-2.0
/*
 * The same work, on the last pages of guest memories of different sizes; and the
 * memory that the hypervisor half takes for a guest page beside struct page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define WORK_BYTES (4 * MIB)

static void work(struct bench *b, struct own *o, size_t first, size_t n, unsigned int mib)
{
	uint64_t t[4];

	t[0] = now_ns();
	bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, first, n);
	t[1] = now_ns();
	bench_range(o, H_SIM_SVM_PAGE_IN_RANGE, first, n);
	t[2] = now_ns();
	for (size_t i = first; i < first + n; i++)
		touch(o, i);
	t[3] = now_ns();
	sample(b, "size_out", mib, (double)(t[1] - t[0]) / (double)n);
	sample(b, "size_in", mib, (double)(t[2] - t[1]) / (double)n);
	sample(b, "size_host", mib, (double)(t[3] - t[2]) / (double)n);
}

/* What functions of the module hold in vmalloc()ed tables, in bytes. */
static uint64_t tables(void)
{
	char *text = file_read("/proc/vmallocinfo"), *line, *save = NULL;
	uint64_t sum = 0;

	need(text, "/proc/vmallocinfo");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long bytes;
		bool table = strstr(line, "[kvm_uvmem]") && strstr(line, "pages=");

		/* The guard page at the end is address space, not memory. */
		if (table && sscanf(line, "%*s %llu", &bytes) == 1)
			sum += bytes - page_size();
	}
	free(text);
	return sum;
}

/* The pool is for every page that can be resident, so those tables count, too. */
static void memory(struct bench *b)
{
	struct own o;
	uint64_t before = tables(), pool;
	struct usage u;
	size_t npages = 64 * MIB / page_size();

	need(!usage_get(&u), "the pool's size");
	pool = u.device_pages;
	need(!own_open(&o, npages), "an SVM");
	sample(b, "bytes_per_guest_page", npages, (double)(tables() - before) / (double)npages);
	sample(b, "bytes_per_device_page", pool, (double)before / (double)pool);
	own_close(&o);
}

void bench_sizes(struct bench *b)
{
	size_t n = WORK_BYTES / page_size();

	for (const unsigned int *mib = b->sizes; *mib; mib++) {
		size_t npages = *mib * MIB / page_size();
		struct own o;

		bench_svm(&o, npages, npages - n, n);
		work(b, &o, npages - n, n, *mib);
		own_close(&o);
	}
	memory(b);
}
