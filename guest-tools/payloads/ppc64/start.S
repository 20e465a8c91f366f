/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ppc64: the first instructions. Control arrives in 64-bit little-endian real
 * mode with the vCPU's index in R3; at secure_start after UV_ESM, with nothing
 * else.
 */
#include "machine.h"

	.abiversion 2
	.section .text.start, "ax"
	.globl	start, secure_start

start:
	lis	%r30, guest_main@h
	ori	%r30, %r30, guest_main@l
	b	to_c

secure_start:
	lis	%r30, guest_secure_main@h
	ori	%r30, %r30, guest_secure_main@l

to_c:
	lis	%r2, .TOC.@h
	ori	%r2, %r2, .TOC.@l
	clrldi	%r31, %r3, 32
	addi	%r4, %r31, 1
	mulli	%r4, %r4, STACK_BYTES
	lis	%r1, stacks@h
	ori	%r1, %r1, stacks@l
	add	%r1, %r1, %r4
	li	%r0, 0
	stdu	%r0, -FRAME_BYTES(%r1)
	bl	ppc64_catch_exceptions
	nop
	mr	%r3, %r31
	mr	%r12, %r30
	mtctr	%r12
	bctrl
	trap

/*
 * Every interrupt vector loads its number into R3 and comes here. The stack
 * is the one of what was interrupted.
 */
	.globl	exception
exception:
	lis	%r2, .TOC.@h
	ori	%r2, %r2, .TOC.@l
	mr	%r4, %r1
	addi	%r1, %r1, -(RED_ZONE_BYTES + FRAME_BYTES)
	clrrdi	%r1, %r1, 4
	li	%r0, 0
	std	%r0, 0(%r1)
	bl	ppc64_exception
	nop
1:	b	1b

	.bss
	.balign	16
	.globl	stacks
stacks:
	.skip	STACKS * STACK_BYTES
	.section .note.GNU-stack, "", @progbits
