// SPDX-License-Identifier: GPL-2.0
/* Runs of UV_PAGE_OUT and UV_PAGE_IN: as if each page had a call of its own. */
#include "machine.h"

#define N 300 /* more than a leaf, and more than one lock is held for */
#define DATA (N - 2)
#define SEED 9
#define ROUND 200

struct run {
	struct vm *vm;
	uint64_t gfn, ra[N];
	uint32_t n;
	int64_t ret[N];
};

static struct machine *secure_vm(struct vm **vm)
{
	struct machine *m =
		machine_new(&(struct options){ .secure_pages = 2 * N + 20, .normal_pages = 5 * N });

	*vm = vm_secure(m, 1, N, SEED);
	return m;
}

static void run_of(struct run *r, uint64_t nr, uint64_t flags)
{
	struct uv_page_run run = {
		.nr = nr,
		.lpid = r->vm->lpid,
		.gpa = r->gfn << SHIFT,
		.flags = flags,
		.order = SHIFT,
		.n = r->n,
		.ra = r->ra,
		.ret = r->ret,
	};

	hv_run(r->vm->m, &run);
}

static void one_by_one(struct run *r, uint64_t nr, uint64_t flags)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->ra[i] != UV_NO_RA)
			r->ret[i] = hv(r->vm->m, nr, r->vm->lpid, r->ra[i], (r->gfn + i) << SHIFT,
				       flags, SHIFT);
}

/* The hypervisor's books after the calls; frees pages that were not used. */
static void settle(struct run *r, uint64_t nr)
{
	for (uint32_t i = 0; i < r->n; i++) {
		struct hpage *h = &r->vm->h[r->gfn + i];
		bool ok = r->ra[i] != UV_NO_RA && r->ret[i] == U_SUCCESS;

		if (nr == UV_PAGE_OUT && ok) {
			*h = (struct hpage){ H_PAGED_OUT, r->ra[i] };
		} else if (nr == UV_PAGE_OUT && r->ra[i] != UV_NO_RA) {
			ra_free(r->vm->m, r->ra[i] & ~(PG - 1));
		} else if (nr == UV_PAGE_IN && ok) {
			ra_free(r->vm->m, h->ra);
			*h = (struct hpage){ H_DEVICE, 0 };
		}
	}
}

static void out_all(struct vm *vm, uint64_t gfn, uint32_t n)
{
	struct run r = { .vm = vm, .gfn = gfn, .n = n };

	for (uint32_t i = 0; i < n; i++)
		r.ra[i] = ra_alloc(vm->m);
	run_of(&r, UV_PAGE_OUT, UV_SIM_PAGE_OUT_SECURE);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(r.ret[i], U_SUCCESS);
	settle(&r, UV_PAGE_OUT);
}

static void aim_in(struct run *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		r->ra[i] = r->vm->h[r->gfn + i].ra;
}

static void out_and_in(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	struct run r = { .vm = vm, .gfn = 1, .n = DATA - 1 };

	(void)state;
	out_all(vm, r.gfn, r.n);
	assert_int_equal(gfn_state(vm, 0), UV_GFN_RESIDENT);
	for (uint32_t i = 0; i < r.n; i++)
		assert_int_equal(gfn_state(vm, r.gfn + i), UV_GFN_SEALED);
	assert_true(free_frames_are_zero(m));
	aim_in(&r);
	run_of(&r, UV_PAGE_IN, UV_SIM_PAGE_IN_SECURE);
	for (uint32_t i = 0; i < r.n; i++)
		assert_int_equal(r.ret[i], U_SUCCESS);
	settle(&r, UV_PAGE_IN);
	for (uint64_t g = 0; g < DATA; g++)
		assert_true(guest_check(vm, g, SEED));
	machine_free(m);
}

/* A random run of either kind: holes, addresses that are none, pages that are elsewhere. */
static uint64_t draw(struct run *r, unsigned int *rng)
{
	uint64_t nr = rand_r(rng) % 2 ? UV_PAGE_OUT : UV_PAGE_IN;

	r->gfn = (uint64_t)rand_r(rng) % DATA;
	r->n = 1 + (uint32_t)rand_r(rng) % 40;
	if (r->gfn + r->n > DATA)
		r->n = (uint32_t)(DATA - r->gfn);
	for (uint32_t i = 0; i < r->n; i++) {
		unsigned int dice = (unsigned int)rand_r(rng) % 8;

		if (nr == UV_PAGE_IN)
			r->ra[i] = r->vm->h[r->gfn + i].ra;
		else
			r->ra[i] = dice == 1 ? UV_NO_RA : ra_alloc(r->vm->m);
		if (nr == UV_PAGE_IN && dice == 1)
			r->ra[i] = UV_NO_RA;
		else if (dice == 2)
			r->ra[i] += 8;
	}
	return nr;
}

