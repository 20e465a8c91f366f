// SPDX-License-Identifier: GPL-2.0
/*
 * Random ioctls with random structures on every kind of file there is, against
 * a secure VM of the test's own. No crash, no page left, and no byte of what the
 * guest wrote anywhere in H; afterwards a VM works as ever. The kernel's log is
 * looked at by who runs this.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0010
#define PAGES 64
#define TOUCHED 40
#define ARGS 64 /* more than any structure has, in 64-bit words */

FIXTURE(fuzz)
{
	struct usage before;
	struct own own;
	int fd[4];
	uint8_t *scratch; /* where valid pointers point to */
};

FIXTURE_VARIANT(fuzz)
{
	uint64_t seed;
};

FIXTURE_VARIANT_ADD(fuzz, first){ .seed = SEED };

FIXTURE_VARIANT_ADD(fuzz, second){ .seed = SEED + 1 };

FIXTURE_VARIANT_ADD(fuzz, third){ .seed = SEED + 2 };

FIXTURE_SETUP(fuzz)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
	self->fd[0] = open("/dev/uvmem", O_RDWR | O_CLOEXEC);
	self->fd[1] = open("/dev/uvsim", O_RDWR | O_CLOEXEC);
	self->fd[2] = self->own.svm;
	self->fd[3] = self->own.uv;
	self->scratch = mmap(NULL, 16 * page_size(), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->scratch);
	say("seed 0x%llx", (unsigned long long)variant->seed);
}

FIXTURE_TEARDOWN(fuzz)
{
	close(self->fd[0]);
	close(self->fd[1]);
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
	/* And the next VM is as good as any. */
	ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
	own_close(&self->own);
}

/* A number that something may mistake for a good one. */
static uint64_t number(uint64_t *random, const struct own *o, const uint8_t *scratch)
{
	static const uint64_t calls[] = {
		H_SVM_PAGE_IN,
		H_SVM_PAGE_OUT,
		H_SVM_INIT_START,
		H_SVM_INIT_DONE,
		H_SVM_INIT_ABORT,
		H_SIM_SVM_PAGE_IN_RANGE,
		H_SIM_SVM_PAGE_OUT_RANGE,
		UV_SHARE_PAGE,
		UV_UNSHARE_PAGE,
		UV_UNSHARE_ALL_PAGES,
		UV_ESM,
		UV_PAGE_IN,
		H_RANDOM,
	};
	uint64_t r = rnd(random);

	switch (rnd(random) % 12) {
	case 0:
		return 0;
	case 1:
		return r % 4;
	case 2:
		return r % PAGES;
	case 3:
		return r % (2 * PAGES) * page_size();
	case 4:
		return page_order();
	case 5:
		return UINT64_MAX - r % 3;
	case 6:
		return 1ULL << r % 64;
	case 7:
		return (uintptr_t)scratch + r % 8;
	case 8:
		return (uintptr_t)o->h + r % PAGES * page_size();
	case 9:
	case 10:
		return calls[r % (sizeof(calls) / sizeof(calls[0]))];
	default:
		return r;
	}
}

static unsigned long request(uint64_t *random)
{
	static const unsigned long known[] = {
		UVMEM_CREATE_SVM, UVMEM_SET_MEMSLOT, UVMEM_HCALL,    UVMEM_HCALL,     UVMEM_HCALL,
		UVMEM_GET_STATE,  UVMEM_GET_STATS,   UVMEM_GET_INFO, UVMEM_GET_SLOTS, UVMEM_SVM_OFF,
		UVSIM_GET_INFO,	  UVSIM_BIND,	     UVSIM_UCALL,    UVSIM_UCALL,     UVSIM_UCALL,
		UVSIM_GET_STATS,  UVSIM_GET_SVM,     UVSIM_LIST,     UVSIM_MAP,
	};
	uint64_t r = rnd(random);

	if (r % 16 == 0)
		return _IOC(r >> 8 & 3, r & 0x100 ? UVMEM_IOC : UVSIM_IOC, 0x40 + (r >> 10) % 16,
			    (r >> 16) % 256);
	return known[(r >> 4) % (sizeof(known) / sizeof(known[0]))];
}

