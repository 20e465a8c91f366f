// SPDX-License-Identifier: GPL-2.0
/*
 * stat: all that the launcher, the hypervisor half and the ultravisor count
 * for one VM; without a VM, what status shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm-uvmem/uapi/uvmem.h"
#include "uv-sim/uapi/uv.h"
#include "uvctl.h"

static void add_launcher(struct json_object *out, const char *id, const struct uvc_info *info)
{
	out_str(out, "id", id, OUT_PLAIN);
	out_u64(out, "lpid", info->lpid, OUT_PLAIN);
	out_s64(out, "pid", info->pid, OUT_PLAIN);
	out_u64(out, "vcpus", info->nvcpus, OUT_PLAIN);
	out_u64(out, "page_size", 1ULL << info->page_shift, OUT_SIZE);
	out_u64(out, "mem_bytes", info->mem_bytes, OUT_SIZE);
	out_bool(out, "secure", info->secure, OUT_PLAIN);
	out_u64(out, "host_view", info->hva, OUT_HEX);
	out_u64(out, "guest_view", info->gva, OUT_HEX);
	out_str(out, "guest", uvc_guest_state_name(info->guest_state), OUT_PLAIN);
	if (info->guest_state == UVC_GUEST_STOPPED) {
		out_u64(out, "stop_gpa", info->stop_gpa, OUT_HEX);
		out_str(out, "stop_text", info->stop_text, OUT_PLAIN);
	} else {
		out_null(out, "stop_gpa");
		out_null(out, "stop_text");
	}
}

static enum exit_code add_hypervisor(struct ctx *ctx, struct uvc *c)
{
	struct json_object *hv = out_object(ctx->out, "hypervisor");
	struct uvmem_info info;
	struct uvmem_stats st;

	if (ioctl(c->svm_fd, UVMEM_GET_INFO, &info))
		return fail_errno(ctx, "UVMEM_GET_INFO");
	if (uvc_hv_stats(c, &st))
		return fail_errno(ctx, "UVMEM_GET_STATS");
	out_str(hv, "state", uvmem_vm_state_name(info.vm_state), OUT_PLAIN);
	out_u64(hv, "device_pages", info.device_pages, OUT_PLAIN);
	out_u64(hv, "device_free", info.device_free, OUT_PLAIN);
	out_u64(hv, "memslots", info.nslots, OUT_PLAIN);
	out_u64(hv, "normal", st.normal, OUT_PLAIN);
	out_u64(hv, "uvmem", st.uvmem, OUT_PLAIN);
	out_u64(hv, "mem", st.mem, OUT_PLAIN);
	out_u64(hv, "shared", st.shared, OUT_PLAIN);
	out_u64(hv, "page_ins", st.page_ins, OUT_PLAIN);
	out_u64(hv, "page_outs", st.page_outs, OUT_PLAIN);
	out_u64(hv, "host_faults", st.host_faults, OUT_PLAIN);
	out_u64(hv, "shares", st.shares, OUT_PLAIN);
	out_u64(hv, "unshares", st.unshares, OUT_PLAIN);
	out_u64(hv, "invals", st.invals, OUT_PLAIN);
	out_u64(hv, "drops", st.drops, OUT_PLAIN);
	out_u64(hv, "busy", st.busy, OUT_PLAIN);
	out_u64(hv, "migrate_calls", st.migrate_calls, OUT_PLAIN);
	return EXIT_OK;
}

static enum exit_code add_slots(struct ctx *ctx, int fd)
{
	struct json_object *rows = out_array(ctx->out, "memslots");
	struct uvmem_memslot *slots;
	struct uvmem_slots arg = { .count = 0 };
	uint32_t room;

	/* The first call tells how many there are. Upstream's half does not say. */
	if (ioctl(fd, UVMEM_GET_SLOTS, &arg))
		return errno == ENOTTY ? EXIT_OK : fail_errno(ctx, "UVMEM_GET_SLOTS");
	room = arg.count;
	slots = calloc(room ? room : 1, sizeof(*slots));
	if (!slots)
		return fail_errno(ctx, "memslots");
	arg.slots = (uintptr_t)slots;
	if (ioctl(fd, UVMEM_GET_SLOTS, &arg)) {
		free(slots);
		return fail_errno(ctx, "UVMEM_GET_SLOTS");
	}
	for (uint32_t i = 0; i < arg.count && i < room; i++) {
		struct json_object *row = out_row(rows);

		out_u64(row, "slot", slots[i].slot, OUT_PLAIN);
		out_u64(row, "gpa", slots[i].guest_phys_addr, OUT_HEX);
		out_u64(row, "bytes", slots[i].memory_size, OUT_SIZE);
		out_u64(row, "hva", slots[i].userspace_addr, OUT_HEX);
	}
	free(slots);
	return EXIT_OK;
}

