// SPDX-License-Identifier: GPL-2.0
/*
 * The core's port to Linux: memory for tables, locks, waiting, random numbers
 * and the log. Secure memory, cryptography, hypercalls and the guest view have
 * files of their own.
 *
 * Every lock of the core has a level; each level is a lockdep class, so that
 * lockdep checks the order that the core documents.
 */
#include <linux/mutex.h>
#include <linux/delay.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "internal.h"

#define LOCK_LEVELS	8

#define RELAX_YIELDS	4	/* attempts that only give way to others */
#define RELAX_NAPS	64	/* attempts that nap for less than a tick */

/* What it protects is the core's to say. */
struct uv_lock {
	bool spins;
	union {
		spinlock_t spinlock;	/* of a short level */
		struct mutex mutex;	/* of any other */
	};
};

static struct lock_class_key lock_keys[LOCK_LEVELS];

static void *port_alloc(void *ctx, size_t bytes)
{
	return kvzalloc(bytes, GFP_KERNEL);
}

static void port_free(void *ctx, void *p)
{
	kvfree(p);
}

static struct uv_lock *port_lock_new(void *ctx, const char *name, int level)
{
	struct uv_lock *lock;

	if (WARN_ON_ONCE(level < 0 || level >= LOCK_LEVELS))
		return NULL;
	lock = kzalloc(sizeof(*lock), GFP_KERNEL);
	if (!lock)
		return NULL;
	lock->spins = uv_level_is_short(level);
	if (lock->spins) {
		spin_lock_init(&lock->spinlock);
		lockdep_set_class_and_name(&lock->spinlock, &lock_keys[level], name);
	} else {
		mutex_init(&lock->mutex);
		lockdep_set_class_and_name(&lock->mutex, &lock_keys[level], name);
	}
	return lock;
}

static void port_lock_free(void *ctx, struct uv_lock *lock)
{
	if (!lock)
		return;
	if (!lock->spins)
		mutex_destroy(&lock->mutex);
	kfree(lock);
}

static void port_lock(void *ctx, struct uv_lock *lock)
{
	if (lock->spins) {
		spin_lock(&lock->spinlock);
		__release(&lock->spinlock);	/* sparse wants either kind, always */
	} else {
		mutex_lock(&lock->mutex);
	}
}

static void port_unlock(void *ctx, struct uv_lock *lock)
{
	if (lock->spins) {
		__acquire(&lock->spinlock);
		spin_unlock(&lock->spinlock);
	} else {
		mutex_unlock(&lock->mutex);
	}
}

/**
 * uvsim_relax() - give way before something is tried again
 * @ctx: unused
 * @attempt: counts from 0; later attempts wait longer
 *
 * Context: process context, sleeps. A fatal signal cuts the wait short.
 */
void uvsim_relax(void *ctx, unsigned int attempt)
{
	if (attempt < RELAX_YIELDS || fatal_signal_pending(current))
		cond_resched();
	else if (attempt < RELAX_NAPS)
		usleep_range_state(50, 200, TASK_KILLABLE);
	else
		schedule_timeout_killable(1);
}

static bool port_go_on(void *ctx)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

static int port_random(void *ctx, void *buf, size_t len)
{
	/* A key must not come from a generator that is not seeded yet. */
	return get_random_bytes_wait(buf, len);
}

static void port_log(void *ctx, const char *line)
{
	pr_info("%s\n", line);
}

const struct uv_port uvsim_port = {
	.page_shift	= PAGE_SHIFT,
	.alloc		= port_alloc,
	.free		= port_free,
	.secure_page	= uvsim_secmem_page,
	.block_is_whole	= uvsim_secmem_block_is_whole,
	.map		= uvsim_map,
	.copy_page	= uvsim_copy_page,
	.ra_get		= uvsim_ra_get,
	.ra_put		= uvsim_ra_put,
	.lock_new	= port_lock_new,
	.lock_free	= port_lock_free,
	.lock		= port_lock,
	.unlock		= port_unlock,
	.relax		= uvsim_relax,
	.go_on		= port_go_on,
	.on_cpus	= uvsim_share_work,
	.random		= port_random,
	.aead_key	= uvsim_aead_key,
	.aead_free	= uvsim_aead_free,
	.seal		= uvsim_seal,
	.open		= uvsim_open,
	.hash_new	= uvsim_hash_new,
	.hash_update	= uvsim_hash_update,
	.hash_final	= uvsim_hash_final,
	.hcall		= uvsim_hcall,
	.guest_unmap	= uvsim_guest_unmap,
	.log		= port_log,
};
