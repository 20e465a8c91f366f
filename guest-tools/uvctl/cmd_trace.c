// SPDX-License-Identifier: GPL-2.0
/*
 * trace: the uvmem:* tracepoints as they happen, from a trace instance of our
 * own, so that nobody else's tracing is disturbed. It is removed at the end,
 * also when ended by a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "uvctl.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* No SA_RESTART: the read that waits for events must end. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGPIPE, &sa, NULL);
}

/* NULL with errno set: why the first one cannot be had. */
static const char *tracing_dir(void)
{
	static const char *const dirs[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[64];
	int error = 0;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/instances", dirs[i]);
		if (!access(path, F_OK))
			return dirs[i];
		error = error ? error : errno;
	}
	errno = error;
	return NULL;
}

static int enable(const char *instance)
{
	char path[160];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/events/uvmem/enable", instance);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, "1", 1);
	close(fd);
	return n == 1 ? 0 : -1;
}

static int print_line(struct ctx *ctx, char *line)
{
	struct json_object *out = out_new();
	int ret;

	line[strcspn(line, "\n")] = '\0';
	out_str(out, "line", line + strspn(line, " "), OUT_LINE);
	ret = out_print(stdout, out, ctx->json);
	out_free(out);
	return ret;
}

static enum exit_code follow(struct ctx *ctx, const char *instance)
{
	enum exit_code ret = EXIT_OK;
	uint64_t lines = 0;
	char path[160], *line = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace_pipe", instance);
	f = fopen(path, "re");
	if (!f)
		return fail_errno(ctx, "%s", path);
	while (!stopped && (!ctx->count || lines < ctx->count)) {
		if (getline(&line, &size, f) < 0) {
			if (!stopped)
				ret = fail_errno(ctx, "%s", path);
			break;
		}
		lines++;
		if (print_line(ctx, line)) {
			ret = stopped ? EXIT_OK : fail_errno(ctx, "the output");
			break;
		}
	}
	free(line);
	fclose(f);
	return ret;
}

enum exit_code cmd_trace(struct ctx *ctx, int argc, char **argv)
{
	const char *dir = tracing_dir();
	enum exit_code ret;
	char instance[128];

	(void)argc;
	(void)argv;
	if (!dir && errno == EACCES)
		return fail_errno(ctx, "/sys/kernel/tracing");
	if (!dir)
		return fail(ctx, EXIT_SYSTEM, "tracefs is not mounted at /sys/kernel/tracing");
	snprintf(instance, sizeof(instance), "%s/instances/uvctl-%d", dir, (int)getpid());
	catch_signals();
	if (mkdir(instance, 0700))
		return fail_errno(ctx, "%s", instance);
	if (enable(instance))
		ret = fail_errno(ctx, "the uvmem tracepoints (is kvm-uvmem loaded?)");
	else
		ret = follow(ctx, instance);
	if (rmdir(instance) && !ret)
		ret = fail_errno(ctx, "%s", instance);
	out_free(ctx->out);
	ctx->out = NULL;
	return ret;
}
