// SPDX-License-Identifier: GPL-2.0
/* Blocks: where pages get their place in secure memory, and the guest view maps them as one. */
#include "machine.h"
#include <sched.h>
#include <stdatomic.h>

#define BLOCK (1u << BLOCK_SHIFT)
#define N (4 * BLOCK) /* pages of the SVM; its last block has the blob */
#define SEED 21

static struct machine *machine_of(uint32_t secure_pages, struct vm **vm)
{
	struct machine *m = machine_new(
		&(struct options){ .secure_pages = secure_pages, .normal_pages = 4 * N });

	m->blocks = true;
	*vm = vm_secure(m, 1, N, SEED);
	uv_set_around(m->uv, UV_AROUND_MAX);
	return m;
}

static struct machine *secure_vm(struct vm **vm)
{
	return machine_of(2 * N, vm);
}

/* How many GFNs of a block the guest view maps. */
static unsigned int mapped(struct vm *vm, uint64_t first)
{
	unsigned int n = 0;

	for (uint64_t g = first; g < first + BLOCK; g++)
		n += !!vm->g[g];
	return n;
}

static void out(struct vm *vm, uint64_t gfn, uint64_t n)
{
	for (uint64_t g = gfn; g < gfn + n; g++)
		assert_int_equal(host_page_out(vm, g), H_SUCCESS);
}

static void in(struct vm *vm, uint64_t gfn, uint64_t n)
{
	const uint64_t args[4] = { gfn << SHIFT, n, 0, SHIFT };
	uint64_t done;

	assert_int_equal(hv_hcall(vm->m, vm, H_SIM_SVM_PAGE_IN_RANGE, args, &done), H_SUCCESS);
}

static bool any_marked(struct vm *vm)
{
	for (uint64_t g = 0; g < N; g++)
		if (entry_of(vm, g)->flags & UV_GFN_AHEAD)
			return true;
	return false;
}

static struct uv_block *block_of_gfn(struct vm *vm, uint64_t gfn)
{
	return &vm->m->uv->blocks[entry_of(vm, gfn)->page >> BLOCK_SHIFT];
}

static void a_touch_maps_a_block(void **state)
{
	uint64_t faults;
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	faults = stats(m).guest_faults;
	assert_true(guest_check(vm, BLOCK + 7, SEED));
	assert_int_equal(mapped(vm, BLOCK), BLOCK);
	assert_int_equal(mapped(vm, 0) + mapped(vm, 2 * BLOCK), 0);
	for (uint64_t g = BLOCK; g < 2 * BLOCK; g++) {
		assert_true(guest_check(vm, g, SEED));
		guest_fill(vm, g, SEED + 1);
	}
	assert_int_equal(m->block_maps, 1);
	assert_int_equal(stats(m).guest_faults, faults + 1);
	machine_free(m);
}

static void none_where_one_page_a_fault_is_asked_for(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	uv_set_around(m->uv, 1);
	assert_true(guest_check(vm, 3, SEED));
	assert_int_equal(mapped(vm, 0), 1);
	machine_free(m);
}

static bool view_at_seal[BLOCK];
static struct vm *watched;

static void look_at_view(struct machine *m, bool seals)
{
	(void)m;
	for (unsigned int i = 0; seals && i < BLOCK; i++)
		view_at_seal[i] = watched->g[i];
}

/* Before its content is taken, nothing of the block is in the view any more. */
static void the_first_that_leaves_takes_all_along(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	guest_fill(vm, 5, 99);
	memset(view_at_seal, true, sizeof(view_at_seal));
	watched = vm;
	m->on_crypt = look_at_view;
	m->unmaps = 0;
	out(vm, 5, 1);
	m->on_crypt = NULL;
	for (unsigned int i = 0; i < BLOCK; i++)
		assert_false(view_at_seal[i]);
	assert_int_equal(m->unmaps, 1);

	assert_true(guest_check(vm, 6, SEED)); /* not as a block */
	assert_int_equal(m->block_maps, 1);
	out(vm, 6, 1);
	in(vm, 5, 2);
	assert_true(guest_check(vm, 5, 99)); /* and whole again */
	assert_int_equal(m->block_maps, 2);
	assert_int_equal(mapped(vm, 0), BLOCK);
	machine_free(m);
}

static uint64_t other_ra;

static void *page_out_other(void *arg)
{
	struct machine *m = arg;

	assert_int_equal(hv(m, UV_PAGE_OUT, 1, other_ra, (BLOCK - 1) << SHIFT, 0, SHIFT),
			 U_SUCCESS);
	return NULL;
}

