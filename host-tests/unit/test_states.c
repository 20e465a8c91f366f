// SPDX-License-Identifier: GPL-2.0
/* Every cell of the two state tables, and who sees what in each GFN state. */
#include "machine.h"

#define G 5 /* the GFN under test */
#define SEED 3

enum cell { ZERO, RESIDENT, SEALED, SHARED, UNMAPPED, NSTATES };

static const uint8_t uv_state[NSTATES] = {
	UV_GFN_ZERO, UV_GFN_RESIDENT, UV_GFN_SEALED, UV_GFN_SHARED, UV_GFN_SHARED_UNMAPPED,
};

/* A secure VM whose GFN 5 is in @cell; if it is secure it holds pattern(SEED). */
static struct vm *in_state(enum cell cell)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 40 });
	struct vm *vm;

	if (cell == ZERO) { /* nobody touched it before UV_ESM */
		vm = vm_new(m, 1, 20);
		vm_put_blob(vm, owner_key, 8, 4, UV_ESM_SHA256);
		assert_int_equal(vm_esm(vm), U_SUCCESS);
	} else {
		vm = vm_secure(m, 1, 20, SEED);
	}
	if (cell == SEALED)
		assert_int_equal(host_page_out(vm, G), 0);
	if (cell == SHARED || cell == UNMAPPED)
		assert_int_equal(guest(vm, UV_SHARE_PAGE, G, 1, NULL), 0);
	if (cell == UNMAPPED)
		assert_int_equal(host_unmap_shared(vm, G), 0);
	assert_int_equal(gfn_state(vm, G), uv_state[cell]);
	return vm;
}

static bool is_shared_cell(enum cell c)
{
	return c == SHARED || c == UNMAPPED;
}

/* Whatever @cell was, the guest finds what it should and nobody else does. */
static void guest_owns(struct vm *vm, uint64_t gfn)
{
	uint8_t want[PG];

	guest_fill(vm, gfn, 77);
	assert_true(guest_check(vm, gfn, 77));
	pattern(vm->m, want, gfn, 77);
	assert_memory_not_equal(host_touch(vm, gfn), want, sizeof(want));
	assert_false(normal_contains(vm->m, want, 32));
	assert_true(guest_check(vm, gfn, 77));
}

static void share(void **state)
{
	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);
		uint8_t *host;

		if (c == SHARED)
			memset(host_touch(vm, G), 0x55, PG);
		assert_int_equal(guest(vm, UV_SHARE_PAGE, G, 1, NULL), U_SUCCESS);
		assert_int_equal(gfn_state(vm, G), UV_GFN_SHARED);
		host = host_touch(vm, G);
		assert_true(!host[0] && !memcmp(host, host + 1, PG - 1));
		memset(host, 0x66, PG);
		assert_true(guest_copy(vm, G << SHIFT, &(uint8_t){ 0x67 }, 1, true) == 0);
		assert_int_equal(host_touch(vm, G)[0], 0x67);
		assert_true(guest_check(vm, 9, SEED) || c == ZERO);
		machine_free(vm->m);
	}
}

static void unshare_secures(void **state)
{
	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);

		assert_int_equal(guest(vm, UV_UNSHARE_PAGE, G, 1, NULL), U_SUCCESS);
		assert_true(gfn_state(vm, G) == UV_GFN_ZERO || gfn_state(vm, G) == UV_GFN_RESIDENT);
		assert_int_not_equal(vm->h[G].state, H_SHARED);
		assert_true(guest_is_zero(vm, G));
		guest_owns(vm, G);
		machine_free(vm->m);
	}
}

static void unshare_all(void **state)
{
	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);

		assert_int_equal(guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL), U_SUCCESS);
		assert_int_equal(svm_info(vm).shared, 0);
		if (is_shared_cell(c) || c == ZERO)
			assert_true(guest_is_zero(vm, G));
		else
			assert_true(guest_check(vm, G, SEED));
		guest_owns(vm, G);
		machine_free(vm->m);
	}
}

