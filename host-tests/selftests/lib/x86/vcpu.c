// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU in real mode: the data segment's base is the address it is after, so
 * that "mov al, [0]" reads the byte there and no page table is needed.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmfix.h"

#define READ_IP 0
#define WRITE_IP 16

static const uint8_t read_code[] = { 0xa0, 0x00, 0x00, 0xf4 };	/* mov al, [0]; hlt */
static const uint8_t write_code[] = { 0xa2, 0x00, 0x00, 0xf4 }; /* mov [0], al; hlt */

void own_vcpu_code(struct own *o, size_t page)
{
	uint8_t *code = o->h + page * page_size();

	memcpy(code + READ_IP, read_code, sizeof(read_code));
	memcpy(code + WRITE_IP, write_code, sizeof(write_code));
}

/* What it starts with is fine. */
int own_vcpu_init(struct own_vcpu *v)
{
	(void)v;
	return 0;
}

static int prepare(struct own_vcpu *v, uint64_t gpa, uint64_t ip, uint8_t al)
{
	struct kvm_regs regs = { .rip = ip, .rflags = 2, .rax = al };
	struct kvm_sregs sregs;

	if (ioctl(v->vcpu, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs.base = v->code_gpa;
	sregs.cs.selector = 0;
	sregs.ds.base = gpa;
	sregs.ds.selector = 0;
	return ioctl(v->vcpu, KVM_SET_SREGS, &sregs) || ioctl(v->vcpu, KVM_SET_REGS, &regs);
}

static int run(struct own_vcpu *v, uint64_t gpa, uint64_t ip, uint8_t *al)
{
	const struct kvm_run *run = v->run;
	struct kvm_regs regs;

	if (prepare(v, gpa, ip, *al))
		return errno;
	while (ioctl(v->vcpu, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			return errno;
	if (run->exit_reason != KVM_EXIT_HLT) {
		say("the vCPU came out for reason %u", run->exit_reason);
		return EIO;
	}
	if (ioctl(v->vcpu, KVM_GET_REGS, &regs))
		return errno;
	*al = (uint8_t)regs.rax;
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
