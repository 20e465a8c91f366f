/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of uv-sim.ko share with each other. Locks, outermost first:
 *
 *	mmap lock of the VMM (the caller's); or bind_lock (view.c)
 *	uvsim_view.entries (guest_block.c)
 *	locks of the core (port.c gives each level a lockdep class)
 *	views.xa_lock (view.c)		spinlock, never held over a call out
 *	i_mmap_rwsem of a guest view, then KVM's mmu notifier (guest_view.c)
 *	locks of the VMM's page tables (under the core's pool: guest_block.c)
 *	uv_aead_key.lock (crypto.c)	spinlock, held for a list operation
 */
#ifndef _UVSIM_INTERNAL_H
#define _UVSIM_INTERNAL_H

#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/rwsem.h>
#include <linux/types.h>
/* First, for the ioctl part of the ABI: the core's header leaves it out. */
#include "uvsim.h"
#include "../core/uv.h"

#undef pr_fmt
#define pr_fmt(fmt) "uv-sim: " fmt

#define UVSIM_MAX_LPID	4095	/* the partition table of POWER9 has 12 bits */

struct file;
struct inode;
struct vm_area_struct;
struct vm_fault;

/* main.c */
extern struct uv *uvsim_uv;
extern bool uvsim_has_owner_key;

/* port.c */
extern const struct uv_port uvsim_port;
void uvsim_relax(void *ctx, unsigned int attempt);
void uvsim_share_work(void *ctx, void (*fn)(void *arg), void *arg);

/* hypervisor.c */
s64 uvsim_hcall(void *ctx, u32 lpid, u64 nr, const u64 args[4], u64 out[1]);
bool uvsim_is_vmm(u32 lpid);

/* secmem.c */
int uvsim_secmem_init(unsigned long npages);
void uvsim_secmem_exit(void);
void *uvsim_secmem_page(void *ctx, u32 n);
unsigned long uvsim_secmem_pfn(u32 n);
bool uvsim_secmem_block_is_whole(void *ctx, u32 first);
bool uvsim_ra_is_normal(u64 ra);
bool uvsim_ra_get(void *ctx, u64 ra);
void uvsim_ra_put(void *ctx, u64 ra);
void *uvsim_map(void *ctx, u64 ra, bool write);

/* copy.c */
void uvsim_copy_init(void);
void uvsim_copy_page(void *ctx, void *dst, const void *src);

/* crypto.c */
int uvsim_crypto_init(void);
void uvsim_crypto_exit(void);
bool uvsim_cipher_is_copy(void);
void uvsim_cipher_start(void);
struct uv_aead_key *uvsim_aead_key(void *ctx, const u8 key[UV_KEY_BYTES]);
void uvsim_aead_free(void *ctx, struct uv_aead_key *key);
int uvsim_seal(void *ctx, struct uv_aead_key *key, const u8 iv[UV_IV_BYTES],
	       const void *aad, size_t aad_len, const void *src, void *dst, size_t len,
	       u8 tag[UV_TAG_BYTES]);
int uvsim_open(void *ctx, struct uv_aead_key *key, const u8 iv[UV_IV_BYTES],
	       const void *aad, size_t aad_len, const void *src, void *dst, size_t len,
	       const u8 tag[UV_TAG_BYTES]);
struct uv_hash_ctx *uvsim_hash_new(void *ctx, enum uv_hash alg);
int uvsim_hash_update(void *ctx, struct uv_hash_ctx *h, const void *p, size_t len);
int uvsim_hash_final(void *ctx, struct uv_hash_ctx *h, u8 *digest);

/**
 * struct uvsim_view - one open file of /dev/uvsim, and once it is bound the
 *	guest view of an LPID
 * @ref: held by the file, and by whoever came through the table of LPIDs
 * @inode: its i_mapping links every VMA of this file and of no other, so that
 *	a page offset in it is a GFN
 * @mm: the VMM's, set by UVSIM_BIND and then constant; NULL before. A
 *	mm_count reference: it is compared, never entered
 * @entries: held while entries are made, for writing by who makes one for a block
 * @lpid: valid when @mm is set
 * @revoked: the LPID was taken away from the VM; it may belong to another one
 */
struct uvsim_view {
	struct kref ref;
	struct inode *inode;
	struct mm_struct *mm;
	struct rw_semaphore entries;
	u32 lpid;
	bool revoked;
};

/* view.c */
int uvsim_view_init(void);
void uvsim_view_exit(void);
struct uvsim_view *uvsim_view_new(void);
void uvsim_view_close(struct uvsim_view *view);
void uvsim_view_put(struct uvsim_view *view);
int uvsim_view_bind(struct uvsim_view *view, u32 lpid);
int uvsim_view_check(struct uvsim_view *view);
bool uvsim_view_is_ours(void *arg);
struct uvsim_view *uvsim_view_find(u32 lpid);
void uvsim_view_revoke(u32 lpid);

/* guest_view.c */
int uvsim_guest_mmap(struct file *file, struct vm_area_struct *vma);
void uvsim_guest_unmap(void *ctx, u32 lpid, u64 gfn, u64 npages);
bool uvsim_guest_fault_is_kvm(const struct vm_fault *vmf);
vm_fault_t uvsim_guest_page_in(struct vm_fault *vmf, bool block);
vm_fault_t uvsim_guest_mapped(struct vm_fault *vmf);
bool uvsim_guest_has_block(const struct vm_fault *vmf);

/* guest_block.c */
unsigned int uvsim_block_shift(void);
vm_fault_t uvsim_guest_block_fault(struct vm_fault *vmf, unsigned int order);

/* dev.c */
int uvsim_dev_init(void);
void uvsim_dev_exit(void);

/* stats.c */
void uvsim_stats_init(void);
void uvsim_stats_exit(void);

#endif /* _UVSIM_INTERNAL_H */
