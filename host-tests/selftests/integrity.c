// SPDX-License-Identifier: GPL-2.0
/*
 * What the host does to a page while it has it: every way of giving the guest
 * anything but what was sealed stops the SVM at the guest's next access, with a
 * reason and the GPA. The other SVM and the host go on.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0008

FIXTURE(integrity)
{
	struct vm vm, other;
	struct usage before;
	uint64_t gpa;
	uint8_t *page, *old;
};

FIXTURE_SETUP(integrity)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, vm_start_secure(&self->vm, NULL));
	ASSERT_EQ(0, vm_start_secure(&self->other, NULL));
	self->gpa = vm_page(&self->vm, 6);
	self->page = malloc(page_size());
	self->old = malloc(page_size());
	ASSERT_NE(NULL, self->page);
	ASSERT_NE(NULL, self->old);
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, 2 * page_size(), SEED));
	ASSERT_EQ(0, guest_pattern(&self->other, self->gpa, page_size(), SEED + 7));
	/* Sealed, and here. */
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, self->page, page_size()));
}

static int others_go_on(struct vm *other, uint64_t gpa)
{
	return guest_verify(other, gpa, page_size(), SEED + 7, 0) ||
	       host_sees_ciphertext(other, gpa, SEED + 7) ||
	       guest_verify(other, gpa, page_size(), SEED + 7, 0);
}

FIXTURE_TEARDOWN(integrity)
{
	EXPECT_EQ(0, others_go_on(&self->other, self->gpa));
	EXPECT_EQ(0, vm_kill(&self->other));
	/* The launcher of the SVM that stopped is alive, and ends when told. */
	EXPECT_TRUE(vm_alive(&self->vm));
	EXPECT_EQ(0, vm_kill(&self->vm));
	EXPECT_EQ(0, usage_check(&self->before));
	free(self->page);
	free(self->old);
}

static int tamper(struct vm *vm, uint64_t gpa, size_t offset, uint8_t flip)
{
	uint8_t byte;

	if (host_read(vm, gpa + offset, &byte, 1))
		return -1;
	byte ^= flip;
	return host_write(vm, gpa + offset, &byte, 1);
}

TEST_F(integrity, first_bit_flipped)
{
	ASSERT_EQ(0, tamper(&self->vm, self->gpa, 0, 0x01));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(integrity, last_bit_flipped)
{
	ASSERT_EQ(0, tamper(&self->vm, self->gpa, page_size() - 1, 0x80));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(integrity, flipped_and_flipped_back)
{
	ASSERT_EQ(0, tamper(&self->vm, self->gpa, 100, 0x10));
	ASSERT_EQ(0, tamper(&self->vm, self->gpa, 100, 0x10));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, 2 * page_size(), SEED, 0));
}

TEST_F(integrity, two_pages_swapped)
{
	uint64_t next = self->gpa + page_size();

	ASSERT_EQ(0, host_read(&self->vm, next, self->old, page_size()));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, self->old, page_size()));
	ASSERT_EQ(0, host_write(&self->vm, next, self->page, page_size()));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(integrity, the_page_of_another_svm)
{
	ASSERT_EQ(0, host_read(&self->other, self->gpa, self->old, page_size()));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, self->old, page_size()));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

/* The same GPA, sealed by the ultravisor itself, but not the last time. */
TEST_F(integrity, replay)
{
	memcpy(self->old, self->page, page_size());
	ASSERT_EQ(0, guest_pattern(&self->vm, self->gpa, page_size(), SEED + 1));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, self->page, page_size()));
	ASSERT_NE(0, memcmp(self->old, self->page, page_size()));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, self->old, page_size()));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

/* The guest did not even change it: each sealing counts. */
TEST_F(integrity, replay_of_the_same_content)
{
	memcpy(self->old, self->page, page_size());
	ASSERT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
	ASSERT_EQ(0, host_read(&self->vm, self->gpa, self->page, page_size()));
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, self->old, page_size()));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(integrity, zeroed)
{
	memset(self->page, 0, page_size());
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, self->page, page_size()));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

TEST_F(integrity, the_plaintext_itself)
{
	pattern_fill(self->page, self->gpa, page_size(), SEED, 0);
	ASSERT_EQ(0, host_write(&self->vm, self->gpa, self->page, page_size()));
	EXPECT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
}

/* MADV_PAGEOUT in the launcher's address space, from here. */
static int page_out_of(pid_t pid, uint64_t addr)
{
	struct iovec range = { (void *)(uintptr_t)addr, page_size() };
	long n = -1;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd >= 0) {
		n = syscall(SYS_process_madvise, pidfd, &range, 1UL, MADV_PAGEOUT, 0);
		close(pidfd);
	}
	return n == (long)page_size() ? 0 : -1;
}

