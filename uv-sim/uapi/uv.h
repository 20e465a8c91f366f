/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ultravisor ABI: call numbers, return codes and the /dev/uvsim ioctls.
 *
 * Numbers and names are those of the kernel's asm/ultravisor-api.h and
 * asm/hvcall.h and of Documentation/arch/powerpc/ultravisor.rst. They are the
 * same on every architecture, so they are spelt out here: an x86 kernel has
 * no header to take them from. Everything with SIM in its name is an extension
 * of this project and lies outside the number ranges of the specification.
 */
#ifndef _UAPI_UVSIM_UV_H
#define _UAPI_UVSIM_UV_H

/* PAPR return codes (asm/hvcall.h); U_* are the same numbers. */
#ifndef H_SUCCESS
#define H_SUCCESS		0
#define H_BUSY			1
#define H_NOT_AVAILABLE		3
#define H_HARDWARE		-1
#define H_FUNCTION		-2
#define H_PARAMETER		-4
#define H_BAD_MODE		-5
#define H_NO_MEM		-9
#define H_AUTHORITY		-10
#define H_PERMISSION		-11
#define H_P2			-55
#define H_P3			-56
#define H_P4			-57
#define H_P5			-58
#define H_UNSUPPORTED		-67
#define H_STATE			-75
#endif

#ifndef U_SUCCESS
#define U_SUCCESS		H_SUCCESS
#define U_BUSY			H_BUSY
#define U_NOT_AVAILABLE		H_NOT_AVAILABLE
#define U_FUNCTION		H_FUNCTION
#define U_PARAMETER		H_PARAMETER
#define U_PERMISSION		H_PERMISSION
#define U_P2			H_P2
#define U_P3			H_P3
#define U_P4			H_P4
#define U_P5			H_P5
#endif
/*
 * Named by ultravisor.rst, absent from the kernel's header. U_RETRY and
 * U_STATE have the values of IBM's published ultravisor. U_INVALID ("the VM is
 * not secure") and U_NO_KEY ("symmetric key unavailable") have no published
 * number; they take the codes whose PAPR meaning is the same.
 */
#define U_RETRY			-5
#define U_STATE			H_STATE
#define U_INVALID		U_STATE
#define U_NO_KEY		U_NOT_AVAILABLE

/* Ultracalls. The caller in brackets: HV hypervisor, G guest. */
#ifndef UV_WRITE_PATE
#define UV_WRITE_PATE		0xF104	/* HV lpid, dw0, dw1 */
#define UV_ESM			0xF110	/* G  esm_blob_addr, fdt */
#define UV_RETURN		0xF11C	/* HV */
#define UV_REGISTER_MEM_SLOT	0xF120	/* HV lpid, start_gpa, size, flags, slotid */
#define UV_UNREGISTER_MEM_SLOT	0xF124	/* HV lpid, slotid */
#define UV_PAGE_IN		0xF128	/* HV lpid, src_ra, dest_gpa, flags, order */
#define UV_PAGE_OUT		0xF12C	/* HV lpid, dest_ra, src_gpa, flags, order */
#define UV_SHARE_PAGE		0xF130	/* G  gfn, num */
#define UV_UNSHARE_PAGE		0xF134	/* G  gfn, num */
#define UV_PAGE_INVAL		0xF138	/* HV lpid, guest_pa, order */
#define UV_SVM_TERMINATE	0xF13C	/* HV lpid */
#define UV_UNSHARE_ALL_PAGES	0xF140	/* G */
#endif

/* UV_WRITE_PATE dw0: the guest uses host radix; a PATE without it is refused. */
#define UV_PATE_HR		(1ULL << 63)

/* UV_PAGE_OUT flags: keep the page mapped, hand out a sealed copy. */
#define UV_SNAPSHOT		0x1

/*
 * Extensions in the flags of UV_PAGE_IN: what the hypervisor takes the page
 * for. The ultravisor answers U_P3 if it knows better, so that a page which is
 * about to be freed is never mapped as a shared one, and the reverse. With
 * neither flag the state of the GFN decides, as the specification has it.
 */
#define UV_SIM_PAGE_IN_SECURE	0x100
#define UV_SIM_PAGE_IN_SHARED	0x200

/*
 * Extension in the flags of UV_PAGE_OUT: the page is to be filled. For a shared
 * GFN, which has nothing to fill it with, U_P3 instead of U_SUCCESS.
 */
#define UV_SIM_PAGE_OUT_SECURE	0x100

/* Hypercalls, made by the ultravisor to the hypervisor. */
#ifndef H_SVM_PAGE_IN
#define H_PAGE_IN_SHARED	0x1
#define H_SVM_PAGE_IN		0xEF00	/* guest_pa, flags, order */
#define H_SVM_PAGE_OUT		0xEF04	/* guest_pa, flags, order */
#define H_SVM_INIT_START	0xEF08
#define H_SVM_INIT_DONE		0xEF0C
#define H_SVM_INIT_ABORT	0xEF14
#endif
#ifndef H_RANDOM
#define H_RANDOM		0x300	/* G; answered by the ultravisor */
#endif

/*
 * Extensions: H_SVM_PAGE_IN and H_SVM_PAGE_OUT over a run of pages.
 * guest_pa, npages, flags, order; out[0] is the number of pages, from the
 * start of the run, that are in the state asked for. H_SUCCESS means all.
 */
#define H_SIM_SVM_PAGE_IN_RANGE		0xEE00
#define H_SIM_SVM_PAGE_OUT_RANGE	0xEE04
/*
 * H_SIM_SVM_PAGE_IN_RANGE flags: pass over pages that nobody ever touched; the
 * guest touched a page of the run, as with H_SVM_PAGE_IN.
 */
