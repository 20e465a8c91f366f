/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of uv-upstream.ko share with each other.
 *
 * Upstream's hypervisor half calls the ultravisor through one function,
 * ucall_norets(), which is "sc 2; blr". This module sends that call to uv-sim.ko
 * instead (ucall.c), announces secure memory in the device tree (devtree.c),
 * and makes the ultravisor's hypercalls by calling the functions that KVM-HV's
 * hypercall handler would call (hypervisor.c). Nothing of the kernel is changed
 * otherwise.
 *
 * Contexts. Upstream makes every ultracall but one where it may sleep: it holds
 * mutexes and the mmap lock at most, as kvm-uvmem does. UV_PAGE_INVAL it makes
 * under kvm->mmu_lock, a spinlock: partition.c takes note of it, and has it
 * done before the partition's next ultracall or by a worker, whichever is first.
 *
 * Locking order, outside in:
 *	kvm->srcu, mm->mmap_lock, kvm->arch.uvmem_lock	upstream's, see
 *							book3s_hv_uvmem.c
 *	uvup_partition.drain		mutex: pending UV_PAGE_INVALs are made
 *	locks of the ultravisor, taken in ultracalls
 *	kvm->mmu_lock
 *	uvup_partition.lock		spinlock: pending UV_PAGE_INVALs
 */
#ifndef _UVUP_INTERNAL_H
#define _UVUP_INTERNAL_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "../linux/lru.h"
#include "../linux/uvsim.h"
#include "../uapi/upstream.h"
#include "../../kvm-uvmem/uapi/uvmem.h"

#undef pr_fmt
#define pr_fmt(fmt) "uv-upstream: " fmt

struct file;
struct kvm;

#define UVUP_PENDING	32	/* UV_PAGE_INVALs that are noted one by one */

/**
 * struct uvup_partition - a VM that the ultravisor knows
 * @ref: the open file, and every call that runs
 * @lpid: logical partition ID, KVM's own
 * @kvm_file: keeps @kvm, and with it KVM-HV, in place
 * @kvm: the hypervisor's VM
 * @lock: guards @n, @gfn, @first and @last; taken under kvm->mmu_lock
 * @n: number of GFNs with a UV_PAGE_INVAL to be made in @gfn
 * @gfn: those
 * @first: lowest such GFN for which there was no room; above @last if none
 * @last: highest one
 * @drain: one at a time makes them, so that none is overtaken
 * @work: makes them if nothing else does
 */
struct uvup_partition {
	struct kref ref;
	struct rcu_head rcu;
	u32 lpid;
	struct file *kvm_file;
	struct kvm *kvm;
	spinlock_t lock;		/* n, gfn, first, last */
	unsigned int n;
	u64 gfn[UVUP_PENDING];
	u64 first;
	u64 last;
	struct mutex drain;		/* UV_PAGE_INVALs under way */
	struct work_struct work;
};

/* ucall.c */
int uvup_ucall_init(void);
void uvup_ucall_exit(void);
void *uvup_symbol(const char *name);

/* entry.S, and what it calls in ucall.c */
long uvup_ucall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
void uvup_ucall_entry(void);

/* devtree.c */
int uvup_devtree_init(void);
void uvup_devtree_exit(void);
bool uvup_devtree_has_ultravisor(void);

/* hypervisor.c */
s64 uvup_hcall(u32 lpid, u64 nr, const u64 args[4], u64 out[1]);
bool uvup_is_kvm_hv(const struct kvm *kvm);
bool uvup_kvm_hv_is_here(void);

/* partition.c */
struct uvup_partition *uvup_partition_new(int kvm_fd);
void uvup_partition_close(struct uvup_partition *part);
struct uvup_partition *uvup_partition_get(u32 lpid);
void uvup_partition_put(struct uvup_partition *part);
void uvup_inval(u64 lpid, u64 gpa);
void uvup_inval_drain(u64 lpid);

/* dev.c */
int uvup_dev_init(void);
void uvup_dev_exit(void);

#endif /* _UVUP_INTERNAL_H */
