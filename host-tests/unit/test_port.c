// SPDX-License-Identifier: GPL-2.0
/* The user-space port: known answers, and threads that share a key. */
#include "machine.h"

static const struct uv_port *port;

/* Test case 16 of McGrew and Viega's GCM specification (AES-256, with AAD). */
static void gcm_known_answer(void **state)
{
	static const uint8_t key[32] = { 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c,
					 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08,
					 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c,
					 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08 };
	static const uint8_t iv[12] = { 0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce,
					0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88 };
	static const uint8_t aad[20] = {
		0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
		0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2
	};
	static const uint8_t plain[60] = { 0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5,
					   0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7,
					   0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30,
					   0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95,
					   0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
					   0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d,
					   0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39 };
	static const uint8_t want[60] = { 0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4,
					  0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a,
					  0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2,
					  0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48,
					  0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56,
					  0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba,
					  0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62 };
	static const uint8_t want_tag[16] = { 0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68,
					      0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b };
	struct uv_aead_key *k = port->aead_key(port->ctx, key);
	uint8_t buf[60], tag[16];

	(void)state;
	for (int again = 0; again < 3; again++) { /* contexts are used again */
		assert_int_equal(port->seal(port->ctx, k, iv, aad, 20, plain, buf, 60, tag), 0);
		assert_memory_equal(buf, want, 60);
		assert_memory_equal(tag, want_tag, 16);
		assert_int_equal(port->open(port->ctx, k, iv, aad, 20, buf, buf, 60, tag), 0);
		assert_memory_equal(buf, plain, 60);
		tag[3] ^= 4;
		assert_int_not_equal(port->open(port->ctx, k, iv, aad, 20, want, buf, 60, tag), 0);
	}
	port->aead_free(port->ctx, k);
}

static void sha_known_answers(void **state)
{
	static const uint8_t abc256[4] = { 0xba, 0x78, 0x16, 0xbf };
	static const uint8_t abc512[4] = { 0xdd, 0xaf, 0x35, 0xa1 };
	uint8_t d[64] = { 0 };
	struct uv_hash_ctx *h;

	(void)state;
	h = port->hash_new(port->ctx, UV_HASH_SHA256);
	assert_int_equal(port->hash_update(port->ctx, h, "a", 1), 0);
	assert_int_equal(port->hash_update(port->ctx, h, "bc", 2), 0);
	assert_int_equal(port->hash_final(port->ctx, h, d), 0);
	assert_memory_equal(d, abc256, 4);
	assert_int_equal(d[32], 0);
	h = port->hash_new(port->ctx, UV_HASH_SHA512);
	assert_int_equal(port->hash_update(port->ctx, h, "abc", 3), 0);
	assert_int_equal(port->hash_final(port->ctx, h, d), 0);
	assert_memory_equal(d, abc512, 4);
	h = port->hash_new(port->ctx, UV_HASH_SHA512);
	assert_int_equal(port->hash_final(port->ctx, h, NULL), 0);
}

struct sealer {
	pthread_t thread;
	struct uv_aead_key *key;
	uint8_t id;
	bool ok;
};

static void *sealer(void *arg)
{
	struct sealer *s = arg;
	uint8_t page[4096], sealed[4096], iv[12] = { s->id }, tag[16];

	s->ok = true;
	for (int i = 0; i < 500; i++) {
		memset(page, i, sizeof(page));
		iv[4] = i;
		iv[5] = i >> 8;
		s->ok &= !port->seal(port->ctx, s->key, iv, "a", 1, page, sealed, 4096, tag);
		s->ok &= !port->open(port->ctx, s->key, iv, "a", 1, sealed, sealed, 4096, tag);
		s->ok &= !memcmp(page, sealed, 4096);
	}
	return NULL;
}

static void threads_share_a_key(void **state)
{
	struct uv_aead_key *key = port->aead_key(port->ctx, owner_key);
	struct sealer s[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		s[i] = (struct sealer){ .key = key, .id = i };
		assert_int_equal(pthread_create(&s[i].thread, NULL, sealer, &s[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(s[i].thread, NULL);
		assert_true(s[i].ok);
	}
	port->aead_free(port->ctx, key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcm_known_answer),
		cmocka_unit_test(sha_known_answers),
		cmocka_unit_test(threads_share_a_key),
	};
	struct uv_user_hv none = { 0 };
	struct uv_user *user = uv_user_new(&none, 12, 1);
	int failed;

	port = uv_user_port(user);
	failed = cmocka_run_group_tests_name("port", tests, NULL, NULL);
	uv_user_free(user);
	return failed;
}
