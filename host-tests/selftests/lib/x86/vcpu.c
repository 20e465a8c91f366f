// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU in real mode: the data segment's base is the address it is after, so
 * that "mov al, [0]" reads the byte there and no page table is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

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

static int set_up(struct own_vcpu *v, struct own *o)
{
	struct kvm_userspace_memory_region region = { .memory_size = o->len };

	v->g = mmap(NULL, v->len, PROT_READ | PROT_WRITE, MAP_SHARED, o->uv, 0);
	if (v->g == MAP_FAILED)
		return say("the guest view: %s", strerror(errno));
	region.userspace_addr = (uintptr_t)v->g;
	v->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (v->kvm < 0)
		return say("/dev/kvm: %s", strerror(errno));
	v->vm = ioctl(v->kvm, KVM_CREATE_VM, 0);
	if (v->vm < 0 || ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return say("KVM VM: %s", strerror(errno));
	v->vcpu = ioctl(v->vm, KVM_CREATE_VCPU, 0);
	v->run_bytes = (size_t)ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	v->run = mmap(NULL, v->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->vcpu, 0);
	return v->vcpu < 0 || v->run == MAP_FAILED ? say("KVM vCPU: %s", strerror(errno)) : 0;
}

int own_vcpu_open(struct own_vcpu *v, struct own *o, size_t code_page)
{
	*v = (struct own_vcpu){
		.kvm = -1,
		.vm = -1,
		.vcpu = -1,
		.run = MAP_FAILED,
		.g = MAP_FAILED,
		.len = o->len,
		.code_gpa = code_page * page_size(),
	};
	return set_up(v, o);
}

void own_vcpu_close(struct own_vcpu *v)
{
	if (v->run != MAP_FAILED)
		munmap(v->run, v->run_bytes);
	if (v->vcpu >= 0)
		close(v->vcpu);
	if (v->vm >= 0)
		close(v->vm);
	if (v->kvm >= 0)
		close(v->kvm);
	if (v->g != MAP_FAILED)
		munmap(v->g, v->len);
	*v = (struct own_vcpu){
		.kvm = -1,
		.vm = -1,
		.vcpu = -1,
		.run = MAP_FAILED,
		.g = MAP_FAILED,
	};
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
