// SPDX-License-Identifier: GPL-2.0
/*
 * The table of GFN states of a secure VM: every state x share, unshare,
 * terminate, with the content that either side finds afterwards. A real guest
 * makes the calls. States of a VM, abort and H_SVM_INIT_DONE are in transient.c.
 *
 *	GFN                            | share  | unshare | terminate
 *	Secure, in secure memory       | Shared | Secure  | Normal
 *	Secure, paged out              | Shared | Secure  | Normal
 *	Secure, never touched          | Shared | Secure  | Normal
 *	Shared                         | Shared | Secure  | Normal
 *	Normal (the VM is normal)      | error  | error   | Normal
 *
 * "Never touched" is what the table's "Normal" becomes with H_SVM_INIT_DONE: no
 * page backs it. Share and unshare zero; terminate leaves zeros.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0001

FIXTURE(gfn)
{
	struct vm vm;
	struct usage before;
	uint64_t gpa;
};

FIXTURE_VARIANT(gfn)
{
	unsigned int hv, uv; /* the state to begin with */
};

FIXTURE_VARIANT_ADD(gfn, resident){ .hv = UVMEM_GFN_UVMEM, .uv = UV_GFN_RESIDENT };

FIXTURE_VARIANT_ADD(gfn, paged_out){ .hv = UVMEM_GFN_MEM, .uv = UV_GFN_SEALED };

FIXTURE_VARIANT_ADD(gfn, untouched){ .hv = UVMEM_GFN_MEM, .uv = UV_GFN_ZERO };

FIXTURE_VARIANT_ADD(gfn, shared){ .hv = UVMEM_GFN_SHARED, .uv = UV_GFN_SHARED };

/* Bring the GFN into the state, with the pattern in it where it can have content. */
static int bring(struct vm *vm, uint64_t gpa, unsigned int uv)
{
	switch (uv) {
	case UV_GFN_ZERO:
		return 0;
	case UV_GFN_SHARED:
		if (guest_share(vm, gpa, 1) != U_SUCCESS)
			return say("UV_SHARE_PAGE failed");
		return guest_pattern(vm, gpa, page_size(), SEED);
	case UV_GFN_SEALED:
		if (guest_pattern(vm, gpa, page_size(), SEED))
			return -1;
		return host_sees_ciphertext(vm, gpa, SEED);
	default:
		return guest_pattern(vm, gpa, page_size(), SEED);
	}
}

FIXTURE_SETUP(gfn)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	self->gpa = vm_page(&self->vm, 3);
	ASSERT_EQ(0, bring(&self->vm, self->gpa, variant->uv));
	ASSERT_EQ(0, states_are(&self->vm, self->gpa, variant->hv, variant->uv));
}

FIXTURE_TEARDOWN(gfn)
{
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

TEST_F(gfn, share)
{
	static const char hello[] = "from the guest", answer[] = "from the host";
	char text[sizeof(hello)] = "";

	ASSERT_EQ(U_SUCCESS, guest_share(&self->vm, self->gpa, 1));
	ASSERT_EQ(UVMEM_GFN_SHARED, hv_state(&self->vm, self->gpa));
	ASSERT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
	ASSERT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_SHARED, UV_GFN_SHARED));
	ASSERT_EQ(0, host_sees_zeros(&self->vm, self->gpa));

	ASSERT_EQ(0, guest_write(&self->vm, self->gpa, hello, sizeof(hello)));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, text, sizeof(hello)));
	ASSERT_STREQ(hello, text);
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, answer, sizeof(answer)));
	ASSERT_EQ(0, guest_read(&self->vm, self->gpa, text, sizeof(answer)));
	ASSERT_STREQ(answer, text);
	ASSERT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
}

TEST_F(gfn, unshare)
{
	unsigned int uv;

	ASSERT_EQ(U_SUCCESS, guest_unshare(&self->vm, self->gpa, 1));
	ASSERT_NE(UVMEM_GFN_SHARED, hv_state(&self->vm, self->gpa));
	ASSERT_NE(UVMEM_GFN_NORMAL, hv_state(&self->vm, self->gpa));
	uv = uv_state(&self->vm, self->gpa);
	ASSERT_TRUE(uv == UV_GFN_ZERO || uv == UV_GFN_RESIDENT);
	ASSERT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));

	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED + 1));
	ASSERT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED + 1));
	ASSERT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED + 1, 0));
}

