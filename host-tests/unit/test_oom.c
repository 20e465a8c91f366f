// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory at every allocation: the whole life of a VM is played once for
 * each allocation that it makes, and that one fails. A step that fails has to
 * work when it is tried again; in the end no byte may differ and none may be
 * left over (machine_free() checks).
 */
#include "machine.h"

#define N 12
#define SEED 21

static unsigned int failures;

/* Try a call again for as long as @ret says that memory was short. */
static void must(int64_t ret, int64_t (*again)(struct vm *), struct vm *vm)
{
	if (ret == U_BUSY || ret == U_RETRY) {
		failures++;
		ret = again(vm);
	}
	assert_int_equal(ret, U_SUCCESS);
}

static int64_t pate(struct vm *vm)
{
	return hv(vm->m, UV_WRITE_PATE, vm->lpid, UV_PATE_HR, 0x1000, 0, 0);
}

static int64_t plug(struct vm *vm)
{
	struct machine *m = vm->m;
	int64_t ret =
		hv(m, UV_REGISTER_MEM_SLOT, vm->lpid, 700 << m->shift, 2048ULL << m->shift, 0, 9);

	if (!ret)
		vm->slot[vm->nslots++] = (struct hslot){ 700, 2048 };
	return ret;
}

static int64_t esm(struct vm *vm)
{
	return vm_esm(vm);
}

static int64_t share_all(struct vm *vm)
{
	return guest(vm, UV_SHARE_PAGE, 0, N, NULL);
}

static int64_t share_new(struct vm *vm)
{
	return guest(vm, UV_SHARE_PAGE, 700, 4, NULL);
}

static int64_t unshare_new(struct vm *vm)
{
	return guest(vm, UV_UNSHARE_PAGE, 1200, 2, NULL);
}

static int64_t out_of_zero(struct vm *vm)
{
	uint64_t ra = ra_alloc(vm->m);
	int64_t ret = hv(vm->m, UV_PAGE_OUT, vm->lpid, ra, 1800 << vm->m->shift, 0, vm->m->shift);

	ra_free(vm->m, ra);
	return ret;
}

static int64_t touch_new(struct vm *vm)
{
	switch (uv_guest_page_in(vm->m->uv, vm->lpid, NULL, 2300)) {
	case UV_FAULT_MAPPED:
		return U_SUCCESS;
	case UV_FAULT_AGAIN:
		return U_BUSY;
	default:
		return U_PARAMETER;
	}
}

static void esm_or_normal(struct vm *vm)
{
	int64_t ret = vm_esm(vm);

	if (ret) {
		assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
		assert_int_equal(stats(vm->m).secure_used, 0);
		for (uint64_t g = 0; g < N - 2; g++)
			assert_true(vm_check_normal(vm, g, SEED));
	}
	/* INIT_START reports a slot that did not fit as a refusal */
	must(ret == U_INVALID ? U_RETRY : ret, esm, vm);
}

static void life(struct vm *vm)
{
	struct machine *m = vm->m;

	must(pate(vm), pate, vm);
	esm_or_normal(vm);
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true(guest_check(vm, g, SEED));
	host_touch(vm, 2);
	assert_true(guest_check(vm, 2, SEED));
	must(plug(vm), plug, vm);
	must(share_new(vm), share_new, vm);
	must(unshare_new(vm), unshare_new, vm);
	must(out_of_zero(vm), out_of_zero, vm);
	must(touch_new(vm), touch_new, vm);
	must(share_all(vm), share_all, vm);
	assert_int_equal(guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL), U_SUCCESS);
	for (uint64_t g = 0; g < N; g++)
		assert_true(guest_is_zero(vm, g));
	assert_int_equal(hv(m, UV_UNREGISTER_MEM_SLOT, vm->lpid, 9, 0, 0, 0), U_SUCCESS);
}

/* One run with the @nth allocation failing; returns how many there were. */
static long run(long nth, uint32_t secure_pages)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = secure_pages });
	struct vm *vm = vm_new(m, 1, N);
	long before;

	for (uint64_t g = 0; g < N - 2; g++)
		vm_fill_normal(vm, g, SEED);
	vm_put_blob(vm, owner_key, 0, N - 2, UV_ESM_SHA256);
	assert_int_equal(hv(m, UV_WRITE_PATE, 1, 0, 0, 0, 0), U_SUCCESS);

	before = m->allocs;
	m->fail_alloc = nth;
	life(vm);
	m->fail_alloc = 0;
	before = m->allocs - before;
	machine_free(m);
	return before;
}

static void every_allocation(uint32_t secure_pages)
{
	long n, total = run(0, secure_pages);

	failures = 0;
	assert_true(total > 70);
	for (n = 1; n <= total; n++)
		run(n, secure_pages);
	/* each of them was noticed by somebody */
	assert_true(failures >= total - 4);
}

static void with_room(void **state)
{
	(void)state;
	every_allocation(64);
}

static void with_eviction(void **state)
{
	(void)state;
	every_allocation(5);
}

/*
 * The hypervisor gives a migration up after UV_PAGE_IN and pages out to where
 * the page came from. No allocation may stand in its way.
 */
static void undo_needs_no_memory(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 20 });
	struct vm *vm = vm_secure(m, 1, N, SEED);
	long allocs;

	(void)state;
	host_touch(vm, 3);
	allocs = m->allocs;
	assert_int_equal(hv(m, UV_PAGE_IN, 1, vm->h[3].ra, 3 << SHIFT, 0, SHIFT), U_SUCCESS);
	assert_int_equal(hv(m, UV_PAGE_OUT, 1, vm->h[3].ra, 3 << SHIFT, 0, SHIFT), U_SUCCESS);
	assert_int_equal(m->allocs, allocs);
	assert_true(guest_check(vm, 3, SEED));
	machine_free(m);
}

/* A slot of 64 TiB costs next to nothing until it is used, and then little. */
static void huge_slot(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 20 });
	struct vm *vm = vm_secure(m, 1, N, SEED);
	const uint64_t base = 1ULL << 50, size = 1ULL << 46;
	uint64_t ra = ra_alloc(m);
	long allocs = m->allocs;
	uint8_t states[4];

	(void)state;
	assert_int_equal(hv(m, UV_REGISTER_MEM_SLOT, 1, base, size, 0, 3), U_SUCCESS);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, base + size - PG, 0, SHIFT), U_SUCCESS);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, base, 0, SHIFT), U_SUCCESS);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, base + size, 0, SHIFT), U_P3);
	assert_true(m->allocs - allocs < 10);
	uv_get_map(m->uv, 1, (base + size) / PG - 2, 4, states);
	assert_int_equal(states[0], UV_GFN_ZERO);
	assert_int_equal(states[1], UV_GFN_RESIDENT);
	assert_int_equal(states[2], UV_GFN_NOSLOT);
	assert_int_equal(guest(vm, UV_SHARE_PAGE, (base + size) / PG - 1, 2, NULL), U_P2);
	assert_int_equal(guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL), U_SUCCESS);
	assert_int_equal(hv(m, UV_UNREGISTER_MEM_SLOT, 1, 3, 0, 0, 0), U_SUCCESS);
	ra_free(m, ra);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_room),
		cmocka_unit_test(with_eviction),
		cmocka_unit_test(undo_needs_no_memory),
		cmocka_unit_test(huge_slot),
	};

	return cmocka_run_group_tests_name("out of memory", tests, NULL, NULL);
}
