// SPDX-License-Identifier: GPL-2.0
/*
 * Guests with more memory than there is secure memory: the ultravisor pages its
 * least recently used pages out, and every byte is there when the guest wants
 * it. The machine is started with a small secure memory for this.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed000f
#define VCPUS 2

FIXTURE(over)
{
	struct vm vm[2];
	struct usage before;
	uint64_t pages; /* of secure memory */
};

FIXTURE_SETUP(over)
{
	ASSERT_EQ(0, usage_get(&self->before));
	self->pages = secure_pages();
	ASSERT_LT(0, self->pages);
	say("%llu secure pages", (unsigned long long)self->pages);
}

FIXTURE_TEARDOWN(over)
{
	EXPECT_EQ(0, vm_kill(&self->vm[0]));
	EXPECT_EQ(0, vm_kill(&self->vm[1]));
	EXPECT_EQ(0, usage_check(&self->before));
}

static uint64_t mem_for(uint64_t pages)
{
	return (AGENT_FREE_GPA + pages * page_size() + 0xffff) & ~0xffffULL;
}

static int on_all(struct vm *vm, struct agent_slot *cmd, uint64_t bytes)
{
	struct agent_slot answer;
	int ret = 0;

	cmd->len = bytes / VCPUS & ~(uint64_t)(page_size() - 1);
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
		cmd->gpa = vm_page(vm, 0) + vcpu * cmd->len;
		if (guest_post(&vm->c, vcpu, cmd))
			return -1;
	}
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
		if (guest_wait(&vm->c, vcpu, &answer))
			ret = say("vCPU %u: %lld wrong words, the first at 0x%llx", vcpu,
				  (long long)answer.ret, (unsigned long long)answer.detail);
	return ret;
}

static int write_all(struct vm *vm, uint64_t bytes, uint64_t seed)
{
	struct agent_slot cmd = { .cmd = AGENT_PATTERN, .arg0 = seed, .arg1 = 1 };

	return on_all(vm, &cmd, bytes);
}

static int verify_all(struct vm *vm, uint64_t bytes, uint64_t seed)
{
	struct agent_slot cmd = { .cmd = AGENT_VERIFY, .arg0 = seed };

	return on_all(vm, &cmd, bytes);
}

TEST_F(over, three_times_secure_memory)
{
	uint64_t bytes = 3 * self->pages * page_size();
	struct vm_opts opts = { .mem = mem_for(3 * self->pages), .vcpus = VCPUS };
	struct uvsim_stats st;
	struct uvsim_svm svm;

	ASSERT_EQ(0, vm_start_secure(&self->vm[0], &opts));
	ASSERT_EQ(0, write_all(&self->vm[0], bytes, SEED));
	ASSERT_EQ(0, uvsim_stats(&st));
	EXPECT_GE(st.secure_total, st.secure_used);
	EXPECT_LE(2 * self->pages, st.evictions);
	ASSERT_EQ(0, uvsim_svm(&self->vm[0], &svm));
	EXPECT_LE(2 * self->pages, svm.paged_out);
	EXPECT_GE(self->pages, svm.resident);
	EXPECT_EQ(0, verify_all(&self->vm[0], bytes, SEED));
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm[0], vm_page(&self->vm[0], 1), SEED));
	/* What the host has seen comes back, among others. */
	EXPECT_EQ(0, verify_all(&self->vm[0], slow_machine() ? bytes / 8 : bytes, SEED));
}

/* UV_ESM itself takes more pages than there are: some go out while others come. */
TEST_F(over, esm_of_more_than_secure_memory)
{
	uint64_t bytes = 3 * self->pages / 2 * page_size();
	struct vm_opts opts = { .mem = mem_for(3 * self->pages / 2), .vcpus = VCPUS };

	ASSERT_EQ(0, vm_start(&self->vm[0], &opts));
	ASSERT_EQ(0, write_all(&self->vm[0], bytes, SEED));
	ASSERT_EQ(U_SUCCESS, guest_esm(&self->vm[0]));
	EXPECT_EQ(0, verify_all(&self->vm[0], bytes, SEED));
}

/* The same, but it fails in the end: what was paged out comes back in the clear. */
TEST_F(over, failed_esm_of_more_than_secure_memory)
{
	uint64_t bytes = 3 * self->pages / 2 * page_size();
	struct vm_opts opts = { .mem = mem_for(3 * self->pages / 2),
				.vcpus = VCPUS,
				.bad_measurement = true };

	ASSERT_EQ(0, vm_start(&self->vm[0], &opts));
	ASSERT_EQ(0, write_all(&self->vm[0], bytes, SEED));
	ASSERT_EQ(U_PERMISSION, guest_esm(&self->vm[0]));
	EXPECT_EQ(0, verify_all(&self->vm[0], bytes, SEED));
	for (unsigned int page = 0; page < 3 * self->pages / 2; page += 97)
		ASSERT_EQ(0, host_sees_pattern(&self->vm[0], vm_page(&self->vm[0], page), SEED));
}

/* Two VMs, each of which would fit alone, take pages from each other. */
TEST_F(over, two_vms)
{
	uint64_t bytes = 3 * self->pages / 4 * page_size();
	struct vm_opts opts = { .mem = mem_for(self->pages), .vcpus = VCPUS };

	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vm_start_secure(&self->vm[i], &opts));
		ASSERT_EQ(0, write_all(&self->vm[i], bytes, SEED + i));
	}
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_EQ(0, verify_all(&self->vm[i], bytes, SEED + i));
}

/* A page that is used all the time stays while others are passed through. */
TEST_F(over, what_is_used_stays)
{
	struct vm_opts opts = { .mem = mem_for(2 * self->pages), .vcpus = VCPUS };
	struct vm *vm = &self->vm[0];
	uint64_t hot, step = self->pages < 512 ? self->pages / 16 : 32;
	unsigned int stayed = 0, steps = 0;

	ASSERT_EQ(0, vm_start_secure(vm, &opts));
	hot = vm_page(vm, 0);
	ASSERT_EQ(0, guest_pattern(vm, hot, page_size(), SEED));
	for (uint64_t page = 1; page + step < 2 * self->pages; page += step) {
		ASSERT_EQ(0, guest_pattern(vm, vm_page(vm, page), step * page_size(), SEED));
		stayed += uv_state(vm, hot) == UV_GFN_RESIDENT;
		steps++;
		ASSERT_EQ(0, guest_verify(vm, hot, page_size(), SEED, 0));
	}
	say("resident at %u of %u looks", stayed, steps);
	/* By chance alone it would be gone about every second time. */
	EXPECT_LE(steps * 9 / 10, stayed);
}

TEST_HARNESS_MAIN
