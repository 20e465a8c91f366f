// SPDX-License-Identifier: GPL-2.0
/*
 * The hypervisor half of a secure VM: kvm-uvmem, or upstream's own in KVM-HV.
 *
 * With kvm-uvmem it is an SVM of /dev/uvmem. With upstream's it is a KVM VM
 * without vCPUs whose memslots are H; the VM that the vCPUs are in has G, which
 * on real hardware the ultravisor has to itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../kvm-uvmem/uapi/uvmem.h"
#include "../../uv-sim/uapi/upstream.h"
#include "arch.h"

static int set_memslot(int fd, unsigned long request, const struct vm *vm)
{
	/* UVMEM_SET_MEMSLOT and KVM's own take the same bytes. */
	struct kvm_userspace_memory_region slot = {
		.memory_size = vm->mem_bytes,
		.userspace_addr = (uintptr_t)vm->h,
	};

	if (ioctl(fd, request, &slot))
		return fail_errno("the hypervisor refuses a memslot of %llu bytes at GPA 0",
				  (unsigned long long)vm->mem_bytes);
	return 0;
}

static int create_svm(struct vm *vm, int uvmem_fd)
{
	struct uvmem_create create = { 0 };

	vm->svm_fd = ioctl(uvmem_fd, UVMEM_CREATE_SVM, &create);
	if (vm->svm_fd < 0)
		return fail_errno("UVMEM_CREATE_SVM");
	vm->lpid = create.lpid;
	return set_memslot(vm->svm_fd, UVMEM_SET_MEMSLOT, vm);
}

static int create_kvm_vm(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_SECURE_GUEST, .args = { 1 } };
	struct uvup_attach attach = { .flags = 0 };

	vm->hv_fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->hv_fd < 0)
		return fail_errno("KVM_CREATE_VM");
	if (ioctl(vm->hv_fd, KVM_ENABLE_CAP, &cap))
		return fail_errno("KVM_CAP_PPC_SECURE_GUEST");
	if (set_memslot(vm->hv_fd, KVM_SET_USER_MEMORY_REGION, vm))
		return -1;
	attach.kvm_fd = vm->hv_fd;
	if (ioctl(vm->svm_fd, UVUP_ATTACH, &attach))
		return fail_errno("UVUP_ATTACH");
	vm->lpid = attach.lpid;
	return 0;
}

/* Tell the hypervisor half that is loaded of the VM. */
int hypervisor_open(struct vm *vm)
{
	int fd = open("/dev/uvmem", O_RDWR | O_CLOEXEC), ret;

	if (fd >= 0) {
		ret = create_svm(vm, fd);
		close(fd);
		return ret;
	}
	if (errno != ENOENT)
		return fail_errno("cannot open /dev/uvmem");
	vm->svm_fd = open("/dev/uvupstream", O_RDWR | O_CLOEXEC);
	if (vm->svm_fd >= 0)
		return create_kvm_vm(vm);
	if (errno != ENOENT)
		return fail_errno("cannot open /dev/uvupstream");
	return fail("there is no /dev/uvmem: load kvm-uvmem.ko, or use --normal");
}

/* Terminate. Returns 0 or an errno. */
int hypervisor_off(struct vm *vm)
{
	bool upstream = vm->hv_fd >= 0;
	int ret = upstream ? ioctl(vm->hv_fd, KVM_PPC_SVM_OFF, 0) :
			     ioctl(vm->svm_fd, UVMEM_SVM_OFF, 0);

	if (!ret)
		return 0;
	ret = errno;
	fail_errno(upstream ? "KVM_PPC_SVM_OFF" : "UVMEM_SVM_OFF");
	return ret;
}
