// SPDX-License-Identifier: GPL-2.0
/*
 * The model's ultravisor: ultracalls of both sides, and what a guest's access
 * finds. The table is that of uv-sim/core/pagemap.c; the clauses are those of
 * ultravisor.rst.
 */
#include <errno.h>
#include <string.h>

#include "model.h"

#define LOST_TRIES 8 /* of a sealed page that the hypervisor does not bring */
#define MAX_TRIES 32

static const struct content zeros;

static bool is_shared(const struct model_gfn *g)
{
	return g->uv == UV_GFN_SHARED || g->uv == UV_GFN_SHARED_UNMAPPED;
}

static void set(struct model_gfn *g, enum uv_gfn_state state)
{
	g->uv = state;
	g->fresh = false;
	g->self = false;
}

static void set_resident(struct model_gfn *g, struct content content)
{
	set(g, UV_GFN_RESIDENT);
	g->secure = content;
}

static void stop(struct model_vm *vm, enum uv_stop_reason why, unsigned int gfn)
{
	if (vm->uv != UV_VM_SECURE)
		return;
	vm->uv = UV_VM_STOPPED;
	vm->stop = why;
	vm->stop_gfn = gfn;
}

/* The VM is a normal one, and the ultravisor has nothing of it. */
static void teardown(struct model_vm *vm)
{
	vm->uv = UV_VM_NORMAL;
	vm->in_esm = false;
	vm->measuring = false;
	vm->aborting = false;
	for (unsigned int i = 0; i < CONF_SLOTS; i++)
		vm->slot[i].uv = false;
	for (unsigned int i = 0; i < CONF_GFNS; i++)
		set(&vm->gfn[i], UV_GFN_NOSLOT);
}

static bool sealed_right(const struct model_gfn *g, const struct content *page)
{
	return page->seal == g->seal && !memcmp(page->byte, zeros.byte, sizeof(zeros.byte));
}

/* UV_PAGE_IN. @shared: the hypervisor takes the page for a shared one. */
static int64_t page_in(struct model_vm *vm, unsigned int gfn, struct content *page, bool shared)
{
	struct model_gfn *g = &vm->gfn[gfn];

	if (vm->uv == UV_VM_NORMAL || vm->uv == UV_VM_STOPPED)
		return U_PARAMETER;
	if (g->uv == UV_GFN_NOSLOT || is_shared(g) != shared)
		return U_P3;
	switch (g->uv) {
	case UV_GFN_SHARED:
	case UV_GFN_SHARED_UNMAPPED:
		if (g->fresh)
			*page = zeros;
		set(g, UV_GFN_SHARED);
		return U_SUCCESS;
	case UV_GFN_RESIDENT:
		if (!g->self)
			return U_P3;
		g->self = false;
		return U_SUCCESS;
	case UV_GFN_SEALED:
		if (!sealed_right(g, page)) {
			stop(vm, UV_STOP_INTEGRITY, gfn);
			return U_P2;
		}
		set_resident(g, g->secure);
		return U_SUCCESS;
	case UV_GFN_NORMAL:
		set_resident(g, *page);
		return U_SUCCESS;
	default:
		set_resident(g, zeros);
		return U_SUCCESS;
	}
}

static int64_t page_out(struct model *m, struct model_vm *vm, unsigned int gfn,
			struct content *page)
{
	struct model_gfn *g = &vm->gfn[gfn];

	if (vm->uv == UV_VM_NORMAL)
		return U_PARAMETER;
	if (g->uv == UV_GFN_NOSLOT)
		return U_P3;
	/* UV_SIM_PAGE_OUT_SECURE, which upstream does not know. */
	if (is_shared(g))
		return deviates(m, DEV_UNFILLED) ? U_SUCCESS : U_P3;
	if (g->uv == UV_GFN_SEALED)
		return U_P3;
	if (g->uv != UV_GFN_RESIDENT)
		g->secure = zeros;
	if (vm->aborting) {
		*page = g->secure;
		set(g, UV_GFN_NORMAL);
		return U_SUCCESS;
	}
	set(g, UV_GFN_SEALED);
	g->seal = ++m->seals;
	*page = (struct content){ .seal = g->seal };
	return U_SUCCESS;
}

