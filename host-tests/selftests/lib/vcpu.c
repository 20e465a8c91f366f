// SPDX-License-Identifier: GPL-2.0
/*
 * A KVM vCPU on the guest view of an SVM that the test owns. What it runs is
 * the machine's (lib/ARCH/vcpu.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmfix.h"

/* The one memslot: all of the guest view, or nothing. */
static int set_slot(struct own_vcpu *v, uint64_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)v->g,
	};

	return ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int set_up(struct own_vcpu *v, struct own *o)
{
	v->g = mmap(NULL, v->len, PROT_READ | PROT_WRITE, MAP_SHARED, o->uv, 0);
	if (v->g == MAP_FAILED)
		return say("the guest view: %s", strerror(errno));
	v->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (v->kvm < 0)
		return say("/dev/kvm: %s", strerror(errno));
	v->vm = ioctl(v->kvm, KVM_CREATE_VM, 0);
	if (v->vm < 0 || set_slot(v, v->len))
		return say("KVM VM: %s", strerror(errno));
	v->vcpu = ioctl(v->vm, KVM_CREATE_VCPU, 0);
	v->run_bytes = (size_t)ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	v->run = mmap(NULL, v->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->vcpu, 0);
	if (v->vcpu < 0 || v->run == MAP_FAILED || own_vcpu_init(v))
		return say("KVM vCPU: %s", strerror(errno));
	return 0;
}

int own_vcpu_open(struct own_vcpu *v, struct own *o, size_t code_page)
{
	*v = (struct own_vcpu){
		.kvm = -1,
		.vm = -1,
		.vcpu = -1,
		.run = MAP_FAILED,
		.g = MAP_FAILED,
		.len = o->len,
		.code_gpa = code_page * page_size(),
	};
	return set_up(v, o);
}

/* KVM's memslot stays: it knows an address, and what is mapped there changes. */
int own_vcpu_move(struct own_vcpu *v, const struct own *o)
{
	void *g = mmap(v->g, v->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, o->uv, 0);

	return g == v->g ? 0 : say("the guest view: %s", strerror(errno));
}

int own_vcpu_forget(struct own_vcpu *v)
{
	return set_slot(v, 0) || set_slot(v, v->len) ? say("KVM's memslot: %s", strerror(errno)) :
						       0;
}

void own_vcpu_close(struct own_vcpu *v)
{
	if (v->run != MAP_FAILED)
		munmap(v->run, v->run_bytes);
	if (v->vcpu >= 0)
		close(v->vcpu);
	if (v->vm >= 0)
		close(v->vm);
	if (v->kvm >= 0)
		close(v->kvm);
	if (v->g != MAP_FAILED)
		munmap(v->g, v->len);
	*v = (struct own_vcpu){
		.kvm = -1,
		.vm = -1,
		.vcpu = -1,
		.run = MAP_FAILED,
		.g = MAP_FAILED,
	};
}
