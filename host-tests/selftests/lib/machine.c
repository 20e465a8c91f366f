// SPDX-License-Identifier: GPL-2.0
/*
 * The machine the tests run on: page size, flavour of the kernel, module
 * parameters, and what the modules say is in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmfix.h"

#define PARAMS "/sys/module/kvm_uvmem/parameters/"

size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

unsigned int page_order(void)
{
	return (unsigned int)__builtin_ctzl(page_size());
}

bool debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

/* A page of 64 KiB takes as long as sixteen of 4 KiB. */
bool slow_machine(void)
{
	return debug_kernel() || page_size() > 4096;
}

/* A diagnostic line; -1, so that a failing function can return it. */
int say(const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "# %s\n", text);
	return -1;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return say("%s: %s", path, strerror(errno));
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : say("%s: '%s': %s", path, text, strerror(errno));
}

char *file_read(const char *path)
{
	size_t room = 1 << 16, len = 0;
	char *buf = malloc(room + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (buf && fd >= 0 && (n = read(fd, buf + len, room - len)) > 0) {
		len += (size_t)n;
		if (len == room) {
			char *more = realloc(buf, room * 2 + 1);

			if (!more)
				break;
			buf = more;
			room *= 2;
		}
	}
	if (fd < 0) {
		free(buf);
		return NULL;
	}
	close(fd);
	if (buf)
		buf[len] = '\0';
	return buf;
}

int uvmem_param(const char *name, unsigned int value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), PARAMS "%s", name);
	snprintf(text, sizeof(text), "%u", value);
	return file_write(path, text);
}

/* The count first when it ends, last when it begins: nothing fails in between. */
int fail_migrations(unsigned int step, unsigned int count)
{
	if (!count)
		return uvmem_param("fail_count", 0) || uvmem_param("fail_step", 0) ? -1 : 0;
	return uvmem_param("fail_step", step) || uvmem_param("fail_count", count) ? -1 : 0;
}

static unsigned int param_value(const char *name, unsigned int otherwise)
{
	unsigned int value = otherwise;
	char path[128], *text;

	snprintf(path, sizeof(path), PARAMS "%s", name);
	text = file_read(path);
	if (text)
		value = (unsigned int)strtoul(text, NULL, 10);
	free(text);
	return value;
}

unsigned int fail_migrations_left(void)
{
	return param_value("fail_count", UINT32_MAX);
}

unsigned int block_pages(void)
{
	return param_value("block_pages", 0);
}

int run_program(const char *const argv[])
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return say("%s could not be run", argv[0]);
	return WEXITSTATUS(status);
}

uint64_t rnd(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ULL;
	return agent_pattern_mix(*state);
}

int uvsim_stats(struct uvsim_stats *st)
{
	int fd = open("/dev/uvsim", O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return say("/dev/uvsim: %s", strerror(errno));
	ret = ioctl(fd, UVSIM_GET_STATS, st);
	close(fd);
	return ret ? say("UVSIM_GET_STATS: %s", strerror(errno)) : 0;
}

uint64_t secure_pages(void)
{
	struct uvsim_stats st;

	return uvsim_stats(&st) ? 0 : st.secure_total;
}

/* The pool's usage is told by an SVM; one that lives for a moment will do. */
static int pool_usage(struct usage *u)
{
	struct uvmem_create create = { 0 };
	int dev = open("/dev/uvmem", O_RDWR | O_CLOEXEC);
	struct uvmem_info info;
	int svm, ret;

	u->device_free = 0;
	u->device_pages = 0;
	if (dev < 0 && upstream_is_here())
		return 0; /* it does not tell */
	if (dev < 0)
		return say("/dev/uvmem: %s", strerror(errno));
	svm = ioctl(dev, UVMEM_CREATE_SVM, &create);
	close(dev);
	if (svm < 0)
		return say("UVMEM_CREATE_SVM: %s", strerror(errno));
	ret = ioctl(svm, UVMEM_GET_INFO, &info);
	close(svm);
	if (ret)
		return say("UVMEM_GET_INFO: %s", strerror(errno));
	u->device_free = info.device_free;
	u->device_pages = info.device_pages;
	return 0;
}

int usage_get(struct usage *u)
{
	struct uvsim_stats st;

	if (uvsim_stats(&st) || pool_usage(u))
		return -1;
	u->secure_used = st.secure_used;
	u->svms = st.svms;
	return 0;
}

int usage_check(const struct usage *before)
{
	struct usage now;

	for (int tries = 0; tries < 600; tries++) {
		if (usage_get(&now))
			return -1;
		if (now.secure_used == before->secure_used && now.svms == before->svms &&
		    now.device_free == before->device_free)
			return 0;
		usleep(50000);
	}
	return say("left behind: secure pages %llu -> %llu, SVMs %llu -> %llu, free device pages "
		   "%llu -> %llu",
		   (unsigned long long)before->secure_used, (unsigned long long)now.secure_used,
		   (unsigned long long)before->svms, (unsigned long long)now.svms,
		   (unsigned long long)before->device_free, (unsigned long long)now.device_free);
}

/* Wait until another thread has counted past @floor. */
void wait_past(const uint64_t *counter, uint64_t floor)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) <= floor)
		usleep(1000);
}
