/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The /dev/uvmem ioctl ABI: the hypervisor half of an SVM.
 *
 * An SVM is a file descriptor, made by UVMEM_CREATE_SVM on /dev/uvmem. Closing
 * the last one terminates the SVM. Unknown flags and non-zero reserved fields
 * are refused with EINVAL.
 */
#ifndef _UAPI_KVM_UVMEM_H
#define _UAPI_KVM_UVMEM_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define UVMEM_ABI_VERSION	1

/* State of a GFN, as the hypervisor sees it (book3s_hv_uvmem.c's own). */
enum uvmem_gfn_state {
	UVMEM_GFN_NORMAL,	/* normal page */
	UVMEM_GFN_UVMEM,	/* secure, backed by a device-private page */
	UVMEM_GFN_MEM,		/* secure, backed by a normal page, sealed */
	UVMEM_GFN_SHARED,	/* shared with the hypervisor */
	UVMEM_GFN_NOSLOT = 0xff,
};

enum uvmem_vm_state {
	UVMEM_VM_NORMAL,
	UVMEM_VM_TRANSIENT,
	UVMEM_VM_SECURE,
};

struct uvmem_create {
	__u32 flags;		/* in: must be 0 */
	__u32 lpid;		/* out */
};

/* Layout of struct kvm_userspace_memory_region; memory_size 0 deletes. */
struct uvmem_memslot {
	__u32 slot;
	__u32 flags;		/* must be 0 */
	__u64 guest_phys_addr;
	__u64 memory_size;	/* bytes */
	__u64 userspace_addr;	/* the host view, H */
};

/*
 * A hypercall as the ultravisor makes it for this SVM: H_SVM_* and the
 * H_SIM_* extensions of uv.h.
 */
struct uvmem_hcall {
	__u64 nr;
	__u64 args[4];
	__s64 ret;		/* out: H_* */
	__u64 out[1];		/* out */
	__u64 flags;		/* must be 0 */
};

struct uvmem_state {
	__u64 gfn;		/* in */
	__u64 npages;		/* in */
	__u64 states;		/* in: user pointer to __u8[npages] */
	__u32 flags;		/* must be 0 */
	__u32 vm_state;		/* out: enum uvmem_vm_state */
};

struct uvmem_info {		/* all out */
	__u32 abi_version;
	__u32 page_shift;
	__u32 lpid;
	__u32 vm_state;		/* enum uvmem_vm_state */
	__u64 device_pages;	/* size of the device-private pool */
	__u64 device_free;
	__u32 nslots;
	__u32 pad;
};

struct uvmem_slots {
	__u64 slots;		/* in: user pointer to struct uvmem_memslot[] */
	__u32 count;		/* in: room; out: number of slots that there are */
	__u32 flags;		/* must be 0 */
};

struct uvmem_stats {		/* all out; counts of pages */
	__u64 normal;		/* GFNs by state, now */
	__u64 uvmem;
	__u64 mem;
	__u64 shared;
	__u64 page_ins;		/* totals since the SVM was created */
	__u64 page_outs;	/* on H_SVM_PAGE_OUT */
	__u64 host_faults;	/* page-outs because the host touched the page */
	__u64 shares;
	__u64 unshares;
	__u64 invals;		/* shared pages the host unmapped */
	__u64 drops;		/* secure pages the host unmapped */
	__u64 busy;		/* migrations to be tried again */
	__u64 migrate_calls;	/* migrate_vma_setup() calls */
	__u64 host_along;	/* pages that went along with one that the host touched */
	__u64 host_unseen;	/* of those, that came back without the host having seen them */
	__u64 reserved;
};

#define UVMEM_IOC		0xB7
/* on /dev/uvmem */
#define UVMEM_CREATE_SVM	_IOWR(UVMEM_IOC, 0x40, struct uvmem_create)
/* on an SVM */
#define UVMEM_SET_MEMSLOT	_IOW(UVMEM_IOC, 0x41, struct uvmem_memslot)
#define UVMEM_HCALL		_IOWR(UVMEM_IOC, 0x42, struct uvmem_hcall)
#define UVMEM_GET_STATE		_IOWR(UVMEM_IOC, 0x43, struct uvmem_state)
#define UVMEM_GET_STATS		_IOR(UVMEM_IOC, 0x44, struct uvmem_stats)
#define UVMEM_GET_INFO		_IOR(UVMEM_IOC, 0x45, struct uvmem_info)
#define UVMEM_GET_SLOTS		_IOWR(UVMEM_IOC, 0x46, struct uvmem_slots)
/* Terminate: as KVM_PPC_SVM_OFF, the VM is a normal one afterwards. The argument is 0. */
#define UVMEM_SVM_OFF		_IO(UVMEM_IOC, 0x47)

#endif /* _UAPI_KVM_UVMEM_H */
