// SPDX-License-Identifier: GPL-2.0
/*
 * pagemap: what the page table of the host view holds, from the launcher's
 * /proc/PID/pagemap. Looking does not touch: unlike peek it moves no page.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>

#include "guest-tools/lib/pagemap.h"
#include "kvm-uvmem/uapi/uvmem.h"
#include "uvctl.h"

#define CHUNK 4096
#define STABLE_NS (20 * 1000 * 1000) /* a migration takes much less */

struct scan {
	struct ctx *ctx;
	struct uvc c;
	struct pagemap pm;
	struct json_object *rows;
	struct pagemap_entry first; /* of the run, with its PFN */
	uint64_t gfn, npages;	    /* the run */
	bool contiguous;	    /* its PFNs or swap offsets follow each other */
	bool confirmed;		    /* the layout has been held against real pages */
};

static bool has_type(enum pagemap_kind kind)
{
	return kind != PAGEMAP_HOLE && kind != PAGEMAP_PRESENT && kind != PAGEMAP_HIDDEN;
}

static void flush_run(struct scan *s)
{
	const struct pagemap_entry *e = &s->first;
	struct json_object *row;

	if (!s->npages)
		return;
	row = out_row(s->rows);
	out_u64(row, "gfn", s->gfn, OUT_HEX);
	out_u64(row, "gpa", s->gfn << s->c.info.page_shift, OUT_HEX);
	out_u64(row, "pages", s->npages, OUT_PLAIN);
	out_str(row, "kind", pagemap_kind_name(e->kind), OUT_PLAIN);
	if (e->pfn_known && s->contiguous)
		out_u64(row, "pfn", e->pfn, OUT_HEX);
	else
		out_null(row, "pfn");
	if (has_type(e->kind))
		out_u64(row, "swap_type", e->type, OUT_PLAIN);
	else
		out_null(row, "swap_type");
	if (e->kind == PAGEMAP_SWAP && s->contiguous)
		out_u64(row, "swap_offset", e->swap_offset, OUT_HEX);
	else
		out_null(row, "swap_offset");
	out_bool(row, "write", e->write, OUT_QUIET);
	out_bool(row, "exclusive", e->exclusive, OUT_PLAIN);
	out_bool(row, "file", e->file, OUT_QUIET);
	out_bool(row, "soft_dirty", e->soft_dirty, OUT_PLAIN);
	out_bool(row, "uffd_wp", e->uffd_wp, OUT_QUIET);
}

static bool same_run(const struct scan *s, const struct pagemap_entry *e)
{
	const struct pagemap_entry *f = &s->first;

	return s->npages && !(s->ctx->opts & OPT_PAGES) && e->kind == f->kind &&
	       e->type == f->type && e->exclusive == f->exclusive && e->file == f->file &&
	       e->soft_dirty == f->soft_dirty && e->uffd_wp == f->uffd_wp;
}

static bool follows(const struct pagemap_entry *e, const struct pagemap_entry *first, uint64_t n)
{
	if (e->kind == PAGEMAP_SWAP)
		return e->swap_offset == first->swap_offset + n;
	return e->pfn == first->pfn + n;
}

static void add_page(struct scan *s, uint64_t gfn, const struct pagemap_entry *e)
{
	if (same_run(s, e)) {
		if (!follows(e, &s->first, s->npages))
			s->contiguous = false;
		s->npages++;
		return;
	}
	flush_run(s);
	s->first = *e;
	s->gfn = gfn;
	s->npages = 1;
	s->contiguous = true;
}

static enum exit_code read_raw(struct scan *s, uint64_t gfn, uint64_t *raw, uint64_t n)
{
	uint64_t hva = s->c.info.hva + (gfn << s->c.info.page_shift);
	ssize_t got = pagemap_read(&s->pm, hva, raw, n);

	if (got < 0)
		return fail_errno(s->ctx, "/proc/%d/pagemap", (int)s->c.info.pid);
	if ((uint64_t)got < n)
		return fail(s->ctx, EXIT_NO_VM, "the VM's launcher has no memory there any more");
	return EXIT_OK;
}

/*
 * Swap types of the pages that the hypervisor half says are device-private, and
 * that do not change within a moment: one that is on its way would mislead. None
 * with upstream's half, which keeps its states to itself.
 */
