// SPDX-License-Identifier: GPL-2.0
/* status: is everything loaded, and how full is secure memory. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "uv-sim/uapi/uv.h"
#include "uvctl.h"
#include "uvsim.h"

static void add_modules(struct json_object *out)
{
	struct json_object *modules = out_object(out, "modules");

	out_bool(modules, "uv_sim", !access("/sys/module/uv_sim", F_OK), OUT_PLAIN);
	out_bool(modules, "kvm_uvmem", !access("/sys/module/kvm_uvmem", F_OK), OUT_PLAIN);
}

static void add_info(struct json_object *out, const struct uvsim_info *info)
{
	struct json_object *uv = out_object(out, "ultravisor");

	out_u64(uv, "abi_version", info->abi_version, OUT_PLAIN);
	out_u64(uv, "page_size", 1ULL << info->page_shift, OUT_SIZE);
	out_bool(uv, "owner_key", info->has_owner_key, OUT_PLAIN);
}

enum exit_code cmd_status(struct ctx *ctx, int argc, char **argv)
{
	struct uvsim_info info;
	struct uvsim_stats stats;
	int fd = uvsim_open();

	(void)argc;
	(void)argv;
	add_modules(ctx->out);
	/* Not being loaded is an answer to this question, not an error. */
	if (fd < 0 && errno == ENOENT)
		return EXIT_OK;
	if (fd < 0)
		return fail_errno(ctx, "/dev/uvsim");
	if (ioctl(fd, UVSIM_GET_INFO, &info) || ioctl(fd, UVSIM_GET_STATS, &stats)) {
		enum exit_code ret = fail_errno(ctx, "/dev/uvsim");

		close(fd);
		return ret;
	}
	close(fd);
	add_info(ctx->out, &info);
	add_uvsim_stats(ctx->out, &stats, info.page_shift);
	return EXIT_OK;
}
