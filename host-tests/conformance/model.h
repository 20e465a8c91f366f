/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reference model: what a step has to lead to, by ultravisor.rst, the state
 * tables of book3s_hv_uvmem.c and docs/abi.md.
 *
 * It has two halves, as the real thing has, which know each other through
 * hypercalls and ultracalls only: model_hv.c is the hypervisor, model_uv.c the
 * ultravisor. They hold no locks and move no pages: a page's content is three
 * bytes of an otherwise empty page, or "what was sealed as number n".
 */
#ifndef _CONFORMANCE_MODEL_H
#define _CONFORMANCE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kvm-uvmem/uapi/uvmem.h"
#include "ops.h"
#include "uv-sim/uapi/uv.h"

/* Where a hypervisor may differ from the specification (deviations.c says why). */
enum deviation {
	DEV_NO_RANGES,	   /* no range calls: UV_ESM asks for each page */
	DEV_INVALS,	   /* UV_PAGE_INVAL for whatever is unmapped, at any time */
	DEV_KEEPS_REFUSED, /* a page that UV_PAGE_OUT refuses stays a device page */
	DEV_DROPPED,	   /* H_SVM_PAGE_OUT does nothing for a page that H dropped */
	DEV_DONE,	   /* H_SVM_INIT_DONE: device pages for holes; and again for an SVM */
	DEV_ABORT,	   /* H_SVM_INIT_ABORT unregisters no memslot */
	DEV_UNFILLED,	   /* a page frame that nobody fills shows what it held before */
	DEV_OFF,	   /* termination: other order, and H is not zeroed */
	DEV_SLOTS,	   /* memslots may change while the VM is transient */
	DEV_HAZARDS,	   /* it does not survive some things: they are not done to it */
	DEV_COUNT,
};

/* What a page holds. */
#define SEAL_UNKNOWN UINT32_MAX /* whatever was in the page frame before */
struct content {
	uint32_t seal;		    /* 0: in the clear; else ciphertext, number of the seal */
	uint8_t byte[CONF_OFFSETS]; /* in the clear: the bytes; sealed: what was flipped */
};

/* What H's page table holds. */
enum pte { PTE_NONE, PTE_ZERO /* the zero page */, PTE_PAGE, PTE_DEVICE };

/* kvm-uvmem's finer states of a secure GFN that has no device page. */
enum mem { MEM_EMPTY, MEM_SEALED, MEM_DROPPED };

struct model_gfn {
	/* the ultravisor's */
	enum uv_gfn_state uv;
	bool fresh;	       /* shared just now: to be zeroed when it gets a page */
	bool self;	       /* backed with zeros without a UV_PAGE_IN */
	uint32_t seal;	       /* SEALED: its number */
	struct content secure; /* RESIDENT, SEALED: what the guest has */
	/* the hypervisor's */
	enum uvmem_gfn_state hv;
	enum mem mem;
	bool pinned; /* SHARED: it has a page */
	/* H */
	bool mapped;
	enum pte pte;
	struct content h; /* PTE_PAGE */
};

struct model_slot {
	bool hv;   /* the hypervisor has it */
	bool told; /* and has registered it */
	bool uv;   /* the ultravisor has it */
};

struct model_vm {
	bool exists;
	enum uvmem_vm_state hv;
	enum uv_vm_state uv;
	enum uv_stop_reason stop;
	uint64_t stop_gfn;
	bool in_esm; /* between UV_SIM_ESM_START and _FINISH */
	bool measuring;
	bool aborting;
	struct model_slot slot[CONF_SLOTS];
	struct model_gfn gfn[CONF_GFNS];
};

/* An ultracall of the hypervisor's. @what: a GFN, or the number of a memslot. */
struct ucall {
	uint16_t vm;
	uint16_t nr;
	uint16_t what;
	int16_t ret;
};

#define MODEL_UCALLS 256

/* What a step is to show. */
struct expect {
	int64_t ret;	  /* U_*, H_*, or 0 and an errno for what has none */
	bool bytes_known; /* reads: @byte is what is read */
	uint8_t byte[CONF_OFFSETS];
	bool loads; /* UV_ESM: code and blobs are put into GFN 0 first */
	bool flips; /* a host write to ciphertext: its bits are flipped */
	unsigned int nucalls;
	bool waits; /* an ultracall comes from a worker, some time later */
	struct ucall ucall[MODEL_UCALLS];
};

struct model {
	uint32_t seals;
	uint32_t deviations; /* bits of enum deviation */
	const char *hazard;  /* why the last step is not to be made */
	struct model_vm vm[CONF_VMS];
	struct expect *expect; /* of the step that is being made */
};

extern const struct slot_range {
	uint8_t first, n;
} slot_ranges[CONF_SLOTS];

static inline bool deviates(const struct model *m, enum deviation d)
{
	return m->deviations & 1u << d;
}

/* deviations.c */
struct deviation_text {
	const char *name, *what, *clause, *why;
};

extern const struct deviation_text deviation_texts[DEV_COUNT];

unsigned int slot_of(unsigned int gfn); /* CONF_SLOTS: none */

/* Change @m as @step does, and say what is to be seen. */
void model_step(struct model *m, const struct step *step, struct expect *expect);

/* --- between the halves; @vm is an index --- */

int64_t model_hcall(struct model *m, unsigned int vm, uint64_t nr, unsigned int gfn);
int64_t model_hcall_arg(struct model *m, unsigned int vm, uint64_t nr, unsigned int gfn,
			enum bad_arg bad);
/* H_SIM_SVM_PAGE_IN_RANGE: pages done, and the code. */
int64_t model_hcall_range(struct model *m, unsigned int vm, unsigned int gfn, unsigned int n,
			  uint64_t flags);
int64_t model_ucall(struct model *m, unsigned int vm, uint64_t nr, unsigned int what,
		    struct content *page, bool shared);

/* --- the hypervisor's half for model_step() --- */

bool hv_host_touch(struct model *m, unsigned int vm, unsigned int gfn, bool write);
void hv_host_unmap(struct model *m, unsigned int vm, unsigned int gfn);
int64_t hv_slot_del(struct model *m, unsigned int vm, unsigned int slot);
int64_t hv_slot_add(struct model *m, unsigned int vm, unsigned int slot);
int64_t hv_terminate(struct model *m, unsigned int vm);

/* --- the ultravisor's --- */

int64_t uv_esm(struct model *m, unsigned int vm, enum esm_variant variant);
int64_t uv_esm_begin(struct model *m, unsigned int vm);
int64_t uv_esm_finish(struct model *m, unsigned int vm, enum esm_variant variant);
int64_t uv_share(struct model *m, unsigned int vm, unsigned int gfn, unsigned int n, bool share);
int64_t uv_unshare_all(struct model *m, unsigned int vm);
/* The content that the guest gets at, or NULL: refused. */
struct content *uv_guest_touch(struct model *m, unsigned int vm, unsigned int gfn);

#endif /* _CONFORMANCE_MODEL_H */