static int64_t page_inval(struct model_vm *vm, unsigned int gfn)
{
	struct model_gfn *g = &vm->gfn[gfn];

	if (vm->uv == UV_VM_NORMAL)
		return U_PARAMETER;
	if (!is_shared(g))
		return U_P2;
	if (g->uv == UV_GFN_SHARED)
		set(g, UV_GFN_SHARED_UNMAPPED);
	return U_SUCCESS;
}

static int64_t register_slot(struct model_vm *vm, unsigned int slot)
{
	const struct slot_range *r = &slot_ranges[slot];

	if (vm->uv != UV_VM_TRANSIENT && vm->uv != UV_VM_SECURE)
		return U_PARAMETER;
	if (vm->slot[slot].uv)
		return U_P5;
	vm->slot[slot].uv = true;
	for (unsigned int i = 0; i < r->n; i++)
		set(&vm->gfn[r->first + i], vm->measuring ? UV_GFN_ZERO : UV_GFN_NORMAL);
	return U_SUCCESS;
}

static int64_t unregister_slot(struct model_vm *vm, unsigned int slot)
{
	const struct slot_range *r = &slot_ranges[slot];

	if (!vm->slot[slot].uv)
		return U_P2;
	vm->slot[slot].uv = false;
	for (unsigned int i = 0; i < r->n; i++)
		set(&vm->gfn[r->first + i], UV_GFN_NOSLOT);
	return U_SUCCESS;
}

static int64_t terminate(struct model_vm *vm)
{
	if (vm->uv == UV_VM_NORMAL)
		return U_INVALID;
	teardown(vm);
	return U_SUCCESS;
}

static int64_t ucall(struct model *m, struct model_vm *vm, uint64_t nr, unsigned int what,
		     struct content *page, bool shared)
{
	switch (nr) {
	case UV_PAGE_IN:
		return page_in(vm, what, page, shared);
	case UV_PAGE_OUT:
		return page_out(m, vm, what, page);
	case UV_PAGE_INVAL:
		return page_inval(vm, what);
	case UV_REGISTER_MEM_SLOT:
		return register_slot(vm, what);
	case UV_UNREGISTER_MEM_SLOT:
		return unregister_slot(vm, what);
	default:
		return terminate(vm);
	}
}

int64_t model_ucall(struct model *m, unsigned int vm, uint64_t nr, unsigned int what,
		    struct content *page, bool shared)
{
	struct expect *e = m->expect;
	int64_t ret = ucall(m, &m->vm[vm], nr, what, page, shared);

	if (nr == UV_PAGE_INVAL && deviates(m, DEV_INVALS))
		return ret;
	if (e->nucalls < MODEL_UCALLS)
		e->ucall[e->nucalls++] = (struct ucall){
			.vm = (uint16_t)vm,
			.nr = (uint16_t)nr,
			.what = (uint16_t)what,
			.ret = (int16_t)ret,
		};
	return ret;
}

/* --- what the guest asks for --- */

static bool backed(const struct model_gfn *g)
{
	return g->uv == UV_GFN_RESIDENT || g->uv == UV_GFN_SHARED;
}

/*
 * Have a GFN brought in that the guest, or an ultravisor that gives up, wants.
 * @state: that of the VM which this makes sense in.
 */
static bool populate(struct model *m, unsigned int i, unsigned int gfn, enum uv_vm_state state)
{
	struct model_vm *vm = &m->vm[i];
	struct model_gfn *g = &vm->gfn[gfn];
	unsigned int lost = 0;

	for (unsigned int tries = 0; tries < MAX_TRIES; tries++) {
		enum uv_gfn_state before = g->uv;
		uint32_t seal = g->seal;
		int64_t ret;

		if (vm->uv != state || before == UV_GFN_NOSLOT || before == UV_GFN_NORMAL)
			return false;
		if (backed(g))
			return true;
		ret = model_hcall_arg(m, i, H_SVM_PAGE_IN, gfn,
				      before == UV_GFN_SHARED_UNMAPPED ? ARG_VARIANTS : ARG_GOOD);
		if (vm->uv != state)
			return false;
		if (backed(g))
			return true;
		if (ret != H_SUCCESS && ret != H_PARAMETER)
			return false;
		/* Zeros need no content of the hypervisor's. */
		if (g->uv == UV_GFN_ZERO) {
			set_resident(g, zeros);
			g->self = true;
			return true;
		}
		if (ret == H_PARAMETER && g->uv != UV_GFN_SEALED)
			return false;
		if (g->uv == UV_GFN_SEALED && before == UV_GFN_SEALED && g->seal == seal)
			lost++;
		if (lost == LOST_TRIES) {
			stop(vm, UV_STOP_LOST, gfn);
			return false;
		}
	}
	return false;
}

