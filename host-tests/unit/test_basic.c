// SPDX-License-Identifier: GPL-2.0
/* The life of a VM and of one page, step by step, as the specification tells it. */
#include "machine.h"

static void test_life(unsigned int shift, bool upstream)
{
	struct machine *m = machine_new(&(struct options){ .shift = shift, .secure_pages = 64 });
	struct vm *vm;
	uint8_t page[65536], *host;

	m->no_range = upstream;
	m->back_holes = upstream;
	vm = vm_secure(m, 1, 20, 7);
	assert_int_equal(svm_info(vm).state, UV_VM_SECURE);
	assert_true(logged(m, "LPID 1: went secure, entry 0x0"));
	for (uint64_t gfn = 0; gfn < 18; gfn++)
		assert_true(guest_check(vm, gfn, 7));

	/* The host looks and gets ciphertext, the guest goes on. */
	pattern(m, page, 3, 7);
	host = host_touch(vm, 3);
	assert_memory_not_equal(host, page, m->page);
	assert_false(normal_contains(m, page, 16));
	assert_int_equal(gfn_state(vm, 3), UV_GFN_SEALED);
	assert_null(vm->g[3]);
	assert_true(guest_check(vm, 3, 7));

	/* Shared: zeroed, and then both see it. */
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 4, 2, NULL), U_SUCCESS);
	assert_true(guest_is_zero(vm, 4));
	assert_int_equal(guest_copy(vm, 4 << m->shift, "hello", 6, true), 0);
	assert_string_equal((char *)host_touch(vm, 4), "hello");
	strcpy((char *)host_touch(vm, 5), "answer");
	assert_int_equal(guest_copy(vm, 5 << m->shift, page, 7, false), 0);
	assert_string_equal((char *)page, "answer");
	assert_int_equal(svm_info(vm).shared, 2);

	/* Unshared: zeroed again, and the host's page is not the guest's. */
	assert_int_equal(guest(vm, UV_UNSHARE_PAGE, 4, 1, NULL), U_SUCCESS);
	assert_true(guest_is_zero(vm, 4));
	assert_int_equal(guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL), U_SUCCESS);
	assert_int_equal(svm_info(vm).shared, 0);
	assert_true(guest_is_zero(vm, 5));
	assert_true(guest_check(vm, 6, 7));
	guest_fill(vm, 4, 9);
	assert_true(guest_check(vm, 4, 9));
	pattern(m, page, 4, 9);
	assert_memory_not_equal(host_touch(vm, 4), page, m->page);

	host_terminate(vm);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_TERMINATED);
	assert_int_equal(stats(m).secure_used, 0);
	assert_int_equal(guest_copy(vm, 0, page, 1, false), -1);
	machine_free(m);
}

static void life_4k(void **state)
{
	(void)state;
	test_life(12, false);
}

static void life_64k(void **state)
{
	(void)state;
	test_life(16, false);
}

static void life_upstream_hypervisor(void **state)
{
	(void)state;
	test_life(12, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_4k),
		cmocka_unit_test(life_64k),
		cmocka_unit_test(life_upstream_hypervisor),
	};

	return cmocka_run_group_tests_name("basic", tests, NULL, NULL);
}
