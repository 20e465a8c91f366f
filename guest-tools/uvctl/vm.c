// SPDX-License-Identifier: GPL-2.0
/*
 * What most commands begin with: the VM that an argument names, the memory
 * that others name, and /dev/uvsim.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/lib/runpath.h"
#include "uvctl.h"

#define UVSIM_DEV "/dev/uvsim"

enum exit_code vm_open(struct ctx *ctx, struct uvc *c, const char *id)
{
	if (!uvc_id_valid(id))
		return fail(ctx, EXIT_USAGE, "'%s' cannot be the ID of a VM", id);
	if (!uvc_open(c, id))
		return EXIT_OK;
	if (errno == ESRCH)
		return fail(ctx, EXIT_NO_VM, "no VM '%s' runs (looked in %s)", id, uvc_run_dir());
	return fail(ctx, EXIT_NO_VM, "cannot connect to VM '%s': %s", id,
		    errno == EPROTO ? "what answers does not speak this protocol" :
				      strerror(errno));
}

enum exit_code vm_open_svm(struct ctx *ctx, struct uvc *c, const char *id)
{
	enum exit_code ret = vm_open(ctx, c, id);

	if (ret || c->info.lpid)
		return ret;
	uvc_close(c);
	return fail(ctx, EXIT_REFUSED, "VM '%s' is a normal one: it was started without an SVM",
		    id);
}

int uvsim_open(void)
{
	return open(UVSIM_DEV, O_RDWR | O_CLOEXEC);
}

enum exit_code arg_gpa(struct ctx *ctx, const char *text, uint64_t *gpa)
{
	if (parse_u64(text, gpa))
		return EXIT_OK;
	return fail(ctx, EXIT_USAGE, "'%s' is not an address", text);
}

enum exit_code arg_range(struct ctx *ctx, const struct uvc *c, const char *text, uint64_t *gfn,
			 uint64_t *npages)
{
	unsigned int shift = c->info.page_shift;
	uint64_t gpa = 0, len = c->info.mem_bytes, mask = (1ULL << shift) - 1;

	if (text && !parse_range(text, shift, &gpa, &len))
		return fail(ctx, EXIT_USAGE,
			    "'%s' is not START, START+LENGTH or START-END (\"gfn:\" for pages)",
			    text);
	if (gpa >= c->info.mem_bytes || len > c->info.mem_bytes - gpa)
		return fail(ctx, EXIT_USAGE, "'%s' does not lie in the VM's memory", text);
	*gfn = gpa >> shift;
	*npages = (((gpa + len - 1) | mask) >> shift) - *gfn + 1;
	return EXIT_OK;
}

enum exit_code arg_memory(struct ctx *ctx, const struct uvc *c, const char *gpa_text,
			  const char *len_text, uint64_t max, uint64_t *gpa, uint64_t *len)
{
	enum exit_code ret = arg_gpa(ctx, gpa_text, gpa);

	if (ret)
		return ret;
	if (len_text && !parse_u64(len_text, len))
		return fail(ctx, EXIT_USAGE, "'%s' is not a length", len_text);
	if (!*len || *len > max)
		return fail(ctx, EXIT_USAGE, "the length must be 1 to %llu bytes",
			    (unsigned long long)max);
	if (*gpa >= c->info.mem_bytes || *len > c->info.mem_bytes - *gpa)
		return fail(ctx, EXIT_USAGE, "0x%llx + 0x%llx does not lie in the VM's memory",
			    (unsigned long long)*gpa, (unsigned long long)*len);
	return EXIT_OK;
}

enum exit_code arg_bytes(struct ctx *ctx, const char *hex, uint8_t **bytes, size_t *len)
{
	bool string = ctx->opts & OPT_STRING;

	if (string == (hex != NULL))
		return fail(ctx, EXIT_USAGE, "give either hex digits or --string=TEXT");
	if (!string) {
		*bytes = parse_hex(hex, len);
		if (!*bytes)
			return fail(ctx, EXIT_USAGE, "'%s' is not pairs of hex digits", hex);
		return EXIT_OK;
	}
	*len = strlen(ctx->string);
	if (!*len)
		return fail(ctx, EXIT_USAGE, "the string is empty");
	*bytes = (uint8_t *)strdup(ctx->string);
	return *bytes ? EXIT_OK : fail_errno(ctx, "the string");
}

void out_call(struct json_object *obj, uint64_t nr, int64_t code)
{
	char text[256];

	out_str(obj, "call", ucall_name(nr) ? ucall_name(nr) : hcall_name(nr), OUT_QUIET);
	out_u64(obj, "nr", nr, OUT_QUIET);
	out_s64(obj, "ret", code, OUT_QUIET);
	out_str(obj, "name", call_code_name(nr, code), OUT_QUIET);
	call_describe(text, sizeof(text), nr, code);
	out_str(obj, "message", text, OUT_LINE);
}
