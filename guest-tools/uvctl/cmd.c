// SPDX-License-Identifier: GPL-2.0
/* Running a command out of a table, once its arguments and options are right. */
#include <string.h>

#include "uvctl.h"

static const char *const opt_names[] = { "--vcpu", "--string", "--pages", "--hypercall",
					 "--interval or --count" };

static enum exit_code check_opts(struct ctx *ctx, const struct cmd *cmd)
{
	unsigned int wrong = ctx->opts & ~cmd->opts;

	if (!wrong)
		return EXIT_OK;
	return fail(ctx, EXIT_USAGE, "'%s' does not take %s", cmd->name,
		    opt_names[__builtin_ctz(wrong)]);
}

enum exit_code cmd_run(struct ctx *ctx, const struct cmd *cmds, const char *what, int argc,
		       char **argv)
{
	const struct cmd *cmd;
	enum exit_code ret;

	for (cmd = cmds; cmd->name; cmd++)
		if (!strcmp(cmd->name, argv[0]))
			break;
	if (!cmd->name)
		return fail(ctx, EXIT_USAGE, "no %s '%s' (try --help)", what, argv[0]);
	argc--;
	argv++;
	if (argc < cmd->min_args || argc > cmd->max_args)
		return fail(ctx, EXIT_USAGE, "usage: %s %s", cmd->name, cmd->args);
	ret = check_opts(ctx, cmd);
	return ret ? ret : cmd->fn(ctx, argc, argv);
}
