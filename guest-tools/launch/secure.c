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

#include "../../uv-sim/uapi/uv.h"
#include "arch.h"

static int bind_ultravisor(struct vm *vm)
{
	struct uvsim_bind bind = { .lpid = vm->lpid };
	struct uvsim_info info;

	vm->uvsim_fd = open("/dev/uvsim", O_RDWR | O_CLOEXEC);
	if (vm->uvsim_fd < 0 && errno == ENOENT)
		return fail("there is no /dev/uvsim: load uv-sim.ko, or use --normal");
	if (vm->uvsim_fd < 0)
		return fail_errno("cannot open /dev/uvsim");
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
	return hypervisor_open(vm) || bind_ultravisor(vm) ? -1 : 0;
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
	int error;

	if (vm->svm_fd < 0)
		return ENOTTY;
	vm_stop(vm, 0, "SVM %u was terminated by its VMM", vm->lpid);
	vcpus_pause(vm);
	error = hypervisor_off(vm);
	if (!error && vm->g) {
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
