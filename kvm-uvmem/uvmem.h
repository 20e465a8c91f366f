/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kvm-uvmem: the hypervisor half of secure-guest memory.
 *
 * A VM's memory has two views. H, private anonymous memory of the VMM, is what
 * the hypervisor can touch; G, mapped by the ultravisor, is what the vCPUs
 * touch. A secure page is a device-private entry in H: touching it calls
 * migrate_to_ram(), which asks the ultravisor for a sealed copy (page-out).
 * When the guest touches it again the ultravisor asks for it with
 * H_SVM_PAGE_IN, and H has a device-private entry once more.
 *
 * States of a GFN
 * ---------------
 *	Normal	the VM is normal; H has the content in the clear
 *	UVMEM	secure; H has a device-private page, the content is in secure
 *		memory
 *	MEM	secure; H has a normal page with sealed content, or nothing
 *	Shared	G maps the same, pinned, page as H
 *
 *	GFN    | share  | unshare | abort, terminate | H_SVM_INIT_DONE
 *	Secure | Shared | Secure  | Normal           | Secure
 *	Shared | Shared | Secure  | Normal           | Shared
 *	Normal | Shared | Secure  | Normal           | Secure
 *
 * (Secure is UVMEM or MEM.) A state changes in gfn.c only: in uvmem_gfn_set(); many at
 * once in uvmem_gfns_secure() and uvmem_leaf_*(); and in uvmem_gfn_dropped() when the host
 * drops a page.
 *
 * States of a VM
 * --------------
 *	VM        | INIT_START | INIT_DONE | INIT_ABORT | terminate
 *	Normal    | Transient  | error     | error      | Normal
 *	Transient | error      | Secure    | Normal     | Normal
 *	Secure    | error      | error     | error      | Normal
 *
 * Locking order
 * -------------
 *	1. uvmem_svm.lock	VM state, memslots (mutex)
 *	2. uvmem_srcu		read side; keeps memslots alive
 *	3. mm->mmap_lock	read, or write for KSM and for a termination, which
 *				takes the VMA's lock as well
 *	4. uvmem_svm.stripe[]	GFN states of UVMEM_RUN_MAX aligned pages
 *				(mutex); one at a time, or upwards those of a block
 *	   split_lock		of split.c (mutex)
 *	5. page locks		migrate_vma_*() trylocks them, but to split a large folio
 *	6. locks of the ultravisor, taken in ultracalls
 *	7. uvmem_svm.inval_lock, uvmem_around.lock, pool.lock of devmem.c (spinlocks)
 *	8. uvmem_slot.leaf_lock (spinlock)
 *
 * migrate_to_ram() comes in with 3 held (read) and therefore finds its memslot
 * through the device page and uvmem_srcu, never through 1. The ultravisor
 * makes hypercalls with no lock and no mmap lock held. pin_user_pages() may
 * call migrate_to_ram(), so no stripe is held over it. The pool's page_free()
 * is called with page table locks held and changes a GFN with cmpxchg().
 */
#ifndef _UVMEM_H
#define _UVMEM_H

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/kref.h>
#include <linux/log2.h>
#include <linux/maple_tree.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

#include "../uv-sim/linux/lru.h"
#include "../uv-sim/linux/uvsim.h"
#include "compat.h"
#include "uapi/uvmem.h"

/*
 * A run is the pages that one migrate_vma call, and one hold of a stripe, covers at most;
 * a block those that can be one folio (huge.c). Both are aligned.
 */
#define UVMEM_RUN_SHIFT		6
#define UVMEM_RUN_MAX		BIT(UVMEM_RUN_SHIFT)
#define UVMEM_BLOCK_MAX		BIT(UVMEM_HUGE_ORDER ?: 9)
#define UVMEM_STRIPES		256	/* in groups of UVMEM_BLOCK_RUNS */
#define UVMEM_BLOCK_RUNS	(UVMEM_BLOCK_MAX / UVMEM_RUN_MAX)
#define UVMEM_MAX_SLOTS		512
#define UVMEM_MAX_LPID		4095

/* Why a GFN changed its state (tracepoints). */
enum uvmem_reason {
	UVMEM_R_INIT_START,	/* H_SVM_INIT_START */
	UVMEM_R_PAGE_IN,	/* H_SVM_PAGE_IN */
	UVMEM_R_PAGE_OUT,	/* H_SVM_PAGE_OUT */
	UVMEM_R_HOST_TOUCH,	/* migrate_to_ram() */
	UVMEM_R_HOST_ALONG,	/* the same, of a neighbour */
	UVMEM_R_SHARE,
	UVMEM_R_UNSHARE,
	UVMEM_R_INVAL,		/* the host unmapped a shared page */
	UVMEM_R_DROP,		/* the host unmapped a secure page */
	UVMEM_R_INIT_DONE,
	UVMEM_R_ABORT,
	UVMEM_R_TERMINATE,
};

