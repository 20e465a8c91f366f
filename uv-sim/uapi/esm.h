/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ESM blob: what UV_ESM measures a VM against. See docs/esm.md.
 *
 * A header in the clear, a table of ranges that is AES-256-GCM encrypted under
 * the owner key, and the tag. The header is associated data, so that nothing
 * of a blob can be changed without the key. All integers are little-endian.
 */
#ifndef _UAPI_UVSIM_ESM_H
#define _UAPI_UVSIM_ESM_H

#include <linux/types.h>

#define UV_ESM_MAGIC		"UVESMBLB"
#define UV_ESM_MAGIC_BYTES	8
#define UV_ESM_VERSION		1
#define UV_ESM_MAX_RANGES	256
#define UV_ESM_IV_BYTES		12
#define UV_ESM_TAG_BYTES	16
#define UV_ESM_DIGEST_BYTES	64

/* Digest of a range; SHA-256 fills the first 32 bytes, the rest is zero. */
#define UV_ESM_SHA256		1
#define UV_ESM_SHA512		2

/**
 * struct uv_esm_header - start of a blob, 48 bytes
 * @magic: UV_ESM_MAGIC without its terminating zero
 * @version: UV_ESM_VERSION
 * @total_size: bytes of header, table and tag together
 * @nranges: 1 to UV_ESM_MAX_RANGES
 * @flags: must be 0
 * @entry: guest physical address where the SVM starts; inside a range
 * @iv: unique for every blob made under one owner key
 * @reserved: must be 0
 */
struct uv_esm_header {
	__u8 magic[UV_ESM_MAGIC_BYTES];
	__u32 version;
	__u32 total_size;
	__u32 nranges;
	__u32 flags;
	__u64 entry;
	__u8 iv[UV_ESM_IV_BYTES];
	__u32 reserved;
};

/**
 * struct uv_esm_range - one measured range of guest memory, 88 bytes
 * @gpa: guest physical address of the first byte; any alignment
 * @len: bytes, not 0
 * @alg: UV_ESM_SHA256 or UV_ESM_SHA512
 * @reserved: must be 0
 * @digest: of the @len bytes
 */
struct uv_esm_range {
	__u64 gpa;
	__u64 len;
	__u32 alg;
	__u32 reserved;
	__u8 digest[UV_ESM_DIGEST_BYTES];
};

#endif /* _UAPI_UVSIM_ESM_H */
