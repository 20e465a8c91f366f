/* SPDX-License-Identifier: GPL-2.0 */
/* For the files of "guest": a command on its way to the agent. */
#ifndef _UVCTL_GUEST_H
#define _UVCTL_GUEST_H

#include "uvctl.h"

/* The VM and vCPU that guest commands work on; set before their function runs. */
struct guest {
	struct uvc c;
	uint32_t vcpus;	   /* mask */
	unsigned int vcpu; /* the lowest of them */
};

extern struct guest guest;

/* Runs @slot on guest.vcpu. */
enum exit_code guest_run(struct ctx *ctx, struct agent_slot *slot);
/* The agent said no to a command that is no ultracall, or EXIT_OK. */
enum exit_code guest_refused(struct ctx *ctx, const struct agent_slot *slot);

enum exit_code guest_nop(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_read(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_write(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_fill(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_checksum(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_pattern(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_verify(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_esm(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_share(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_unshare(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_unshare_all(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_random(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_ucall(struct ctx *ctx, int argc, char **argv);
enum exit_code guest_exit(struct ctx *ctx, int argc, char **argv);

#endif /* _UVCTL_GUEST_H */
