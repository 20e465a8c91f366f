// SPDX-License-Identifier: GPL-2.0
/*
 * Copying a page. copy_page() is made for processors: on x86 it is a string instruction,
 * which they do a cache line at a time, and QEMU's emulation a word at a time, with two
 * lookups in its software TLB for each. Those can take each other's place for the whole
 * page, so that a loop which loads a line before it stores it is faster there, some of the
 * time several times as fast. So both are tried once, as the kernel does for xor and for
 * raid6, and copy_page() stays unless the loop is clearly faster.
 */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include "internal.h"

#define LINE_WORDS	8	/* that are loaded at a time */
#define TRIES		8	/* of which the fastest counts: interrupts only add */
#define ORDER		4	/* pages of a try, as log2 */

static bool by_lines __ro_after_init;

static noinline void copy_lines(void *dst, const void *src)
{
	const u64 *s = src, *end = s + PAGE_SIZE / sizeof(*s);
	u64 *d = dst;

	for (; s < end; s += LINE_WORDS, d += LINE_WORDS) {
		u64 a = s[0], b = s[1], c = s[2], e = s[3];
		u64 f = s[4], g = s[5], h = s[6], i = s[7];

		d[0] = a;
		d[1] = b;
		d[2] = c;
		d[3] = e;
		d[4] = f;
		d[5] = g;
		d[6] = h;
		d[7] = i;
	}
}

/**
 * uvsim_copy_page() - uv_port.copy_page
 * @ctx: unused
 * @dst: page
 * @src: page
 *
 * Context: any.
 */
void uvsim_copy_page(void *ctx, void *dst, const void *src)
{
	if (by_lines)
		copy_lines(dst, src);
	else
		copy_page(dst, (void *)src);
}

static u64 __init try(bool lines, void *dst, const void *src)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	by_lines = lines;
	for (i = 0; i < 1U << ORDER; i++)
		uvsim_copy_page(NULL, dst + i * PAGE_SIZE, src + i * PAGE_SIZE);
	return ktime_get_ns() - start;
}

/**
 * uvsim_copy_init() - find out how pages are copied best
 *
 * Copies some 200 pages. Without memory for it, copy_page() it is.
 *
 * Context: process context, sleeps; before the first uvsim_copy_page().
 */
void __init uvsim_copy_init(void)
{
	struct page *dst = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO, ORDER);
	struct page *src = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO, ORDER);
	u64 page = U64_MAX, lines = U64_MAX;
	unsigned int i;

	for (i = 0; dst && src && i < TRIES; i++) {
		page = min(page, try(false, page_address(dst), page_address(src)));
		lines = min(lines, try(true, page_address(dst), page_address(src)));
	}
	by_lines = lines < page - page / 8;
	pr_debug("a copy of %u pages takes %llu ns, by lines %llu ns\n", 1U << ORDER, page, lines);
	if (dst)
		__free_pages(dst, ORDER);
	if (src)
		__free_pages(src, ORDER);
}
