// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is transparent huge pages, on kernels whose device-private memory can be
 * huge: the host reads in order and at random, ranges move; and test_hmm with the
 * same. Without such a kernel and test_hmm there are no such figures.
 */
#include <fcntl.h>
#include <lib/test_hmm_uapi.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define HMM "/dev/hmm_dmirror0"

static uint64_t read_all(const uint8_t *mem, const size_t *order, size_t n)
{
	uint64_t begin = now_ns();

	for (size_t i = 0; i < n; i++)
		*(const volatile uint8_t *)(mem + (order ? order[i] : i) * page_size());
	return now_ns() - begin;
}

static double range_ns(struct own *o, uint64_t nr, size_t pages)
{
	uint64_t begin = now_ns();

	bench_range(o, nr, 0, pages);
	return (double)(now_ns() - begin) / (double)pages;
}

static void ours(struct bench *b)
{
	size_t *order = shuffled(b, b->pages), n = b->pages / 8;
	struct uvmem_stats before, after;
	uint64_t moved;
	struct own o;

	need(!own_open_huge(&o, b->pages + own_blob_pages(), block_pages() * page_size()), "H");
	own_fill(&o, 0, b->pages, 1);
	need(!own_blob(&o, page_size(), 1, true) && !own_esm(&o), "UV_ESM");
	/* Once before it counts, so that all memory has been used. */
	bench_range(&o, H_SIM_SVM_PAGE_OUT_RANGE, 0, b->pages);
	bench_range(&o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	sample(b, "huge_seq", b->pages, (double)read_all(o.h, NULL, b->pages) / (double)b->pages);
	sample(b, "huge_in", b->pages, range_ns(&o, H_SIM_SVM_PAGE_IN_RANGE, b->pages));
	sample(b, "huge_out", b->pages, range_ns(&o, H_SIM_SVM_PAGE_OUT_RANGE, b->pages));
	bench_range(&o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	before = bench_stats(&o);
	sample(b, "huge_rand", n, (double)read_all(o.h, order, n) / (double)n);
	after = bench_stats(&o);
	moved = after.host_faults - before.host_faults + after.host_along - before.host_along;
	sample(b, "huge_rand_waste", n, 100.0 * ((double)moved - (double)n) / (double)moved);
	own_close(&o);
	free(order);
}

static double hmm(int fd, uint8_t *mem, uint8_t *back, size_t pages, unsigned long cmd)
{
	struct hmm_dmirror_cmd c = { .addr = (uintptr_t)mem,
				     .ptr = (uintptr_t)back,
				     .npages = pages };
	uint64_t begin = now_ns();

	need(!ioctl(fd, cmd, &c), "test_hmm");
	return (double)(now_ns() - begin) / (double)pages;
}

static void theirs(struct bench *b)
{
	size_t align = block_pages() * page_size(), len = b->pages * page_size();
	size_t *order = shuffled(b, b->pages), n = b->pages / 8;
	int fd = open(HMM, O_RDWR | O_CLOEXEC);
	uint8_t *room =
		mmap(NULL, len + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *mem = (uint8_t *)(((uintptr_t)room + align - 1) & -align), *back = malloc(len);

	need(fd >= 0 && room != MAP_FAILED && back, HMM " and memory");
	madvise(mem, len, MADV_HUGEPAGE);
	pattern_fill(mem, 0, len, 1, 0);
	hmm(fd, mem, back, b->pages, HMM_DMIRROR_MIGRATE_TO_DEV);
	hmm(fd, mem, back, b->pages, HMM_DMIRROR_MIGRATE_TO_SYS);
	hmm(fd, mem, back, b->pages, HMM_DMIRROR_MIGRATE_TO_DEV);
	sample(b, "huge_hmm_seq", b->pages,
	       (double)read_all(mem, NULL, b->pages) / (double)b->pages);
	sample(b, "huge_hmm_in_gross", b->pages,
	       hmm(fd, mem, back, b->pages, HMM_DMIRROR_MIGRATE_TO_DEV));
	sample(b, "huge_hmm_out", b->pages,
	       hmm(fd, mem, back, b->pages, HMM_DMIRROR_MIGRATE_TO_SYS));
	hmm(fd, mem, back, b->pages, HMM_DMIRROR_MIGRATE_TO_DEV);
	sample(b, "huge_hmm_rand", n, (double)read_all(mem, order, n) / (double)n);
	munmap(room, len + align);
	free(order);
	free(back);
	close(fd);
}

void bench_huge(struct bench *b)
{
	if (!block_pages() || access(HMM, R_OK | W_OK))
		return;
	ours(b);
	theirs(b);
}
