// SPDX-License-Identifier: GPL-2.0
/*
 * What the hypervisor half says of a VM.
 *
 * kvm-uvmem is asked. Upstream's half keeps its states to itself; they follow
 * from what can be seen of them: the state of the VM, the page table of H and
 * what the ultravisor knows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../uv-sim/uapi/uv.h"
#include "hv.h"
#include "pagemap.h"

static uint8_t seen_state(uint32_t vm_state, uint8_t uv, enum pagemap_kind kind)
{
	if (kind == PAGEMAP_DEVICE)
		return UVMEM_GFN_UVMEM;
	if (uv == UV_GFN_SHARED || uv == UV_GFN_SHARED_UNMAPPED)
		return UVMEM_GFN_SHARED;
	if (vm_state == UVMEM_VM_NORMAL || uv == UV_GFN_NORMAL)
		return UVMEM_GFN_NORMAL;
	return uv == UV_GFN_NOSLOT ? UVMEM_GFN_NOSLOT : UVMEM_GFN_MEM;
}

static int read_h(struct uvc *c, uint64_t gfn, uint64_t npages, uint64_t *raw, struct pagemap *pm)
{
	uint64_t hva = c->info.hva + (gfn << c->info.page_shift);

	if (pagemap_open(pm, c->info.pid))
		return -1;
	if (pagemap_read(pm, hva, raw, npages) == (ssize_t)npages)
		return 0;
	pagemap_close(pm);
	return -1;
}

static int see_states(struct uvc *c, uint64_t gfn, uint64_t npages, uint8_t *states,
		      uint32_t *vm_state)
{
	struct uvsim_map map = {
		.lpid = c->info.lpid, .gfn = gfn, .npages = npages, .states = (uintptr_t)states
	};
	uint64_t *raw = calloc(npages, sizeof(*raw));
	struct uvmem_info info;
	struct pagemap pm;
	int ret = -1;

	if (raw && !ioctl(c->svm_fd, UVMEM_GET_INFO, &info) &&
	    !ioctl(c->uvsim_fd, UVSIM_MAP, &map) && !read_h(c, gfn, npages, raw, &pm)) {
		for (uint64_t i = 0; i < npages; i++) {
			struct pagemap_entry e = pagemap_decode(raw[i], &pm.layout, pm.pfns);

			states[i] = seen_state(info.vm_state, states[i], e.kind);
		}
		*vm_state = info.vm_state;
		pagemap_close(&pm);
		ret = 0;
	}
	free(raw);
	return ret;
}

/**
 * uvc_hv_is_upstream() - is it upstream's hypervisor half?
 * @c: connection
 */
bool uvc_hv_is_upstream(struct uvc *c)
{
	struct uvmem_stats st;

	return ioctl(c->svm_fd, UVMEM_GET_STATS, &st) && errno == ENOTTY;
}

/**
 * uvc_hv_states() - states of GFNs, and of the VM, for the hypervisor
 * @c: connection
 * @gfn: first GFN, of the VM's memory
 * @npages: how many
 * @states: room for @npages values of enum uvmem_gfn_state
 * @vm_state: out: enum uvmem_vm_state
 *
 * Return: 0, or -1 with errno set.
 */
int uvc_hv_states(struct uvc *c, uint64_t gfn, uint64_t npages, uint8_t *states, uint32_t *vm_state)
{
	struct uvmem_state req = { .gfn = gfn, .npages = npages, .states = (uintptr_t)states };

	if (!ioctl(c->svm_fd, UVMEM_GET_STATE, &req)) {
		*vm_state = req.vm_state;
		return 0;
	}
	return errno == ENOTTY ? see_states(c, gfn, npages, states, vm_state) : -1;
}

/* Upstream counts nothing: what it asked of the ultravisor stands for it. */
static int see_stats(struct uvc *c, struct uvmem_stats *st)
{
	uint64_t npages = c->info.mem_bytes >> c->info.page_shift;
	struct uvsim_svm svm = { .lpid = c->info.lpid };
	uint8_t *states = malloc(npages);
	uint32_t vm_state;
	int ret = -1;

	memset(st, 0, sizeof(*st));
	if (states && !ioctl(c->uvsim_fd, UVSIM_GET_SVM, &svm) &&
	    !uvc_hv_states(c, 0, npages, states, &vm_state)) {
		for (uint64_t i = 0; i < npages; i++) {
			st->normal += states[i] == UVMEM_GFN_NORMAL;
			st->uvmem += states[i] == UVMEM_GFN_UVMEM;
			st->mem += states[i] == UVMEM_GFN_MEM;
			st->shared += states[i] == UVMEM_GFN_SHARED;
		}
		st->page_ins = svm.page_ins;
		st->host_faults = svm.page_outs;
		ret = 0;
	}
	free(states);
	return ret;
}

/**
 * uvc_hv_stats() - the hypervisor's counters
 * @c: connection
 * @st: out; with upstream's half the states, page_ins, and all page-outs as
 *	host_faults, the rest 0
 *
 * Return: 0, or -1 with errno set.
 */
int uvc_hv_stats(struct uvc *c, struct uvmem_stats *st)
{
	if (!ioctl(c->svm_fd, UVMEM_GET_STATS, st))
		return 0;
	return errno == ENOTTY ? see_stats(c, st) : -1;
}