struct content *uv_guest_touch(struct model *m, unsigned int i, unsigned int gfn)
{
	struct model_vm *vm = &m->vm[i];
	struct model_gfn *g = gfn < CONF_GFNS ? &vm->gfn[gfn] : NULL;

	if (!g || !populate(m, i, gfn, UV_VM_SECURE))
		return NULL;
	return g->uv == UV_GFN_SHARED ? &g->h : &g->secure;
}

/* UV_SHARE_PAGE: zeroed, and the hypervisor's page as soon as there is one. */
static bool share_one(struct model_gfn *g)
{
	if (g->uv == UV_GFN_SHARED) {
		g->h = zeros;
		return false;
	}
	set(g, UV_GFN_SHARED_UNMAPPED);
	g->fresh = true;
	return true;
}

/* UV_UNSHARE_PAGE: zeroed, and secure. */
static bool unshare_one(struct model_gfn *g)
{
	bool ask = is_shared(g);

	if (g->uv == UV_GFN_RESIDENT)
		g->secure = zeros;
	else
		set(g, UV_GFN_ZERO);
	return ask;
}

/* The hypervisor is told of a run of GFNs, by one call if it knows such. */
static int64_t tell_run(struct model *m, unsigned int i, unsigned int gfn, unsigned int n,
			bool share)
{
	int64_t ret;

	if (n == 1)
		ret = model_hcall_arg(m, i, H_SVM_PAGE_IN, gfn, share ? ARG_VARIANTS : ARG_GOOD);
	else
		ret = model_hcall_range(m, i, gfn, n, share ? H_PAGE_IN_SHARED : 0);
	return ret && share ? U_PARAMETER : U_SUCCESS;
}

static int64_t change(struct model *m, unsigned int i, unsigned int gfn, unsigned int n, bool share)
{
	struct model_vm *vm = &m->vm[i];
	bool ask[CONF_GFNS + 1] = { false };
	int64_t ret = U_SUCCESS, err;
	unsigned int k, run = 0;

	for (k = gfn; k < gfn + n; k++)
		ask[k] = share ? share_one(&vm->gfn[k]) : unshare_one(&vm->gfn[k]);
	for (k = gfn; k <= gfn + n; k++) {
		if (k < gfn + n && ask[k]) {
			run++;
		} else if (run) {
			err = tell_run(m, i, k - run, run, share);
			ret = ret ? ret : err;
			run = 0;
		}
	}
	return ret && vm->uv != UV_VM_SECURE ? U_INVALID : ret;
}

int64_t uv_share(struct model *m, unsigned int i, unsigned int gfn, unsigned int n, bool share)
{
	struct model_vm *vm = &m->vm[i];

	if (vm->uv != UV_VM_SECURE)
		return U_INVALID;
	if (gfn >= CONF_GFNS || vm->gfn[gfn].uv == UV_GFN_NOSLOT)
		return U_PARAMETER;
	if (!n)
		return U_P2;
	for (unsigned int k = gfn; k < gfn + n; k++)
		if (k >= CONF_GFNS || vm->gfn[k].uv == UV_GFN_NOSLOT)
			return U_P2;
	return change(m, i, gfn, n, share);
}

int64_t uv_unshare_all(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];
	unsigned int k, run = 0;

	if (vm->uv != UV_VM_SECURE)
		return U_INVALID;
	for (k = 0; k <= CONF_GFNS; k++) {
		if (k < CONF_GFNS && is_shared(&vm->gfn[k])) {
			run++;
		} else if (run) {
			change(m, i, k - run, run, false);
			run = 0;
		}
	}
	return U_SUCCESS;
}

