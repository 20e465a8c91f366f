// SPDX-License-Identifier: GPL-2.0
/*
 * Life and death of VMs: killed at any moment, created and destroyed in
 * numbers, several at once. After each, nothing is left of them: no secure page,
 * no device page, no SVM.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed000d

FIXTURE(life)
{
	struct usage before;
	struct vm vm;
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, usage_get(&self->before));
}

FIXTURE_TEARDOWN(life)
{
	vm_kill(&self->vm);
	EXPECT_EQ(0, usage_check(&self->before));
}

/* What a VM is doing when it is killed. */
enum stage { BOOTING, IN_ESM, RUNNING, PAGING, SHARING, IDLE, STAGES };

static int begin(struct vm *vm, enum stage stage)
{
	struct agent_slot esm = { .cmd = AGENT_ESM, .arg0 = AGENT_ESM_BLOB_GPA };
	struct agent_slot work = {
		.cmd = AGENT_PATTERN,
		.gpa = vm_page(vm, 0),
		.len = 64 * page_size(),
		.arg0 = SEED,
		.arg1 = 100000,
	};

	if (stage == BOOTING)
		return 0;
	if (guest_pattern(vm, vm_page(vm, 100), 300 * page_size(), SEED))
		return -1;
	if (stage == IN_ESM)
		return guest_post(&vm->c, 0, &esm);
	if (guest_esm(vm) != U_SUCCESS || vm_refresh(vm))
		return say("UV_ESM failed");
	if (stage == IDLE)
		return 0;
	if (stage == SHARING) {
		work.cmd = AGENT_SHARE;
		work.gpa = vm_page(vm, 100);
		work.len = 300 * page_size();
		work.arg0 = AGENT_BY_UCALL;
	}
	return guest_post(&vm->c, 1, &work);
}

/* The host takes the pages from under the guest that works on them. */
static void page_out_for(struct vm *vm, unsigned int us)
{
	uint64_t done;

	for (unsigned int i = 0; i < us / 2000; i++) {
		hcall(vm, H_SIM_SVM_PAGE_OUT_RANGE, vm_page(vm, 0), 64, 0, page_order(), &done);
		usleep(1000);
	}
}

TEST_F(life, kill_9_at_random_moments)
{
	static const struct vm_opts opts = { .vcpus = 2 };
	unsigned int rounds = slow_machine() ? 12 : 24;
	uint64_t random = SEED;

	say("seed 0x%x", SEED);
	for (unsigned int i = 0; i < rounds; i++) {
		enum stage stage = i % STAGES;
		unsigned int us = rnd(&random) % 40000;

		ASSERT_EQ(0, vm_start(&self->vm, &opts));
		ASSERT_EQ(0, begin(&self->vm, stage));
		if (stage == PAGING)
			page_out_for(&self->vm, us);
		else
			usleep(us);
		ASSERT_EQ(0, vm_kill(&self->vm));
		ASSERT_EQ(0, usage_check(&self->before));
	}
}

/* Killed while the host, another process, holds its SVM file and goes on using it. */
TEST_F(life, killed_while_its_svm_is_in_use)
{
	uint64_t done, gpa;
	int svm;

	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	gpa = vm_page(&self->vm, 0);
	ASSERT_EQ(0, guest_pattern(&self->vm, gpa, 64 * page_size(), SEED));
	svm = dup(self->vm.c.svm_fd);
	ASSERT_EQ(0, vm_kill(&self->vm));
	/* H is gone with the launcher, the SVM is not: this test has its file. */
	{
		const uint64_t args[4] = { gpa, 64, 0, page_order() };

		EXPECT_EQ(H_PARAMETER, hcall_fd(svm, H_SIM_SVM_PAGE_OUT_RANGE, args, &done));
		EXPECT_EQ(H_PARAMETER, hcall_fd(svm, H_SIM_SVM_PAGE_IN_RANGE, args, &done));
	}
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(svm));
	EXPECT_EQ(0, ioctl(svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(svm));
	close(svm);
}

/* The ways in which a VM ends by itself. */
TEST_F(life, quit)
{
	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	EXPECT_EQ(0, vm_quit(&self->vm));
}