static enum exit_code add_ultravisor(struct ctx *ctx, int fd, uint32_t lpid)
{
	struct uvsim_svm svm = { .lpid = lpid };
	struct json_object *uv;

	if (ioctl(fd, UVSIM_GET_SVM, &svm)) {
		if (errno == ENOENT || errno == ESRCH)
			return fail(ctx, EXIT_NO_VM, "the ultravisor knows no LPID %u", lpid);
		return fail_errno(ctx, "UVSIM_GET_SVM");
	}
	uv = out_object(ctx->out, "ultravisor");
	out_str(uv, "state", uv_vm_state_name(svm.state), OUT_PLAIN);
	out_str(uv, "stop_reason", uv_stop_reason_name(svm.stop_reason), OUT_PLAIN);
	out_str(uv, "stop_reason_text", uv_stop_reason_text(svm.stop_reason), OUT_PLAIN);
	out_u64(uv, "stop_gpa", svm.stop_gpa, OUT_HEX);
	out_s64(uv, "esm_ret", svm.esm_ret, OUT_PLAIN);
	out_str(uv, "esm_ret_name", call_code_name(UV_ESM, svm.esm_ret), OUT_PLAIN);
	out_u64(uv, "memslots", svm.memslots, OUT_PLAIN);
	out_u64(uv, "resident", svm.resident, OUT_PLAIN);
	out_u64(uv, "paged_out", svm.paged_out, OUT_PLAIN);
	out_u64(uv, "shared", svm.shared, OUT_PLAIN);
	out_u64(uv, "page_ins", svm.page_ins, OUT_PLAIN);
	out_u64(uv, "page_outs", svm.page_outs, OUT_PLAIN);
	out_u64(uv, "seals", svm.seals, OUT_PLAIN);
	out_u64(uv, "opens", svm.opens, OUT_PLAIN);
	out_u64(uv, "integrity_failures", svm.integrity_failures, OUT_PLAIN);
	out_u64(uv, "evictions", svm.evictions, OUT_PLAIN);
	return EXIT_OK;
}

static enum exit_code stat_lpid(struct ctx *ctx, const char *text)
{
	enum exit_code ret;
	uint64_t lpid;
	int fd;

	if (!parse_max(text, UINT32_MAX, &lpid))
		return fail(ctx, EXIT_USAGE, "'%s' is not an LPID", text);
	fd = uvsim_open();
	if (fd < 0)
		return fail_errno(ctx, "/dev/uvsim");
	out_u64(ctx->out, "lpid", lpid, OUT_PLAIN);
	ret = add_ultravisor(ctx, fd, (uint32_t)lpid);
	close(fd);
	return ret;
}

static enum exit_code add_svm(struct ctx *ctx, struct uvc *c)
{
	enum exit_code ret = add_hypervisor(ctx, c);

	if (!ret)
		ret = add_ultravisor(ctx, c->uvsim_fd, c->info.lpid);
	return ret ? ret : add_slots(ctx, c->svm_fd);
}

enum exit_code cmd_stat(struct ctx *ctx, int argc, char **argv)
{
	enum exit_code ret;
	struct uvc c;

	if (!argc)
		return cmd_status(ctx, 0, NULL);
	if (!strncmp(argv[0], "lpid:", 5))
		return stat_lpid(ctx, argv[0] + 5);
	ret = vm_open(ctx, &c, argv[0]);
	if (ret)
		return ret;
	add_launcher(ctx->out, argv[0], &c.info);
	if (c.info.lpid)
		ret = add_svm(ctx, &c);
	uvc_close(&c);
	return ret;
}
