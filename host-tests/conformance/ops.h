/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps: everything that a guest, a hypervisor's user space and an ultravisor
 * can do to a VM, as data. A sequence of them has a compact text form, which is
 * what a failure prints and what REPLAY= takes:
 *
 *	esm.0,share.2.1,hw.2.0.17,B:new,B:esm.0
 *
 * A step is a name and numbers; "B:" in front of it means the second VM. Every
 * step may come in every state: the model knows what it has to lead to.
 */
#ifndef _CONFORMANCE_OPS_H
#define _CONFORMANCE_OPS_H

#include <stddef.h>
#include <stdint.h>

#define CONF_VMS 2
#define CONF_GFNS 7	/* GFN 0 holds the vCPU's code and the ESM blobs */
#define CONF_SLOTS 3	/* memslots: GFN 0; 1 to 4; 5 and 6 */
#define CONF_OFFSETS 3	/* bytes of a page that are read and written */
#define CONF_BAD_GFN 11 /* in no memslot */
#define CONF_MAX_STEPS 256
#define CONF_TEXT 8192

enum op {
	OP_ESM,		/* UV_ESM: variant */
	OP_BEGIN,	/* UV_SIM_ESM_START */
	OP_FINISH,	/* UV_SIM_ESM_FINISH: variant, as UV_ESM */
	OP_SHARE,	/* UV_SHARE_PAGE: gfn, number */
	OP_UNSHARE,	/* UV_UNSHARE_PAGE: gfn, number */
	OP_UNSHARE_ALL, /* UV_UNSHARE_ALL_PAGES */
	OP_UCALL,	/* a call that a guest may not make: enum bad_ucall */
	OP_IN,		/* H_SVM_PAGE_IN: gfn, enum bad_arg */
	OP_IN_SHARED,	/* H_SVM_PAGE_IN, H_PAGE_IN_SHARED: gfn, enum bad_arg */
	OP_OUT,		/* H_SVM_PAGE_OUT: gfn, enum bad_arg */
	OP_START,	/* H_SVM_INIT_START */
	OP_DONE,	/* H_SVM_INIT_DONE */
	OP_ABORT,	/* H_SVM_INIT_ABORT */
	OP_GUEST_READ,	/* gfn: all offsets */
	OP_GUEST_WRITE, /* gfn, offset, byte */
	OP_HOST_READ,	/* gfn, offset */
	OP_HOST_WRITE,	/* gfn, offset, byte */
	OP_UNMAP,	/* munmap() of H: gfn */
	OP_MAP,		/* mmap() of H, over what is there: gfn */
	OP_ZAP,		/* MADV_DONTNEED of H: gfn */
	OP_SLOT_DEL,	/* slot */
	OP_SLOT_ADD,	/* slot */
	OP_TERMINATE,	/* KVM_PPC_SVM_OFF */
	OP_NEW,		/* close the VM, if there is one, and make a new one */
	OP_COUNT
};

/* Variants of UV_ESM. */
enum esm_variant { ESM_GOOD, ESM_DIGEST, ESM_BLOB_ADDR, ESM_FDT, ESM_VARIANTS };

/* What is wrong with the arguments of a hypercall. */
enum bad_arg {
	ARG_GOOD,
	ARG_FLAGS,
	ARG_ORDER_SMALL,
	ARG_ORDER_LARGE,
	ARG_UNALIGNED,
	ARG_NO_GFN, /* in no memslot, far away */
	ARG_VARIANTS,
};

enum bad_ucall {
	UCALL_PAGE_IN,
	UCALL_PAGE_OUT,
	UCALL_PAGE_INVAL,
	UCALL_WRITE_PATE,
	UCALL_REGISTER,
	UCALL_UNREGISTER,
	UCALL_TERMINATE,
	UCALL_RETURN,
	UCALL_UNKNOWN,
	UCALL_VARIANTS,
};

struct step {
	uint8_t op; /* enum op */
	uint8_t vm;
	uint8_t arg[3];
};

struct sequence {
	unsigned int n;
	struct step step[CONF_MAX_STEPS];
};

unsigned int op_args(enum op op);
const char *op_name(enum op op);
/* Appends nothing but the step; returns @buf. */
char *step_print(char *buf, size_t room, const struct step *step);
char *sequence_print(char *buf, size_t room, const struct sequence *seq);
/* 0, or -1 after a line that says what is wrong. */
int sequence_parse(struct sequence *seq, const char *text);

#endif /* _CONFORMANCE_OPS_H */
