// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a guest: it stopped (and why), it is done, or the launcher is to
 * quit. A guest that stopped stays: the control socket goes on answering.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../uv-sim/uapi/uv.h"
#include "vm.h"

/* The first reason is the one that counts. */
void vm_stop(struct vm *vm, uint64_t gpa, const char *format, ...)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->guest_state == UVC_GUEST_RUNNING) {
		va_list args;

		va_start(args, format);
		vsnprintf(vm->stop_text, sizeof(vm->stop_text), format, args);
		va_end(args);
		vm->guest_state = UVC_GUEST_STOPPED;
		vm->stop_gpa = gpa;
		fail("%s: %s", vm->opt.id, vm->stop_text);
		vcpus_kick(vm);
		pthread_cond_broadcast(&vm->cond);
	}
	pthread_mutex_unlock(&vm->lock);
}

static void stop_by_ultravisor(struct vm *vm, const struct uvsim_svm *svm)
{
	unsigned long long gpa = svm->stop_gpa;

	switch (svm->stop_reason) {
	case UV_STOP_INTEGRITY:
		vm_stop(vm, gpa, "SVM %u stopped: integrity: page-in of GPA 0x%llx does not verify",
			vm->lpid, gpa);
		break;
	case UV_STOP_LOST:
		vm_stop(vm, gpa,
			"SVM %u stopped: lost: the hypervisor returned no content for GPA 0x%llx",
			vm->lpid, gpa);
		break;
	case UV_STOP_HYPERVISOR:
		vm_stop(vm, gpa, "SVM %u stopped: hypervisor: a hypercall failed for GPA 0x%llx",
			vm->lpid, gpa);
		break;
	case UV_STOP_TERMINATED:
		vm_stop(vm, gpa, "SVM %u stopped: terminated: UV_SVM_TERMINATE", vm->lpid);
		break;
	default:
		vm_stop(vm, gpa, "SVM %u stopped: reason %u, GPA 0x%llx", vm->lpid,
			svm->stop_reason, gpa);
	}
}

/* Whether the ultravisor has stopped the SVM, or the VM never was one. */
bool vm_is_stopped(const struct vm *vm)
{
	struct uvsim_svm svm = { .lpid = vm->lpid };

	return vm->uvsim_fd < 0 || ioctl(vm->uvsim_fd, UVSIM_GET_SVM, &svm) ||
	       svm.state != UV_VM_SECURE;
}

/* A vCPU cannot go on. If the ultravisor stopped the SVM, its reason is the reason. */
void vm_stop_after_fault(struct vm *vm, const char *what)
{
	struct uvsim_svm svm = { .lpid = vm->lpid };

	if (vm->uvsim_fd >= 0 && !ioctl(vm->uvsim_fd, UVSIM_GET_SVM, &svm) &&
	    svm.stop_reason != UV_STOP_NONE)
		stop_by_ultravisor(vm, &svm);
	else
		vm_stop(vm, 0, "%s", what);
}

/* Ask main() to end the launcher. */
void vm_end(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->ending = true;
	vcpus_kick(vm);
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
	kill(getpid(), SIGUSR2);
}

/* The guest is done. */
void vm_exit(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->guest_state == UVC_GUEST_RUNNING) {
		vm->guest_state = UVC_GUEST_EXITED;
		snprintf(vm->stop_text, sizeof(vm->stop_text), "the guest has ended");
	}
	pthread_mutex_unlock(&vm->lock);
	vm_end(vm);
}