#define UVMEM_STREAMS		4

/**
 * struct uvmem_stream - faults of the host's that follow one another
 * @first: first GFN of the last window
 * @end: the GFN behind it; 0: no stream
 * @window: pages of it
 * @from: the first GFN of those that another CPU moves
 * @ahead: the GFN behind them; no more than @end: there are none
 * @run: faults in a row while the window was a page
 * @begin: where it began
 */
struct uvmem_stream {
	u64 first;
	u64 end;
	u64 from;
	u64 ahead;
	unsigned int window;
	unsigned int run;
	u64 begin;
};

/**
 * struct uvmem_around - what was learned of a memslot's faults, see around.c
 * @lock: guards all of it
 * @stream: the streams that are told apart
 * @next: the one that is given up next
 * @patience: 2^n faults in a row are to come before a window opens
 * @trusting: a block moved for the first touch of a reader, which has not come to the next
 *	one
 */
struct uvmem_around {
	spinlock_t lock;		/* everything below */
	struct uvmem_stream stream[UVMEM_STREAMS];
	unsigned int next;
	unsigned int patience;
	bool trusting;
};

/**
 * struct uvmem_ahead - pages that another CPU moves, see ahead.c
 * @work: moves them
 * @gfn: the first one that it has not begun with
 * @npages: how many are left from there
 * @step: pages that it moves at one go
 * @beyond: the block that comes after the next touch of the reader's; 0: none. Only the
 *	worker moves it, when nothing else is left
 * @begun: it has begun with @beyond
 * @busy: it is to move them, or about it
 */
struct uvmem_ahead {
	struct work_struct work;
	u64 gfn;
	unsigned long npages;
	unsigned long step;
	u64 beyond;
	bool begun;
	bool busy;
};

/**
 * struct uvmem_slot - a memslot
 * @svm: the VM
 * @id: slot number of the VMM's
 * @base_gfn: first GFN
 * @npages: size in pages
 * @hva: address of the first page in H
 * @gfn: one entry a page, see gfn.c
 * @leaf: what is common to the entries of a leaf, see there
 * @leaf_lock: guards @leaf
 * @around: which pages go along when the host touches one
 * @ahead: which are moved before the host touches them
 * @notifier: tells when the host unmaps a part of H
 * @registered: UV_REGISTER_MEM_SLOT was done
 * @advice: what H's VMAs were to KSM and khugepaged before the VM went secure, VM_*
 * @advised_end: how far into H they have been changed since, an address
 */
struct uvmem_slot {
	struct uvmem_svm *svm;
	u32 id;
	u64 base_gfn;
	u64 npages;
	unsigned long hva;
	u64 *gfn;
	u8 *leaf;
	spinlock_t leaf_lock;		/* leaf */
	struct uvmem_around around;
	struct uvmem_ahead ahead;	/* all but work: around.lock */
	struct mmu_interval_notifier notifier;
	bool registered;
	vm_flags_t advice;
	unsigned long advised_end;
};

/**
 * struct uvmem_pfns - scratch memory for a migration, and for its ultracalls
 * @src: of struct migrate_vma
 * @dst: of struct migrate_vma
 * @ra: real addresses of the pages that the ultravisor is to read or fill
 * @rc: what it says of each
 */
struct uvmem_pfns {
	unsigned long *src;
	unsigned long *dst;
	u64 *ra;
	s64 *rc;
};

/**
 * struct uvmem_counters - one CPU's part of what is counted of a VM
 * @states: GFNs in each state but Shared
 *
 * The others are totals since the VM was created, in pages unless struct uvmem_stats,
 * whose fields they are, says otherwise. Only their sums over all CPUs mean anything.
 */
struct uvmem_counters {
	s64 states[UVMEM_GFN_SHARED];
	s64 page_ins;
	s64 page_outs;
	s64 host_faults;
	s64 shares;
	s64 unshares;
	s64 invals;
	s64 drops;
	s64 busy;
	s64 migrate_calls;
	s64 along;
	s64 unseen;
};

