// SPDX-License-Identifier: GPL-2.0
/* kvm-uvmem as the hypervisor: an SVM is a file of /dev/uvmem's. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hv.h"

/* An SVM that lives as long as the program: it tells what the others left. */
static struct own watch = { .svm = -1 };

static const char *usable(void)
{
	if (access("/dev/uvmem", F_OK))
		return "kvm-uvmem.ko is not loaded";
	return watch.svm < 0 && own_create(&watch) ? "no SVM can be made" : NULL;
}

static void destroy(struct own *o)
{
	close(o->svm);
	o->svm = -1;
}

static int memslot(struct own *o, unsigned int slot, size_t page, size_t npages)
{
	return own_memslot(o, slot, page, npages) ? -errno : 0;
}

static int64_t make_hcall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return own_hcall(o, nr, a0, a1, a2, 0, NULL);
}

static int terminate(struct own *o)
{
	return own_off(o) ? -errno : 0;
}

static int states(struct own *o, uint8_t *states, unsigned int n)
{
	struct uvmem_state req = { .npages = n, .states = (uintptr_t)states };

	return ioctl(o->svm, UVMEM_GET_STATE, &req) ? -1 : (int)req.vm_state;
}

static int64_t leftover(void)
{
	struct uvmem_info info;

	if (ioctl(watch.svm, UVMEM_GET_INFO, &info))
		return say("UVMEM_GET_INFO: %s", strerror(errno));
	return (int64_t)(info.device_pages - info.device_free);
}

const struct hv hv_uvmem = {
	.name = "kvm-uvmem",
	.usable = usable,
	.create = own_create,
	.destroy = destroy,
	.memslot = memslot,
	.hcall = make_hcall,
	.terminate = terminate,
	.states = states,
	.leftover = leftover,
};
