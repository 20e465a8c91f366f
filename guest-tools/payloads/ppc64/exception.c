// SPDX-License-Identifier: GPL-2.0
/*
 * ppc64: an interrupt in the guest is a bug of the guest, which runs with
 * external ones off; say which one and where. The vectors are at fixed
 * addresses in the first page, outside of the payload: they are written when a
 * vCPU starts, and again after UV_ESM, when nobody else can have touched them.
 */
#include "../lib/guest.h"
#include "machine.h"

_Static_assert(STACKS == AGENT_MAX_VCPUS, "a stack for each vCPU");

#define FIRST_VECTOR 0x100
#define LAST_VECTOR 0xf80
#define VECTOR_BYTES 0x80

#define INSN_LI_R3 0x38600000 /* | a 16-bit number */
#define INSN_BA 0x48000002    /* | an address below 32 MiB */
#define BA_MASK 0x03fffffc

extern uint8_t stacks[];
void exception(void);

void ppc64_catch_exceptions(void);
_Noreturn void ppc64_exception(uint64_t vector, uint64_t sp);

/* Every vCPU writes the same instructions, so they need no lock. */
void ppc64_catch_exceptions(void)
{
	for (uint32_t vector = FIRST_VECTOR; vector <= LAST_VECTOR; vector += VECTOR_BYTES) {
		volatile uint32_t *insn = guest_ptr(vector);

		insn[0] = INSN_LI_R3 | vector;
		insn[1] = INSN_BA | ((uint32_t)(uintptr_t)exception & BA_MASK);
		asm volatile("dcbst 0,%0\n\tsync\n\ticbi 0,%0" : : "r"(insn) : "memory");
	}
	asm volatile("sync\n\tisync" : : : "memory");
}

void ppc64_exception(uint64_t vector, uint64_t sp)
{
	char text[AGENT_DATA_BYTES] = "";
	const char *end = text + sizeof(text) - 1;
	uint64_t srr0, dar, dsisr;
	char *to = text;

	asm volatile("mfsrr0 %0" : "=r"(srr0));
	asm volatile("mfdar %0" : "=r"(dar));
	asm volatile("mfdsisr %0" : "=r"(dsisr));
	to = guest_put_text(to, end, "interrupt ");
	to = guest_put_hex(to, end, vector);
	to = guest_put_text(to, end, ", at ");
	to = guest_put_hex(to, end, srr0);
	to = guest_put_text(to, end, ", DAR ");
	to = guest_put_hex(to, end, dar);
	to = guest_put_text(to, end, ", DSISR ");
	to = guest_put_hex(to, end, dsisr);
	*to = '\0';
	guest_panic((unsigned int)((sp - (uintptr_t)stacks) / STACK_BYTES), text);
}
