/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ultravisor: public interface of the core.
 *
 * Every function may be called from several CPUs at once. Everything that a
 * hypervisor or a guest passes in is untrusted.
 */
#ifndef _UV_CORE_UV_H
#define _UV_CORE_UV_H

#define UVSIM_CORE_ONLY
#include "../uapi/uv.h"
#undef UVSIM_CORE_ONLY
#include "port.h"

#define UV_UCALL_ARGS	6
#define UV_UCALL_OUT	2

struct uv;

/**
 * struct uv_config - what the ultravisor is started with
 * @secure_pages: size of secure memory in pages; 0 means that secure execution
 *	is off and every ultracall returns U_FUNCTION
 * @owner_key: AES-256 key that authenticates ESM blobs; NULL means UV_ESM
 *	returns U_NO_KEY
 * @max_lpid: largest LPID a hypervisor may register
 * @plain_copy: the port's cipher only copies, and so reads nothing back that it has
 *	written: pages are "sealed" straight into the hypervisor's
 */
struct uv_config {
	uint32_t secure_pages;
	const uint8_t *owner_key;
	uint32_t max_lpid;
	bool plain_copy;
};

struct uv_stats {		/* pages unless said otherwise */
	uint64_t secure_total;
	uint64_t secure_used;
	uint64_t secure_peak;
	uint64_t svms;
	uint64_t page_ins;
	uint64_t page_outs;
	uint64_t seals;
	uint64_t opens;
	uint64_t integrity_failures;
	uint64_t evictions;
	uint64_t guest_faults;		/* that mapped something */
	uint64_t ahead;			/* brought in with one that the guest touched */
	uint64_t unseen;		/* of those, that left without being touched */
};

struct uv_svm_info {
	enum uv_vm_state state;
	enum uv_stop_reason stop_reason;
	uint64_t stop_gpa;
	int64_t esm_ret;
	uint64_t memslots;
	uint64_t resident;
	uint64_t paged_out;
	uint64_t shared;
	uint64_t page_ins;
	uint64_t page_outs;
	uint64_t seals;
	uint64_t opens;
	uint64_t integrity_failures;
	uint64_t evictions;
};

/**
 * struct uv_caller - somebody who speaks for the guest with an LPID
 * @is_ours: is the VM that was found by the LPID the one that is meant? Called with a
 *	reference to it held: what an LPID named before may be gone, and another VM have it
 * @arg: its argument
 */
struct uv_caller {
	bool (*is_ours)(void *arg);
	void *arg;
};

enum uv_fault {
	UV_FAULT_MAPPED,	/* the map function ran and succeeded */
	UV_FAULT_PAGE_IN,	/* not here: call uv_guest_page_in(), then again */
	UV_FAULT_AGAIN,		/* busy: let the guest try again */
	UV_FAULT_REFUSED,	/* no such GFN, VM not secure, or SVM stopped */
	UV_FAULT_FAILED,	/* the map function failed */
	UV_FAULT_NOT_WHOLE,	/* not as a block */
};

/**
 * struct uv_map_target - what a GFN is to be mapped to
 * @gfn: the GFN: the one that was touched, or one behind it, or the first of its block
 * @npages: 1, or those of a block, the secure pages of which follow one another as well
 * @shared: @ra is the real address of the hypervisor's page; otherwise
 *	@secure_page is the number of a secure page
 */
struct uv_map_target {
	uint64_t gfn;
	uint32_t npages;
	bool shared;
	uint64_t ra;
	uint32_t secure_page;
};

/* Called with the GFN's lock held; returns 0 when the guest view maps it. */
typedef int (*uv_map_fn)(void *arg, const struct uv_map_target *target);

/**
 * struct uv_page_run - an ultracall for each of the pages that follow one another
 * @nr: UV_PAGE_IN or UV_PAGE_OUT
 * @lpid: of all of them
 * @gpa: of the first page; the i-th one's is @i pages higher
 * @flags: of all of them
 * @order: page size as log2
 * @n: number of pages
 * @ra: real address of each one's page; UV_NO_RA: no call for this one
 * @ret: out: a U_* code for each call
 */
struct uv_page_run {
	uint64_t nr;
	uint64_t lpid;
	uint64_t gpa;
	uint64_t flags;
	uint64_t order;
	uint32_t n;
	const uint64_t *ra;
	int64_t *ret;
};

#define UV_NO_RA	(~0ULL)

/* GFNs of an aligned chunk share a lock, as log2: CPUs that share a run take chunks. */
#define UV_CHUNK_SHIFT	4
#define UV_AROUND_MAX	(1u << UV_CHUNK_SHIFT)	/* pages of one touch of a guest's */

struct uv *uv_create(const struct uv_port *port, const struct uv_config *cfg);
void uv_destroy(struct uv *uv);

int64_t uv_hv_call(struct uv *uv, uint64_t nr, const uint64_t args[UV_UCALL_ARGS],
		   uint64_t out[UV_UCALL_OUT]);
void uv_hv_page_run(struct uv *uv, const struct uv_page_run *run);
int64_t uv_guest_call(struct uv *uv, uint32_t lpid, const struct uv_caller *caller, uint64_t nr,
		      const uint64_t args[UV_UCALL_ARGS], uint64_t out[UV_UCALL_OUT]);

enum uv_fault uv_guest_map(struct uv *uv, uint32_t lpid, uint64_t gfn,
			   uv_map_fn map, void *arg);
enum uv_fault uv_guest_page_in(struct uv *uv, uint32_t lpid, const struct uv_caller *caller,
			       uint64_t gfn);
enum uv_fault uv_guest_map_block(struct uv *uv, uint32_t lpid, uint64_t gfn, uv_map_fn map,
				 void *arg);
bool uv_guest_page_in_block(struct uv *uv, uint32_t lpid, const struct uv_caller *caller,
			    uint64_t gfn);

void uv_set_around(struct uv *uv, uint32_t pages);

bool uv_lpid_valid(struct uv *uv, uint32_t lpid);
void uv_get_stats(struct uv *uv, struct uv_stats *st);
bool uv_get_svm(struct uv *uv, uint32_t lpid, struct uv_svm_info *info);
uint32_t uv_list(struct uv *uv, uint32_t *lpids, uint32_t room);
void uv_get_map(struct uv *uv, uint32_t lpid, uint64_t gfn, uint64_t npages,
		uint8_t *states);

#endif /* _UV_CORE_UV_H */
