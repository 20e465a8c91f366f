// SPDX-License-Identifier: GPL-2.0
/*
 * guest: the table of what the agent can be made to do, and the shortcuts
 * "esm", "share" and "unshare" into it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

struct guest guest;

const struct cmd guest_cmds[] = {
	{ "read", "GPA [LEN]", "read memory", 1, 2, OPT_VCPU, guest_read },
	{ "write", "GPA HEX|--string=TEXT", "write memory", 1, 2, OPT_VCPU | OPT_STRING,
	  guest_write },
	{ "fill", "GPA LEN BYTE", "set memory to a byte", 3, 3, OPT_VCPU, guest_fill },
	{ "checksum", "GPA LEN", "FNV-1a 64 of memory", 2, 2, OPT_VCPU, guest_checksum },
	{ "pattern", "GPA LEN [SEED [N]]", "write a pattern, N times", 2, 4, OPT_VCPU,
	  guest_pattern },
	{ "verify", "GPA LEN [SEED [I]]", "check the pattern, write I", 2, 4, OPT_VCPU,
	  guest_verify },
	{ "esm", "[BLOB [FDT]]", "UV_ESM: go secure", 0, 2, OPT_VCPU, guest_esm },
	{ "share", "GPA [LEN]", "UV_SHARE_PAGE", 1, 2, OPT_VCPU | OPT_HYPERCALL, guest_share },
	{ "unshare", "GPA [LEN]", "UV_UNSHARE_PAGE", 1, 2, OPT_VCPU | OPT_HYPERCALL,
	  guest_unshare },
	{ "unshare-all", "", "UV_UNSHARE_ALL_PAGES", 0, 0, OPT_VCPU, guest_unshare_all },
	{ "random", "", "H_RANDOM", 0, 0, OPT_VCPU, guest_random },
	{ "ucall", "NR [ARG...]", "any ultracall, by name or number", 1, 7, OPT_VCPU, guest_ucall },
	{ "nop", "", "answer", 0, 0, OPT_VCPU, guest_nop },
	{ "exit", "", "end", 0, 0, OPT_VCPU, guest_exit },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

enum exit_code guest_run(struct ctx *ctx, struct agent_slot *slot)
{
	return uvc_agent(&guest.c, guest.vcpu, slot) ? fail_vm(ctx, &guest.c) : EXIT_OK;
}

enum exit_code guest_refused(struct ctx *ctx, const struct agent_slot *slot)
{
	if (slot->ret >= 0)
		return EXIT_OK;
	return fail(ctx, EXIT_REFUSED, "the agent answered %lld (%s: %s)", (long long)slot->ret,
		    papr_name(slot->ret) ? papr_name(slot->ret) : "no PAPR code",
		    papr_meaning(slot->ret) ? papr_meaning(slot->ret) : "unknown");
}

static enum exit_code pick_vcpus(struct ctx *ctx, const char *cmd)
{
	bool many;

	if (!parse_vcpus(ctx->vcpus ? ctx->vcpus : "0", guest.c.info.nvcpus, &guest.vcpus))
		return fail(ctx, EXIT_USAGE, "'%s' is no list of vCPUs of this VM (it has %u)",
			    ctx->vcpus, guest.c.info.nvcpus);
	guest.vcpu = (unsigned int)__builtin_ctz(guest.vcpus);
	many = guest.vcpus & (guest.vcpus - 1);
	if (many && strcmp(cmd, "pattern") && strcmp(cmd, "verify") && strcmp(cmd, "nop"))
		return fail(ctx, EXIT_USAGE, "'%s' runs on one vCPU", cmd);
	return EXIT_OK;
}

enum exit_code cmd_guest(struct ctx *ctx, int argc, char **argv)
{
	enum exit_code ret = vm_open(ctx, &guest.c, argv[0]);

	if (ret)
		return ret;
	ret = pick_vcpus(ctx, argv[1]);
	if (!ret) {
		out_str(ctx->out, "id", argv[0], OUT_QUIET);
		out_u64(ctx->out, "vcpu", guest.vcpu, OUT_QUIET);
		out_str(ctx->out, "command", argv[1], OUT_QUIET);
		ret = cmd_run(ctx, guest_cmds, "guest command", argc - 1, argv + 1);
	}
	uvc_close(&guest.c);
	return ret;
}

/* "share ID GPA" is "guest ID share GPA". */
static enum exit_code shortcut(struct ctx *ctx, const char *name, int argc, char **argv)
{
	char *full[8] = { argv[0], (char *)(uintptr_t)name };

	for (int i = 1; i < argc; i++)
		full[i + 1] = argv[i];
	return cmd_guest(ctx, argc + 1, full);
}

enum exit_code cmd_esm(struct ctx *ctx, int argc, char **argv)
{
	return shortcut(ctx, "esm", argc, argv);
}

enum exit_code cmd_share(struct ctx *ctx, int argc, char **argv)
{
	return shortcut(ctx, "share", argc, argv);
}

enum exit_code cmd_unshare(struct ctx *ctx, int argc, char **argv)
{
	return shortcut(ctx, "unshare", argc, argv);
}
