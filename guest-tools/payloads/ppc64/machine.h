/* SPDX-License-Identifier: GPL-2.0 */
/* ppc64: numbers that start.S and exception.c agree on. */
#ifndef _PAYLOAD_PPC64_MACHINE_H
#define _PAYLOAD_PPC64_MACHINE_H

#define STACKS 15 /* AGENT_MAX_VCPUS */
#define STACK_BYTES 8192

#define FRAME_BYTES 32	   /* the least that a caller leaves its callee */
#define RED_ZONE_BYTES 288 /* below the stack pointer, in use without a frame */

#endif /* _PAYLOAD_PPC64_MACHINE_H */
