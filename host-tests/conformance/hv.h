/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suite asks of a hypervisor. A backend is one file with one of these:
 * hv_uvmem.c for kvm-uvmem.
 *
 * H is memory of this process at o->h; the ultravisor's file, o->uv, and the
 * vCPU that runs on G are the suite's own.
 */
#ifndef _CONFORMANCE_HV_H
#define _CONFORMANCE_HV_H

#include <stdbool.h>
#include <stdint.h>

#include "host-tests/selftests/lib/vmfix.h"

/**
 * struct hv - a hypervisor
 * @name: in the output, and what --hv takes
 * @deviations: bits of enum deviation that it may show
 * @usable: why it cannot be used here, NULL if it can
 * @create: make a VM for H; sets o->lpid. 0, or -1 after a line
 * @destroy: close it, with all that it has
 * @memslot: @npages 0 deletes; 0 or -errno
 * @hcall: as the ultravisor makes it; its code, or NO_ANSWER after a line
 * @terminate: KVM_PPC_SVM_OFF; 0 or -errno
 * @one_cpu: it may refuse a page that another CPU has in a batch
 * @settle: have it do now what it put off; NULL: there is no such thing
 * @states: enum uvmem_gfn_state of the first @n GFNs; its enum uvmem_vm_state,
 *	-1 on failure. NULL: it does not tell
 * @leftover: device pages in use by all VMs; NULL: it does not tell
 */
struct hv {
	const char *name;
	uint32_t deviations;
	bool one_cpu;
	const char *(*usable)(void);
	int (*create)(struct own *o);
	void (*destroy)(struct own *o);
	int (*memslot)(struct own *o, unsigned int slot, size_t page, size_t npages);
	int64_t (*hcall)(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2);
	int (*terminate)(struct own *o);
	void (*settle)(struct own *o);
	int (*states)(struct own *o, uint8_t *states, unsigned int n);
	int64_t (*leftover)(void);
};

extern const struct hv hv_uvmem, hv_upstream;

#endif /* _CONFORMANCE_HV_H */
