// SPDX-License-Identifier: GPL-2.0
/* terminate, quit: the end of an SVM, and of a VM. */
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm-uvmem/uapi/uvmem.h"
#include "uvctl.h"

#define QUIT_MS 10000 /* for a launcher to be gone */

static enum exit_code ask(struct ctx *ctx, struct uvc *c, enum uvc_op op)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = op };
	struct uvc_reply rep;

	return uvc_call(c, &req, &rep) ? fail_vm(ctx, c) : EXIT_OK;
}

static enum exit_code said(struct ctx *ctx, const char *id, const char *done)
{
	out_str(ctx->out, "id", id, OUT_QUIET);
	out_str(ctx->out, "message", done, OUT_LINE);
	return EXIT_OK;
}

/* A normal VM would only be stopped by it. */
static bool is_normal(const struct uvc *c)
{
	struct uvmem_info info;

	return !ioctl(c->svm_fd, UVMEM_GET_INFO, &info) && info.vm_state == UVMEM_VM_NORMAL;
}

enum exit_code cmd_terminate(struct ctx *ctx, int argc, char **argv)
{
	enum exit_code ret;
	struct uvc c;

	(void)argc;
	ret = vm_open_svm(ctx, &c, argv[0]);
	if (ret)
		return ret;
	ret = is_normal(&c) ? fail(ctx, EXIT_REFUSED, "VM '%s' is not secure", argv[0]) :
			      ask(ctx, &c, UVC_SVM_OFF);
	uvc_close(&c);
	return ret ?: said(ctx, argv[0], "terminated");
}

/* The launcher answers before it ends, and holds the modules until then. */
static void wait_for_end(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	while (pidfd >= 0 && poll(&p, 1, QUIT_MS) < 0 && errno == EINTR)
		;
}

enum exit_code cmd_quit(struct ctx *ctx, int argc, char **argv)
{
	enum exit_code ret;
	struct uvc c;
	int pidfd;

	(void)argc;
	ret = vm_open(ctx, &c, argv[0]);
	if (ret)
		return ret;
	pidfd = (int)syscall(SYS_pidfd_open, c.info.pid, 0);
	ret = ask(ctx, &c, UVC_QUIT);
	uvc_close(&c);
	if (!ret)
		wait_for_end(pidfd);
	if (pidfd >= 0)
		close(pidfd);
	return ret ?: said(ctx, argv[0], "ended");
}
