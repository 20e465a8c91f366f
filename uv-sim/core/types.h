/* SPDX-License-Identifier: GPL-2.0 */
/* The few types and functions the core takes from its C environment. */
#ifndef _UV_CORE_TYPES_H
#define _UV_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#include <linux/limits.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#endif /* _UV_CORE_TYPES_H */
