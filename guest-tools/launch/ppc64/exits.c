// SPDX-License-Identifier: GPL-2.0
/*
 * ppc64: why a vCPU came out, in the launcher's words. Everything that the
 * guest asks for is a PAPR hypercall that KVM does not know: the doorbells
 * (mailbox.h), and all others are ultracalls.
 */
#include <stdio.h>
#include <string.h>

#include "../arch.h"

static enum guest_exit stuck(struct vcpu *vcpu, char *why, size_t size, const char *what,
			     uint64_t value)
{
	snprintf(why, size, "vCPU %u: %s 0x%llx", vcpu->index, what, (unsigned long long)value);
	return GUEST_STUCK;
}

static enum guest_exit hypercall(struct vcpu *vcpu, struct ucall *call)
{
	const struct kvm_run *run = vcpu->run;

	*call = (struct ucall){ .nr = run->papr_hcall.nr };
	memcpy(call->args, run->papr_hcall.args, sizeof(call->args));
	switch (run->papr_hcall.nr) {
	case AGENT_HCALL(AGENT_DOORBELL_WAIT):
		return GUEST_WAIT;
	case AGENT_HCALL(AGENT_DOORBELL_PANIC):
		return GUEST_PANIC;
	case AGENT_HCALL(AGENT_DOORBELL_EXIT):
		return GUEST_EXIT;
	default:
		return GUEST_UCALL;
	}
}

enum guest_exit arch_exit(struct vcpu *vcpu, struct ucall *call, char *why, size_t size)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_PAPR_HCALL:
		return hypercall(vcpu, call);
	case KVM_EXIT_INTR:
		return GUEST_AGAIN;
	case KVM_EXIT_MMIO:
		return stuck(vcpu, why, size, "there is no memory at GPA", run->mmio.phys_addr);
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

/* KVM moves these into R3 and R4 to R12 when the vCPU is entered again. */
int arch_ucall_return(struct vcpu *vcpu, const struct ucall *call)
{
	struct kvm_run *run = vcpu->run;

	run->papr_hcall.ret = (uint64_t)call->ret;
	run->papr_hcall.args[0] = call->out[0];
	run->papr_hcall.args[1] = call->out[1];
	return 0;
}
