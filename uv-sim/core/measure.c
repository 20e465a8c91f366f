// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a transient VM's memory for UV_ESM: the blob, and the ranges that it
 * measures.
 *
 * Only what is in secure memory is read, under the GFN's lock, so that the
 * hypervisor cannot change it meanwhile. A page that was evicted comes back by
 * H_SVM_PAGE_IN under its seal: what was measured is what the SVM will find.
 */
#include "internal.h"
#include "../uapi/esm.h"

typedef int (*uv_bytes_fn)(void *arg, const void *p, size_t n);

/* True if slots cover @len > 0 bytes from @gpa on. */
bool uv_bytes_covered(struct uv_svm *svm, uint64_t gpa, uint64_t len)
{
	unsigned int shift = svm->uv->port.page_shift;
	uint64_t first = gpa >> shift, last;

	if (!len || gpa + (len - 1) < gpa)
		return false;
	last = (gpa + (len - 1)) >> shift;
	return uv_slots_cover(svm, first, last - first + 1);
}

/* Called with the GFN's lock held. U_BUSY: bring the page in first. */
static int64_t read_locked(struct uv_gfn_ref *ref, size_t off, size_t n, uv_bytes_fn fn, void *arg)
{
	struct uv *uv = ref->svm->uv;
	const uint8_t *page;

	if (ref->vm_state != UV_VM_TRANSIENT)
		return U_INVALID;
	if (ref->state == UV_GFN_SEALED)
		return U_BUSY;
	if (ref->state == UV_GFN_RESIDENT)
		page = uv_frame_va(uv, ref->e->page);
	else if (ref->state == UV_GFN_ZERO)
		page = uv->zeros;
	else
		return U_PERMISSION;
	return fn(arg, page + off, n) ? U_RETRY : U_SUCCESS;
}

static int64_t read_page(struct uv_svm *svm, uint64_t gfn, size_t off, size_t n,
			 uv_bytes_fn fn, void *arg)
{
	unsigned int attempt;

	for (attempt = 0; attempt < UV_MAX_TRIES; attempt++) {
		struct uv_gfn_ref ref;
		enum uv_fault fault;
		int64_t ret;

		if (uv_gfn_lock(svm, gfn, false, &ref) != UV_LOOKUP_OK)
			return U_PARAMETER;
		ret = read_locked(&ref, off, n, fn, arg);
		uv_gfn_unlock(&ref);
		if (ret != U_BUSY)
			return ret;
		fault = uv_populate(svm, gfn, UV_VM_TRANSIENT);
		if (fault == UV_FAULT_REFUSED)
			return U_PERMISSION;
		if (fault != UV_FAULT_MAPPED)
			return U_RETRY;
	}
	return U_RETRY;		/* evicted again each time */
}

static int64_t read_bytes(struct uv_svm *svm, uint64_t gpa, uint64_t len, uv_bytes_fn fn, void *arg)
{
	size_t page_size = uv_page_size(svm->uv);
	int64_t ret = U_SUCCESS;

	while (len && !ret) {
		size_t off = (size_t)gpa & (page_size - 1);
		size_t n = page_size - off;

		if (!uv_go_on(svm->uv))
			return U_RETRY;
		if (n > len)
			n = (size_t)len;
		ret = read_page(svm, gpa >> svm->uv->port.page_shift, off, n, fn, arg);
		gpa += n;
		len -= n;
	}
	return ret;
}

static int copy_bytes(void *arg, const void *p, size_t n)
{
	uint8_t **to = arg;

	memcpy(*to, p, n);
	*to += n;
	return 0;
}

/*
 * Read @len bytes at @gpa of a transient VM. Called without a lock. U_PARAMETER
 * if slots do not cover them, U_PERMISSION if a page fails to open, U_RETRY if
 * there is no memory, U_INVALID if the VM is not transient any more.
 */
int64_t uv_guest_read(struct uv_svm *svm, uint64_t gpa, void *buf, size_t len)
{
	uint8_t *to = buf;

	if (!uv_bytes_covered(svm, gpa, len))
		return U_PARAMETER;
	return read_bytes(svm, gpa, len, copy_bytes, &to);
}

struct hashing {
	const struct uv_port *port;
	struct uv_hash_ctx *h;
};

static int hash_bytes(void *arg, const void *p, size_t n)
{
	struct hashing *h = arg;

	return h->port->hash_update(h->port->ctx, h->h, p, n);
}

static int64_t measure_range(struct uv_svm *svm, const struct uv_esm_range *r)
{
	struct hashing h = { .port = &svm->uv->port };
	enum uv_hash alg = uv_get_le32(&r->alg) == UV_ESM_SHA512 ? UV_HASH_SHA512 : UV_HASH_SHA256;
	uint8_t digest[UV_DIGEST_MAX] = { 0 };
	int64_t ret;

	h.h = h.port->hash_new(h.port->ctx, alg);
	if (!h.h)
		return U_RETRY;
	ret = read_bytes(svm, uv_get_le64(&r->gpa), uv_get_le64(&r->len), hash_bytes, &h);
	if (ret) {
		h.port->hash_final(h.port->ctx, h.h, NULL);
		return ret;
	}
	if (h.port->hash_final(h.port->ctx, h.h, digest))
		return U_RETRY;
	return memcmp(digest, r->digest, sizeof(digest)) ? U_PERMISSION : U_SUCCESS;
}

/*
 * Compare a transient VM's memory with @plan. Called without a lock.
 * U_PERMISSION if a digest differs or a range is in no slot, and as
 * uv_guest_read().
 */
int64_t uv_measure(struct uv_svm *svm, const struct uv_esm_plan *plan)
{
	int64_t ret = U_SUCCESS;
	uint32_t i;

	for (i = 0; i < plan->nranges && !ret; i++) {
		const struct uv_esm_range *r = &plan->ranges[i];

		if (uv_bytes_covered(svm, uv_get_le64(&r->gpa), uv_get_le64(&r->len)))
			ret = measure_range(svm, r);
		else
			ret = U_PERMISSION;
	}
	return ret == U_PARAMETER ? U_PERMISSION : ret;	/* a slot went away */
}
