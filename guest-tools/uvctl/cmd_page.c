// SPDX-License-Identifier: GPL-2.0
/*
 * page-in, page-out: the hypercalls that the ultravisor makes, made by hand.
 * Arguments are passed on as they are, so that what the hypervisor half says to
 * bad ones can be seen.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "kvm-uvmem/uapi/uvmem.h"
#include "uv-sim/uapi/uv.h"
#include "uvctl.h"

static void fill(struct uvmem_hcall *h, bool in, uint64_t gpa, uint64_t npages, uint32_t order)
{
	if (npages == 1) {
		h->nr = in ? H_SVM_PAGE_IN : H_SVM_PAGE_OUT;
		h->args[0] = gpa;
		h->args[2] = order;
		return;
	}
	h->nr = in ? H_SIM_SVM_PAGE_IN_RANGE : H_SIM_SVM_PAGE_OUT_RANGE;
	h->args[0] = gpa;
	h->args[1] = npages;
	h->args[3] = order;
}

static enum exit_code page_call(struct ctx *ctx, const struct uvc *c, bool in, uint64_t gpa,
				uint64_t npages)
{
	struct uvmem_hcall h = { 0 };

	fill(&h, in, gpa, npages, c->info.page_shift);
	if (ioctl(c->svm_fd, UVMEM_HCALL, &h))
		return fail_errno(ctx, "UVMEM_HCALL");
	if (h.ret != H_SUCCESS) {
		char more[64];

		snprintf(more, sizeof(more), ", after %llu of %llu pages",
			 (unsigned long long)h.out[0], (unsigned long long)npages);
		return fail_call(ctx, h.nr, h.ret, npages == 1 ? NULL : more);
	}
	out_u64(ctx->out, "gpa", gpa, OUT_QUIET);
	out_u64(ctx->out, "pages", npages, OUT_QUIET);
	out_call(ctx->out, h.nr, h.ret);
	return EXIT_OK;
}

static enum exit_code page(struct ctx *ctx, int argc, char **argv, bool in)
{
	uint64_t gpa, npages = 1;
	enum exit_code ret;
	struct uvc c;

	ret = arg_gpa(ctx, argv[1], &gpa);
	if (ret)
		return ret;
	if (argc > 2 && (!parse_u64(argv[2], &npages) || !npages))
		return fail(ctx, EXIT_USAGE, "'%s' is not a number of pages", argv[2]);
	ret = vm_open_svm(ctx, &c, argv[0]);
	if (ret)
		return ret;
	out_str(ctx->out, "id", argv[0], OUT_QUIET);
	ret = page_call(ctx, &c, in, gpa, npages);
	uvc_close(&c);
	return ret;
}

enum exit_code cmd_page_in(struct ctx *ctx, int argc, char **argv)
{
	return page(ctx, argc, argv, true);
}

enum exit_code cmd_page_out(struct ctx *ctx, int argc, char **argv)
{
	return page(ctx, argc, argv, false);
}
