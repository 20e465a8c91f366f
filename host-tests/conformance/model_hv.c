// SPDX-License-Identifier: GPL-2.0
/*
 * The model's hypervisor: H_SVM_* and what its user space does to H, by the
 * tables at the head of book3s_hv_uvmem.c.
 */
#include <errno.h>

#include "model.h"

static const struct content zeros;

const struct slot_range slot_ranges[CONF_SLOTS] = { { 0, 1 }, { 1, 4 }, { 5, 2 } };

unsigned int slot_of(unsigned int gfn)
{
	unsigned int s = 0;

	while (s < CONF_SLOTS &&
	       (gfn < slot_ranges[s].first || gfn >= slot_ranges[s].first + slot_ranges[s].n))
		s++;
	return s;
}

static struct model_gfn *gfn_at(struct model *m, unsigned int vm, unsigned int gfn)
{
	return &m->vm[vm].gfn[gfn];
}

static bool has_gfn(const struct model_vm *vm, unsigned int gfn)
{
	unsigned int s = slot_of(gfn);

	return s < CONF_SLOTS && vm->slot[s].hv;
}

/* What would harm this hypervisor: the step is not made. */
static void hazard(struct model *m, const char *why)
{
	if (deviates(m, DEV_HAZARDS) && !m->hazard)
		m->hazard = why;
}

/* What a page frame holds that takes the place of a device page. */
static struct content frame(const struct model *m)
{
	const struct content unknown = { .seal = SEAL_UNKNOWN };

	return deviates(m, DEV_UNFILLED) ? unknown : zeros;
}

static void set_mem(struct model_gfn *g, enum mem mem)
{
	g->hv = UVMEM_GFN_MEM;
	g->mem = mem;
	g->pinned = false;
}

static void set_normal(struct model_gfn *g)
{
	g->hv = UVMEM_GFN_NORMAL;
	g->pinned = false;
}

static void set_page(struct model_gfn *g, struct content content)
{
	g->pte = PTE_PAGE;
	g->h = content;
}

/* H is written to, or pinned: it has a page of its own there. */
static void fault_in(struct model_gfn *g)
{
	if (g->pte != PTE_PAGE)
		set_page(g, zeros);
}

/*
 * A device page becomes a normal one with what the ultravisor hands out; zeros
 * if it has nothing there. False: it stays where it is.
 */
static bool move_out(struct model *m, unsigned int vm, unsigned int gfn)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);
	struct content page = frame(m);
	int64_t ret = model_ucall(m, vm, UV_PAGE_OUT, gfn, &page, false);

	if (ret && deviates(m, DEV_KEEPS_REFUSED))
		return false;
	set_page(g, page);
	set_mem(g, ret ? MEM_EMPTY : MEM_SEALED);
	return true;
}

/* False: SIGBUS. */
bool hv_host_touch(struct model *m, unsigned int vm, unsigned int gfn, bool write)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);

	if (g->pte == PTE_DEVICE)
		return move_out(m, vm, gfn);
	if (write)
		fault_in(g);
	else if (g->pte == PTE_NONE)
		g->pte = PTE_ZERO;
	return true;
}

/* munmap(), MADV_DONTNEED: the ultravisor hears of it if the page is shared. */
void hv_host_unmap(struct model *m, unsigned int vm, unsigned int gfn)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);

	if (g->pte == PTE_DEVICE)
		set_mem(g, MEM_DROPPED);
	g->pte = PTE_NONE;
	if (g->hv == UVMEM_GFN_SHARED && g->pinned) {
		model_ucall(m, vm, UV_PAGE_INVAL, gfn, NULL, false);
		m->expect->waits = true;
		g->pinned = false;
	}
}

/* --- H_SVM_PAGE_IN, H_SVM_PAGE_OUT --- */

/*
 * A shared GFN that the guest took back; only the guest can. U_P2 says that it
 * did.
 */
static int64_t release_shared(struct model *m, unsigned int vm, unsigned int gfn)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);

	if (g->hv != UVMEM_GFN_SHARED)
		return H_SUCCESS;
	if (deviates(m, DEV_INVALS)) {
		/* It does not ask. */
		if (g->uv == UV_GFN_SHARED || g->uv == UV_GFN_SHARED_UNMAPPED)
			hazard(m, "a page that is still shared is taken for a secure one");
		set_mem(g, MEM_EMPTY);
		return H_SUCCESS;
	}
	if (model_ucall(m, vm, UV_PAGE_INVAL, gfn, NULL, false) != U_P2)
		return H_PARAMETER;
	set_mem(g, MEM_EMPTY);
	return H_SUCCESS;
}

