// SPDX-License-Identifier: GPL-2.0
/*
 * UV_ESM: good blobs, bad blobs, bad hypervisors; and that a VM whose UV_ESM
 * fails goes on as a normal one with every byte of its memory in place.
 */
#include "machine.h"
#include <openssl/evp.h>

#define N 20 /* pages; the last two hold the blob */
#define SEED 8

static void fill(struct vm *vm)
{
	for (uint64_t g = 0; g < N - 2; g++)
		vm_fill_normal(vm, g, SEED);
	vm_put_blob(vm, owner_key, 0, N - 2, UV_ESM_SHA256);
}

static struct vm *normal_vm(uint32_t secure_pages)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = secure_pages });
	struct vm *vm = vm_new(m, 1, N);

	fill(vm);
	return vm;
}

/* Everything as if UV_ESM had never been called. @except: a page that differs. */
static void is_normal_again(struct vm *vm, int64_t except)
{
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(svm_info(vm).stop_reason, UV_STOP_NONE);
	assert_int_equal(svm_info(vm).memslots, 0);
	assert_int_equal(stats(vm->m).secure_used, 0);
	assert_int_equal(vm->m->uv->reserved, 0);
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true((int64_t)g == except || vm_check_normal(vm, g, SEED));
	assert_true(free_frames_are_zero(vm->m));
}

static void secure_now(struct vm *vm)
{
	uint64_t out[UV_UCALL_OUT] = { 77, 77 };

	assert_int_equal(guest(vm, UV_ESM, vm->blob_gpa, 0, out), U_SUCCESS);
	assert_int_equal(out[0], 0);
	assert_int_equal(svm_info(vm).esm_ret, U_SUCCESS);
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true(guest_check(vm, g, SEED));
}

static const uint32_t sizes[] = { 64, 7, 2, 1 };

/* Every kind of hypervisor, from plenty of secure memory to a single page. */
static void each_world(void (*test)(struct vm *vm))
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int kind = 0; kind < 4; kind++) {
			struct vm *vm = normal_vm(sizes[i]);

			vm->m->no_range = kind & 1;
			vm->m->back_holes = kind & 2;
			test(vm);
			machine_free(vm->m);
		}
	}
}

static void good(void **state)
{
	(void)state;
	each_world(secure_now);
}

static void wrong_digest(struct vm *vm)
{
	host_touch(vm, 17)[PG - 1] ^= 1;
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	assert_int_equal(svm_info(vm).esm_ret, U_PERMISSION);
	assert_true(logged(vm->m, "LPID 1: UV_ESM failed: -11"));
	is_normal_again(vm, 17);
	host_touch(vm, 17)[PG - 1] ^= 1;
	secure_now(vm); /* and it may try again */
}

static void failed_measurement(void **state)
{
	(void)state;
	each_world(wrong_digest);
}

static bool not_done(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		     uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)args, (void)out;
	*ret = H_STATE;
	return nr == H_SVM_INIT_DONE;
}

static void done_refused(struct vm *vm)
{
	vm->m->hook = not_done;
	assert_int_equal(vm_esm(vm), U_INVALID);
	is_normal_again(vm, -1);
	vm->m->hook = NULL;
	secure_now(vm);
}

static void failed_init_done(void **state)
{
	(void)state;
	each_world(done_refused);
}

static unsigned int seen, countdown;

/* From the @countdown-th on, page-ins are refused as busy. */
static bool busy_after(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		       uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)args;
	if ((nr != H_SVM_PAGE_IN && nr != H_SIM_SVM_PAGE_IN_RANGE) || countdown-- > 1)
		return false;
	countdown = 1;
	if (seen++ > 200) /* lets the abort have what it needs */
		return false;
	*ret = H_BUSY;
	*out = 0;
	return true;
}

static void page_in_busy(struct vm *vm)
{
	vm->m->hook = busy_after;
	seen = 0;
	countdown = 1;
	assert_int_equal(vm_esm(vm), U_RETRY);
	assert_true(seen >= UV_MAX_TRIES);
	is_normal_again(vm, -1);
	vm->m->hook = NULL;
	secure_now(vm);
}

static void failed_page_in(void **state)
{
	(void)state;
	each_world(page_in_busy);
}

/* The N-th hypercall of UV_ESM: the hypervisor terminates the VM inside it. */
static bool terminate_at(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			 uint64_t *out, int64_t *ret)
{
	(void)args, (void)nr;
	if (!countdown || --countdown)
		return false;
	m->hook = NULL;
	host_terminate(vm);
	*ret = H_SUCCESS;
	*out = 1;
	return true;
}

