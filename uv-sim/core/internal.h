/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the core share with each other.
 *
 * Locks, outermost first. A lock's level is what port->lock_new() is told.
 *
 *   UV_LEVEL_LIFE   svm->life    one UV_WRITE_PATE, start of UV_ESM, teardown or
 *                                change of the memslots at a time
 *   UV_LEVEL_LPIDS  uv->lpids    the table of partitions
 *   UV_LEVEL_GFN    svm->gfn[]   the GFNs of chunks: their entries, the
 *                                contents of their secure pages, and their
 *                                mapping in the guest view. Never two at once
 *   UV_LEVEL_SCRATCH uv->scratch[] a page to seal into
 *   UV_LEVEL_TABLE  svm->table   memslots, the tree that entries hang in, the
 *                                state of the VM, which IVs are given out
 *   UV_LEVEL_POOL   uv->pool     frames of secure memory, their lists,
 *                                reservations, counters, references to SVMs
 *
 * No lock is held over a hypercall: the hypervisor answers with ultracalls.
 *
 * The state of a VM is written under svm->table and read there, once, at the
 * start of each operation on a GFN, after that GFN's lock was taken. Whoever
 * changes the state so that running operations must not go on with the old one
 * (measurement, abort, stop, teardown) then takes and drops each GFN lock:
 * afterwards every operation knows the new state.
 */
#ifndef _UV_CORE_INTERNAL_H
#define _UV_CORE_INTERNAL_H

#include "uv.h"

#define UV_NCHUNKS	64	/* GFN locks of an SVM; 2 to the 6 */
#define UV_NSCRATCH	16
#define UV_IV_BLOCK	64	/* IVs that the GFNs of a chunk get at once */
#define UV_NBUCKETS	256	/* of the table of LPIDs */
#define UV_LEAF_SHIFT	8	/* GFNs of a leaf of the GFN table, as log2 */
#define UV_LEAF_GFNS	256u
#define UV_CHUNK_GFNS	16u	/* a part of a leaf; 2 to the UV_CHUNK_SHIFT */
#define UV_NO_PAGE	(~(uint32_t)0)
#define UV_MAX_SLOTID	0xffff
#define UV_MAX_SLOT	0x400000000000ULL	/* bytes: 64 TiB */
#define UV_BATCH	64	/* pages that one range hypercall is to bring */
#define UV_MAX_TRIES	32	/* of a hypercall that is busy */
#define UV_STREAMS	4	/* of an SVM's faults that are told apart */

/* GFN entry flags */
#define UV_GFN_MAPPED	0x1	/* the guest view may map it */
#define UV_GFN_FRESH	0x2	/* shared just now: zero the page on page-in */
#define UV_GFN_SELF	0x4	/* backed without the hypervisor's UV_PAGE_IN */
#define UV_GFN_AHEAD	0x8	/* paged in with another, not touched yet */

struct uv_seal {
	uint8_t iv[UV_IV_BYTES];
	uint8_t tag[UV_TAG_BYTES];
};

/* One GFN. Changes only in uv_gfn_set(), but for UV_GFN_MAPPED and UV_GFN_AHEAD. */
struct uv_gfn {
	union {
		struct uv_seal seal;	/* UV_GFN_SEALED */
		uint64_t ra;		/* UV_GFN_SHARED */
		uint32_t page;		/* UV_GFN_RESIDENT */
	};
	uint8_t state;			/* enum uv_gfn_state */
	uint8_t flags;
};

struct uv_leaf {
	struct uv_gfn gfn[UV_LEAF_GFNS];
};

struct uv_slot {
	uint32_t id;
	uint64_t base;			/* first GFN */
	uint64_t npages;
	unsigned int height;		/* levels of the tree above its leaves */
	void *root;
};

enum uv_counter {
	UV_C_PAGE_INS,
	UV_C_PAGE_OUTS,
	UV_C_SEALS,
	UV_C_OPENS,
	UV_C_INTEGRITY,
	UV_C_EVICTIONS,
	UV_C_GUEST_FAULTS,
	UV_C_AHEAD,
	UV_C_UNSEEN,
	UV_C_RESIDENT,			/* these three go down as well */
	UV_C_SEALED,
	UV_C_SHARED,
	UV_NCOUNTERS
};

struct uv_stream {
	uint64_t begin;			/* where it began */
	uint64_t first, end;		/* GFNs of the last window */
	uint32_t window;		/* its size */
	uint32_t run;			/* faults in a row while that was 1 */
};

struct uv_around {			/* see around.c */
	struct uv_stream stream[UV_STREAMS];
	uint32_t next;			/* the stream that is given up next */
	uint32_t patience;
};