/* What H has there becomes a device page. @touched: only if there is a page. */
static int64_t move_page_in(struct model *m, unsigned int vm, unsigned int gfn, bool touched)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);

	if (g->hv == UVMEM_GFN_UVMEM || (touched && g->pte != PTE_PAGE))
		return H_SUCCESS;
	if (g->pte == PTE_PAGE && model_ucall(m, vm, UV_PAGE_IN, gfn, &g->h, false) != U_SUCCESS) {
		hazard(m, "UV_PAGE_IN fails: the device page and the GFN's state are lost");
		return H_PARAMETER;
	}
	g->pte = PTE_DEVICE;
	g->hv = UVMEM_GFN_UVMEM;
	return H_SUCCESS;
}

/*
 * GFNs that are neighbours in one mapping of H move together: a page that
 * cannot does not keep back the others, but it ends the call.
 */
static int64_t page_in_run(struct model *m, unsigned int vm, unsigned int gfn, unsigned int n,
			   bool touched)
{
	int64_t ret = H_SUCCESS, err;
	unsigned int k;

	for (k = gfn; k < gfn + n && !ret; k++)
		ret = release_shared(m, vm, k);
	if (ret)
		return ret;
	for (k = gfn; k < gfn + n; k++) {
		err = move_page_in(m, vm, k, touched);
		ret = ret ? ret : err;
	}
	return ret;
}

static int64_t page_in(struct model *m, unsigned int i, unsigned int gfn, unsigned int n,
		       bool touched)
{
	const struct model_vm *vm = &m->vm[i];
	int64_t ret = H_SUCCESS;

	while (n && !ret) {
		unsigned int run = 0, slot = slot_of(gfn);

		if (!has_gfn(vm, gfn) || !vm->gfn[gfn].mapped)
			return H_PARAMETER;
		while (run < n && slot_of(gfn + run) == slot && vm->gfn[gfn + run].mapped)
			run++;
		ret = page_in_run(m, i, gfn, run, touched);
		gfn += run;
		n -= run;
	}
	return ret;
}

/* H_PAGE_IN_SHARED: the device page's content goes nowhere, the page is pinned. */
static int64_t share(struct model *m, unsigned int vm, unsigned int gfn)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);
	bool again = g->hv == UVMEM_GFN_SHARED && g->pinned;

	if (has_gfn(&m->vm[vm], gfn) && !g->mapped)
		hazard(m,
		       "a share that is refused leaves the pages behind it in the range as they were");
	if (!has_gfn(&m->vm[vm], gfn) || !g->mapped)
		return H_PARAMETER;
	if (g->uv != UV_GFN_SHARED && g->uv != UV_GFN_SHARED_UNMAPPED)
		hazard(m, "a page that is not shared is taken for a shared one");
	if (g->hv == UVMEM_GFN_UVMEM) {
		set_page(g, frame(m));
		set_mem(g, MEM_EMPTY);
	}
	fault_in(g);
	if (model_ucall(m, vm, UV_PAGE_IN, gfn, &g->h, true) != U_SUCCESS)
		return H_PARAMETER;
	if (!again) {
		g->hv = UVMEM_GFN_SHARED;
		g->pinned = true;
	}
	return H_SUCCESS;
}

/* H shows nothing of a page in secure memory: it gets a page, and its content. */
static void page_out_dropped(struct model *m, unsigned int vm, unsigned int gfn)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);
	int64_t ret;

	fault_in(g);
	ret = model_ucall(m, vm, UV_PAGE_OUT, gfn, &g->h, false);
	if (ret == U_SUCCESS)
		g->mem = MEM_SEALED;
	else if (ret == U_P3)
		g->mem = MEM_EMPTY;
}

static int64_t page_out(struct model *m, unsigned int vm, unsigned int gfn)
{
	struct model_gfn *g = gfn_at(m, vm, gfn);

	if (!has_gfn(&m->vm[vm], gfn) || !g->mapped)
		return H_PARAMETER;
	if (g->hv == UVMEM_GFN_UVMEM)
		return move_out(m, vm, gfn) ? H_SUCCESS : H_PARAMETER;
	if (g->hv == UVMEM_GFN_MEM && g->mem == MEM_DROPPED && !deviates(m, DEV_DROPPED))
		page_out_dropped(m, vm, gfn);
	return H_SUCCESS;
}

/* The order in which bad arguments are found; a test has one at a time. */
static int64_t check_args(struct model *m, const struct model_vm *vm, enum bad_arg bad)
{
	if (vm->hv == UVMEM_VM_NORMAL)
		return H_UNSUPPORTED;
	switch (bad) {
	case ARG_ORDER_SMALL:
	case ARG_ORDER_LARGE:
		return H_P3;
	case ARG_FLAGS:
		return H_P2;
	case ARG_UNALIGNED:
		hazard(m, "an unaligned guest_pa is not refused");
		return H_PARAMETER;
	case ARG_NO_GFN:
		return H_PARAMETER;
	default:
		return H_SUCCESS;
	}
}

