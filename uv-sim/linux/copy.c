// SPDX-License-Identifier: GPL-2.0
/*
 * Copying a page. copy_page() is made for processors: on x86 it is a string instruction,
 * which they do a cache line at a time, and QEMU's emulation a word at a time, with two
 * lookups in its software TLB for each. Those can take each other's place for the whole
 * page, so that a loop which loads a lot of words before it stores them is faster there, some
 * of the time several times as fast. So both are tried once, as the kernel does for xor and for
 * raid6, and copy_page() stays unless the loop is clearly faster.
 */
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include "internal.h"

#define LOT		12	/* words that are loaded at a time */
#define REST		8	/* of a page, when it was divided so */
#define TRIES		8	/* of which the fastest counts: interrupts only add */
#define ORDER		4	/* pages of a try, as log2 */

static bool by_lots __ro_after_init;

/*
 * As many words as a processor of either kind has registers for. The barrier keeps the
 * compiler from storing one before all are loaded.
 */
static __always_inline void copy_words(u64 *d, const u64 *s, const bool all)
{
	u64 a = s[0], b = s[1], c = s[2], e = s[3], f = s[4], g = s[5], h = s[6], i = s[7];
	u64 j = all ? s[8] : 0, k = all ? s[9] : 0, l = all ? s[10] : 0, m = all ? s[11] : 0;

	barrier();
	d[0] = a;
	d[1] = b;
	d[2] = c;
	d[3] = e;
	d[4] = f;
	d[5] = g;
	d[6] = h;
	d[7] = i;
	if (!all)
		return;
	d[8] = j;
	d[9] = k;
	d[10] = l;
	d[11] = m;
}

static noinline void copy_lots(void *dst, const void *src)
{
	const u64 *s = src, *end = s + PAGE_SIZE / sizeof(*s) - REST;
	u64 *d = dst;

	BUILD_BUG_ON(PAGE_SIZE / sizeof(*s) % LOT != REST);
	for (; s < end; s += LOT, d += LOT)
		copy_words(d, s, true);
	copy_words(d, s, false);
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
	if (by_lots)
		copy_lots(dst, src);
	else
		copy_page(dst, (void *)src);
}

static u64 __init try(bool lots, void *dst, const void *src)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	by_lots = lots;
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
	u64 page = U64_MAX, lots = U64_MAX;
	unsigned int i;

	for (i = 0; dst && src && i < TRIES; i++) {
		page = min(page, try(false, page_address(dst), page_address(src)));
		lots = min(lots, try(true, page_address(dst), page_address(src)));
	}
	by_lots = lots < page - page / 8;
	pr_debug("a copy of %u pages takes %llu ns, in lots %llu ns\n", 1U << ORDER, page, lots);
	if (dst)
		__free_pages(dst, ORDER);
	if (src)
		__free_pages(src, ORDER);
}
