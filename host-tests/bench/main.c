// SPDX-License-Identifier: GPL-2.0
/*
 * uvbench SET CIPHER PAGES ROUND [quick]: measure one set of figures once. CIPHER
 * names the cipher that uv-sim was loaded with, and is checked. The set "hold"
 * measures nothing and stays. The hypervisor half is the one that is loaded.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static const struct {
	const char *name;
	void (*run)(struct bench *b);
	bool svm;
} sets[] = {
	{ "host", bench_host, true },	{ "bulk", bench_bulk, true },
	{ "guest", bench_guest, true }, { "threads", bench_threads, true },
	{ "sizes", bench_sizes, true }, { "trace", bench_trace, true },
	{ "hmm", bench_hmm, false },	{ "limit", bench_limit, false },
	{ "hold", bench_hold, false },	{ "huge", bench_huge, true },
};

static void check_cipher(const char *cipher)
{
	struct uvsim_stats st;
	bool copy = !strcmp(cipher, "copy");

	need(!uvsim_stats(&st), "the ultravisor's statistics");
	need(copy == !!(st.flags & UVSIM_CIPHER_COPY), "another cipher is loaded");
}

int main(int argc, char **argv)
{
	static const unsigned int all[] = { 16, 64, 256, 1024, 8192, 0 }, few[] = { 16, 64, 0 };
	struct bench b = { .sizes = argc > 5 ? few : all };

	if (argc < 5) {
		fprintf(stderr, "usage: uvbench SET CIPHER PAGES ROUND [quick]\n");
		return 2;
	}
	b.pages = strtoul(argv[3], NULL, 0);
	b.rng = strtoul(argv[4], NULL, 0);
	for (unsigned int i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (strcmp(argv[1], sets[i].name))
			continue;
		b.cipher = sets[i].svm ? argv[2] : "";
		if (sets[i].svm)
			check_cipher(argv[2]);
		b.upstream = sets[i].svm && upstream_is_here();
		sets[i].run(&b);
		return 0;
	}
	fprintf(stderr, "uvbench: there is no set %s\n", argv[1]);
	return 2;
}
