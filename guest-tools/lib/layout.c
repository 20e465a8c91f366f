// SPDX-License-Identifier: GPL-2.0
/*
 * Which swap types are device-private, migration and other special entries.
 * include/linux/swap.h stacks them below 32, so they are found from the top:
 *
 *	type		Linux .. 6.14		Linux 6.15 ..
 *	31		marker			marker
 *	30		device-exclusive read	device-exclusive
 *	29		device-exclusive write	device-private read
 *	28		device-private read	device-private write
 *	27		device-private write	migration write
 *	26		migration write		migration read, exclusive
 *	25		migration read, excl.	migration read
 *	24		migration read		poisoned, if configured
 *	23		poisoned, if configured	(swap area)
 *
 * A kernel without device-private memory has none of the device rows, but then
 * there is no kvm-uvmem. Whether there is a type for poisoned pages the kernel
 * tells by a sysctl; without /proc/sys assume so, as nobody has 24 swap areas.
 */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "layout.h"

#define MARKER_TYPE 31
#define MIGRATION_TYPES 3

static unsigned int device_write_type(const struct pagemap_layout *layout)
{
	return MARKER_TYPE - layout->device_types;
}

enum pagemap_kind layout_kind(const struct pagemap_layout *layout, unsigned int type, bool *write)
{
	unsigned int device = device_write_type(layout);
	unsigned int migration = device - MIGRATION_TYPES;

	*write = false;
	if (type == MARKER_TYPE)
		return PAGEMAP_MARKER;
	if (type >= device + 2)
		return PAGEMAP_DEVICE_EXCLUSIVE;
	if (type >= device) {
		*write = type == device;
		return PAGEMAP_DEVICE;
	}
	if (type >= migration) {
		*write = type == device - 1;
		return PAGEMAP_MIGRATION;
	}
	if (type == migration - 1 && layout->hwpoison)
		return PAGEMAP_HWPOISON;
	return PAGEMAP_SWAP;
}

struct pagemap_layout pagemap_layout_of(const char *release, bool have_config, bool memory_failure)
{
	struct pagemap_layout layout = { .device_types = 3, .hwpoison = true };
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) == 2 &&
	    (major < 6 || (major == 6 && minor < 15)))
		layout.device_types = 4;
	if (have_config)
		layout.hwpoison = memory_failure;
	return layout;
}

static bool fits(const struct pagemap_layout *layout, uint32_t seen)
{
	return !(seen & ~(3u << device_write_type(layout)));
}

bool pagemap_layout_fit(struct pagemap_layout *layout, uint32_t seen)
{
	struct pagemap_layout other = *layout;

	if (fits(layout, seen))
		return true;
	other.device_types = layout->device_types == 4 ? 3 : 4;
	if (!fits(&other, seen))
		return false;
	*layout = other;
	return true;
}

/* CONFIG_MEMORY_FAILURE of the running kernel: the feature brings this sysctl along. */
static bool have_memory_failure(void)
{
	return !access("/proc/sys/vm/memory_failure_recovery", F_OK);
}

struct pagemap_layout layout_of_running_kernel(void)
{
	struct utsname uts;

	if (uname(&uts))
		uts.release[0] = '\0';
	return pagemap_layout_of(uts.release, !access("/proc/sys/vm", F_OK), have_memory_failure());
}
