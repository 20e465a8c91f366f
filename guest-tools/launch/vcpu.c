// SPDX-License-Identifier: GPL-2.0
/*
 * vCPU threads: enter the guest, see why it came out, do that, again.
 *
 * Whoever changes what the vCPUs stand on (memslots, registers, the mailbox)
 * holds all of them outside of KVM_RUN with vcpus_pause(). A kick sets
 * immediate_exit before the signal, so a vCPU that is just about to enter
 * comes straight back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "arch.h"

#define KICK SIGUSR1
#define FAULT_TRIES 1000

static void on_kick(int sig)
{
	(void)sig;
}

void vcpus_kick(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->opt.nvcpus; i++) {
		struct vcpu *vcpu = &vm->vcpu[i];

		if (!vcpu->in_guest)
			continue;
		vcpu->run->immediate_exit = 1;
		pthread_kill(vcpu->thread, KICK);
	}
}

static bool any_in_guest(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->opt.nvcpus; i++)
		if (vm->vcpu[i].in_guest)
			return true;
	return false;
}

/* Takes and drops vm->lock. A vCPU thread may call it for the others. */
void vcpus_pause(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	while (vm->pausing)
		pthread_cond_wait(&vm->cond, &vm->lock);
	vm->pausing = true;
	vcpus_kick(vm);
	while (any_in_guest(vm))
		pthread_cond_wait(&vm->cond, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

void vcpus_resume(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->pausing = false;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

/* Waits until the vCPU may run; false when the VM ends. */
static bool vcpu_enter(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	bool go;

	pthread_mutex_lock(&vm->lock);
	while (!vm->ending && (vm->pausing || vm->guest_state != UVC_GUEST_RUNNING))
		pthread_cond_wait(&vm->cond, &vm->lock);
	go = !vm->ending;
	if (go) {
		vcpu->run->immediate_exit = 0;
		vcpu->in_guest = true;
	}
	pthread_mutex_unlock(&vm->lock);
	return go;
}

static void vcpu_leave(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->lock);
	vcpu->in_guest = false;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

static void handle_ucall(struct vcpu *vcpu, struct ucall *call)
{
	ucall_forward(vcpu, call);
	if (!call->moved && arch_ucall_return(vcpu, call))
		vm_stop(vcpu->vm, 0, "vCPU %u: its registers cannot be set", vcpu->index);
}

static void handle_wait(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->lock);
	while (!mailbox_wait(vcpu))
		pthread_cond_wait(&vcpu->vm->cond, &vcpu->vm->lock);
	pthread_mutex_unlock(&vcpu->vm->lock);
}

/* The text is the guest's: it is only read where the guest cannot point elsewhere. */
static void handle_panic(struct vcpu *vcpu, uint64_t gpa, uint64_t len)
{
	char text[AGENT_DATA_BYTES + 1] = "it left no text";
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->lock);
	if (vm->mailbox_ok && gpa >= AGENT_MAILBOX_GPA && len && len <= AGENT_DATA_BYTES &&
	    gpa - AGENT_MAILBOX_GPA <= sizeof(struct agent_mailbox) - len) {
		memcpy(text, vm->h + gpa, len);
		text[len] = '\0';
	}
	pthread_mutex_unlock(&vm->lock);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	vm_stop(vm, 0, "panic of vCPU %u: %s", vcpu->index, text);
}

static void handle_exit(struct vcpu *vcpu)
{
	struct ucall call = { 0 };
	char why[96] = "";

	switch (arch_exit(vcpu, &call, why, sizeof(why))) {
	case GUEST_AGAIN:
		break;
	case GUEST_UCALL:
		handle_ucall(vcpu, &call);
		break;
	case GUEST_WAIT:
		handle_wait(vcpu);
		break;
	case GUEST_PANIC:
		handle_panic(vcpu, call.args[0], call.args[1]);
		break;
	case GUEST_EXIT:
		vm_exit(vcpu->vm);
		break;
	case GUEST_STUCK:
		vm_stop_after_fault(vcpu->vm, why);
		break;
	}
}

/*
 * KVM says EFAULT also when a page was paged out after its own fault on G had
 * brought it in and before it looked. An SVM that was not stopped tries again;
 * an access that is refused for good is refused each time.
 */
static bool may_be_a_race(struct vcpu *vcpu, int error)
{
	if (error != EFAULT) {
		vcpu->faults = 0;
		return false;
	}
	return ++vcpu->faults < FAULT_TRIES && !vm_is_stopped(vcpu->vm);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	while (vcpu_enter(vcpu)) {
		int error = ioctl(vcpu->fd, KVM_RUN, 0) ? errno : 0;

		vcpu_leave(vcpu);
		if (error == EINTR || error == EAGAIN || may_be_a_race(vcpu, error))
			continue;
		if (error) {
			char why[96];

			snprintf(why, sizeof(why), "vCPU %u: KVM_RUN: %s (%s)", vcpu->index,
				 strerror(error), strerrorname_np(error));
			vm_stop_after_fault(vcpu->vm, why);
		} else {
			handle_exit(vcpu);
		}
	}
	return NULL;
}

static int vcpu_create(struct vm *vm, unsigned int index, size_t run_bytes)
{
	struct vcpu *vcpu = &vm->vcpu[index];
	void *run;

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		return fail_errno("KVM_CREATE_VCPU %u", index);
	run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return fail_errno("cannot map the kvm_run of vCPU %u", index);
	vcpu->run = run;
	if (arch_vcpu_init(vcpu))
		return -1;
	return arch_vcpu_reset(vcpu, vm->payload.entry);
}

int vcpus_create(struct vm *vm)
{
	int run_bytes = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (run_bytes < (int)sizeof(struct kvm_run))
		return fail_errno("KVM_GET_VCPU_MMAP_SIZE");
	for (unsigned int i = 0; i < vm->opt.nvcpus; i++)
		if (vcpu_create(vm, i, (size_t)run_bytes))
			return -1;
	return 0;
}

int vcpus_start(struct vm *vm)
{
	struct sigaction action = { .sa_handler = on_kick };

	if (sigaction(KICK, &action, NULL))
		return fail_errno("sigaction");
	for (unsigned int i = 0; i < vm->opt.nvcpus; i++) {
		errno = pthread_create(&vm->vcpu[i].thread, NULL, vcpu_thread, &vm->vcpu[i]);
		if (errno)
			return fail_errno("cannot start the thread of vCPU %u", i);
	}
	return 0;
}

void vcpus_join(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->opt.nvcpus; i++)
		pthread_join(vm->vcpu[i].thread, NULL);
}
