// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls on the way that KVM-HV knows them: a vCPU of the hypervisor's own VM
 * makes H_SVM_* with "sc 1", and KVM-HV takes them if MSR[S] was set, which the
 * interrupt puts into SRR1. The code is in H, so it runs as long as KVM-HV maps H
 * for its guests: until H_SVM_INIT_DONE.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0020
#define PAGES 64
#define TOUCHED 24
#define CODE 20 /* page with the instructions */
#define MEASURED (8 * page_size())
#define DONE_HCALL 0xed42ULL /* one that KVM does not know */
#define MSR_SF_LE 0x8000000000000001ULL
#define MSR_S (1ULL << 22)

/* sc 1; mr r4, r3; li r3, 0; ori r3, r3, 0xed42; sc 1 */
static const uint32_t code[] = { 0x44000022, 0x7c641b78, 0x38600000, 0x6063ed42, 0x44000022 };

struct hv_vcpu {
	int fd;
	struct kvm_run *run;
	size_t bytes;
};

static int hv_vcpu_open(struct hv_vcpu *v, struct own *o)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_PAPR };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	v->bytes = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);
	v->fd = ioctl(o->hv, KVM_CREATE_VCPU, 0);
	if (v->fd < 0 || ioctl(v->fd, KVM_ENABLE_CAP, &cap))
		return say("KVM vCPU: %s", strerror(errno));
	v->run = mmap(NULL, v->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	return v->run == MAP_FAILED ? say("KVM vCPU: %s", strerror(errno)) : 0;
}

static void hv_vcpu_close(struct hv_vcpu *v)
{
	munmap(v->run, v->bytes);
	close(v->fd);
}