struct uv_iv_block {
	uint64_t next, end;
};

struct uv_svm {
	struct uv *uv;
	struct uv_svm *next;		/* in its bucket; uv->lpids */
	uint32_t lpid;
	struct uv_lock *life;
	struct uv_lock *table;
	struct uv_lock *gfn[UV_NCHUNKS];
	struct uv_iv_block iv[UV_NCHUNKS];	/* each under gfn[] of the same index */

	/* under life */
	uint64_t dw0, dw1;
	bool gone;			/* its LPID was released */

	/* under table */
	struct uv_slot **slots;		/* sorted by base */
	uint32_t nslots, slot_room;
	enum uv_vm_state state;
	bool in_esm;			/* UV_ESM runs */
	bool esm_held;			/* and waits for UV_SIM_ESM_FINISH */
	bool measuring;			/* no plaintext comes in any more */
	bool unplugged;			/* a memslot went away while it was measured */
	bool aborting;			/* never was secure: page out in the clear */
	bool dying;			/* teardown runs */
	bool no_ranges;			/* the hypervisor knows no range calls */
	enum uv_stop_reason stop_reason;
	uint64_t stop_gpa;
	int64_t esm_ret;
	uint64_t iv_counter;		/* IVs given out so far */

	/* set before the VM goes transient, freed when no GFN operation runs */
	struct uv_aead_key *key;
	uint64_t generation;		/* no two UV_ESM ever have the same */
	uint8_t iv_prefix[4];

	/* under uv->pool */
	uint32_t refs;
	uint32_t reserved;		/* secure pages kept for it */
	uint32_t reserving;		/* sum of what its reservers asked for */
	struct uv_around around;
	uint32_t last_block;		/* that a page of it came from */
	uint64_t count[UV_NCOUNTERS];
};

enum uv_frame_list { UV_LIST_NONE, UV_LIST_FREE, UV_LIST_ACTIVE, UV_LIST_INACTIVE, UV_NLISTS };

struct uv_frame {			/* one page of secure memory */
	struct uv_svm *svm;
	uint64_t gfn;
	uint32_t prev, next;
	uint8_t list;			/* enum uv_frame_list */
	bool evicting;
	bool in_place;			/* see block.c */
	bool ready;
};

struct uv_block {			/* see block.c */
	struct uv_svm *svm;		/* it is set aside for this one's region, or NULL */
	uint64_t region;		/* first GFN, in blocks */
	uint32_t next;			/* block in the same bucket, or that is listed, too */
	uint32_t nfree, nready;		/* frames of it */
	bool whole;			/* the port can map it as one */
	bool listed;			/* among the free blocks */
	bool mapped;			/* the guest view may map it as one */
};

struct uv_list_head {
	uint32_t head, tail, n;
};

struct uv_scratch {
	struct uv_lock *lock;
	void *page;
};

struct uv {
	struct uv_port port;
	uint32_t total;			/* secure pages */
	uint32_t max_lpid;
	bool plain_copy;		/* no cipher, see struct uv_config */
	struct uv_aead_key *owner_key;
	void *zeros;			/* one page that nobody writes */
	struct uv_scratch scratch[UV_NSCRATCH];

	struct uv_lock *lpids;
	struct uv_svm *bucket[UV_NBUCKETS];	/* under lpids */
	uint64_t generations;			/* under lpids */

	/* under pool */
	struct uv_lock *pool;
	struct uv_frame *frames;
	struct uv_list_head lists[UV_NLISTS];
	uint32_t nfree;
	uint32_t reserved;		/* of the free pages */
	struct uv_block *blocks;
	uint32_t nblocks;		/* constant; 0: there are none */
	uint32_t *block_bucket;		/* nblocks of them, by SVM and region */
	uint32_t free_blocks;		/* the first of those that are set aside for nobody */
	uint32_t rotor;			/* frame from which on one that may be any is looked for */
	uint32_t peak;
	uint32_t around;		/* most pages that one fault brings in */
	uint64_t nsvms;			/* VMs that are not normal */
	uint64_t count[UV_NCOUNTERS];
};

/* A change of a GFN's state, as far as it is uv->pool's business. */
struct uv_move {
	uint64_t gfn;
	uint32_t from_page, to_page;
	uint8_t from, from_flags;	/* enum uv_gfn_state */
	uint8_t to, to_flags;
};

/* Changes under one hold of a GFN's lock that uv->pool is yet to learn of. */
struct uv_moves {
	uint32_t n;
	struct uv_move move[UV_CHUNK_GFNS];
};

