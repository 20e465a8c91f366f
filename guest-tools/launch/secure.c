// SPDX-License-Identifier: GPL-2.0
/*
 * The VM as a secure VM: the hypervisor half and the ultravisor are told of it,
 * and its memslot moves to the guest view and back. The vCPUs are paused
 * whenever the memslot moves.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../kvm-uvmem/uapi/uvmem.h"
#include "../../uv-sim/uapi/uv.h"
#include "arch.h"

static int open_device(const char *path, const char *module)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return fail("there is no %s: load %s, or use --normal", path, module);
	if (fd < 0)
		return fail_errno("cannot open %s", path);
	return fd;
}

static int create_svm(struct vm *vm)
{
	struct uvmem_create create = { 0 };
	struct uvmem_memslot slot = {
		.memory_size = vm->mem_bytes,
		.userspace_addr = (uintptr_t)vm->h,
	};
	int uvmem_fd = open_device("/dev/uvmem", "kvm-uvmem.ko");

	if (uvmem_fd < 0)
		return -1;
	vm->svm_fd = ioctl(uvmem_fd, UVMEM_CREATE_SVM, &create);
	if (vm->svm_fd < 0)
		fail_errno("UVMEM_CREATE_SVM");
	close(uvmem_fd);
	if (vm->svm_fd < 0)
		return -1;
	vm->lpid = create.lpid;
	if (ioctl(vm->svm_fd, UVMEM_SET_MEMSLOT, &slot))
		return fail_errno("UVMEM_SET_MEMSLOT: %llu bytes at GPA 0",
				  (unsigned long long)vm->mem_bytes);
	return 0;
}

static int bind_ultravisor(struct vm *vm)
{
	struct uvsim_bind bind = { .lpid = vm->lpid };
	struct uvsim_info info;

	vm->uvsim_fd = open_device("/dev/uvsim", "uv-sim.ko");
	if (vm->uvsim_fd < 0)
		return -1;
	if (ioctl(vm->uvsim_fd, UVSIM_GET_INFO, &info))
		return fail_errno("UVSIM_GET_INFO");
	if (info.page_shift != vm->page_shift)
		return fail("the ultravisor has pages of 2^%u bytes, this machine 2^%u",
			    info.page_shift, vm->page_shift);
	if (ioctl(vm->uvsim_fd, UVSIM_BIND, &bind))
		return fail_errno("UVSIM_BIND to LPID %u", vm->lpid);
	return 0;
}

int secure_open(struct vm *vm)
{
	if (vm->opt.normal)
		return 0;
	return create_svm(vm) || bind_ultravisor(vm) ? -1 : 0;
}

static int move_to_g(struct vm *vm)
{
	void *g = mmap(NULL, vm->mem_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->uvsim_fd, 0);

	if (g == MAP_FAILED)
		return fail_errno("cannot map the guest view");
	if (vm_point_at(vm, g)) {
		munmap(g, vm->mem_bytes);
		return -1;
	}
	pthread_mutex_lock(&vm->lock);
	vm->g = g;
	/* The page is the guest's now; it says so when it has shared it. */
	vm->mailbox_ok = false;
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

/*
 * UV_ESM succeeded; the vCPUs are paused. A VM that was secure already just
 * gets its return code.
 */
void secure_esm(struct vcpu *vcpu, struct ucall *call)
{
	struct vm *vm = vcpu->vm;

	if (vm->g)
		return;
	call->moved = true;
	if (move_to_g(vm) || arch_vcpu_reset(vcpu, call->out[0]))
		vm_stop(vm, 0, "SVM %u went secure, but its guest view cannot be used", vm->lpid);
}

/* The way back: see UVC_SVM_OFF in control.h. Returns 0 or an errno. */
int secure_off(struct vm *vm)
{
	int error = 0;

	if (vm->svm_fd < 0)
		return ENOTTY;
	vm_stop(vm, 0, "SVM %u was terminated by UVMEM_SVM_OFF", vm->lpid);
	vcpus_pause(vm);
	if (ioctl(vm->svm_fd, UVMEM_SVM_OFF)) {
		error = errno;
		fail_errno("UVMEM_SVM_OFF");
	} else if (vm->g) {
		if (vm_point_at(vm, vm->h))
			error = EIO;
		munmap(vm->g, vm->mem_bytes);
		pthread_mutex_lock(&vm->lock);
		vm->g = NULL;
		pthread_mutex_unlock(&vm->lock);
	}
	vcpus_resume(vm);
	return error;
}
