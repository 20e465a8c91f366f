// SPDX-License-Identifier: GPL-2.0
/*
 * UV_PAGE_IN: a page of normal memory becomes a secure page, or the page that
 * backs a shared GFN.
 *
 * The hypervisor's bytes are believed in two cases only: before measurement
 * begins, when the VM is still a normal one, and when they open under the seal
 * that the GFN entry holds. Everything else pages in as zeros. Called with
 * the GFN's lock held (page_run.c).
 */
#include "internal.h"

/* Copy the hypervisor's page to secure memory, where it cannot change it. */
static bool copy_in(struct uv *uv, void *page, uint64_t src_ra)
{
	const struct uv_port *port = &uv->port;
	void *src = port->map(port->ctx, src_ra, false);

	if (!src)
		return false;
	if (page)
		uv_copy_page(uv, page, src);
	uv_unmap(uv, src);
	return true;
}

static int64_t fill(struct uv_gfn_ref *ref, void *page, uint64_t src_ra, bool *tampered)
{
	bool sealed = ref->state == UV_GFN_SEALED;
	bool plain = ref->state == UV_GFN_NORMAL && (!ref->measuring || ref->aborting);

	if (!copy_in(ref->svm->uv, sealed || plain ? page : NULL, src_ra))
		return U_P2;
	if (sealed && uv_open_page(ref, page, &ref->e->seal)) {
		/* Nobody has touched it yet: it stays sealed, for who does. */
		*tampered = !(ref->e->flags & UV_GFN_AHEAD);
		return U_P2;
	}
	return U_SUCCESS;
}

/* Page in a GFN that is not shared and has no secure page. */
static int64_t in_secure(struct uv_gfn_ref *ref, uint64_t src_ra, bool *tampered)
{
	struct uv *uv = ref->svm->uv;
	struct uv_gfn to = { .state = UV_GFN_RESIDENT };
	int64_t ret;

	to.page = uv_page_take(ref->svm, ref->gfn);
	if (to.page == UV_NO_PAGE)
		return U_BUSY;
	to.flags = ref->e->flags & UV_GFN_AHEAD;
	ret = fill(ref, uv_frame_va(uv, to.page), src_ra, tampered);
	if (ret)
		uv_page_put(uv, to.page);
	else
		uv_gfn_set(ref, &to);
	return ret;
}

/*
 * Back a GFN that was never touched with zeros, without the hypervisor. False
 * when there is no secure page.
 */
bool uv_back_with_zeros(struct uv_gfn_ref *ref)
{
	struct uv_gfn to = { .state = UV_GFN_RESIDENT, .flags = UV_GFN_SELF };

	to.page = uv_page_take(ref->svm, ref->gfn);
	if (to.page == UV_NO_PAGE)
		return false;
	uv_gfn_set(ref, &to);
	return true;
}

/* The page that the hypervisor gives for a shared GFN. */
static int64_t in_shared(struct uv_gfn_ref *ref, uint64_t src_ra)
{
	const struct uv_port *port = &ref->svm->uv->port;
	bool fresh = ref->e->flags & UV_GFN_FRESH;
	struct uv_gfn to = { .state = UV_GFN_SHARED, .ra = src_ra };
	void *page;

	if (ref->state == UV_GFN_SHARED && ref->e->ra == src_ra)
		return U_SUCCESS;
	if (!port->ra_get(port->ctx, src_ra))
		return U_P2;
	page = port->map(port->ctx, src_ra, fresh);
	if (!page) {
		port->ra_put(port->ctx, src_ra);
		return U_P2;
	}
	if (fresh)
		memset(page, 0, uv_page_size(ref->svm->uv));
	uv_unmap(ref->svm->uv, page);
	uv_gfn_set(ref, &to);
	return U_SUCCESS;
}

static bool is_shared(const struct uv_gfn_ref *ref)
{
	return ref->state == UV_GFN_SHARED || ref->state == UV_GFN_SHARED_UNMAPPED;
}

/*
 * UV_PAGE_IN of one page, whose arguments and VM are in order. Called with the GFN's
 * lock held; sets *@tampered when the SVM is to be stopped.
 *
 * The page attributes that the specification lists for the flags have no
 * published values; none is accepted. UV_SIM_PAGE_IN_SECURE and
 * UV_SIM_PAGE_IN_SHARED say what the hypervisor takes the page for.
 *
 * Returns U_SUCCESS; U_P2 for an address that is no page of normal memory, or whose
 * content is not what was paged out; U_P3 for a GFN that is resident, or not what a
 * flag says; U_BUSY when there is no secure memory.
 */
int64_t uv_page_in(struct uv_gfn_ref *ref, uint64_t src_ra, uint64_t flags, bool *tampered)
{
	if (flags & (is_shared(ref) ? UV_SIM_PAGE_IN_SECURE : UV_SIM_PAGE_IN_SHARED))
		return U_P3;
	switch (ref->state) {
	case UV_GFN_SHARED:
	case UV_GFN_SHARED_UNMAPPED:
		return in_shared(ref, src_ra);
	case UV_GFN_RESIDENT:
		if (!(ref->e->flags & UV_GFN_SELF))
			return U_P3;
		/* It raced with uv_back_with_zeros(): the same zeros. */
		ref->e->flags &= ~UV_GFN_SELF;
		return U_SUCCESS;
	default:
		return in_secure(ref, src_ra, tampered);
	}
}
