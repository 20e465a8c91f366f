// SPDX-License-Identifier: GPL-2.0
/*
 * The peer: lib/test_hmm.ko moves pages to its device and back. Moving them there
 * includes reading them back for the caller; the figure hmm_in is without that,
 * by taking off what reading them back alone costs.
 */
#include <errno.h>
#include <fcntl.h>
#include <lib/test_hmm_uapi.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

struct hmm {
	int fd;
	uint8_t *mem, *back;
	size_t pages;
};

static uint64_t call(struct hmm *h, unsigned long cmd)
{
	struct hmm_dmirror_cmd c = { .addr = (uintptr_t)h->mem,
				     .ptr = (uintptr_t)h->back,
				     .npages = h->pages };
	uint64_t begin = now_ns(), ns;
	int ret;

	do {
		ret = ioctl(h->fd, cmd, &c);
	} while (ret && errno == EINTR);
	ns = now_ns() - begin;
	need(!ret && c.cpages == h->pages, "test_hmm");
	return ns;
}

static uint8_t *memory(size_t bytes)
{
	uint8_t *mem =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(mem != MAP_FAILED, "mmap");
	madvise(mem, bytes, MADV_NOHUGEPAGE);
	pattern_fill(mem, 0, bytes, 1, 0);
	return mem;
}

/* Fault @n pages back, one after the other. */
static uint64_t fault_back(struct hmm *h, const size_t *order, size_t n, uint64_t *each)
{
	uint64_t begin = now_ns(), last = begin, t;

	for (size_t i = 0; i < n; i++) {
		*(volatile uint8_t *)(h->mem + (order ? order[i] : i) * page_size());
		if (each) {
			t = now_ns();
			each[i] = t - last;
			last = t;
		}
	}
	return now_ns() - begin;
}

static void at_random(struct bench *b, struct hmm *h, uint64_t *each)
{
	size_t *order = shuffled(b, h->pages), n = h->pages / 8;
	uint64_t ns;

	call(h, HMM_DMIRROR_MIGRATE_TO_DEV);
	ns = fault_back(h, order, n, NULL);
	sample(b, "hmm_rand", n, (double)ns / (double)n);
	call(h, HMM_DMIRROR_MIGRATE_TO_DEV);
	fault_back(h, order, n, each);
	sample_latency(b, "hmm_rand_lat", each, n);
	free(order);
}

static void measure(struct bench *b, struct hmm *h, uint64_t *each)
{
	double n = (double)h->pages;
	uint64_t gross, read_back;

	gross = call(h, HMM_DMIRROR_MIGRATE_TO_DEV);
	read_back = call(h, HMM_DMIRROR_READ);
	sample(b, "hmm_in", h->pages, ((double)gross - (double)read_back) / n);
	sample(b, "hmm_in_gross", h->pages, (double)gross / n);
	sample(b, "hmm_out", h->pages, (double)call(h, HMM_DMIRROR_MIGRATE_TO_SYS) / n);
	call(h, HMM_DMIRROR_MIGRATE_TO_DEV);
	sample(b, "hmm_seq", h->pages, (double)fault_back(h, NULL, h->pages, NULL) / n);
	call(h, HMM_DMIRROR_MIGRATE_TO_DEV);
	fault_back(h, NULL, h->pages, each);
	sample_latency(b, "hmm_seq_lat", each, h->pages);
	at_random(b, h, each);
}

/* Its device memory is made on first use: go over it once before. */
void bench_hmm(struct bench *b)
{
	uint64_t *each = calloc(b->pages, sizeof(*each));
	struct hmm h = { .pages = b->pages };

	h.fd = open("/dev/hmm_dmirror0", O_RDWR | O_CLOEXEC);
	need(h.fd >= 0, "/dev/hmm_dmirror0");
	h.mem = memory(b->pages * page_size());
	h.back = memory(b->pages * page_size());
	need(each, "memory");
	call(&h, HMM_DMIRROR_MIGRATE_TO_DEV);
	call(&h, HMM_DMIRROR_MIGRATE_TO_SYS);
	measure(b, &h, each);
	munmap(h.mem, b->pages * page_size());
	munmap(h.back, b->pages * page_size());
	close(h.fd);
	free(each);
}