static void while_it_is_unmapped(struct machine *m)
{
	pthread_t thread;

	m->on_unmap = NULL;
	memset(view_at_seal, true, sizeof(view_at_seal));
	assert_int_equal(pthread_create(&thread, NULL, page_out_other, m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	m->on_crypt = NULL;
}

/*
 * A page of another chunk leaves while the first one's CPU is about to take the block out
 * of the view: it does not rely on that.
 */
static void two_leave_at_once(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	other_ra = ra_alloc(m);
	guest_fill(vm, BLOCK - 1, 99);
	assert_int_equal(mapped(vm, 0), BLOCK);
	watched = vm;
	m->on_crypt = look_at_view;
	m->on_unmap = while_it_is_unmapped;
	out(vm, 5, 1);
	for (unsigned int i = 0; i < BLOCK; i++)
		assert_false(view_at_seal[i]);

	assert_int_equal(hv(m, UV_PAGE_IN, 1, other_ra, (BLOCK - 1) << SHIFT, 0, SHIFT), U_SUCCESS);
	ra_free(m, other_ra);
	in(vm, 5, 1);
	assert_true(guest_check(vm, BLOCK - 1, 99)); /* and whole again */
	assert_int_equal(mapped(vm, 0), BLOCK);
	m->unmaps = 0;
	out(vm, 3, 1);
	assert_int_equal(mapped(vm, 0), 0);
	assert_int_equal(m->unmaps, 1);
	machine_free(m);
}

/* A page that could not be sealed stays, and the block is whole when the guest used it. */
static void sealing_fails(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	assert_true(guest_check(vm, 0, SEED));
	m->fail_seal = true;
	assert_int_not_equal(host_page_out(vm, 9), H_SUCCESS);
	m->fail_seal = false;
	assert_int_equal(mapped(vm, 0), 0);
	assert_int_equal(block_of_gfn(vm, 9)->nready, BLOCK - 1);
	assert_true(guest_check(vm, 9, SEED));
	assert_int_equal(m->block_maps, 1);
	assert_int_equal(block_of_gfn(vm, 9)->nready, BLOCK);
	machine_free(m);
}

static void shared_pages_are_no_part(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	assert_true(guest_check(vm, 0, SEED));
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 12, 1, NULL), U_SUCCESS);
	assert_int_equal(mapped(vm, 0), 0);
	assert_true(guest_check(vm, 1, SEED));
	assert_true(guest_is_zero(vm, 12));
	assert_int_equal(m->block_maps, 1);
	assert_ptr_equal(vm->g[12], ra_va(m, vm->h[12].ra));

	assert_int_equal(guest(vm, UV_UNSHARE_PAGE, 12, 1, NULL), U_SUCCESS);
	assert_true(guest_is_zero(vm, 12));
	assert_int_equal(block_of_gfn(vm, 12)->nready, BLOCK);
	machine_free(m);
}

static void a_snapshot_leaves_it_mapped(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	uint64_t ra = ra_alloc(m);

	(void)state;
	assert_true(guest_check(vm, 0, SEED));
	assert_int_equal(hv(m, UV_PAGE_OUT, 1, ra, 3 << SHIFT, UV_SNAPSHOT, SHIFT), U_SUCCESS);
	assert_int_equal(mapped(vm, 0), BLOCK);
	ra_free(m, ra);
	machine_free(m);
}

static void the_end_of_the_svm(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	for (uint64_t g = 0; g < N - 2; g += BLOCK)
		assert_true(guest_check(vm, g, SEED));
	host_terminate(vm);
	for (uint64_t g = 0; g < N; g++)
		assert_null(vm->g[g]);
	assert_int_equal(guest_copy(vm, 0, &(uint8_t){ 0 }, 1, false), -1);
	assert_int_equal(stats(m).secure_used, 0);
	assert_true(free_frames_are_zero(m));
	machine_free(m);
}

static unsigned int range_calls;
static uint64_t largest;

static bool count_ranges(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			 uint64_t *ret_out, int64_t *ret)
{
	(void)m, (void)vm, (void)ret_out, (void)ret;
	if (nr == H_SIM_SVM_PAGE_IN_RANGE) {
		range_calls++;
		largest = args[1] > largest ? args[1] : largest;
	}
	return false;
}

