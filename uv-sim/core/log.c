// SPDX-License-Identifier: GPL-2.0
/*
 * Lines for the log. The core has no printf: a line is put together here and
 * handed to the port whole. Takes no lock.
 */
#include "internal.h"

void uv_line_str(struct uv_line *l, const char *s)
{
	while (*s && l->n < sizeof(l->s) - 1)
		l->s[l->n++] = *s++;
	l->s[l->n] = '\0';
}

void uv_line_hex(struct uv_line *l, uint64_t v)
{
	char digits[19] = "0x";
	unsigned int n = 2;
	int shift = 60;

	while (shift && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		digits[n++] = "0123456789abcdef"[(v >> shift) & 0xf];
	digits[n] = '\0';
	uv_line_str(l, digits);
}

void uv_line_dec(struct uv_line *l, int32_t v)
{
	uint32_t u = v < 0 ? 0 - (uint32_t)v : (uint32_t)v;
	char digits[12];
	unsigned int n = sizeof(digits) - 1;

	digits[n] = '\0';
	do {
		digits[--n] = '0' + u % 10;
		u /= 10;
	} while (u);
	if (v < 0)
		digits[--n] = '-';
	uv_line_str(l, digits + n);
}

void uv_line_start(struct uv_line *l, const struct uv_svm *svm)
{
	l->n = 0;
	uv_line_str(l, "LPID ");
	uv_line_dec(l, (int32_t)svm->lpid);
	uv_line_str(l, ": ");
}

void uv_line_end(struct uv_line *l, struct uv *uv)
{
	uv->port.log(uv->port.ctx, l->s);
}

const char *uv_stop_name(enum uv_stop_reason why)
{
	switch (why) {
	case UV_STOP_INTEGRITY:
		return "integrity check of a paged-out page failed";
	case UV_STOP_LOST:
		return "the hypervisor lost a paged-out page";
	case UV_STOP_HYPERVISOR:
		return "a hypercall failed";
	case UV_STOP_TERMINATED:
		return "terminated by the hypervisor";
	case UV_STOP_NONE:
		break;
	}
	return "none";
}
