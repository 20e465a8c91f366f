/* SPDX-License-Identifier: GPL-2.0 */
/* x86: numbers that start.S and exception.c agree on. */
#ifndef _PAYLOAD_X86_MACHINE_H
#define _PAYLOAD_X86_MACHINE_H

#define STACKS 15 /* AGENT_MAX_VCPUS */
#define STACK_BYTES 8192

#define EXCEPTIONS 32
#define EXCEPTION_BYTES 16
/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX push an error code. */
#define ERROR_CODE_MASK 0x60227d00

#define CODE_SELECTOR 8

#endif /* _PAYLOAD_X86_MACHINE_H */
