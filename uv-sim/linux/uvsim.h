/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What uv-sim.ko offers to the hypervisor half (kvm-uvmem.ko).
 */
#ifndef _UVSIM_H
#define _UVSIM_H

#include <linux/types.h>
#include "../uapi/uv.h"

struct module;

/**
 * struct uvsim_hypervisor - where the ultravisor's hypercalls go
 * @owner: module that implements @hcall
 * @hcall: H_SVM_* for the VM @lpid. @args has the parameters from R4 on,
 *	@out receives R4 on return. Called in process context with no lock of
 *	the ultravisor and no mmap lock held; may sleep, and may make
 *	ultracalls. Returns an H_* code.
 * @is_vmm: did the calling process make the VM @lpid? Only it may speak for the guest.
 *	NULL: anybody may
 */
struct uvsim_hypervisor {
	struct module *owner;
	s64 (*hcall)(u32 lpid, u64 nr, const u64 args[4], u64 out[1]);
	bool (*is_vmm)(u32 lpid);
};

int uvsim_register_hypervisor(const struct uvsim_hypervisor *hv);
void uvsim_unregister_hypervisor(const struct uvsim_hypervisor *hv);

/**
 * uvsim_ucall() - ultracall from hypervisor context
 * @nr: UV_* number
 * @a0: first argument (R4); @a1 to @a4 follow
 *
 * Context: process context, may sleep; may be called with a mmap lock and
 * locks of the hypervisor held. Never makes a hypercall.
 * Return: a U_* code.
 */
s64 uvsim_ucall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);

#define UVSIM_NO_RA	(~0ULL)

/* UV_PAGE_IN or UV_PAGE_OUT for each page of a run, see run.c. */
void uvsim_ucall_run(u64 nr, u64 lpid, u64 gpa, u64 flags, const u64 *ra, s64 *ret, u32 n,
		     bool alone);

/**
 * uvsim_secure_pages() - size of secure memory in pages
 */
unsigned long uvsim_secure_pages(void);

#endif /* _UVSIM_H */
