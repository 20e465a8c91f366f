// SPDX-License-Identifier: GPL-2.0
/*
 * What book3s_hv_uvmem.c does that the specification, or its own tables, do not
 * say: docs/upstream-findings.md has the text of each. A finding that is seen is
 * an expected failure (XFAIL); where the kernel does not have it any more the
 * test passes.
 */
#include <sys/mman.h>

#define SEED 0x5eed0021
#define PAGES 16
#define TOUCHED 8

#include "finding.h"

/* H_SVM_INIT_START sets the VM's state before it has checked anything. */
TEST_F(upstream, init_start_that_fails_leaves_the_vm_normal)
{
	struct own *o = &self->own;

	/* No UV_ESM is under way: the ultravisor takes no memslots. */
	ASSERT_EQ(H_PARAMETER, own_hcall(o, H_SVM_INIT_START, 0, 0, 0, 0, NULL));
	FINDING(vm_state_fd(o->svm) != UVMEM_VM_NORMAL,
		"H_SVM_INIT_START is H_PARAMETER, and the VM is transient all the same");
}

TEST_F(upstream, init_start_a_second_time_is_refused)
{
	struct own *o = &self->own;
	int64_t ret;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ret = own_hcall(o, H_SVM_INIT_START, 0, 0, 0, 0, NULL);
	ASSERT_NE(NO_ANSWER, ret);
	FINDING(vm_state_fd(o->svm) != UVMEM_VM_SECURE,
		"H_SVM_INIT_START of a secure VM is %lld, and makes it transient", (long long)ret);
	EXPECT_EQ(H_STATE, ret);
}

/* Pages that are free have content that is easy to know. */
static void dirty_free_memory(void)
{
	size_t bytes = 64 * MIB;
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	memset(p, 0xa5, bytes);
	munmap(p, bytes);
}

TEST_F(upstream, terminate_leaves_zeros)
{
	struct own *o = &self->own;
	size_t dirty = 0;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	dirty_free_memory();
	ASSERT_EQ(0, own_off(o));
	for (size_t i = 0; i < PAGES; i++)
		dirty += !all_zeros(o->h + i * page_size(), page_size());
	FINDING(dirty, "after KVM_PPC_SVM_OFF %zu of %d pages hold old content of other owners",
		dirty, PAGES);
}

TEST_HARNESS_MAIN
