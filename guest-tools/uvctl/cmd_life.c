// SPDX-License-Identifier: GPL-2.0
/* terminate, quit: the end of an SVM, and of a VM. */
#include <errno.h>

#include "uvctl.h"

static enum exit_code ask(struct ctx *ctx, const char *id, enum uvc_op op, const char *done)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = op };
	struct uvc_reply rep;
	enum exit_code ret;
	struct uvc c;

	ret = vm_open(ctx, &c, id);
	if (ret)
		return ret;
	if (uvc_call(&c, &req, &rep))
		ret = fail_vm(ctx, &c);
	uvc_close(&c);
	if (ret)
		return ret;
	out_str(ctx->out, "id", id, OUT_QUIET);
	out_str(ctx->out, "message", done, OUT_LINE);
	return EXIT_OK;
}

enum exit_code cmd_terminate(struct ctx *ctx, int argc, char **argv)
{
	(void)argc;
	return ask(ctx, argv[0], UVC_SVM_OFF, "terminated");
}

enum exit_code cmd_quit(struct ctx *ctx, int argc, char **argv)
{
	(void)argc;
	return ask(ctx, argv[0], UVC_QUIT, "ended");
}