/* In a child: what it makes of its file descriptors goes with it. */
static void go_wild(uint64_t seed, const struct own *o, const int fd[4], uint8_t *scratch,
		    unsigned int n)
{
	uint64_t random = seed, args[ARGS];

	for (unsigned int i = 0; i < n; i++) {
		unsigned long req = request(&random);
		void *arg = args;
		int ret;

		for (unsigned int k = 0; k < ARGS; k++)
			args[k] = number(&random, o, scratch);
		/* Most calls want some fields to be zero. */
		for (unsigned int k = 0; k < ARGS; k++)
			if (rnd(&random) % 3 == 0)
				args[k] &= rnd(&random) & 1 ? 0 : UINT32_MAX;
		/* States are written to where a pointer points: a page's worth at most. */
		if (req == UVMEM_GET_STATE || req == UVSIM_MAP)
			args[req == UVSIM_MAP ? 2 : 1] %= page_size() - 8;
		if (rnd(&random) % 20 == 0)
			arg = (void *)(uintptr_t)number(&random, o, scratch);
		ret = ioctl(fd[rnd(&random) % 4], req, arg);
		/* A new SVM; as many as there are files for, then they go. */
		if (ret > 100)
			for (int k = 50; k < 200; k++)
				close(k);
	}
	_exit(0);
}

/*
 * SVM_OFF and the like are among the calls, so the VM need not be secure
 * afterwards: H has ciphertext, or zeros, or what the wild one itself wrote.
 */
TEST_F(fuzz, ioctls)
{
	unsigned int n = slow_machine() ? 4000 : 20000;
	uint8_t *plain = malloc(page_size());
	int status;
	pid_t pid;

	ASSERT_NE(NULL, plain);
	/*
	 * Two at a time: races, too, have to be survived. The second one is in this
	 * address space, so that not all is refused as another process'.
	 */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		go_wild(variant->seed, &self->own, self->fd, self->scratch, n);
	{
		uint64_t random = ~variant->seed, args[ARGS];

		for (unsigned int i = 0; i < n; i++) {
			unsigned long req = request(&random);

			for (unsigned int k = 0; k < ARGS; k++)
				args[k] = number(&random, &self->own, self->scratch);
			if (rnd(&random) % 2)
				args[7] = args[8] = args[9] = args[6] = 0;
			/* This one's memslots are looked at below. */
			if (req == UVMEM_SET_MEMSLOT || req == UVMEM_CREATE_SVM)
				continue;
			if (req == UVMEM_GET_STATE || req == UVSIM_MAP || req == UVSIM_LIST)
				continue;
			ioctl(self->fd[rnd(&random) % 4], req, args);
		}
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (size_t page = 0; page < TOUCHED; page++) {
		unsigned int state = own_hv_state(&self->own, page);

		pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
		/* Aborting and normal VMs may show what they had before UV_ESM. */
		if (vm_state_fd(self->own.svm) == UVMEM_VM_SECURE && state != UVMEM_GFN_SHARED)
			EXPECT_TRUE(
				no_plaintext(self->own.h + page * page_size(), plain, page_size()));
	}
	free(plain);
}

/* Random hypercalls and ultracalls alone: they all reach the halves themselves. */
TEST_F(fuzz, calls)
{
	unsigned int n = slow_machine() ? 3000 : 20000;
	uint64_t random = variant->seed;
	uint8_t *plain = malloc(page_size());

	ASSERT_NE(NULL, plain);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t a[4], nr;
		int64_t ret;

		for (unsigned int k = 0; k < 4; k++)
			a[k] = number(&random, &self->own, self->scratch);
		if (rnd(&random) % 2)
			a[2] = page_order();
		nr = number(&random, &self->own, NULL);
		ret = rnd(&random) & 1 ? own_hcall(&self->own, nr, a[0], a[1], a[2], a[3], NULL) :
					 own_ucall(&self->own, nr, a[0], a[1], a[2], a[3], 0);
		ASSERT_NE(NO_ANSWER, ret);
	}
	/* Nothing here ends the VM: it is secure, and no page of it is in the clear. */
	ASSERT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->own.svm));
	for (size_t page = 0; page < TOUCHED; page++) {
		pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
		EXPECT_TRUE(no_plaintext(self->own.h + page * page_size(), plain, page_size()));
	}
	free(plain);
}

TEST_HARNESS_MAIN
