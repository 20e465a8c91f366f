// SPDX-License-Identifier: GPL-2.0
/*
 * Every state of a GFN x {guest, host} x {read, write}: what is read, and which
 * state the access leads to.
 *
 *	                        | guest             | host
 *	Secure, in secure memory| content, stays    | ciphertext, paged out
 *	Secure, paged out       | content, paged in | ciphertext, stays
 *	Secure, never touched   | zeros, paged in   | what H has, stays
 *	Shared                  | content, stays    | content, stays
 *	Shared, H unmapped it   | what H has        | what H has
 *	Normal                  | content, stays    | content, stays
 *
 * What the host writes into a secure page is lost on the guest, or ends it;
 * integrity.c has the latter.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0003

FIXTURE(access)
{
	struct vm vm;
	struct usage before;
	uint64_t gpa;
};

FIXTURE_SETUP(access)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start(&self->vm, NULL));
	self->gpa = vm_page(&self->vm, 5);
}

FIXTURE_TEARDOWN(access)
{
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
}

static int go_secure(struct vm *vm)
{
	int64_t ret = guest_esm(vm);

	return ret == U_SUCCESS ? vm_refresh(vm) : say("UV_ESM: %lld", (long long)ret);
}

/* In secure memory, with the pattern in it. */
static int resident(struct vm *vm, uint64_t gpa)
{
	return go_secure(vm) || guest_pattern(vm, gpa, page_size(), SEED) ||
	       states_are(vm, gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT);
}

static int paged_out(struct vm *vm, uint64_t gpa)
{
	if (resident(vm, gpa))
		return -1;
	if (hcall_page_out(vm, gpa) != H_SUCCESS)
		return say("H_SVM_PAGE_OUT failed");
	return states_are(vm, gpa, UVMEM_GFN_MEM, UV_GFN_SEALED);
}

static int shared(struct vm *vm, uint64_t gpa)
{
	if (go_secure(vm))
		return -1;
	if (guest_share(vm, gpa, 1) != U_SUCCESS)
		return say("UV_SHARE_PAGE failed");
	return guest_pattern(vm, gpa, page_size(), SEED);
}

static int untouched(struct vm *vm, uint64_t gpa)
{
	return go_secure(vm) || states_are(vm, gpa, UVMEM_GFN_MEM, UV_GFN_ZERO);
}

TEST_F(access, normal_guest_and_host_share_everything)
{
	uint64_t word = 0x1122334455667788, seen = 0;

	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED));
	ASSERT_EQ(0, host_sees_pattern(&self->vm, self->gpa, SEED));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, &word, sizeof(word)));
	ASSERT_EQ(0, guest_read(&self->vm, self->gpa, &seen, sizeof(seen)));
	EXPECT_EQ(word, seen);
	EXPECT_EQ(UVMEM_GFN_NORMAL, hv_state(&self->vm, self->gpa));
	EXPECT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
}

/* What a VM had before UV_ESM it has afterwards, page by page. */
TEST_F(access, esm_keeps_the_content)
{
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, 20 * page_size(), SEED));
	ASSERT_EQ(0, go_secure(&self->vm));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	EXPECT_EQ(PAGEMAP_DEVICE, host_pagemap(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, 20 * page_size(), SEED, 0));
}

TEST_F(access, resident_guest_reads)
{
	ASSERT_EQ(0, resident(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
}

TEST_F(access, resident_guest_writes)
{
	ASSERT_EQ(0, resident(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED + 1));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED + 1, 0));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	EXPECT_EQ(PAGEMAP_DEVICE, host_pagemap(&self->vm, self->gpa));
}

TEST_F(access, resident_host_reads)
{
	struct uvmem_stats before, after;

	ASSERT_EQ(0, resident(&self->vm, self->gpa));
	ASSERT_EQ(0, svm_stats(&self->vm, &before));
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED));
	EXPECT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
	ASSERT_EQ(0, svm_stats(&self->vm, &after));
	EXPECT_LT(before.host_faults, after.host_faults);
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
}

