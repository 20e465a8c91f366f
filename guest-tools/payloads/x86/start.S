/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: the first instructions. Control arrives in 64-bit mode with flat
 * segments, memory mapped one to one, and the vCPU's index in RDI; at
 * secure_start after UV_ESM, with nothing else.
 */
#include "machine.h"

	.section .text.start, "ax"
	.globl	start, secure_start

start:
	leaq	guest_main(%rip), %rbx
	jmp	to_c

secure_start:
	leaq	guest_secure_main(%rip), %rbx

to_c:
	cld
	movl	%edi, %edi
	leaq	1(%rdi), %rax
	imulq	$STACK_BYTES, %rax, %rax
	leaq	stacks(%rax), %rsp
	lgdt	gdt_pointer(%rip)
	pushq	%rdi
	pushq	%rdi			/* twice: the stack stays aligned to 16 */
	call	x86_catch_exceptions
	popq	%rdi
	popq	%rdi
	call	*%rbx
	ud2

/*
 * One entry per exception, EXCEPTION_BYTES apart. Some push an error code;
 * for the others a zero takes its place.
 */
	.balign	EXCEPTION_BYTES
	.globl	exception_entries
exception_entries:
	.set	nr, 0
	.rept	EXCEPTIONS
	.balign	EXCEPTION_BYTES
	.if	!((ERROR_CODE_MASK >> nr) & 1)
	pushq	$0
	.endif
	pushq	$nr
	jmp	exception
	.set	nr, nr + 1
	.endr

exception:
	popq	%rdi			/* number */
	popq	%rsi			/* error code */
	movq	(%rsp), %rdx		/* RIP */
	movq	%rsp, %rcx
	andq	$-16, %rsp
	call	x86_exception
	ud2

	.section .rodata
	.balign	16
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code, accessed */
	.quad	0x00cf93000000ffff	/* data, accessed */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.bss
	.balign	16
	.globl	stacks
stacks:
	.skip	STACKS * STACK_BYTES
	.section .note.GNU-stack, "", @progbits
