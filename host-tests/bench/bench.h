/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark's program in the machine. It measures and says what it measured,
 * a line "@sample FIGURE X VALUE" each; what follows from that is the report's
 * (report.awk). Any failure ends it: half a round is none.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include "host-tests/selftests/lib/vmfix.h"

/**
 * struct bench - what one run measures with
 * @cipher: suffix of the figures: "copy" or "aes"
 * @upstream: it is upstream's hypervisor half; its figures begin with "upstream_"
 * @pages: pages of most measurements; a multiple of 64
 * @sizes: guest memory sizes to measure, in MiB, 0-terminated
 * @rng: state of rnd()
 */
struct bench {
	const char *cipher;
	bool upstream;
	size_t pages;
	const unsigned int *sizes;
	uint64_t rng;
};

/* bench.c */
uint64_t now_ns(void);
void sample(const struct bench *b, const char *figure, uint64_t x, double value);
void sample_latency(const struct bench *b, const char *figure, uint64_t *ns, size_t n);
void need(bool ok, const char *what) __attribute__((noinline));
size_t *shuffled(struct bench *b, size_t n); /* 0 .. n-1 in random order; malloc()ed */
int uvsim_param(const char *name, unsigned int value);
struct uvmem_stats bench_stats(const struct own *o);
/* H_SIM_SVM_PAGE_IN_RANGE or _OUT_RANGE; upstream, which has neither, a page at a time. */
void bench_range(struct own *o, uint64_t nr, uint64_t page, uint64_t n);
/* An SVM of @npages with the pages [@first, @first + @n) touched; ns of UV_ESM. */
uint64_t bench_svm(struct own *o, size_t npages, size_t first, size_t n);
void bench_close(struct own *o);
void touch(const struct own *o, size_t page);

/* One set of figures each. */
void bench_host(struct bench *b);
void bench_bulk(struct bench *b);
void bench_guest(struct bench *b);
void bench_threads(struct bench *b);
void bench_sizes(struct bench *b);
void bench_trace(struct bench *b);
void bench_hmm(struct bench *b);
void bench_limit(struct bench *b);
void bench_hold(struct bench *b);
void bench_huge(struct bench *b);

#endif /* _BENCH_H */
