/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the ultravisor's core asks of the machine it runs on. The core knows no
 * operating system: Linux (uv-sim/linux), the unit tests' user space
 * (uv-sim/user) and the module that serves an unmodified upstream kernel each
 * fill in a struct uv_port.
 */
#ifndef _UV_CORE_PORT_H
#define _UV_CORE_PORT_H

#include "types.h"

#define UV_KEY_BYTES	32	/* AES-256 */
#define UV_IV_BYTES	12	/* 96 bits */
#define UV_TAG_BYTES	16	/* 128 bits */
#define UV_DIGEST_MAX	64	/* SHA-512 */

/*
 * Levels of the core's locks, outermost first; what they protect is in internal.h.
 * Those that uv_level_is_short() names are held for a moment only, with nothing
 * inside that sleeps or is not short itself: a port may spin for them.
 */
enum uv_lock_level {
	UV_LEVEL_LIFE = 1,
	UV_LEVEL_LPIDS,
	UV_LEVEL_GFN,
	UV_LEVEL_SCRATCH,
	UV_LEVEL_TABLE,
	UV_LEVEL_POOL,
};

static inline bool uv_level_is_short(int level)
{
	return level == UV_LEVEL_LPIDS || level == UV_LEVEL_POOL;
}

enum uv_hash { UV_HASH_SHA256 = 1, UV_HASH_SHA512 = 2 };

struct uv_lock;			/* a mutex of the port's */
struct uv_aead_key;		/* an expanded AES-256-GCM key of the port's */
struct uv_hash_ctx;

/**
 * struct uv_port - services of the machine
 *
 * @ctx is handed back as the first argument of every call. Functions that
 * return int return 0 on success and a negative number on failure; none may
 * call back into the core except @hcall and @on_cpus.
 */
struct uv_port {
	void *ctx;
	unsigned int page_shift;	/* page size of the hypervisor, as log2 */
	/*
	 * Pages that an entry of the guest view can map at once, as log2; 0: one. The
	 * secure pages from @first on, a multiple of that number, are a block if
	 * block_is_whole() says so.
	 */
	unsigned int block_shift;
	bool (*block_is_whole)(void *ctx, uint32_t first);

	/* Zeroed memory for the core's own tables; NULL when there is none. */
	void *(*alloc)(void *ctx, size_t bytes);
	void (*free)(void *ctx, void *p);

	/*
	 * Secure page number @n (0 .. secure_pages - 1): where the core can
	 * read and write it. Secure memory belongs to the port, which never
	 * maps it for the host.
	 */
	void *(*secure_page)(void *ctx, uint32_t n);

	/*
	 * Map one page of normal memory by real address, for this CPU and a
	 * short time; NULL if @ra is not a whole page of normal memory (holes,
	 * devices, secure memory). @unmap ends it, or is NULL where nothing has to be
	 * done for that; maps nest as a stack.
	 */
	void *(*map)(void *ctx, uint64_t ra, bool write);
	void (*unmap)(void *ctx, void *va);

	/* Copy a page, aligned as pages are; they do not overlap. */
	void (*copy_page)(void *ctx, void *dst, const void *src);

	/*
	 * Keep the page of normal memory at @ra for the guest that it is shared
	 * with, whatever the hypervisor does: false if @ra is not one. @ra_put
	 * ends it.
	 */
	bool (*ra_get)(void *ctx, uint64_t ra);
	void (*ra_put)(void *ctx, uint64_t ra);

	struct uv_lock *(*lock_new)(void *ctx, const char *name, int level);
	void (*lock_free)(void *ctx, struct uv_lock *lock);
	void (*lock)(void *ctx, struct uv_lock *lock);
	void (*unlock)(void *ctx, struct uv_lock *lock);
	/* Give way before something is tried again; @attempt counts from 0. */
	void (*relax)(void *ctx, unsigned int attempt);

	/*
	 * Between the parts of something long: let others have the CPU. False if the
	 * caller is to give up, since it is being killed. May be called with locks held
	 * that are not short. NULL: there is no need.
	 */
	bool (*go_on)(void *ctx);

	/*
	 * Call @fn here and on other CPUs, each of which takes piece after piece of a
	 * large task until none is left; return when all have. NULL: here is enough.
	 * The caller may hold locks that @fn does not take.
	 */
	void (*on_cpus)(void *ctx, void (*fn)(void *arg), void *arg);

	int (*random)(void *ctx, void *buf, size_t len);

	struct uv_aead_key *(*aead_key)(void *ctx, const uint8_t key[UV_KEY_BYTES]);
	void (*aead_free)(void *ctx, struct uv_aead_key *key);
	/* AES-256-GCM. @src and @dst are either the same or do not overlap. */
	int (*seal)(void *ctx, struct uv_aead_key *key, const uint8_t iv[UV_IV_BYTES],
		    const void *aad, size_t aad_len, const void *src, void *dst,
		    size_t len, uint8_t tag[UV_TAG_BYTES]);
	/* Fails if the tag does not verify; @dst is then undefined. */
	int (*open)(void *ctx, struct uv_aead_key *key, const uint8_t iv[UV_IV_BYTES],
		    const void *aad, size_t aad_len, const void *src, void *dst,
		    size_t len, const uint8_t tag[UV_TAG_BYTES]);

	struct uv_hash_ctx *(*hash_new)(void *ctx, enum uv_hash alg);
	int (*hash_update)(void *ctx, struct uv_hash_ctx *h, const void *p, size_t len);
	/* Writes 32 or 64 bytes. Frees @h; @digest may be NULL to give up. */
	int (*hash_final)(void *ctx, struct uv_hash_ctx *h, uint8_t *digest);

	/*
	 * A hypercall of the ultravisor's. The core holds no lock over it, and
	 * the hypervisor may make ultracalls before it returns.
	 */
	int64_t (*hcall)(void *ctx, uint32_t lpid, uint64_t nr,
			 const uint64_t args[4], uint64_t out[1]);

	/*
	 * Remove [@gfn, @gfn + @npages) of @lpid from the guest view, in every
	 * mapping, before returning. Called with the GFN's lock held.
	 */
	void (*guest_unmap)(void *ctx, uint32_t lpid, uint64_t gfn, uint64_t npages);

	/* One line for the log: an SVM went secure, was stopped, and why. */
	void (*log)(void *ctx, const char *line);
};

#endif /* _UV_CORE_PORT_H */
