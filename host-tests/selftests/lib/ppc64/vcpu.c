// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU in real mode: it loads or stores the byte at R5 and then says in a
 * hypercall that it is done, so no page table is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmfix.h"

#define READ_PC 0
#define WRITE_PC 16
#define DONE_HCALL 0xed42 /* one that KVM does not know */
#define MSR_SF_LE 0x8000000000000001ULL

static const uint32_t read_code[] = { 0x88850000, 0x44000022 };	 /* lbz r4, 0(r5); sc 1 */
static const uint32_t write_code[] = { 0x98850000, 0x44000022 }; /* stb r4, 0(r5); sc 1 */

void own_vcpu_code(struct own *o, size_t page)
{
	uint8_t *code = o->h + page * page_size();

	memcpy(code + READ_PC, read_code, sizeof(read_code));
	memcpy(code + WRITE_PC, write_code, sizeof(write_code));
}

static int set_up(struct own_vcpu *v, struct own *o)
{
	struct kvm_userspace_memory_region region = { .memory_size = o->len };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_PAPR };

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
	if (v->vcpu < 0 || v->run == MAP_FAILED || ioctl(v->vcpu, KVM_ENABLE_CAP, &cap))
		return say("KVM vCPU: %s", strerror(errno));
	return 0;
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

/*
 * After a hypercall KVM takes R3 to R12 from kvm_run when the vCPU is entered
 * again, otherwise from KVM_SET_REGS: say the same in both.
 */
static int prepare(struct own_vcpu *v, uint64_t gpa, uint64_t pc, uint8_t byte)
{
	struct kvm_regs regs = {
		.pc = v->code_gpa + pc,
		.msr = MSR_SF_LE,
		.gpr[3] = DONE_HCALL,
		.gpr[4] = byte,
		.gpr[5] = gpa,
	};
	struct kvm_run *run = v->run;

	if (run->exit_reason == KVM_EXIT_PAPR_HCALL) {
		run->papr_hcall.ret = DONE_HCALL;
		run->papr_hcall.args[0] = byte;
		run->papr_hcall.args[1] = gpa;
	}
	return ioctl(v->vcpu, KVM_SET_REGS, &regs);
}

static int run(struct own_vcpu *v, uint64_t gpa, uint64_t pc, uint8_t *byte)
{
	const struct kvm_run *run = v->run;

	if (prepare(v, gpa, pc, *byte))
		return errno;
	while (ioctl(v->vcpu, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			return errno;
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL || run->papr_hcall.nr != DONE_HCALL) {
		say("the vCPU came out for reason %u", run->exit_reason);
		return EIO;
	}
	*byte = (uint8_t)run->papr_hcall.args[0];
	return 0;
}

int own_vcpu_read(struct own_vcpu *v, uint64_t gpa, uint8_t *byte)
{
	*byte = 0;
	return run(v, gpa, READ_PC, byte);
}

int own_vcpu_write(struct own_vcpu *v, uint64_t gpa, uint8_t byte)
{
	return run(v, gpa, WRITE_PC, &byte);
}
