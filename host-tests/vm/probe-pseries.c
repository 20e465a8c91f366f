// SPDX-License-Identifier: GPL-2.0
/*
 * Does KVM really run a guest here? Runs two instructions of real mode: a
 * hypercall that KVM does not know, with an argument. Exit status 0 only when
 * both the number and the argument arrived.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define HCALL 0xed42
#define ARGUMENT 0x2a
#define ENTRY 0x100
#define MSR_SF_LE 0x8000000000000001UL

static const unsigned int guest_code[] = {
	0x38800000 | ARGUMENT, /* li r4, ARGUMENT */
	0x44000022,	       /* sc 1 */
	0x48000000,	       /* b . */
};

static int check(int ret, const char *what)
{
	if (ret >= 0)
		return ret;
	perror(what);
	exit(1);
}

static void start_in_real_mode(int vcpu)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_PAPR };
	struct kvm_regs regs = { .pc = ENTRY, .msr = MSR_SF_LE, .gpr[3] = HCALL };

	check(ioctl(vcpu, KVM_ENABLE_CAP, &cap), "KVM_CAP_PPC_PAPR");
	check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

int main(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = 0x10000 };
	int kvm, vm, vcpu, size;
	struct kvm_run *run;
	void *mem;

	kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
	vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	mem = mmap(NULL, slot.memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
	check(mem == MAP_FAILED ? -1 : 0, "mmap");
	memcpy((char *)mem + ENTRY, guest_code, sizeof(guest_code));
	slot.userspace_addr = (unsigned long)mem;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	check(run == MAP_FAILED ? -1 : 0, "mmap of the vCPU");
	start_in_real_mode(vcpu);

	check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL) {
		fprintf(stderr, "unexpected exit %u\n", run->exit_reason);
		return 1;
	}
	return run->papr_hcall.nr == HCALL && run->papr_hcall.args[0] == ARGUMENT ? 0 : 1;
}
