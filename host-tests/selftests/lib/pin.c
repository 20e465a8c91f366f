// SPDX-License-Identifier: GPL-2.0
/*
 * Pages held by somebody else: registered as a buffer with an io_uring, the
 * kernel pins them as it does for a device (FOLL_PIN | FOLL_LONGTERM).
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vmfix.h"

int pin_pages(struct pin *pin, void *addr, size_t npages)
{
	struct iovec buffer = { .iov_base = addr, .iov_len = npages * page_size() };
	struct io_uring_params params;

	memset(&params, 0, sizeof(params));
	pin->ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (pin->ring < 0)
		return say("io_uring_setup: %s", strerror(errno));
	if (!syscall(SYS_io_uring_register, pin->ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		return 0;
	say("IORING_REGISTER_BUFFERS: %s", strerror(errno));
	close(pin->ring);
	pin->ring = -1;
	return -1;
}

/* Unregistering unpins at once; closing alone would do it some time later. */
void pin_release(struct pin *pin)
{
	if (pin->ring < 0)
		return;
	if (syscall(SYS_io_uring_register, pin->ring, IORING_UNREGISTER_BUFFERS, NULL, 0))
		say("IORING_UNREGISTER_BUFFERS: %s", strerror(errno));
	close(pin->ring);
	pin->ring = -1;
}
