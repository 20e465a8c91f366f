// SPDX-License-Identifier: GPL-2.0
/*
 * guest read, write, fill, checksum: memory as the guest sees it, a mailbox
 * slot's worth at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define READ_DEFAULT 64
#define COPY_MAX (1ULL << 20) /* a round trip for every AGENT_DATA_BYTES of it */

static void out_where(struct ctx *ctx, uint64_t gpa, uint64_t len)
{
	out_u64(ctx->out, "gpa", gpa, OUT_QUIET);
	out_u64(ctx->out, "len", len, OUT_QUIET);
}

/* Copies between @buf and the guest's memory, in the direction of @cmd. */
static enum exit_code copy(struct ctx *ctx, enum agent_cmd cmd, uint64_t gpa, uint8_t *buf,
			   uint64_t len)
{
	for (uint64_t off = 0; off < len;) {
		uint64_t n = len - off < AGENT_DATA_BYTES ? len - off : AGENT_DATA_BYTES;
		struct agent_slot slot = { .cmd = cmd, .gpa = gpa + off, .len = n };
		enum exit_code ret;

		if (cmd == AGENT_WRITE)
			memcpy(slot.data, buf + off, n);
		ret = guest_run(ctx, &slot);
		if (!ret)
			ret = guest_refused(ctx, &slot);
		if (ret)
			return ret;
		if (cmd == AGENT_READ)
			memcpy(buf + off, slot.data, n);
		off += n;
	}
	return EXIT_OK;
}

enum exit_code guest_read(struct ctx *ctx, int argc, char **argv)
{
	uint64_t gpa, len = READ_DEFAULT;
	enum exit_code ret;
	uint8_t *buf;

	ret = arg_memory(ctx, &guest.c, argv[0], argc > 1 ? argv[1] : NULL, COPY_MAX, &gpa, &len);
	if (ret)
		return ret;
	buf = malloc(len);
	if (!buf)
		return fail_errno(ctx, "the buffer");
	ret = copy(ctx, AGENT_READ, gpa, buf, len);
	if (!ret) {
		out_where(ctx, gpa, len);
		out_bytes(ctx->out, "data", buf, len);
	}
	free(buf);
	return ret;
}

enum exit_code guest_write(struct ctx *ctx, int argc, char **argv)
{
	enum exit_code ret;
	uint64_t gpa, len64;
	uint8_t *bytes;
	size_t len;

	ret = arg_bytes(ctx, argc > 1 ? argv[1] : NULL, &bytes, &len);
	if (ret)
		return ret;
	len64 = len;
	ret = arg_memory(ctx, &guest.c, argv[0], NULL, COPY_MAX, &gpa, &len64);
	if (!ret)
		ret = copy(ctx, AGENT_WRITE, gpa, bytes, len);
	free(bytes);
	if (!ret)
		out_where(ctx, gpa, len);
	return ret;
}

enum exit_code guest_fill(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_FILL };
	enum exit_code ret;

	(void)argc;
	ret = arg_memory(ctx, &guest.c, argv[0], argv[1], UINT64_MAX, &slot.gpa, &slot.len);
	if (ret)
		return ret;
	if (!parse_max(argv[2], UINT8_MAX, &slot.arg0))
		return fail(ctx, EXIT_USAGE, "'%s' is not a byte", argv[2]);
	out_where(ctx, slot.gpa, slot.len);
	ret = guest_run(ctx, &slot);
	return ret ? ret : guest_refused(ctx, &slot);
}

enum exit_code guest_checksum(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_CHECKSUM };
	enum exit_code ret;

	(void)argc;
	ret = arg_memory(ctx, &guest.c, argv[0], argv[1], UINT64_MAX, &slot.gpa, &slot.len);
	if (ret)
		return ret;
	out_where(ctx, slot.gpa, slot.len);
	ret = guest_run(ctx, &slot);
	if (!ret)
		out_word(ctx->out, "checksum", (uint64_t)slot.ret, OUT_LINE);
	return ret;
}