/* --- memslots, and the life of a VM --- */

/* All of a memslot is mapped in H, or it cannot be secured. */
static bool slot_mapped(const struct model_vm *vm, unsigned int slot)
{
	const struct slot_range *r = &slot_ranges[slot];

	for (unsigned int k = r->first; k < r->first + r->n; k++)
		if (!vm->gfn[k].mapped)
			return false;
	return true;
}

static int64_t tell_slot(struct model *m, unsigned int i, unsigned int slot)
{
	struct model_vm *vm = &m->vm[i];

	if (!slot_mapped(vm, slot) ||
	    model_ucall(m, i, UV_REGISTER_MEM_SLOT, slot, NULL, false) != U_SUCCESS)
		return H_STATE;
	vm->slot[slot].told = true;
	return H_SUCCESS;
}

static void untell_slot(struct model *m, unsigned int i, unsigned int slot)
{
	if (m->vm[i].slot[slot].told)
		model_ucall(m, i, UV_UNREGISTER_MEM_SLOT, slot, NULL, false);
	m->vm[i].slot[slot].told = false;
}

static int64_t init_start(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];
	int64_t ret = H_SUCCESS;
	unsigned int s;

	if (vm->hv != UVMEM_VM_NORMAL) {
		hazard(m, "H_SVM_INIT_START again resets the VM's state");
		return H_STATE;
	}
	for (s = 0; s < CONF_SLOTS && !ret; s++)
		if (vm->slot[s].hv)
			ret = tell_slot(m, i, s);
	for (s = 0; s < CONF_SLOTS && ret; s++)
		untell_slot(m, i, s);
	if (!ret)
		vm->hv = UVMEM_VM_TRANSIENT;
	else
		hazard(m, "H_SVM_INIT_START that fails leaves the VM transient");
	return ret;
}

/*
 * Nothing normal is left in H; its content did not come in, and counts as zeros. An abort
 * could not give it back: nothing happens unless H is all there.
 */
static int64_t init_done(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];

	if (vm->hv == UVMEM_VM_SECURE && deviates(m, DEV_DONE))
		return H_SUCCESS;
	if (vm->hv != UVMEM_VM_TRANSIENT)
		return H_UNSUPPORTED;
	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		if (has_gfn(vm, k) && !vm->gfn[k].mapped) {
			hazard(m, "H_SVM_INIT_DONE passes over a page that H lost on the way");
			return H_STATE;
		}
	}
	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		struct model_gfn *g = &vm->gfn[k];

		if (!has_gfn(vm, k) || g->hv != UVMEM_GFN_NORMAL)
			continue;
		if (g->pte == PTE_PAGE || deviates(m, DEV_DONE)) {
			g->pte = PTE_DEVICE;
			g->hv = UVMEM_GFN_UVMEM;
		} else {
			set_mem(g, MEM_EMPTY);
		}
	}
	vm->hv = UVMEM_VM_SECURE;
	return H_SUCCESS;
}

/* Its loop over a memslot ends where H is not mapped. */
static void check_drop(struct model *m, const struct model_vm *vm)
{
	for (unsigned int k = 0; k < CONF_GFNS; k++)
		if (has_gfn(vm, k) && !vm->gfn[k].mapped)
			hazard(m, "H is not all mapped: pages stay secure");
}

static int64_t init_abort(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];

	if (vm->hv == UVMEM_VM_NORMAL)
		return H_UNSUPPORTED;
	if (vm->hv == UVMEM_VM_SECURE)
		return H_STATE;
	vm->hv = UVMEM_VM_NORMAL;
	check_drop(m, vm);
	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		if (vm->gfn[k].hv == UVMEM_GFN_UVMEM && !move_out(m, i, k))
			hazard(m, "a page that cannot be paged out outlives the abort");
		set_normal(&vm->gfn[k]);
	}
	for (unsigned int s = 0; s < CONF_SLOTS; s++) {
		if (deviates(m, DEV_ABORT))
			vm->slot[s].told = false;
		untell_slot(m, i, s);
	}
	model_ucall(m, i, UV_SVM_TERMINATE, 0, NULL, false);
	return H_PARAMETER;
}

/* Its secure life is over: zeros, whatever it was; nothing where a secure page was. */
static void drop(struct model *m, struct model_gfn *g)
{
	bool sealed = g->hv == UVMEM_GFN_MEM && g->mem == MEM_SEALED;

	if (g->pte == PTE_DEVICE && deviates(m, DEV_OFF))
		set_page(g, frame(m));
	else if (g->pte == PTE_DEVICE)
		g->pte = PTE_NONE;
	else if (!deviates(m, DEV_OFF) &&
		 ((g->hv == UVMEM_GFN_SHARED && g->pinned) || (sealed && g->mapped)))
		set_page(g, zeros);
	set_normal(g);
}

