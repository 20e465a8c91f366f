// SPDX-License-Identifier: GPL-2.0
/*
 * A hypervisor. Each VM has memslots and, per GFN, what the page table of its
 * host view holds; the hypercalls do what the kernel's do, with the VM's lock
 * held over the ultracalls they make.
 */
#include "machine.h"

static bool in_slot(struct vm *vm, uint64_t gfn)
{
	for (unsigned int i = 0; i < vm->nslots; i++)
		if (gfn >= vm->slot[i].gfn && gfn - vm->slot[i].gfn < vm->slot[i].n)
			return true;
	return false;
}

void vm_add_slot(struct vm *vm, uint64_t gfn, uint64_t n)
{
	struct machine *m = vm->m;

	assert_true(vm->nslots < MAX_VM_SLOTS && gfn + n <= vm->top);
	vm->slot[vm->nslots] = (struct hslot){ gfn, n };
	if (vm->init_start)
		assert_int_equal(hv(m, UV_REGISTER_MEM_SLOT, vm->lpid, gfn << m->shift,
				    n << m->shift, 0, vm->nslots),
				 U_SUCCESS);
	vm->nslots++;
}

/* A normal VM with one slot of @npages from GFN 0. */
struct vm *vm_new(struct machine *m, uint32_t lpid, uint64_t npages)
{
	struct vm *vm = m->vm;

	while (vm->lpid)
		vm++;
	vm->m = m;
	vm->lpid = lpid;
	vm->top = npages + 4096;
	vm->h = calloc(vm->top, sizeof(*vm->h));
	vm->g = calloc(vm->top, sizeof(*vm->g));
	pthread_mutex_init(&vm->lock, NULL);
	pthread_mutex_init(&vm->view, NULL);
	vm_add_slot(vm, 0, npages);
	assert_int_equal(hv(m, UV_WRITE_PATE, lpid, UV_PATE_HR, 0x1000, 0, 0), U_SUCCESS);
	return vm;
}

void vm_free(struct vm *vm)
{
	struct machine *m = vm->m;

	if (!vm->lpid)
		return;
	host_terminate(vm);
	assert_int_equal(hv(m, UV_WRITE_PATE, vm->lpid, 0, 0, 0, 0), U_SUCCESS);
	for (uint64_t i = 0; i < vm->top; i++) {
		assert_null(vm->g[i]);
		if (vm->h[i].ra)
			ra_free(m, vm->h[i].ra);
	}
	free(vm->h);
	free(vm->g);
	pthread_mutex_destroy(&vm->lock);
	pthread_mutex_destroy(&vm->view);
	memset(vm, 0, sizeof(*vm));
}

/* Called with vm->lock held. */
static int64_t page_out(struct vm *vm, uint64_t gfn)
{
	struct machine *m = vm->m;
	struct hpage *h = &vm->h[gfn];
	int64_t ret;
	uint64_t ra;

	if (h->state != H_DEVICE)
		return H_SUCCESS;
	ra = ra_alloc(m);
	ret = hv(m, UV_PAGE_OUT, vm->lpid, ra, gfn << m->shift, 0, m->shift);
	if (ret) {
		ra_free(m, ra);
		return ret;
	}
	*h = (struct hpage){ H_PAGED_OUT, ra };
	return H_SUCCESS;
}

