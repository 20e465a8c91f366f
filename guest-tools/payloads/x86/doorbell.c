// SPDX-License-Identifier: GPL-2.0
/*
 * x86: how a guest reaches the outside. The doorbell is port I/O with its
 * arguments in registers (mailbox.h); sharing can also go the way that x86
 * guests of KVM already speak, KVM_HC_MAP_GPA_RANGE.
 */
#include "../lib/guest.h"

#define HC_MAP_GPA_RANGE 12
#define HC_PAGE_SHIFT 12 /* npages counts 4 KiB pages */
#define HC_ENCRYPTED (1UL << 4)

void arch_ucall(struct guest_ucall *call)
{
	uint64_t rax = AGENT_DOORBELL_UCALL;
	uint64_t rsi = call->args[0];
	uint64_t rcx = call->args[1];

	asm volatile("movq 16(%[args]), %%r8\n\t"
		     "movq 24(%[args]), %%r9\n\t"
		     "movq 32(%[args]), %%r10\n\t"
		     "movq 40(%[args]), %%r11\n\t"
		     "outl %%eax, %%dx"
		     : "+a"(rax), "+S"(rsi), "+c"(rcx)
		     : "d"(AGENT_PORT), "D"(call->nr), [args] "b"(call->args)
		     : "memory", "r8", "r9", "r10", "r11");
	call->ret = (int64_t)rax;
	call->out[0] = rsi;
	call->out[1] = rcx;
}

static void doorbell(uint64_t nr, uint64_t a0, uint64_t a1)
{
	asm volatile("outl %%eax, %%dx" : : "a"(nr), "d"(AGENT_PORT), "D"(a0), "S"(a1) : "memory");
}

void arch_wait(unsigned int vcpu)
{
	doorbell(AGENT_DOORBELL_WAIT, vcpu, 0);
}

void arch_relax(void)
{
	asm volatile("pause" : : : "memory");
}

/* A launcher that comes back from these is broken: halt for good. */
static _Noreturn void halt(void)
{
	for (;;)
		asm volatile("cli; hlt");
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

/* AMD and Hygon know VMMCALL, the others VMCALL; KVM would patch a wrong one. */
static bool has_vmmcall(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (ebx == 0x68747541 && edx == 0x69746e65 && ecx == 0x444d4163) ||
	       (ebx == 0x6f677948 && edx == 0x6e65476e && ecx == 0x656e6975);
}

int64_t arch_map_gpa_range(uint64_t gpa, uint64_t len, bool shared)
{
	uint64_t npages = len >> HC_PAGE_SHIFT;
	uint64_t attributes = shared ? 0 : HC_ENCRYPTED;
	int64_t ret = HC_MAP_GPA_RANGE;

	if (has_vmmcall())
		asm volatile("vmmcall"
			     : "+a"(ret)
			     : "b"(gpa), "c"(npages), "d"(attributes)
			     : "memory");
	else
		asm volatile("vmcall"
			     : "+a"(ret)
			     : "b"(gpa), "c"(npages), "d"(attributes)
			     : "memory");
	return ret;
}