TEST_F(access, resident_host_writes)
{
	uint64_t word = 0x6861636b6564;

	ASSERT_EQ(0, resident(&self->vm, self->gpa));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa + 64, &word, sizeof(word)));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(access, paged_out_guest_reads)
{
	ASSERT_EQ(0, paged_out(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	EXPECT_EQ(PAGEMAP_DEVICE, host_pagemap(&self->vm, self->gpa));
}

TEST_F(access, paged_out_guest_writes)
{
	uint64_t word = 0x77726974746e, seen = 0;

	ASSERT_EQ(0, paged_out(&self->vm, self->gpa));
	ASSERT_EQ(0, guest_write(&self->vm, self->gpa, &word, sizeof(word)));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	ASSERT_EQ(0, guest_read(&self->vm, self->gpa, &seen, sizeof(seen)));
	EXPECT_EQ(word, seen);
	/* The rest of the page came back with it. */
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa + 8, page_size() - 8, SEED, 0));
}

TEST_F(access, paged_out_host_reads_twice_the_same)
{
	uint8_t *first = malloc(page_size()), *second = malloc(page_size());

	ASSERT_NE(NULL, first);
	ASSERT_NE(NULL, second);
	ASSERT_EQ(0, paged_out(&self->vm, self->gpa));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, first, page_size()));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, second, page_size()));
	EXPECT_EQ(0, memcmp(first, second, page_size()));
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED));

	/* The same content sealed again looks different: the IV is new. */
	ASSERT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, second, page_size()));
	EXPECT_TRUE(no_plaintext(second, first, page_size()));
	free(first);
	free(second);
}

TEST_F(access, paged_out_host_writes)
{
	uint8_t byte = 0;

	ASSERT_EQ(0, paged_out(&self->vm, self->gpa));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, &byte, 1));
	byte ^= 0x80;
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, &byte, 1));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(access, untouched_guest_reads)
{
	ASSERT_EQ(0, untouched(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
}

TEST_F(access, untouched_guest_writes)
{
	ASSERT_EQ(0, untouched(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	EXPECT_EQ(UV_GFN_RESIDENT, uv_state(&self->vm, self->gpa));
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
}

TEST_F(access, untouched_host_reads)
{
	ASSERT_EQ(0, untouched(&self->vm, self->gpa));
	EXPECT_EQ(0, host_sees_zeros(&self->vm, self->gpa));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_MEM, UV_GFN_ZERO));
	EXPECT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
}

/* What the host puts into a hole after UV_ESM never gets to the guest. */
TEST_F(access, untouched_host_writes)
{
	uint64_t word = 0x696e6a6563746564;

	ASSERT_EQ(0, untouched(&self->vm, self->gpa));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, &word, sizeof(word)));
	EXPECT_EQ(0, guest_is_zero(&self->vm, self->gpa, page_size()));
}

TEST_F(access, shared_guest_and_host)
{
	uint64_t word = 0x8877665544332211, seen = 0;

	ASSERT_EQ(0, shared(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	EXPECT_EQ(0, host_sees_pattern(&self->vm, self->gpa, SEED));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, &word, sizeof(word)));
	ASSERT_EQ(0, guest_read(&self->vm, self->gpa, &seen, sizeof(seen)));
	EXPECT_EQ(word, seen);
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_SHARED, UV_GFN_SHARED));
	EXPECT_EQ(PAGEMAP_PRESENT, host_pagemap(&self->vm, self->gpa));
}

/* H_SVM_PAGE_OUT of a page that the host has anyway does nothing. */
TEST_F(access, shared_page_out_does_nothing)
{
	ASSERT_EQ(0, shared(&self->vm, self->gpa));
	EXPECT_EQ(H_SUCCESS, hcall_page_out(&self->vm, self->gpa));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_SHARED, UV_GFN_SHARED));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
}

/* The hypercall brings a page in before the guest asks for it. */
TEST_F(access, paged_in_by_the_vmm)
{
	ASSERT_EQ(0, paged_out(&self->vm, self->gpa));
	EXPECT_EQ(H_SUCCESS, hcall_page_in(&self->vm, self->gpa));
	EXPECT_EQ(0, states_are(&self->vm, self->gpa, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT));
	EXPECT_EQ(PAGEMAP_DEVICE, host_pagemap(&self->vm, self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
}

TEST_F(access, content_survives_many_moves)
{
	ASSERT_EQ(0, resident(&self->vm, self->gpa));
	for (unsigned int round = 0; round < 20; round++) {
		ASSERT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa, SEED));
		ASSERT_EQ(H_SUCCESS, hcall_page_in(&self->vm, self->gpa));
		ASSERT_EQ(H_SUCCESS, hcall_page_out(&self->vm, self->gpa));
		ASSERT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	}
}

TEST_HARNESS_MAIN
