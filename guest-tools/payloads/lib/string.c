// SPDX-License-Identifier: GPL-2.0
/* The functions that the compiler calls on its own in a freestanding program. */
#include "guest.h"

void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);

void *memcpy(void *to, const void *from, size_t len)
{
	const uint8_t *f = from;
	uint8_t *t = to;

	while (len--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	uint8_t *t = to;

	while (len--)
		*t++ = (uint8_t)byte;
	return to;
}
