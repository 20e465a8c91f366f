/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What AGENT_PATTERN writes, so that a test can tell every byte from outside.
 *
 * Iteration 0 to iterations - 1 in turn fill [gpa, gpa + len) with the word
 * below at each multiple of 8. From iteration 1 on each word is compared with
 * the iteration before it is replaced. AGENT_VERIFY compares with one
 * iteration. Both count bad words in ret and put the GPA of the first into
 * detail. gpa and len are multiples of 8.
 */
#ifndef _AGENT_PATTERN_H
#define _AGENT_PATTERN_H

#include <stdint.h>

static inline uint64_t agent_pattern_mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ (x >> 32);
}

static inline uint64_t agent_pattern(uint64_t seed, uint64_t gpa, uint64_t iteration)
{
	return agent_pattern_mix(agent_pattern_mix(seed + iteration) ^ gpa);
}

/* FNV-1a, 64 bits: AGENT_CHECKSUM. */
#define AGENT_FNV_START 0xcbf29ce484222325ULL
#define AGENT_FNV_PRIME 0x100000001b3ULL

static inline uint64_t agent_fnv(uint64_t sum, const volatile uint8_t *p, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * AGENT_FNV_PRIME;
	return sum;
}

#endif /* _AGENT_PATTERN_H */
