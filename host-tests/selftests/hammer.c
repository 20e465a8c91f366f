// SPDX-License-Identifier: GPL-2.0
/*
 * Several vCPUs and host threads on the same pages at once. Each vCPU has words
 * of its own in every page and knows what it wrote there last (AGENT_PATTERN
 * compares before it writes); at each barrier all of them are verified. The host
 * may see ciphertext, zeros, and of shared pages what is in them: a word of the
 * pattern in a page that is not shared is a leak.
 */
#include <pthread.h>
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed000e
#define VCPUS 4
#define PAGES 48 /* of one VM, all of which everybody uses */

struct hammer {
	struct vm *vm;
	uint64_t gpa; /* of the first page */
	uint64_t seed;
	uint64_t iterations; /* of the pattern in one round */
	bool stop;
	uint64_t looks, leaks, calls;
};

FIXTURE(hammer)
{
	struct vm vm[2];
	struct usage before;
};

FIXTURE_SETUP(hammer)
{
	static const struct vm_opts opts = { .vcpus = VCPUS };

	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start_secure(&self->vm[0], &opts));
	ASSERT_EQ(0, vm_start_secure(&self->vm[1], &opts));
	say("seed 0x%x", SEED);
}

FIXTURE_TEARDOWN(hammer)
{
	EXPECT_EQ(0, vm_kill(&self->vm[0]));
	EXPECT_EQ(0, vm_kill(&self->vm[1]));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* The part of the pages that belongs to @vcpu in a round: it moves on each time. */
static uint64_t part(const struct hammer *h, unsigned int vcpu, unsigned int round)
{
	return h->gpa + ((vcpu + round) % VCPUS) * (PAGES / VCPUS) * page_size();
}

static uint64_t seed_of(const struct hammer *h, unsigned int vcpu, unsigned int round)
{
	return h->seed + round * VCPUS + vcpu;
}

/* A pattern's word where nothing but ciphertext or zeros may be. */
static bool leaks(const struct hammer *h, const uint8_t *seen, uint64_t gpa, unsigned int rounds)
{
	uint8_t *plain = malloc(page_size());
	bool leak = false;

	for (unsigned int round = 0; !leak && round < rounds; round++) {
		for (unsigned int vcpu = 0; !leak && vcpu < VCPUS; vcpu++) {
			uint64_t first = agent_pattern(seed_of(h, vcpu, round), gpa, 0);

			/* A whole page that matches is found by its first words already. */
			leak = !memcmp(seen, &first, sizeof(first));
			if (part(h, vcpu, round) > gpa ||
			    gpa >= part(h, vcpu, round) + PAGES / VCPUS * page_size())
				continue;
			pattern_fill(plain, gpa, page_size(), seed_of(h, vcpu, round),
				     h->iterations - 1);
			leak = leak || !no_plaintext(seen, plain, page_size());
		}
	}
	free(plain);
	return leak;
}

#define ROUNDS_MAX 8

static void *host_looks(void *arg)
{
	struct hammer *h = arg;
	uint8_t *seen = malloc(page_size());
	uint64_t random = h->seed;
	struct uvc c;

	if (!seen || vm_connect(h->vm, &c))
		return NULL;
	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
		uint64_t gpa = h->gpa + rnd(&random) % PAGES * page_size();

		if (uvc_peek(&c, gpa, seen, page_size()) != (ssize_t)page_size() ||
		    leaks(h, seen, gpa, ROUNDS_MAX))
			__atomic_add_fetch(&h->leaks, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&h->looks, 1, __ATOMIC_RELAXED);
	}
	uvc_close(&c);
	free(seen);
	return NULL;
}

static void *hypercalls(void *arg)
{
	static const uint64_t nr[] = { H_SIM_SVM_PAGE_OUT_RANGE, H_SIM_SVM_PAGE_IN_RANGE };
	struct hammer *h = arg;
	uint64_t random = ~h->seed;

	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
		const uint64_t n = 1 + rnd(&random) % 8, page = rnd(&random) % (PAGES - n);
		const uint64_t args[4] = { h->gpa + page * page_size(), n, 0, page_order() };

		hcall_fd(h->vm->c.svm_fd, nr[rnd(&random) % 2], args, NULL);
		__atomic_add_fetch(&h->calls, 1, __ATOMIC_RELAXED);
		if (rnd(&random) % 4 == 0)
			usleep(1000);
	}
	return NULL;
}