int64_t host_page_out(struct vm *vm, uint64_t gfn)
{
	int64_t ret;

	pthread_mutex_lock(&vm->lock);
	ret = page_out(vm, gfn);
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

/* The host reads or writes its view of a page: as its fault handler does. */
uint8_t *host_touch(struct vm *vm, uint64_t gfn)
{
	struct machine *m = vm->m;
	struct hpage *h = &vm->h[gfn];
	uint8_t *va = NULL;

	pthread_mutex_lock(&vm->lock);
	if (h->state == H_HOLE) {
		*h = (struct hpage){ H_NORMAL, ra_alloc(m) };
		memset(ra_va(m, h->ra), 0, m->page);
	}
	if (!page_out(vm, gfn))
		va = ra_va(m, h->ra);
	pthread_mutex_unlock(&vm->lock);
	return va;
}

/* Called with vm->lock held. */
static int64_t page_in_shared(struct vm *vm, uint64_t gfn)
{
	struct machine *m = vm->m;
	struct hpage *h = &vm->h[gfn];

	if (h->state == H_HOLE || h->state == H_DEVICE)
		h->ra = ra_alloc(m);
	h->state = H_NORMAL;
	if (hv(m, UV_PAGE_IN, vm->lpid, h->ra, gfn << m->shift, 0, m->shift))
		return H_PARAMETER;
	h->state = H_SHARED;
	return H_SUCCESS;
}

/* Called with vm->lock held. */
static int64_t page_in(struct vm *vm, uint64_t gfn, uint64_t flags)
{
	struct machine *m = vm->m;
	struct hpage *h = &vm->h[gfn];
	int64_t ret;

	if (gfn >= vm->top || !in_slot(vm, gfn))
		return H_PARAMETER;
	if (flags & H_PAGE_IN_SHARED)
		return page_in_shared(vm, gfn);
	if (h->state == H_DEVICE)
		return H_PARAMETER;
	if (h->state == H_HOLE) {
		if (m->back_holes)
			h->state = H_DEVICE;
		return H_SUCCESS;
	}
	ret = hv(m, UV_PAGE_IN, vm->lpid, h->ra, gfn << m->shift, 0, m->shift);
	if (ret)
		return ret == U_BUSY ? H_BUSY : H_PARAMETER;
	ra_free(m, h->ra);
	*h = (struct hpage){ H_DEVICE, 0 };
	return H_SUCCESS;
}

static int64_t range(struct vm *vm, uint64_t nr, const uint64_t *args, uint64_t *out)
{
	struct machine *m = vm->m;
	uint64_t gfn = args[0] >> m->shift, flags = args[2];
	int64_t ret = H_SUCCESS;

	if (m->no_range)
		return H_FUNCTION;
	for (*out = 0; *out < args[1] && !ret; ++*out, gfn++) {
		if (gfn >= vm->top)
			return H_PARAMETER;

		bool skip = (flags & H_SIM_PAGE_IN_TOUCHED) &&
			    (vm->h[gfn].state == H_HOLE || vm->h[gfn].state == H_DEVICE);

		if (nr == H_SIM_SVM_PAGE_OUT_RANGE)
			ret = page_out(vm, gfn);
		else if (!skip)
			ret = page_in(vm, gfn, flags);
		if (ret)
			break;
	}
	return ret;
}

static int64_t init_start(struct vm *vm)
{
	struct machine *m = vm->m;

	if (vm->init_start)
		return H_STATE;
	vm->init_start = true;
	for (unsigned int i = 0; i < vm->nslots; i++)
		if (hv(m, UV_REGISTER_MEM_SLOT, vm->lpid, vm->slot[i].gfn << m->shift,
		       vm->slot[i].n << m->shift, 0, i)) {
			vm->init_start = false;
			return H_PARAMETER;
		}
	return H_SUCCESS;
}

static int64_t init_done(struct vm *vm)
{
	struct machine *m = vm->m;

	if (!vm->init_start)
		return H_UNSUPPORTED;
	for (uint64_t gfn = 0; gfn < vm->top && m->back_holes; gfn++) {
		struct hpage *h = &vm->h[gfn];

		if (!in_slot(vm, gfn) || (h->state != H_HOLE && h->state != H_NORMAL))
			continue;
		if (h->ra)
			ra_free(m, h->ra);
		*h = (struct hpage){ H_DEVICE, 0 };
	}
	vm->init_done = true;
	return H_SUCCESS;
}

static int64_t init_abort(struct vm *vm)
{
	if (!vm->init_start)
		return H_UNSUPPORTED;
	if (vm->init_done)
		return H_STATE;
	for (uint64_t gfn = 0; gfn < vm->top; gfn++) {
		if (page_out(vm, gfn))
			vm->h[gfn] = (struct hpage){ H_HOLE, 0 };
		if (vm->h[gfn].state == H_PAGED_OUT)
			vm->h[gfn].state = H_NORMAL;
	}
	vm->init_start = false;
	hv(vm->m, UV_SVM_TERMINATE, vm->lpid, 0, 0, 0, 0);
	return H_PARAMETER;
}

static int64_t dispatch(struct vm *vm, uint64_t nr, const uint64_t *args, uint64_t *out)
{
	struct machine *m = vm->m;
	uint64_t gfn = args[0] >> m->shift;

	switch (nr) {
	case H_SVM_INIT_START:
		return init_start(vm);
	case H_SVM_INIT_DONE:
		return init_done(vm);
	case H_SVM_INIT_ABORT:
		return init_abort(vm);
	}
	if (!vm->init_start)
		return H_UNSUPPORTED;
	switch (nr) {
	case H_SVM_PAGE_IN:
		if (args[2] != m->shift)
			return H_P3;
		return args[1] & ~(uint64_t)H_PAGE_IN_SHARED ? H_P2 : page_in(vm, gfn, args[1]);
	case H_SVM_PAGE_OUT:
		if (args[2] != m->shift)
			return H_P3;
		if (args[1])
			return H_P2;
		return gfn < vm->top && in_slot(vm, gfn) ? page_out(vm, gfn) : H_PARAMETER;
	case H_SIM_SVM_PAGE_IN_RANGE:
	case H_SIM_SVM_PAGE_OUT_RANGE:
		return args[3] == m->shift ? range(vm, nr, args, out) : H_P3;
	}
	return H_FUNCTION;
}

int64_t hv_hcall(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args, uint64_t *out)
{
	int64_t ret;

	if (nr == H_SVM_PAGE_OUT || nr == H_SIM_SVM_PAGE_OUT_RANGE)
		__atomic_fetch_add(&m->page_out_calls, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&vm->lock);
	ret = dispatch(vm, nr, args, out);
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

/* The host unmaps a page that it shares, keeping its contents. */
int64_t host_unmap_shared(struct vm *vm, uint64_t gfn)
{
	struct machine *m = vm->m;
	int64_t ret;

	pthread_mutex_lock(&vm->lock);
	ret = hv(m, UV_PAGE_INVAL, vm->lpid, gfn << m->shift, m->shift, 0, 0);
	if (!ret && vm->h[gfn].state == H_SHARED)
		vm->h[gfn].state = H_NORMAL;
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

/* The VM becomes a normal one; what was in secure memory is lost. */
void host_terminate(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	for (uint64_t gfn = 0; gfn < vm->top; gfn++) {
		if (vm->h[gfn].state == H_DEVICE)
			vm->h[gfn] = (struct hpage){ H_HOLE, 0 };
		if (vm->h[gfn].state == H_SHARED || vm->h[gfn].state == H_PAGED_OUT)
			vm->h[gfn].state = H_NORMAL;
	}
	hv(vm->m, UV_SVM_TERMINATE, vm->lpid, 0, 0, 0, 0);
	vm->init_start = false;
	vm->init_done = false;
	pthread_mutex_unlock(&vm->lock);
}
