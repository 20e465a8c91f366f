// SPDX-License-Identifier: GPL-2.0
/*
 * ppc64: the guest runs in real mode, through the partition-scoped table
 * alone, so its start state relies on nothing but the payload.
 */
#include "../arch.h"

int arch_boot(struct vm *vm, struct arch_range *range)
{
	(void)vm;
	*range = (struct arch_range){ 0 };
	return 0;
}
