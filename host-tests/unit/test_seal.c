// SPDX-License-Identifier: GPL-2.0
/* What leaves secure memory opens in one place, once, unchanged, or not at all. */
#include "machine.h"

#define SEED 11

static struct machine *one_vm(struct vm **vm)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 40 });

	*vm = vm_secure(m, 1, 12, SEED);
	return m;
}

/* Undo a stop, so that one machine serves many attacks. */
static void revive(struct vm *vm)
{
	struct uv_svm *svm = svm_of(vm);

	uv_lock(vm->m->uv, svm->table);
	uv_svm_set_state(svm, UV_VM_SECURE);
	svm->stop_reason = UV_STOP_NONE;
	uv_unlock(vm->m->uv, svm->table);
}

/* The guest's access is refused, the SVM stopped, and nothing of the page left. */
static void refused(struct vm *vm, uint64_t gfn)
{
	uint64_t failures = svm_info(vm).integrity_failures;
	uint8_t b;

	assert_int_equal(guest_copy(vm, gfn << vm->m->shift, &b, 1, false), -1);
	assert_int_equal(svm_info(vm).state, UV_VM_STOPPED);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_INTEGRITY);
	assert_int_equal(svm_info(vm).stop_gpa, gfn << vm->m->shift);
	assert_int_equal(svm_info(vm).integrity_failures, failures + 1);
	assert_int_equal(gfn_state(vm, gfn), UV_GFN_SEALED);
	assert_true(free_frames_are_zero(vm->m));
}

/* Of a large page every 257th: a bit of each 33 bytes, and each of a byte's bits. */
static void every_bit_of_the_ciphertext(void **state)
{
	const uint32_t step = PG > 4096 ? 257 : 1;
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint8_t *c = host_touch(vm, 2);

	(void)state;
	for (uint32_t bit = 0; bit < 8 * m->page; bit += step) {
		c[bit / 8] ^= 1 << bit % 8;
		refused(vm, 2);
		revive(vm);
		c[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(guest_check(vm, 2, SEED));
	machine_free(m);
}

static void every_bit_of_iv_and_tag(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint8_t *seal;

	(void)state;
	host_touch(vm, 2);
	seal = (uint8_t *)&entry_of(vm, 2)->seal;
	for (uint32_t bit = 0; bit < 8 * sizeof(struct uv_seal); bit++) {
		seal[bit / 8] ^= 1 << bit % 8;
		refused(vm, 2);
		revive(vm);
		seal[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(guest_check(vm, 2, SEED));
	machine_free(m);
}

static void another_page(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint8_t two[PG], *a = host_touch(vm, 2), *b = host_touch(vm, 3);

	(void)state;
	memcpy(two, a, PG);
	memcpy(a, b, PG);
	memcpy(b, two, PG);
	refused(vm, 2);
	revive(vm);
	refused(vm, 3);
	machine_free(m);
}

/* Ciphertext, IV and tag of one GFN at another: the GPA is bound as well. */
static void another_page_with_its_seal(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);

	(void)state;
	memcpy(host_touch(vm, 2), host_touch(vm, 3), PG);
	entry_of(vm, 2)->seal = entry_of(vm, 3)->seal;
	refused(vm, 2);
	machine_free(m);
}

static void another_svm(void **state)
{
	struct vm *vm, *other;
	struct machine *m = one_vm(&vm);

	(void)state;
	other = vm_secure(m, 2, 12, SEED);
	memcpy(host_touch(vm, 2), host_touch(other, 2), PG);
	entry_of(vm, 2)->seal = entry_of(other, 2)->seal;
	refused(vm, 2);
	assert_true(guest_check(other, 2, SEED));
	assert_int_equal(svm_info(other).state, UV_VM_SECURE);
	machine_free(m);
}

/* Even under the same key: the generation is bound. */
static void another_life(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);

	(void)state;
	host_touch(vm, 2);
	svm_of(vm)->generation++;
	refused(vm, 2);
	svm_of(vm)->generation--;
	revive(vm);
	assert_true(guest_check(vm, 2, SEED));
	machine_free(m);
}

static void a_new_key_for_each_life(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint8_t old[PG];

	(void)state;
	memcpy(old, host_touch(vm, 2), sizeof(old));
	host_terminate(vm);
	for (uint64_t g = 0; g < 10; g++)
		vm_fill_normal(vm, g, SEED);
	vm_put_blob(vm, owner_key, 0, 10, UV_ESM_SHA256);
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	assert_memory_not_equal(host_touch(vm, 2), old, sizeof(old));
	memcpy(host_touch(vm, 2), old, sizeof(old));
	refused(vm, 2);
	machine_free(m);
}

static void an_old_copy(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint8_t old[PG];

	(void)state;
	memcpy(old, host_touch(vm, 2), sizeof(old));
	assert_true(guest_check(vm, 2, SEED)); /* paged in, not even changed */
	memcpy(host_touch(vm, 2), old, sizeof(old));
	refused(vm, 2);
	machine_free(m);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, UV_IV_BYTES);
}

static void ivs_never_repeat(void **state)
{
	enum { N = 80 * 1024 * 1024 / PG }; /* as much to seal with any page size */
	uint8_t(*iv)[UV_IV_BYTES] = malloc(N * sizeof(*iv));
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint64_t ra = ra_alloc(m);

	(void)state;
	for (int i = 0; i < N; i++) {
		if (i % 3) /* snapshots and seals of zeros use IVs as well */
			assert_int_equal(
				hv(m, UV_PAGE_OUT, 1, ra, (i % 8) << SHIFT, UV_SNAPSHOT, SHIFT), 0);
		else
			host_touch(vm, i % 10);
		if (!(i % 3))
			assert_true(guest_check(vm, i % 10, SEED));
		memcpy(iv[i], m->last_iv, UV_IV_BYTES);
	}
	qsort(iv, N, sizeof(*iv), by_bytes);
	for (int i = 1; i < N; i++)
		assert_memory_not_equal(iv[i - 1], iv[i], UV_IV_BYTES);
	assert_int_equal(svm_info(vm).seals, N);
	ra_free(m, ra);
	free(iv);
	machine_free(m);
}

/* The last block of IVs is handed out; GFNs 2 and 3 share it. */
static void no_iv_left(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	struct uv_iv_block *block = &svm_of(vm)->iv[uv_gfn_chunk_index(2)];

	(void)state;
	svm_of(vm)->iv_counter = ~0ULL - UV_IV_BLOCK;
	block->next = block->end;
	assert_int_equal(host_page_out(vm, 2), U_SUCCESS);
	block->next = block->end;
	assert_int_equal(host_page_out(vm, 3), U_BUSY);
	assert_int_equal(host_page_out(vm, 3), U_BUSY);
	assert_int_equal(gfn_state(vm, 3), UV_GFN_RESIDENT);
	assert_true(guest_check(vm, 2, SEED));
	assert_true(guest_check(vm, 3, SEED));
	machine_free(m);
}

static void failed_seal_writes_nothing(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint64_t ra = ra_alloc(m);
	uint8_t before[PG];

	(void)state;
	memcpy(before, ra_va(m, ra), sizeof(before));
	m->fail_seal = true;
	assert_int_equal(hv(m, UV_PAGE_OUT, 1, ra, 2 << SHIFT, 0, SHIFT), U_BUSY);
	assert_memory_equal(ra_va(m, ra), before, sizeof(before));
	m->fail_seal = false;
	assert_true(guest_check(vm, 2, SEED));
	assert_int_equal(svm_info(vm).page_outs, 0);
	ra_free(m, ra);
	machine_free(m);
}

/* The host works on all of its memory while the ultravisor seals and opens. */
static uint8_t *attacked;

static void host_writes(struct machine *m, bool sealing)
{
	(void)m, (void)sealing;
	for (size_t i = 0; i < PG; i += 16)
		attacked[i] ^= 0xff;
}

static void host_changes_the_page_while_it_opens(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);

	(void)state;
	attacked = host_touch(vm, 2);
	m->on_crypt = host_writes;
	assert_true(guest_check(vm, 2, SEED));
	m->on_crypt = NULL;
	assert_int_equal(svm_info(vm).state, UV_VM_SECURE);
	machine_free(m);
}

