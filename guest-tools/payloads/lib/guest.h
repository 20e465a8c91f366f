/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The library of bare guests: ultracalls, the doorbell, and a few helpers.
 * What differs between machines is named arch_* and lives in a folder of the
 * machine's name. Guest memory is mapped one to one: a GPA is a pointer.
 */
#ifndef _GUEST_H
#define _GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UVSIM_CORE_ONLY
#include "../../../uv-sim/uapi/uv.h"
#undef UVSIM_CORE_ONLY
#include "../mailbox.h"

/* An ultracall: number and arguments in, U_* code and R4, R5 out. */
struct guest_ucall {
	uint64_t nr;
	uint64_t args[6];
	int64_t ret;
	uint64_t out[2];
};

/* machine (x86/, ppc64/) */
void arch_ucall(struct guest_ucall *call);
int64_t arch_map_gpa_range(uint64_t gpa, uint64_t len, bool shared);
void arch_wait(unsigned int vcpu);
void arch_relax(void);
_Noreturn void arch_exit(void);
_Noreturn void arch_panic(uint64_t text_gpa, uint64_t len);

/* ultracalls; each returns a U_* code */
int64_t uv_esm(uint64_t blob_gpa, uint64_t fdt_gpa);
int64_t uv_share_page(uint64_t gfn, uint64_t npages);
int64_t uv_unshare_page(uint64_t gfn, uint64_t npages);
int64_t uv_unshare_all_pages(void);
int64_t h_random(uint64_t *value);

/* A lock between vCPUs. */
void guest_lock(uint32_t *lock);
void guest_unlock(uint32_t *lock);

/* Stop the VM with a reason, which goes out through the vCPU's mailbox slot. */
_Noreturn void guest_panic(unsigned int vcpu, const char *text);
char *guest_put_text(char *to, const char *end, const char *text);
char *guest_put_hex(char *to, const char *end, uint64_t value);

/* Where the machine's start file hands over to C. */
_Noreturn void guest_main(unsigned int vcpu);
_Noreturn void guest_secure_main(unsigned int vcpu);

static inline void *guest_ptr(uint64_t gpa)
{
	return (void *)(uintptr_t)gpa;
}

static inline struct agent_mailbox *guest_mailbox(void)
{
	return guest_ptr(AGENT_MAILBOX_GPA);
}

#endif /* _GUEST_H */
