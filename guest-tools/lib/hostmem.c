// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory as the host sees it: the H view, read and written in the
 * launcher's address space. Touching a secure page pages it out, so this is
 * what a curious host would do and not a way around the ultravisor.
 */
#include <errno.h>
#include <sys/uio.h>

#include "control.h"

static int check_range(const struct uvc *c, uint64_t gpa, size_t len)
{
	if (gpa > c->info.mem_bytes || len > c->info.mem_bytes - gpa) {
		errno = ERANGE;
		return -1;
	}
	return 0;
}

static struct iovec remote(const struct uvc *c, uint64_t gpa, size_t len)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)(c->info.hva + gpa), .iov_len = len };
}

/**
 * uvc_peek() - read guest memory as the host
 * @c: connection
 * @gpa: guest physical address
 * @buf: @len bytes
 * @len: bytes
 *
 * Return: bytes read, fewer than @len if the host could not read on; -1 with
 * errno set: ERANGE the range is not all guest memory, or as
 * process_vm_readv() (EFAULT H is not mapped there, EPERM, ESRCH).
 */
ssize_t uvc_peek(struct uvc *c, uint64_t gpa, void *buf, size_t len)
{
	struct iovec l = { .iov_base = buf, .iov_len = len };
	struct iovec r = remote(c, gpa, len);

	if (check_range(c, gpa, len))
		return -1;
	return process_vm_readv(c->info.pid, &l, 1, &r, 1, 0);
}

/**
 * uvc_poke() - write guest memory as the host
 * @c: connection
 * @gpa: guest physical address
 * @buf: @len bytes
 * @len: bytes
 *
 * Return: as uvc_peek(), of process_vm_writev().
 */
ssize_t uvc_poke(struct uvc *c, uint64_t gpa, const void *buf, size_t len)
{
	struct iovec l = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct iovec r = remote(c, gpa, len);

	if (check_range(c, gpa, len))
		return -1;
	return process_vm_writev(c->info.pid, &l, 1, &r, 1, 0);
}
