// SPDX-License-Identifier: GPL-2.0
/*
 * The ultravisor as an object: made and destroyed here, and with it the table
 * that finds a partition by its LPID.
 *
 * A partition is reference counted, so that UV_SVM_TERMINATE and the release
 * of an LPID can come while other CPUs work on it. Takes uv->lpids, uv->pool.
 */
#include "internal.h"

/* Called with uv->lpids held. Where the pointer to @lpid's partition is. */
struct uv_svm **uv_svm_link(struct uv *uv, uint32_t lpid)
{
	struct uv_svm **p = &uv->bucket[lpid % UV_NBUCKETS];

	while (*p && (*p)->lpid != lpid)
		p = &(*p)->next;
	return p;
}

/* A reference to the partition @lpid, or NULL when there is none. */
struct uv_svm *uv_svm_get(struct uv *uv, uint64_t lpid)
{
	struct uv_svm *svm;

	if (!lpid || lpid > uv->max_lpid)
		return NULL;
	uv_lock(uv, uv->lpids);
	svm = *uv_svm_link(uv, (uint32_t)lpid);
	if (svm) {
		uv_lock(uv, uv->pool);
		svm->refs++;
		uv_unlock(uv, uv->pool);
	}
	uv_unlock(uv, uv->lpids);
	return svm;
}

/* The same for a guest of which @caller, if there is one, says that it is its own. */
struct uv_svm *uv_svm_get_for(struct uv *uv, uint64_t lpid, const struct uv_caller *caller)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);

	if (!svm || !caller || caller->is_ours(caller->arg))
		return svm;
	uv_svm_put(svm);
	return NULL;
}

void uv_svm_put(struct uv_svm *svm)
{
	struct uv *uv = svm->uv;
	bool last;

	uv_lock(uv, uv->pool);
	last = !--svm->refs;
	uv_unlock(uv, uv->pool);
	if (last)
		uv_svm_free(svm);
}

static bool svm_make_locks(struct uv_svm *svm)
{
	const struct uv_port *port = &svm->uv->port;
	unsigned int i;

	svm->life = port->lock_new(port->ctx, "uv-life", UV_LEVEL_LIFE);
	svm->table = port->lock_new(port->ctx, "uv-table", UV_LEVEL_TABLE);
	if (!svm->life || !svm->table)
		return false;
	for (i = 0; i < UV_NCHUNKS; i++) {
		svm->gfn[i] = port->lock_new(port->ctx, "uv-gfn", UV_LEVEL_GFN);
		if (!svm->gfn[i])
			return false;
	}
	return true;
}

static void lock_free(struct uv *uv, struct uv_lock *lock)
{
	if (lock)
		uv->port.lock_free(uv->port.ctx, lock);
}

/* A normal VM with one reference, or NULL when there is no memory for it. */
struct uv_svm *uv_svm_new(struct uv *uv, uint32_t lpid)
{
	struct uv_svm *svm = uv_alloc(uv, sizeof(*svm));

	if (!svm)
		return NULL;
	svm->uv = uv;
	svm->lpid = lpid;
	svm->refs = 1;
	if (!svm_make_locks(svm)) {
		uv_svm_free(svm);
		return NULL;
	}
	return svm;
}

/* The VM is a normal one: it has no memslots, no key and no secure pages. */
void uv_svm_free(struct uv_svm *svm)
{
	struct uv *uv = svm->uv;
	unsigned int i;

	for (i = 0; i < UV_NCHUNKS; i++)
		lock_free(uv, svm->gfn[i]);
	lock_free(uv, svm->table);
	lock_free(uv, svm->life);
	uv_free(uv, svm->slots);
	uv_free(uv, svm);
}

static bool scratch_init(struct uv *uv)
{
	const struct uv_port *port = &uv->port;
	unsigned int i;

	for (i = 0; i < UV_NSCRATCH; i++) {
		struct uv_scratch *s = &uv->scratch[i];

		s->page = uv_alloc(uv, uv_page_size(uv));
		s->lock = port->lock_new(port->ctx, "uv-scratch", UV_LEVEL_SCRATCH);
		if (!s->page || !s->lock)
			return false;
	}
	return true;
}

static bool init(struct uv *uv, const struct uv_config *cfg)
{
	const struct uv_port *port = &uv->port;

	uv->lpids = port->lock_new(port->ctx, "uv-lpids", UV_LEVEL_LPIDS);
	uv->zeros = uv_alloc(uv, uv_page_size(uv));
	if (!uv->lpids || !uv->zeros || !scratch_init(uv) || !uv_pool_init(uv))
		return false;
	if (cfg->owner_key) {
		uv->owner_key = port->aead_key(port->ctx, cfg->owner_key);
		if (!uv->owner_key)
			return false;
	}
	return true;
}

/**
 * uv_create() - start an ultravisor
 * @port: services of the machine; copied
 * @cfg: configuration; copied
 *
 * Zeroes all of secure memory. May sleep.
 *
 * Return: the ultravisor, or NULL when there is no memory for it.
 */
struct uv *uv_create(const struct uv_port *port, const struct uv_config *cfg)
{
	struct uv *uv = port->alloc(port->ctx, sizeof(*uv));

	if (!uv)
		return NULL;
	uv->port = *port;
	uv->total = cfg->secure_pages;
	uv->max_lpid = cfg->max_lpid;
	uv->plain_copy = cfg->plain_copy;
	if (!init(uv, cfg)) {
		uv_destroy(uv);
		return NULL;
	}
	return uv;
}

/**
 * uv_destroy() - tear an ultravisor down
 * @uv: ultravisor; no call of it may be running or follow
 *
 * Every SVM is terminated, without a hypercall. Wipes secure memory.
 */
void uv_destroy(struct uv *uv)
{
	unsigned int i;

	for (i = 0; i < UV_NBUCKETS; i++) {
		while (uv->bucket[i]) {
			struct uv_svm *svm = uv->bucket[i];

			uv->bucket[i] = svm->next;
			uv_svm_teardown(svm, UV_STOP_TERMINATED);
			uv_svm_put(svm);
		}
	}
	if (uv->owner_key)
		uv->port.aead_free(uv->port.ctx, uv->owner_key);
	uv_pool_exit(uv);
	for (i = 0; i < UV_NSCRATCH; i++) {
		lock_free(uv, uv->scratch[i].lock);
		uv_free(uv, uv->scratch[i].page);
	}
	uv_free(uv, uv->zeros);
	lock_free(uv, uv->lpids);
	uv_free(uv, uv);
}