static void terminated_inside(void **state)
{
	unsigned int at, done = 0;

	(void)state;
	for (at = 1; !done; at++) {
		struct vm *vm = normal_vm(7);
		int64_t ret;

		vm->m->hook = terminate_at;
		countdown = at;
		ret = vm_esm(vm);
		done = countdown > 0;
		assert_int_equal(ret, done ? U_SUCCESS : U_INVALID);
		if (!done) {
			assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
			assert_int_equal(stats(vm->m).secure_used, 0);
			fill(vm);
			secure_now(vm);
		}
		machine_free(vm->m);
	}
	assert_true(at > 20);
}

/* The hypervisor aborts on its own account: it gets no plaintext. */
static bool abort_at_done(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			  uint64_t *out, int64_t *ret)
{
	if (nr != H_SVM_INIT_DONE)
		return false;
	hv_hcall(m, vm, H_SVM_INIT_ABORT, args, out);
	*ret = H_SUCCESS;
	return true;
}

static void unasked_abort(struct vm *vm)
{
	uint8_t page[PG];

	vm->m->hook = abort_at_done;
	assert_int_equal(vm_esm(vm), U_INVALID);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	for (uint64_t g = 0; g < N - 2; g++) {
		pattern(vm->m, page, g, SEED);
		assert_false(normal_contains(vm->m, page, 64));
	}
}

static void abort_by_the_hypervisor(void **state)
{
	(void)state;
	each_world(unasked_abort);
}

/* It answers H_SVM_INIT_ABORT but never terminates: the ultravisor does. */
static bool lazy_abort(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		       uint64_t *out, int64_t *ret)
{
	(void)m, (void)args, (void)out;
	if (nr != H_SVM_INIT_ABORT)
		return false;
	vm->init_start = false;
	*ret = H_SUCCESS;
	return true;
}

static void abort_ignored(void **state)
{
	struct vm *vm = normal_vm(64);

	(void)state;
	host_touch(vm, 3)[0] ^= 1;
	vm->m->hook = lazy_abort;
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(stats(vm->m).secure_used, 0);
	machine_free(vm->m);
}

/* UV_ESM in two steps: transient between them, to all others as if it ran. */
static void two_steps(void **state)
{
	struct vm *vm = normal_vm(64);

	(void)state;
	assert_int_equal(guest(vm, UV_SIM_ESM_FINISH, vm->blob_gpa, 0, NULL), U_INVALID);
	assert_int_equal(guest(vm, UV_SIM_ESM_START, 0, 0, NULL), U_SUCCESS);
	assert_int_equal(svm_info(vm).state, UV_VM_TRANSIENT);
	assert_int_equal(guest(vm, UV_SIM_ESM_START, 0, 0, NULL), U_BUSY);
	assert_int_equal(guest(vm, UV_ESM, vm->blob_gpa, 0, NULL), U_BUSY);
	assert_int_equal(guest(vm, UV_SHARE_PAGE, 1, 1, NULL), U_INVALID);
	assert_int_equal(guest(vm, UV_SIM_ESM_FINISH, vm->blob_gpa, 0, NULL), U_SUCCESS);
	assert_int_equal(guest(vm, UV_SIM_ESM_FINISH, vm->blob_gpa, 0, NULL), U_INVALID);
	for (uint64_t g = 0; g < N - 2; g++)
		assert_true(guest_check(vm, g, SEED));
	machine_free(vm->m);
}

static void two_steps_that_fail(void **state)
{
	struct vm *vm = normal_vm(64);

	(void)state;
	assert_int_equal(guest(vm, UV_SIM_ESM_START, 0, 0, NULL), U_SUCCESS);
	assert_int_equal(guest(vm, UV_SIM_ESM_FINISH, N << 12, 0, NULL), U_PARAMETER);
	is_normal_again(vm, -1);
	/* Terminated in between: the LPID is free at once, and UV_ESM is possible. */
	assert_int_equal(guest(vm, UV_SIM_ESM_START, 0, 0, NULL), U_SUCCESS);
	assert_int_equal(hv(vm->m, UV_SVM_TERMINATE, 1, 0, 0, 0, 0), U_SUCCESS);
	assert_int_equal(guest(vm, UV_SIM_ESM_FINISH, vm->blob_gpa, 0, NULL), U_INVALID);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(hv(vm->m, UV_WRITE_PATE, 1, UV_PATE_HR, 0x1000, 0, 0), U_SUCCESS);
	machine_free(vm->m);
}

