/* SPDX-License-Identifier: GPL-2.0 */
/* Where the control sockets are; for uvlaunch and for libuvc itself. */
#ifndef _UVC_RUNPATH_H
#define _UVC_RUNPATH_H

#include <stdbool.h>
#include <stddef.h>

/* $UVMEM_RUN_DIR, or UVC_RUN_DIR if that is unset or empty. */
const char *uvc_run_dir(void);

/* Whether @id is 1 to 64 of A-Z a-z 0-9 . _ - and does not begin with a dot. */
bool uvc_id_valid(const char *id);

/* The socket of @id. 0, or -1 with errno EINVAL (no ID) or ENAMETOOLONG. */
int uvc_socket_path(char *path, size_t size, const char *id);

#endif /* _UVC_RUNPATH_H */
