// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the tracepoint uvsim:uvsim_ucall, in a tracefs instance of its own: what
 * others trace does not meet it. A read of trace_pipe merges the CPUs' buffers
 * by time, and does not wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tests/selftests/lib/vmfix.h"
#include "uctrace.h"

#define INSTANCE "/sys/kernel/tracing/instances/conformance"

static int pipe_fd = -1;

static const struct {
	const char *name;
	uint64_t nr;
} names[] = {
	{ "UV_WRITE_PATE", UV_WRITE_PATE },
	{ "UV_REGISTER_MEM_SLOT", UV_REGISTER_MEM_SLOT },
	{ "UV_UNREGISTER_MEM_SLOT", UV_UNREGISTER_MEM_SLOT },
	{ "UV_PAGE_IN", UV_PAGE_IN },
	{ "UV_PAGE_OUT", UV_PAGE_OUT },
	{ "UV_PAGE_INVAL", UV_PAGE_INVAL },
	{ "UV_SVM_TERMINATE", UV_SVM_TERMINATE },
};

int uctrace_open(void)
{
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		return say(INSTANCE ": %s", strerror(errno));
	/* One clock for all CPUs. */
	if (file_write(INSTANCE "/trace_clock", "mono") ||
	    file_write(INSTANCE "/events/uvsim/uvsim_ucall/enable", "1"))
		return -1;
	pipe_fd = open(INSTANCE "/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return pipe_fd < 0 ? say(INSTANCE "/trace_pipe: %s", strerror(errno)) : 0;
}

void uctrace_close(void)
{
	if (pipe_fd >= 0)
		close(pipe_fd);
	pipe_fd = -1;
	rmdir(INSTANCE);
}

/* "lpid=N NAME(0xA, 0xB, 0xC, 0xD) = RET" */
static int parse(const char *line, struct seen_ucall *seen)
{
	unsigned long long lpid, arg[4];
	long long ret;
	char name[32];

	line = strstr(line, "lpid=");
	if (!line || sscanf(line, "lpid=%llu %31[^(](0x%llx, 0x%llx, 0x%llx, 0x%llx) = %lld", &lpid,
			    name, &arg[0], &arg[1], &arg[2], &arg[3], &ret) != 7)
		return -1;
	*seen = (struct seen_ucall){ .lpid = lpid, .ret = ret };
	for (unsigned int i = 0; i < 4; i++)
		seen->arg[i] = arg[i];
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i].name))
			seen->nr = names[i].nr;
	return 0;
}

int uctrace_read(struct seen_ucall *seen, unsigned int room)
{
	char buf[8192], *line, *rest;
	struct seen_ucall next;
	unsigned int n = 0;
	ssize_t len;

	/* A read hands out whole lines. */
	while ((len = read(pipe_fd, buf, sizeof(buf) - 1)) > 0) {
		buf[len] = '\0';
		rest = buf;
		while ((line = strsep(&rest, "\n")) != NULL) {
			if (!strstr(line, "uvsim_ucall:"))
				continue;
			if (parse(line, &next))
				return say("no ultracall: %s", line);
			/* Made again until it is something else: the VM is torn down. */
			if (next.nr == UV_PAGE_INVAL && next.ret == U_BUSY)
				continue;
			if (n == room)
				return say("more than %u ultracalls in one step, the last is %s",
					   room, line);
			seen[n++] = next;
		}
	}
	return len < 0 && errno != EAGAIN ? say("trace_pipe: %s", strerror(errno)) : (int)n;
}
