// SPDX-License-Identifier: GPL-2.0
/* One line on stderr per failure: what was tried, and errno in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vm.h"

static void say(const char *format, va_list args, int error)
{
	flockfile(stderr);
	fputs("uvlaunch: ", stderr);
	vfprintf(stderr, format, args);
	if (error)
		fprintf(stderr, ": %s (%s)", strerror(error), strerrorname_np(error));
	fputc('\n', stderr);
	funlockfile(stderr);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args, 0);
	va_end(args);
	return -1;
}

int fail_errno(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	say(format, args, error);
	va_end(args);
	return -1;
}