static void terminate(void **state)
{
	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);

		host_terminate(vm);
		assert_int_equal(gfn_state(vm, G), UV_GFN_NOSLOT);
		assert_int_equal(
			svm_info(vm).resident + svm_info(vm).paged_out + svm_info(vm).shared, 0);
		assert_true(free_frames_are_zero(vm->m));
		machine_free(vm->m);
	}
}

static void unregister(void **state)
{
	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);
		uint8_t b;

		assert_int_equal(hv(vm->m, UV_UNREGISTER_MEM_SLOT, 1, 0, 0, 0, 0), U_SUCCESS);
		assert_int_equal(gfn_state(vm, G), UV_GFN_NOSLOT);
		assert_int_equal(stats(vm->m).secure_used, 0);
		assert_int_equal(guest_copy(vm, G << SHIFT, &b, 1, false), -1);
		assert_int_equal(svm_info(vm).state, UV_VM_SECURE);
		machine_free(vm->m);
	}
}

/* {guest, host} x {read, write} in every state. */
static void accesses(void **state)
{
	static const uint8_t mark[16] = "host was here 16";
	uint8_t buf[16];

	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);
		bool shared = is_shared_cell(c);

		/* guest read */
		if (shared || c == ZERO)
			assert_true(guest_is_zero(vm, G));
		else
			assert_true(guest_check(vm, G, SEED));
		machine_free(vm->m);

		/* guest write, host read */
		vm = in_state(c);
		assert_int_equal(guest_copy(vm, G << SHIFT, "guest was here 16", 16, true), 0);
		assert_int_equal(normal_contains(vm->m, "guest was here 1", 16), shared);
		assert_int_equal(!memcmp(host_touch(vm, G), "guest was here 1", 16), shared);
		machine_free(vm->m);

		/* host write, guest read: shared sees it, never touched ignores it, else stop */
		vm = in_state(c);
		memcpy(host_touch(vm, G), mark, sizeof(mark));
		if (shared) {
			assert_int_equal(guest_copy(vm, G << SHIFT, buf, 16, false), 0);
			assert_memory_equal(buf, mark, sizeof(mark));
		} else if (c == ZERO) {
			assert_true(guest_is_zero(vm, G));
		} else {
			assert_int_equal(guest_copy(vm, G << SHIFT, buf, 16, false), -1);
			assert_int_equal(svm_info(vm).stop_reason, UV_STOP_INTEGRITY);
			assert_int_equal(svm_info(vm).stop_gpa, G << SHIFT);
			assert_true(logged(vm->m, "LPID 1: stopped at GPA 0x%x: integrity",
					   G << SHIFT));
		}
		machine_free(vm->m);
	}
}

/* A snapshot changes no state, and its copy is good for nothing. */
static void snapshot(void **state)
{
	(void)state;
	for (enum cell c = 0; c < NSTATES; c++) {
		struct vm *vm = in_state(c);
		struct machine *m = vm->m;
		uint64_t ra = ra_alloc(m);
		uint8_t *mapped;
		int64_t ret;

		if (c == RESIDENT)
			assert_true(guest_check(vm, G, SEED));
		mapped = vm->g[G];
		ret = hv(m, UV_PAGE_OUT, 1, ra, G << SHIFT, UV_SNAPSHOT, SHIFT);
		assert_int_equal(ret, c == SEALED ? U_P3 : U_SUCCESS);
		assert_int_equal(gfn_state(vm, G), uv_state[c]);
		assert_ptr_equal(vm->g[G], mapped);
		if (c == RESIDENT) {
			memcpy(host_touch(vm, G), ra_va(m, ra), PG);
			assert_false(guest_check(vm, G, SEED));
			assert_int_equal(svm_info(vm).state, UV_VM_STOPPED);
		}
		ra_free(m, ra);
		machine_free(m);
	}
}