/* After measurement began, the hypervisor offers contents for what was a hole. */
static bool slip_in(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		    uint64_t *out, int64_t *ret)
{
	uint64_t ra;

	(void)args, (void)out, (void)ret;
	if (nr != H_SVM_INIT_DONE)
		return false;
	ra = ra_alloc(m);
	memset(ra_va(m, ra), 0x90, m->page);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, (uint64_t)N << SHIFT, 0, SHIFT), U_SUCCESS);
	assert_int_equal(hv(m, UV_PAGE_IN, 1, ra, 3 << SHIFT, 0, SHIFT), U_P3);
	ra_free(m, ra);
	vm->h[N].state = H_DEVICE;
	return false;
}

static void nothing_comes_in_after_measurement(void **state)
{
	struct vm *vm = normal_vm(64);

	(void)state;
	vm_add_slot(vm, N, 10);
	vm->m->hook = slip_in;
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	assert_true(guest_is_zero(vm, N));
	memset(host_touch(vm, N + 1), 0x90, PG);
	assert_true(guest_is_zero(vm, N + 1));
	assert_true(guest_check(vm, 3, SEED));
	machine_free(vm->m);
}

static unsigned int replacements;

static void slot(struct machine *m, uint64_t id, uint64_t gfn, uint64_t n)
{
	assert_int_equal(hv(m, UV_REGISTER_MEM_SLOT, 1, gfn << SHIFT, n << SHIFT, 0, id),
			 U_SUCCESS);
}

/*
 * The first page has a memslot of its own. When it was measured, and others are, it is taken
 * away and put back, with zeros in it.
 */
static bool replace(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
		    uint64_t *out, int64_t *ret)
{
	static bool replaced;
	bool in = nr == H_SVM_PAGE_IN || nr == H_SIM_SVM_PAGE_IN_RANGE;
	uint64_t gfn = args[0] >> m->shift;

	(void)out, (void)ret;
	if (in && !svm_of(vm)->measuring && !svm_of(vm)->aborting && svm_info(vm).memslots == 1) {
		assert_int_equal(hv(m, UV_UNREGISTER_MEM_SLOT, 1, 0, 0, 0, 0), U_SUCCESS);
		slot(m, 7, 0, 1);
		slot(m, 8, 1, N - 1);
		replaced = false;
	} else if (in && svm_of(vm)->measuring && gfn >= 5 && gfn < N - 2 && !replaced) {
		assert_int_equal(hv(m, UV_UNREGISTER_MEM_SLOT, 1, 7, 0, 0, 0), U_SUCCESS);
		slot(m, 7, 0, 1);
		replaced = true;
		replacements++;
	}
	return false;
}

static void measured_memory_is_replaced(void **state)
{
	struct vm *vm = normal_vm(7);

	(void)state;
	vm->m->hook = replace;
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	assert_int_equal(replacements, 1);
	assert_int_equal(svm_info(vm).state, UV_VM_NORMAL);
	assert_int_equal(stats(vm->m).secure_used, 0);
	machine_free(vm->m);
}

static unsigned int busy_left;
static uint64_t busy_gfn;

/* Somebody has a page in use when an UV_ESM that failed wants it back. */
static bool busy_for_a_while(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			     uint64_t *out, int64_t *ret)
{
	bool in = nr == H_SVM_PAGE_IN || nr == H_SIM_SVM_PAGE_IN_RANGE;

	(void)out;
	if (!in || !svm_of(vm)->aborting || !busy_left)
		return false;
	if (busy_gfn == N)
		busy_gfn = args[0] >> m->shift;
	if (args[0] >> m->shift != busy_gfn)
		return false;
	busy_left--;
	*ret = H_BUSY;
	return true;
}

/* UV_ESM fails, and then a page is busy so often. */
static void fail_with_busy_page(struct vm *vm, unsigned int times)
{
	busy_gfn = N;
	busy_left = times;
	host_touch(vm, 17)[PG - 1] ^= 1;
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	host_touch(vm, 17)[PG - 1] ^= 1;
	assert_int_not_equal(busy_gfn, N);
}

