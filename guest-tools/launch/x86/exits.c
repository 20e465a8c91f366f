// SPDX-License-Identifier: GPL-2.0
/*
 * x86: why a vCPU came out, in the launcher's words. Doorbells come as port
 * I/O with arguments in registers (mailbox.h), and KVM_HC_MAP_GPA_RANGE as
 * KVM_EXIT_HYPERCALL; both end up as ultracalls.
 */
#include <asm/kvm_para.h>
#include <errno.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../../uv-sim/uapi/uv.h"
#include "../arch.h"

#define HC_PAGE_SHIFT 12 /* npages of the hypercall counts 4 KiB pages */

static enum guest_exit stuck(struct vcpu *vcpu, char *why, size_t size, const char *what,
			     uint64_t value)
{
	snprintf(why, size, "vCPU %u: %s 0x%llx", vcpu->index, what, (unsigned long long)value);
	return GUEST_STUCK;
}

static void fill_call(struct ucall *call, const struct kvm_regs *regs)
{
	*call = (struct ucall){
		.nr = regs->rdi,
		.args = { regs->rsi, regs->rcx, regs->r8, regs->r9, regs->r10, regs->r11 },
	};
}

static enum guest_exit doorbell(struct vcpu *vcpu, uint32_t number, struct ucall *call, char *why,
				size_t size)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return stuck(vcpu, why, size, "its registers cannot be read, doorbell", number);
	switch (number) {
	case AGENT_DOORBELL_UCALL:
		fill_call(call, &regs);
		return GUEST_UCALL;
	case AGENT_DOORBELL_WAIT:
		return GUEST_WAIT;
	case AGENT_DOORBELL_PANIC:
		call->args[0] = regs.rdi;
		call->args[1] = regs.rsi;
		return GUEST_PANIC;
	case AGENT_DOORBELL_EXIT:
		return GUEST_EXIT;
	default:
		return stuck(vcpu, why, size, "there is no doorbell", number);
	}
}

static enum guest_exit io(struct vcpu *vcpu, struct ucall *call, char *why, size_t size)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t number;

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.port != AGENT_PORT ||
	    run->io.size != sizeof(number) || run->io.count != 1)
		return stuck(vcpu, why, size, "no device at port", run->io.port);
	memcpy(&number, (const uint8_t *)run + run->io.data_offset, sizeof(number));
	return doorbell(vcpu, number, call, why, size);
}

/* A page that is encrypted is not shared. The page size in the attributes is a hint only. */
static enum guest_exit hypercall(struct vcpu *vcpu, struct ucall *call, char *why, size_t size)
{
	struct kvm_run *run = vcpu->run;
	unsigned int shift = vcpu->vm->page_shift;
	bool private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED;

	if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE)
		return stuck(vcpu, why, size, "no hypercall", run->hypercall.nr);
	*call = (struct ucall){
		.nr = private ? UV_UNSHARE_PAGE : UV_SHARE_PAGE,
		.args = { run->hypercall.args[0] >> shift,
			  run->hypercall.args[1] >> (shift - HC_PAGE_SHIFT) },
	};
	return GUEST_UCALL;
}

enum guest_exit arch_exit(struct vcpu *vcpu, struct ucall *call, char *why, size_t size)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return io(vcpu, call, why, size);
	case KVM_EXIT_HYPERCALL:
		return hypercall(vcpu, call, why, size);
	case KVM_EXIT_INTR:
		return GUEST_AGAIN;
	case KVM_EXIT_MMIO:
		return stuck(vcpu, why, size, "there is no memory at GPA", run->mmio.phys_addr);
	case KVM_EXIT_HLT:
		return stuck(vcpu, why, size, "halted without an interrupt to come, exit",
			     KVM_EXIT_HLT);
	case KVM_EXIT_SHUTDOWN:
		return stuck(vcpu, why, size, "triple fault, exit", KVM_EXIT_SHUTDOWN);
	case KVM_EXIT_FAIL_ENTRY:
		return stuck(vcpu, why, size, "KVM cannot enter it, hardware reason",
			     run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_INTERNAL_ERROR:
		return stuck(vcpu, why, size, "KVM internal error, suberror",
			     run->internal.suberror);
	default:
		return stuck(vcpu, why, size, "unknown exit", run->exit_reason);
	}
}

/* The hypercall's callers know KVM's error numbers, not PAPR's. */
static int64_t kvm_error(int64_t ret)
{
	switch (ret) {
	case U_SUCCESS:
		return 0;
	case U_PARAMETER:
	case U_P2:
		return -KVM_EINVAL;
	case U_FUNCTION:
	case U_INVALID:
		return -KVM_EOPNOTSUPP;
	default:
		return -KVM_EPERM;
	}
}

int arch_ucall_return(struct vcpu *vcpu, const struct ucall *call)
{
	struct kvm_regs regs;

	if (vcpu->run->exit_reason == KVM_EXIT_HYPERCALL) {
		vcpu->run->hypercall.ret = (uint64_t)kvm_error(call->ret);
		return 0;
	}
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return fail_errno("KVM_GET_REGS of vCPU %u", vcpu->index);
	regs.rax = (uint64_t)call->ret;
	regs.rsi = call->out[0];
	regs.rcx = call->out[1];
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return fail_errno("KVM_SET_REGS of vCPU %u", vcpu->index);
	return 0;
}
