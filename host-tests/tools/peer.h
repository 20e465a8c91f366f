/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other end of the control socket, in a thread: a "VM" that is a piece of
 * this process' memory, obeying agent commands by itself. It can also misbehave
 * in each way that a client must survive.
 */
#ifndef _TOOLS_PEER_H
#define _TOOLS_PEER_H

#include <pthread.h>

#include "guest-tools/lib/control.h"

#define PEER_MEM (8ULL << 20)
#define PEER_VCPUS 3
#define PEER_LPID 7

enum peer_mode {
	PEER_GOOD,
	PEER_STOPPED, /* every agent command: ENOTCONN and a reason */
	PEER_BUSY,    /* every agent command: EBUSY */
	PEER_MUTE,    /* hangs up instead of answering */
	PEER_BAD_MAGIC,
	PEER_SHORT,    /* a packet of half a reply */
	PEER_LONG,     /* a packet of a reply and a byte */
	PEER_NEGATIVE, /* error below 0 */
	PEER_NO_FDS,
	PEER_MANY_FDS,
	PEER_BAD_SHIFT, /* info that nobody may calculate with */
	PEER_NO_VCPUS,
	PEER_UNFINISHED, /* an agent answer that is none */
};

struct peer {
	char dir[64];
	char id[32];
	enum peer_mode mode;
	struct uvc_info info;
	uint8_t *mem;
	struct uvc_request last; /* the last request that came */
	unsigned int requests;
	struct agent_slot posted[PEER_VCPUS];
	int listener;
	pthread_t thread;
};

/* Listens on a fresh run directory, and sets UVMEM_RUN_DIR to it. */
void peer_start(struct peer *p, const char *id, enum peer_mode mode);
void peer_stop(struct peer *p);

#endif /* _TOOLS_PEER_H */
