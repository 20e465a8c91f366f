/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first bytes of a payload image: what the launcher must know to load,
 * measure and start it. Addresses are GPAs; the image is loaded at
 * AGENT_LOAD_GPA.
 */
#ifndef _PAYLOAD_HEADER_H
#define _PAYLOAD_HEADER_H

#include <stdint.h>

#define PAYLOAD_MAGIC 0x31646c7961707675ULL /* "uvpayld1" */

struct payload_header {
	uint64_t magic;
	uint64_t entry;		 /* every vCPU starts here, its index in the first argument */
	uint64_t secure_entry;	 /* the vCPU that called UV_ESM goes on here */
	uint64_t measured_bytes; /* from the load address: nothing writes there */
	uint64_t image_bytes;	 /* in the file */
	uint64_t memory_bytes;	 /* with the memory that starts as zeros */
};

#endif /* _PAYLOAD_HEADER_H */