static void host_changes_the_page_while_it_is_sealed(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint64_t ra = ra_alloc(m);

	(void)state;
	attacked = ra_va(m, ra);
	m->on_crypt = host_writes;
	assert_int_equal(hv(m, UV_PAGE_OUT, 1, ra, 2 << SHIFT, 0, SHIFT), U_SUCCESS);
	m->on_crypt = NULL;
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, 2 << SHIFT, 0, SHIFT), U_SUCCESS);
	assert_true(guest_check(vm, 2, SEED));
	ra_free(m, ra);
	machine_free(m);
}

/* Equal pages give different ciphertext, and nothing of them is in it. */
static void ciphertext_tells_nothing(void **state)
{
	struct vm *vm;
	struct machine *m = one_vm(&vm);
	uint8_t buf[PG], zero[32] = { 0 };

	(void)state;
	memset(buf, 0x41, sizeof(buf));
	assert_int_equal(guest_copy(vm, 2 << SHIFT, buf, sizeof(buf), true), 0);
	assert_int_equal(guest_copy(vm, 3 << SHIFT, buf, sizeof(buf), true), 0);
	assert_memory_not_equal(host_touch(vm, 2), host_touch(vm, 3), PG);
	assert_null(memmem(host_touch(vm, 2), PG, buf, 8));
	assert_null(memmem(host_touch(vm, 2), PG, zero, 8));
	assert_false(normal_contains(m, buf, 32));
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_of_the_ciphertext),
		cmocka_unit_test(every_bit_of_iv_and_tag),
		cmocka_unit_test(another_page),
		cmocka_unit_test(another_page_with_its_seal),
		cmocka_unit_test(another_svm),
		cmocka_unit_test(another_life),
		cmocka_unit_test(a_new_key_for_each_life),
		cmocka_unit_test(an_old_copy),
		cmocka_unit_test(ivs_never_repeat),
		cmocka_unit_test(no_iv_left),
		cmocka_unit_test(failed_seal_writes_nothing),
		cmocka_unit_test(host_changes_the_page_while_it_opens),
		cmocka_unit_test(host_changes_the_page_while_it_is_sealed),
		cmocka_unit_test(ciphertext_tells_nothing),
	};

	return cmocka_run_group_tests_name("sealing", tests, NULL, NULL);
}
