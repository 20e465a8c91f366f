// SPDX-License-Identifier: GPL-2.0
/*
 * seal ROUNDS MIB: libuvsim's sealing and opening beside OpenSSL's own AES-256-GCM,
 * natively, MIB MiB a round in buffers of 4 and of 64 KiB. Both have their context
 * and key set up before and do the same for each buffer: IV, associated data,
 * content, tag. They take turns, a piece each.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "uv-sim/user/uvsim_user.h"

#define AAD_BYTES 24
#define PIECES 64 /* turns a round */

struct work {
	struct uv_user *user;
	const struct uv_port *port;
	struct uv_aead_key *key;
	EVP_CIPHER_CTX *enc, *dec;
	uint8_t *plain, *sealed, *back;
	uint8_t iv[UV_IV_BYTES], tag[UV_TAG_BYTES], aad[AAD_BYTES];
	size_t len;
};

static void need(int ok, const char *what)
{
	if (ok)
		return;
	printf("@error seal: %s failed\n", what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void seal_raw(struct work *w)
{
	int n;

	need(EVP_EncryptInit_ex2(w->enc, NULL, NULL, w->iv, NULL) == 1 &&
		     EVP_EncryptUpdate(w->enc, NULL, &n, w->aad, AAD_BYTES) == 1 &&
		     EVP_EncryptUpdate(w->enc, w->sealed, &n, w->plain, (int)w->len) == 1 &&
		     EVP_EncryptFinal_ex(w->enc, w->sealed + n, &n) == 1 &&
		     EVP_CIPHER_CTX_ctrl(w->enc, EVP_CTRL_AEAD_GET_TAG, UV_TAG_BYTES, w->tag) == 1,
	     "OpenSSL");
}

static void open_raw(struct work *w)
{
	int n;

	need(EVP_DecryptInit_ex2(w->dec, NULL, NULL, w->iv, NULL) == 1 &&
		     EVP_CIPHER_CTX_ctrl(w->dec, EVP_CTRL_AEAD_SET_TAG, UV_TAG_BYTES, w->tag) ==
			     1 &&
		     EVP_DecryptUpdate(w->dec, NULL, &n, w->aad, AAD_BYTES) == 1 &&
		     EVP_DecryptUpdate(w->dec, w->back, &n, w->sealed, (int)w->len) == 1 &&
		     EVP_DecryptFinal_ex(w->dec, w->back + n, &n) == 1,
	     "OpenSSL");
}

static void seal_uv(struct work *w)
{
	need(!w->port->seal(w->port->ctx, w->key, w->iv, w->aad, AAD_BYTES, w->plain, w->sealed,
			    w->len, w->tag),
	     "libuvsim");
}

static void open_uv(struct work *w)
{
	need(!w->port->open(w->port->ctx, w->key, w->iv, w->aad, AAD_BYTES, w->sealed, w->back,
			    w->len, w->tag),
	     "libuvsim");
}

static const struct {
	const char *figure;
	void (*run)(struct work *w);
} ways[] = {
	{ "seal_raw", seal_raw },
	{ "seal_uv", seal_uv },
	{ "open_raw", open_raw },
	{ "open_uv", open_uv },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void one_round(struct work *w, size_t count)
{
	uint64_t ns[WAYS] = { 0 };

	for (size_t piece = 0; piece < PIECES; piece++) {
		for (unsigned int way = 0; way < WAYS; way++) {
			uint64_t begin = now_ns();

			for (size_t i = 0; i < count / PIECES; i++)
				ways[way].run(w);
			ns[way] += now_ns() - begin;
		}
	}
	need(!memcmp(w->plain, w->back, w->len), "the round trip");
	for (unsigned int way = 0; way < WAYS; way++)
		printf("@sample %s %zu %.1f\n", ways[way].figure, w->len,
		       (double)ns[way] / (double)(count / PIECES * PIECES));
}

static void set_up(struct work *w, unsigned int page_shift)
{
	static const struct uv_user_hv nobody;
	static const uint8_t key[UV_KEY_BYTES] = { 1, 2, 3 };
	const EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

	*w = (struct work){ .len = (size_t)1 << page_shift };
	w->user = uv_user_new(&nobody, page_shift, 1);
	need(w->user && gcm, "set-up");
	w->port = uv_user_port(w->user);
	w->key = w->port->aead_key(w->port->ctx, key);
	w->enc = EVP_CIPHER_CTX_new();
	w->dec = EVP_CIPHER_CTX_new();
	w->plain = malloc(w->len);
	w->sealed = malloc(w->len);
	w->back = malloc(w->len);
	need(w->key && w->enc && w->dec && w->plain && w->sealed && w->back, "set-up");
	memset(w->plain, 0x5a, w->len);
	need(EVP_EncryptInit_ex2(w->enc, gcm, key, NULL, NULL) == 1 &&
		     EVP_DecryptInit_ex2(w->dec, gcm, key, NULL, NULL) == 1,
	     "OpenSSL");
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 5;
	size_t bytes = (argc > 2 ? strtoul(argv[2], NULL, 0) : 64) << 20;
	struct work small, large;

	set_up(&small, 12);
	set_up(&large, 16);
	for (unsigned long i = 1; i <= rounds; i++) {
		printf("@round %lu\n", i);
		one_round(&small, bytes / small.len);
		one_round(&large, bytes / large.len);
	}
	return 0;
}
