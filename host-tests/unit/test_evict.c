// SPDX-License-Identifier: GPL-2.0
/* Secure memory is full: who goes, in which order, and what if he will not. */
#include "machine.h"

#define SEED 5

static uint64_t evicted[4096];
static unsigned int nevicted;
static pthread_mutex_t evict_lock = PTHREAD_MUTEX_INITIALIZER;

static bool record(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		   uint64_t *out, int64_t *ret)
{
	(void)out, (void)ret;
	pthread_mutex_lock(&evict_lock);
	if (nr == H_SVM_PAGE_OUT && nevicted < 4096)
		evicted[nevicted++] = (args[0] >> m->shift) + ((uint64_t)vm->lpid << 32);
	pthread_mutex_unlock(&evict_lock);
	return false;
}

/* 16 secure pages: 16 GFNs that are all in, and 32 more that nobody touched. */
static struct machine *full(struct vm **vm)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 16 });

	*vm = vm_secure(m, 1, 17, SEED);
	vm_add_slot(*vm, 17, 32);
	assert_int_equal(stats(m).secure_used, 16);
	nevicted = 0;
	m->hook = record;
	return m;
}

static uint64_t one_eviction(struct vm *vm, uint64_t touch)
{
	unsigned int before = nevicted;

	assert_true(guest_is_zero(vm, touch));
	assert_int_equal(nevicted, before + 1);
	return evicted[before] & 0xffffffff;
}

static void oldest_first(void **state)
{
	struct vm *vm;
	struct machine *m = full(&vm);

	(void)state;
	/* UV_ESM brought them in by GFN */
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(one_eviction(vm, 16 + i), i);
	assert_int_equal(stats(m).evictions, 10);
	assert_int_equal(svm_info(vm).evictions, 10);
	assert_int_equal(stats(m).secure_used, 16);
	assert_int_equal(stats(m).secure_peak, 16);
	machine_free(m);
}

static void a_touch_makes_young(void **state)
{
	struct vm *vm;
	struct machine *m = full(&vm);

	(void)state;
	assert_int_equal(one_eviction(vm, 16), 0);
	/* The window, a quarter, is out of the guest view, so a touch is seen. */
	assert_int_equal(gfn_state(vm, 1), UV_GFN_RESIDENT);
	assert_null(vm->g[1]);
	assert_true(guest_check(vm, 1, SEED));
	assert_true(guest_check(vm, 3, SEED));
	assert_int_equal(one_eviction(vm, 17), 2);
	assert_int_equal(one_eviction(vm, 18), 4);
	assert_int_equal(one_eviction(vm, 19), 5);
	assert_int_equal(gfn_state(vm, 1), UV_GFN_RESIDENT);
	assert_int_equal(gfn_state(vm, 3), UV_GFN_RESIDENT);
	machine_free(m);
}

static void window_stays_mapped_elsewhere(void **state)
{
	struct vm *vm;
	struct machine *m = full(&vm);
	unsigned int unmapped = 0;

	(void)state;
	for (uint64_t g = 0; g < 14; g++)
		assert_true(guest_check(vm, g, SEED));
	for (uint64_t g = 0; g < 14; g++)
		assert_non_null(vm->g[g]);
	one_eviction(vm, 16);
	for (uint64_t g = 0; g < 14; g++)
		unmapped += !vm->g[g];
	/* 14 were touched after the blob's two pages, which are the oldest now */
	assert_in_range(unmapped, 1, 4);
	machine_free(m);
}

static uint64_t stubborn;

/* The hypervisor does not page out GFNs below @stubborn, in several ways. */
static bool refuse_some(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			uint64_t *out, int64_t *ret)
{
	record(m, vm, nr, args, out, ret);
	if (nr != H_SVM_PAGE_OUT || args[0] >> m->shift >= stubborn)
		return false;
	*ret = (args[0] >> m->shift) & 1 ? H_SUCCESS : H_BUSY;
	return true;
}

static void next_victim_when_one_stays(void **state)
{
	struct vm *vm;
	struct machine *m = full(&vm);

	(void)state;
	stubborn = 5;
	m->hook = refuse_some;
	assert_true(guest_is_zero(vm, 16));
	assert_int_equal(nevicted, 6);
	assert_int_equal(evicted[5] & 0xffffffff, 5);
	assert_int_equal(gfn_state(vm, 5), UV_GFN_SEALED);
	assert_int_equal(stats(m).evictions, 1);
	for (uint64_t g = 0; g < 14; g++)
		assert_true(guest_check(vm, g, SEED));
	machine_free(m);
}

static void nobody_goes(void **state)
{
	struct vm *vm;
	struct machine *m = full(&vm);

	(void)state;
	stubborn = 100;
	m->hook = refuse_some;
	assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, 16), UV_FAULT_AGAIN);
	assert_int_equal(gfn_state(vm, 16), UV_GFN_ZERO);
	assert_true(nevicted < 5000);
	assert_int_equal(m->uv->reserved, 0);
	m->hook = NULL;
	assert_true(guest_is_zero(vm, 16));
	machine_free(m);
}