/* --- UV_ESM --- */

int64_t uv_esm_begin(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];

	if (vm->in_esm)
		return U_BUSY;
	if (vm->uv == UV_VM_SECURE)
		return U_SUCCESS;
	if (vm->uv == UV_VM_STOPPED)
		return U_INVALID;
	vm->uv = UV_VM_TRANSIENT;
	vm->stop = UV_STOP_NONE;
	vm->stop_gfn = 0;
	vm->in_esm = true;
	if (model_hcall(m, i, H_SVM_INIT_START, 0) == H_SUCCESS)
		return U_SUCCESS;
	teardown(vm);
	return U_INVALID;
}

/* Without range calls: every page, touched or not. */
static int64_t move_in_single(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];

	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		if (vm->gfn[k].uv == UV_GFN_NOSLOT)
			continue;
		/* It refuses what it brought in before. */
		if (model_hcall(m, i, H_SVM_PAGE_IN, k) != H_SUCCESS &&
		    vm->gfn[k].uv != UV_GFN_RESIDENT)
			return U_RETRY;
	}
	return U_SUCCESS;
}

/* Every page that was touched comes in, one memslot after the other. */
static int64_t move_in(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];
	int64_t ret = H_SUCCESS;

	for (unsigned int s = 0; s < CONF_SLOTS && ret == H_SUCCESS; s++)
		if (vm->slot[s].uv)
			ret = model_hcall_range(m, i, slot_ranges[s].first, slot_ranges[s].n,
						H_SIM_PAGE_IN_TOUCHED);
	return ret == H_SUCCESS ? U_SUCCESS : U_RETRY;
}

static int64_t secure(struct model *m, unsigned int i, enum esm_variant variant)
{
	struct model_vm *vm = &m->vm[i];
	int64_t ret;

	if (variant == ESM_BLOB_ADDR)
		return U_PARAMETER;
	if (variant == ESM_FDT)
		return U_P2;
	ret = deviates(m, DEV_NO_RANGES) ? move_in_single(m, i) : move_in(m, i);
	if (ret)
		return ret;
	vm->measuring = true;
	for (unsigned int k = 0; k < CONF_GFNS; k++)
		if (vm->gfn[k].uv == UV_GFN_NORMAL)
			set(&vm->gfn[k], UV_GFN_ZERO);
	/* A hypervisor that was done too early has not brought the blob in. */
	if (!populate(m, i, 0, UV_VM_TRANSIENT) || !vm->gfn[0].secure.byte[0])
		return U_PARAMETER;
	if (variant == ESM_DIGEST)
		return U_PERMISSION;
	if (model_hcall(m, i, H_SVM_INIT_DONE, 0) != H_SUCCESS)
		return U_INVALID;
	vm->uv = UV_VM_SECURE;
	return U_SUCCESS;
}

/* The VM never was secure: it gets its memory back as it was. */
static void give_back(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];

	vm->aborting = true;
	for (unsigned int k = 0; k < CONF_GFNS; k++)
		if (vm->gfn[k].uv == UV_GFN_SEALED && populate(m, i, k, UV_VM_TRANSIENT))
			model_hcall(m, i, H_SVM_PAGE_OUT, k);
	model_hcall(m, i, H_SVM_INIT_ABORT, 0);
	teardown(vm);
}

int64_t uv_esm_finish(struct model *m, unsigned int i, enum esm_variant variant)
{
	struct model_vm *vm = &m->vm[i];
	int64_t ret;

	if (!vm->in_esm)
		return U_INVALID;
	ret = secure(m, i, variant);
	if (ret)
		give_back(m, i);
	vm->in_esm = false;
	return ret;
}

int64_t uv_esm(struct model *m, unsigned int i, enum esm_variant variant)
{
	struct model_vm *vm = &m->vm[i];
	bool already = vm->uv == UV_VM_SECURE && !vm->in_esm;
	int64_t ret = uv_esm_begin(m, i);

	return ret || already ? ret : uv_esm_finish(m, i, variant);
}
