/* SPDX-License-Identifier: GPL-2.0 */
/* Build an ESM blob (uv-sim/uapi/esm.h). */
#ifndef _UV_ESM_BLOB_H
#define _UV_ESM_BLOB_H

#include <stddef.h>
#include <stdint.h>
#include "../uapi/esm.h"

/**
 * struct uv_esm_range_src - guest memory to be measured
 * @gpa: guest physical address of the first byte
 * @data: what the guest has there when it calls UV_ESM
 * @len: bytes, not 0
 * @alg: UV_ESM_SHA256 or UV_ESM_SHA512
 */
struct uv_esm_range_src {
	uint64_t gpa;
	const void *data;
	size_t len;
	uint32_t alg;
};

int uv_esm_blob_build(const uint8_t owner_key[32], uint64_t entry,
		      const struct uv_esm_range_src *ranges, unsigned int n, uint8_t **blob,
		      size_t *len);

#endif /* _UV_ESM_BLOB_H */
