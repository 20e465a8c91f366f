// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing and hashing by the kernel's crypto API.
 *
 * A page is sealed when memory is wanted back, perhaps in the middle of a page
 * fault, so sealing and opening allocate nothing: each key owns a few
 * slots, with all that one operation needs, and who finds none free waits for
 * one. The fast implementations of gcm(aes) are asynchronous; we wait for them.
 *
 * The core passes any kernel address: pages of the linear map, tables that are
 * vmalloc'ed, the stack. Scatterlists take them as they are, page by page
 * where the memory is not contiguous.
 *
 * Locks: uv_aead_key.lock, for the list of free slots. Callers may hold locks of
 * the core and sleep.
 */
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "internal.h"

#define SLOTS_MAX	8	/* operations at once under one key */
#define SG_ENTRIES	24	/* pieces of one operand: AAD, data and tag */

struct aead_slot {
	struct list_head free;
	struct crypto_wait wait;
	struct aead_request *req;
	struct scatterlist src[SG_ENTRIES];
	struct scatterlist dst[SG_ENTRIES];
	u8 iv[UV_IV_BYTES];
	u8 tag[UV_TAG_BYTES];
};

struct uv_aead_key {
	bool plain_copy;	/* it seals nothing */
	struct crypto_aead *tfm;
	spinlock_t lock;	/* protects @free */
	struct list_head free;
	wait_queue_head_t released;
	unsigned int nr_slots;
	struct aead_slot slots[] __counted_by(nr_slots);
};

struct uv_hash_ctx {
	struct shash_desc desc;	/* has a tail */
};

static char *cipher = "aes-256-gcm";
module_param(cipher, charp, 0444);
MODULE_PARM_DESC(cipher,
		 "aes-256-gcm; copy is NO CIPHER, for comparing benchmarks only: pages leave secure memory in the clear and come back unchecked");

static bool plain_copy;	/* and the core has its owner key, which is no SVM's */

static struct crypto_shash *sha256;
static struct crypto_shash *sha512;

/**
 * uvsim_cipher_is_copy() - is the module loaded with cipher=copy?
 *
 * Then nothing is sealed, and everything that tells about the module says so.
 */
bool uvsim_cipher_is_copy(void)
{
	return !strcmp(cipher, "copy");
}

/**
 * uvsim_cipher_start() - from now on keys are those of SVMs
 *
 * What authenticates ESM blobs stays a cipher, whatever SVMs have.
 */
void uvsim_cipher_start(void)
{
	plain_copy = uvsim_cipher_is_copy();
	if (plain_copy)
		pr_warn("cipher=copy: NOTHING IS SEALED, the host gets every page in the clear; for benchmarks only\n");
}

int uvsim_crypto_init(void)
{
	if (!uvsim_cipher_is_copy() && strcmp(cipher, "aes-256-gcm")) {
		pr_err("cipher=%s is neither aes-256-gcm nor copy\n", cipher);
		return -EINVAL;
	}
	sha256 = crypto_alloc_shash("sha256", 0, 0);
	if (IS_ERR(sha256))
		return PTR_ERR(sha256);
	sha512 = crypto_alloc_shash("sha512", 0, 0);
	if (IS_ERR(sha512)) {
		crypto_free_shash(sha256);
		return PTR_ERR(sha512);
	}
	if (!crypto_has_alg("gcm(aes)", 0, 0)) {
		uvsim_crypto_exit();
		return -ENOENT;
	}
	return 0;
}

void uvsim_crypto_exit(void)
{
	crypto_free_shash(sha512);
	crypto_free_shash(sha256);
}

void uvsim_aead_free(void *ctx, struct uv_aead_key *key)
{
	unsigned int i;

	if (!key)
		return;
	for (i = 0; i < key->nr_slots; i++)
		aead_request_free(key->slots[i].req);
	crypto_free_aead(key->tfm);
	kvfree(key);
}

static int add_slots(struct uv_aead_key *key)
{
	struct aead_slot *slot;

	for (slot = key->slots; slot < key->slots + key->nr_slots; slot++) {
		slot->req = aead_request_alloc(key->tfm, GFP_KERNEL);
		if (!slot->req)
			return -ENOMEM;
		crypto_init_wait(&slot->wait);
		list_add(&slot->free, &key->free);
	}
	return 0;
}

struct uv_aead_key *uvsim_aead_key(void *ctx, const u8 bytes[UV_KEY_BYTES])
{
	unsigned int nr_slots = min_t(unsigned int, num_online_cpus() + 1, SLOTS_MAX);
	struct uv_aead_key *key;

	key = kvzalloc(struct_size(key, slots, nr_slots), GFP_KERNEL);
	if (!key)
		return NULL;
	key->plain_copy = plain_copy;
	key->nr_slots = nr_slots;
	spin_lock_init(&key->lock);
	INIT_LIST_HEAD(&key->free);
	init_waitqueue_head(&key->released);

	key->tfm = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(key->tfm)) {
		kvfree(key);
		return NULL;
	}
	if (crypto_aead_setkey(key->tfm, bytes, UV_KEY_BYTES) ||
	    crypto_aead_setauthsize(key->tfm, UV_TAG_BYTES) || add_slots(key)) {
		uvsim_aead_free(ctx, key);
		return NULL;
	}
	return key;
}

