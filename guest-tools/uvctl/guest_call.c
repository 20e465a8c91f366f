// SPDX-License-Identifier: GPL-2.0
/*
 * guest esm, share, unshare, unshare-all, random, ucall, exit, nop: what the
 * guest asks of the ultravisor. Arguments are passed on as they are, so that
 * what the ultravisor says to bad ones can be seen.
 */
#include <errno.h>
#include <string.h>

#include "guest.h"
#include "uv-sim/uapi/uv.h"

/* What the ultracall @nr that @slot made came to. */
static enum exit_code report(struct ctx *ctx, uint64_t nr, const struct agent_slot *slot)
{
	if (slot->ret != U_SUCCESS)
		return fail_call(ctx, nr, slot->ret, NULL);
	out_call(ctx->out, nr, slot->ret);
	return EXIT_OK;
}

static enum exit_code run_ucall(struct ctx *ctx, uint64_t nr, struct agent_slot *slot)
{
	enum exit_code ret = guest_run(ctx, slot);

	return ret ? ret : report(ctx, nr, slot);
}

enum exit_code guest_esm(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_ESM, .arg0 = AGENT_ESM_BLOB_GPA };
	enum exit_code ret = EXIT_OK;

	if (argc > 0)
		ret = arg_gpa(ctx, argv[0], &slot.arg0);
	if (argc > 1 && !ret)
		ret = arg_gpa(ctx, argv[1], &slot.arg1);
	return ret ? ret : run_ucall(ctx, UV_ESM, &slot);
}

/* The machine's own hypercall does not speak PAPR. */
static enum exit_code run_hypercall(struct ctx *ctx, struct agent_slot *slot)
{
	enum exit_code ret;

	slot->arg0 = AGENT_BY_HYPERCALL;
	ret = guest_run(ctx, slot);
	if (ret)
		return ret;
	if (slot->ret == U_FUNCTION)
		return fail(ctx, EXIT_REFUSED, "this machine has no hypercall for that");
	if (slot->ret)
		return fail(ctx, EXIT_REFUSED, "KVM_HC_MAP_GPA_RANGE: %lld (%s)",
			    (long long)slot->ret,
			    slot->ret == -1000 ? "KVM_ENOSYS" : strerror((int)-slot->ret));
	out_s64(ctx->out, "ret", 0, OUT_QUIET);
	out_str(ctx->out, "message", "KVM_HC_MAP_GPA_RANGE: 0", OUT_LINE);
	return EXIT_OK;
}

static enum exit_code share(struct ctx *ctx, enum agent_cmd cmd, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = cmd, .len = 1ULL << guest.c.info.page_shift };
	enum exit_code ret = arg_gpa(ctx, argv[0], &slot.gpa);

	if (ret)
		return ret;
	if (argc > 1 && !parse_u64(argv[1], &slot.len))
		return fail(ctx, EXIT_USAGE, "'%s' is not a length", argv[1]);
	/* The ultracall counts in pages: half a one cannot be said. */
	if ((slot.gpa | slot.len) & ((1ULL << guest.c.info.page_shift) - 1))
		return fail(ctx, EXIT_USAGE, "share and unshare take whole pages");
	out_u64(ctx->out, "gpa", slot.gpa, OUT_QUIET);
	out_u64(ctx->out, "len", slot.len, OUT_QUIET);
	if (ctx->opts & OPT_HYPERCALL)
		return run_hypercall(ctx, &slot);
	return run_ucall(ctx, cmd == AGENT_SHARE ? UV_SHARE_PAGE : UV_UNSHARE_PAGE, &slot);
}

enum exit_code guest_share(struct ctx *ctx, int argc, char **argv)
{
	return share(ctx, AGENT_SHARE, argc, argv);
}

enum exit_code guest_unshare(struct ctx *ctx, int argc, char **argv)
{
	return share(ctx, AGENT_UNSHARE, argc, argv);
}

enum exit_code guest_unshare_all(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_UNSHARE_ALL };

	(void)argc;
	(void)argv;
	return run_ucall(ctx, UV_UNSHARE_ALL_PAGES, &slot);
}

enum exit_code guest_random(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_RANDOM };
	enum exit_code ret = guest_run(ctx, &slot);

	(void)argc;
	(void)argv;
	if (ret)
		return ret;
	if (slot.ret != H_SUCCESS)
		return fail_call(ctx, H_RANDOM, slot.ret, NULL);
	out_word(ctx->out, "random", slot.out[0], OUT_LINE);
	return EXIT_OK;
}

enum exit_code guest_ucall(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_UCALL };
	enum exit_code ret;
	uint64_t args[6] = { 0 };

	if (!call_by_name(argv[0], &slot.arg0) && !parse_u64(argv[0], &slot.arg0))
		return fail(ctx, EXIT_USAGE, "'%s' is neither the name nor the number of a call",
			    argv[0]);
	for (int i = 1; i < argc; i++)
		if (!parse_u64(argv[i], &args[i - 1]))
			return fail(ctx, EXIT_USAGE, "'%s' is not a number", argv[i]);
	memcpy(slot.data, args, sizeof(args));
	ret = run_ucall(ctx, slot.arg0, &slot);
	if (!ret) {
		out_word(ctx->out, "r4", slot.out[0], OUT_PLAIN);
		out_word(ctx->out, "r5", slot.out[1], OUT_PLAIN);
	}
	return ret;
}

enum exit_code guest_exit(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_EXIT };

	(void)argc;
	(void)argv;
	/* The agent does not come back from this one: its end is the answer. */
	if (!uvc_agent(&guest.c, guest.vcpu, &slot) || errno == ECONNRESET ||
	    (errno == ENOTCONN && guest.c.info.guest_state == UVC_GUEST_EXITED)) {
		out_str(ctx->out, "message", "exited", OUT_LINE);
		return EXIT_OK;
	}
	return fail_vm(ctx, &guest.c);
}
