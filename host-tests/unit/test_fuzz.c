// SPDX-License-Identifier: GPL-2.0
/*
 * Garbage from everywhere: ultracalls of hypervisor and guests with values that
 * are nearly right, accesses, and hypercalls that are answered at random. The
 * seed is fixed and printed. The machine watches; what is left in the end has
 * to add up.
 */
#include "machine.h"

#define CALLS 150000

static uint32_t x;

static uint32_t rnd(uint32_t n)
{
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static uint64_t any_value(struct machine *m)
{
	switch (rnd(12)) {
	case 0:
		return 0;
	case 1:
		return ~0ULL;
	case 2:
		return ~0ULL << rnd(64);
	case 3:
		return 1ULL << rnd(64);
	case 4:
		return m->shift;
	case 5:
		return RA_BASE + ((uint64_t)rnd(16) << m->shift);
	case 6:
		return UV_PATE_HR;
	case 7:
		return rnd(4096);
	default:
		return (uint64_t)rnd(24) << m->shift;
	}
}

/* Half of the calls get arguments that could be right. */
static void arguments(struct machine *m, uint64_t nr, uint64_t *a)
{
	for (int i = 0; i < 5; i++)
		a[i] = any_value(m);
	if (rnd(8))
		a[0] = 1 + rnd(3);
	if (nr == UV_PAGE_IN || nr == UV_PAGE_OUT) {
		if (rnd(4)) {
			a[1] = RA_BASE + ((uint64_t)rnd(16) << m->shift);
			a[2] = (uint64_t)rnd(20) << m->shift;
			a[3] = 0;
			a[4] = m->shift;
		}
	} else if (nr == UV_PAGE_INVAL && rnd(4)) {
		a[2] = m->shift;
	} else if (nr == UV_REGISTER_MEM_SLOT && rnd(4)) {
		a[1] = (uint64_t)(20 + rnd(20)) << m->shift;
		a[2] = (uint64_t)(1 + rnd(6)) << m->shift;
		a[3] = 0;
		a[4] = rnd(8);
	} else if (nr == UV_UNREGISTER_MEM_SLOT) {
		a[1] = rnd(8);
	}
}

static bool any_answer(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		       uint64_t *out, int64_t *ret)
{
	static const int64_t answers[] = { H_SUCCESS,  H_BUSY,	      H_PARAMETER, H_STATE,
					   H_FUNCTION, H_UNSUPPORTED, -77,	   99 };

	(void)vm, (void)nr, (void)args;
	if (rnd(10))
		return false;
	*out = any_value(m);
	*ret = answers[rnd(8)];
	return true;
}

static void hv_garbage(struct machine *m)
{
	static const uint64_t nrs[] = { UV_WRITE_PATE,
					UV_ESM,
					UV_RETURN,
					UV_REGISTER_MEM_SLOT,
					UV_UNREGISTER_MEM_SLOT,
					UV_PAGE_IN,
					UV_PAGE_OUT,
					UV_PAGE_IN,
					UV_PAGE_OUT,
					UV_SHARE_PAGE,
					UV_PAGE_INVAL,
					UV_SVM_TERMINATE,
					UV_UNSHARE_ALL_PAGES,
					0xF100 };
	uint64_t nr = nrs[rnd(14)], a[5];

	arguments(m, nr, a);
	if (nr == UV_SVM_TERMINATE && rnd(20))
		return;
	if (nr == UV_WRITE_PATE) /* the model needs its partitions */
		a[0] = rnd(2) ? 4 + rnd(8) : any_value(m) << 13;
	hv(m, nr, a[0], a[1], a[2], a[3], a[4]);
}

static void guest_garbage(struct machine *m)
{
	static const uint64_t nrs[] = { UV_SHARE_PAGE, UV_UNSHARE_PAGE, UV_UNSHARE_ALL_PAGES,
					UV_PAGE_IN,    H_RANDOM,	UV_RETURN };
	struct vm *vm = &m->vm[rnd(3)];
	uint8_t b[64] = { 1 };

	switch (rnd(4)) {
	case 0:
		guest(vm, nrs[rnd(6)], rnd(4) ? rnd(24) : any_value(m),
		      rnd(4) ? 1 + rnd(4) : any_value(m), NULL);
		break;
	case 1:
		guest(vm, UV_ESM, rnd(4) ? vm->blob_gpa : any_value(m), rnd(4) ? 0 : any_value(m),
		      NULL);
		break;
	default:
		guest_copy(vm, (uint64_t)rnd(30) << m->shift, b, sizeof(b), rnd(2));
	}
}

static void host_work(struct machine *m)
{
	struct vm *vm = &m->vm[rnd(3)];
	uint64_t gfn = rnd(20);

	switch (rnd(20)) {
	case 0:
		host_terminate(vm);
		break;
	case 1:
	case 2:
		host_unmap_shared(vm, gfn);
		break;
	case 3:
		if (vm->h[gfn].ra)
			ra_va(m, vm->h[gfn].ra)[rnd(PG)] ^= 1;
		break;
	default:
		host_page_out(vm, gfn);
	}
}

static void adds_up(struct machine *m)
{
	uint64_t resident = 0, svms = 0;

	for (int v = 0; v < 3; v++) {
		struct uv_svm_info i = svm_info(&m->vm[v]);

		resident += i.resident;
		svms += i.state != UV_VM_NORMAL;
		if (i.state == UV_VM_NORMAL)
			assert_int_equal(i.resident + i.paged_out + i.shared + i.memslots, 0);
	}
	assert_int_equal(stats(m).secure_used, resident);
	assert_int_equal(stats(m).svms, svms);
	assert_int_equal(m->uv->reserved, 0);
}

static void garbage(uint32_t seed, uint32_t secure_pages)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = secure_pages });
	unsigned int secure = 0;

	m->patience = 2;
	print_message("seed %u, %u secure pages\n", seed, secure_pages);
	x = seed;
	for (int v = 0; v < 3; v++) {
		struct vm *vm = vm_new(m, 1 + v, 20);

		for (uint64_t g = 0; g < 10; g++)
			vm_fill_normal(vm, g, 3);
		vm_put_blob(vm, owner_key, 0, 0x4, UV_ESM_SHA256);
	}
	for (int i = 0; i < CALLS; i++) {
		m->hook = any_answer;
		switch (rnd(3)) {
		case 0:
			hv_garbage(m);
			break;
		case 1:
			guest_garbage(m);
			break;
		default:
			host_work(m);
		}
		m->hook = NULL;
		if (i % 1000)
			continue;
		adds_up(m);
		for (int v = 0; v < 3; v++) {
			struct vm *vm = &m->vm[v];

			/* start over, so that not all is stopped for good */
			host_terminate(vm);
			for (uint64_t g = 0; g < 4; g++)
				vm_fill_normal(vm, g, 3);
			vm_put_blob(vm, owner_key, 0, 4, UV_ESM_SHA256);
			secure += vm_esm(vm) == U_SUCCESS;
		}
	}
	assert_int_equal(secure, 3 * CALLS / 1000);
	for (uint32_t l = 4; l < 12; l++)
		hv(m, UV_WRITE_PATE, l, 0, 0, 0, 0);
	machine_free(m);
}

static void plenty(void **state)
{
	(void)state;
	garbage(20240607, 80);
}

static void scarce(void **state)
{
	(void)state;
	garbage(4711, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plenty),
		cmocka_unit_test(scarce),
	};

	return cmocka_run_group_tests_name("garbage", tests, NULL, NULL);
}