/* Reclaim may ask for the page at any time; without swap it stays. */
TEST_F(integrity, reclaim_takes_nothing)
{
	EXPECT_EQ(0, page_out_of(self->vm.pid, self->vm.c.info.hva + self->gpa));
	EXPECT_EQ(0, guest_verify(&self->vm, self->gpa, page_size(), SEED, 0));
}

/* A stopped SVM is of no use to anybody, but it can be looked at and ended. */
TEST_F(integrity, what_is_left_of_a_stopped_svm)
{
	struct agent_slot cmd = { .cmd = AGENT_NOP };
	struct uvsim_svm svm;

	ASSERT_EQ(0, tamper(&self->vm, self->gpa, 9, 0x20));
	ASSERT_EQ(0, guest_stops(&self->vm, self->gpa, UV_STOP_INTEGRITY));
	ASSERT_EQ(0, uvsim_svm(&self->vm, &svm));
	EXPECT_EQ(1, svm.integrity_failures);
	EXPECT_NE(0, uvc_agent(&self->vm.c, 0, &cmd));
	EXPECT_EQ(ENOTCONN, errno);
	/* The host pages the rest out, and sees nothing of it. */
	EXPECT_EQ(0, host_sees_ciphertext(&self->vm, self->gpa + page_size(), SEED));
	EXPECT_EQ(3, vm_quit(&self->vm));
	ASSERT_EQ(0, vm_start(&self->vm, NULL));
}

FIXTURE(lost)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(lost)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_secure(&self->own, 32, 8, SEED));
	ASSERT_EQ(H_SUCCESS,
		  own_hcall(&self->own, H_SVM_PAGE_OUT, 3 * page_size(), 0, page_order(), 0, NULL));
}

FIXTURE_TEARDOWN(lost)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static int stopped(struct own *o, unsigned int reason)
{
	struct uvsim_svm svm = { .lpid = o->lpid };

	if (ioctl(o->uv, UVSIM_GET_SVM, &svm))
		return say("UVSIM_GET_SVM: %s", strerror(errno));
	return svm.state == UV_VM_STOPPED && svm.stop_reason == reason &&
			       svm.stop_gpa == 3 * page_size() ?
		       0 :
		       say("state %u, reason %u, GPA 0x%llx", svm.state, svm.stop_reason,
			   (unsigned long long)svm.stop_gpa);
}

/*
 * The VMM threw the ciphertext away, and H has zeros for it, or nothing. The
 * guest asks for it by the ultracall that brings it in: there is none but a
 * fault, so the hypercall stands for it.
 */
TEST_F(lost, dropped_ciphertext_read_as_zeros)
{
	ASSERT_EQ(0, madvise(self->own.h + 3 * page_size(), page_size(), MADV_DONTNEED));
	ASSERT_EQ(0, self->own.h[3 * page_size()]);
	self->own.h[3 * page_size()] = 0;
	EXPECT_EQ(H_PARAMETER,
		  own_hcall(&self->own, H_SVM_PAGE_IN, 3 * page_size(), 0, page_order(), 0, NULL));
	EXPECT_EQ(0, stopped(&self->own, UV_STOP_INTEGRITY));
}

/* An ultracall of the test's own SVM that hits the tampered page. */
TEST_F(lost, tampered_page_in_by_the_vmm)
{
	self->own.h[3 * page_size() + 17] ^= 4;
	EXPECT_EQ(H_PARAMETER,
		  own_hcall(&self->own, H_SVM_PAGE_IN, 3 * page_size(), 0, page_order(), 0, NULL));
	EXPECT_EQ(0, stopped(&self->own, UV_STOP_INTEGRITY));
	EXPECT_EQ(U_INVALID, own_ucall(&self->own, UV_SHARE_PAGE, 1, 1, 0, 0, 0));
	EXPECT_EQ(U_INVALID, own_esm(&self->own));
	EXPECT_EQ(H_PARAMETER,
		  own_hcall(&self->own, H_SVM_PAGE_IN, 3 * page_size(), 0, page_order(), 0, NULL));
	/* Everything else can still be paged out, and the VM be ended. */
	EXPECT_EQ(H_SUCCESS,
		  own_hcall(&self->own, H_SVM_PAGE_OUT, 4 * page_size(), 0, page_order(), 0, NULL));
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
}

TEST_HARNESS_MAIN
