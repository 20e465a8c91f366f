// SPDX-License-Identifier: GPL-2.0
/* Kernel modules: out and in again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmfix.h"

int remove_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

int remove_soon(const char *name)
{
	int err = EAGAIN;

	for (int tries = 0; tries < 1500 && (err == EAGAIN || err == EBUSY); tries++) {
		err = remove_module(name);
		if (err)
			usleep(20000);
	}
	return err;
}

int insert_module(const char *name, const char *params)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/lib/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
	close(fd);
	return err;
}
