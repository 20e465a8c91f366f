/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small machine to test the ultravisor's core on: normal memory, a hypervisor
 * that behaves as the kernel's does, guests with the two views of their memory.
 *
 * It checks on its own what the core promises everywhere: locks are taken in
 * the documented order, none is held over a hypercall, no hypercall is made
 * inside an ultracall of the hypervisor's, the cipher never works on normal
 * memory, and nothing is left allocated in the end. A broken promise aborts.
 */
#ifndef _UNIT_MACHINE_H
#define _UNIT_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>

#include "../../uv-sim/core/internal.h"
#include "../../uv-sim/user/uvsim_user.h"
#include "../../uv-sim/user/esm_blob.h"

/*
 * The page size that a test gets when it does not ask for another, as log2.
 * All tests are run with 12 and with 16 (Makefile).
 */
#ifndef SHIFT
#define SHIFT 12
#endif
#define OTHER_SHIFT (SHIFT == 12 ? 16 : 12)
#define PG (1ULL << SHIFT)

#define BLOCK_SHIFT 5	/* pages of a block, as log2 */
#define BROKEN_BLOCK 3u /* number of the block that is none */
#define MAX_VMS 4
#define MAX_VM_SLOTS 4
#define RA_BASE 0x10000000ULL /* where normal memory starts */

extern const uint8_t owner_key[32];

/* A page of a VM as its hypervisor sees it. */
enum hstate {
	H_HOLE,	     /* nobody ever touched it */
	H_NORMAL,    /* a normal page, nothing known of it */
	H_DEVICE,    /* in secure memory */
	H_PAGED_OUT, /* a normal page, with what UV_PAGE_OUT wrote */
	H_SHARED,    /* a normal page, shared */
};

struct hpage {
	enum hstate state;
	uint64_t ra; /* H_NORMAL, H_PAGED_OUT, H_SHARED */
};

struct hslot {
	uint64_t gfn, n;
};

struct machine;

struct vm {
	struct machine *m;
	uint32_t lpid;
	unsigned int nslots;
	struct hslot slot[MAX_VM_SLOTS];
	uint64_t top; /* GFNs that h[] and g[] cover */
	struct hpage *h;
	uint8_t **g; /* the guest view: what is mapped */
	bool init_start, init_done;
	pthread_mutex_t lock; /* of the hypervisor's, over ultracalls */
	pthread_mutex_t view;
	uint64_t blob_gpa;
};

struct machine {
	struct uv *uv;
	struct uv_user *user;
	struct uv_port port;
	unsigned int shift;
	size_t page;
	uint32_t secure_pages;

	pthread_mutex_t lock; /* of everything below */
	uint8_t *normal;
	uint32_t npages, nfree;
	uint32_t *free;
	struct vm vm[MAX_VMS];
	char log[8][128];
	unsigned int nlog;

	/* knobs of the hypervisor */
	bool no_range;		     /* as upstream: no range calls */
	unsigned int page_out_calls; /* H_SVM_PAGE_OUT and H_SIM_SVM_PAGE_OUT_RANGE */
	bool back_holes;	     /* as upstream: a hole gets a device page */
	/* Sees every hypercall first; true if it answered in *ret. */
	bool (*hook)(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		     uint64_t *out, int64_t *ret);
	unsigned int hcalls;
	unsigned int patience;	 /* faults a guest takes on one access */
	bool blocks;		 /* the guest view maps blocks */
	bool no_page_tables;	 /* entries of single pages do not keep a block's out */
	unsigned int block_maps; /* so often */

	/* knobs of the port */
	long fail_alloc; /* fail this allocation from now, 1 the next; 0 none */
	long allocs, live;
	bool fail_random, fail_seal;
	/* Called in the middle of sealing and opening. */
	void (*on_crypt)(struct machine *m, bool sealing);
	/* Called before the guest view loses anything, with the lock of a GFN held. */
	void (*on_unmap)(struct machine *m);
	/* Called when the lock of a GFN has been released. */
	void (*on_gfn_unlock)(struct machine *m);
	uint8_t last_iv[UV_IV_BYTES];
	unsigned int maps;    /* open port->map()s */
	unsigned int unmaps;  /* port->guest_unmap()s so far */
	unsigned int ra_held; /* pages of normal memory that port->ra_get() keeps */
};

struct options {
	unsigned int shift;
	uint32_t secure_pages;
	uint32_t normal_pages;
	bool no_key;
};

/* machine.c */
struct machine *machine_new(const struct options *opt);
void machine_free(struct machine *m);
int64_t hv(struct machine *m, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	   uint64_t a4);
void hv_run(struct machine *m, const struct uv_page_run *run);
int64_t guest(struct vm *vm, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t *out);
uint64_t ra_alloc(struct machine *m);
void ra_free(struct machine *m, uint64_t ra);
uint8_t *ra_va(struct machine *m, uint64_t ra);
bool normal_contains(struct machine *m, const void *what, size_t len);
bool logged(struct machine *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool free_frames_are_zero(struct machine *m);
struct uv_svm *svm_of(struct vm *vm);
struct uv_gfn *entry_of(struct vm *vm, uint64_t gfn);

/* hv.c */
struct vm *vm_new(struct machine *m, uint32_t lpid, uint64_t npages);
void vm_add_slot(struct vm *vm, uint64_t gfn, uint64_t n);
void vm_free(struct vm *vm);
int64_t hv_hcall(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		 uint64_t *out);
uint8_t *host_touch(struct vm *vm, uint64_t gfn);
int64_t host_page_out(struct vm *vm, uint64_t gfn);
int64_t host_unmap_shared(struct vm *vm, uint64_t gfn);
void host_terminate(struct vm *vm);

/* guest.c */
int guest_copy(struct vm *vm, uint64_t gpa, void *buf, size_t len, bool write);
void guest_fill(struct vm *vm, uint64_t gfn, uint32_t seed);
bool guest_check(struct vm *vm, uint64_t gfn, uint32_t seed);
bool guest_is_zero(struct vm *vm, uint64_t gfn);
void vm_fill_normal(struct vm *vm, uint64_t gfn, uint32_t seed);
bool vm_check_normal(struct vm *vm, uint64_t gfn, uint32_t seed);
void pattern(struct machine *m, void *page, uint64_t gfn, uint32_t seed);
void vm_put_blob(struct vm *vm, const uint8_t key[32], uint64_t first, uint64_t n, uint32_t alg);
int64_t vm_esm(struct vm *vm);
struct vm *vm_secure(struct machine *m, uint32_t lpid, uint64_t npages, uint32_t seed);
uint8_t gfn_state(struct vm *vm, uint64_t gfn);
struct uv_svm_info svm_info(struct vm *vm);
struct uv_stats stats(struct machine *m);

#endif /* _UNIT_MACHINE_H */
