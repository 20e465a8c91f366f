// SPDX-License-Identifier: GPL-2.0
/*
 * Does KVM really run a guest here? Runs two instructions of real mode: an
 * output to a port and a halt. Exit status 0 only when both arrived.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PORT 0x10

static const unsigned char guest_code[] = {
	0xb0, 0x2a, /* mov $0x2a, %al */
	0xe6, PORT, /* out %al, $PORT */
	0xf4,	    /* hlt */
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
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = 0, .rflags = 2 };

	check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

int main(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = 4096 };
	int kvm, vm, vcpu, size, said = 0;
	struct kvm_run *run;
	void *mem;

	kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
	vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(mem == MAP_FAILED ? -1 : 0, "mmap");
	memcpy(mem, guest_code, sizeof(guest_code));
	slot.userspace_addr = (unsigned long)mem;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	check(run == MAP_FAILED ? -1 : 0, "mmap of the vCPU");
	start_in_real_mode(vcpu);

	for (;;) {
		check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (run->exit_reason == KVM_EXIT_HLT)
			break;
		if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT) {
			fprintf(stderr, "unexpected exit %u\n", run->exit_reason);
			return 1;
		}
		said = ((unsigned char *)run)[run->io.data_offset];
	}
	return said == 0x2a ? 0 : 1;
}
