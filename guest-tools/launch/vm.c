// SPDX-License-Identifier: GPL-2.0
/*
 * The VM: KVM's file descriptors, guest memory as the host sees it (H), and
 * the one memslot, which points at H or at the guest view (G).
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch.h"

static int open_kvm(struct vm *vm)
{
	int version;

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return fail_errno("cannot open /dev/kvm");
	version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return fail("/dev/kvm has API version %d, not %d", version, KVM_API_VERSION);
	vm->vm_fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->vm_fd < 0)
		return fail_errno("KVM_CREATE_VM");
	return 0;
}

/*
 * A kernel that cannot move huge pages has to split them to make a page secure, which it
 * may fail to for good.
 */
static bool huge_pages_move(void)
{
	FILE *f = fopen("/sys/module/kvm_uvmem/parameters/block_pages", "re");
	unsigned int pages = 0;

	if (f && fscanf(f, "%u", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages;
}

static int map_h(struct vm *vm)
{
	void *h = mmap(NULL, vm->mem_bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (h == MAP_FAILED)
		return fail_errno("cannot map %llu bytes of guest memory",
				  (unsigned long long)vm->mem_bytes);
	if (!huge_pages_move())
		madvise(h, vm->mem_bytes, MADV_NOHUGEPAGE);
	vm->h = h;
	return 0;
}

static int set_slot(struct vm *vm, uint64_t bytes, uint8_t *view)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)view,
	};

	return ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/* KVM cannot change a slot's address, only delete the slot and make it anew. */
int vm_point_at(struct vm *vm, uint8_t *view)
{
	if (set_slot(vm, 0, view))
		return fail_errno("KVM_SET_USER_MEMORY_REGION: delete the memslot");
	if (set_slot(vm, vm->mem_bytes, view))
		return fail_errno("KVM_SET_USER_MEMORY_REGION: point the memslot at %p", view);
	return 0;
}

int vm_create(struct vm *vm, const struct options *opt)
{
	*vm = (struct vm){
		.opt = *opt,
		.page_shift = (uint32_t)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE)),
		.mem_bytes = opt->mem_bytes,
		.kvm_fd = -1,
		.vm_fd = -1,
		.svm_fd = -1,
		.uvsim_fd = -1,
		.hv_fd = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.cond = PTHREAD_COND_INITIALIZER,
	};
	if (open_kvm(vm) || map_h(vm))
		return -1;
	if (set_slot(vm, vm->mem_bytes, vm->h))
		return fail_errno("KVM_SET_USER_MEMORY_REGION: %llu bytes",
				  (unsigned long long)vm->mem_bytes);
	return arch_vm_init(vm);
}
