/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM as the launcher knows it.
 *
 * One lock, vm->lock, guards everything below that changes after the vCPUs
 * have started; vm->cond is signalled on every such change. No ioctl that may
 * wait for a page is made under it.
 */
#ifndef _LAUNCH_VM_H
#define _LAUNCH_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/control.h"
#include "../payloads/header.h"

/* What the command line asks for. */
struct options {
	const char *id;
	uint64_t mem_bytes;
	unsigned int nvcpus;
	const char *payload;
	const char *owner_key; /* hex or a file; NULL: no blob */
	const char *esm_blob;  /* file; NULL: made from the payload */
	bool bad_measurement;
	bool normal;
	bool daemon;
};

/* Where a vCPU is with the command of the control socket. */
enum command_state {
	CMD_IDLE,
	CMD_QUEUED,  /* not in the mailbox yet */
	CMD_RUNNING, /* in the mailbox */
	CMD_DONE,    /* the answer is here, nobody has fetched it */
};

struct vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool in_guest;	     /* between vcpu_enter() and vcpu_leave() */
	unsigned int faults; /* EFAULTs in a row; the vCPU's thread only */
	enum command_state state;
	bool waited_for;	   /* a client waits for the answer */
	struct agent_slot command; /* then the answer */
};

struct vm {
	struct options opt;
	uint32_t page_shift;
	uint64_t mem_bytes;
	int kvm_fd, vm_fd;
	int svm_fd, uvsim_fd; /* -1 in a VM without a hypervisor half */
	int hv_fd;	      /* the hypervisor's KVM VM; -1 with kvm-uvmem */
	uint32_t lpid;
	uint8_t *h; /* the host view: ours to touch */
	uint8_t *g; /* the guest view: never touched here; NULL if not mapped */
	struct payload_header payload;

	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool pausing;	 /* somebody holds the vCPUs outside of the guest */
	bool mailbox_ok; /* the mailbox page is the host's to read and write */
	bool ending;
	unsigned int requests; /* control requests being answered */
	enum uvc_guest_state guest_state;
	uint64_t stop_gpa;
	char stop_text[sizeof(((struct uvc_info *)0)->stop_text)];
	struct vcpu vcpu[AGENT_MAX_VCPUS];
};

/* An ultracall on its way from a vCPU to the ultravisor and back. */
struct ucall {
	uint64_t nr;
	uint64_t args[6];
	int64_t ret;
	uint64_t out[2];
	bool moved; /* the vCPU goes on elsewhere: no return values */
};

/* say.c: messages. Returns -1, so that a failing function can return it. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* vm.c: the VM, its memory and memslots */
int vm_create(struct vm *vm, const struct options *opt);
int vm_point_at(struct vm *vm, uint8_t *view);

/* payload.c */
int payload_load(struct vm *vm);

/* vcpu.c: threads and the run loop */
int vcpus_create(struct vm *vm);
int vcpus_start(struct vm *vm);
void vcpus_join(struct vm *vm);
void vcpus_pause(struct vm *vm);
void vcpus_resume(struct vm *vm);
void vcpus_kick(struct vm *vm);

/* stop.c: a guest that cannot go on */
void vm_stop(struct vm *vm, uint64_t gpa, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void vm_stop_after_fault(struct vm *vm, const char *what);
bool vm_is_stopped(const struct vm *vm);
void vm_exit(struct vm *vm);
void vm_end(struct vm *vm);

/* ucall.c: ultracalls of the guest */
void ucall_forward(struct vcpu *vcpu, struct ucall *call);

/* hypervisor.c: the hypervisor half */
int hypervisor_open(struct vm *vm);
int hypervisor_off(struct vm *vm);

/* secure.c: into secure mode and back */
int secure_open(struct vm *vm);
void secure_esm(struct vcpu *vcpu, struct ucall *call);
int secure_off(struct vm *vm);

/* esm.c */
int esm_put_blob(struct vm *vm);

/* mailbox.c: commands of the control socket; called with vm->lock held */
void mailbox_init(struct vm *vm);
bool mailbox_wait(struct vcpu *vcpu);
void mailbox_collect(struct vm *vm);
int mailbox_queue(struct vcpu *vcpu, const struct agent_slot *command);
int mailbox_fetch(struct vcpu *vcpu, struct agent_slot *answer);

/* control.c */
int control_start(struct vm *vm);
void control_stop(struct vm *vm);

#endif /* _LAUNCH_VM_H */
