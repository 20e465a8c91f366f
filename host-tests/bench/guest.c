// SPDX-License-Identifier: GPL-2.0
/* The guest touches pages of its own that are paged out. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

/* All pages out, then in order by the guest, in one go of its vCPU. */
static void in_order(struct bench *b, struct own *o, struct own_vcpu *v, const char *figure)
{
	uint64_t begin;

	bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, b->pages);
	begin = now_ns();
	need(!own_vcpu_touch(v, 0, page_size(), b->pages), "the guest's touches");
	sample(b, figure, b->pages, (double)(now_ns() - begin) / (double)b->pages);
}

/*
 * All of it is in secure memory and in the guest view, and only KVM has to be told:
 * what is left of a fault when paging costs nothing.
 */
static void in_kvm_only(struct bench *b, struct own_vcpu *v)
{
	uint64_t begin;

	need(!own_vcpu_forget(v), "a new memslot");
	begin = now_ns();
	need(!own_vcpu_touch(v, 0, page_size(), b->pages), "the guest's touches");
	sample(b, "guest_kvm", b->pages, (double)(now_ns() - begin) / (double)b->pages);
}

/* An exit and an entry for each page are part of this one. */
static void at_random(struct bench *b, struct own *o, struct own_vcpu *v)
{
	size_t *order = shuffled(b, b->pages), n = b->pages / 8;
	struct uvmem_stats before, after;
	uint64_t begin, moved;
	uint8_t byte;

	bench_range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, b->pages);
	before = bench_stats(o);
	begin = now_ns();
	for (size_t i = 0; i < n; i++)
		need(!own_vcpu_read(v, order[i] * page_size(), &byte), "the guest's touch");
	sample(b, "guest_rand", n, (double)(now_ns() - begin) / (double)n);
	after = bench_stats(o);
	moved = after.page_ins - before.page_ins;
	sample(b, "guest_rand_waste", n, 100.0 * ((double)moved - (double)n) / (double)moved);
	free(order);
}

void bench_guest(struct bench *b)
{
	struct own_vcpu v;
	struct own o;

	bench_svm(&o, b->pages, 0, b->pages);
	need(!own_vcpu_open(&v, &o, b->pages), "a vCPU");
	in_order(b, &o, &v, "guest_seq");
	if (!b->upstream) {
		in_kvm_only(b, &v);
		at_random(b, &o, &v);
		need(!uvsim_param("fault_around", 0), "fault_around");
		in_order(b, &o, &v, "guest_one");
		need(!uvsim_param("fault_around", 16), "fault_around");
	}
	own_vcpu_close(&v);
	bench_close(&o);
}

/*
 * Keep a VM until killed. The first and the last VM of a machine have the kernel
 * patch its own code, which costs all of its CPUs time, and which QEMU's emulation
 * with a thread for each CPU does not always get right.
 */
void bench_hold(struct bench *b)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	(void)b;
	need(kvm >= 0 && ioctl(kvm, KVM_CREATE_VM, 0) >= 0, "a VM to keep");
	for (;;)
		pause();
}
