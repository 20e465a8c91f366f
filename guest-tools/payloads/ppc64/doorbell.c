// SPDX-License-Identifier: GPL-2.0
/*
 * ppc64: the ways out of the guest, all of them "sc 1" with a number in R3
 * (mailbox.h). On hardware with an ultravisor, ultracalls would be "sc 2" with
 * the same registers.
 */
#include "../lib/guest.h"

/* What a hypercall leaves alone: R1, R2, R13 to R31. */
static void hcall(uint64_t nr, struct guest_ucall *call)
{
	register uint64_t r3 asm("r3") = nr;
	register uint64_t r4 asm("r4") = call->args[0];
	register uint64_t r5 asm("r5") = call->args[1];
	register uint64_t r6 asm("r6") = call->args[2];
	register uint64_t r7 asm("r7") = call->args[3];
	register uint64_t r8 asm("r8") = call->args[4];
	register uint64_t r9 asm("r9") = call->args[5];

	asm volatile("sc 1"
		     : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8), "+r"(r9)
		     :
		     : "memory", "cc", "ctr", "lr", "xer", "r0", "r10", "r11", "r12");
	call->ret = (int64_t)r3;
	call->out[0] = r4;
	call->out[1] = r5;
}

void arch_ucall(struct guest_ucall *call)
{
	hcall(call->nr, call);
}

static void doorbell(uint64_t nr, uint64_t a0, uint64_t a1)
{
	struct guest_ucall call = { .args = { a0, a1 } };

	hcall(AGENT_HCALL(nr), &call);
}

void arch_wait(unsigned int vcpu)
{
	doorbell(AGENT_DOORBELL_WAIT, vcpu, 0);
}

/* Low thread priority for a moment. */
void arch_relax(void)
{
	asm volatile("or 1,1,1\n\tor 2,2,2" : : : "memory");
}

/* A launcher that comes back from these is broken: halt for good. */
static _Noreturn void halt(void)
{
	for (;;)
		arch_relax();
}

void arch_exit(void)
{
	doorbell(AGENT_DOORBELL_EXIT, 0, 0);
	halt();
}

void arch_panic(uint64_t text_gpa, uint64_t len)
{
	doorbell(AGENT_DOORBELL_PANIC, text_gpa, len);
	halt();
}

/* There is no hypercall for this besides the ultracalls. */
int64_t arch_map_gpa_range(uint64_t gpa, uint64_t len, bool shared)
{
	(void)gpa;
	(void)len;
	(void)shared;
	return U_FUNCTION;
}
