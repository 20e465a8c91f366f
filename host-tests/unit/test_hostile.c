// SPDX-License-Identifier: GPL-2.0
/* A hypervisor that does not keep to its side: nobody but its own SVM suffers. */
#include "machine.h"

#define N 12
#define SEED 4

static struct machine *two_vms(struct vm **vm, struct vm **other, uint32_t secure_pages)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = secure_pages });

	*vm = vm_secure(m, 1, N, SEED);
	*other = vm_secure(m, 2, N, SEED);
	return m;
}

static void others_go_on(struct vm *other)
{
	assert_int_equal(svm_info(other).state, UV_VM_SECURE);
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true(guest_check(other, g, SEED));
}

static int64_t answer;
static uint64_t answer_to = H_SVM_PAGE_IN;

static bool canned(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		   uint64_t *out, int64_t *ret)
{
	(void)m, (void)args, (void)out;
	*ret = answer;
	return vm->lpid == 1 && nr == answer_to;
}

/* H_PARAMETER: the VMM unmapped its memory, say. There is nothing to come. */
static void lost_to(int64_t what)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	host_touch(vm, 2);
	answer = what;
	m->hook = canned;
	assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, 2), UV_FAULT_REFUSED);
	assert_int_equal(svm_info(vm).state, UV_VM_STOPPED);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_LOST);
	assert_int_equal(svm_info(vm).stop_gpa, 2 << SHIFT);
	assert_true(logged(m, "LPID 1: stopped at GPA 0x%x: the hypervisor lost", 2 << SHIFT));
	others_go_on(other);
	machine_free(m);
}

static void lost_page(void **state)
{
	(void)state;
	lost_to(H_SUCCESS);
	lost_to(H_PARAMETER);
}

/* Lost for a moment is not lost: another CPU was on its way with the page. */
static unsigned int left;

static bool late(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args, uint64_t *out,
		 int64_t *ret)
{
	(void)m, (void)vm, (void)args, (void)out;
	*ret = H_SUCCESS;
	return nr == H_SVM_PAGE_IN && left && left--;
}

static void late_page(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	host_touch(vm, 2);
	left = 3;
	m->hook = late;
	assert_true(guest_check(vm, 2, SEED));
	machine_free(m);
}

static void hole_reads_as_zeros(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);
	static const int64_t answers[] = { H_SUCCESS, H_PARAMETER };

	(void)state;
	vm_add_slot(vm, 20, 10);
	m->hook = canned;
	for (int i = 0; i < 2; i++) {
		answer = answers[i];
		assert_true(guest_is_zero(vm, 20 + i));
		guest_fill(vm, 20 + i, 9);
		assert_true(guest_check(vm, 20 + i, 9));
	}
	m->hook = NULL;
	/* The hypervisor catches up: the guest's contents stay. */
	memset(host_touch(vm, 20), 0x90, PG);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, vm->h[20].ra, 20 << SHIFT, 0, SHIFT), U_SUCCESS);
	assert_true(guest_check(vm, 20, 9));
	assert_int_equal(hv(m, UV_PAGE_IN, 1, vm->h[20].ra, 20 << SHIFT, 0, SHIFT), U_P3);
	machine_free(m);
}

static void refusals(void **state)
{
	static const int64_t answers[] = { H_STATE, H_UNSUPPORTED, H_HARDWARE, -1000, 12345 };
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	host_touch(vm, 2);
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 3, 1, NULL), U_SUCCESS);
	assert_int_equal(host_unmap_shared(vm, 3), U_SUCCESS);
	m->hook = canned;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		answer = answers[i];
		assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, 2), UV_FAULT_REFUSED);
		assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, 3), UV_FAULT_REFUSED);
	}
	answer = H_BUSY;
	m->hcalls = 0;
	assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, 2), UV_FAULT_AGAIN);
	assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, 3), UV_FAULT_AGAIN);
	assert_true(m->hcalls <= 2 * UV_MAX_TRIES);
	m->hook = NULL;
	assert_int_equal(svm_info(vm).state, UV_VM_SECURE);
	assert_true(guest_check(vm, 2, SEED));
	assert_true(guest_is_zero(vm, 3));
	assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, N + 5), UV_FAULT_REFUSED);
	assert_int_equal(uv_guest_page_in(m->uv, 1, NULL, ~0ULL), UV_FAULT_REFUSED);
	assert_int_equal(uv_guest_page_in(m->uv, 3, NULL, 0), UV_FAULT_REFUSED);
	machine_free(m);
}

