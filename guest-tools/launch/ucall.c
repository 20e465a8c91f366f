// SPDX-License-Identifier: GPL-2.0
/*
 * Ultracalls of the guest: all go to the ultravisor as they are. Two kinds need
 * more of the launcher. UV_ESM moves the VM to its guest view (secure.c). And
 * a call that takes the mailbox page away, or brings it back zeroed, is made
 * with the vCPUs paused: answers that lie there are fetched first.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../uv-sim/uapi/uv.h"
#include "vm.h"

/* Without an ultravisor the guest hears what a machine without one says. */
static void ask_ultravisor(struct vm *vm, struct ucall *call)
{
	struct uvsim_ucall uc = { .nr = call->nr };

	if (vm->uvsim_fd < 0) {
		call->ret = U_FUNCTION;
		return;
	}
	memcpy(uc.args, call->args, sizeof(uc.args));
	if (ioctl(vm->uvsim_fd, UVSIM_UCALL, &uc)) {
		fail_errno("UVSIM_UCALL 0x%llx", (unsigned long long)call->nr);
		call->ret = U_FUNCTION;
		return;
	}
	call->ret = uc.ret;
	memcpy(call->out, uc.out, sizeof(call->out));
}

static bool hits_mailbox(const struct vm *vm, const struct ucall *call)
{
	uint64_t gfn = AGENT_MAILBOX_GPA >> vm->page_shift;

	switch (call->nr) {
	case UV_UNSHARE_ALL_PAGES:
		return true;
	case UV_SHARE_PAGE:
	case UV_UNSHARE_PAGE:
		return call->args[0] <= gfn && gfn - call->args[0] < call->args[1];
	default:
		return false;
	}
}

static void ucall_on_mailbox(struct vm *vm, struct ucall *call)
{
	vcpus_pause(vm);
	pthread_mutex_lock(&vm->lock);
	mailbox_collect(vm);
	pthread_mutex_unlock(&vm->lock);

	ask_ultravisor(vm, call);

	pthread_mutex_lock(&vm->lock);
	if (call->ret == U_SUCCESS)
		vm->mailbox_ok = call->nr == UV_SHARE_PAGE;
	pthread_mutex_unlock(&vm->lock);
	vcpus_resume(vm);
}

void ucall_forward(struct vcpu *vcpu, struct ucall *call)
{
	if (call->nr == UV_ESM) {
		vcpus_pause(vcpu->vm);
		pthread_mutex_lock(&vcpu->vm->lock);
		mailbox_collect(vcpu->vm);
		pthread_mutex_unlock(&vcpu->vm->lock);
		ask_ultravisor(vcpu->vm, call);
		if (call->ret == U_SUCCESS)
			secure_esm(vcpu, call);
		vcpus_resume(vcpu->vm);
	} else if (hits_mailbox(vcpu->vm, call)) {
		ucall_on_mailbox(vcpu->vm, call);
	} else {
		ask_ultravisor(vcpu->vm, call);
	}
}
