// SPDX-License-Identifier: GPL-2.0
/* A spin lock between vCPUs. */
#include "guest.h"

void guest_lock(uint32_t *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		arch_relax();
}

void guest_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
