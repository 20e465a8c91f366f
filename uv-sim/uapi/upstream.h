/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The /dev/uvupstream ioctl ABI: a VM of upstream's own KVM-HV is made known to
 * the simulated ultravisor.
 *
 * The KVM VM is the hypervisor's object: its memslots are the host view, and
 * KVM_CAP_PPC_SECURE_GUEST and KVM_PPC_SVM_OFF are made on it. An open file of
 * /dev/uvupstream is attached to one VM. Closing it takes the VM's LPID away
 * from the ultravisor: what the VM had in secure memory is gone then.
 *
 * Of the ioctls of kvm-uvmem's SVM (uvmem.h) an attached file has two:
 * UVMEM_HCALL, a hypercall as the ultravisor makes it, and UVMEM_GET_INFO, with
 * device_pages and device_free 0, as KVM-HV does not tell. The rest is ENOTTY.
 */
#ifndef _UAPI_UV_UPSTREAM_H
#define _UAPI_UV_UPSTREAM_H

#include <linux/types.h>
#include <linux/ioctl.h>

struct uvup_attach {
	__s32 kvm_fd;		/* in: from KVM_CREATE_VM, of KVM-HV */
	__u32 flags;		/* must be 0 */
	__u32 lpid;		/* out: for UVSIM_BIND */
	__u32 pad;		/* must be 0 */
};

#define UVUP_IOC		0xB7
#define UVUP_ATTACH		_IOWR(UVUP_IOC, 0x60, struct uvup_attach)

#endif /* _UAPI_UV_UPSTREAM_H */
