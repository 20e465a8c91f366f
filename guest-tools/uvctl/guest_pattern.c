// SPDX-License-Identifier: GPL-2.0
/*
 * guest pattern, verify, nop: the commands that can run on several vCPUs at
 * once. The memory is dealt out to them in whole pages. Each is started before
 * any is waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static enum exit_code post(struct ctx *ctx, enum uvc_op op, unsigned int vcpu,
			   const struct agent_slot *slot, struct uvc_reply *rep)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = op, .vcpu = vcpu };

	if (slot)
		req.agent = *slot;
	return uvc_call(&guest.c, &req, rep) ? fail_vm(ctx, &guest.c) : EXIT_OK;
}

/* The part of number @i of @n, in whole pages; the last takes what is over. */
static void deal(struct agent_slot *slot, unsigned int i, unsigned int n)
{
	uint64_t part = (slot->len >> guest.c.info.page_shift) / n << guest.c.info.page_shift;

	slot->gpa += i * part;
	slot->len = i == n - 1 ? slot->len - i * part : part;
}

static void out_vcpu(struct json_object *rows, unsigned int vcpu, const struct agent_slot *part,
		     const struct agent_slot *answer)
{
	struct json_object *row = out_row(rows);

	out_u64(row, "vcpu", vcpu, OUT_PLAIN);
	out_u64(row, "gpa", part->gpa, OUT_HEX);
	out_u64(row, "len", part->len, OUT_SIZE);
	out_s64(row, "mismatches", answer->ret, OUT_PLAIN);
	if (answer->ret > 0)
		out_u64(row, "first_gpa", answer->detail, OUT_HEX);
	else
		out_null(row, "first_gpa");
}

struct job {
	struct agent_slot parts[AGENT_MAX_VCPUS];
	uint32_t started;
	int64_t mismatches;
	uint64_t first_gpa;
};

static enum exit_code start(struct ctx *ctx, struct job *job, const struct agent_slot *slot)
{
	unsigned int n = (unsigned int)__builtin_popcount(guest.vcpus), i = 0;
	struct uvc_reply rep;

	for (unsigned int vcpu = 0; vcpu < guest.c.info.nvcpus; vcpu++) {
		enum exit_code ret;

		if (!(guest.vcpus & 1u << vcpu))
			continue;
		job->parts[vcpu] = *slot;
		deal(&job->parts[vcpu], i++, n);
		ret = post(ctx, UVC_AGENT_POST, vcpu, &job->parts[vcpu], &rep);
		if (ret)
			return ret;
		job->started |= 1u << vcpu;
	}
	return EXIT_OK;
}

static enum exit_code wait_for(struct ctx *ctx, struct job *job, unsigned int vcpu,
			       struct json_object *rows)
{
	struct uvc_reply rep;
	enum exit_code ret = post(ctx, UVC_AGENT_WAIT, vcpu, NULL, &rep);

	if (!ret)
		ret = guest_refused(ctx, &rep.agent);
	if (ret)
		return ret;
	out_vcpu(rows, vcpu, &job->parts[vcpu], &rep.agent);
	if (rep.agent.ret > 0 && !job->mismatches)
		job->first_gpa = rep.agent.detail;
	job->mismatches += rep.agent.ret;
	return EXIT_OK;
}

/*
 * Waits for all that were started, so that none stays busy. @ret is how the
 * start went; only the first failure is reported.
 */
static enum exit_code finish(struct ctx *ctx, struct job *job, struct json_object *rows,
			     enum exit_code ret)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = UVC_AGENT_WAIT };
	struct uvc_reply rep;

	for (; req.vcpu < guest.c.info.nvcpus; req.vcpu++) {
		if (!(job->started & 1u << req.vcpu))
			continue;
		if (ret)
			uvc_call(&guest.c, &req, &rep);
		else
			ret = wait_for(ctx, job, req.vcpu, rows);
	}
	return ret;
}

static enum exit_code fail_mismatch(struct ctx *ctx, const struct job *job)
{
	fail(ctx, EXIT_REFUSED, "%lld words differ from the pattern, first at GPA 0x%llx",
	     (long long)job->mismatches, (unsigned long long)job->first_gpa);
	out_s64(ctx->details, "mismatches", job->mismatches, OUT_PLAIN);
	out_u64(ctx->details, "first_gpa", job->first_gpa, OUT_HEX);
	return EXIT_REFUSED;
}

static enum exit_code run(struct ctx *ctx, const struct agent_slot *slot)
{
	struct json_object *rows = out_array(ctx->out, "vcpus");
	struct job job = { .started = 0 };
	enum exit_code ret = finish(ctx, &job, rows, start(ctx, &job, slot));

	if (ret)
		return ret;
	return job.mismatches ? fail_mismatch(ctx, &job) : EXIT_OK;
}

static enum exit_code pattern(struct ctx *ctx, enum agent_cmd cmd, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = cmd, .arg1 = cmd == AGENT_PATTERN };
	enum exit_code ret;
	unsigned int n = (unsigned int)__builtin_popcount(guest.vcpus);

	ret = arg_memory(ctx, &guest.c, argv[0], argv[1], UINT64_MAX, &slot.gpa, &slot.len);
	if (ret)
		return ret;
	if (argc > 2 && !parse_u64(argv[2], &slot.arg0))
		return fail(ctx, EXIT_USAGE, "'%s' is not a seed", argv[2]);
	if (argc > 3 && !parse_u64(argv[3], &slot.arg1))
		return fail(ctx, EXIT_USAGE, "'%s' is not a number of iterations", argv[3]);
	if ((slot.gpa | slot.len) % 8)
		return fail(ctx, EXIT_USAGE, "patterns are of words of 8 bytes");
	if (slot.len >> guest.c.info.page_shift < n && n > 1)
		return fail(ctx, EXIT_USAGE, "%u vCPUs need as many pages", n);
	return run(ctx, &slot);
}

enum exit_code guest_pattern(struct ctx *ctx, int argc, char **argv)
{
	return pattern(ctx, AGENT_PATTERN, argc, argv);
}

enum exit_code guest_verify(struct ctx *ctx, int argc, char **argv)
{
	return pattern(ctx, AGENT_VERIFY, argc, argv);
}

enum exit_code guest_nop(struct ctx *ctx, int argc, char **argv)
{
	struct agent_slot slot = { .cmd = AGENT_NOP };

	(void)argc;
	(void)argv;
	for (unsigned int vcpu = 0; vcpu < guest.c.info.nvcpus; vcpu++) {
		enum exit_code ret;

		if (!(guest.vcpus & 1u << vcpu))
			continue;
		guest.vcpu = vcpu;
		slot = (struct agent_slot){ .cmd = AGENT_NOP };
		ret = guest_run(ctx, &slot);
		if (ret)
			return ret;
	}
	return EXIT_OK;
}