static int round_on(struct hammer *h, unsigned int round)
{
	struct agent_slot cmd = { .len = PAGES / VCPUS * page_size() }, answer;
	int ret = 0;

	cmd.cmd = AGENT_PATTERN;
	cmd.arg1 = h->iterations;
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
		cmd.gpa = part(h, vcpu, round);
		cmd.arg0 = seed_of(h, vcpu, round);
		if (guest_post(&h->vm->c, vcpu, &cmd))
			return -1;
	}
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
		if (guest_wait(&h->vm->c, vcpu, &answer))
			ret = say("round %u, vCPU %u: %lld wrong words, the first at 0x%llx", round,
				  vcpu, (long long)answer.ret, (unsigned long long)answer.detail);
	/* The barrier: every byte, by another vCPU than the one that wrote it. */
	cmd.cmd = AGENT_VERIFY;
	cmd.arg1 = h->iterations - 1;
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
		unsigned int writer = (vcpu + 1) % VCPUS;

		cmd.gpa = part(h, writer, round);
		cmd.arg0 = seed_of(h, writer, round);
		if (guest_post(&h->vm->c, vcpu, &cmd))
			return -1;
	}
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
		if (guest_wait(&h->vm->c, vcpu, &answer))
			ret = say("verify %u, vCPU %u: %lld wrong words, the first at 0x%llx",
				  round, vcpu, (long long)answer.ret,
				  (unsigned long long)answer.detail);
	return ret;
}

/* Two SVMs, VCPUS vCPUs each, and four host threads. */
TEST_F(hammer, everybody_on_the_same_pages)
{
	unsigned int rounds = slow_machine() ? 3 : ROUNDS_MAX;
	struct hammer h[2];
	pthread_t thread[4];
	struct uvmem_stats st;

	for (unsigned int i = 0; i < 2; i++) {
		h[i] = (struct hammer){ .vm = &self->vm[i],
					.seed = SEED + 1000 * i,
					.gpa = vm_page(&self->vm[i], 0),
					.iterations = slow_machine() ? 4 : 12 };
		ASSERT_EQ(0, pthread_create(&thread[2 * i], NULL, host_looks, &h[i]));
		ASSERT_EQ(0, pthread_create(&thread[2 * i + 1], NULL, hypercalls, &h[i]));
	}
	for (unsigned int round = 0; round < rounds; round++)
		for (unsigned int i = 0; i < 2; i++)
			EXPECT_EQ(0, round_on(&h[i], round));
	/* On a busy machine the guests may be done before the host looked often. */
	for (unsigned int i = 0; i < 2; i++) {
		wait_past(&h[i].looks, 10);
		wait_past(&h[i].calls, 10);
		__atomic_store_n(&h[i].stop, true, __ATOMIC_RELEASE);
	}
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(0, h[i].leaks);
		EXPECT_LT(10, h[i].looks);
		EXPECT_LT(10, h[i].calls);
		ASSERT_EQ(0, svm_stats(h[i].vm, &st));
		EXPECT_LT(10, st.page_ins);
		EXPECT_LT(0, st.host_faults);
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
			EXPECT_EQ(0, guest_verify(h[i].vm, part(&h[i], vcpu, rounds - 1),
						  PAGES / VCPUS * page_size(),
						  seed_of(&h[i], vcpu, rounds - 1),
						  h[i].iterations - 1));
	}
}

/*
 * Pages are shared and unshared while the host reads and writes them. What the
 * guest wrote while a page was secure must never show: a word marks it.
 */
#define SECRET 0x5e63e75e63e75e63ULL

static void *host_pokes(void *arg)
{
	struct hammer *h = arg;
	uint64_t *seen = malloc(page_size()), random = h->seed, word = 0x706f6b65;
	struct uvc c;

	if (!seen || vm_connect(h->vm, &c))
		return NULL;
	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
		uint64_t gpa = h->gpa + rnd(&random) % 4 * page_size();

		if (uvc_peek(&c, gpa, seen, page_size()) == (ssize_t)page_size())
			for (size_t i = 0; i < page_size() / 8; i++)
				if (seen[i] == SECRET)
					__atomic_add_fetch(&h->leaks, 1, __ATOMIC_RELAXED);
		/* Only into a page that is shared: elsewhere it would end the SVM. */
		if (h->calls)
			uvc_poke(&c, h->gpa + 4 * page_size(), &word, sizeof(word));
		__atomic_add_fetch(&h->looks, 1, __ATOMIC_RELAXED);
	}
	uvc_close(&c);
	free(seen);
	return NULL;
}

