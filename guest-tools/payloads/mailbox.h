/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the launcher talks to the agent payload: one page with a slot per vCPU.
 *
 * An idle vCPU rings the doorbell AGENT_WAIT and stays outside the guest until
 * the launcher has put a command into its slot and re-enters it. The page is
 * ordinary guest memory at AGENT_MAILBOX_GPA; once the VM is secure the agent
 * shares it, which zeroes it, and goes on. Nothing secret passes through it
 * that the command did not ask for.
 */
#ifndef _AGENT_MAILBOX_H
#define _AGENT_MAILBOX_H

#include <stdint.h>

#define AGENT_MAGIC 0x756d74676e656761ULL /* "agentgmu" */
#define AGENT_MAX_VCPUS 15
#define AGENT_DATA_BYTES 128

/* First page of the mailbox, at a multiple of 64 KiB so that any page size fits. */
#define AGENT_MAILBOX_GPA 0x100000ULL
/* Where the payload is loaded and starts. */
#define AGENT_LOAD_GPA 0x200000ULL
/* The launcher puts the ESM blob here, at most 64 KiB. */
#define AGENT_ESM_BLOB_GPA 0x180000ULL
/* From here to the end of memory nothing but commands touches memory. */
#define AGENT_FREE_GPA 0x400000ULL

enum agent_cmd {
	AGENT_NOP,
	AGENT_READ,	/* gpa, len <= AGENT_DATA_BYTES -> data */
	AGENT_WRITE,	/* gpa, len, data */
	AGENT_FILL,	/* gpa, len, arg0 = byte */
	AGENT_CHECKSUM, /* gpa, len -> ret = FNV-1a 64 of the bytes */
	AGENT_ESM,	/* arg0 = blob gpa, arg1 = fdt gpa */
	AGENT_SHARE,	/* gpa, len (whole pages), arg0 = enum agent_share_by */
	AGENT_UNSHARE,	/* gpa, len, arg0 */
	AGENT_UNSHARE_ALL,
	AGENT_RANDOM,  /* H_RANDOM -> out[0] */
	AGENT_UCALL,   /* raw: arg0 = nr, data = 6 * u64 args -> ret, out */
	AGENT_PATTERN, /* gpa, len, arg0 = seed, arg1 = iterations; see pattern.h */
	AGENT_VERIFY,  /* gpa, len, arg0 = seed, arg1 = iteration */
	AGENT_EXIT,    /* the VM ends */
};

/* Who is asked to share: the ultravisor, or the machine's own hypercall for it. */
enum agent_share_by {
	AGENT_BY_UCALL,	    /* ret is a U_* code */
	AGENT_BY_HYPERCALL, /* x86: KVM_HC_MAP_GPA_RANGE, ret is 0 or -KVM_E*; else U_FUNCTION */
};

enum agent_status {
	AGENT_EMPTY,
	AGENT_POSTED, /* by the launcher */
	AGENT_DONE,   /* by the agent */
};

struct agent_slot {
	uint32_t status; /* enum agent_status */
	uint32_t cmd;	 /* enum agent_cmd */
	uint64_t gpa;
	uint64_t len;
	uint64_t arg0;
	uint64_t arg1;
	int64_t ret;	 /* out: U_* of the ultracall, or the result; H_PARAMETER
	                  * and H_FUNCTION for commands the agent refuses
	                  */
	uint64_t out[2]; /* out */
	uint64_t detail; /* out: PATTERN/VERIFY: first bad gpa, 0 if none */
	uint8_t data[AGENT_DATA_BYTES];
	uint8_t pad[256 - 72 - AGENT_DATA_BYTES];
};

struct agent_mailbox {
	uint64_t magic;	     /* AGENT_MAGIC once the agent runs */
	uint32_t secure;     /* 1 once the agent runs after UV_ESM */
	uint32_t page_shift; /* set by the launcher before the start */
	uint8_t pad[48];
	struct agent_slot slot[AGENT_MAX_VCPUS];
};

/*
 * The doorbell on x86 is port I/O, on ppc64 a hypercall. Ultracalls use
 * AGENT_DOORBELL_UCALL on x86, "sc 1" with the UV_* number itself on ppc64.
 *
 * x86: "outl %eax, %dx" with EAX = doorbell number and DX = AGENT_PORT. An
 * ultracall has its number in RDI and its arguments in RSI, RCX, R8, R9, R10,
 * R11; it returns U_* in RAX and R4, R5 of the specification in RSI, RCX.
 */
#define AGENT_PORT 0x500
#define AGENT_DOORBELL_UCALL 1
#define AGENT_DOORBELL_WAIT 2  /* RDI = vcpu */
#define AGENT_DOORBELL_PANIC 3 /* RDI = gpa of a text in the mailbox, RSI = length */
#define AGENT_DOORBELL_EXIT 4  /* the VM ends */

/*
 * ppc64: "sc 1" with R3 = AGENT_HCALL(doorbell number) and arguments in R4 and
 * R5. Small numbers are PAPR's own (4 is H_REMOVE), which KVM answers itself.
 */
#define AGENT_HCALL(doorbell) (0xED00 + (doorbell))

#endif /* _AGENT_MAILBOX_H */