/* The first block by windows, each of the others with one hypercall and one fault. */
static void read_in_order(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	uint64_t faults;

	(void)state;
	out(vm, 0, 3 * BLOCK);
	range_calls = 0;
	largest = 0;
	m->hook = count_ranges;
	for (uint64_t g = 0; g < BLOCK; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(m->block_maps, 0);
	assert_true(largest && largest <= UV_AROUND_MAX);
	range_calls = 0;
	faults = stats(m).guest_faults;
	for (uint64_t g = BLOCK; g < 3 * BLOCK; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(m->block_maps, 2);
	assert_int_equal(range_calls, 2);
	assert_int_equal(largest, BLOCK);
	assert_int_equal(stats(m).guest_faults, faults + 2);
	assert_false(any_marked(vm));

	/* Pages that were used did not come in for nothing. */
	out(vm, BLOCK, 2 * BLOCK);
	assert_int_equal(stats(m).unseen, 0);
	machine_free(m);
}

/* Who reads at random, or backwards, gets no block. */
static void read_otherwise(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	out(vm, 0, 3 * BLOCK);
	range_calls = 0;
	m->hook = count_ranges;
	for (uint64_t g = 3 * BLOCK; g-- > 0;)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(range_calls, 0);
	out(vm, 0, 3 * BLOCK);
	for (uint64_t g = 0; g < 3 * BLOCK; g += BLOCK / 2)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(range_calls, 0);
	machine_free(m);
}

/* Half a block in order is too little to be given the next one. */
static void read_half_a_block(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	out(vm, 0, 3 * BLOCK);
	largest = 0;
	m->hook = count_ranges;
	for (uint64_t g = BLOCK / 2; g < 2 * BLOCK; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(largest, UV_AROUND_MAX);
	machine_free(m);
}

/* One resident page in it, and the block is not asked for. */
static void not_all_is_paged_out(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	out(vm, 0, 3 * BLOCK);
	assert_true(guest_check(vm, 2 * BLOCK - 1, SEED));
	largest = 0;
	m->hook = count_ranges;
	for (uint64_t g = 0; g < 2 * BLOCK; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_true(largest <= UV_AROUND_MAX);
	assert_false(any_marked(vm));
	machine_free(m);
}

static void flip(struct vm *vm, uint64_t gfn)
{
	assert_int_equal(vm->h[gfn].state, H_PAGED_OUT);
	ra_va(vm->m, vm->h[gfn].ra)[11] ^= 1;
}

/* A host that tampers with one page of a block is caught when the guest touches that page. */
static void tampered_inside(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	uint64_t bad = BLOCK + 20;
	uint8_t b;

	(void)state;
	out(vm, 0, 2 * BLOCK);
	flip(vm, bad);
	for (uint64_t g = 0; g < 2 * BLOCK; g++)
		if (g != bad)
			assert_true(guest_check(vm, g, SEED));
	assert_int_equal(svm_info(vm).state, UV_VM_SECURE);
	assert_int_equal(m->block_maps, 0);
	assert_false(any_marked(vm));
	assert_int_equal(guest_copy(vm, bad << SHIFT, &b, 1, false), -1);
	assert_int_equal(svm_info(vm).state, UV_VM_STOPPED);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_INTEGRITY);
	assert_int_equal(svm_info(vm).stop_gpa, bad << SHIFT);
	machine_free(m);
}

static void tampered_in_front(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	uint8_t b;

	(void)state;
	out(vm, 0, 2 * BLOCK);
	flip(vm, BLOCK);
	for (uint64_t g = 0; g < BLOCK; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(guest_copy(vm, BLOCK << SHIFT, &b, 1, false), -1);
	assert_int_equal(svm_info(vm).stop_gpa, BLOCK << SHIFT);
	machine_free(m);
}

static int64_t answer;

static bool refuse_blocks(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			  uint64_t *ret_out, int64_t *ret)
{
	(void)m, (void)vm;
	if (nr != H_SIM_SVM_PAGE_IN_RANGE || args[1] < BLOCK)
		return false;
	range_calls++;
	ret_out[0] = 0;
	*ret = answer;
	return true;
}

/* A hypervisor that does not give a block: the guest goes on by windows. */
static void refused(void **state)
{
	static const int64_t answers[] = { H_BUSY, H_PARAMETER, H_SUCCESS, -77 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct vm *vm;
		struct machine *m = secure_vm(&vm);

		out(vm, 0, 3 * BLOCK);
		answer = answers[i];
		range_calls = 0;
		m->hook = refuse_blocks;
		for (uint64_t g = 0; g < 3 * BLOCK; g++)
			assert_true(guest_check(vm, g, SEED));
		assert_true(range_calls);
		assert_int_equal(m->block_maps, 0);
		assert_false(any_marked(vm));
		assert_int_equal(m->uv->reserved, 0);
		machine_free(m);
	}
}

static void no_ranges(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	m->no_range = true;
	out(vm, 0, 3 * BLOCK);
	for (uint64_t g = 0; g < 3 * BLOCK; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_int_equal(m->block_maps, 0);
	assert_false(any_marked(vm));
	machine_free(m);
}

/* Nothing is evicted for a block that nobody asked for yet. */
static void too_little_memory(void **state)
{
	struct vm *vm;
	struct machine *m = machine_of(2 * BLOCK + 8, &vm);

	(void)state;
	range_calls = 0;
	largest = 0;
	m->hook = count_ranges;
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true(guest_check(vm, g, SEED));
	assert_true(largest <= UV_AROUND_MAX);
	assert_int_equal(m->uv->reserved, 0);
	machine_free(m);
}

/* Pages of block 3 do not lie in a row: they are used, but not as a block. */
static void a_block_that_is_none(void **state)
{
	struct vm *vm;
	struct machine *m = machine_of(5 * BLOCK, &vm);
	unsigned int places = 0, pages = 0;
	uint32_t page;

	(void)state;
	for (uint64_t g = 0; g < N; g++) {
		page = entry_of(vm, g)->page;
		if (entry_of(vm, g)->state != UV_GFN_RESIDENT)
			continue;
		pages++;
		assert_int_not_equal(page >> BLOCK_SHIFT, BROKEN_BLOCK);
		places += (page & (BLOCK - 1)) == (g & (BLOCK - 1));
	}
	assert_true(pages > N - 2);
	assert_int_equal(places, pages);
	assert_int_equal(m->uv->nblocks, 5);
	assert_int_equal(uv_reserve(svm_of(vm), BLOCK), BLOCK);
	page = uv_page_take(svm_of(vm), 4096);
	assert_int_equal(page >> BLOCK_SHIFT, BROKEN_BLOCK);
	assert_false(m->uv->blocks[BROKEN_BLOCK].svm);
	uv_page_put(m->uv, page);
	uv_unreserve(svm_of(vm), BLOCK);
	machine_free(m);
}

/* A page that found its place taken may lie in its own block, at another's. */
static void out_of_place(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = BLOCK });
	struct vm *a = vm_new(m, 1, BLOCK + 8), *b;
	unsigned int in_place = 0, elsewhere = 0;

	(void)state;
	for (uint64_t g = 0; g < 4; g++)
		vm_fill_normal(a, g, SEED);
	vm_put_blob(a, owner_key, 0, 4, UV_ESM_SHA256);
	assert_int_equal(vm_esm(a), U_SUCCESS);
	/* The other's GFNs 0 to 4 get the last frames, 5 and 6 those that are next. */
	m->uv->rotor = BLOCK - 5;
	b = vm_secure(m, 2, 8, SEED + 1);
	assert_int_equal(entry_of(b, 6)->page, 6);
	for (uint64_t g = 4; g < 16; g++)
		assert_true(guest_is_zero(a, g));
	for (uint64_t g = 0; g < 16; g++) {
		uint32_t nr = entry_of(a, g)->page;

		assert_int_equal(m->uv->frames[nr].ready, nr == g);
		in_place += nr == g;
		elsewhere += nr != g;
	}
	assert_true(in_place >= 4 && elsewhere);
	assert_int_equal(m->uv->blocks[0].nready, in_place);
	for (uint64_t g = 0; g < 7; g++)
		assert_false(m->uv->frames[entry_of(b, g)->page].ready);
	machine_free(m);
}

/* Of an SVM that is gone nothing is set aside, and all blocks are free again. */
static void blocks_come_back(void **state)
{
	struct vm *vm;
	struct machine *m = secure_vm(&vm);
	unsigned int listed = 0;

	(void)state;
	for (int round = 0; round < 20; round++) {
		out(vm, 0, 3 * BLOCK);
		for (uint64_t g = 0; g < 3 * BLOCK; g++)
			assert_true(guest_check(vm, g, SEED));
	}
	host_terminate(vm);
	for (uint32_t b = m->uv->free_blocks; b != UV_NO_PAGE; b = m->uv->blocks[b].next)
		listed++;
	assert_int_equal(listed, m->uv->nblocks - 1);
	for (uint32_t b = 0; b < m->uv->nblocks; b++) {
		assert_null(m->uv->blocks[b].svm);
		assert_int_equal(m->uv->blocks[b].nfree, BLOCK);
		assert_int_equal(m->uv->blocks[b].nready, 0);
		assert_int_equal(m->uv->block_bucket[b], UV_NO_PAGE);
	}
	machine_free(m);
}

#define VCPUS 3
#define ROUNDS 6000

struct vcpu {
	pthread_t thread;
	struct vm *vm;
	unsigned int nr;
	unsigned int wrong;
};

static atomic_bool stop;

static uint32_t rnd(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

/* It alone writes every third page of the first two blocks, and knows what they hold. */
static void *use_pages(void *arg)
{
	uint32_t gen[2 * BLOCK], x;
	struct vcpu *v = arg;

	for (unsigned int g = 0; g < 2 * BLOCK; g++)
		gen[g] = SEED;
	x = 77 + v->nr;
	for (uint32_t i = 0; i < ROUNDS && !v->wrong; i++) {
		unsigned int g = rnd(&x) % (2 * BLOCK / VCPUS) * VCPUS + v->nr;

		v->wrong += !guest_check(v->vm, g, gen[g]);
		if (rnd(&x) % 2)
			guest_fill(v->vm, g, gen[g] = 1000 + i);
		if (i % 4 == 0)
			sched_yield();
	}
	return NULL;
}

/* Takes pages out, one by one, and sees to it that the blocks are whole again. */
static void *move_pages(void *arg)
{
	struct vcpu *v = arg;
	uint32_t x = 500 + v->nr;

	while (!atomic_load(&stop)) {
		const uint64_t block = rnd(&x) % 2 * BLOCK;
		const uint64_t args[4] = { block << SHIFT, BLOCK, H_SIM_PAGE_IN_TOUCHED, SHIFT };
		uint64_t done;

		for (uint32_t n = 1 + rnd(&x) % 3; n; n--)
			host_page_out(v->vm, block + rnd(&x) % BLOCK);
		sched_yield();
		hv_hcall(v->vm->m, v->vm, H_SIM_SVM_PAGE_IN_RANGE, args, &done);
		sched_yield();
	}
	return NULL;
}

/* What a guest wrote through the entry of a block is never lost. */
static void hammer(void **state)
{
	struct vcpu cpu[VCPUS] = { 0 }, host[2] = { 0 };
	struct vm *vm;
	struct machine *m = secure_vm(&vm);

	(void)state;
	m->no_page_tables = true;
	for (unsigned int i = 0; i < VCPUS; i++) {
		cpu[i] = (struct vcpu){ .vm = vm, .nr = i };
		assert_int_equal(pthread_create(&cpu[i].thread, NULL, use_pages, &cpu[i]), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		host[i] = (struct vcpu){ .vm = vm, .nr = i };
		assert_int_equal(pthread_create(&host[i].thread, NULL, move_pages, &host[i]), 0);
	}
	for (unsigned int i = 0; i < VCPUS; i++) {
		pthread_join(cpu[i].thread, NULL);
		assert_int_equal(cpu[i].wrong, 0);
	}
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(host[i].thread, NULL);
	assert_true(m->block_maps > 20);
	assert_int_equal(svm_info(vm).state, UV_VM_SECURE);
	assert_int_equal(svm_info(vm).integrity_failures, 0);
	print_message("%u blocks mapped, %llu page-ins\n", m->block_maps,
		      (unsigned long long)stats(m).page_ins);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_touch_maps_a_block),
		cmocka_unit_test(none_where_one_page_a_fault_is_asked_for),
		cmocka_unit_test(the_first_that_leaves_takes_all_along),
		cmocka_unit_test(two_leave_at_once),
		cmocka_unit_test(sealing_fails),
		cmocka_unit_test(shared_pages_are_no_part),
		cmocka_unit_test(a_snapshot_leaves_it_mapped),
		cmocka_unit_test(the_end_of_the_svm),
		cmocka_unit_test(read_in_order),
		cmocka_unit_test(read_otherwise),
		cmocka_unit_test(read_half_a_block),
		cmocka_unit_test(not_all_is_paged_out),
		cmocka_unit_test(tampered_inside),
		cmocka_unit_test(tampered_in_front),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_ranges),
		cmocka_unit_test(too_little_memory),
		cmocka_unit_test(a_block_that_is_none),
		cmocka_unit_test(out_of_place),
		cmocka_unit_test(blocks_come_back),
		cmocka_unit_test(hammer),
	};

	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
