// SPDX-License-Identifier: GPL-2.0
/*
 * Ultracalls of a real guest x every return value that ultravisor.rst lists
 * for them. UV_ESM has esm.c; U_FUNCTION and U_NO_KEY, which depend on how the
 * ultravisor was started, are in unload.c.
 */
#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0005

FIXTURE(ucalls)
{
	struct vm vm;
	struct usage before;
	uint64_t gfn;
	uint64_t npages;
};

FIXTURE_SETUP(ucalls)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	self->gfn = vm_page(&self->vm, 4) >> page_order();
	self->npages = self->vm.mem >> page_order();
	ASSERT_EQ(0, guest_pattern(&self->vm, vm_page(&self->vm, 0), 16 * page_size(), SEED));
}

FIXTURE_TEARDOWN(ucalls)
{
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

FIXTURE_VARIANT(ucalls)
{
	uint64_t nr;
};

FIXTURE_VARIANT_ADD(ucalls, share){ .nr = UV_SHARE_PAGE };

FIXTURE_VARIANT_ADD(ucalls, unshare){ .nr = UV_UNSHARE_PAGE };

TEST_F(ucalls, u_success_one)
{
	EXPECT_EQ(U_SUCCESS, guest_ucall(&self->vm, variant->nr, self->gfn, 1, 0));
	EXPECT_EQ(0, guest_is_zero(&self->vm, self->gfn << page_order(), page_size()));
	/* Its neighbours have what they had. */
	EXPECT_EQ(0, guest_verify(&self->vm, vm_page(&self->vm, 3), page_size(), SEED, 0));
	EXPECT_EQ(0, guest_verify(&self->vm, vm_page(&self->vm, 5), page_size(), SEED, 0));
}

/* More than one batch, over pages in every state. */
TEST_F(ucalls, u_success_many)
{
	uint64_t gpa = self->gfn << page_order();

	ASSERT_EQ(U_SUCCESS, guest_share(&self->vm, gpa + 2 * page_size(), 1));
	ASSERT_EQ(0, host_sees_ciphertext(&self->vm, gpa + 5 * page_size(), SEED));
	EXPECT_EQ(U_SUCCESS, guest_ucall(&self->vm, variant->nr, self->gfn, 150, 0));
	for (unsigned int i = 0; i < 150; i++) {
		unsigned int hv = hv_state(&self->vm, gpa + i * page_size());

		ASSERT_EQ(variant->nr == UV_SHARE_PAGE, hv == UVMEM_GFN_SHARED);
	}
	EXPECT_EQ(0, guest_is_zero(&self->vm, gpa, 150 * page_size()));
}

TEST_F(ucalls, u_parameter_gfn)
{
	uint64_t bad[] = { self->npages, self->npages + 1000,	     1ULL << 40,
			   1ULL << 52,	 UINT64_MAX >> page_order(), UINT64_MAX };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(U_PARAMETER, guest_ucall(&self->vm, variant->nr, bad[i], 1, 0));
}

TEST_F(ucalls, u_p2_num)
{
	uint64_t bad[] = { 0,	       self->npages - self->gfn + 1, self->npages,
			   1ULL << 40, UINT64_MAX - self->gfn,	     UINT64_MAX - self->gfn + 2,
			   UINT64_MAX };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(U_P2, guest_ucall(&self->vm, variant->nr, self->gfn, bad[i], 0));
	/* Nothing was done for any of them. */
	EXPECT_EQ(0, guest_verify(&self->vm, vm_page(&self->vm, 0), 16 * page_size(), SEED, 0));
	EXPECT_NE(UVMEM_GFN_SHARED, hv_state(&self->vm, vm_page(&self->vm, 4)));
}

FIXTURE(calls)
{
	struct vm vm;
	struct usage before;
};

FIXTURE_SETUP(calls)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start(&self->vm, NULL));
}

FIXTURE_TEARDOWN(calls)
{
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* Whatever a guest passes to the hypervisor's calls, before and after UV_ESM. */
static int hypervisor_calls_are_refused(struct vm *vm)
{
	const uint64_t nr[] = { UV_WRITE_PATE,	 UV_REGISTER_MEM_SLOT, UV_UNREGISTER_MEM_SLOT,
				UV_PAGE_IN,	 UV_PAGE_OUT,	       UV_PAGE_INVAL,
				UV_SVM_TERMINATE };

	for (unsigned int i = 0; i < sizeof(nr) / sizeof(nr[0]); i++) {
		if (guest_ucall(vm, nr[i], 0, 0, 0) != U_PERMISSION ||
		    guest_ucall(vm, nr[i], vm->c.info.lpid, vm_page(vm, 1), 0) != U_PERMISSION)
			return say("ultracall 0x%llx is not refused", (unsigned long long)nr[i]);
	}
	return 0;
}

TEST_F(calls, u_permission_for_hypervisor_calls)
{
	EXPECT_EQ(0, hypervisor_calls_are_refused(&self->vm));
	ASSERT_EQ(U_SUCCESS, guest_esm(&self->vm));
	EXPECT_EQ(0, hypervisor_calls_are_refused(&self->vm));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(self->vm.c.svm_fd));
}

TEST_F(calls, u_invalid_uv_return)
{
	EXPECT_EQ(U_INVALID, guest_ucall(&self->vm, UV_RETURN, 0, 0, 0));
	ASSERT_EQ(U_SUCCESS, guest_esm(&self->vm));
	EXPECT_EQ(U_INVALID, guest_ucall(&self->vm, UV_RETURN, 0, 0, 0));
}

