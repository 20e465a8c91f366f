/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process' page table holds, from /proc/PID/pagemap.
 *
 * A page that is not present but not a hole either is a swap entry: a number
 * (its type, 0 to 31) and an offset. Low types are swap areas; the highest are
 * not swapped pages at all but device-private pages, pages under migration,
 * poisoned pages and markers. Where these begin depends on the kernel's
 * version and configuration, and pagemap gives the bare number.
 *
 * From the top there is one marker type, then the device types (4 up to Linux
 * 6.14, 3 since 6.15), then 3 migration types, then 1 for poisoned pages if the
 * kernel has CONFIG_MEMORY_FAILURE. Counting from the top leaves one unknown,
 * the number of device types; see struct pagemap_layout.
 */
#ifndef _UVC_PAGEMAP_H
#define _UVC_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGEMAP_TYPES 32 /* swap types that an entry has room for */

enum pagemap_kind {
	PAGEMAP_HOLE,		  /* nothing there */
	PAGEMAP_PRESENT,	  /* mapped: a page of normal memory */
	PAGEMAP_SWAP,		  /* in a swap area */
	PAGEMAP_DEVICE,		  /* device-private page */
	PAGEMAP_DEVICE_EXCLUSIVE, /* normal page that a device uses alone */
	PAGEMAP_MIGRATION,	  /* under migration at this moment */
	PAGEMAP_HWPOISON,
	PAGEMAP_MARKER, /* userfaultfd's, or a guard page */
	PAGEMAP_HIDDEN, /* not present; the reader may not know what */
};

/**
 * struct pagemap_layout - where the special swap types are
 * @device_types: 3 or 4
 * @hwpoison: the kernel has a type for poisoned pages
 */
struct pagemap_layout {
	unsigned int device_types;
	bool hwpoison;
};

/**
 * struct pagemap_entry - one page of a page table
 * @kind: what it is
 * @write: PAGEMAP_DEVICE, _MIGRATION: the entry allows writes
 * @pfn_known: @pfn is valid: the reader may see PFNs, and @kind has one
 * @pfn: of the normal or of the device page
 * @type: the bare swap type, for all kinds but hole, present, hidden
 * @swap_offset: PAGEMAP_SWAP, _MARKER: offset
 * @exclusive: present, and mapped here only
 * @soft_dirty: written since the soft-dirty bits were cleared
 * @file: page of a file, or shared anonymous
 * @uffd_wp: write-protected by userfaultfd
 */
struct pagemap_entry {
	enum pagemap_kind kind;
	bool write;
	bool pfn_known;
	uint64_t pfn;
	unsigned int type;
	uint64_t swap_offset;
	bool exclusive;
	bool soft_dirty;
	bool file;
	bool uffd_wp;
};

struct pagemap {
	int fd;
	bool pfns; /* this process is shown PFNs */
	unsigned int page_shift;
	struct pagemap_layout layout;
};

/* "present", "device-private", ... for output. */
const char *pagemap_kind_name(enum pagemap_kind kind);

/**
 * pagemap_decode() - take one entry apart
 * @raw: as read
 * @layout: the kernel's
 * @pfns: the reader is shown PFNs and swap types (it has CAP_SYS_ADMIN)
 */
struct pagemap_entry pagemap_decode(uint64_t raw, const struct pagemap_layout *layout, bool pfns);

/**
 * pagemap_layout_of() - the layout a kernel should have
 * @release: as of uname -r
 * @have_config: @memory_failure is known
 * @memory_failure: CONFIG_MEMORY_FAILURE
 */
struct pagemap_layout pagemap_layout_of(const char *release, bool have_config, bool memory_failure);

/**
 * pagemap_layout_fit() - correct a layout by what was seen
 * @layout: a guess; corrected if another layout fits @seen and this does not
 * @seen: bit n set: a page known to be device-private had swap type n
 *
 * Distributions move features between versions, so evidence beats the version.
 *
 * Return: whether @layout fits now.
 */
bool pagemap_layout_fit(struct pagemap_layout *layout, uint32_t seen);

/**
 * pagemap_open() - open a process' page map
 * @pm: filled in
 * @pid: the process
 *
 * Return: 0, or -1 with errno set as by open(2).
 */
int pagemap_open(struct pagemap *pm, pid_t pid);
void pagemap_close(struct pagemap *pm);

/**
 * pagemap_read() - read bare entries
 * @pm: from pagemap_open()
 * @hva: address in the process, a multiple of the page size
 * @raw: room for @n entries
 * @n: pages
 *
 * Return: entries read, fewer than @n only where the address space ends; -1
 * with errno set as by pread(2).
 */
ssize_t pagemap_read(const struct pagemap *pm, uint64_t hva, uint64_t *raw, size_t n);

#endif /* _UVC_PAGEMAP_H */