static void wrong_page_given(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);
	uint64_t ra;

	(void)state;
	host_touch(vm, 2);
	host_touch(vm, 3);
	ra = vm->h[2].ra;
	vm->h[2].ra = vm->h[3].ra;
	vm->h[3].ra = ra;
	assert_false(guest_check(vm, 2, SEED));
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_INTEGRITY);
	others_go_on(other);
	machine_free(m);
}

/* A stopped SVM: out of the guest view at once, evictable, terminable. */
static void stopped(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 26);
	uint8_t b;

	(void)state;
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true(guest_check(vm, g, SEED));
	host_touch(vm, 2)[0] ^= 1;
	assert_int_equal(guest_copy(vm, 2 << SHIFT, &b, 1, false), -1);
	for (uint64_t g = 0; g < N; g++) {
		assert_null(vm->g[g]);
		assert_int_equal(guest_copy(vm, g << SHIFT, &b, 1, false), -1);
	}
	assert_int_equal(vm_esm(vm), U_INVALID);
	/* its pages make room for others */
	vm_add_slot(other, N, 20);
	for (uint64_t g = N; g < N + 12; g++)
		guest_fill(other, g, 5);
	assert_true(svm_info(vm).evictions > 0);
	others_go_on(other);
	machine_free(m);
}

/* Termination from inside a hypercall, under each kind of work. */
static unsigned int at;

static bool terminate_at(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			 uint64_t *out, int64_t *ret)
{
	(void)nr, (void)args, (void)out;
	if (!at || --at)
		return false;
	m->hook = NULL;
	host_terminate(&m->vm[0]);
	(void)vm;
	*ret = H_SUCCESS;
	return true;
}

static void work(struct vm *vm, int kind)
{
	switch (kind) {
	case 0:
		uv_guest_page_in(vm->m->uv, 1, NULL, 2);
		break;
	case 1:
		guest(vm, UV_SHARE_PAGE, 0, N, NULL);
		break;
	case 2:
		guest(vm, UV_UNSHARE_PAGE, 4, 4, NULL);
		break;
	case 3:
		guest(vm, UV_UNSHARE_ALL_PAGES, 0, 0, NULL);
		break;
	}
}

static void terminated_inside(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		for (unsigned int n = 1; n < 6; n++) {
			struct vm *vm, *other;
			struct machine *m = two_vms(&vm, &other, 24);

			host_touch(vm, 2);
			guest(vm, UV_SHARE_PAGE, 4, 4, NULL);
			vm_add_slot(other, N, 4);
			for (uint64_t g = N; g < N + 3; g++)
				guest_fill(other, g, 5);
			at = n;
			m->hook = terminate_at;
			work(vm, kind);
			m->hook = NULL;
			if (!at) {
				assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
				assert_int_equal(svm_info(vm).resident, 0);
				assert_int_equal(svm_info(vm).shared, 0);
			}
			others_go_on(other);
			assert_int_equal(m->uv->reserved, 0);
			machine_free(m);
		}
	}
}

/* The SVM is stopped between two batches of a long call: the rest is left alone. */
static bool stop_now(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		     uint64_t *out, int64_t *ret)
{
	(void)args, (void)out, (void)ret, (void)nr;
	m->hook = NULL;
	uv_svm_stop(svm_of(vm), UV_STOP_HYPERVISOR, 0);
	return false;
}

static void stopped_between_batches(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct machine *m =
			machine_new(&(struct options){ .secure_pages = 150, .normal_pages = 400 });
		struct vm *vm = vm_secure(m, 1, 130, SEED);

		if (kind)
			assert_int_equal(guest(vm, UV_SHARE_PAGE, 0, 128, NULL), U_SUCCESS);
		m->hook = stop_now;
		assert_int_equal(guest(vm, kind ? UV_UNSHARE_PAGE : UV_SHARE_PAGE, 0, 128, NULL),
				 U_INVALID);
		assert_int_equal(gfn_state(vm, UV_BATCH), kind ? UV_GFN_SHARED : UV_GFN_RESIDENT);
		machine_free(m);
	}
}

