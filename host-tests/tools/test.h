/* SPDX-License-Identifier: GPL-2.0 */
/* What every test file here includes: cmocka and what cmocka needs before it. */
#ifndef _TOOLS_TEST_H
#define _TOOLS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* _TOOLS_TEST_H */