static struct aead_slot *try_get_slot(struct uv_aead_key *key)
{
	struct aead_slot *slot;

	spin_lock(&key->lock);
	slot = list_first_entry_or_null(&key->free, struct aead_slot, free);
	if (slot)
		list_del(&slot->free);
	spin_unlock(&key->lock);
	return slot;
}

static struct aead_slot *get_slot(struct uv_aead_key *key)
{
	struct aead_slot *slot;

	wait_event(key->released, (slot = try_get_slot(key)));
	return slot;
}

static void put_slot(struct uv_aead_key *key, struct aead_slot *slot)
{
	spin_lock(&key->lock);
	list_add(&slot->free, &key->free);
	spin_unlock(&key->lock);
	wake_up(&key->released);
}

/* Describes [@p, @p + @len) from entry *@n on; false if there is no room. */
static bool sg_add(struct scatterlist *sg, unsigned int *n, const void *p, size_t len)
{
	struct page *page;
	size_t piece;

	for (; len; p += piece, len -= piece) {
		piece = len;
		if (virt_addr_valid(p)) {
			page = virt_to_page(p);
		} else {
			page = vmalloc_to_page(p);
			piece = min_t(size_t, len, PAGE_SIZE - offset_in_page(p));
		}
		if (!page || *n == SG_ENTRIES)
			return false;
		sg_set_page(&sg[(*n)++], page, piece, offset_in_page(p));
	}
	return true;
}

/* An operand of the AEAD: associated data, content, room for the tag. */
static bool sg_operand(struct scatterlist *sg, const void *aad, size_t aad_len,
		       const void *data, size_t len, const u8 *tag)
{
	unsigned int n = 0;

	sg_init_table(sg, SG_ENTRIES);
	if (!sg_add(sg, &n, aad, aad_len) || !sg_add(sg, &n, data, len) ||
	    !sg_add(sg, &n, tag, UV_TAG_BYTES))
		return false;
	sg_mark_end(&sg[n - 1]);
	return true;
}

static int crypt(struct aead_slot *slot, bool encrypt, const u8 *iv,
		 const void *aad, size_t aad_len, const void *src, void *dst, size_t len)
{
	struct scatterlist *out = dst == src ? slot->src : slot->dst;
	struct aead_request *req = slot->req;

	if (!sg_operand(slot->src, aad, aad_len, src, len, slot->tag))
		return -E2BIG;
	if (dst != src && !sg_operand(slot->dst, aad, aad_len, dst, len, slot->tag))
		return -E2BIG;

	memcpy(slot->iv, iv, UV_IV_BYTES);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &slot->wait);
	aead_request_set_ad(req, aad_len);
	aead_request_set_crypt(req, slot->src, out, encrypt ? len : len + UV_TAG_BYTES,
			       slot->iv);
	return crypto_wait_req(encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req),
			       &slot->wait);
}

int uvsim_seal(void *ctx, struct uv_aead_key *key, const u8 iv[UV_IV_BYTES],
	       const void *aad, size_t aad_len, const void *src, void *dst, size_t len,
	       u8 tag[UV_TAG_BYTES])
{
	struct aead_slot *slot;
	int err;

	if (key->plain_copy) {
		if (dst != src)
			uvsim_copy_page(NULL, dst, src);
		memset(tag, 0, UV_TAG_BYTES);
		return 0;
	}
	slot = get_slot(key);
	err = crypt(slot, true, iv, aad, aad_len, src, dst, len);
	if (!err)
		memcpy(tag, slot->tag, UV_TAG_BYTES);
	put_slot(key, slot);
	return err;
}

int uvsim_open(void *ctx, struct uv_aead_key *key, const u8 iv[UV_IV_BYTES],
	       const void *aad, size_t aad_len, const void *src, void *dst, size_t len,
	       const u8 tag[UV_TAG_BYTES])
{
	struct aead_slot *slot;
	int err;

	if (key->plain_copy) {
		if (dst != src)
			uvsim_copy_page(NULL, dst, src);
		return 0;
	}
	slot = get_slot(key);
	memcpy(slot->tag, tag, UV_TAG_BYTES);
	err = crypt(slot, false, iv, aad, aad_len, src, dst, len);
	put_slot(key, slot);
	return err;
}

struct uv_hash_ctx *uvsim_hash_new(void *ctx, enum uv_hash alg)
{
	struct crypto_shash *tfm = alg == UV_HASH_SHA512 ? sha512 : sha256;
	struct uv_hash_ctx *h;

	h = kmalloc(sizeof(*h) + crypto_shash_descsize(tfm), GFP_KERNEL);
	if (!h)
		return NULL;
	h->desc.tfm = tfm;
	if (crypto_shash_init(&h->desc)) {
		kfree_sensitive(h);
		return NULL;
	}
	return h;
}

int uvsim_hash_update(void *ctx, struct uv_hash_ctx *h, const void *p, size_t len)
{
	if (len > UINT_MAX)
		return -E2BIG;
	return crypto_shash_update(&h->desc, p, len);
}

int uvsim_hash_final(void *ctx, struct uv_hash_ctx *h, u8 *digest)
{
	int err = digest ? crypto_shash_final(&h->desc, digest) : 0;

	kfree_sensitive(h);
	return err;
}