/* Pages that it may not give: secure memory, nothing, half a page. */
static void bad_real_addresses(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);
	const uint64_t ras[] = { 0, RA_BASE - PG, RA_BASE + ((uint64_t)m->npages << SHIFT),
				 ~0xfffULL, (uint64_t)(uintptr_t)m->port.secure_page(m->user, 0) };

	(void)state;
	guest(vm, UV_SHARE_PAGE, 3, 1, NULL);
	host_unmap_shared(vm, 3);
	for (size_t i = 0; i < sizeof(ras) / sizeof(ras[0]); i++) {
		assert_int_equal(hv(m, UV_PAGE_OUT, 1, ras[i], 1 << SHIFT, 0, SHIFT), U_P2);
		assert_int_equal(hv(m, UV_PAGE_IN, 1, ras[i], 3 << SHIFT, 0, SHIFT), U_P2);
	}
	assert_true(guest_check(vm, 1, SEED));
	assert_int_equal(m->uv->reserved, 0);
	machine_free(m);
}

/* Shared pages move and vanish under the guest. */
static void shared_pages_move(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);
	uint64_t ra = ra_alloc(m), old;
	uint8_t b = 1;

	(void)state;
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 3, 1, NULL), U_SUCCESS);
	assert_int_equal(guest_copy(vm, 3 << SHIFT, "x", 1, true), 0);
	/* another page for the same GFN, without UV_PAGE_INVAL */
	memset(ra_va(m, ra), 0x42, m->page);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, 3 << SHIFT, 0, SHIFT), U_SUCCESS);
	assert_null(vm->g[3]);
	assert_int_equal(guest_copy(vm, 3 << SHIFT, &b, 1, false), 0);
	assert_int_equal(b, 0x42); /* what is shared is the hypervisor's to change */
	old = vm->h[3].ra;
	vm->h[3].ra = ra;
	ra_free(m, old);
	/* contents survive the host's unmapping: only a fresh share is zeroed */
	assert_int_equal(host_unmap_shared(vm, 3), U_SUCCESS);
	assert_null(vm->g[3]);
	assert_int_equal(guest_copy(vm, 3 << SHIFT, &b, 1, false), 0);
	assert_int_equal(b, 0x42);
	machine_free(m);
}

/* The hypervisor is too busy to back a share: it is backed when touched. */
static void share_is_backed_late(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	answer = H_BUSY;
	m->hook = canned;
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 3, 1, NULL), U_SUCCESS);
	assert_int_equal(gfn_state(vm, 3), UV_GFN_SHARED_UNMAPPED);
	m->hook = NULL;
	assert_true(guest_is_zero(vm, 3));
	assert_int_equal(gfn_state(vm, 3), UV_GFN_SHARED);
	machine_free(m);
}

static int no_room(void *arg, const struct uv_map_target *t)
{
	(void)arg, (void)t;
	return -1;
}

static void map_fails(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	assert_int_equal(uv_guest_map(m->uv, 1, 1, no_room, NULL), UV_FAULT_FAILED);
	assert_int_equal(uv_guest_map(m->uv, 1, N + 1, no_room, NULL), UV_FAULT_REFUSED);
	assert_int_equal(uv_guest_map(m->uv, 9, 1, no_room, NULL), UV_FAULT_REFUSED);
	assert_true(guest_check(vm, 1, SEED));
	machine_free(m);
}

/* A slot is unplugged and plugged again: zeros, never what was there. */
static bool is_not_ours(void *arg)
{
	++*(unsigned int *)arg;
	return false;
}

/* What was somebody's guest is gone, and its LPID another VM's: nothing happens to that. */
static void another_vm_has_the_lpid(void **state)
{
	unsigned int asked = 0;
	const struct uv_caller caller = { .is_ours = is_not_ours, .arg = &asked };
	const uint64_t args[UV_UCALL_ARGS] = { 0, N };
	uint64_t out[UV_UCALL_OUT];
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	assert_int_equal(uv_guest_call(m->uv, 1, &caller, UV_UNSHARE_PAGE, args, out), U_PARAMETER);
	assert_int_equal(host_page_out(vm, 2), H_SUCCESS);
	assert_int_equal(uv_guest_page_in(m->uv, 1, &caller, 2), UV_FAULT_REFUSED);
	assert_int_equal(gfn_state(vm, 2), UV_GFN_SEALED);
	assert_int_equal(asked, 2);
	others_go_on(vm);
	machine_free(m);
}

