// SPDX-License-Identifier: GPL-2.0
/* x86: a vCPU in 64-bit mode with flat segments and no vector unit in use. */
#include <linux/kvm_para.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../arch.h"
#include "x86.h"

#define CR0_PE_ET_NE_WP_PG 0x80010031ULL
#define CR4_PAE 0x20ULL
#define EFER_LME_LMA 0x500ULL
#define RFLAGS_FIXED 2ULL
#define MAX_CPUID 256

/* KVM_HC_MAP_GPA_RANGE comes to us; it is one of the ways to share a page. */
int arch_vm_init(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { 1ULL << KVM_HC_MAP_GPA_RANGE },
	};

	if (ioctl(vm->vm_fd, KVM_ENABLE_CAP, &cap))
		return fail_errno("KVM_CAP_EXIT_HYPERCALL for KVM_HC_MAP_GPA_RANGE");
	return 0;
}

/* The guest is offered what this KVM supports. */
int arch_vcpu_init(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;
	int ret = 0;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return fail_errno("no memory for the CPUID table");
	cpuid->nent = MAX_CPUID;
	if (ioctl(vcpu->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid))
		ret = fail_errno("KVM_GET_SUPPORTED_CPUID");
	else if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		ret = fail_errno("KVM_SET_CPUID2 of vCPU %u", vcpu->index);
	free(cpuid);
	return ret;
}

static void flat_segments(struct kvm_sregs *sregs)
{
	struct kvm_segment data = {
		.limit = 0xffffffff,
		.selector = 16,
		.type = 3,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
	struct kvm_segment code = {
		.limit = 0xffffffff,
		.selector = 8,
		.type = 11,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1,
	};

	sregs->cs = code;
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
}

int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry)
{
	struct kvm_regs regs = {
		.rip = entry,
		.rdi = vcpu->index,
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return fail_errno("KVM_GET_SREGS of vCPU %u", vcpu->index);
	flat_segments(&sregs);
	memset(&sregs.idt, 0, sizeof(sregs.idt));
	memset(&sregs.gdt, 0, sizeof(sregs.gdt));
	sregs.cr0 = CR0_PE_ET_NE_WP_PG;
	sregs.cr3 = X86_PML4_GPA;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		return fail_errno("KVM_SET_SREGS of vCPU %u", vcpu->index);
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return fail_errno("KVM_SET_REGS of vCPU %u", vcpu->index);
	return 0;
}
