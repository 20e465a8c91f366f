// SPDX-License-Identifier: GPL-2.0
/* The limit: AES-256-GCM and a copy in one loop in the kernel (uvmem-bench.ko). */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define DIR "/sys/kernel/debug/uvmem-bench/"

static double per_page(const char *what, size_t pages)
{
	char path[64], *text;
	double ns;

	snprintf(path, sizeof(path), DIR "%s", what);
	text = file_read(path);
	need(text, path);
	ns = strtod(text, NULL);
	free(text);
	return ns / (double)pages;
}

/* A copy is short beside waking another CPU, of which the pair's figure is to show little. */
#define COPIES 8

static void go_over(size_t pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", pages);
	need(!file_write(DIR "pages", text), DIR "pages");
}

/* file_read() asks once more to see the end; the attribute measures once. */
void bench_limit(struct bench *b)
{
	size_t pages = b->pages, copies = pages * COPIES;
	double seal, open, copy;

	go_over(pages);
	seal = per_page("seal", pages);
	open = per_page("open", pages);
	go_over(copies);
	copy = per_page("copy", copies);
	sample(b, "limit_copy", copies, copy);
	sample(b, "limit_copy_pair", copies, per_page("copy_pair", copies));
	sample(b, "limit_wipe", copies, per_page("wipe", copies));
	sample(b, "limit_seal", pages, seal + copy);
	sample(b, "limit_open", pages, open + copy);
}
