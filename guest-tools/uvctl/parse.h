/* SPDX-License-Identifier: GPL-2.0 */
/* Strict parsing of what stands on the command line. */
#ifndef _UVCTL_PARSE_H
#define _UVCTL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * parse_u64() - a number or size
 * @text: decimal or 0x..., with K, M or G (1024s) behind it; nothing else
 * @value: the number goes here
 *
 * Return: false on an empty text, a sign, blanks, trailing junk or overflow.
 */
bool parse_u64(const char *text, uint64_t *value);

/* As parse_u64(), but at most @max. */
bool parse_max(const char *text, uint64_t max, uint64_t *value);

/* A decimal number of seconds, such as "2" or "0.5", above 0 and at most a day. */
bool parse_seconds(const char *text, double *seconds);

/**
 * parse_range() - guest physical addresses
 * @text: START, START+LENGTH or START-END (END is not in it), in bytes; after
 *	"gfn:" all of them are in pages
 * @page_shift: page size of the guest
 * @gpa: start goes here
 * @len: length in bytes goes here; one page if only START was given
 *
 * Return: false if @text is no range, or is empty, or wraps around.
 */
bool parse_range(const char *text, unsigned int page_shift, uint64_t *gpa, uint64_t *len);

/**
 * parse_hex() - bytes as pairs of hex digits
 * @text: an even number of hex digits, at least two, nothing else
 * @len: number of bytes goes here
 *
 * Return: the bytes, malloc()ed, or NULL if @text is something else or memory
 * is short.
 */
uint8_t *parse_hex(const char *text, size_t *len);

/**
 * parse_vcpus() - a list of vCPUs
 * @text: "all", or numbers and ranges, such as "0,2-3"
 * @nvcpus: how many there are, at most 32
 * @mask: bit n is vCPU n
 *
 * Return: false if @text is no list or names a vCPU that there is not.
 */
bool parse_vcpus(const char *text, unsigned int nvcpus, uint32_t *mask);

#endif /* _UVCTL_PARSE_H */
