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
#define TABLE_PAGES 16384 /* whose tables are looked at: whole pages of any size */
#define RESIDENT_PAGES 64 /* whose page-in is looked at */
#define TRACING "/sys/kernel/tracing/"

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

static const char *module(const struct bench *b)
{
	return b->upstream ? "[kvm_hv]" : "[kvm_uvmem]";
}

/* What a module, or a function, holds in vmalloc()ed tables, in bytes. */
static uint64_t tables(const char *caller)
{
	char *text = file_read("/proc/vmallocinfo"), *line, *save = NULL;
	uint64_t sum = 0;

	need(text, "/proc/vmallocinfo");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long bytes;
		bool table = strstr(line, caller) && strstr(line, "pages=");

		/* The guard page at the end is address space, not memory. */
		if (table && sscanf(line, "%*s %llu", &bytes) == 1)
			sum += bytes - page_size();
	}
	free(text);
	return sum;
}

/*
 * The pool is for every page that can be resident, so those tables count, too. Where
 * the kernel does not name the module as the caller they cannot be told apart.
 */
static void pool_memory(struct bench *b)
{
	uint64_t pool = tables(module(b));
	struct usage u;

	need(!usage_get(&u), "the pool's size");
	if (pool)
		sample(b, "bytes_per_device_page", u.device_pages,
		       (double)pool / (double)u.device_pages);
}

/* ppc64 names vcalloc() as the caller: of use for a difference. */
static uint64_t all_tables(const struct bench *b)
{
	return tables(module(b)) + tables("vcalloc_noprof");
}

/* KVM has tables of its own for a memslot; upstream's come with H_SVM_INIT_START. */
static void guest_memory(struct bench *b)
{
	uint64_t before = all_tables(b), after;
	struct own o;

	need(!own_open(&o, TABLE_PAGES), "an SVM");
	if (b->upstream) {
		before = all_tables(b);
		need(own_ucall(&o, UV_SIM_ESM_START, 0, 0, 0, 0, 0) == U_SUCCESS,
		     "UV_SIM_ESM_START");
	}
	after = all_tables(b);
	need(after > before, "a memslot's tables in /proc/vmallocinfo");
	sample(b, "bytes_per_guest_page", TABLE_PAGES, (double)(after - before) / TABLE_PAGES);
	bench_close(&o);
}

struct allocations {
	char ptr[4096][20];
	uint64_t bytes[4096];
	size_t n;
};

static void allocated(struct allocations *a, const char *ptr, const char *line)
{
	const char *bytes = strstr(line, " bytes_alloc=");

	need(bytes && a->n < sizeof(a->bytes) / sizeof(a->bytes[0]), "the kmalloc event");
	snprintf(a->ptr[a->n], sizeof(a->ptr[0]), "%s", ptr);
	a->bytes[a->n++] = strtoull(bytes + strlen(" bytes_alloc="), NULL, 10);
}

static void freed(struct allocations *a, const char *ptr)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->ptr[i], ptr))
			a->bytes[i] = 0;
}

/* Bytes that the module has allocated and nobody has freed, of the trace. */
static uint64_t still_allocated(const struct bench *b)
{
	char *text = file_read(TRACING "trace"), *line, *save = NULL, ptr[20];
	struct allocations *a = calloc(1, sizeof(*a));
	uint64_t sum = 0;

	need(text && a, TRACING "trace");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *at = strstr(line, " ptr=");

		if (!at || sscanf(at, " ptr=%19s", ptr) != 1)
			continue;
		if (strstr(line, " kfree: "))
			freed(a, ptr);
		else if (strstr(line, " kmalloc: ") && strstr(line, module(b)))
			allocated(a, ptr, line);
	}
	for (size_t i = 0; i < a->n; i++)
		sum += a->bytes[i];
	free(a);
	free(text);
	return sum;
}

static void trace_allocations(const char *on)
{
	need(!file_write(TRACING "events/kmem/kmalloc/enable", on) &&
		     !file_write(TRACING "events/kmem/kfree/enable", on),
	     "the kmem events");
}

/* What a page-in leaves allocated. */
static void resident_memory(struct bench *b)
{
	struct own o;

	bench_svm(&o, RESIDENT_PAGES, 0, RESIDENT_PAGES);
	bench_range(&o, H_SIM_SVM_PAGE_OUT_RANGE, 0, RESIDENT_PAGES);
	need(!file_write(TRACING "trace", ""), "tracing");
	trace_allocations("1");
	for (size_t i = 0; i < RESIDENT_PAGES; i++)
		need(own_hcall(&o, H_SVM_PAGE_IN, i * page_size(), 0, page_order(), 0, NULL) ==
			     H_SUCCESS,
		     "H_SVM_PAGE_IN");
	trace_allocations("0");
	sample(b, "bytes_per_resident_page", RESIDENT_PAGES,
	       (double)still_allocated(b) / RESIDENT_PAGES);
	need(!file_write(TRACING "trace", ""), "tracing");
	bench_close(&o);
}

/* Upstream brings every page of a guest's memory in, touched or not. */
static bool fits(const struct bench *b, size_t npages)
{
	return !b->upstream || npages + 2 * own_blob_pages() <= secure_pages();
}

void bench_sizes(struct bench *b)
{
	size_t n = WORK_BYTES / page_size();

	for (const unsigned int *mib = b->sizes; *mib; mib++) {
		size_t npages = *mib * MIB / page_size();
		uint64_t ns;
		struct own o;

		if (!fits(b, npages))
			continue;
		ns = bench_svm(&o, npages, npages - n, n);
		sample(b, "size_esm", *mib, (double)ns / (double)n);
		work(b, &o, npages - n, n, *mib);
		bench_close(&o);
	}
	if (!b->upstream)
		pool_memory(b);
	guest_memory(b);
	resident_memory(b);
}
