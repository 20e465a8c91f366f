// SPDX-License-Identifier: GPL-2.0
/*
 * An SVM of upstream's hypervisor half: a KVM VM whose memslots are H, attached
 * to the ultravisor through /dev/uvupstream.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "uv-sim/uapi/upstream.h"
#include "vmfix.h"

bool upstream_is_here(void)
{
	return !access("/dev/uvupstream", F_OK);
}

static int create_kvm_vm(struct own *o)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_SECURE_GUEST, .args = { 1 } };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		return say("/dev/kvm: %s", strerror(errno));
	o->hv = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	if (o->hv < 0)
		return say("KVM_CREATE_VM: %s", strerror(errno));
	return ioctl(o->hv, KVM_ENABLE_CAP, &cap) ?
		       say("KVM_CAP_PPC_SECURE_GUEST: %s", strerror(errno)) :
		       0;
}

static int attach(struct own *o)
{
	struct uvup_attach attach = { .kvm_fd = o->hv };

	o->svm = open("/dev/uvupstream", O_RDWR | O_CLOEXEC);
	if (o->svm < 0)
		return say("/dev/uvupstream: %s", strerror(errno));
	if (ioctl(o->svm, UVUP_ATTACH, &attach)) {
		say("UVUP_ATTACH: %s", strerror(errno));
		close(o->svm);
		o->svm = -1;
		return -1;
	}
	o->lpid = attach.lpid;
	return 0;
}

int upstream_create(struct own *o)
{
	if (!create_kvm_vm(o) && !attach(o))
		return 0;
	if (o->hv >= 0)
		close(o->hv);
	o->hv = -1;
	return -1;
}

int upstream_memslot(struct own *o, const struct uvmem_memslot *slot)
{
	const struct kvm_userspace_memory_region region = {
		.slot = slot->slot,
		.guest_phys_addr = slot->guest_phys_addr,
		.memory_size = slot->memory_size,
		.userspace_addr = slot->userspace_addr,
	};

	return ioctl(o->hv, KVM_SET_USER_MEMORY_REGION, &region);
}

int upstream_off(struct own *o)
{
	return ioctl(o->hv, KVM_PPC_SVM_OFF, 0);
}