/**
 * struct uvmem_svm - a VM
 * @ref: the file, and every hypercall that runs
 * @lpid: logical partition ID
 * @mm: whose memory H is (mmgrab)
 * @lock: VM state and memslots
 * @state: written under @lock; read under uvmem_srcu as well
 * @closing: under @lock; it stays Normal from now on
 * @slots: by GFN
 * @nslots: number of memslots
 * @stripe: locks of the GFN states
 * @inval_lock: guards @inval_first and @inval_last
 * @inval_first: lowest GFN of those that the host unmapped
 * @inval_last: highest GFN of those
 * @inval_work: tells the ultravisor about them
 * @shared: number of Shared GFNs
 * @count: what else is counted
 */
struct uvmem_svm {
	struct kref ref;
	struct rcu_head rcu;
	u32 lpid;
	struct mm_struct *mm;
	struct mutex lock;		/* state, slots */
	enum uvmem_vm_state state;
	bool closing;
	struct maple_tree slots;
	u32 nslots;
	struct mutex stripe[UVMEM_STRIPES];	/* GFN states */
	spinlock_t inval_lock;		/* inval_first, inval_last */
	u64 inval_first;
	u64 inval_last;
	struct work_struct inval_work;
	atomic64_t shared;
	struct uvmem_counters __percpu *count;
};

extern struct srcu_struct uvmem_srcu;

static inline void uvmem_count(s64 __percpu *counter)
{
	this_cpu_inc(*counter);
}

/*
 * The runs of a block have stripes that follow one another. The next block has others, and
 * so have blocks that are a power of two apart, as are those of CPUs that share a guest's
 * memory evenly.
 */
static inline struct mutex *uvmem_stripe(struct uvmem_svm *svm, u64 gfn)
{
	u64 run = gfn >> UVMEM_RUN_SHIFT;
	u64 group = hash_64(run / UVMEM_BLOCK_RUNS, ilog2(UVMEM_STRIPES / UVMEM_BLOCK_RUNS));

	return &svm->stripe[group * UVMEM_BLOCK_RUNS + run % UVMEM_BLOCK_RUNS];
}

static inline unsigned long uvmem_slot_hva(const struct uvmem_slot *slot, u64 gfn)
{
	return slot->hva + ((gfn - slot->base_gfn) << PAGE_SHIFT);
}

static inline u64 uvmem_page_ra(struct page *page)
{
	return (u64)page_to_pfn(page) << PAGE_SHIFT;
}

/*
 * The VMA of an address of H, or NULL if that is not private anonymous memory, whatever
 * the VMM has mapped there: pages of files are not H's to move, and who serves their faults
 * may never answer. Under the mmap lock.
 */
static inline struct vm_area_struct *uvmem_h_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);

	return vma && vma_is_anonymous(vma) ? vma : NULL;
}

/* May a page of H go to secure memory? Not one that KSM made, which is others' as well. */
static inline bool uvmem_is_h_page(struct page *page)
{
	return PageAnon(page) && !folio_test_ksm(page_folio(page));
}

/*
 * Let others at the mmap lock, which is held for reading, and at the CPU. What
 * was looked up under it has to be looked up again.
 */
static inline void uvmem_mmap_relax(struct mm_struct *mm)
{
	if (mmap_lock_is_contended(mm) || need_resched()) {
		mmap_read_unlock(mm);
		cond_resched();
		mmap_read_lock(mm);
	}
}

/*
 * Length of the run at @gfn: it ends with its stripe, the memslot, the VMA
 * and @max.
 */
static inline unsigned long uvmem_run_len(const struct uvmem_slot *slot, u64 gfn,
					  const struct vm_area_struct *vma,
					  unsigned long addr, u64 max)
{
	u64 n = UVMEM_RUN_MAX - (gfn & (UVMEM_RUN_MAX - 1));

	n = min(n, slot->base_gfn + slot->npages - gfn);
	n = min_t(u64, n, (vma->vm_end - addr) >> PAGE_SHIFT);
	return min(n, max);
}

/* svm.c */
struct uvmem_svm *uvmem_svm_get(u32 lpid);
void uvmem_svm_put(struct uvmem_svm *svm);
int uvmem_svm_create_fd(const struct uvmem_create *args, struct uvmem_create __user *argp);
void uvmem_svm_for_each(void (*fn)(struct uvmem_svm *svm, void *arg), void *arg);

/* hcall.c */
s64 uvmem_hcall(struct uvmem_svm *svm, u64 nr, const u64 args[4], u64 out[1]);

/* lifecycle.c */
s64 uvmem_init_start(struct uvmem_svm *svm);
s64 uvmem_init_done(struct uvmem_svm *svm);
s64 uvmem_init_abort(struct uvmem_svm *svm);
int uvmem_terminate(struct uvmem_svm *svm);

