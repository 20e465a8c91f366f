// SPDX-License-Identifier: GPL-2.0
/*
 * Commands to the agent: queued by a control thread, put into the mailbox and
 * taken out of it by the vCPU's own thread. So the mailbox is never touched
 * while the vCPUs are paused, except by mailbox_collect(), whose caller paused
 * them.
 *
 * The guest may write anything there at any time: a slot is copied out once,
 * and only the copy is looked at.
 */
#include <errno.h>
#include <string.h>

#include "vm.h"

static struct agent_slot *slot_of(struct vcpu *vcpu)
{
	struct agent_mailbox *mb = (void *)(vcpu->vm->h + AGENT_MAILBOX_GPA);

	return &mb->slot[vcpu->index];
}

/* Before the vCPUs start. */
void mailbox_init(struct vm *vm)
{
	struct agent_mailbox *mb = (void *)(vm->h + AGENT_MAILBOX_GPA);

	mb->page_shift = vm->page_shift;
	vm->mailbox_ok = true;
}

/* Take the answer of a running command, if there is one. */
static void collect(struct vcpu *vcpu)
{
	struct agent_slot *slot = slot_of(vcpu);
	uint32_t cmd = vcpu->command.cmd;

	if (vcpu->state != CMD_RUNNING ||
	    __atomic_load_n(&slot->status, __ATOMIC_ACQUIRE) != AGENT_DONE)
		return;
	memcpy(&vcpu->command, slot, sizeof(*slot));
	vcpu->command.status = AGENT_DONE;
	vcpu->command.cmd = cmd;
	vcpu->state = CMD_DONE;
	pthread_cond_broadcast(&vcpu->vm->cond);
}

/* The mailbox is about to be zeroed; all vCPUs are paused. */
void mailbox_collect(struct vm *vm)
{
	for (unsigned int i = 0; vm->mailbox_ok && i < vm->opt.nvcpus; i++)
		collect(&vm->vcpu[i]);
}

static void post(struct vcpu *vcpu)
{
	struct agent_slot *slot = slot_of(vcpu);

	vcpu->command.status = AGENT_EMPTY;
	memcpy(slot, &vcpu->command, sizeof(*slot));
	__atomic_store_n(&slot->status, AGENT_POSTED, __ATOMIC_RELEASE);
	vcpu->state = CMD_RUNNING;
}

/*
 * The vCPU is idle. Returns true when it shall go on, false when its thread
 * must wait for vm->cond. A command that is still running although the agent
 * idles was zeroed before the agent took it: it is posted again.
 */
bool mailbox_wait(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (vm->ending || vm->guest_state != UVC_GUEST_RUNNING)
		return true;
	if (vm->pausing || !vm->mailbox_ok)
		return false;
	collect(vcpu);
	if (vcpu->state == CMD_RUNNING)
		vcpu->state = CMD_QUEUED;
	if (vcpu->state != CMD_QUEUED)
		return false;
	post(vcpu);
	return true;
}

/* Returns 0 or an errno. An answer that nobody fetched gives way. */
int mailbox_queue(struct vcpu *vcpu, const struct agent_slot *command)
{
	if (vcpu->vm->guest_state != UVC_GUEST_RUNNING || vcpu->vm->ending)
		return ENOTCONN;
	if (vcpu->state == CMD_QUEUED || vcpu->state == CMD_RUNNING || vcpu->waited_for)
		return EBUSY;
	vcpu->command = *command;
	vcpu->state = CMD_QUEUED;
	pthread_cond_broadcast(&vcpu->vm->cond);
	return 0;
}

static bool has_exited(struct vcpu *vcpu)
{
	return vcpu->vm->guest_state == UVC_GUEST_EXITED && vcpu->state == CMD_RUNNING &&
	       vcpu->command.cmd == AGENT_EXIT;
}

/* Wait for the answer. Returns 0 or an errno. */
int mailbox_fetch(struct vcpu *vcpu, struct agent_slot *answer)
{
	struct vm *vm = vcpu->vm;
	int error = 0;

	if (vcpu->state == CMD_IDLE)
		return EINVAL;
	if (vcpu->waited_for)
		return EBUSY;
	vcpu->waited_for = true;
	while (vcpu->state != CMD_DONE && !vm->ending && vm->guest_state == UVC_GUEST_RUNNING)
		pthread_cond_wait(&vm->cond, &vm->lock);
	if (has_exited(vcpu)) {
		vcpu->command.status = AGENT_DONE;
		vcpu->state = CMD_DONE;
	}
	if (vcpu->state == CMD_DONE)
		*answer = vcpu->command;
	else
		error = ENOTCONN;
	vcpu->state = CMD_IDLE;
	vcpu->waited_for = false;
	return error;
}