TEST_F(life, the_guest_exits)
{
	struct agent_slot cmd = { .cmd = AGENT_EXIT };
	int status;

	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	ASSERT_EQ(0, guest_post(&self->vm.c, 0, &cmd));
	ASSERT_EQ(self->vm.pid, waitpid(self->vm.pid, &status, 0));
	self->vm.pid = 0;
	uvc_close(&self->vm.c);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(life, sigterm)
{
	int status;

	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	ASSERT_EQ(0, kill(self->vm.pid, SIGTERM));
	ASSERT_EQ(self->vm.pid, waitpid(self->vm.pid, &status, 0));
	self->vm.pid = 0;
	uvc_close(&self->vm.c);
	EXPECT_TRUE(WIFEXITED(status));
}

/* One number of /proc/meminfo, in KiB. */
static long meminfo(const char *name)
{
	char *text = file_read("/proc/meminfo"), *at = text ? strstr(text, name) : NULL;
	long kib = at ? strtol(at + strlen(name) + 1, NULL, 10) : -1;

	free(text);
	return kib;
}

/* Created, secured, used, destroyed: many times, in all the ways it can end. */
TEST_F(life, rounds)
{
	unsigned int rounds = debug_kernel() ? 80 : 200;
	long slab = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		struct own own;

		ASSERT_EQ(0, own_open_secure(&own, 48, 16, SEED + i));
		ASSERT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&own, 3));
		if (i % 4 == 0)
			ASSERT_EQ(U_SUCCESS, own_ucall(&own, UV_SHARE_PAGE, 3, 2, 0, 0, 0));
		if (i % 4 == 1)
			ASSERT_NE(0x5eed, *(volatile uint64_t *)own.h);
		if (i % 4 == 2)
			ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
		if (i % 8 == 3) {
			munmap(own.h, own.len);
			own.h = MAP_FAILED;
		}
		own_close(&own);
		ASSERT_EQ(0, usage_check(&self->before));
		/* Caches of the allocator fill in the first rounds. */
		if (i == rounds / 4)
			slab = meminfo("SUnreclaim:");
	}
	/*
	 * The rounds that follow may not take 16 KiB each, once what waits for RCU is
	 * free. KASAN keeps what is freed for a while; there kmemleak looks after what
	 * is not.
	 */
	ASSERT_LT(0, slab);
	while (!debug_kernel() && meminfo("SUnreclaim:") >= slab + 16 * rounds)
		sleep(1);
}

/* The same with a real VM. */
TEST_F(life, rounds_of_real_vms)
{
	for (unsigned int i = 0; i < (slow_machine() ? 5 : 15); i++) {
		ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
		ASSERT_EQ(0, guest_pattern(&self->vm, vm_page(&self->vm, 0), 8 * page_size(), i));
		ASSERT_EQ(0, host_sees_ciphertext(&self->vm, vm_page(&self->vm, 3), i));
		ASSERT_EQ(0, i & 1 ? vm_quit(&self->vm) : vm_kill(&self->vm));
		ASSERT_EQ(0, usage_check(&self->before));
	}
}

/* Many SVMs at once; each has an LPID of its own, and one's end is not another's. */
TEST_F(life, many_at_once)
{
	struct own own[20];
	uint32_t lpids[32];
	struct uvsim_list list = { .lpids = (uintptr_t)lpids, .count = 32 };

	for (unsigned int i = 0; i < 20; i++)
		ASSERT_EQ(0, own_open_secure(&own[i], 32, 8, SEED + i));
	for (unsigned int i = 0; i < 20; i++)
		for (unsigned int k = 0; k < i; k++)
			ASSERT_NE(own[i].lpid, own[k].lpid);
	ASSERT_EQ(0, ioctl(own[0].uv, UVSIM_LIST, &list));
	EXPECT_LE(20, list.count);
	for (unsigned int i = 0; i < 20; i += 2)
		own_close(&own[i]);
	for (unsigned int i = 1; i < 20; i += 2) {
		ASSERT_EQ(UV_GFN_RESIDENT, own_uv_state(&own[i], 5));
		ASSERT_EQ(H_SUCCESS, own_hcall(&own[i], H_SVM_PAGE_OUT, 5 * page_size(), 0,
					       page_order(), 0, NULL));
		ASSERT_EQ(H_SUCCESS, own_hcall(&own[i], H_SVM_PAGE_IN, 5 * page_size(), 0,
					       page_order(), 0, NULL));
		own_close(&own[i]);
	}
}

struct racer {
	int svm;
	bool stop;
	uint64_t calls;
};

static void *keeps_calling(void *arg)
{
	struct racer *r = arg;
	uint64_t random = (uintptr_t)r;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		static const uint64_t nr[] = { H_SIM_SVM_PAGE_OUT_RANGE, H_SIM_SVM_PAGE_IN_RANGE,
					       H_SVM_INIT_DONE, H_SVM_INIT_ABORT,
					       H_SVM_INIT_START };
		const uint64_t args[4] = { (rnd(&random) % 64) * page_size(), 16, 0, page_order() };

		hcall_fd(r->svm, nr[rnd(&random) % 5], args, NULL);
		r->calls++;
	}
	return NULL;
}

/* UV_ESM and termination over and over while hypercalls come from all sides. */
TEST_F(life, esm_and_terminate_against_hypercalls)
{
	struct racer racer[2] = { 0 };
	pthread_t thread[2];
	struct own own;

	ASSERT_EQ(0, own_open(&own, 80));
	for (unsigned int i = 0; i < 2; i++) {
		racer[i].svm = own.svm;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, keeps_calling, &racer[i]));
	}
	for (unsigned int i = 0; i < (slow_machine() ? 20 : 100); i++) {
		own_fill(&own, 0, 64, SEED + i);
		ASSERT_EQ(0, own_blob(&own, page_size(), 1, i & 1));
		ASSERT_NE(NO_ANSWER, own_esm(&own));
		ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
		ASSERT_EQ(UVMEM_VM_NORMAL, vm_state_fd(own.svm));
	}
	for (unsigned int i = 0; i < 2; i++) {
		wait_past(&racer[i].calls, 100);
		__atomic_store_n(&racer[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(thread[i], NULL);
		EXPECT_LT(100, racer[i].calls);
	}
	for (size_t page = 0; page < 80; page++)
		ASSERT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&own, page));
	/* And it still works. */
	own_fill(&own, 0, 64, SEED);
	ASSERT_EQ(0, own_blob(&own, 64 * page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&own));
	own_close(&own);
}

TEST_HARNESS_MAIN