static int64_t run_hcall(struct hv_vcpu *v, uint64_t msr, uint64_t nr, const uint64_t args[3])
{
	struct kvm_regs regs = {
		.pc = CODE * page_size(),
		.msr = msr,
		.gpr = { [3] = nr, [4] = args[0], [5] = args[1], [6] = args[2] },
	};
	struct kvm_run *run = v->run;

	/* After a hypercall KVM takes R3 to R12 from kvm_run. */
	if (run->exit_reason == KVM_EXIT_PAPR_HCALL) {
		run->papr_hcall.ret = nr;
		memcpy(run->papr_hcall.args, args, 3 * sizeof(args[0]));
	}
	if (ioctl(v->fd, KVM_SET_REGS, &regs))
		return NO_ANSWER;
	while (ioctl(v->fd, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			return say("KVM_RUN: %s", strerror(errno)), NO_ANSWER;
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL || run->papr_hcall.nr != DONE_HCALL)
		return say("the vCPU came out for reason %u", run->exit_reason), NO_ANSWER;
	return (int64_t)run->papr_hcall.args[0];
}

/* SRR1 of the last interrupt has the MSR that the guest ran with. */
static bool had_msr_s(struct hv_vcpu *v)
{
	struct kvm_regs regs;

	return !ioctl(v->fd, KVM_GET_REGS, &regs) && (regs.srr1 & MSR_S);
}

/*
 * The guest makes the hypercall @nr; its code, or NO_ANSWER. An emulated
 * processor forgets MSR[S] when something interrupts it before the hypercall,
 * which then is one of a normal guest and does nothing: once more.
 */
static int64_t guest_hcall(struct hv_vcpu *v, bool msr_s, uint64_t nr, uint64_t a0, uint64_t a1,
			   uint64_t a2)
{
	const uint64_t args[3] = { a0, a1, a2 };
	uint64_t msr = MSR_SF_LE | (msr_s ? MSR_S : 0);
	int64_t ret = NO_ANSWER;

	for (unsigned int tries = 0; tries < 1000; tries++) {
		ret = run_hcall(v, msr, nr, args);
		if (ret != H_UNSUPPORTED || !msr_s || had_msr_s(v))
			break;
	}
	return ret;
}

FIXTURE(guest)
{
	struct own own;
	struct hv_vcpu vcpu;
};

FIXTURE_SETUP(guest)
{
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	memcpy(self->own.h + CODE * page_size(), code, sizeof(code));
	ASSERT_EQ(0, own_blob(&self->own, MEASURED, 1, true));
	ASSERT_EQ(0, hv_vcpu_open(&self->vcpu, &self->own));
}

FIXTURE_TEARDOWN(guest)
{
	hv_vcpu_close(&self->vcpu);
	own_close(&self->own);
}

TEST_F(guest, not_without_msr_s)
{
	EXPECT_EQ(H_UNSUPPORTED, guest_hcall(&self->vcpu, false, H_SVM_INIT_START, 0, 0, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
	EXPECT_EQ(H_UNSUPPORTED,
		  guest_hcall(&self->vcpu, false, H_SVM_PAGE_IN, 0, 0, page_order()));
	EXPECT_EQ(H_UNSUPPORTED,
		  guest_hcall(&self->vcpu, false, H_SVM_PAGE_OUT, 0, 0, page_order()));
	EXPECT_EQ(H_UNSUPPORTED, guest_hcall(&self->vcpu, false, H_SVM_INIT_DONE, 0, 0, 0));
}

TEST_F(guest, before_init_start)
{
	EXPECT_EQ(H_UNSUPPORTED, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, 0, 0, page_order()));
	EXPECT_EQ(H_UNSUPPORTED,
		  guest_hcall(&self->vcpu, true, H_SVM_PAGE_OUT, 0, 0, page_order()));
	EXPECT_EQ(H_UNSUPPORTED, guest_hcall(&self->vcpu, true, H_SVM_INIT_DONE, 0, 0, 0));
	EXPECT_EQ(H_UNSUPPORTED, guest_hcall(&self->vcpu, true, H_SVM_INIT_ABORT, 0, 0, 0));
}

/* The ultravisor takes no memslots of a VM that did not ask it to be secure. */
TEST_F(guest, init_start_alone)
{
	EXPECT_EQ(H_PARAMETER, guest_hcall(&self->vcpu, true, H_SVM_INIT_START, 0, 0, 0));
	EXPECT_EQ(UV_GFN_NOSLOT, own_uv_state(&self->own, 0));
}

TEST_F(guest, pages_of_a_transient_vm)
{
	struct own *o = &self->own;
	uint64_t gpa = 10 * page_size();

	ASSERT_EQ(0, own_ucall(o, UV_SIM_ESM_START, 0, 0, 0, 0, 0));
	ASSERT_EQ(UV_GFN_NORMAL, own_uv_state(o, 10));
	EXPECT_EQ(H_SUCCESS, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, gpa, 0, page_order()));
	EXPECT_EQ(UV_GFN_RESIDENT, own_uv_state(o, 10));
	EXPECT_EQ(H_SUCCESS, guest_hcall(&self->vcpu, true, H_SVM_PAGE_OUT, gpa, 0, page_order()));
	EXPECT_EQ(UV_GFN_SEALED, own_uv_state(o, 10));
	EXPECT_EQ(H_SUCCESS, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, gpa, 0, page_order()));
	EXPECT_EQ(UV_GFN_RESIDENT, own_uv_state(o, 10));
	EXPECT_EQ(H_PARAMETER, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, gpa, 0, page_order()));
	EXPECT_EQ(H_P2, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, gpa, 2, page_order()));
	EXPECT_EQ(H_P3, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, gpa, 0, page_order() + 1));
	EXPECT_EQ(H_P2, guest_hcall(&self->vcpu, true, H_SVM_PAGE_OUT, gpa, 1, page_order()));
	EXPECT_EQ(H_P3, guest_hcall(&self->vcpu, true, H_SVM_PAGE_OUT, gpa, 0, page_order() + 1));
	EXPECT_EQ(H_PARAMETER, guest_hcall(&self->vcpu, true, H_SVM_PAGE_IN, PAGES * page_size(), 0,
					   page_order()));
	EXPECT_EQ(U_SUCCESS, own_ucall(o, UV_SIM_ESM_FINISH, o->blob_gpa, 0, 0, 0, 0));
	EXPECT_EQ(UVMEM_VM_SECURE, vm_state_fd(o->svm));
	EXPECT_EQ(0, own_off(o));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(o->svm));
}

TEST_F(guest, aborts)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, own_ucall(o, UV_SIM_ESM_START, 0, 0, 0, 0, 0));
	EXPECT_EQ(H_PARAMETER, guest_hcall(&self->vcpu, false, H_SVM_INIT_ABORT, 0, 0, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(o->svm));
	EXPECT_EQ(U_INVALID, own_ucall(o, UV_SIM_ESM_FINISH, o->blob_gpa, 0, 0, 0, 0));
	EXPECT_EQ(UV_GFN_NOSLOT, own_uv_state(o, 0));
}

TEST_HARNESS_MAIN
