// SPDX-License-Identifier: GPL-2.0
/* ppc64: a vCPU in 64-bit little-endian real mode, as a PAPR guest. */
#include <sys/ioctl.h>

#include "../arch.h"

#define MSR_SF (1ULL << 63) /* 64 bits */
#define MSR_LE 1ULL
#define LPCR_ILE 0x02000000ULL /* interrupts arrive in little-endian mode */

int arch_vm_init(struct vm *vm)
{
	(void)vm;
	return 0;
}

/* KVM-HV runs PAPR guests only; what it does not know itself comes to us. */
int arch_vcpu_init(struct vcpu *vcpu)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_PAPR };
	uint64_t lpcr = 0;
	struct kvm_one_reg reg = { .id = KVM_REG_PPC_LPCR_64, .addr = (uintptr_t)&lpcr };

	if (ioctl(vcpu->fd, KVM_ENABLE_CAP, &cap))
		return fail_errno("KVM_CAP_PPC_PAPR of vCPU %u", vcpu->index);
	if (ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg))
		return fail_errno("KVM_GET_ONE_REG: LPCR of vCPU %u", vcpu->index);
	lpcr |= LPCR_ILE;
	if (ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg))
		return fail_errno("KVM_SET_ONE_REG: LPCR of vCPU %u", vcpu->index);
	return 0;
}

/*
 * A vCPU that is in the middle of a hypercall takes R3 from its kvm_run when
 * it is entered again, whatever KVM_SET_REGS said.
 */
int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	struct kvm_regs regs = {
		.pc = entry,
		.msr = MSR_SF | MSR_LE,
		.gpr[3] = vcpu->index,
	};

	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return fail_errno("KVM_SET_REGS of vCPU %u", vcpu->index);
	if (vcpu->run->exit_reason == KVM_EXIT_PAPR_HCALL)
		vcpu->run->papr_hcall.ret = vcpu->index;
	return 0;
}
