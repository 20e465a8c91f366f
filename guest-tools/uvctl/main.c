// SPDX-License-Identifier: GPL-2.0
/*
 * uvctl: look at secure VMs and make them act. This file has the options and
 * the table of commands; each family of commands has a file of its own.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "uvctl.h"

#define MAX_ARGS 16

const char *argp_program_version = "uvctl (kvm-uvmem) 1";

static const struct cmd cmds[] = {
	{ "status", "", "modules, secure memory, totals", 0, 0, 0, cmd_status },
	{ "list", "", "the VMs that run", 0, 0, 0, cmd_list },
	{ "stat", "[ID]", "all about a VM, or an SVM: lpid:N", 0, 1, 0, cmd_stat },
	{ "stats", "[ID]", "the same as stat", 0, 1, 0, cmd_stat },
	{ "top", "", "list, again and again", 0, 0, OPT_REPEAT, cmd_top },
	{ "map", "ID [RANGE]", "state of every GFN", 1, 2, 0, cmd_map },
	{ "state", "ID [RANGE]", "the same as map", 1, 2, 0, cmd_map },
	{ "pagemap", "ID [RANGE]", "page table of the host view", 1, 2, OPT_PAGES, cmd_pagemap },
	{ "peek", "ID GPA [LEN]", "read guest memory as the host", 2, 3, 0, cmd_peek },
	{ "poke", "ID GPA HEX|--string=TEXT", "write guest memory as the host", 2, 3, OPT_STRING,
	  cmd_poke },
	{ "page-in", "ID GPA [PAGES]", "H_SVM_PAGE_IN", 2, 3, 0, cmd_page_in },
	{ "page-out", "ID GPA [PAGES]", "H_SVM_PAGE_OUT", 2, 3, 0, cmd_page_out },
	{ "guest", "ID COMMAND [ARG...]", "make the guest act, see below", 2, MAX_ARGS,
	  OPT_VCPU | OPT_STRING | OPT_HYPERCALL, cmd_guest },
	{ "esm", "ID [BLOB [FDT]]", "guest ID esm", 1, 3, OPT_VCPU, cmd_esm },
	{ "share", "ID GPA [LEN]", "guest ID share", 2, 3, OPT_VCPU | OPT_HYPERCALL, cmd_share },
	{ "unshare", "ID GPA [LEN]", "guest ID unshare", 2, 3, OPT_VCPU | OPT_HYPERCALL,
	  cmd_unshare },
	{ "terminate", "ID", "end the SVM, keep the VM, paused", 1, 1, 0, cmd_terminate },
	{ "quit", "ID", "end the VM", 1, 1, 0, cmd_quit },
	{ "trace", "", "the uvmem:* tracepoints", 0, 0, OPT_REPEAT, cmd_trace },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

enum { KEY_HYPERCALL = 0x100 };

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ "vcpu", 'c', "LIST", 0, "guest: on this vCPU (0); a list for pattern, verify and nop",
	  0 },
	{ "string", 's', "TEXT", 0, "poke, guest write: this text instead of hex digits", 0 },
	{ "pages", 'p', NULL, 0, "pagemap: a line for each page", 0 },
	{ "hypercall", KEY_HYPERCALL, NULL, 0,
	  "share, unshare: by the machine's own hypercall, not by an ultracall", 0 },
	{ "interval", 'i', "SECONDS", 0, "top: how often (2)", 0 },
	{ "count", 'n', "N", 0, "top, trace: end after N times or lines", 0 },
	{ 0 },
};

struct args {
	struct ctx ctx;
	int argc;
	char *argv[MAX_ARGS + 2];
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case 'j':
		a->ctx.json = true;
		return 0;
	case 'c':
		a->ctx.opts |= OPT_VCPU;
		a->ctx.vcpus = arg;
		return 0;
	case 's':
		a->ctx.opts |= OPT_STRING;
		a->ctx.string = arg;
		return 0;
	case 'p':
		a->ctx.opts |= OPT_PAGES;
		return 0;
	case KEY_HYPERCALL:
		a->ctx.opts |= OPT_HYPERCALL;
		return 0;
	case 'i':
		a->ctx.opts |= OPT_REPEAT;
		if (!parse_seconds(arg, &a->ctx.interval))
			argp_error(state, "'%s' is not a number of seconds", arg);
		return 0;
	case 'n':
		a->ctx.opts |= OPT_REPEAT;
		if (!parse_u64(arg, &a->ctx.count) || !a->ctx.count)
			argp_error(state, "'%s' is not a number above 0", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (a->argc > MAX_ARGS)
			argp_error(state, "too many arguments");
		a->argv[a->argc++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->argc)
			argp_error(state, "no command (try --help)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void list_cmds(FILE *f, const char *title, const struct cmd *table)
{
	fprintf(f, "%s\n", title);
	for (const struct cmd *c = table; c->name; c++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", c->name, c->args);
		fprintf(f, "  %-30s %s\n", left, c->help);
	}
}

/* The lists of commands come from the tables, so help cannot fall behind. */
static char *help_filter(int key, const char *text, void *input)
{
	char *buf = NULL;
	size_t size;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	f = open_memstream(&buf, &size);
	if (!f)
		return NULL;
	list_cmds(f, "Commands:", cmds);
	list_cmds(f, "\nWhat a guest can be made to do (guest ID ...):", guest_cmds);
	fputs("\nRANGE is START, START+LENGTH or START-END in bytes, or in pages after \"gfn:\".\n"
	      "Numbers: decimal or 0x..., with K, M or G.\n"
	      "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no such VM, 4 system error.",
	      f);
	fclose(f);
	return buf;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.args_doc = "COMMAND [ARG...]",
	.doc = "Look at secure VMs and make them act.\v",
	.help_filter = help_filter,
};

static enum exit_code print(struct ctx *ctx, enum exit_code ret)
{
	struct json_object *root = ctx->out;

	if (ret && !ctx->json)
		return ret;
	/* Half a result beside an error would only mislead. */
	if (ret)
		root = ctx->error;
	/* A command that printed as it went has left nothing to print. */
	if (!root || !out_print(stdout, root, ctx->json))
		return ret;
	fprintf(stderr, "uvctl: cannot write the output: %s\n", strerror(errno));
	return EXIT_SYSTEM;
}

int main(int argc, char **argv)
{
	struct args a = { .ctx = { .name = "uvctl", .interval = 2 } };
	enum exit_code ret;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	a.ctx.out = out_new();
	a.ctx.name = a.argv[0];
	ret = cmd_run(&a.ctx, cmds, "command", a.argc, a.argv);
	ret = print(&a.ctx, ret);
	out_free(a.ctx.out);
	out_free(a.ctx.error);
	return ret;
}
