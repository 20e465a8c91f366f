// SPDX-License-Identifier: GPL-2.0
/* Content of pages: what the guest's pattern is, and what must not be seen of it. */
#include <stdlib.h>
#include <string.h>

#include "vmfix.h"

#define WINDOW 16

void pattern_fill(void *buf, uint64_t gpa, size_t len, uint64_t seed, uint64_t iteration)
{
	uint64_t *word = buf;

	for (size_t i = 0; i < len / sizeof(*word); i++)
		word[i] = agent_pattern(seed, gpa + i * sizeof(*word), iteration);
}

bool all_zeros(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

/* Of a window the first three bytes, as a bit number. */
static size_t window_start(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];
}

/* How the windows of @plain start: most of @seen, 64 KiB perhaps, is passed over. */
bool no_plaintext(const void *seen, const void *plain, size_t len)
{
	uint8_t *starts = calloc(1, (1 << 24) / 8);
	const uint8_t *s = seen, *p = plain;
	bool found = !starts;

	for (size_t i = 0; !found && i + WINDOW <= len; i++)
		starts[window_start(p + i) / 8] |= 1u << window_start(p + i) % 8;
	for (size_t i = 0; !found && i + WINDOW <= len; i++)
		found = starts[window_start(s + i) / 8] & 1u << window_start(s + i) % 8 &&
			memmem(p, len, s + i, WINDOW);
	free(starts);
	return !found;
}

/*
 * Bytes of a cipher are uniform: of 256 values each turns up in a page of 4 KiB
 * about 16 times. Half of the values missing, or one of them making up an
 * eighth of the page, is something else.
 */
bool is_ciphertext(const void *seen, const void *plain, size_t len)
{
	size_t count[256] = { 0 }, distinct = 0, most = 0;
	const uint8_t *s = seen;

	for (size_t i = 0; i < len; i++)
		count[s[i]]++;
	for (unsigned int i = 0; i < 256; i++) {
		distinct += count[i] != 0;
		most = count[i] > most ? count[i] : most;
	}
	return distinct > 128 && most < len / 8 && no_plaintext(seen, plain, len);
}