#define H_SIM_PAGE_IN_TOUCHED		0x100
#define H_SIM_PAGE_IN_GUEST		0x200

/*
 * Extensions: UV_ESM in two steps, so that a test can look at a VM that is on
 * its way. After UV_SIM_ESM_START, which ends with H_SVM_INIT_START, the VM is
 * transient until UV_SIM_ESM_FINISH, which takes UV_ESM's arguments and does the
 * rest, or until it is terminated.
 */
#define UV_SIM_ESM_START	0xFE00	/* G */
#define UV_SIM_ESM_FINISH	0xFE04	/* G  esm_blob_addr, fdt */

/* What stopped an SVM. */
enum uv_stop_reason {
	UV_STOP_NONE,
	UV_STOP_INTEGRITY,	/* page-in: the tag does not verify */
	UV_STOP_LOST,		/* page-in: the hypervisor returned no content */
	UV_STOP_HYPERVISOR,	/* a hypercall failed where the SVM cannot go on */
	UV_STOP_TERMINATED,	/* UV_SVM_TERMINATE */
};

/* Life of a VM, as the ultravisor sees it. */
enum uv_vm_state {
	UV_VM_NORMAL,
	UV_VM_TRANSIENT,
	UV_VM_SECURE,
	UV_VM_STOPPED,
};

/* State of a GFN, as the ultravisor sees it. */
enum uv_gfn_state {
	UV_GFN_NORMAL,		/* not secured yet (VM normal or transient) */
	UV_GFN_ZERO,		/* secure, never touched: reads as zeros */
	UV_GFN_RESIDENT,	/* secure, in secure memory */
	UV_GFN_SEALED,		/* secure, paged out */
	UV_GFN_SHARED,		/* shared, the hypervisor's page is mapped */
	UV_GFN_SHARED_UNMAPPED,	/* shared, no page at the moment */
	UV_GFN_NOSLOT = 0xff,	/* no memslot */
};

#ifndef UVSIM_CORE_ONLY	/* the ioctl part needs Linux' headers */

#include <linux/types.h>
#include <linux/ioctl.h>

#define UVSIM_ABI_VERSION	1

struct uvsim_info {		/* all out */
	__u32 abi_version;
	__u32 page_shift;
	__u64 secure_pages;	/* total */
	__u32 has_owner_key;
	__u32 flags;		/* UVSIM_CIPHER_COPY */
};

/*
 * Loaded with cipher=copy: nothing is sealed, pages leave secure memory in the
 * clear. For comparing benchmarks, and for nothing else.
 */
#define UVSIM_CIPHER_COPY	0x1

struct uvsim_bind {
	__u32 lpid;
	__u32 flags;		/* must be 0 */
};

/* An ultracall (or H_RANDOM) of the guest with the bound LPID. */
struct uvsim_ucall {
	__u64 nr;
	__u64 args[6];
	__s64 ret;		/* out: U_* */
	__u64 out[2];		/* out: R4, R5. UV_ESM: entry point in out[0] */
	__u64 flags;		/* must be 0 */
};

struct uvsim_stats {		/* all out; pages unless said otherwise */
	__u64 secure_total;
	__u64 secure_used;
	__u64 secure_peak;
	__u64 svms;
	__u64 page_ins;
	__u64 page_outs;
	__u64 seals;
	__u64 opens;
	__u64 integrity_failures;
	__u64 evictions;
	__u64 flags;		/* UVSIM_CIPHER_COPY */
	__u64 guest_faults;	/* of guests on their view, that mapped something */
	__u64 ahead;		/* brought in with a page that a guest touched */
	__u64 unseen;		/* of those, that left again without being touched */
	__u64 reserved[2];
};

struct uvsim_svm {
	__u32 lpid;		/* in */
	__u32 flags;		/* must be 0 */
	__u32 state;		/* enum uv_vm_state */
	__u32 stop_reason;	/* enum uv_stop_reason */
	__u64 stop_gpa;
	__s64 esm_ret;		/* return code of the last UV_ESM */
	__u64 memslots;
	__u64 resident;
	__u64 paged_out;
	__u64 shared;
	__u64 page_ins;
	__u64 page_outs;
	__u64 seals;
	__u64 opens;
	__u64 integrity_failures;
	__u64 evictions;
	__u64 reserved[6];
};

struct uvsim_list {
	__u64 lpids;		/* in: user pointer to __u32[] */
	__u32 count;		/* in: room; out: number of SVMs that there are */
	__u32 flags;		/* must be 0 */
};

struct uvsim_map {
	__u32 lpid;		/* in */
	__u32 flags;		/* must be 0 */
	__u64 gfn;		/* in */
	__u64 npages;		/* in */
	__u64 states;		/* in: user pointer to __u8[npages], enum uv_gfn_state */
};

#define UVSIM_IOC		0xB6
#define UVSIM_GET_INFO		_IOR(UVSIM_IOC, 0x40, struct uvsim_info)
#define UVSIM_BIND		_IOW(UVSIM_IOC, 0x41, struct uvsim_bind)
#define UVSIM_UCALL		_IOWR(UVSIM_IOC, 0x42, struct uvsim_ucall)
#define UVSIM_GET_STATS		_IOR(UVSIM_IOC, 0x43, struct uvsim_stats)
#define UVSIM_GET_SVM		_IOWR(UVSIM_IOC, 0x44, struct uvsim_svm)
#define UVSIM_LIST		_IOWR(UVSIM_IOC, 0x45, struct uvsim_list)
#define UVSIM_MAP		_IOWR(UVSIM_IOC, 0x46, struct uvsim_map)

#endif /* UVSIM_CORE_ONLY */
#endif /* _UAPI_UVSIM_UV_H */