static void busy_while_it_is_given_back(void **state)
{
	struct vm *vm = normal_vm(7);

	(void)state;
	vm->m->hook = busy_for_a_while;
	fail_with_busy_page(vm, 300);
	assert_int_equal(busy_left, 0);
	is_normal_again(vm, -1);

	/* What never is given back is said to be lost. */
	fail_with_busy_page(vm, 1000000);
	assert_true(logged(vm->m, "LPID 1: pages that stay sealed, since the hypervisor did "
				  "not give them: 1"));
	is_normal_again(vm, (int64_t)busy_gfn);
	machine_free(vm->m);
}

/* The hypervisor changes a page that was evicted before it is measured. */
static bool tampered;

static bool tamper_evicted(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			   uint64_t *out, int64_t *ret)
{
	uint64_t gfn = args[0] >> m->shift;

	if (nr != H_SVM_PAGE_OUT || gfn != 0 || tampered)
		return false;
	tampered = true;
	*ret = hv_hcall(m, vm, nr, args, out);
	ra_va(m, vm->h[0].ra)[9] ^= 1;
	return true;
}

static void tampering_before_measurement(void **state)
{
	struct vm *vm = normal_vm(7);

	(void)state;
	tampered = false;
	vm->m->hook = tamper_evicted;
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	assert_true(tampered);
	assert_true(svm_info(vm).integrity_failures > 0);
	vm->m->hook = NULL;
	is_normal_again(vm, 0);
	machine_free(vm->m);
}

static bool absurd_answers(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			   uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)args;
	if (nr != H_SIM_SVM_PAGE_IN_RANGE)
		return false;
	*out = ~0ULL;
	*ret = H_BUSY;
	return true;
}

/* It says that all is in, and nothing is: the digests tell. */
static void hypervisor_lies(void **state)
{
	struct vm *vm = normal_vm(64);

	(void)state;
	vm->m->hook = absurd_answers;
	assert_int_equal(vm_esm(vm), U_PARAMETER); /* zeros are no blob */
	is_normal_again(vm, -1);
	machine_free(vm->m);
}

static void key_of_someone_else(void **state)
{
	struct vm *vm = normal_vm(64);
	uint8_t key[32] = { 0 };

	(void)state;
	vm_put_blob(vm, key, 0, 4, UV_ESM_SHA256);
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	is_normal_again(vm, -1);
	machine_free(vm->m);
}

/* Put a blob of @ranges at page N - 2. */
static void put_ranges(struct vm *vm, uint64_t entry, const struct uv_esm_range_src *r,
		       unsigned int n)
{
	uint8_t *blob;
	size_t len;

	assert_int_equal(uv_esm_blob_build(owner_key, entry, r, n, &blob, &len), 0);
	memcpy(host_touch(vm, N - 2), blob, len);
	free(blob);
}

static void ranges_of_any_bytes(void **state)
{
	static const uint8_t zeros[3 * PG];
	struct vm *vm = normal_vm(5);
	uint8_t mem[4 * PG];
	uint64_t out[2];

	(void)state;
	vm_add_slot(vm, N, 4); /* holes: measured as zeros */
	for (int g = 0; g < 4; g++)
		memcpy(mem + g * PG, host_touch(vm, g), PG);
	put_ranges(vm, 0x1234,
		   (struct uv_esm_range_src[]){
			   { PG - 1, mem + PG - 1, 1, UV_ESM_SHA256 },
			   { 100, mem + 100, 3 * PG, UV_ESM_SHA512 },
			   { 0x1234, mem + 0x1234, 1, UV_ESM_SHA512 },
			   { (N << SHIFT) + 1, zeros, sizeof(zeros), UV_ESM_SHA256 } },
		   4);
	assert_int_equal(guest(vm, UV_ESM, vm->blob_gpa, 0, out), U_SUCCESS);
	assert_int_equal(out[0], 0x1234);
	assert_true(logged(vm->m, "entry 0x1234"));
	machine_free(vm->m);
}

static void range_in_no_slot(void **state)
{
	struct vm *vm = normal_vm(64);

	(void)state;
	put_ranges(vm, 5 * PG,
		   (struct uv_esm_range_src[]){
			   { 5 * PG, host_touch(vm, 5), PG, UV_ESM_SHA256 },
			   { (N + 8) << SHIFT, host_touch(vm, 5), PG, UV_ESM_SHA256 } },
		   2);
	assert_int_equal(vm_esm(vm), U_PERMISSION);
	is_normal_again(vm, -1);
	machine_free(vm->m);
}