/* Result of looking a GFN up: valid while its lock is held. */
struct uv_gfn_ref {
	struct uv_svm *svm;
	uint64_t gfn;
	struct uv_gfn *e;		/* NULL: no entry, all defaults */
	enum uv_gfn_state state;
	uint32_t room;			/* entries from @e to the end of chunk and slot */
	/* the VM, as it was when the lock was taken */
	enum uv_vm_state vm_state;
	bool measuring, aborting, dying;
	struct uv_moves *moves;		/* NULL: uv->pool learns of a change at once */
};

enum uv_lookup { UV_LOOKUP_OK, UV_LOOKUP_NOSLOT, UV_LOOKUP_NOMEM };

static inline uint64_t uv_gpa(const struct uv *uv, uint64_t gfn)
{
	return gfn << uv->port.page_shift;
}

static inline size_t uv_page_size(const struct uv *uv)
{
	return (size_t)1 << uv->port.page_shift;
}

static inline void uv_copy_page(const struct uv *uv, void *dst, const void *src)
{
	uv->port.copy_page(uv->port.ctx, dst, src);
}

static inline void uv_unmap(const struct uv *uv, void *va)
{
	if (uv->port.unmap)
		uv->port.unmap(uv->port.ctx, va);
}

static inline bool uv_page_aligned(const struct uv *uv, uint64_t a)
{
	return !(a & ((1ULL << uv->port.page_shift) - 1));
}

static inline bool uv_go_on(const struct uv *uv)
{
	return !uv->port.go_on || uv->port.go_on(uv->port.ctx);
}

static inline uint32_t uv_min32(uint32_t a, uint64_t b)
{
	return a < b ? a : (uint32_t)b;
}

/* Pages to bring in by one hypercall: never more than a part of secure memory. */
static inline uint32_t uv_batch(const struct uv *uv)
{
	return uv->total < 4 ? 1 : uv_min32(UV_BATCH, uv->total / 4);
}

static inline void *uv_alloc(struct uv *uv, size_t bytes)
{
	return uv->port.alloc(uv->port.ctx, bytes);
}

static inline void uv_free(struct uv *uv, void *p)
{
	if (p)
		uv->port.free(uv->port.ctx, p);
}

static inline void uv_lock(struct uv *uv, struct uv_lock *lock)
{
	uv->port.lock(uv->port.ctx, lock);
}

static inline void uv_unlock(struct uv *uv, struct uv_lock *lock)
{
	uv->port.unlock(uv->port.ctx, lock);
}

/* The block that @page lies in, or NULL: there are none, or it is behind the last. */
static inline struct uv_block *uv_block_of(struct uv *uv, uint32_t page)
{
	uint32_t nr = page >> uv->port.block_shift;

	return nr < uv->nblocks ? &uv->blocks[nr] : NULL;
}

/* Called with uv->pool and the GFN's lock held: the guest may have @page, its GFN's. */
static inline void uv_block_enter(struct uv *uv, uint32_t page)
{
	struct uv_frame *f = &uv->frames[page];

	if (!f->in_place || f->ready)
		return;
	f->ready = true;
	uv_block_of(uv, page)->nready++;
}

/* May the guest view have @e's page, in its place, with its block? */
static inline bool uv_gfn_is_ready(const struct uv *uv, const struct uv_gfn *e)
{
	return e->state == UV_GFN_RESIDENT && uv->frames[e->page].ready;
}

static inline void *uv_frame_va(struct uv *uv, uint32_t page)
{
	return uv->port.secure_page(uv->port.ctx, page);
}

