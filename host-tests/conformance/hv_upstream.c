// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own book3s_hv_uvmem.c as the hypervisor: a VM of KVM-HV whose
 * memslots are H. uv-upstream.ko makes it known to the ultravisor.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hv.h"
#include "model.h"

/* KVM takes a memslot twice, and tells a missing one by EINVAL: ask here. */
static struct {
	int vm; /* own.hv */
	bool slot[CONF_SLOTS];
} vms[CONF_VMS] = { { .vm = -1 }, { .vm = -1 } };

static const char *usable(void)
{
	return upstream_is_here() ? NULL : "uv-upstream.ko is not loaded";
}

static unsigned int index_of(int vm)
{
	return vms[0].vm == vm ? 0 : 1;
}

static int create(struct own *o)
{
	unsigned int i = index_of(-1);

	if (own_create(o))
		return -1;
	memset(&vms[i], 0, sizeof(vms[i]));
	vms[i].vm = o->hv;
	return 0;
}

/* The ultravisor first: KVM-HV's VM is held by the file. */
static void destroy(struct own *o)
{
	vms[index_of(o->hv)].vm = -1;
	close(o->svm);
	close(o->hv);
	o->svm = -1;
	o->hv = -1;
}

static int memslot(struct own *o, unsigned int slot, size_t page, size_t npages)
{
	bool *there = &vms[index_of(o->hv)].slot[slot];

	if (*there == !!npages)
		return npages ? -EEXIST : -ENOENT;
	if (own_memslot(o, slot, page, npages))
		return -errno;
	*there = npages;
	return 0;
}

static int64_t make_hcall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return own_hcall(o, nr, a0, a1, a2, 0, NULL);
}

static int terminate(struct own *o)
{
	return own_off(o) ? -errno : 0;
}

/*
 * uv-upstream.ko puts off UV_PAGE_INVAL, and then makes it for a range of GFNs;
 * after a hypercall, also one that there is not, it has caught up.
 */
static void settle(struct own *o)
{
	own_hcall(o, 0xEFFC, 0, 0, 0, 0, NULL);
}

const struct hv hv_upstream = {
	.name = "upstream",
	.deviations = (1u << DEV_COUNT) - 1,
	.one_cpu = true,
	.usable = usable,
	.create = create,
	.destroy = destroy,
	.memslot = memslot,
	.hcall = make_hcall,
	.terminate = terminate,
	.settle = settle,
};
