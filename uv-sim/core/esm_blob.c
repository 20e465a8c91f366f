// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and authenticating an ESM blob (uv-sim/uapi/esm.h, docs/esm.md).
 *
 * The blob is copied out of the VM's memory once; nothing is believed but what
 * that copy says. Takes no lock of its own.
 */
#include "internal.h"
#include "../uapi/esm.h"

#define MAX_BLOB	(sizeof(struct uv_esm_header) + UV_ESM_TAG_BYTES + \
			 UV_ESM_MAX_RANGES * sizeof(struct uv_esm_range))

uint32_t uv_get_le32(const void *p)
{
	const uint8_t *b = p;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint64_t uv_get_le64(const void *p)
{
	const uint8_t *b = p;

	return uv_get_le32(b) | (uint64_t)uv_get_le32(b + 4) << 32;
}

static bool header_ok(const struct uv_esm_header *h)
{
	uint32_t n = uv_get_le32(&h->nranges);

	return !memcmp(h->magic, UV_ESM_MAGIC, UV_ESM_MAGIC_BYTES) &&
	       uv_get_le32(&h->version) == UV_ESM_VERSION &&
	       !uv_get_le32(&h->flags) && !uv_get_le32(&h->reserved) &&
	       n && n <= UV_ESM_MAX_RANGES &&
	       uv_get_le32(&h->total_size) ==
			sizeof(*h) + n * sizeof(struct uv_esm_range) + UV_ESM_TAG_BYTES;
}

static bool range_ok(const struct uv_esm_range *r)
{
	uint64_t gpa = uv_get_le64(&r->gpa), len = uv_get_le64(&r->len);
	uint32_t alg = uv_get_le32(&r->alg);

	return len && gpa + (len - 1) >= gpa && !uv_get_le32(&r->reserved) &&
	       (alg == UV_ESM_SHA256 || alg == UV_ESM_SHA512);
}

/* The ranges make sense and one of them measures the entry point. */
static bool table_ok(const struct uv_esm_plan *plan)
{
	bool entry_in = false;
	uint32_t i;

	for (i = 0; i < plan->nranges; i++) {
		const struct uv_esm_range *r = &plan->ranges[i];
		uint64_t gpa = uv_get_le64(&r->gpa);

		if (!range_ok(r))
			return false;
		if (plan->entry >= gpa && plan->entry - gpa < uv_get_le64(&r->len))
			entry_in = true;
	}
	return entry_in;
}

/* Decrypt the table of the blob in plan->buf, in place. */
static int64_t authenticate(struct uv *uv, struct uv_esm_plan *plan)
{
	const struct uv_esm_header *h = (const struct uv_esm_header *)plan->buf;
	uint8_t *table = plan->buf + sizeof(*h);
	size_t len;

	plan->nranges = uv_get_le32(&h->nranges);
	plan->entry = uv_get_le64(&h->entry);
	plan->ranges = (const struct uv_esm_range *)table;
	len = plan->nranges * sizeof(*plan->ranges);
	if (uv->port.open(uv->port.ctx, uv->owner_key, h->iv, h, sizeof(*h), table, table, len,
			  table + len) || !table_ok(plan))
		return U_PERMISSION;
	return U_SUCCESS;
}

/*
 * Load the blob at @gpa of a transient VM. On success the caller frees @plan.
 * U_PARAMETER if there is no well-formed blob, U_PERMISSION if it does not
 * authenticate, and as uv_guest_read().
 */
int64_t uv_esm_blob_load(struct uv_svm *svm, uint64_t gpa, struct uv_esm_plan *plan)
{
	struct uv *uv = svm->uv;
	struct uv_esm_header h;
	uint32_t size;
	int64_t ret;

	plan->buf = NULL;
	ret = uv_guest_read(svm, gpa, &h, sizeof(h));
	if (ret)
		return ret;
	if (!header_ok(&h))
		return U_PARAMETER;
	size = uv_get_le32(&h.total_size);
	plan->buf = uv_alloc(uv, MAX_BLOB);
	if (!plan->buf)
		return U_RETRY;
	ret = uv_guest_read(svm, gpa, plan->buf, size);
	if (!ret && memcmp(plan->buf, &h, sizeof(h)))
		ret = U_PERMISSION;
	if (!ret)
		ret = authenticate(uv, plan);
	if (ret)
		uv_esm_blob_free(uv, plan);
	return ret;
}

void uv_esm_blob_free(struct uv *uv, struct uv_esm_plan *plan)
{
	if (plan->buf)
		uv_wipe(plan->buf, MAX_BLOB);
	uv_free(uv, plan->buf);
	plan->buf = NULL;
}
