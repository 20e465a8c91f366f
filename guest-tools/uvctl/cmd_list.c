// SPDX-License-Identifier: GPL-2.0
/*
 * list: the VMs with a control socket, and then the SVMs that the ultravisor
 * knows and that have none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest-tools/lib/runpath.h"
#include "uv-sim/uapi/uv.h"
#include "uvsim.h"
#include "vms.h"

struct svms {
	int fd; /* /dev/uvsim, or -1 */
	uint32_t *lpids;
	uint32_t count;
};

static enum exit_code svms_get(struct ctx *ctx, struct svms *s)
{
	enum exit_code ret;

	*s = (struct svms){ .fd = uvsim_open() };
	/* No device, no ultravisor, no SVMs. */
	if (s->fd < 0)
		return errno == ENOENT ? EXIT_OK : fail_errno(ctx, "/dev/uvsim");
	s->lpids = uvsim_lpids(s->fd, &s->count);
	if (s->lpids)
		return EXIT_OK;
	ret = fail_errno(ctx, "UVSIM_LIST");
	close(s->fd);
	return ret;
}

static void svms_put(struct svms *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->lpids);
}

static void svms_forget(struct svms *s, uint32_t lpid)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->lpids[i] == lpid)
			s->lpids[i] = 0;
}

/* The columns that the ultravisor knows; "-" in all if it has no such SVM. */
static void add_svm(struct json_object *row, int fd, uint32_t lpid)
{
	struct uvsim_svm svm = { .lpid = lpid };

	if (fd < 0 || ioctl(fd, UVSIM_GET_SVM, &svm)) {
		out_null(row, "state");
		out_null(row, "resident");
		out_null(row, "paged_out");
		out_null(row, "shared");
		out_null(row, "page_ins");
		out_null(row, "page_outs");
		return;
	}
	out_str(row, "state", uv_vm_state_name(svm.state), OUT_PLAIN);
	out_u64(row, "resident", svm.resident, OUT_PLAIN);
	out_u64(row, "paged_out", svm.paged_out, OUT_PLAIN);
	out_u64(row, "shared", svm.shared, OUT_PLAIN);
	out_u64(row, "page_ins", svm.page_ins, OUT_PLAIN);
	out_u64(row, "page_outs", svm.page_outs, OUT_PLAIN);
}

static void add_vm(struct json_object *rows, const char *id, struct svms *s)
{
	struct json_object *row;
	struct uvc c;

	/* It may be gone since the directory was read, or not speak to us. */
	if (uvc_open(&c, id))
		return;
	row = out_row(rows);
	out_str(row, "id", id, OUT_PLAIN);
	out_u64(row, "lpid", c.info.lpid, OUT_PLAIN);
	out_s64(row, "pid", c.info.pid, OUT_PLAIN);
	out_u64(row, "vcpus", c.info.nvcpus, OUT_PLAIN);
	out_u64(row, "mem_bytes", c.info.mem_bytes, OUT_SIZE);
	out_str(row, "guest", uvc_guest_state_name(c.info.guest_state), OUT_PLAIN);
	add_svm(row, s->fd, c.info.lpid);
	svms_forget(s, c.info.lpid);
	uvc_close(&c);
}

static void add_socketless(struct json_object *rows, const struct svms *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct json_object *row;

		if (!s->lpids[i])
			continue;
		row = out_row(rows);
		out_null(row, "id");
		out_u64(row, "lpid", s->lpids[i], OUT_PLAIN);
		out_null(row, "pid");
		out_null(row, "vcpus");
		out_null(row, "mem_bytes");
		out_null(row, "guest");
		add_svm(row, s->fd, s->lpids[i]);
	}
}

enum exit_code add_vms(struct ctx *ctx, struct json_object *out)
{
	struct json_object *rows = out_array(out, "vms");
	enum exit_code ret;
	struct svms s;
	char **ids;

	ret = svms_get(ctx, &s);
	if (ret)
		return ret;
	ids = uvc_list();
	if (!ids) {
		ret = fail_errno(ctx, "%s", uvc_run_dir());
		svms_put(&s);
		return ret;
	}
	for (char **id = ids; *id; id++) {
		add_vm(rows, *id, &s);
		free(*id);
	}
	free(ids);
	add_socketless(rows, &s);
	svms_put(&s);
	return EXIT_OK;
}

enum exit_code cmd_list(struct ctx *ctx, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return add_vms(ctx, ctx->out);
}
