// SPDX-License-Identifier: GPL-2.0
/* top: how full secure memory is and what each VM has of it, again and again. */
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "uv-sim/uapi/uv.h"
#include "uvsim.h"
#include "vms.h"

static enum exit_code one(struct ctx *ctx, struct json_object *out)
{
	struct uvsim_info info;
	struct uvsim_stats stats;
	enum exit_code ret = EXIT_OK;
	int fd = uvsim_open();

	if (fd < 0)
		return fail_errno(ctx, "/dev/uvsim");
	if (ioctl(fd, UVSIM_GET_INFO, &info) || ioctl(fd, UVSIM_GET_STATS, &stats))
		ret = fail_errno(ctx, "/dev/uvsim");
	close(fd);
	if (ret)
		return ret;
	add_uvsim_stats(out, &stats, info.page_shift);
	return add_vms(ctx, out);
}

static void pause_for(double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	nanosleep(&ts, NULL);
}

/* Every round but the last is printed here, the last by main(). */
enum exit_code cmd_top(struct ctx *ctx, int argc, char **argv)
{
	bool clear = !ctx->json && isatty(STDOUT_FILENO);

	(void)argc;
	(void)argv;
	for (uint64_t round = 1;; round++) {
		enum exit_code ret = one(ctx, ctx->out);

		if (ret)
			return ret;
		if (clear)
			fputs("\033[H\033[2J", stdout);
		if (round == ctx->count)
			return EXIT_OK;
		if (out_print(stdout, ctx->out, ctx->json))
			return fail_errno(ctx, "the output");
		out_free(ctx->out);
		ctx->out = out_new();
		pause_for(ctx->interval);
		if (!ctx->json && !clear)
			putchar('\n');
	}
}