/* The VM table. The hypervisor is asked by a guest's UV_ESM or acts itself. */
static void vm_states(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 40 });
	struct vm *vm = vm_new(m, 1, 20);
	uint64_t no[4] = { 0 }, out;

	(void)state;
	/* normal */
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(hv_hcall(m, vm, H_SVM_INIT_DONE, no, &out), H_UNSUPPORTED);
	assert_int_equal(hv_hcall(m, vm, H_SVM_INIT_ABORT, no, &out), H_UNSUPPORTED);
	assert_int_equal(hv(m, UV_SVM_TERMINATE, 1, 0, 0, 0, 0), U_INVALID);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);

	/* secure, and never again back by anything but termination */
	vm_put_blob(vm, owner_key, 0, 4, UV_ESM_SHA256);
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	assert_int_equal(hv_hcall(m, vm, H_SVM_INIT_START, no, &out), H_STATE);
	assert_int_equal(hv_hcall(m, vm, H_SVM_INIT_ABORT, no, &out), H_STATE);
	assert_int_equal(svm_info(vm).state, UV_VM_SECURE);

	host_terminate(vm);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_TERMINATED);
	assert_true(logged(m, "LPID 1: terminated"));

	/* and it can go secure again */
	vm_put_blob(vm, owner_key, 0, 4, UV_ESM_SHA512);
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_NONE);
	machine_free(m);
}

static unsigned int seen_transient;

static bool look_inside(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			uint64_t *out, int64_t *ret)
{
	uint8_t b;

	(void)m, (void)args, (void)out, (void)ret;
	if (nr == H_SVM_INIT_ABORT)
		return false;
	seen_transient++;
	assert_int_equal(svm_info(vm).state, UV_VM_TRANSIENT);
	assert_int_equal(guest(vm, UV_ESM, 0, 0, NULL), U_BUSY);
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 0, 1, NULL), U_INVALID);
	assert_int_equal(guest(vm, UV_UNSHARE_PAGE, 0, 1, NULL), U_INVALID);
	assert_int_equal(guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL), U_INVALID);
	assert_int_equal(guest_copy(vm, 0, &b, 1, false), -1);
	assert_int_equal(hv(m, UV_WRITE_PATE, 1, UV_PATE_HR, 0, 0, 0), U_BUSY);
	assert_int_equal(hv(m, UV_WRITE_PATE, 1, 0, 0, 0, 0), U_BUSY);
	return false;
}

static void transient(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 40 });
	struct vm *vm = vm_new(m, 1, 20);

	(void)state;
	vm_put_blob(vm, owner_key, 0, 4, UV_ESM_SHA256);
	m->hook = look_inside;
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	assert_true(seen_transient >= 3);
	machine_free(m);
}

/* Several pages at once, over two slots and every state, in one call. */
static void ranges(void **state)
{
	(void)state;
	for (int no_range = 0; no_range < 2; no_range++) {
		struct machine *m =
			machine_new(&(struct options){ .secure_pages = 200, .normal_pages = 1000 });
		struct vm *vm;

		m->no_range = no_range;
		vm = vm_secure(m, 1, 150, SEED);
		vm_add_slot(vm, 150, 50);
		for (uint64_t g = 0; g < 150; g += 3)
			host_page_out(vm, g);
		assert_int_equal(guest(vm, UV_SHARE_PAGE, 10, 170, NULL), U_SUCCESS);
		assert_int_equal(svm_info(vm).shared, 170);
		for (uint64_t g = 10; g < 180; g++)
			assert_true(guest_is_zero(vm, g));
		assert_int_equal(host_unmap_shared(vm, 60), 0);
		assert_int_equal(guest(vm, UV_SHARE_PAGE, 50, 20, NULL), U_SUCCESS);
		assert_int_equal(guest(vm, UV_UNSHARE_PAGE, 20, 100, NULL), U_SUCCESS);
		assert_int_equal(svm_info(vm).shared, 70);
		assert_int_equal(guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL), U_SUCCESS);
		assert_int_equal(svm_info(vm).shared, 0);
		for (uint64_t g = 0; g < 200; g++)
			assert_true(g < 10  ? guest_check(vm, g, SEED) :
				    g < 180 ? guest_is_zero(vm, g) :
					      true);
		for (uint64_t g = 10; g < 180; g++)
			assert_int_not_equal(vm->h[g].state, H_SHARED);
		machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share),       cmocka_unit_test(unshare_secures),
		cmocka_unit_test(unshare_all), cmocka_unit_test(terminate),
		cmocka_unit_test(unregister),  cmocka_unit_test(accesses),
		cmocka_unit_test(snapshot),    cmocka_unit_test(vm_states),
		cmocka_unit_test(transient),   cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