/* memslot.c */
struct uvmem_slot *uvmem_slot_find(struct uvmem_svm *svm, u64 gfn);
int uvmem_slot_set(struct uvmem_svm *svm, const struct uvmem_memslot *req);
void uvmem_slot_delete(struct uvmem_slot *slot);
s64 uvmem_slot_register(struct uvmem_slot *slot);
void uvmem_slot_unregister(struct uvmem_slot *slot);

/* gfn.c */
bool uvmem_gfn_table_alloc(struct uvmem_slot *slot);
void uvmem_gfn_table_free(struct uvmem_slot *slot);
u64 uvmem_leaf_room(const struct uvmem_slot *slot, u64 gfn);
bool uvmem_leaf_secure(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason);
u64 uvmem_leaf_normal(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason);
bool uvmem_leaf_is_mixed(const struct uvmem_slot *slot, u64 gfn);
bool uvmem_leaf_next_mixed(const struct uvmem_slot *slot, u64 *gfn, u64 end, u64 *next);
enum uvmem_gfn_state uvmem_gfn_state(const struct uvmem_slot *slot, u64 gfn);
u64 uvmem_gfn_value(const struct uvmem_slot *slot, u64 gfn);
u64 uvmem_gfn_clock(void);
void uvmem_gfn_set(struct uvmem_slot *slot, u64 gfn, enum uvmem_gfn_state state,
		   u64 value, enum uvmem_reason reason, u64 start_ns);
void uvmem_gfns_secure(struct uvmem_slot *slot, u64 gfn, unsigned long n,
		       enum uvmem_reason reason);
u32 uvmem_gfn_stamp(const struct uvmem_slot *slot, u64 gfn);
struct page *uvmem_gfn_page(const struct uvmem_slot *slot, u64 gfn);
bool uvmem_any_resident(const struct uvmem_slot *slot, u64 gfn, u64 n);
void uvmem_gfn_dropped(struct uvmem_slot *slot, u64 gfn, u32 index);
/*
 * Values of a MEM entry: H has nothing and nothing is in secure memory; H has
 * what the ultravisor sealed; H has nothing, but secure memory may; as sealed,
 * and it went along with a page that the host touched.
 */
#define UVMEM_MEM_EMPTY		0
#define UVMEM_MEM_SEALED	1
#define UVMEM_MEM_DROPPED	2
#define UVMEM_MEM_ALONG		3
/*
 * Value of an UVMEM entry: the device page, and when the guest brought the page
 * in, in jiffies that wrap around; 0: it did not.
 */
#define UVMEM_STAMP_MASK	GENMASK(29, 0)
#define UVMEM_DEVICE(index, stamp)	((u64)(stamp) << 32 | (index))

/* devmem.c */
int uvmem_pool_init(void);
void uvmem_pool_exit(void);
void *uvmem_pool_owner(void);
struct page *uvmem_devpage_alloc(struct uvmem_slot *slot, u64 gfn);
struct page *uvmem_devblock_alloc(struct uvmem_slot *slot, u64 gfn);
u32 uvmem_devpage_index(struct page *page);
struct page *uvmem_devpage(u32 index);
struct uvmem_slot *uvmem_devpage_slot(struct page *page, u64 *gfn);
void uvmem_devpage_detach(struct page *page);
void uvmem_pool_settle(void);
void uvmem_pool_usage(u64 *pages, u64 *free);

/* page_in_range.c */
s64 uvmem_page_in(struct uvmem_svm *svm, u64 gfn, u64 npages, u64 flags, u64 *done);

/* page_in_rest.c */
bool uvmem_h_is_there(struct uvmem_slot *slot);
s64 uvmem_page_in_rest(struct uvmem_slot *slot);

/* page_out.c */
int uvmem_page_out_run(struct uvmem_slot *slot, struct vm_area_struct *vma,
		       unsigned long addr, u64 gfn, unsigned long npages,
		       struct uvmem_pfns *pfns, enum uvmem_reason reason);
int uvmem_page_out_stray(struct uvmem_slot *slot, u64 gfn, enum uvmem_reason reason);

/* page_out_range.c */
s64 uvmem_page_out(struct uvmem_svm *svm, u64 gfn, u64 npages, u64 *done);

/* touch.c */
vm_fault_t uvmem_migrate_to_ram(struct vm_fault *vmf);
void uvmem_page_out_ahead(struct uvmem_slot *slot, u64 gfn, unsigned long npages, bool wait);

/* pfns.c */
struct uvmem_pfns *uvmem_pfns_alloc(unsigned long npages, gfp_t gfp);

/* huge.c */
bool uvmem_is_block(const struct uvmem_slot *slot, u64 gfn, const struct vm_area_struct *vma,
		    unsigned long addr, u64 max);
