/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket of a running VM: wire format and client.
 *
 * uvlaunch listens on a SOCK_SEQPACKET socket RUNDIR/ID.sock, where RUNDIR is
 * $UVMEM_RUN_DIR or /run/uvmem, and ID names the VM. One packet is one request
 * or one reply; requests of one connection are answered in order. Both sides
 * are on one machine: integers have host byte order.
 */
#ifndef _UVC_CONTROL_H
#define _UVC_CONTROL_H

#include <stdint.h>
#include <sys/types.h>
#include "../payloads/mailbox.h"

#define UVC_MAGIC 0x55564331u /* "UVC1" */
#define UVC_RUN_DIR "/run/uvmem"
#define UVC_DATA_BYTES AGENT_DATA_BYTES

enum uvc_op {
	UVC_INFO,	/* -> struct uvc_reply.info and the SVM's and /dev/uvsim's fd */
	UVC_AGENT,	/* run @agent on vCPU @vcpu and wait for its answer */
	UVC_AGENT_POST, /* the same, but answer as soon as it has started */
	UVC_AGENT_WAIT, /* wait for what UVC_AGENT_POST started on @vcpu */
	UVC_SVM_OFF,	/* pause, terminate, memslots back to H; vCPUs stay paused */
	UVC_QUIT,	/* end the VM */
};

enum uvc_guest_state {
	UVC_GUEST_RUNNING,
	UVC_GUEST_STOPPED, /* see uvsim_svm.stop_reason, or kvm_exit */
	UVC_GUEST_EXITED,  /* AGENT_EXIT */
};

struct uvc_info {
	int32_t pid;
	uint32_t lpid;
	uint32_t nvcpus;
	uint32_t page_shift;
	uint32_t secure;      /* memslots point at G */
	uint32_t guest_state; /* enum uvc_guest_state */
	uint64_t mem_bytes;
	uint64_t hva; /* of GPA 0 in H */
	uint64_t gva; /* of GPA 0 in G, 0 before UV_ESM */
	uint64_t stop_gpa;
	char stop_text[160]; /* why the guest stopped, for people */
};

struct uvc_request {
	uint32_t magic; /* UVC_MAGIC */
	uint32_t op;	/* enum uvc_op */
	uint32_t vcpu;
	uint32_t pad;
	struct agent_slot agent;
};

struct uvc_reply {
	uint32_t magic; /* UVC_MAGIC */
	int32_t error;	/* 0 or a positive errno of the launcher */
	struct agent_slot agent;
	struct uvc_info info;
};

/*
 * The client. Functions return 0, or -1 with errno set: ESRCH no such VM,
 * ENOTCONN the guest has stopped (its reason is in the reply's info),
 * EPROTO the other side does not speak this protocol.
 */
struct uvc {
	int sock;
	int svm_fd; /* from UVC_INFO */
	int uvsim_fd;
	struct uvc_info info;
};

int uvc_open(struct uvc *c, const char *id); /* connects and fetches info */
int uvc_open_path(struct uvc *c, const char *socket_path);
void uvc_close(struct uvc *c);
int uvc_refresh(struct uvc *c); /* fetch info again */
int uvc_call(struct uvc *c, const struct uvc_request *req, struct uvc_reply *rep);
int uvc_agent(struct uvc *c, unsigned int vcpu, struct agent_slot *slot);
/* The host's own view of guest memory: process_vm_readv/writev on H. */
ssize_t uvc_peek(struct uvc *c, uint64_t gpa, void *buf, size_t len);
ssize_t uvc_poke(struct uvc *c, uint64_t gpa, const void *buf, size_t len);
/* IDs of the running VMs, malloc()ed, NULL terminated. */
char **uvc_list(void);

#endif /* _UVC_CONTROL_H */
