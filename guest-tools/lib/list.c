// SPDX-License-Identifier: GPL-2.0
/*
 * Which VMs run: the sockets in the run directory that somebody listens on. A
 * socket file alone proves nothing, as a killed launcher leaves it behind.
 * Takes no locks; a VM may be gone by the time its ID is used.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "runpath.h"

#define ID_MAX 64
#define SUFFIX ".sock"

const char *uvc_run_dir(void)
{
	const char *dir = getenv("UVMEM_RUN_DIR");

	return dir && *dir ? dir : UVC_RUN_DIR;
}

bool uvc_id_valid(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(id);

	return len >= 1 && len <= ID_MAX && id[0] != '.' && strspn(id, allowed) == len;
}

int uvc_socket_path(char *path, size_t size, const char *id)
{
	int n;

	if (!uvc_id_valid(id)) {
		errno = EINVAL;
		return -1;
	}
	n = snprintf(path, size, "%s/%s" SUFFIX, uvc_run_dir(), id);
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static bool somebody_listens(const char *id)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bool yes;
	int sock;

	if (uvc_socket_path(addr.sun_path, sizeof(addr.sun_path), id))
		return false;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return false;
	yes = !connect(sock, (struct sockaddr *)&addr, sizeof(addr));
	close(sock);
	return yes;
}

/* The ID in a file name of the run directory, malloc()ed; NULL if it is none. */
static char *id_of(const char *name)
{
	size_t len = strlen(name);
	char *id;

	if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX))
		return NULL;
	id = strndup(name, len - strlen(SUFFIX));
	if (id && uvc_id_valid(id))
		return id;
	free(id);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/**
 * uvc_list() - IDs of the VMs that run, sorted
 *
 * Return: a NULL-terminated array; it and every string in it are malloc()ed.
 * No run directory means no VM. NULL with errno set when the directory cannot
 * be read or memory is short.
 */
char **uvc_list(void)
{
	char **ids = calloc(1, sizeof(*ids));
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (!ids)
		return NULL;
	dir = opendir(uvc_run_dir());
	if (!dir) {
		if (errno == ENOENT)
			return ids;
		free(ids);
		return NULL;
	}
	while ((entry = readdir(dir))) {
		char *id = id_of(entry->d_name);
		char **more;

		if (!id)
			continue;
		if (!somebody_listens(id)) {
			free(id);
			continue;
		}
		more = realloc(ids, (n + 2) * sizeof(*ids));
		if (!more) {
			free(id);
			while (n)
				free(ids[--n]);
			free(ids);
			closedir(dir);
			errno = ENOMEM;
			return NULL;
		}
		ids = more;
		ids[n++] = id;
		ids[n] = NULL;
	}
	closedir(dir);
	qsort(ids, n, sizeof(*ids), compare);
	return ids;
}
