// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and decoding /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).
 * Takes no locks: each entry is a snapshot, and pages move meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "pagemap.h"
#include "layout.h"

#define PM_PRESENT (1ULL << 63)
#define PM_SWAP (1ULL << 62)
#define PM_FILE (1ULL << 61)
#define PM_UFFD_WP (1ULL << 57)
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_SOFT_DIRTY (1ULL << 55)
#define PM_FRAME ((1ULL << 55) - 1)
#define PM_TYPE_BITS 5

const char *pagemap_kind_name(enum pagemap_kind kind)
{
	switch (kind) {
	case PAGEMAP_HOLE:
		return "hole";
	case PAGEMAP_PRESENT:
		return "present";
	case PAGEMAP_SWAP:
		return "swapped";
	case PAGEMAP_DEVICE:
		return "device-private";
	case PAGEMAP_DEVICE_EXCLUSIVE:
		return "device-exclusive";
	case PAGEMAP_MIGRATION:
		return "migration";
	case PAGEMAP_HWPOISON:
		return "hwpoison";
	case PAGEMAP_MARKER:
		return "marker";
	case PAGEMAP_HIDDEN:
		return "hidden";
	}
	return "unknown";
}

static void decode_swap(struct pagemap_entry *e, uint64_t frame,
			const struct pagemap_layout *layout)
{
	e->type = frame & (PAGEMAP_TYPES - 1);
	e->kind = layout_kind(layout, e->type, &e->write);
	switch (e->kind) {
	case PAGEMAP_SWAP:
	case PAGEMAP_MARKER:
		e->swap_offset = frame >> PM_TYPE_BITS;
		break;
	default:
		e->pfn = frame >> PM_TYPE_BITS;
		e->pfn_known = true;
	}
}

struct pagemap_entry pagemap_decode(uint64_t raw, const struct pagemap_layout *layout, bool pfns)
{
	struct pagemap_entry e = {
		.kind = PAGEMAP_HOLE,
		.file = raw & PM_FILE,
		.soft_dirty = raw & PM_SOFT_DIRTY,
		.uffd_wp = raw & PM_UFFD_WP,
	};
	uint64_t frame = raw & PM_FRAME;

	if (raw & PM_PRESENT) {
		e.kind = PAGEMAP_PRESENT;
		e.exclusive = raw & PM_EXCLUSIVE;
		e.pfn_known = pfns;
		e.pfn = pfns ? frame : 0;
	} else if (raw & PM_SWAP) {
		if (pfns)
			decode_swap(&e, frame, layout);
		else
			e.kind = PAGEMAP_HIDDEN;
	}
	return e;
}

/*
 * Whether the kernel shows this process PFNs. It shows 0 to a reader without
 * CAP_SYS_ADMIN, and page frame 0 is never anonymous memory: look at our own.
 */
static bool pfns_shown(unsigned int page_shift)
{
	volatile char on_stack = 1;
	uint64_t raw = 0;
	bool shown = false;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (pread(fd, &raw, sizeof(raw),
		  (off_t)(((uintptr_t)&on_stack >> page_shift) * sizeof(raw))) == sizeof(raw))
		shown = raw & PM_PRESENT && raw & PM_FRAME;
	close(fd);
	return shown && on_stack;
}

int pagemap_open(struct pagemap *pm, pid_t pid)
{
	char path[64];

	pm->page_shift = (unsigned int)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	pm->pfns = pfns_shown(pm->page_shift);
	pm->layout = layout_of_running_kernel();
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	pm->fd = open(path, O_RDONLY | O_CLOEXEC);
	return pm->fd < 0 ? -1 : 0;
}

void pagemap_close(struct pagemap *pm)
{
	if (pm->fd >= 0)
		close(pm->fd);
	pm->fd = -1;
}

ssize_t pagemap_read(const struct pagemap *pm, uint64_t hva, uint64_t *raw, size_t n)
{
	uint64_t off = (hva >> pm->page_shift) * sizeof(*raw);
	size_t done = 0, bytes = n * sizeof(*raw);

	while (done < bytes) {
		ssize_t got = pread(pm->fd, (char *)raw + done, bytes - done, (off_t)(off + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)(done / sizeof(*raw));
}
