// SPDX-License-Identifier: GPL-2.0
/*
 * One thread and two, on different pages of one VM. A thread is to be one CPU here:
 * what the modules have other CPUs do for it is switched off meanwhile.
 */
#include <pthread.h>

#include "bench.h"

#define SEAL_CPUS "/sys/module/uv_sim/parameters/seal_cpus"

struct part {
	struct own *o;
	size_t first, n;
	pthread_barrier_t *start;
	pthread_t thread;
};

static void *host_touches(void *arg)
{
	struct part *p = arg;

	pthread_barrier_wait(p->start);
	for (size_t i = 0; i < p->n; i++)
		touch(p->o, p->first + i);
	return NULL;
}

static void *pages_out(void *arg)
{
	struct part *p = arg;

	pthread_barrier_wait(p->start);
	bench_range(p->o, H_SIM_SVM_PAGE_OUT_RANGE, p->first, p->n);
	return NULL;
}

static void *pages_in(void *arg)
{
	struct part *p = arg;

	pthread_barrier_wait(p->start);
	bench_range(p->o, H_SIM_SVM_PAGE_IN_RANGE, p->first, p->n);
	return NULL;
}

/* @nthreads share the pages evenly. */
static void run(struct bench *b, struct own *o, const char *figure, void *(*fn)(void *),
		unsigned int nthreads)
{
	pthread_barrier_t start;
	struct part part[2];
	uint64_t begin;

	pthread_barrier_init(&start, NULL, nthreads + 1);
	for (unsigned int i = 0; i < nthreads; i++) {
		part[i] =
			(struct part){ o, i * b->pages / nthreads, b->pages / nthreads, &start, 0 };
		need(!pthread_create(&part[i].thread, NULL, fn, &part[i]), "a thread");
	}
	begin = now_ns();
	pthread_barrier_wait(&start);
	for (unsigned int i = 0; i < nthreads; i++)
		pthread_join(part[i].thread, NULL);
	sample(b, figure, nthreads, (double)(now_ns() - begin) / (double)b->pages);
	pthread_barrier_destroy(&start);
}

/* May one thread have several CPUs? Upstream knows no such thing. */
static void several_cpus(const struct bench *b, bool may)
{
	if (b->upstream)
		return;
	need(!uvmem_param("fault_ahead", may), "fault_ahead");
	need(!uvmem_param("bulk_cpus", !may), "bulk_cpus");
	need(!file_write(SEAL_CPUS, may ? "0" : "1"), "seal_cpus");
}

void bench_threads(struct bench *b)
{
	struct own o;

	several_cpus(b, false);
	bench_svm(&o, b->pages, 0, b->pages);
	for (unsigned int n = 1; n <= 2; n++) {
		run(b, &o, "host_threads", host_touches, n);
		run(b, &o, "in_threads", pages_in, n);
		run(b, &o, "out_threads", pages_out, n);
		bench_range(&o, H_SIM_SVM_PAGE_IN_RANGE, 0, b->pages);
	}
	bench_close(&o);
	several_cpus(b, true);
}
