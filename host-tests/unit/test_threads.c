// SPDX-License-Identifier: GPL-2.0
/*
 * Several vCPUs and host threads on the same pages of two SVMs, secure memory
 * far too small, while a third VM goes secure and is terminated all the time.
 * Each GFN has one vCPU that writes it and knows every byte it must hold.
 */
#include "machine.h"
#include <stdatomic.h>
#include <unistd.h>

#define N 34 /* pages of an SVM; two hold the blob */
#define DATA (N - 2)
#define ROUNDS 15000

static atomic_bool stop;
static atomic_uint wrong;

struct worker {
	pthread_t thread;
	struct vm *vm;
	uint32_t seed;
	unsigned int first, step;
};

static uint32_t rnd(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static bool holds(struct vm *vm, uint64_t gfn, uint32_t gen)
{
	return gen ? guest_check(vm, gfn, gen) : guest_is_zero(vm, gfn);
}

/* A vCPU: gen[g] is what GFN g holds, 0 for zeros; shared pages are skipped. */
static void *vcpu(void *arg)
{
	struct worker *w = arg;
	uint32_t gen[DATA], x = w->seed;
	bool shared[DATA] = { false };

	for (unsigned int g = 0; g < DATA; g++)
		gen[g] = 7;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned int g = w->first + w->step * (rnd(&x) % (DATA / w->step));

		if (shared[g]) {
			if (guest(w->vm, UV_UNSHARE_PAGE, g, 1, NULL) == U_SUCCESS) {
				shared[g] = false;
				gen[g] = 0;
			}
			continue;
		}
		if (!holds(w->vm, g, gen[g])) {
			atomic_fetch_add(&wrong, 1);
			break;
		}
		switch (rnd(&x) % 8) {
		case 0:
			guest(w->vm, UV_SHARE_PAGE, g, 1, NULL);
			shared[g] = true;
			break;
		case 1:
			guest(w->vm, UV_UNSHARE_PAGE, g, 1, NULL);
			gen[g] = 0;
			break;
		case 2:
		case 3:
			gen[g] = 1000 + i;
			guest_fill(w->vm, g, gen[g]);
			break;
		}
	}
	return NULL;
}

static void *host(void *arg)
{
	struct worker *w = arg;
	uint32_t x = w->seed;

	while (!atomic_load(&stop)) {
		uint64_t g = rnd(&x) % N;
		uint8_t states[N];

		switch (rnd(&x) % 8) {
		case 0:
			host_unmap_shared(w->vm, g);
			break;
		case 1:
			uv_get_map(w->vm->m->uv, w->vm->lpid, 0, N, states);
			stats(w->vm->m);
			svm_info(w->vm);
			break;
		default:
			host_page_out(w->vm, g);
		}
		sched_yield();
	}
	return NULL;
}

/* Secure, used, terminated, again. Its guest's accesses may fail at any time. */
static void *unsteady_guest(void *arg)
{
	struct worker *w = arg;
	uint32_t x = w->seed;
	uint8_t b[64];

	while (!atomic_load(&stop)) {
		guest_copy(w->vm, (rnd(&x) % 8) << SHIFT, b, sizeof(b), rnd(&x) & 1);
		guest(w->vm, rnd(&x) & 1 ? UV_SHARE_PAGE : UV_UNSHARE_PAGE, rnd(&x) % 8, 2, NULL);
		sched_yield();
	}
	return NULL;
}

static void *unsteady_host(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&stop)) {
		host_terminate(w->vm);
		guest(w->vm, UV_ESM, w->vm->blob_gpa, 0, NULL);
		sched_yield();
	}
	return NULL;
}

static void start(struct worker *w, struct vm *vm, uint32_t seed, void *(*fn)(void *))
{
	w->vm = vm;
	w->seed = seed;
	assert_int_equal(pthread_create(&w->thread, NULL, fn, w), 0);
}

static void hammer(void **state)
{
	struct machine *m =
		machine_new(&(struct options){ .secure_pages = 24, .normal_pages = 600 });
	struct vm *vm[2], *third;
	struct worker cpu[4] = { 0 }, hosts[3] = { 0 }, other[2] = { 0 };

	(void)state;
	for (int v = 0; v < 2; v++)
		vm[v] = vm_secure(m, 1 + v, N, 7);
	third = vm_new(m, 3, 12);
	vm_put_blob(third, owner_key, 0, 4, UV_ESM_SHA256);
	for (int i = 0; i < 4; i++) {
		cpu[i].first = i & 1;
		cpu[i].step = 2;
		start(&cpu[i], vm[i / 2], 99 + i, vcpu);
	}
	for (int i = 0; i < 3; i++)
		start(&hosts[i], i < 2 ? vm[i] : third, 300 + i, host);
	start(&other[0], third, 500, unsteady_guest);
	start(&other[1], third, 501, unsteady_host);
	for (int i = 0; i < 4; i++)
		pthread_join(cpu[i].thread, NULL);
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(hosts[i].thread, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(other[i].thread, NULL);

	assert_int_equal(wrong, 0);
	for (int v = 0; v < 2; v++) {
		assert_int_equal(svm_info(vm[v]).state, UV_VM_SECURE);
		assert_int_equal(svm_info(vm[v]).integrity_failures, 0);
		assert_true(svm_info(vm[v]).evictions > 100);
	}
	assert_int_equal(m->uv->reserved, 0);
	print_message("seeds 99-102, 300-302, 500-501; %llu page-ins, %llu evictions\n",
		      (unsigned long long)stats(m).page_ins,
		      (unsigned long long)stats(m).evictions);
	machine_free(m);
}

static atomic_int sealing, barrier_passed;

static void seal_slowly(struct machine *m, bool seals)
{
	(void)m, (void)seals;
	atomic_store(&sealing, 1);
	while (atomic_load(&sealing) == 1)
		sched_yield();
}

static void *page_out_slowly(void *arg)
{
	struct worker *w = arg;

	host_page_out(w->vm, 3);
	return NULL;
}

static void *pass_barrier(void *arg)
{
	struct worker *w = arg;

	uv_svm_barrier(svm_of(w->vm));
	atomic_store(&barrier_passed, 1);
	return NULL;
}

/* Whoever changes the VM's state waits for an operation that began before. */
static void barrier_waits(void **state)
{
	struct machine *m = machine_new(&(struct options){ .secure_pages = 24 });
	struct worker out = { 0 }, waiter = { 0 };
	struct vm *vm = vm_secure(m, 1, 12, 7);

	(void)state;
	m->on_crypt = seal_slowly;
	start(&out, vm, 0, page_out_slowly);
	while (!atomic_load(&sealing))
		sched_yield();
	start(&waiter, vm, 0, pass_barrier);
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		assert_int_equal(atomic_load(&barrier_passed), 0);
	}
	atomic_store(&sealing, 2);
	pthread_join(out.thread, NULL);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(barrier_passed, 1);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(barrier_waits),
		cmocka_unit_test(hammer),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