TEST_F(calls, u_function_for_unknown_calls)
{
	uint64_t nr[] = { 0,	  1,	  0xF100,     0xF108,
			  0xF114, 0xF144, UINT64_MAX, (1ULL << 32) | UV_SHARE_PAGE };

	for (unsigned int i = 0; i < sizeof(nr) / sizeof(nr[0]); i++)
		EXPECT_EQ(U_FUNCTION, guest_ucall(&self->vm, nr[i], 1, 1, 0));
}

/*
 * Where ultracalls travel as hypercalls, KVM may know these numbers itself, and
 * refuses them to a guest with a code of its own.
 */
TEST_F(calls, the_ultravisors_hypercalls_are_refused)
{
	uint64_t nr[] = { H_SVM_PAGE_IN, H_SVM_PAGE_OUT, H_SVM_INIT_START, H_SVM_INIT_DONE,
			  H_SVM_INIT_ABORT };

	for (unsigned int i = 0; i < sizeof(nr) / sizeof(nr[0]); i++) {
		int64_t ret = guest_ucall(&self->vm, nr[i], 1, 1, 0);

		EXPECT_TRUE(ret == U_FUNCTION || ret == H_UNSUPPORTED);
	}
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->vm.c.svm_fd));
}

TEST_F(calls, u_invalid_in_a_normal_vm)
{
	EXPECT_EQ(U_INVALID, guest_share(&self->vm, vm_page(&self->vm, 0), 1));
	EXPECT_EQ(U_INVALID, guest_unshare(&self->vm, vm_page(&self->vm, 0), 1));
	EXPECT_EQ(U_INVALID, guest_unshare_all(&self->vm));
}

/* Pages that were shared become secure, all of them, and no other changes. */
TEST_F(calls, unshare_all_unshares_nothing_else)
{
	uint64_t gpa = vm_page(&self->vm, 0);
	struct uvmem_stats st;

	ASSERT_EQ(U_SUCCESS, guest_esm(&self->vm));
	ASSERT_EQ(0, guest_pattern(&self->vm, gpa, 100 * page_size(), SEED));
	ASSERT_EQ(U_SUCCESS, guest_share(&self->vm, gpa + 10 * page_size(), 70));
	ASSERT_EQ(U_SUCCESS, guest_share(&self->vm, gpa + 90 * page_size(), 1));
	EXPECT_EQ(U_SUCCESS, guest_unshare_all(&self->vm));
	ASSERT_EQ(0, svm_stats(&self->vm, &st));
	EXPECT_EQ(1, st.shared); /* the agent's mailbox, which it shares again */
	EXPECT_EQ(UVMEM_GFN_SHARED, hv_state(&self->vm, AGENT_MAILBOX_GPA));
	EXPECT_EQ(0, guest_is_zero(&self->vm, gpa + 10 * page_size(), 70 * page_size()));
	EXPECT_EQ(0, guest_is_zero(&self->vm, gpa + 90 * page_size(), page_size()));
	EXPECT_EQ(0, guest_verify(&self->vm, gpa, 10 * page_size(), SEED, 0));
	EXPECT_EQ(0, guest_verify(&self->vm, gpa + 80 * page_size(), 10 * page_size(), SEED, 0));
}

TEST_F(calls, h_random)
{
	struct agent_slot first = { .cmd = AGENT_RANDOM }, second = { .cmd = AGENT_RANDOM };

	ASSERT_EQ(H_SUCCESS, guest_do(&self->vm.c, 0, &first));
	ASSERT_EQ(U_SUCCESS, guest_esm(&self->vm));
	ASSERT_EQ(H_SUCCESS, guest_do(&self->vm.c, 0, &second));
	EXPECT_NE(first.out[0], second.out[0]);
	EXPECT_NE(0, first.out[0]);
	EXPECT_NE(0, second.out[0]);
	/* It is the ultravisor's; the hypervisor does not know it. */
	EXPECT_EQ(H_FUNCTION, hcall(&self->vm, H_RANDOM, 0, 0, 0, 0, NULL));
}

/* The machine's own hypercall for it comes to the same. */
TEST_F(calls, share_by_the_machines_hypercall)
{
	uint64_t gpa = vm_page(&self->vm, 2);
	struct agent_slot cmd = {
		.cmd = AGENT_SHARE, .gpa = gpa, .len = page_size(), .arg0 = AGENT_BY_HYPERCALL
	};

	ASSERT_EQ(U_SUCCESS, guest_esm(&self->vm));
	ASSERT_EQ(0, guest_pattern(&self->vm, gpa, page_size(), SEED));
	if (guest_do(&self->vm.c, 0, &cmd) == U_FUNCTION)
		SKIP(return, "this machine has no hypercall for sharing");
	ASSERT_EQ(0, cmd.ret);
	EXPECT_EQ(UVMEM_GFN_SHARED, hv_state(&self->vm, gpa));
	EXPECT_EQ(0, guest_is_zero(&self->vm, gpa, page_size()));
	cmd.cmd = AGENT_UNSHARE;
	ASSERT_EQ(0, guest_do(&self->vm.c, 0, &cmd));
	EXPECT_NE(UVMEM_GFN_SHARED, hv_state(&self->vm, gpa));
	/* An error comes back as the hypercall's callers know it: not as 0. */
	cmd = (struct agent_slot){ .cmd = AGENT_SHARE,
				   .gpa = 1ULL << 40,
				   .len = page_size(),
				   .arg0 = AGENT_BY_HYPERCALL };
	EXPECT_GT(0, guest_do(&self->vm.c, 0, &cmd));
}

TEST_HARNESS_MAIN
