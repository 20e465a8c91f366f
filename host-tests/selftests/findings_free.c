// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that closes its VM before it unmaps the guest's memory. The device pages
 * that are still in H then lead to a struct kvm that is gone: KASAN sees it, and
 * without KASAN anything may happen, so this runs on a debug kernel and only if
 * it is asked for (docs/upstream-findings.md).
 */
#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0024
#define PAGES 60
#define TOUCHED 56

TEST(close_the_vm_before_munmap)
{
	struct own own;

	ASSERT_EQ(0, own_open_secure(&own, PAGES, TOUCHED, SEED));
	own_close(&own); /* the KVM VM first, H last */
}

TEST_HARNESS_MAIN
