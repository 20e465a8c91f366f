// SPDX-License-Identifier: GPL-2.0
/*
 * map: the state of every GFN, once as the hypervisor half and once as the
 * ultravisor has it, as runs. The two are read one after the other, so a page
 * that moves meanwhile may show a pair of states that never was.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "kvm-uvmem/uapi/uvmem.h"
#include "uv-sim/uapi/uv.h"
#include "uvctl.h"

#define CHUNK 4096 /* pages a call: keeps the pair of states close together */

struct run {
	uint64_t gfn, npages;
	uint8_t hv, uv;
};

struct map {
	struct ctx *ctx;
	struct uvc c;
	struct json_object *rows;
	struct run run;
};

static void flush_run(struct map *m)
{
	const struct run *r = &m->run;
	struct json_object *row;

	if (!r->npages)
		return;
	row = out_row(m->rows);
	out_u64(row, "gfn", r->gfn, OUT_HEX);
	out_u64(row, "gpa", r->gfn << m->c.info.page_shift, OUT_HEX);
	out_u64(row, "pages", r->npages, OUT_PLAIN);
	out_str(row, "hypervisor", uvmem_gfn_state_name(r->hv), OUT_PLAIN);
	out_str(row, "ultravisor", uv_gfn_state_name(r->uv), OUT_PLAIN);
}

static void add_page(struct map *m, uint64_t gfn, uint8_t hv, uint8_t uv)
{
	if (m->run.npages && m->run.hv == hv && m->run.uv == uv) {
		m->run.npages++;
		return;
	}
	flush_run(m);
	m->run = (struct run){ .gfn = gfn, .npages = 1, .hv = hv, .uv = uv };
}

static enum exit_code add_chunk(struct map *m, uint64_t gfn, uint64_t npages, uint32_t *vm_state)
{
	static uint8_t hv[CHUNK], uv[CHUNK];
	struct uvsim_map u = {
		.lpid = m->c.info.lpid, .gfn = gfn, .npages = npages, .states = (uintptr_t)uv
	};

	if (uvc_hv_states(&m->c, gfn, npages, hv, vm_state))
		return fail_errno(m->ctx, "UVMEM_GET_STATE");
	if (ioctl(m->c.uvsim_fd, UVSIM_MAP, &u))
		return fail_errno(m->ctx, "UVSIM_MAP");
	for (uint64_t i = 0; i < npages; i++)
		add_page(m, gfn + i, hv[i], uv[i]);
	return EXIT_OK;
}

static enum exit_code map_range(struct map *m, uint64_t gfn, uint64_t npages)
{
	uint32_t vm_state = UVMEM_VM_NORMAL;

	m->rows = out_array(m->ctx->out, "runs");
	while (npages) {
		uint64_t n = npages < CHUNK ? npages : CHUNK;
		enum exit_code ret = add_chunk(m, gfn, n, &vm_state);

		if (ret)
			return ret;
		gfn += n;
		npages -= n;
	}
	flush_run(m);
	out_str(m->ctx->out, "state", uvmem_vm_state_name(vm_state), OUT_QUIET);
	return EXIT_OK;
}

enum exit_code cmd_map(struct ctx *ctx, int argc, char **argv)
{
	struct map m = { .ctx = ctx };
	uint64_t gfn, npages;
	enum exit_code ret;

	ret = vm_open_svm(ctx, &m.c, argv[0]);
	if (ret)
		return ret;
	out_str(ctx->out, "id", argv[0], OUT_QUIET);
	out_u64(ctx->out, "page_size", 1ULL << m.c.info.page_shift, OUT_QUIET);
	ret = arg_range(ctx, &m.c, argc > 1 ? argv[1] : NULL, &gfn, &npages);
	if (!ret)
		ret = map_range(&m, gfn, npages);
	uvc_close(&m.c);
	return ret;
}
