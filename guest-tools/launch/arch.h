/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between machines. Each folder (x86/, ppc64/) has these
 * functions, and nothing outside of them asks which machine it is. Functions
 * that return int return 0, or -1 after a message.
 */
#ifndef _LAUNCH_ARCH_H
#define _LAUNCH_ARCH_H

#include "vm.h"

/* Guest memory that the start state relies on besides the payload. */
struct arch_range {
	uint64_t gpa;
	uint64_t len; /* 0: none */
};

/* Why a vCPU left the guest. */
enum guest_exit {
	GUEST_AGAIN, /* nothing to do */
	GUEST_UCALL,
	GUEST_WAIT,  /* doorbell: idle */
	GUEST_PANIC, /* doorbell: gpa and length of a text in args[0], args[1] */
	GUEST_EXIT,  /* doorbell: the VM ends */
	GUEST_STUCK, /* it cannot go on */
};

int arch_vm_init(struct vm *vm);
/* Put what a vCPU needs to start into guest memory. */
int arch_boot(struct vm *vm, struct arch_range *range);
int arch_vcpu_init(struct vcpu *vcpu);
/* Fresh registers, @entry next, the vCPU's index as first argument. */
int arch_vcpu_reset(struct vcpu *vcpu, uint64_t entry);
/* After KVM_RUN; @why describes GUEST_STUCK. */
enum guest_exit arch_exit(struct vcpu *vcpu, struct ucall *call, char *why, size_t size);
/* Give the results of GUEST_UCALL to the guest. */
int arch_ucall_return(struct vcpu *vcpu, const struct ucall *call);

#endif /* _LAUNCH_ARCH_H */
