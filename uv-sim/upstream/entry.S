/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where ucall_norets() is sent. A caller in the kernel proper called a function
 * with the same TOC as its own, and expects r2 back as it was; this code, in a
 * module, has another one.
 *
 * Entered with r12 = uvup_ucall_entry, r3 to r8 the ultracall's number and
 * arguments, LR the way back. Leaves the status in r3.
 */
#include <asm/ppc_asm.h>

#define FRAME	128
#define SAVE_R2	112

	.section ".text","ax",@progbits
	.align	2
	.globl	uvup_ucall_entry
	.type	uvup_ucall_entry,@function
uvup_ucall_entry:
	mflr	r0
	std	r0,16(r1)
	stdu	r1,-FRAME(r1)
	std	r2,SAVE_R2(r1)
	addis	r2,r12,(.TOC.-uvup_ucall_entry)@ha
	addi	r2,r2,(.TOC.-uvup_ucall_entry)@l
	bl	uvup_ucall
	nop
	ld	r2,SAVE_R2(r1)
	addi	r1,r1,FRAME
	ld	r0,16(r1)
	mtlr	r0
	blr
	.size	uvup_ucall_entry,.-uvup_ucall_entry
