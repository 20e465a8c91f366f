// SPDX-License-Identifier: GPL-2.0
/*
 * Partitions: which KVM VM has which LPID, and the UV_PAGE_INVALs that KVM-HV
 * made for it under a spinlock.
 *
 * KVM-HV calls UV_PAGE_INVAL from its mmu notifier, before the host's page
 * table entry goes, and does not look at the answer. What has to be done for it
 * sleeps: the guest view is unmapped. So the call only notes the GFN, one by one
 * or, if there are many, as a range. They are worked off before anything else is
 * done for the partition, and by a worker otherwise. Until then the guest may
 * still use the page; the ultravisor holds a reference to each page that is
 * shared, so that it is nobody else's.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "internal.h"

/* PATE of a VM: host radix, process table at 4 KiB: nothing in it is used. */
#define PATE_DW1	0x1000ULL

/* By LPID. The table has a reference, and is read under RCU. */
static DEFINE_XARRAY(partitions);

static void partition_free(struct kref *ref)
{
	struct uvup_partition *part = container_of(ref, struct uvup_partition, ref);

	if (part->kvm_file)
		fput(part->kvm_file);
	kfree_rcu(part, rcu);
}

/**
 * uvup_partition_put() - drop a reference
 * @part: from uvup_partition_get()
 */
void uvup_partition_put(struct uvup_partition *part)
{
	kref_put(&part->ref, partition_free);
}

/**
 * uvup_partition_get() - look a partition up
 * @lpid: its number
 *
 * Return: a reference, or NULL.
 */
struct uvup_partition *uvup_partition_get(u32 lpid)
{
	struct uvup_partition *part;

	rcu_read_lock();
	part = xa_load(&partitions, lpid);
	if (part && !kref_get_unless_zero(&part->ref))
		part = NULL;
	rcu_read_unlock();
	return part;
}

/**
 * uvup_inval() - take note of a UV_PAGE_INVAL
 * @lpid: partition; any number
 * @gpa: guest physical address in bytes
 *
 * Context: any, spinlocks may be held.
 */
void uvup_inval(u64 lpid, u64 gpa)
{
	struct uvup_partition *part;
	u64 gfn = gpa >> PAGE_SHIFT;
	unsigned long flags;

	rcu_read_lock();
	part = xa_load(&partitions, lpid);
	if (part) {
		spin_lock_irqsave(&part->lock, flags);
		if (part->n < UVUP_PENDING) {
			part->gfn[part->n++] = gfn;
		} else {
			part->first = min(part->first, gfn);
			part->last = max(part->last, gfn);
		}
		spin_unlock_irqrestore(&part->lock, flags);
		schedule_work(&part->work);
	}
	rcu_read_unlock();
}

static void inval(struct uvup_partition *part, u64 gfn)
{
	/* U_P2: not a shared page; nothing of it is mapped from H. */
	while (uvsim_ucall(UV_PAGE_INVAL, part->lpid, gfn << PAGE_SHIFT, PAGE_SHIFT, 0, 0) ==
	       U_BUSY)
		cond_resched();
}

static void drain(struct uvup_partition *part)
{
	u64 pending[UVUP_PENDING], gfn, last;
	unsigned int i, n;

	mutex_lock(&part->drain);
	spin_lock_irq(&part->lock);
	n = part->n;
	memcpy(pending, part->gfn, n * sizeof(*pending));
	gfn = part->first;
	last = part->last;
	part->n = 0;
	part->first = U64_MAX;
	part->last = 0;
	spin_unlock_irq(&part->lock);

	for (i = 0; i < n; i++)
		inval(part, pending[i]);
	for (; gfn <= last; gfn++)
		inval(part, gfn);
	mutex_unlock(&part->drain);
}

/**
 * uvup_inval_drain() - make the UV_PAGE_INVALs that were taken note of
 * @lpid: partition; any number
 *
 * Context: may sleep; locks of the hypervisor may be held.
 */
void uvup_inval_drain(u64 lpid)
{
	struct uvup_partition *part;

	if (lpid > U32_MAX)
		return;
	part = uvup_partition_get(lpid);
	if (!part)
		return;
	drain(part);	/* also waits for the worker, which may have taken them */
	uvup_partition_put(part);
}

static void drain_work(struct work_struct *work)
{
	drain(container_of(work, struct uvup_partition, work));
}

/* Takes over the reference to @file in any case. */
static int take_vm(struct uvup_partition *part, struct file *file)
{
	bool (*file_is_kvm)(struct file *file) = uvup_symbol("file_is_kvm");
	struct kvm *kvm;

	part->kvm_file = file;
	if (!file_is_kvm || !file_is_kvm(file))
		return -EINVAL;
	kvm = file->private_data;
	if (!uvup_is_kvm_hv(kvm))
		return -EINVAL;
	if (kvm->mm != current->mm)
		return -EPERM;
	part->kvm = kvm;
	part->lpid = kvm->arch.lpid;
	return 0;
}

static int make_known(struct uvup_partition *part)
{
	int err = xa_insert(&partitions, part->lpid, part, GFP_KERNEL);
	s64 rc;

	if (err)
		return err;
	kref_get(&part->ref);
	rc = uvsim_ucall(UV_WRITE_PATE, part->lpid, UV_PATE_HR, PATE_DW1, 0, 0);
	if (rc == U_SUCCESS)
		return 0;
	xa_erase(&partitions, part->lpid);
	uvup_partition_put(part);
	return rc == U_PARAMETER ? -ERANGE : -ENOMEM;
}

/**
 * uvup_partition_new() - make a KVM VM known to the ultravisor
 * @kvm_fd: file descriptor of the caller's
 *
 * Return: the partition, for uvup_partition_close(); -EBADF; -EINVAL for a file
 * that is no VM of KVM-HV; -EPERM for a VM of another process; -EBUSY if it is
 * known already; -ERANGE if its LPID is too large for the ultravisor; -ENOMEM.
 */
struct uvup_partition *uvup_partition_new(int kvm_fd)
{
	struct uvup_partition *part;
	struct file *file;
	int err;

	part = kzalloc(sizeof(*part), GFP_KERNEL);
	if (!part)
		return ERR_PTR(-ENOMEM);
	kref_init(&part->ref);
	spin_lock_init(&part->lock);
	mutex_init(&part->drain);
	INIT_WORK(&part->work, drain_work);
	part->first = U64_MAX;
	file = fget(kvm_fd);
	err = file ? take_vm(part, file) : -EBADF;
	if (!err)
		err = make_known(part);
	if (!err)
		return part;
	uvup_partition_put(part);
	return ERR_PTR(err);
}

/**
 * uvup_partition_close() - take a VM away from the ultravisor
 * @part: from uvup_partition_new()
 *
 * An SVM is terminated: secure pages are wiped. KVM-HV is not asked; a page
 * that it still counts as secure cannot be touched any more.
 */
void uvup_partition_close(struct uvup_partition *part)
{
	s64 rc;

	do {
		uvsim_ucall(UV_SVM_TERMINATE, part->lpid, 0, 0, 0, 0);
		rc = uvsim_ucall(UV_WRITE_PATE, part->lpid, 0, 0, 0, 0);
		cond_resched();
	} while (rc == U_BUSY || rc == U_PERMISSION);

	xa_erase(&partitions, part->lpid);
	uvup_partition_put(part);
	synchronize_rcu();		/* uvup_inval() queues no work after this */
	cancel_work_sync(&part->work);
	uvup_partition_put(part);
}
