// SPDX-License-Identifier: GPL-2.0
/* The host's side of a VM: its memory through H, hypercalls, states, page tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest-tools/lib/names.h"
#include "guest-tools/lib/hv.h"
#include "vmfix.h"

int host_read(struct vm *vm, uint64_t gpa, void *buf, size_t len)
{
	ssize_t n = uvc_peek(&vm->c, gpa, buf, len);

	return n == (ssize_t)len ? 0 :
				   say("host read of GPA 0x%llx: %zd: %s", (unsigned long long)gpa,
				       n, strerror(errno));
}

int host_write(struct vm *vm, uint64_t gpa, const void *buf, size_t len)
{
	ssize_t n = uvc_poke(&vm->c, gpa, buf, len);

	return n == (ssize_t)len ? 0 :
				   say("host write of GPA 0x%llx: %zd: %s", (unsigned long long)gpa,
				       n, strerror(errno));
}

int64_t hcall_fd(int svm_fd, uint64_t nr, const uint64_t args[4], uint64_t *out)
{
	struct uvmem_hcall call = { .nr = nr };

	memcpy(call.args, args, sizeof(call.args));
	if (ioctl(svm_fd, UVMEM_HCALL, &call)) {
		say("UVMEM_HCALL 0x%llx: %s", (unsigned long long)nr, strerror(errno));
		return NO_ANSWER;
	}
	if (out)
		*out = call.out[0];
	return call.ret;
}

int64_t hcall(struct vm *vm, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	      uint64_t *out)
{
	const uint64_t args[4] = { a0, a1, a2, a3 };

	return hcall_fd(vm->c.svm_fd, nr, args, out);
}

int64_t hcall_page_in(struct vm *vm, uint64_t gpa)
{
	return hcall(vm, H_SVM_PAGE_IN, gpa, 0, page_order(), 0, NULL);
}

int64_t hcall_page_out(struct vm *vm, uint64_t gpa)
{
	return hcall(vm, H_SVM_PAGE_OUT, gpa, 0, page_order(), 0, NULL);
}

unsigned int hv_state_fd(int svm_fd, uint64_t gpa)
{
	uint8_t state = 0;
	struct uvmem_state req = { .gfn = gpa >> page_order(),
				   .npages = 1,
				   .states = (uintptr_t)&state };

	if (ioctl(svm_fd, UVMEM_GET_STATE, &req)) {
		say("UVMEM_GET_STATE: %s", strerror(errno));
		return UINT32_MAX;
	}
	return state;
}

unsigned int hv_state(struct vm *vm, uint64_t gpa)
{
	uint32_t vm_state;
	uint8_t state;

	if (uvc_hv_states(&vm->c, gpa >> page_order(), 1, &state, &vm_state)) {
		say("the hypervisor's state of a GFN: %s", strerror(errno));
		return UINT32_MAX;
	}
	return state;
}

unsigned int uv_state(struct vm *vm, uint64_t gpa)
{
	uint8_t state = 0;
	struct uvsim_map req = { .lpid = vm->c.info.lpid,
				 .gfn = gpa >> page_order(),
				 .npages = 1,
				 .states = (uintptr_t)&state };

	if (ioctl(vm->c.uvsim_fd, UVSIM_MAP, &req)) {
		say("UVSIM_MAP: %s", strerror(errno));
		return UINT32_MAX;
	}
	return state;
}

int states_are(struct vm *vm, uint64_t gpa, unsigned int hv, unsigned int uv)
{
	unsigned int hv_now = hv_state(vm, gpa), uv_now = uv_state(vm, gpa);

	if (hv_now == hv && uv_now == uv)
		return 0;
	return say("GPA 0x%llx is %s/%s, expected %s/%s (hypervisor/ultravisor)",
		   (unsigned long long)gpa, uvmem_gfn_state_name(hv_now), uv_gfn_state_name(uv_now),
		   uvmem_gfn_state_name(hv), uv_gfn_state_name(uv));
}

int vm_state_fd(int svm_fd)
{
	struct uvmem_info info;

	return ioctl(svm_fd, UVMEM_GET_INFO, &info) ? say("UVMEM_GET_INFO: %s", strerror(errno)) :
						      (int)info.vm_state;
}

int svm_stats(struct vm *vm, struct uvmem_stats *st)
{
	return uvc_hv_stats(&vm->c, st) ? say("the hypervisor's counters: %s", strerror(errno)) : 0;
}

int uvsim_svm(struct vm *vm, struct uvsim_svm *svm)
{
	*svm = (struct uvsim_svm){ .lpid = vm->c.info.lpid };
	return ioctl(vm->c.uvsim_fd, UVSIM_GET_SVM, svm) ?
		       say("UVSIM_GET_SVM: %s", strerror(errno)) :
		       0;
}

enum pagemap_kind pagemap_kind_at(pid_t pid, uint64_t addr)
{
	enum pagemap_kind kind = PAGEMAP_HIDDEN;
	struct pagemap pm;
	uint64_t raw;

	if (pagemap_open(&pm, pid)) {
		say("pagemap of %d: %s", (int)pid, strerror(errno));
		return kind;
	}
	if (pagemap_read(&pm, addr & ~((uint64_t)page_size() - 1), &raw, 1) == 1)
		kind = pagemap_decode(raw, &pm.layout, pm.pfns).kind;
	pagemap_close(&pm);
	return kind;
}

enum pagemap_kind host_pagemap(struct vm *vm, uint64_t gpa)
{
	return pagemap_kind_at(vm->pid, vm->c.info.hva + gpa);
}

/* What the host reads and what the pattern is, both page_size() long. */
static int read_both(struct vm *vm, uint64_t gpa, uint64_t seed, uint8_t **seen, uint8_t **plain)
{
	*seen = malloc(page_size());
	*plain = malloc(page_size());
	if (!*seen || !*plain)
		return say("no memory");
	pattern_fill(*plain, gpa, page_size(), seed, 0);
	return host_read(vm, gpa, *seen, page_size());
}

int host_sees_ciphertext(struct vm *vm, uint64_t gpa, uint64_t seed)
{
	uint8_t *seen, *plain;
	int ret = read_both(vm, gpa, seed, &seen, &plain);

	if (!ret && !is_ciphertext(seen, plain, page_size()))
		ret = say(
			"the host sees something else than ciphertext at GPA 0x%llx: %02x %02x ...",
			(unsigned long long)gpa, seen[0], seen[1]);
	free(seen);
	free(plain);
	return ret;
}

int host_sees_zeros(struct vm *vm, uint64_t gpa)
{
	uint8_t *seen, *plain;
	int ret = read_both(vm, gpa, 0, &seen, &plain);

	if (!ret && !all_zeros(seen, page_size()))
		ret = say("the host does not see zeros at GPA 0x%llx: %02x %02x ...",
			  (unsigned long long)gpa, seen[0], seen[1]);
	free(seen);
	free(plain);
	return ret;
}

int host_sees_pattern(struct vm *vm, uint64_t gpa, uint64_t seed)
{
	uint8_t *seen, *plain;
	int ret = read_both(vm, gpa, seed, &seen, &plain);

	if (!ret && memcmp(seen, plain, page_size()))
		ret = say("the host does not see the content at GPA 0x%llx: %02x %02x ...",
			  (unsigned long long)gpa, seen[0], seen[1]);
	free(seen);
	free(plain);
	return ret;
}
