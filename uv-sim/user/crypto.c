// SPDX-License-Identifier: GPL-2.0
/*
 * AES-256-GCM, SHA-2 and random bytes over OpenSSL 3.
 *
 * A key keeps the contexts that were made for it: setting one up costs far more
 * than sealing a page. A context is used by one thread at a time; the list of
 * idle ones is under the key's mutex.
 */
#include <pthread.h>
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "internal.h"

struct idle {
	struct idle *next;
	EVP_CIPHER_CTX *evp;
};

struct uv_aead_key {
	pthread_mutex_t lock;
	struct idle *idle;
	const EVP_CIPHER *gcm;
	uint8_t key[UV_KEY_BYTES];
};

struct uv_hash_ctx {
	EVP_MD_CTX *evp;
};

static void idle_free(struct idle *c)
{
	EVP_CIPHER_CTX_free(c->evp);
	free(c);
}

static struct idle *idle_new(const struct uv_aead_key *key)
{
	struct idle *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->evp = EVP_CIPHER_CTX_new();
	if (!c->evp || EVP_EncryptInit_ex2(c->evp, key->gcm, key->key, NULL, NULL) != 1) {
		idle_free(c);
		return NULL;
	}
	return c;
}

static struct idle *get_ctx(struct uv_aead_key *key)
{
	struct idle *c;

	pthread_mutex_lock(&key->lock);
	c = key->idle;
	if (c)
		key->idle = c->next;
	pthread_mutex_unlock(&key->lock);
	return c ? c : idle_new(key);
}

static void put_ctx(struct uv_aead_key *key, struct idle *c)
{
	pthread_mutex_lock(&key->lock);
	c->next = key->idle;
	key->idle = c;
	pthread_mutex_unlock(&key->lock);
}

static void key_free(void *ctx, struct uv_aead_key *key)
{
	(void)ctx;
	while (key->idle) {
		struct idle *c = key->idle;

		key->idle = c->next;
		idle_free(c);
	}
	OPENSSL_cleanse(key->key, sizeof(key->key));
	pthread_mutex_destroy(&key->lock);
	free(key);
}

static struct uv_aead_key *key_new(void *ctx, const uint8_t bytes[UV_KEY_BYTES])
{
	struct uv_user *user = ctx;
	struct uv_aead_key *key = calloc(1, sizeof(*key));

	if (!key)
		return NULL;
	pthread_mutex_init(&key->lock, NULL);
	key->gcm = user->gcm;
	memcpy(key->key, bytes, sizeof(key->key));
	key->idle = idle_new(key);
	if (!key->idle) {
		key_free(ctx, key);
		return NULL;
	}
	return key;
}

static int seal(void *ctx, struct uv_aead_key *key, const uint8_t iv[UV_IV_BYTES], const void *aad,
		size_t aad_len, const void *src, void *dst, size_t len, uint8_t tag[UV_TAG_BYTES])
{
	struct idle *c = get_ctx(key);
	int n, ok;

	(void)ctx;
	if (!c)
		return -1;
	ok = EVP_EncryptInit_ex2(c->evp, NULL, NULL, iv, NULL) == 1 &&
	     EVP_EncryptUpdate(c->evp, NULL, &n, aad, (int)aad_len) == 1 &&
	     EVP_EncryptUpdate(c->evp, dst, &n, src, (int)len) == 1 &&
	     EVP_EncryptFinal_ex(c->evp, (uint8_t *)dst + n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_GET_TAG, UV_TAG_BYTES, tag) == 1;
	put_ctx(key, c);
	return ok ? 0 : -1;
}

static int open_sealed(void *ctx, struct uv_aead_key *key, const uint8_t iv[UV_IV_BYTES],
		       const void *aad, size_t aad_len, const void *src, void *dst, size_t len,
		       const uint8_t tag[UV_TAG_BYTES])
{
	struct idle *c = get_ctx(key);
	uint8_t want[UV_TAG_BYTES];
	int n, ok;

	(void)ctx;
	if (!c)
		return -1;
	memcpy(want, tag, sizeof(want));
	ok = EVP_DecryptInit_ex2(c->evp, NULL, NULL, iv, NULL) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_SET_TAG, UV_TAG_BYTES, want) == 1 &&
	     EVP_DecryptUpdate(c->evp, NULL, &n, aad, (int)aad_len) == 1 &&
	     EVP_DecryptUpdate(c->evp, dst, &n, src, (int)len) == 1 &&
	     EVP_DecryptFinal_ex(c->evp, (uint8_t *)dst + n, &n) == 1;
	put_ctx(key, c);
	return ok ? 0 : -1;
}

static struct uv_hash_ctx *hash_new(void *ctx, enum uv_hash alg)
{
	const EVP_MD *md = alg == UV_HASH_SHA512 ? EVP_sha512() : EVP_sha256();
	struct uv_hash_ctx *h = malloc(sizeof(*h));

	(void)ctx;
	if (!h)
		return NULL;
	h->evp = EVP_MD_CTX_new();
	if (!h->evp || EVP_DigestInit_ex(h->evp, md, NULL) != 1) {
		EVP_MD_CTX_free(h->evp);
		free(h);
		return NULL;
	}
	return h;
}

static int hash_update(void *ctx, struct uv_hash_ctx *h, const void *p, size_t len)
{
	(void)ctx;
	return EVP_DigestUpdate(h->evp, p, len) == 1 ? 0 : -1;
}

static int hash_final(void *ctx, struct uv_hash_ctx *h, uint8_t *digest)
{
	int ok = 1;

	(void)ctx;
	if (digest)
		ok = EVP_DigestFinal_ex(h->evp, digest, NULL) == 1;
	EVP_MD_CTX_free(h->evp);
	free(h);
	return ok ? 0 : -1;
}

static int random_bytes(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	return RAND_bytes(buf, (int)len) == 1 ? 0 : -1;
}

int uv_user_crypto_init(struct uv_user *user)
{
	struct uv_port *port = &user->port;

	user->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	port->random = random_bytes;
	port->aead_key = key_new;
	port->aead_free = key_free;
	port->seal = seal;
	port->open = open_sealed;
	port->hash_new = hash_new;
	port->hash_update = hash_update;
	port->hash_final = hash_final;
	return user->gcm ? 0 : -1;
}

void uv_user_crypto_exit(struct uv_user *user)
{
	EVP_CIPHER_free(user->gcm);
}
