// SPDX-License-Identifier: GPL-2.0
/*
 * Saying what went wrong: a line on stderr and, for --json, an object "error"
 * that main() prints instead of the result. Once: a command ends with its first
 * failure.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "uvctl.h"

static enum exit_code report(struct ctx *ctx, enum exit_code code, char *text)
{
	fprintf(stderr, "uvctl: %s: %s\n", ctx->name, out_printable(text));
	ctx->error = out_new();
	ctx->details = out_object(ctx->error, "error");
	out_u64(ctx->details, "exit", code, OUT_PLAIN);
	out_str(ctx->details, "message", text, OUT_PLAIN);
	return code;
}

enum exit_code fail(struct ctx *ctx, enum exit_code code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(ctx, code, text);
}

enum exit_code fail_errno(struct ctx *ctx, const char *fmt, ...)
{
	int err = errno;
	char text[512];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", strerror(err));
	return report(ctx, EXIT_SYSTEM, text);
}

enum exit_code fail_call(struct ctx *ctx, uint64_t nr, int64_t code, const char *more)
{
	char text[512];
	size_t len;

	call_describe(text, sizeof(text), nr, code);
	len = strlen(text);
	if (more)
		snprintf(text + len, sizeof(text) - len, "%s", more);
	report(ctx, EXIT_REFUSED, text);
	out_u64(ctx->details, "nr", nr, OUT_PLAIN);
	out_str(ctx->details, "call", ucall_name(nr) ? ucall_name(nr) : hcall_name(nr), OUT_PLAIN);
	out_s64(ctx->details, "code", code, OUT_PLAIN);
	out_str(ctx->details, "name", call_code_name(nr, code), OUT_PLAIN);
	out_str(ctx->details, "meaning", call_code_meaning(nr, code), OUT_PLAIN);
	return EXIT_REFUSED;
}

/* The access of a guest that stops is refused; a guest that ended is no VM any more. */
static enum exit_code fail_stopped(struct ctx *ctx, const struct uvc *c)
{
	const char *why = c->info.stop_text[0] ? c->info.stop_text : "no reason given";

	if (c->info.guest_state == UVC_GUEST_EXITED)
		return fail(ctx, EXIT_NO_VM, "the guest has exited");
	fail(ctx, EXIT_REFUSED, "the guest has stopped: %s", why);
	out_str(ctx->details, "guest", uvc_guest_state_name(c->info.guest_state), OUT_PLAIN);
	out_u64(ctx->details, "stop_gpa", c->info.stop_gpa, OUT_HEX);
	out_str(ctx->details, "stop_text", why, OUT_PLAIN);
	return EXIT_REFUSED;
}

enum exit_code fail_vm(struct ctx *ctx, const struct uvc *c)
{
	switch (errno) {
	case ENOTCONN:
		return fail_stopped(ctx, c);
	case ECONNRESET:
	case EPIPE:
		return fail(ctx, EXIT_NO_VM, "the VM is gone");
	case EPROTO:
		return fail(ctx, EXIT_NO_VM, "the other side does not speak this protocol");
	default:
		return fail_errno(ctx, "the VM's launcher answered");
	}
}
