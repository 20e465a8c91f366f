/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands of uvctl share. A command gets its arguments, puts what it
 * found into ctx->out, and returns an exit code; where that is not 0 it has
 * called one of the fail functions.
 */
#ifndef _UVCTL_H
#define _UVCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "guest-tools/lib/control.h"
#include "guest-tools/lib/hv.h"
#include "guest-tools/lib/names.h"
#include "out.h"
#include "parse.h"

enum exit_code {
	EXIT_OK,
	EXIT_REFUSED, /* the ultravisor or the hypervisor said no */
	EXIT_USAGE,
	EXIT_NO_VM, /* no such VM, or it cannot be talked to */
	EXIT_SYSTEM,
};

enum opt {
	OPT_VCPU = 1 << 0,
	OPT_STRING = 1 << 1,
	OPT_PAGES = 1 << 2,
	OPT_HYPERCALL = 1 << 3,
	OPT_REPEAT = 1 << 4, /* --interval and --count */
};

struct ctx {
	const char *name; /* of the command, for messages */
	bool json;
	unsigned int opts; /* enum opt: those that were given */
	const char *vcpus;
	const char *string;
	double interval; /* seconds */
	uint64_t count;	 /* 0: without end */
	struct json_object *out;
	struct json_object *error; /* { "error": details }, NULL until something failed */
	struct json_object *details;
};

struct cmd {
	const char *name;
	const char *args;
	const char *help;
	int min_args, max_args;
	unsigned int opts; /* enum opt: those it knows */
	enum exit_code (*fn)(struct ctx *ctx, int argc, char **argv);
};

extern const struct cmd guest_cmds[]; /* ends with a NULL name */

enum exit_code cmd_status(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_list(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_stat(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_top(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_map(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_pagemap(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_peek(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_poke(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_page_in(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_page_out(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_guest(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_esm(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_share(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_unshare(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_terminate(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_quit(struct ctx *ctx, int argc, char **argv);
enum exit_code cmd_trace(struct ctx *ctx, int argc, char **argv);

/* cmd.c: a command of a table, its number of arguments and its options checked. */
enum exit_code cmd_run(struct ctx *ctx, const struct cmd *cmds, const char *what, int argc,
		       char **argv);

/*
 * fail.c. All of them report and return the exit code for the caller to return.
 * The caller may add members for JSON to ctx->details afterwards.
 */
enum exit_code fail(struct ctx *ctx, enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As fail(EXIT_SYSTEM), and ": " strerror(errno). */
enum exit_code fail_errno(struct ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A call returned @code. @more is put behind the text, or NULL. */
enum exit_code fail_call(struct ctx *ctx, uint64_t nr, int64_t code, const char *more);
/* A uvc_* function has failed and left errno. */
enum exit_code fail_vm(struct ctx *ctx, const struct uvc *c);

/* vm.c */
enum exit_code vm_open(struct ctx *ctx, struct uvc *c, const char *id);
/* The same, and the VM must have an SVM: one that uvlaunch --normal runs has none. */
enum exit_code vm_open_svm(struct ctx *ctx, struct uvc *c, const char *id);
/* /dev/uvsim, or -1 with errno. */
int uvsim_open(void);
/* One GPA argument. */
enum exit_code arg_gpa(struct ctx *ctx, const char *text, uint64_t *gpa);
/* A range argument, or all of memory if @text is NULL; whole pages of the VM's memory. */
enum exit_code arg_range(struct ctx *ctx, const struct uvc *c, const char *text, uint64_t *gfn,
			 uint64_t *npages);
/* GPA and LEN of something that lies in the VM's memory. @len_text may be NULL: @len stays. */
enum exit_code arg_memory(struct ctx *ctx, const struct uvc *c, const char *gpa_text,
			  const char *len_text, uint64_t max, uint64_t *gpa, uint64_t *len);
/* Bytes from hex digits, or from --string; malloc()ed. */
enum exit_code arg_bytes(struct ctx *ctx, const char *hex, uint8_t **bytes, size_t *len);
/* Name and number of what @nr returned, and a line for people. */
void out_call(struct json_object *obj, uint64_t nr, int64_t code);

#endif /* _UVCTL_H */