static void builder_refuses(void **state)
{
	struct uv_esm_range_src r = { 0x1000, owner_key, 32, UV_ESM_SHA256 };
	struct uv_esm_range_src many[257];
	uint8_t *blob;
	size_t len;

	(void)state;
	for (int i = 0; i < 257; i++)
		many[i] = r;
	assert_int_equal(uv_esm_blob_build(owner_key, 0x1000, many, 256, &blob, &len), 0);
	free(blob);
	assert_true(uv_esm_blob_build(owner_key, 0x1000, many, 257, &blob, &len) < 0);
	assert_true(uv_esm_blob_build(owner_key, 0x1000, many, 0, &blob, &len) < 0);
	assert_true(uv_esm_blob_build(owner_key, 0x1020, &r, 1, &blob, &len) < 0);
	assert_true(uv_esm_blob_build(owner_key, 0xfff, &r, 1, &blob, &len) < 0);
	r.alg = 3;
	assert_true(uv_esm_blob_build(owner_key, 0x1000, &r, 1, &blob, &len) < 0);
	r.alg = UV_ESM_SHA512;
	r.len = 0;
	assert_true(uv_esm_blob_build(owner_key, 0x1000, &r, 1, &blob, &len) < 0);
	r.len = 32;
	r.gpa = ~0ULL - 30;
	assert_true(uv_esm_blob_build(owner_key, ~0ULL, &r, 1, &blob, &len) < 0);
}

/* AES-256-GCM of a blob with the owner key, for what the builder refuses. */
static void crypt_blob(uint8_t *blob, size_t len, int enc)
{
	struct uv_esm_header *h = (struct uv_esm_header *)blob;
	uint8_t *table = blob + sizeof(*h), *tag = blob + len - 16;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, owner_key, h->iv, enc);
	if (!enc)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag);
	EVP_CipherUpdate(c, NULL, &n, blob, sizeof(*h));
	EVP_CipherUpdate(c, table, &n, table, (int)(tag - table));
	assert_int_equal(EVP_CipherFinal_ex(c, tag, &n), 1);
	if (enc)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	EVP_CIPHER_CTX_free(c);
}

/* What the owner signed makes no sense: one field each. */
static void signed_nonsense(void **state)
{
	static const struct {
		size_t off, bytes;
		uint64_t value;
		int64_t ret;
	} row[] = {
#define H(f) offsetof(struct uv_esm_header, f)
#define R(f) (sizeof(struct uv_esm_header) + offsetof(struct uv_esm_range, f))
		{ H(version), 4, 2, U_PARAMETER },
		{ H(total_size), 4, 1, U_PARAMETER },
		{ H(total_size), 4, ~0u, U_PARAMETER },
		{ H(nranges), 4, 0, U_PARAMETER },
		{ H(nranges), 4, 257, U_PARAMETER },
		{ H(nranges), 4, 0x02e8ba2f, U_PARAMETER }, /* size would wrap */
		{ H(flags), 4, 1, U_PARAMETER },
		{ H(reserved), 4, 1, U_PARAMETER },
		{ H(entry), 8, 9 * PG, U_PERMISSION },
		{ H(entry), 8, ~0ULL, U_PERMISSION },
		{ R(gpa), 8, 1ULL << 60, U_PERMISSION },
		{ R(gpa), 8, ~0ULL - 10, U_PERMISSION },
		{ R(len), 8, 0, U_PERMISSION },
		{ R(len), 8, ~0ULL, U_PERMISSION },
		{ R(len), 8, 1ULL << 45, U_PERMISSION },
		{ R(alg), 4, 0, U_PERMISSION },
		{ R(alg), 4, 3, U_PERMISSION },
		{ R(alg), 4, UV_ESM_SHA512, U_PERMISSION },
		{ R(reserved), 4, 1, U_PERMISSION },
		{ R(digest) + 40, 1, 1, U_PERMISSION }, /* behind a SHA-256 */
	};
	const size_t len = sizeof(struct uv_esm_header) + sizeof(struct uv_esm_range) + 16;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct vm *vm = normal_vm(64);
		uint8_t *blob;

		put_ranges(vm, 5 * PG,
			   &(struct uv_esm_range_src){ 5 * PG, host_touch(vm, 5), PG,
						       UV_ESM_SHA256 },
			   1);
		blob = host_touch(vm, N - 2);
		crypt_blob(blob, len, 0);
		memcpy(blob + row[i].off, &row[i].value, row[i].bytes);
		crypt_blob(blob, len, 1);
		if (vm_esm(vm) != row[i].ret)
			fail_msg("row %zu: %lld", i, (long long)svm_info(vm).esm_ret);
		is_normal_again(vm, -1);
		machine_free(vm->m);
	}
}