static enum exit_code observe(struct scan *s, uint64_t gfn, const uint64_t *raw, uint64_t n,
			      uint32_t *seen)
{
	static const struct timespec moment = { .tv_nsec = STABLE_NS };
	static uint64_t again[CHUNK];
	static uint8_t states[CHUNK];
	struct uvmem_state st = { .gfn = gfn, .npages = n, .states = (uintptr_t)states };
	enum exit_code ret;

	*seen = 0;
	if (ioctl(s->c.svm_fd, UVMEM_GET_STATE, &st)) {
		if (errno == ENOTTY)
			return EXIT_OK;
		return fail_errno(s->ctx, "UVMEM_GET_STATE");
	}
	nanosleep(&moment, NULL);
	ret = read_raw(s, gfn, again, n);
	for (uint64_t i = 0; i < n && !ret; i++) {
		struct pagemap_entry e = pagemap_decode(raw[i], &s->pm.layout, s->pm.pfns);

		if (states[i] == UVMEM_GFN_UVMEM && has_type(e.kind) && raw[i] == again[i])
			*seen |= 1u << e.type;
	}
	return ret;
}

/* Swap areas have low types; what has a high one depends on the kernel. */
static bool has_special(const struct scan *s, const uint64_t *raw, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct pagemap_entry e = pagemap_decode(raw[i], &s->pm.layout, s->pm.pfns);

		if (has_type(e.kind) && e.kind != PAGEMAP_SWAP)
			return true;
	}
	return false;
}

static enum exit_code scan_chunk(struct scan *s, uint64_t gfn, uint64_t n)
{
	static uint64_t raw[CHUNK];
	enum exit_code ret = read_raw(s, gfn, raw, n);
	uint32_t seen;

	if (ret)
		return ret;
	if (!s->confirmed && has_special(s, raw, n)) {
		ret = observe(s, gfn, raw, n, &seen);
		if (ret)
			return ret;
		if (!pagemap_layout_fit(&s->pm.layout, seen))
			return fail(s->ctx, EXIT_SYSTEM,
				    "this kernel numbers its swap types in a way unknown here "
				    "(device-private pages: mask 0x%x)",
				    seen);
		s->confirmed = seen;
	}
	for (uint64_t i = 0; i < n; i++) {
		struct pagemap_entry e = pagemap_decode(raw[i], &s->pm.layout, s->pm.pfns);

		add_page(s, gfn + i, &e);
	}
	return EXIT_OK;
}

static enum exit_code scan(struct scan *s, uint64_t gfn, uint64_t npages)
{
	s->rows = out_array(s->ctx->out, "runs");
	while (npages) {
		uint64_t n = npages < CHUNK ? npages : CHUNK;
		enum exit_code ret = scan_chunk(s, gfn, n);

		if (ret)
			return ret;
		gfn += n;
		npages -= n;
	}
	flush_run(s);
	return EXIT_OK;
}

static enum exit_code scan_vm(struct scan *s, const char *range)
{
	uint64_t gfn, npages;
	enum exit_code ret;

	if (pagemap_open(&s->pm, s->c.info.pid))
		return fail_errno(s->ctx, "/proc/%d/pagemap", (int)s->c.info.pid);
	if (s->pm.page_shift != s->c.info.page_shift)
		ret = fail(s->ctx, EXIT_SYSTEM, "guest and host have different page sizes");
	else
		ret = arg_range(s->ctx, &s->c, range, &gfn, &npages);
	if (!ret) {
		out_bool(s->ctx->out, "pfns_shown", s->pm.pfns, OUT_QUIET);
		if (!s->pm.pfns)
			fputs("uvctl: the kernel shows PFNs and swap types to CAP_SYS_ADMIN only\n",
			      stderr);
		ret = scan(s, gfn, npages);
	}
	pagemap_close(&s->pm);
	return ret;
}

enum exit_code cmd_pagemap(struct ctx *ctx, int argc, char **argv)
{
	struct scan s = { .ctx = ctx };
	enum exit_code ret = vm_open(ctx, &s.c, argv[0]);

	if (ret)
		return ret;
	out_str(ctx->out, "id", argv[0], OUT_QUIET);
	out_s64(ctx->out, "pid", s.c.info.pid, OUT_QUIET);
	out_u64(ctx->out, "page_size", 1ULL << s.c.info.page_shift, OUT_QUIET);
	ret = scan_vm(&s, argc > 1 ? argv[1] : NULL);
	uvc_close(&s.c);
	return ret;
}
