// SPDX-License-Identifier: GPL-2.0
/*
 * x86: an exception in the guest is a bug of the guest; say which one and
 * where, rather than end in a triple fault that tells nothing.
 */
#include "../lib/guest.h"
#include "machine.h"

_Static_assert(STACKS == AGENT_MAX_VCPUS, "a stack for each vCPU");

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
};

struct idt_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

#define INTERRUPT_GATE 0x8e /* present, ring 0 */

extern const uint8_t exception_entries[];
extern uint8_t stacks[];

void x86_catch_exceptions(void);
_Noreturn void x86_exception(uint64_t nr, uint64_t error, uint64_t rip, uint64_t rsp);

static struct gate idt[EXCEPTIONS];

/* Every vCPU writes the same gates, so they need no lock. */
void x86_catch_exceptions(void)
{
	struct idt_pointer pointer = { sizeof(idt) - 1, (uintptr_t)idt };

	for (unsigned int i = 0; i < EXCEPTIONS; i++) {
		uintptr_t entry = (uintptr_t)exception_entries + i * EXCEPTION_BYTES;

		idt[i] = (struct gate){
			.offset_low = (uint16_t)entry,
			.selector = CODE_SELECTOR,
			.type = INTERRUPT_GATE,
			.offset_mid = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)((uint64_t)entry >> 32),
		};
	}
	asm volatile("lidt %0" : : "m"(pointer));
}

void x86_exception(uint64_t nr, uint64_t error, uint64_t rip, uint64_t rsp)
{
	char text[AGENT_DATA_BYTES] = "";
	const char *end = text + sizeof(text) - 1;
	char *to = text;
	uint64_t cr2;

	asm volatile("movq %%cr2, %0" : "=r"(cr2));
	to = guest_put_text(to, end, "exception ");
	to = guest_put_hex(to, end, nr);
	to = guest_put_text(to, end, ", error code ");
	to = guest_put_hex(to, end, error);
	to = guest_put_text(to, end, ", at ");
	to = guest_put_hex(to, end, rip);
	to = guest_put_text(to, end, ", CR2 ");
	to = guest_put_hex(to, end, cr2);
	*to = '\0';
	guest_panic((unsigned int)((rsp - (uintptr_t)stacks) / STACK_BYTES), text);
}
