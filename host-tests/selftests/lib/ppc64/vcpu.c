// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU in real mode: it loads or stores the byte at R5 and then says in a
 * hypercall that it is done, so no page table is needed.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmfix.h"

#define READ_PC 0
#define WRITE_PC 16
#define TOUCH_PC 32
#define DONE_HCALL 0xed42 /* one that KVM does not know */
#define MSR_SF_LE 0x8000000000000001ULL

static const uint32_t read_code[] = { 0x88850000, 0x44000022 };	 /* lbz r4, 0(r5); sc 1 */
static const uint32_t write_code[] = { 0x98850000, 0x44000022 }; /* stb r4, 0(r5); sc 1 */
/* mtctr r6; lbz r4, 0(r5); add r5, r5, r7; bdnz -8; sc 1 */
static const uint32_t touch_code[] = { 0x7cc903a6, 0x88850000, 0x7ca53a14, 0x4200fff8, 0x44000022 };

void own_vcpu_code(struct own *o, size_t page)
{
	uint8_t *code = o->h + page * page_size();

	memcpy(code + READ_PC, read_code, sizeof(read_code));
	memcpy(code + WRITE_PC, write_code, sizeof(write_code));
	memcpy(code + TOUCH_PC, touch_code, sizeof(touch_code));
}

/* KVM-HV runs PAPR guests only. */
int own_vcpu_init(struct own_vcpu *v)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_PAPR };

	return ioctl(v->vcpu, KVM_ENABLE_CAP, &cap);
}

/*
 * After a hypercall KVM takes R3 to R12 from kvm_run when the vCPU is entered
 * again, otherwise from KVM_SET_REGS: say the same in both.
 */
static int prepare(struct own_vcpu *v, const struct kvm_regs *regs)
{
	struct kvm_run *run = v->run;

	if (run->exit_reason == KVM_EXIT_PAPR_HCALL) {
		run->papr_hcall.ret = regs->gpr[3];
		for (unsigned int i = 0; i < 4; i++)
			run->papr_hcall.args[i] = regs->gpr[4 + i];
	}
	return ioctl(v->vcpu, KVM_SET_REGS, regs);
}

/* From @pc on, with R4 to R7, to the hypercall; R4 then. */
static int run(struct own_vcpu *v, uint64_t pc, const uint64_t r[4], uint8_t *r4)
{
	const struct kvm_run *run = v->run;
	struct kvm_regs regs = { .pc = v->code_gpa + pc, .msr = MSR_SF_LE };

	regs.gpr[3] = DONE_HCALL;
	memcpy(&regs.gpr[4], r, 4 * sizeof(*r));
	if (prepare(v, &regs))
		return errno;
	while (ioctl(v->vcpu, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			return errno;
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL || run->papr_hcall.nr != DONE_HCALL) {
		say("the vCPU came out for reason %u", run->exit_reason);
		return EIO;
	}
	*r4 = (uint8_t)run->papr_hcall.args[0];
	return 0;
}

int own_vcpu_read(struct own_vcpu *v, uint64_t gpa, uint8_t *byte)
{
	const uint64_t r[4] = { 0, gpa };

	return run(v, READ_PC, r, byte);
}

int own_vcpu_write(struct own_vcpu *v, uint64_t gpa, uint8_t byte)
{
	const uint64_t r[4] = { byte, gpa };

	return run(v, WRITE_PC, r, &byte);
}

int own_vcpu_touch(struct own_vcpu *v, uint64_t gpa, uint64_t stride, uint64_t n)
{
	const uint64_t r[4] = { 0, gpa, n, stride };
	uint8_t last;

	return run(v, TOUCH_PC, r, &last);
}