static void as_single_calls(void **state)
{
	struct run run, single;
	struct machine *m = secure_vm(&run.vm);
	unsigned int rng_a = SEED, rng_b = SEED;

	(void)state;
	single.vm = vm_secure(m, 2, N, SEED);
	for (unsigned int i = 0; i < ROUND; i++) {
		uint64_t nr = draw(&run, &rng_a), flags = i % 3 ? 0 : UV_SIM_PAGE_OUT_SECURE;

		if (nr == UV_PAGE_IN)
			flags = i % 3 ? 0 : UV_SIM_PAGE_IN_SECURE;
		assert_int_equal(draw(&single, &rng_b), nr);
		run_of(&run, nr, flags);
		one_by_one(&single, nr, flags);
		for (uint32_t k = 0; k < run.n; k++) {
			if (run.ra[k] != UV_NO_RA)
				assert_int_equal(run.ret[k], single.ret[k]);
			assert_int_equal(gfn_state(run.vm, run.gfn + k),
					 gfn_state(single.vm, run.gfn + k));
		}
		settle(&run, nr);
		settle(&single, nr);
	}
	for (uint64_t g = 0; g < DATA; g++)
		assert_true(guest_check(run.vm, g, SEED));
	machine_free(m);
}

/* The page itself is refused, and what comes behind it finds a stopped SVM. */
static void tampered_inside(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	struct run r = { .vm = vm, .gfn = 4, .n = 30 };

	(void)state;
	out_all(vm, r.gfn, r.n);
	aim_in(&r);
	ra_va(m, r.ra[10])[100] ^= 1;
	run_of(&r, UV_PAGE_IN, 0);
	for (uint32_t i = 0; i < r.n; i++) {
		int64_t want = i < 10 ? U_SUCCESS : i == 10 ? U_P2 : U_PARAMETER;

		assert_int_equal(r.ret[i], want);
	}
	settle(&r, UV_PAGE_IN);
	assert_int_equal(svm_info(vm).state, UV_VM_STOPPED);
	assert_int_equal(svm_info(vm).stop_gpa, 14 << SHIFT);
	assert_int_equal(stats(m).integrity_failures, 1);
	machine_free(m);
}

/* What is the same for all of them is refused for each of them. */
static void bad_arguments(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	int64_t ret[2];
	uint64_t ra[2] = { ra_alloc(m), ra_alloc(m) };
	const struct {
		uint64_t lpid, gpa, flags, order;
		int64_t want;
	} bad[] = {
		{ 7, 0, 0, SHIFT, U_PARAMETER },       { 1, 8, 0, SHIFT, U_P3 },
		{ 1, ~0ULL << SHIFT, 0, SHIFT, U_P3 }, { 1, 0, 1ULL << 40, SHIFT, U_P4 },
		{ 1, 0, 0, OTHER_SHIFT, U_P5 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct uv_page_run run = {
			.nr = UV_PAGE_OUT,
			.lpid = bad[i].lpid,
			.gpa = bad[i].gpa,
			.flags = bad[i].flags,
			.order = bad[i].order,
			.n = 1,
			.ra = ra,
			.ret = ret,
		};

		hv_run(m, &run);
		assert_int_equal(ret[0], bad[i].want);
	}
	assert_int_equal(gfn_state(vm, 0), UV_GFN_RESIDENT);
	ra_free(m, ra[0]);
	ra_free(m, ra[1]);
	machine_free(m);
}

/* Neighbours leave the guest view together, and nobody else does. */
static void unmapped_at_once(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	struct run r = { .vm = vm, .gfn = 2, .n = 8 };
	unsigned int before;

	(void)state;
	for (uint64_t g = 0; g < 16; g++)
		assert_true(guest_check(vm, g, SEED));
	for (uint32_t i = 0; i < r.n; i++)
		r.ra[i] = i == 3 ? UV_NO_RA : ra_alloc(m);
	before = m->unmaps;
	run_of(&r, UV_PAGE_OUT, 0);
	assert_int_equal(m->unmaps - before, SHIFT == 12 ? 2 : r.n - 1);
	for (uint64_t g = 0; g < 16; g++) {
		if (g < 2 || g == 5 || g >= 10)
			assert_non_null(vm->g[g]);
		else
			assert_null(vm->g[g]);
	}
	settle(&r, UV_PAGE_OUT);
	before = m->unmaps;
	host_terminate(vm);
	assert_int_equal(m->unmaps - before, 3);
	machine_free(m);
}

static unsigned int looks;

/* Secure memory is in use by those that are resident, and by nobody else. */
static void look(struct machine *m)
{
	struct vm *vm = &m->vm[0];
	uint64_t resident = 0;

	m->on_gfn_unlock = NULL;
	for (uint64_t g = 0; g < N; g++)
		resident += gfn_state(vm, g) == UV_GFN_RESIDENT;
	assert_int_equal(stats(m).secure_used, resident);
	assert_int_equal(svm_info(vm).resident, resident);
	looks++;
	m->on_gfn_unlock = look;
}

/* Who waits for a GFN's lock finds its secure page where it belongs. */
static void settled_before_the_lock_goes(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	struct run r = { .vm = vm, .gfn = 5, .n = 40 };

	(void)state;
	looks = 0;
	m->on_gfn_unlock = look;
	out_all(vm, r.gfn, r.n);
	aim_in(&r);
	run_of(&r, UV_PAGE_IN, UV_SIM_PAGE_IN_SECURE);
	m->on_gfn_unlock = NULL;
	settle(&r, UV_PAGE_IN);
	assert_in_range(looks, SHIFT == 12 ? 6 : 80, 80);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_and_in),	    cmocka_unit_test(as_single_calls),
		cmocka_unit_test(tampered_inside),  cmocka_unit_test(bad_arguments),
		cmocka_unit_test(unmapped_at_once), cmocka_unit_test(settled_before_the_lock_goes),
	};

	return cmocka_run_group_tests_name("runs of ultracalls", tests, NULL, NULL);
}