static void every_byte_of_the_blob(void **state)
{
	struct vm *vm = normal_vm(64);
	size_t len = sizeof(struct uv_esm_header) + 2 * sizeof(struct uv_esm_range) + 16;

	(void)state;
	put_ranges(vm, 5 * PG,
		   (struct uv_esm_range_src[]){ { 5 * PG, host_touch(vm, 5), PG, UV_ESM_SHA256 },
						{ 6 * PG, host_touch(vm, 6), PG, UV_ESM_SHA512 } },
		   2);
	for (size_t i = 0; i < len; i++) {
		int64_t ret;

		host_touch(vm, N - 2)[i] ^= 1 << i % 8;
		ret = vm_esm(vm);
		assert_true(ret == U_PERMISSION || ret == U_PARAMETER);
		host_touch(vm, N - 2)[i] ^= 1 << i % 8;
	}
	is_normal_again(vm, -1);
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	machine_free(vm->m);
}

/* A blob over two pages, one of which was evicted. */
static void blob_over_pages(void **state)
{
	struct vm *vm = normal_vm(3);
	struct uv_esm_range_src r[50];
	const size_t first = 2000; /* bytes of it in the first page */
	uint8_t *blob;
	size_t len;

	(void)state;
	for (int i = 0; i < 50; i++)
		r[i] = (struct uv_esm_range_src){ PG + 8 * i, host_touch(vm, 1) + 8 * i, 8,
						  UV_ESM_SHA512 };
	assert_int_equal(uv_esm_blob_build(owner_key, PG, r, 50, &blob, &len), 0);
	assert_true(len > first);
	memcpy(host_touch(vm, N - 2) + PG - first, blob, first);
	memcpy(host_touch(vm, N - 1), blob + first, len - first);
	free(blob);
	assert_int_equal(guest(vm, UV_ESM, vm->blob_gpa + PG - first, 0, NULL), U_SUCCESS);
	machine_free(vm->m);
}

/* Upstream's half says H_PARAMETER for a page that is busy, a few times or for good. */
static unsigned int busy;

static bool busy_parameter(struct machine *m, struct vm *vm, uint64_t nr, const uint64_t *args,
			   uint64_t *out, int64_t *ret)
{
	(void)m, (void)vm, (void)out;
	*ret = H_PARAMETER;
	return nr == H_SVM_PAGE_IN && args[0] == 3 << SHIFT && busy && busy--;
}

static void busy_upstream(void **state)
{
	static const struct {
		unsigned int times;
		int64_t want;
	} how[] = { { 3, U_SUCCESS }, { ~0u, U_RETRY } };

	(void)state;
	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		struct vm *vm = normal_vm(64);

		busy = how[i].times;
		vm->m->no_range = true;
		vm->m->hook = busy_parameter;
		assert_int_equal(vm_esm(vm), how[i].want);
		vm->m->hook = NULL;
		assert_int_equal(svm_info(vm).state,
				 how[i].want == U_SUCCESS ? UV_VM_SECURE : UV_VM_NORMAL);
		machine_free(vm->m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(failed_measurement),
		cmocka_unit_test(failed_init_done),
		cmocka_unit_test(failed_page_in),
		cmocka_unit_test(terminated_inside),
		cmocka_unit_test(abort_by_the_hypervisor),
		cmocka_unit_test(abort_ignored),
		cmocka_unit_test(two_steps),
		cmocka_unit_test(two_steps_that_fail),
		cmocka_unit_test(nothing_comes_in_after_measurement),
		cmocka_unit_test(measured_memory_is_replaced),
		cmocka_unit_test(busy_while_it_is_given_back),
		cmocka_unit_test(tampering_before_measurement),
		cmocka_unit_test(hypervisor_lies),
		cmocka_unit_test(key_of_someone_else),
		cmocka_unit_test(ranges_of_any_bytes),
		cmocka_unit_test(range_in_no_slot),
		cmocka_unit_test(builder_refuses),
		cmocka_unit_test(signed_nonsense),
		cmocka_unit_test(every_byte_of_the_blob),
		cmocka_unit_test(blob_over_pages),
		cmocka_unit_test(busy_upstream),
	};

	return cmocka_run_group_tests_name("esm", tests, NULL, NULL);
}
