// SPDX-License-Identifier: GPL-2.0
/*
 * peek, poke: guest memory through the host view, as a device model or a
 * curious host would. Of a secure page they get the sealed content.
 */
#include <errno.h>
#include <stdlib.h>

#include "uvctl.h"

#define PEEK_DEFAULT 64
#define PEEK_MAX (16ULL << 20)

static void out_where(struct ctx *ctx, const char *id, uint64_t gpa, uint64_t len)
{
	out_str(ctx->out, "id", id, OUT_QUIET);
	out_u64(ctx->out, "gpa", gpa, OUT_QUIET);
	out_u64(ctx->out, "len", len, OUT_QUIET);
}

static enum exit_code check_copied(struct ctx *ctx, ssize_t n, uint64_t gpa, uint64_t len)
{
	if (n < 0)
		return fail_errno(ctx, "host access to GPA 0x%llx", (unsigned long long)gpa);
	if ((uint64_t)n < len)
		return fail(ctx, EXIT_SYSTEM, "the host cannot access GPA 0x%llx",
			    (unsigned long long)(gpa + (uint64_t)n));
	return EXIT_OK;
}

static enum exit_code peek(struct ctx *ctx, struct uvc *c, int argc, char **argv)
{
	uint64_t gpa, len = PEEK_DEFAULT;
	enum exit_code ret;
	uint8_t *buf;

	ret = arg_memory(ctx, c, argv[1], argc > 2 ? argv[2] : NULL, PEEK_MAX, &gpa, &len);
	if (ret)
		return ret;
	buf = malloc(len);
	if (!buf)
		return fail_errno(ctx, "the buffer");
	ret = check_copied(ctx, uvc_peek(c, gpa, buf, len), gpa, len);
	if (!ret) {
		out_where(ctx, argv[0], gpa, len);
		out_bytes(ctx->out, "data", buf, len);
	}
	free(buf);
	return ret;
}

static enum exit_code poke(struct ctx *ctx, struct uvc *c, int argc, char **argv)
{
	enum exit_code ret;
	uint8_t *bytes;
	uint64_t gpa, len64;
	size_t len;

	ret = arg_bytes(ctx, argc > 2 ? argv[2] : NULL, &bytes, &len);
	if (ret)
		return ret;
	len64 = len;
	ret = arg_memory(ctx, c, argv[1], NULL, PEEK_MAX, &gpa, &len64);
	if (!ret)
		ret = check_copied(ctx, uvc_poke(c, gpa, bytes, len), gpa, len);
	free(bytes);
	if (!ret)
		out_where(ctx, argv[0], gpa, len);
	return ret;
}

enum exit_code cmd_peek(struct ctx *ctx, int argc, char **argv)
{
	struct uvc c;
	enum exit_code ret = vm_open(ctx, &c, argv[0]);

	if (ret)
		return ret;
	ret = peek(ctx, &c, argc, argv);
	uvc_close(&c);
	return ret;
}

enum exit_code cmd_poke(struct ctx *ctx, int argc, char **argv)
{
	struct uvc c;
	enum exit_code ret = vm_open(ctx, &c, argv[0]);

	if (ret)
		return ret;
	ret = poke(ctx, &c, argc, argv);
	uvc_close(&c);
	return ret;
}
