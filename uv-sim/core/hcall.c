// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls of the ultravisor's: H_SVM_PAGE_IN, H_SVM_PAGE_OUT and the
 * extensions that do the same for a run of pages. Called without any lock. The
 * answers are the hypervisor's word and worth no more: callers look at what
 * became of the GFN.
 */
#include "internal.h"

bool uv_is_busy(int64_t ret)
{
	return ret == H_BUSY;
}

/* The hypervisor does not know this call. */
bool uv_is_unknown(int64_t ret)
{
	return ret == H_FUNCTION || ret == H_UNSUPPORTED;
}

void uv_relax(struct uv *uv, unsigned int attempt)
{
	uv->port.relax(uv->port.ctx, attempt);
}

/* H_SVM_PAGE_IN or H_SVM_PAGE_OUT of one page; @nr may be any other H_SVM_*. */
int64_t uv_hcall(struct uv_svm *svm, uint64_t nr, uint64_t gfn, uint64_t flags)
{
	const struct uv_port *port = &svm->uv->port;
	uint64_t args[4] = { uv_gpa(svm->uv, gfn), flags, port->page_shift, 0 };
	uint64_t out[1] = { 0 };

	if (nr != H_SVM_PAGE_IN && nr != H_SVM_PAGE_OUT)
		memset(args, 0, sizeof(args));
	return port->hcall(port->ctx, svm->lpid, nr, args, out);
}

/* The hypervisor has refused a range call of this VM's as unknown. */
bool uv_knows_no_ranges(struct uv_svm *svm)
{
	bool none;

	uv_lock(svm->uv, svm->table);
	none = svm->no_ranges;
	uv_unlock(svm->uv, svm->table);
	return none;
}

static void set_no_ranges(struct uv_svm *svm)
{
	uv_lock(svm->uv, svm->table);
	svm->no_ranges = true;
	uv_unlock(svm->uv, svm->table);
}

/* A range call. @done: pages from @gfn on that the hypervisor says are done. */
int64_t uv_hcall_range(struct uv_svm *svm, uint64_t nr, uint64_t gfn, uint64_t n, uint64_t flags,
		       uint64_t *done)
{
	const struct uv_port *port = &svm->uv->port;
	const uint64_t args[4] = { uv_gpa(svm->uv, gfn), n, flags, port->page_shift };
	uint64_t out[1] = { 0 };
	int64_t ret = port->hcall(port->ctx, svm->lpid, nr, args, out);

	*done = ret == H_SUCCESS || out[0] > n ? n : out[0];
	if (ret == H_FUNCTION)
		set_no_ranges(svm);
	if (uv_is_unknown(ret))
		*done = 0;
	return ret;
}

/*
 * Ask for @n pages from @gfn on, in as few calls as the hypervisor allows.
 * Gives up with H_BUSY after UV_MAX_TRIES answers that it is busy in a row, and
 * with any other error at once.
 */
int64_t uv_hcall_page_in(struct uv_svm *svm, uint64_t gfn, uint64_t n, uint64_t flags)
{
	unsigned int attempt = 0;
	bool single = n == 1;

	while (n) {
		uint64_t done;
		int64_t ret;

		if (single) {
			ret = uv_hcall(svm, H_SVM_PAGE_IN, gfn, flags);
			done = ret == H_SUCCESS;
		} else {
			ret = uv_hcall_range(svm, H_SIM_SVM_PAGE_IN_RANGE, gfn, n, flags, &done);
			if (uv_is_unknown(ret)) {
				single = true;
				continue;
			}
		}
		gfn += done;
		n -= done;
		if (done)
			attempt = 0;
		if (ret == H_SUCCESS)
			continue;
		if (!uv_is_busy(ret) || ++attempt == UV_MAX_TRIES)
			return ret;
		uv_relax(svm->uv, attempt - 1);
	}
	return H_SUCCESS;
}
