// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own book3s_hv_uvmem.c as the hypervisor: a VM of KVM-HV whose
 * memslots are H. uv-upstream.ko makes it known to the ultravisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hv.h"
#include "model.h"
#include "uv-sim/uapi/upstream.h"

/* KVM takes a memslot twice, and tells a missing one by EINVAL: ask here. */
static struct {
	int kvm;
	bool slot[CONF_SLOTS];
} vms[CONF_VMS] = { { .kvm = -1 }, { .kvm = -1 } };

static bool *slots_of(const struct own *o)
{
	return vms[0].kvm == o->kvm ? vms[0].slot : vms[1].slot;
}

static const char *usable(void)
{
	return access("/dev/uvupstream", F_OK) ? "uv-upstream.ko is not loaded" : NULL;
}

static int attach(struct own *o)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_SECURE_GUEST, .args = { 1 } };
	struct uvup_attach args = { .kvm_fd = o->kvm };

	if (ioctl(o->kvm, KVM_ENABLE_CAP, &cap))
		return say("KVM_CAP_PPC_SECURE_GUEST: %s", strerror(errno));
	o->svm = open("/dev/uvupstream", O_RDWR | O_CLOEXEC);
	if (o->svm < 0 || ioctl(o->svm, UVUP_ATTACH, &args))
		return say("/dev/uvupstream: %s", strerror(errno));
	o->lpid = args.lpid;
	return 0;
}

static int create(struct own *o)
{
	unsigned int i = vms[0].kvm >= 0;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	o->kvm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	if (o->kvm < 0)
		return say("KVM_CREATE_VM: %s", strerror(errno));
	memset(&vms[i], 0, sizeof(vms[i]));
	vms[i].kvm = o->kvm;
	return attach(o);
}

static int terminate(struct own *o)
{
	return ioctl(o->kvm, KVM_PPC_SVM_OFF) ? -errno : 0;
}

static void destroy(struct own *o)
{
	unsigned int i = vms[0].kvm != o->kvm;

	close(o->svm);
	close(o->kvm);
	vms[i].kvm = -1;
	o->svm = -1;
	o->kvm = -1;
}

static int memslot(struct own *o, unsigned int slot, size_t page, size_t npages)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = page * page_size(),
		.memory_size = npages * page_size(),
		.userspace_addr = (uintptr_t)o->h + page * page_size(),
	};
	bool *there = &slots_of(o)[slot];

	if (*there == !!npages)
		return npages ? -EEXIST : -ENOENT;
	if (ioctl(o->kvm, KVM_SET_USER_MEMORY_REGION, &region))
		return -errno;
	*there = npages;
	return 0;
}

static int64_t make_hcall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return own_hcall(o, nr, a0, a1, a2, 0, NULL);
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
};