/* Wipe a secret that nobody reads afterwards: not to be optimised away. */
static inline void uv_wipe(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

/* main.c */
struct uv_svm *uv_svm_get(struct uv *uv, uint64_t lpid);
struct uv_svm *uv_svm_get_for(struct uv *uv, uint64_t lpid, const struct uv_caller *caller);
void uv_svm_put(struct uv_svm *svm);
struct uv_svm *uv_svm_new(struct uv *uv, uint32_t lpid);
void uv_svm_free(struct uv_svm *svm);
struct uv_svm **uv_svm_link(struct uv *uv, uint32_t lpid);

/* pate.c */
int64_t uv_hv_write_pate(struct uv *uv, uint64_t lpid, uint64_t dw0, uint64_t dw1);

/* lifecycle.c */
int64_t uv_hv_terminate(struct uv *uv, uint64_t lpid);
bool uv_svm_teardown(struct uv_svm *svm, enum uv_stop_reason why);
void uv_svm_stop(struct uv_svm *svm, enum uv_stop_reason why, uint64_t gpa);
void uv_svm_barrier(struct uv_svm *svm);
void uv_svm_set_state(struct uv_svm *svm, enum uv_vm_state state);
bool uv_svm_is(struct uv_svm *svm, enum uv_vm_state state);

/* memslot.c */
int64_t uv_hv_register_slot(struct uv *uv, const uint64_t *args);
int64_t uv_hv_unregister_slot(struct uv *uv, uint64_t lpid, uint64_t slotid);
struct uv_slot *uv_slot_at(struct uv_svm *svm, uint64_t gfn);
struct uv_slot *uv_slot_after(struct uv_svm *svm, uint64_t gfn);
bool uv_slot_next(struct uv_svm *svm, uint64_t gfn, uint64_t *first, uint64_t *n);
bool uv_slots_cover(struct uv_svm *svm, uint64_t gfn, uint64_t n);

/* gfntable.c */
void uv_slot_init_table(struct uv_slot *slot);
struct uv_leaf *uv_slot_leaf(struct uv_svm *svm, struct uv_slot *slot, uint64_t gfn, bool alloc);
bool uv_slot_leaf_next(struct uv_slot *slot, uint64_t gfn, uint64_t *found);
void uv_slot_free(struct uv_svm *svm, struct uv_slot *slot);

/* pagemap.c */
enum uv_lookup uv_gfn_lock(struct uv_svm *svm, uint64_t gfn, bool alloc, struct uv_gfn_ref *ref);
void uv_gfn_unlock(struct uv_gfn_ref *ref);
void uv_gfn_set(struct uv_gfn_ref *ref, const struct uv_gfn *to);
void uv_gfn_set_state(struct uv_gfn_ref *ref, enum uv_gfn_state state, uint8_t flags);
void uv_gfn_unmap_run(struct uv_gfn_ref *ref, uint32_t n, const uint64_t *ra);

/* Take @ref out of the guest view, if it may be there. */
static inline void uv_gfn_unmap(struct uv_gfn_ref *ref)
{
	if (ref->e && (ref->e->flags & UV_GFN_MAPPED || uv_gfn_is_ready(ref->svm->uv, ref->e)))
		uv_gfn_unmap_run(ref, 1, NULL);
}

/*
 * The GFN @n behind @from, which is in the same chunk and slot: @from's room tells. Its
 * lock is @from's.
 */
static inline void uv_gfn_step(const struct uv_gfn_ref *from, uint32_t n, struct uv_gfn_ref *to)
{
	*to = *from;
	to->gfn += n;
	to->e += n;
	to->room -= n;
	to->state = to->e->state;
}

static inline unsigned int uv_gfn_chunk_index(uint64_t gfn)
{
	/* Scattered, so that CPUs that go through memory side by side do not meet. */
	return (gfn >> UV_CHUNK_SHIFT) * 0x9e3779b97f4a7c15ULL >> 58;
}

struct uv_lock *uv_gfn_chunk(struct uv_svm *svm, uint64_t gfn);
typedef bool (*uv_gfn_fn)(struct uv_gfn_ref *ref, void *arg);
void uv_gfn_settle(const struct uv_gfn_ref *ref);
void uv_walk_gfns(struct uv_svm *svm, uint64_t from, uv_gfn_fn fn, void *arg);

/* pool.c */
bool uv_pool_init(struct uv *uv);
void uv_pool_exit(struct uv *uv);
uint32_t uv_page_take(struct uv_svm *svm, uint64_t gfn);
void uv_page_put(struct uv *uv, uint32_t page);
void uv_frame_attach(struct uv_svm *svm, uint64_t gfn, uint32_t page);
bool uv_frame_detach(struct uv *uv, uint32_t page);
void uv_frame_touch(struct uv *uv, uint32_t page);
bool uv_frame_is_active(struct uv *uv, uint32_t page);
void uv_list_add(struct uv *uv, uint32_t page, enum uv_frame_list list);
void uv_list_del(struct uv *uv, uint32_t page);
void uv_count(struct uv_svm *svm, enum uv_counter c);

/* Called with uv->pool held. */
static inline void uv_count_locked(struct uv_svm *svm, unsigned int c, int by)
{
	svm->count[c] += (uint64_t)(int64_t)by;
	svm->uv->count[c] += (uint64_t)(int64_t)by;
}

/* block.c */
bool uv_blocks_init(struct uv *uv);
void uv_blocks_exit(struct uv *uv);
uint32_t uv_block_place(struct uv_svm *svm, uint64_t gfn);
uint32_t uv_block_steal(struct uv *uv);
void uv_block_is_free(struct uv *uv, struct uv_block *b);
bool uv_block_leave(struct uv *uv, uint32_t page, uint32_t n);
void uv_block_unmapped(struct uv *uv, uint32_t page);
enum uv_fault uv_block_map(struct uv_gfn_ref *ref, uv_map_fn map, void *arg);

/* around.c */
uint32_t uv_around_window(struct uv_svm *svm, uint64_t gfn, uint32_t room);
bool uv_around_block(struct uv_svm *svm, uint64_t gfn);
void uv_around_passes(struct uv_svm *svm, uint64_t gfn, uint64_t end);
void uv_around_unseen(struct uv_svm *svm);

/* evict.c */
uint32_t uv_reserve(struct uv_svm *svm, uint32_t want);
uint32_t uv_reserve_free(struct uv_svm *svm, uint32_t want);
void uv_unreserve(struct uv_svm *svm, uint32_t want);

/* seal.c */
bool uv_seal_setup(struct uv_svm *svm);
void uv_seal_clear(struct uv_svm *svm);
int uv_seal_page(struct uv_gfn_ref *ref, const void *src, uint64_t dest_ra, struct uv_seal *seal);
int uv_open_page(struct uv_gfn_ref *ref, void *page, const struct uv_seal *seal);
#define UV_SEAL_BADRA	(-2)	/* uv_seal_page(): no such normal page */

/* hcall.c */
int64_t uv_hcall(struct uv_svm *svm, uint64_t nr, uint64_t gfn, uint64_t flags);
int64_t uv_hcall_range(struct uv_svm *svm, uint64_t nr, uint64_t gfn, uint64_t n, uint64_t flags,
		       uint64_t *done);
int64_t uv_hcall_page_in(struct uv_svm *svm, uint64_t gfn, uint64_t n, uint64_t flags);
bool uv_knows_no_ranges(struct uv_svm *svm);
bool uv_is_busy(int64_t ret);
bool uv_is_unknown(int64_t ret);
void uv_relax(struct uv *uv, unsigned int attempt);

/* page_in.c */
int64_t uv_page_in(struct uv_gfn_ref *ref, uint64_t src_ra, uint64_t flags, bool *tampered);
bool uv_back_with_zeros(struct uv_gfn_ref *ref);

/* page_out.c */
int64_t uv_page_out(struct uv_gfn_ref *ref, uint64_t dest_ra, uint64_t flags, bool *tampered);
int64_t uv_hv_page_inval(struct uv *uv, uint64_t lpid, uint64_t gpa, uint64_t order);

/* share.c */
int64_t uv_g_share(struct uv_svm *svm, uint64_t gfn, uint64_t num);
int64_t uv_g_unshare(struct uv_svm *svm, uint64_t gfn, uint64_t num);
int64_t uv_g_unshare_all(struct uv_svm *svm);

/* esm.c */
int64_t uv_g_esm(struct uv_svm *svm, uint64_t blob, uint64_t fdt, uint64_t out[UV_UCALL_OUT]);
int64_t uv_g_esm_start(struct uv_svm *svm);
int64_t uv_g_esm_finish(struct uv_svm *svm, uint64_t blob, uint64_t fdt,
			uint64_t out[UV_UCALL_OUT]);

/* esm_blob.c */
struct uv_esm_header;
struct uv_esm_range;
struct uv_esm_plan {			/* a blob that was authenticated */
	uint64_t entry;
	uint32_t nranges;
	const struct uv_esm_range *ranges;	/* in buf */
	uint8_t *buf;
};

int64_t uv_esm_blob_load(struct uv_svm *svm, uint64_t gpa, struct uv_esm_plan *plan);
void uv_esm_blob_free(struct uv *uv, struct uv_esm_plan *plan);
uint32_t uv_get_le32(const void *p);
uint64_t uv_get_le64(const void *p);

/* measure.c */
bool uv_bytes_covered(struct uv_svm *svm, uint64_t gpa, uint64_t len);
int64_t uv_guest_read(struct uv_svm *svm, uint64_t gpa, void *buf, size_t len);
int64_t uv_measure(struct uv_svm *svm, const struct uv_esm_plan *plan);

/* fault.c */
enum uv_fault uv_populate(struct uv_svm *svm, uint64_t gfn, enum uv_vm_state vm_state);

/* log.c */
struct uv_line {
	char s[128];
	unsigned int n;
};

void uv_line_start(struct uv_line *l, const struct uv_svm *svm);
void uv_line_str(struct uv_line *l, const char *s);
void uv_line_hex(struct uv_line *l, uint64_t v);
void uv_line_dec(struct uv_line *l, int32_t v);
void uv_line_end(struct uv_line *l, struct uv *uv);
const char *uv_stop_name(enum uv_stop_reason why);

#endif /* _UV_CORE_INTERNAL_H */