unsigned long uvmem_piece(struct uvmem_svm *svm, u64 gfn, u64 npages);
unsigned long uvmem_slot_piece(const struct uvmem_slot *slot);
void uvmem_block_lock(struct uvmem_svm *svm, u64 gfn);
bool uvmem_block_trylock(struct uvmem_svm *svm, u64 gfn);
void uvmem_block_unlock(struct uvmem_svm *svm, u64 gfn);
void uvmem_block_expand(unsigned long *pfns);
void uvmem_block_collapse(unsigned long *pfns);
struct folio *uvmem_block_folio(const struct uvmem_slot *slot, u64 gfn);
void uvmem_block_unmapped(struct folio *folio, unsigned long *unmapped);

/* split.c */
void uvmem_split_at(struct vm_area_struct *vma, unsigned long addr);
void uvmem_split_huge(struct vm_area_struct *vma, unsigned long addr, unsigned long npages);

/* block_out.c */
bool uvmem_page_out_block(struct uvmem_slot *slot, struct vm_area_struct *vma,
			  unsigned long addr, u64 gfn, struct uvmem_pfns *pfns,
			  enum uvmem_reason reason, bool alone);

/* around.c */
void uvmem_around_init(struct uvmem_slot *slot);
u32 uvmem_around_stamp(void);
unsigned long uvmem_around_window(struct uvmem_slot *slot, u64 gfn, u64 lowest, u64 highest,
				  u64 *first);
unsigned long uvmem_around_count(struct uvmem_slot *slot, u64 gfn, unsigned long most);
bool uvmem_around_claim(struct uvmem_slot *slot, u64 gfn);
u64 uvmem_around_claim_blocks(struct uvmem_slot *slot, u64 gfn);
bool uvmem_around_block(struct uvmem_slot *slot, u64 gfn);
void uvmem_around_block_moved(struct uvmem_slot *slot, u64 gfn);
void uvmem_around_returns(struct uvmem_slot *slot, u64 gfn);

/* ahead.c */
void uvmem_ahead_init(struct uvmem_slot *slot);
bool uvmem_ahead(struct uvmem_slot *slot, u64 gfn);
bool uvmem_ahead_blocks(struct uvmem_slot *slot, u64 gfn, u64 *end);
void uvmem_ahead_help(struct uvmem_slot *slot, u64 end);
void uvmem_ahead_exit(struct uvmem_slot *slot);

/* pagetable.c */
bool uvmem_pte_young(struct mm_struct *mm, unsigned long addr);
unsigned long uvmem_untouched_end(struct mm_struct *mm, unsigned long addr, unsigned long end);
bool uvmem_huge_entry(struct mm_struct *mm, unsigned long addr);
struct page *uvmem_device_entry(struct mm_struct *mm, unsigned long addr);
struct page *uvmem_device_block(struct mm_struct *mm, unsigned long addr);

/* spread.c */
typedef s64 (*uvmem_run_fn)(void *arg, u64 gfn, u64 npages, u64 *done);
bool uvmem_spreads(u64 npages);
s64 uvmem_spread(u64 gfn, u64 npages, unsigned long piece, bool apart, uvmem_run_fn fn,
		 void *arg, u64 *done);

/* share.c */
s64 uvmem_share(struct uvmem_svm *svm, u64 gfn, u64 npages, u64 *done);
s64 uvmem_unshare_page(struct uvmem_slot *slot, u64 gfn);
void uvmem_unpin(struct uvmem_slot *slot, u64 gfn);

/* drop.c */
int uvmem_drop_slot(struct uvmem_slot *slot, enum uvmem_reason reason);

/* unmap.c */
bool uvmem_unmap_slot(struct uvmem_slot *slot);

/* inval.c */
extern const struct mmu_interval_notifier_ops uvmem_inval_ops;
void uvmem_inval_init(struct uvmem_svm *svm);

/* fail.c */
enum uvmem_fail { UVMEM_FAIL_SETUP = 1, UVMEM_FAIL_COPY, UVMEM_FAIL_PAGES };
extern unsigned int uvmem_fail_step;
bool uvmem_fail_one(void);

/* Is a page to be given up after @step, which was just done? */
static inline bool uvmem_should_fail(enum uvmem_fail step)
{
	return unlikely(READ_ONCE(uvmem_fail_step) == step) && uvmem_fail_one();
}

/* stats.c */
void uvmem_get_stats(struct uvmem_svm *svm, struct uvmem_stats *st);
void uvmem_stats_init(void);
void uvmem_stats_exit(void);

#endif /* _UVMEM_H */
