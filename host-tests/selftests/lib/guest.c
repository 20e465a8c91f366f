// SPDX-License-Identifier: GPL-2.0
/* What the guest does: commands to its agent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmfix.h"

static int64_t no_answer(struct uvc *c, const struct agent_slot *cmd)
{
	say("agent command %u at GPA 0x%llx: %s; %s", cmd->cmd, (unsigned long long)cmd->gpa,
	    strerror(errno), c->info.stop_text);
	return NO_ANSWER;
}

int64_t guest_do(struct uvc *c, unsigned int vcpu, struct agent_slot *cmd)
{
	return uvc_agent(c, vcpu, cmd) ? no_answer(c, cmd) : cmd->ret;
}

int guest_post(struct uvc *c, unsigned int vcpu, const struct agent_slot *cmd)
{
	struct uvc_request req = {
		.magic = UVC_MAGIC, .op = UVC_AGENT_POST, .vcpu = vcpu, .agent = *cmd
	};
	struct uvc_reply rep;

	return uvc_call(c, &req, &rep) ? say("UVC_AGENT_POST: %s", strerror(errno)) : 0;
}

int64_t guest_wait(struct uvc *c, unsigned int vcpu, struct agent_slot *answer)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = UVC_AGENT_WAIT, .vcpu = vcpu };
	struct uvc_reply rep;

	memset(answer, 0, sizeof(*answer));
	if (uvc_call(c, &req, &rep))
		return no_answer(c, answer);
	*answer = rep.agent;
	return answer->ret;
}

int64_t guest_esm(struct vm *vm)
{
	struct agent_slot cmd = { .cmd = AGENT_ESM, .arg0 = AGENT_ESM_BLOB_GPA };

	return guest_do(&vm->c, 0, &cmd);
}

int guest_read(struct vm *vm, uint64_t gpa, void *buf, size_t len)
{
	while (len) {
		struct agent_slot cmd = { .cmd = AGENT_READ, .gpa = gpa };
		size_t n = len < AGENT_DATA_BYTES ? len : AGENT_DATA_BYTES;

		cmd.len = n;
		if (guest_do(&vm->c, 0, &cmd))
			return -1;
		memcpy(buf, cmd.data, n);
		buf = (uint8_t *)buf + n;
		gpa += n;
		len -= n;
	}
	return 0;
}

int guest_write(struct vm *vm, uint64_t gpa, const void *buf, size_t len)
{
	while (len) {
		struct agent_slot cmd = { .cmd = AGENT_WRITE, .gpa = gpa };
		size_t n = len < AGENT_DATA_BYTES ? len : AGENT_DATA_BYTES;

		cmd.len = n;
		memcpy(cmd.data, buf, n);
		if (guest_do(&vm->c, 0, &cmd))
			return -1;
		buf = (const uint8_t *)buf + n;
		gpa += n;
		len -= n;
	}
	return 0;
}

int guest_pattern(struct vm *vm, uint64_t gpa, size_t len, uint64_t seed)
{
	struct agent_slot cmd = {
		.cmd = AGENT_PATTERN, .gpa = gpa, .len = len, .arg0 = seed, .arg1 = 1
	};

	return guest_do(&vm->c, 0, &cmd) ? -1 : 0;
}

int guest_verify(struct vm *vm, uint64_t gpa, size_t len, uint64_t seed, uint64_t iteration)
{
	struct agent_slot cmd = {
		.cmd = AGENT_VERIFY, .gpa = gpa, .len = len, .arg0 = seed, .arg1 = iteration
	};
	int64_t bad = guest_do(&vm->c, 0, &cmd);

	if (!bad)
		return 0;
	return bad == NO_ANSWER ? -1 :
				  say("the guest finds %lld wrong words, the first at 0x%llx",
				      (long long)bad, (unsigned long long)cmd.detail);
}

/* By checksum: one command for the whole range. */
int guest_is_zero(struct vm *vm, uint64_t gpa, size_t len)
{
	struct agent_slot cmd = { .cmd = AGENT_CHECKSUM, .gpa = gpa, .len = len };
	uint8_t *zeros = calloc(1, len);
	uint64_t want;

	if (!zeros)
		return say("no memory");
	want = agent_fnv(AGENT_FNV_START, zeros, len);
	free(zeros);
	if (guest_do(&vm->c, 0, &cmd) == NO_ANSWER)
		return -1;
	return (uint64_t)cmd.ret == want ?
		       0 :
		       say("the guest does not read zeros at 0x%llx", (unsigned long long)gpa);
}

int64_t guest_share(struct vm *vm, uint64_t gpa, uint64_t npages)
{
	return guest_ucall(vm, UV_SHARE_PAGE, gpa >> page_order(), npages, 0);
}

int64_t guest_unshare(struct vm *vm, uint64_t gpa, uint64_t npages)
{
	return guest_ucall(vm, UV_UNSHARE_PAGE, gpa >> page_order(), npages, 0);
}

int64_t guest_unshare_all(struct vm *vm)
{
	struct agent_slot cmd = { .cmd = AGENT_UNSHARE_ALL };

	return guest_do(&vm->c, 0, &cmd);
}

int64_t guest_ucall(struct vm *vm, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct agent_slot cmd = { .cmd = AGENT_UCALL, .arg0 = nr };
	uint64_t args[6] = { a0, a1, a2 };

	memcpy(cmd.data, args, sizeof(args));
	return guest_do(&vm->c, 0, &cmd);
}

int guest_stops(struct vm *vm, uint64_t gpa, unsigned int reason)
{
	struct agent_slot cmd = { .cmd = AGENT_READ, .gpa = gpa, .len = 8 };
	struct uvsim_svm svm;

	if (!uvc_agent(&vm->c, 0, &cmd))
		return say("the guest read GPA 0x%llx", (unsigned long long)gpa);
	if (errno != ENOTCONN)
		return say("the agent: %s", strerror(errno));
	if (vm_refresh(vm) || uvsim_svm(vm, &svm))
		return -1;
	if (vm->c.info.guest_state != UVC_GUEST_STOPPED || svm.state != UV_VM_STOPPED ||
	    svm.stop_reason != reason || svm.stop_gpa != (gpa & ~((uint64_t)page_size() - 1)))
		return say("stopped: guest state %u, SVM state %u, reason %u, GPA 0x%llx: %s",
			   vm->c.info.guest_state, svm.state, svm.stop_reason,
			   (unsigned long long)svm.stop_gpa, vm->c.info.stop_text);
	return 0;
}
