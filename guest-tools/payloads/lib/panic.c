// SPDX-License-Identifier: GPL-2.0
/*
 * The last words of a guest. They go through the mailbox, the one page that
 * the host is meant to read: a text in secure memory would arrive as ciphertext.
 */
#include "guest.h"

char *guest_put_text(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	return to;
}

char *guest_put_hex(char *to, const char *end, uint64_t value)
{
	int shift = 60;

	to = guest_put_text(to, end, "0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0 && to < end; shift -= 4)
		*to++ = "0123456789abcdef"[(value >> shift) & 15];
	return to;
}

void guest_panic(unsigned int vcpu, const char *text)
{
	char *start = (char *)guest_mailbox()->slot[vcpu % AGENT_MAX_VCPUS].data;
	const char *end = guest_put_text(start, start + AGENT_DATA_BYTES, text);

	arch_panic((uintptr_t)start, (uint64_t)(end - start));
}
