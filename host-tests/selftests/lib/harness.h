/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's kselftest harness with a limit per test that only a hang
 * reaches: on an emulated processor under a debug kernel everything takes ten
 * times as long, and no test here is about time.
 */
#ifndef _SELFTESTS_HARNESS_H
#define _SELFTESTS_HARNESS_H

#include <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 500

#endif /* _SELFTESTS_HARNESS_H */