static unsigned int parts_left;

static bool until_killed(void *ctx)
{
	(void)ctx;
	return parts_left && parts_left--;
}

/* A guest whose VMM is killed does not share on and on. */
static void killed_while_it_shares(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	m->uv->port.go_on = until_killed;
	parts_left = 0;
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 0, 2, NULL), U_BUSY);
	assert_int_not_equal(gfn_state(vm, 0), UV_GFN_SHARED);
	parts_left = 1;
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 0, 2, NULL), U_SUCCESS);
	assert_int_equal(gfn_state(vm, 1), UV_GFN_SHARED);
	m->uv->port.go_on = NULL;
	machine_free(m);
}

/* As kvm-uvmem answers while a fatal signal is pending: one page, then busy. */
static bool a_page_then_busy(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			     uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)args;
	if (nr != H_SIM_SVM_PAGE_IN_RANGE)
		return false;
	out[0] = 1;
	*ret = H_BUSY;
	return true;
}

/* Of UV_ESM of 300 pages so many parts are done before its VMM is killed. */
static void killed_in_esm_after(int parts, bool no_range, bool busy)
{
	struct machine *m =
		machine_new(&(struct options){ .secure_pages = 512, .normal_pages = 2048 });
	struct vm *vm = vm_new(m, 1, 400);

	vm_put_blob(vm, owner_key, 0, 300, UV_ESM_SHA256);
	m->no_range = no_range;
	m->hook = busy ? a_page_then_busy : NULL;
	m->uv->port.go_on = until_killed;
	parts_left = parts;
	assert_int_equal(vm_esm(vm), U_RETRY);
	assert_true(m->hcalls < 8 + (unsigned int)parts);
	m->uv->port.go_on = NULL;
	machine_free(m);
}

static void killed_in_esm(void **state)
{
	(void)state;
	killed_in_esm_after(0, false, false);
	killed_in_esm_after(3, true, false);
	killed_in_esm_after(3, false, true);
}

/* All is there, and is being measured. */
static void killed_while_it_measures(void **state)
{
	struct machine *m =
		machine_new(&(struct options){ .secure_pages = 512, .normal_pages = 2048 });
	struct vm *vm = vm_new(m, 1, 400);

	(void)state;
	vm_put_blob(vm, owner_key, 0, 300, UV_ESM_SHA256);
	m->uv->port.go_on = until_killed;
	parts_left = 100;
	assert_int_equal(vm_esm(vm), U_RETRY);
	m->uv->port.go_on = NULL;
	machine_free(m);
}

static void slot_comes_back_empty(void **state)
{
	struct vm *vm, *other;
	struct machine *m = two_vms(&vm, &other, 40);

	(void)state;
	assert_int_equal(hv(m, UV_UNREGISTER_MEM_SLOT, 1, 0, 0, 0, 0), U_SUCCESS);
	assert_true(free_frames_are_zero(m));
	assert_int_equal(hv(m, UV_REGISTER_MEM_SLOT, 1, 0, N << SHIFT, 0, 0), U_SUCCESS);
	for (uint64_t g = 0; g < N; g++)
		assert_true(guest_is_zero(vm, g));
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_page),
		cmocka_unit_test(late_page),
		cmocka_unit_test(hole_reads_as_zeros),
		cmocka_unit_test(refusals),
		cmocka_unit_test(wrong_page_given),
		cmocka_unit_test(stopped),
		cmocka_unit_test(terminated_inside),
		cmocka_unit_test(stopped_between_batches),
		cmocka_unit_test(bad_real_addresses),
		cmocka_unit_test(shared_pages_move),
		cmocka_unit_test(share_is_backed_late),
		cmocka_unit_test(map_fails),
		cmocka_unit_test(slot_comes_back_empty),
		cmocka_unit_test(another_vm_has_the_lpid),
		cmocka_unit_test(killed_while_it_shares),
		cmocka_unit_test(killed_in_esm),
		cmocka_unit_test(killed_while_it_measures),
	};

	return cmocka_run_group_tests_name("hostile hypervisor", tests, NULL, NULL);
}
