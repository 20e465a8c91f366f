// SPDX-License-Identifier: GPL-2.0
/*
 * x86: page tables that map guest memory one to one with 2 MiB pages.
 *
 * The accessed and dirty bits are set from the start, so that no processor
 * ever writes to the tables and UV_ESM can measure them.
 */
#include "../arch.h"
#include "x86.h"

#define PTE_TABLE 0x23 /* present, writable, accessed */
#define PTE_LARGE 0xe3 /* present, writable, accessed, dirty, 2 MiB */
#define ENTRIES 512
#define LARGE_PAGE (2ULL << 20)

int arch_boot(struct vm *vm, struct arch_range *range)
{
	uint64_t *pml4 = (uint64_t *)(vm->h + X86_PML4_GPA);
	uint64_t *pdpt = (uint64_t *)(vm->h + X86_PDPT_GPA);
	uint64_t *pd = (uint64_t *)(vm->h + X86_PD_GPA);
	uint64_t npages = (vm->mem_bytes + LARGE_PAGE - 1) / LARGE_PAGE;
	uint64_t ndirs = (npages + ENTRIES - 1) / ENTRIES;

	*range = (struct arch_range){ X86_PML4_GPA, (2 + ndirs) * X86_PAGE };
	if (ndirs > (X86_TABLES_END_GPA - X86_PD_GPA) / X86_PAGE)
		return fail("%llu bytes of guest memory: there is room for page tables for %u GiB",
			    (unsigned long long)vm->mem_bytes,
			    (X86_TABLES_END_GPA - X86_PD_GPA) / X86_PAGE);
	pml4[0] = X86_PDPT_GPA | PTE_TABLE;
	for (uint64_t i = 0; i < ndirs; i++)
		pdpt[i] = (X86_PD_GPA + i * X86_PAGE) | PTE_TABLE;
	for (uint64_t i = 0; i < npages; i++)
		pd[i] = i * LARGE_PAGE | PTE_LARGE;
	return 0;
}