TEST_F(hammer, share_and_unshare_against_the_host)
{
	struct vm *vm = &self->vm[0];
	struct hammer h = { .vm = vm, .gpa = vm_page(vm, 0), .seed = SEED };
	uint64_t secret[16], word = 0;
	pthread_t thread;

	for (unsigned int i = 0; i < 16; i++)
		secret[i] = SECRET;
	ASSERT_EQ(U_SUCCESS, guest_share(vm, h.gpa + 4 * page_size(), 1));
	h.calls = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, host_pokes, &h));
	for (unsigned int i = 0; i < (slow_machine() ? 30 : 150); i++) {
		uint64_t gpa = h.gpa + i % 4 * page_size();

		/* Secure: the secret goes in, and stays where it is. */
		ASSERT_EQ(0, guest_write(vm, gpa + 256, secret, sizeof(secret)));
		ASSERT_EQ(0, guest_read(vm, gpa + 256, &word, sizeof(word)));
		ASSERT_EQ(SECRET, word);
		ASSERT_EQ(U_SUCCESS, guest_share(vm, gpa, 1));
		ASSERT_EQ(0, guest_is_zero(vm, gpa, page_size()));
		/* Shared, and then secure again: zeros. */
		word = i;
		ASSERT_EQ(0, guest_write(vm, gpa, &word, sizeof(word)));
		ASSERT_EQ(U_SUCCESS, guest_unshare(vm, gpa, 1));
		ASSERT_EQ(0, guest_is_zero(vm, gpa, page_size()));
	}
	wait_past(&h.looks, 10);
	__atomic_store_n(&h.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, h.leaks);
	EXPECT_LT(10, h.looks);
	ASSERT_EQ(0, guest_read(vm, h.gpa + 4 * page_size(), &word, sizeof(word)));
	EXPECT_EQ(0x706f6b65, word);
}

/* Each vCPU shares and unshares its own pages at the same time. */
TEST_F(hammer, every_vcpu_shares_and_unshares)
{
	struct vm *vm = &self->vm[1];
	struct agent_slot answer;

	for (unsigned int i = 0; i < (slow_machine() ? 10 : 50); i++) {
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
			struct agent_slot cmd = {
				.cmd = i & 1 ? AGENT_UNSHARE : AGENT_SHARE,
				.gpa = vm_page(vm, 8 * vcpu),
				.len = 8 * page_size(),
			};

			ASSERT_EQ(0, guest_post(&vm->c, vcpu, &cmd));
		}
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
			ASSERT_EQ(U_SUCCESS, guest_wait(&vm->c, vcpu, &answer));
		for (unsigned int page = 0; page < 8 * VCPUS; page++)
			ASSERT_EQ(!(i & 1), hv_state(vm, vm_page(vm, page)) == UVMEM_GFN_SHARED);
	}
	ASSERT_EQ(0, guest_is_zero(vm, vm_page(vm, 0), 8 * VCPUS * page_size()));
}

/*
 * Every vCPU takes a fault at the same page at the same time, and finds the entry that
 * another one has just made. KVM on powerpc warns if it then differs from what it had read.
 */
TEST_F(hammer, every_vcpu_writes_to_the_same_page)
{
	struct vm *vm = &self->vm[0];
	const uint64_t at = page_size() / VCPUS;
	struct agent_slot answer;
	uint8_t *seen = malloc(page_size());
	uint64_t word;

	ASSERT_NE(NULL, seen);
	for (unsigned int i = 0; i < (slow_machine() ? 60 : 300); i++) {
		uint64_t gpa = vm_page(vm, i % 8);

		/* It goes out, and out of the guest view. */
		ASSERT_EQ(0, host_read(vm, gpa, seen, page_size()));
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
			struct agent_slot cmd = { .cmd = AGENT_WRITE, .len = sizeof(word) };

			word = SEED + i * VCPUS + vcpu;
			cmd.gpa = gpa + vcpu * at;
			memcpy(cmd.data, &word, sizeof(word));
			ASSERT_EQ(0, guest_post(&vm->c, vcpu, &cmd));
		}
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
			ASSERT_EQ(0, guest_wait(&vm->c, vcpu, &answer));
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
			ASSERT_EQ(0, guest_read(vm, gpa + vcpu * at, &word, sizeof(word)));
			ASSERT_EQ(SEED + i * VCPUS + vcpu, word);
		}
	}
	free(seen);
}

TEST_HARNESS_MAIN