static void drop_slot(struct model *m, unsigned int i, unsigned int slot)
{
	const struct slot_range *r = &slot_ranges[slot];

	for (unsigned int k = r->first; k < r->first + r->n; k++)
		drop(m, &m->vm[i].gfn[k]);
}

int64_t hv_terminate(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];
	unsigned int s;

	if (vm->hv == UVMEM_VM_NORMAL)
		return 0;
	check_drop(m, vm);
	vm->hv = UVMEM_VM_NORMAL;
	if (vm->uv == UV_VM_NORMAL)
		hazard(m, "UV_SVM_TERMINATE fails: the VM stays what it is");
	if (!deviates(m, DEV_OFF))
		model_ucall(m, i, UV_SVM_TERMINATE, 0, NULL, false);
	for (s = 0; s < CONF_SLOTS; s++)
		untell_slot(m, i, s);
	if (deviates(m, DEV_OFF))
		model_ucall(m, i, UV_SVM_TERMINATE, 0, NULL, false);
	for (s = 0; s < CONF_SLOTS; s++)
		drop_slot(m, i, s);
	return 0;
}

static bool slots_fixed(const struct model *m, const struct model_vm *vm)
{
	return vm->hv == UVMEM_VM_TRANSIENT && !deviates(m, DEV_SLOTS);
}

int64_t hv_slot_del(struct model *m, unsigned int i, unsigned int slot)
{
	struct model_vm *vm = &m->vm[i];

	if (slots_fixed(m, vm))
		return -EBUSY;
	if (!vm->slot[slot].hv)
		return -ENOENT;
	if (vm->hv != UVMEM_VM_NORMAL)
		check_drop(m, vm);
	vm->slot[slot].hv = false;
	untell_slot(m, i, slot);
	drop_slot(m, i, slot);
	return 0;
}

/* Memory that is plugged into a secure VM is secure, and reads as zeros. */
static int64_t plug_in(struct model *m, unsigned int i, unsigned int slot)
{
	const struct slot_range *r = &slot_ranges[slot];

	if (tell_slot(m, i, slot)) {
		hazard(m, "a memslot that cannot be registered is there all the same");
		return -EIO;
	}
	for (unsigned int k = r->first; k < r->first + r->n; k++) {
		struct model_gfn *g = gfn_at(m, i, k);

		set_mem(g, MEM_EMPTY);
		if (deviates(m, DEV_DONE)) {
			g->hv = UVMEM_GFN_UVMEM;
			g->pte = PTE_DEVICE;
		}
	}
	return 0;
}

int64_t hv_slot_add(struct model *m, unsigned int i, unsigned int slot)
{
	struct model_vm *vm = &m->vm[i];

	if (slots_fixed(m, vm))
		return -EBUSY;
	if (vm->slot[slot].hv)
		return -EEXIST;
	if (vm->hv != UVMEM_VM_NORMAL && plug_in(m, i, slot))
		return -EIO;
	vm->slot[slot].hv = true;
	return 0;
}

/* --- the way in --- */

/* @bad: ARG_VARIANTS stands for good arguments and H_PAGE_IN_SHARED. */
int64_t model_hcall_arg(struct model *m, unsigned int vm, uint64_t nr, unsigned int gfn,
			enum bad_arg bad)
{
	int64_t ret = check_args(m, &m->vm[vm], bad);

	if (ret)
		return ret;
	if (!has_gfn(&m->vm[vm], gfn))
		return H_PARAMETER;
	if (nr == H_SVM_PAGE_OUT)
		return page_out(m, vm, gfn);
	if (bad == ARG_VARIANTS)
		return share(m, vm, gfn);
	if (gfn_at(m, vm, gfn)->hv == UVMEM_GFN_UVMEM)
		return H_PARAMETER;
	return page_in(m, vm, gfn, 1, false);
}

int64_t model_hcall(struct model *m, unsigned int vm, uint64_t nr, unsigned int gfn)
{
	switch (nr) {
	case H_SVM_INIT_START:
		return init_start(m, vm);
	case H_SVM_INIT_DONE:
		return init_done(m, vm);
	case H_SVM_INIT_ABORT:
		return init_abort(m, vm);
	}
	return model_hcall_arg(m, vm, nr, gfn, ARG_GOOD);
}

int64_t model_hcall_range(struct model *m, unsigned int vm, unsigned int gfn, unsigned int n,
			  uint64_t flags)
{
	int64_t ret = check_args(m, &m->vm[vm], ARG_GOOD);

	if (ret)
		return ret;
	if (!(flags & H_PAGE_IN_SHARED))
		return page_in(m, vm, gfn, n, flags & H_SIM_PAGE_IN_TOUCHED);
	for (unsigned int k = gfn; k < gfn + n && !ret; k++)
		ret = share(m, vm, k);
	return ret;
}