TEST_F(gfn, unshare_all)
{
	ASSERT_EQ(U_SUCCESS, guest_unshare_all(&self->vm));
	ASSERT_NE(UVMEM_GFN_SHARED, hv_state(&self->vm, self->gpa));
	/* Only what was shared is zeroed. */
	if (variant->uv == UV_GFN_SHARED || variant->uv == UV_GFN_ZERO) {
		ASSERT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
	} else {
		ASSERT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	}
}

TEST_F(gfn, terminate)
{
	ASSERT_EQ(0, vm_svm_off(&self->vm));
	ASSERT_EQ(UVMEM_GFN_NORMAL, hv_state(&self->vm, self->gpa));
	ASSERT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->vm.c.svm_fd));
	ASSERT_EQ(0, host_sees_zeros(&self->vm, self->gpa));
	ASSERT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
}

/* Terminate is for every page, not only for those the test has looked at. */
TEST_F(gfn, terminate_leaves_nothing_but_zeros)
{
	size_t bytes = page_size() * 64;
	uint8_t *all = malloc(self->vm.mem);
	struct uvmem_stats st;

	ASSERT_NE(NULL, all);
	ASSERT_EQ(0, guest_pattern(&self->vm, vm_page(&self->vm, 16), bytes, SEED));
	ASSERT_EQ(0, vm_svm_off(&self->vm));
	ASSERT_EQ(0, host_read(&self->vm, 0, all, self->vm.mem));
	ASSERT_TRUE(all_zeros(all, self->vm.mem));
	ASSERT_EQ(0, svm_stats(&self->vm, &st));
	EXPECT_EQ(self->vm.mem / page_size(), st.normal);
	EXPECT_EQ(0, st.uvmem + st.mem + st.shared);
	EXPECT_EQ(0, usage_check(&self->before));
	free(all);
}

/* The last column: states that H_SVM_INIT_DONE left, seen from a second UV_ESM. */
TEST_F(gfn, second_esm_changes_nothing)
{
	ASSERT_EQ(U_SUCCESS, guest_ucall(&self->vm, UV_ESM, AGENT_ESM_BLOB_GPA, 0, 0));
	ASSERT_EQ(0, states_are(&self->vm, self->gpa, variant->hv, variant->uv));
	if (variant->uv != UV_GFN_ZERO)
		ASSERT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
}

FIXTURE(normal)
{
	struct vm vm;
	struct usage before;
	uint64_t gpa;
};

FIXTURE_SETUP(normal)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start(&self->vm, NULL));
	self->gpa = vm_page(&self->vm, 3);
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED));
}

FIXTURE_TEARDOWN(normal)
{
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

static int still_normal(struct vm *vm, uint64_t gpa)
{
	if (hv_state(vm, gpa) != UVMEM_GFN_NORMAL || vm_state_fd(vm->c.svm_fd) != UVMEM_VM_NORMAL)
		return say("the VM is not normal");
	return host_sees_pattern(vm, gpa, SEED) || guest_verify(vm, gpa, page_size(), SEED, 0);
}

TEST_F(normal, share)
{
	ASSERT_EQ(U_INVALID, guest_share(&self->vm, self->gpa, 1));
	ASSERT_EQ(0, still_normal(&self->vm, self->gpa));
}

TEST_F(normal, unshare)
{
	ASSERT_EQ(U_INVALID, guest_unshare(&self->vm, self->gpa, 1));
	ASSERT_EQ(U_INVALID, guest_unshare_all(&self->vm));
	ASSERT_EQ(0, still_normal(&self->vm, self->gpa));
}

/* KVM_PPC_SVM_OFF of a normal VM is no error, and takes nothing from it. */
TEST_F(normal, terminate)
{
	struct own own;

	ASSERT_EQ(0, own_open(&own, 8));
	own_fill(&own, 0, 4, SEED);
	ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	ASSERT_EQ(UVMEM_VM_NORMAL, vm_state_fd(own.svm));
	ASSERT_EQ(0, own_has_pattern(&own, 0, 4, SEED));
	own_close(&own);
}

/* After a termination the VM is a normal one, and may go secure again. */
TEST_F(normal, esm_after_terminate)
{
	struct own own;

	ASSERT_EQ(0, own_open_secure(&own, 32, 8, SEED));
	ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	ASSERT_TRUE(all_zeros(own.h, own.len));
	own_fill(&own, 0, 8, SEED + 1);
	ASSERT_EQ(0, own_blob(&own, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&own));
	ASSERT_EQ(UVMEM_VM_SECURE, vm_state_fd(own.svm));
	ASSERT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&own, 0));
	own_close(&own);
}

TEST_HARNESS_MAIN
