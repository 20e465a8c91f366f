/* SPDX-License-Identifier: GPL-2.0 */
/* The few types and functions the core takes from its C environment. */
#ifndef _UV_CORE_TYPES_H
#define _UV_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#include <linux/limits.h>
#include <asm/page.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

/* Copy a page of @bytes, aligned as pages are: faster than any other memory. */
static inline void uv_copy_page(void *dst, const void *src, size_t bytes)
{
#ifdef __KERNEL__
	(void)bytes;	/* the kernel's page size, as port->page_shift has it */
	copy_page(dst, (void *)src);
#else
	memcpy(dst, src, bytes);
#endif
}

#endif /* _UV_CORE_TYPES_H */
