// SPDX-License-Identifier: GPL-2.0
/*
 * Strict parsing: what is not entirely a number, range, list or byte string is
 * refused, so that a typing error never becomes another address. Pure functions.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Digits of @base at *@text, which is moved behind them. */
static bool digits(const char **text, unsigned int base, uint64_t *value)
{
	const char *p = *text;
	uint64_t v = 0;

	for (; digit(*p) >= 0 && digit(*p) < (int)base; p++) {
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit(*p), &v))
			return false;
	}
	if (p == *text)
		return false;
	*text = p;
	*value = v;
	return true;
}

/* A number with its suffix at *@text, which is moved behind them. */
static bool number(const char **text, uint64_t *value)
{
	unsigned int shift = 0;
	bool hex = (*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X');

	if (hex)
		*text += 2;
	if (!digits(text, hex ? 16 : 10, value))
		return false;
	switch (**text) {
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	default:
		return true;
	}
	++*text;
	return !__builtin_mul_overflow(*value, 1ULL << shift, value);
}

bool parse_u64(const char *text, uint64_t *value)
{
	uint64_t v;

	if (!number(&text, &v) || *text)
		return false;
	*value = v;
	return true;
}

bool parse_max(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v;

	if (!parse_u64(text, &v) || v > max)
		return false;
	*value = v;
	return true;
}

bool parse_seconds(const char *text, double *seconds)
{
	double s;
	size_t len = strlen(text);

	/* strtod() takes much more than a plain number, "inf" and "0x1p3" too. */
	if (!isdigit((unsigned char)text[0]) || strspn(text, "0123456789.") != len || len > 16 ||
	    strchr(text, '.') != strrchr(text, '.'))
		return false;
	s = strtod(text, NULL);
	if (s <= 0 || s > 86400)
		return false;
	*seconds = s;
	return true;
}

static bool to_bytes(uint64_t *value, unsigned int shift)
{
	return !__builtin_mul_overflow(*value, 1ULL << shift, value);
}

bool parse_range(const char *text, unsigned int page_shift, uint64_t *gpa, uint64_t *len)
{
	uint64_t start, second, end;
	unsigned int unit = 0;
	char sep;

	if (!strncmp(text, "gfn:", 4)) {
		text += 4;
		unit = page_shift;
	}
	if (!number(&text, &start) || !to_bytes(&start, unit))
		return false;
	sep = *text;
	second = 1ULL << page_shift;
	if (sep) {
		text++;
		if (!number(&text, &second) || *text || !to_bytes(&second, unit))
			return false;
	}
	if (sep == '-') {
		end = second;
	} else if (!sep || sep == '+') {
		if (__builtin_add_overflow(start, second, &end))
			return false;
	} else {
		return false;
	}
	if (end <= start)
		return false;
	*gpa = start;
	*len = end - start;
	return true;
}

uint8_t *parse_hex(const char *text, size_t *len)
{
	size_t n = strlen(text);
	uint8_t *bytes;

	if (!n || n % 2)
		return NULL;
	bytes = malloc(n / 2);
	if (!bytes)
		return NULL;
	for (size_t i = 0; i < n / 2; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			free(bytes);
			return NULL;
		}
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*len = n / 2;
	return bytes;
}

bool parse_vcpus(const char *text, unsigned int nvcpus, uint32_t *mask)
{
	uint32_t m = 0;

	if (!nvcpus || nvcpus > 32)
		return false;
	if (!strcmp(text, "all")) {
		*mask = nvcpus == 32 ? UINT32_MAX : (1u << nvcpus) - 1;
		return true;
	}
	for (;;) {
		uint64_t first, last;

		if (!digits(&text, 10, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!digits(&text, 10, &last))
				return false;
		}
		if (last < first || last >= nvcpus)
			return false;
		for (; first <= last; first++)
			m |= 1u << first;
		if (!*text)
			break;
		if (*text++ != ',')
			return false;
	}
	*mask = m;
	return true;
}
