// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU in real mode, with a data segment that reaches all of memory: it loads
 * or stores the byte at EBX, and no page table is needed. Its registers are in
 * kvm_run, so that an access is one system call.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmfix.h"

#define READ_IP 0
#define WRITE_IP 16
#define TOUCH_IP 32

static const uint8_t read_code[] = { 0x67, 0x8a, 0x03, 0xf4 };	/* mov al, [ebx]; hlt */
static const uint8_t write_code[] = { 0x67, 0x88, 0x03, 0xf4 }; /* mov [ebx], al; hlt */

/* For 32 bits: mov al, [esi]; add esi, edx; dec ecx; jnz -7; hlt */
static const uint8_t touch_code[] = { 0x8a, 0x06, 0x01, 0xd6, 0x49, 0x75, 0xf9, 0xf4 };

void own_vcpu_code(struct own *o, size_t page)
{
	uint8_t *code = o->h + page * page_size();

	memcpy(code + READ_IP, read_code, sizeof(read_code));
	memcpy(code + WRITE_IP, write_code, sizeof(write_code));
	memcpy(code + TOUCH_IP, touch_code, sizeof(touch_code));
}

int own_vcpu_init(struct own_vcpu *v)
{
	struct kvm_run *run = v->run;
	struct kvm_sregs sregs;

	if (ioctl(v->vcpu, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs.base = v->code_gpa;
	sregs.cs.selector = 0;
	sregs.ds.base = 0;
	sregs.ds.selector = 0;
	sregs.ds.limit = UINT32_MAX;
	sregs.ds.g = 1;
	run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	return ioctl(v->vcpu, KVM_SET_SREGS, &sregs);
}

static int run_to_halt(struct own_vcpu *v)
{
	struct kvm_run *run = v->run;

	while (ioctl(v->vcpu, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			return errno;
	if (run->exit_reason != KVM_EXIT_HLT) {
		say("the vCPU came out for reason %u", run->exit_reason);
		return EIO;
	}
	return 0;
}

static int run(struct own_vcpu *v, uint64_t gpa, uint64_t ip, uint8_t *al)
{
	struct kvm_run *run = v->run;
	int err;

	run->s.regs.regs = (struct kvm_regs){ .rip = ip, .rflags = 2, .rax = *al, .rbx = gpa };
	run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	err = run_to_halt(v);
	if (err)
		return err;
	*al = (uint8_t)run->s.regs.regs.rax;
	return 0;
}

int own_vcpu_read(struct own_vcpu *v, uint64_t gpa, uint8_t *byte)
{
	*byte = 0;
	return run(v, gpa, READ_IP, byte);
}

int own_vcpu_write(struct own_vcpu *v, uint64_t gpa, uint8_t byte)
{
	return run(v, gpa, WRITE_IP, &byte);
}

static void make_flat(struct kvm_segment *seg, uint64_t base, uint8_t type)
{
	*seg = (struct kvm_segment){
		.base = base,
		.limit = 0xffffffff,
		.selector = 8,
		.type = type,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
}

/* In protected mode, where an offset has 32 bits. */
int own_vcpu_touch(struct own_vcpu *v, uint64_t gpa, uint64_t stride, uint64_t n)
{
	struct kvm_regs regs = {
		.rip = TOUCH_IP, .rflags = 2, .rsi = gpa, .rdx = stride, .rcx = n
	};
	struct kvm_sregs real, flat;
	int err;

	if (ioctl(v->vcpu, KVM_GET_SREGS, &real))
		return errno;
	flat = real;
	flat.cr0 |= 1;
	make_flat(&flat.cs, v->code_gpa, 0xb);
	make_flat(&flat.ds, 0, 0x3);
	flat.ss = flat.ds;
	if (ioctl(v->vcpu, KVM_SET_SREGS, &flat) || ioctl(v->vcpu, KVM_SET_REGS, &regs))
		return errno;
	err = run_to_halt(v);
	if (ioctl(v->vcpu, KVM_SET_SREGS, &real))
		return errno;
	return err;
}