/* Guest memory three times the size of secure memory, two SVMs, every byte. */
static void three_times(void **state)
{
	struct machine *m =
		machine_new(&(struct options){ .secure_pages = 32, .normal_pages = 400 });
	uint32_t gen[2][48], x = 12345;
	struct vm *vm[2];

	(void)state;
	for (int v = 0; v < 2; v++)
		vm[v] = vm_secure(m, 1 + v, 50, 100 + v);
	for (int v = 0; v < 2; v++)
		for (uint64_t g = 0; g < 48; g++)
			gen[v][g] = 100 + v;
	for (int i = 0; i < 20000; i++) {
		uint32_t v, g;

		x = x * 1664525 + 1013904223;
		v = x >> 31;
		g = (x >> 8) % 48;
		assert_true(guest_check(vm[v], g, gen[v][g]));
		if (x & 0x100000)
			guest_fill(vm[v], g, gen[v][g] = 1000 + i);
		if (!(x & 0xf0))
			host_touch(vm[v], g);
	}
	for (int v = 0; v < 2; v++)
		for (uint64_t g = 0; g < 48; g++)
			assert_true(guest_check(vm[v], g, gen[v][g]));
	assert_true(stats(m).evictions > 10000);
	assert_true(stats(m).secure_peak <= 32);
	assert_true(svm_info(vm[0]).evictions > 1000 && svm_info(vm[1]).evictions > 1000);
	assert_int_equal(svm_info(vm[0]).resident + svm_info(vm[1]).resident, stats(m).secure_used);
	assert_int_equal(stats(m).opens, svm_info(vm[0]).opens + svm_info(vm[1]).opens);
	machine_free(m);
}

/* Neighbours that are as old as the victim go with it, in one hypercall. */
static void neighbours_go_together(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 128 });
	struct vm *a = vm_secure(m, 1, 100, SEED), *b;
	uint64_t evictions;

	(void)state;
	m->page_out_calls = 0;
	b = vm_secure(m, 2, 100, SEED + 1);
	evictions = stats(m).evictions;
	assert_true(evictions >= 70);
	assert_true(m->page_out_calls * 8 <= evictions);
	for (uint64_t g = 0; g < 98; g++) {
		assert_true(guest_check(a, g, SEED));
		assert_true(guest_check(b, g, SEED + 1));
	}

	/* A hypervisor without range calls is asked for one after the other. */
	m->no_range = true;
	vm_free(b);
	b = vm_secure(m, 3, 100, SEED + 2);
	assert_true(stats(m).evictions > evictions);
	for (uint64_t g = 0; g < 98; g++)
		assert_true(guest_check(b, g, SEED + 2));
	machine_free(m);
}

/* One secure page is enough to live on. */
static void smallest(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 1 });
	struct vm *vm;

	(void)state;
	for (int no_range = 0; no_range < 2; no_range++) {
		m->no_range = no_range;
		vm = vm_secure(m, 1, 8, SEED);
		for (int i = 0; i < 100; i++)
			assert_true(guest_check(vm, i % 6, SEED));
		assert_int_equal(guest(vm, UV_SHARE_PAGE, 0, 6, NULL), U_SUCCESS);
		assert_int_equal(guest(vm, UV_UNSHARE_PAGE, 0, 6, NULL), U_SUCCESS);
		for (int i = 0; i < 100; i++)
			assert_true(guest_is_zero(vm, i % 6));
		vm_free(vm);
	}
	machine_free(m);
}

/* A reservation is for its SVM; what is over goes back. */
static void reservations(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 16 });
	struct vm *a = vm_new(m, 1, 4), *b = vm_new(m, 2, 4);
	struct uv_svm *sa = svm_of(a), *sb = svm_of(b);
	uint32_t page[16], n = 0;

	(void)state;
	assert_int_equal(uv_reserve(sa, 10), 10);
	assert_int_equal(uv_reserve(sa, 2), 2);
	while ((page[n] = uv_page_take(sb, 0)) != UV_NO_PAGE)
		n++;
	assert_int_equal(n, 4);
	assert_int_not_equal(page[n] = uv_page_take(sa, 0), UV_NO_PAGE);
	n++;
	uv_unreserve(sa, 10);
	assert_int_equal(sa->reserved, 2);
	uv_unreserve(sa, 2);
	assert_int_equal(sa->reserved, 0);
	assert_int_equal(m->uv->reserved, 0);
	while (n)
		uv_page_put(m->uv, page[--n]);
	assert_int_equal(uv_reserve(sb, 1000), 16);
	assert_int_equal(uv_reserve(sb, 1), 0);
	uv_unreserve(sb, 16);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_first),
		cmocka_unit_test(a_touch_makes_young),
		cmocka_unit_test(window_stays_mapped_elsewhere),
		cmocka_unit_test(next_victim_when_one_stays),
		cmocka_unit_test(nobody_goes),
		cmocka_unit_test(three_times),
		cmocka_unit_test(neighbours_go_together),
		cmocka_unit_test(smallest),
		cmocka_unit_test(reservations),
	};

	return cmocka_run_group_tests_name("eviction", tests, NULL, NULL);
}
