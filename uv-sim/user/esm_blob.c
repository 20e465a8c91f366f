// SPDX-License-Identifier: GPL-2.0
/*
 * Builds ESM blobs over OpenSSL: what the owner of a guest does once, on a
 * machine of his own, for the VMM to put into guest memory. See docs/esm.md.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "esm_blob.h"

static void put_le32(void *p, uint32_t v)
{
	uint8_t *b = p;

	for (int i = 0; i < 4; i++)
		b[i] = v >> (8 * i);
}

static void put_le64(void *p, uint64_t v)
{
	uint8_t *b = p;

	for (int i = 0; i < 8; i++)
		b[i] = v >> (8 * i);
}

static int fill_range(struct uv_esm_range *out, const struct uv_esm_range_src *src)
{
	const EVP_MD *md;

	if (!src->len || src->gpa + src->len < src->gpa)
		return -EINVAL;
	if (src->alg == UV_ESM_SHA256)
		md = EVP_sha256();
	else if (src->alg == UV_ESM_SHA512)
		md = EVP_sha512();
	else
		return -EINVAL;

	memset(out, 0, sizeof(*out));
	put_le64(&out->gpa, src->gpa);
	put_le64(&out->len, src->len);
	put_le32(&out->alg, src->alg);
	if (EVP_Digest(src->data, src->len, out->digest, NULL, md, NULL) != 1)
		return -EIO;
	return 0;
}

static bool same(const struct uv_esm_range_src *a, const struct uv_esm_range_src *b)
{
	return a->gpa == b->gpa && a->data == b->data && a->len == b->len && a->alg == b->alg;
}

static int encrypt_table(const uint8_t key[32], uint8_t *blob, size_t table_len)
{
	struct uv_esm_header *hdr = (struct uv_esm_header *)blob;
	uint8_t *table = blob + sizeof(*hdr);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, ok;

	if (!c)
		return -ENOMEM;
	ok = EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, hdr->iv) == 1 &&
	     EVP_EncryptUpdate(c, NULL, &n, blob, sizeof(*hdr)) == 1 &&
	     EVP_EncryptUpdate(c, table, &n, table, (int)table_len) == 1 &&
	     EVP_EncryptFinal_ex(c, table + n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, UV_ESM_TAG_BYTES, table + table_len) ==
		     1;
	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : -EIO;
}

static int fill_header(struct uv_esm_header *hdr, uint64_t entry, unsigned int n, size_t total)
{
	memcpy(hdr->magic, UV_ESM_MAGIC, UV_ESM_MAGIC_BYTES);
	put_le32(&hdr->version, UV_ESM_VERSION);
	put_le32(&hdr->total_size, (uint32_t)total);
	put_le32(&hdr->nranges, n);
	put_le64(&hdr->entry, entry);
	return RAND_bytes(hdr->iv, sizeof(hdr->iv)) == 1 ? 0 : -EIO;
}

/**
 * uv_esm_blob_build() - make an ESM blob
 * @owner_key: AES-256 key, the one that the ultravisor is given as owner key
 * @entry: guest physical address where the SVM starts
 * @ranges: what to measure; one of them has to contain @entry
 * @n: number of @ranges, 1 to UV_ESM_MAX_RANGES
 * @blob: out: the blob, to be freed by the caller
 * @len: out: bytes at @blob
 *
 * Return: 0, -EINVAL for bad ranges or an entry point outside of them,
 * -ENOMEM, or -EIO when OpenSSL fails.
 */
int uv_esm_blob_build(const uint8_t owner_key[32], uint64_t entry,
		      const struct uv_esm_range_src *ranges, unsigned int n, uint8_t **blob,
		      size_t *len)
{
	size_t table_len = n * sizeof(struct uv_esm_range);
	size_t total = sizeof(struct uv_esm_header) + table_len + UV_ESM_TAG_BYTES;
	struct uv_esm_range *table;
	int entry_in = 0, err = 0;
	uint8_t *b;

	if (!n || n > UV_ESM_MAX_RANGES)
		return -EINVAL;
	b = calloc(1, total);
	if (!b)
		return -ENOMEM;
	table = (struct uv_esm_range *)(b + sizeof(struct uv_esm_header));
	for (unsigned int i = 0; i < n && !err; i++) {
		if (i && same(&ranges[i], &ranges[i - 1]))
			table[i] = table[i - 1];
		else
			err = fill_range(&table[i], &ranges[i]);
		if (entry >= ranges[i].gpa && entry - ranges[i].gpa < ranges[i].len)
			entry_in = 1;
	}
	if (!err && !entry_in)
		err = -EINVAL;
	if (!err)
		err = fill_header((struct uv_esm_header *)b, entry, n, total);
	if (!err)
		err = encrypt_table(owner_key, b, table_len);
	if (err) {
		free(b);
		return err;
	}
	*blob = b;
	*len = total;
	return 0;
}
