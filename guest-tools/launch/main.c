// SPDX-License-Identifier: GPL-2.0
/* uvlaunch: options, and the order in which a VM comes up and goes down. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/runpath.h"
#include "vm.h"

enum {
	EXIT_ENDED = 0,
	EXIT_SETUP = 1,
	EXIT_STOPPED = 3,
	/* argp itself exits with EX_USAGE, 64. */
};

const char *argp_program_version = "uvlaunch 1.0";

static const char doc[] =
	"Run a KVM guest that can become a secure VM."
	"\v"
	"The VM is steered through a socket ID.sock in $UVMEM_RUN_DIR (/run/uvmem "
	"if that is unset); uvctl speaks to it. SIZE is in bytes or has a suffix K, M "
	"or G. KEY is 64 hex digits, or a file with them or with the 32 bytes.\n"
	"\n"
	"The ESM blob against which UV_ESM measures the VM is made under the owner "
	"key, or given as a file. A VM without a blob cannot go secure.\n"
	"\n"
	"Exit status: 0 the guest ended or the VM was told to end; 1 the VM could not "
	"be set up; 3 the VM was told to end after its guest had stopped; 64 wrong "
	"usage.";

enum {
	OPT_OWNER_KEY = 0x100,
	OPT_ESM_BLOB,
	OPT_BAD_MEASUREMENT,
	OPT_NORMAL,
};

static const struct argp_option options[] = {
	{ "id", 'i', "ID", 0, "name of the VM: letters, digits, '.', '_', '-'", 1 },
	{ "mem", 'm', "SIZE", 0, "guest memory (default 64M)", 1 },
	{ "vcpus", 'c', "N", 0, "number of vCPUs, 1 to 15 (default 1)", 1 },
	{ "payload", 'p', "FILE", 0,
	  "what the guest runs (default: $UVMEM_AGENT, or agent.bin beside uvlaunch)", 1 },
	{ "daemon", 'd', NULL, 0, "return as soon as the control socket is there", 1 },
	{ "owner-key", OPT_OWNER_KEY, "KEY", 0,
	  "make the ESM blob under this key (default: $UVMEM_OWNER_KEY)", 2 },
	{ "esm-blob", OPT_ESM_BLOB, "FILE", 0, "use this ESM blob", 2 },
	{ "bad-measurement", OPT_BAD_MEASUREMENT, NULL, 0,
	  "make a blob that does not fit the payload, so that UV_ESM fails", 2 },
	{ "normal", OPT_NORMAL, NULL, 0, "a normal VM, without /dev/uvmem and /dev/uvsim", 2 },
	{ 0 },
};

static bool parse_size(const char *text, uint64_t *bytes)
{
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 0);
	if (errno || end == text || text[0] == '-')
		return false;
	if (*end == 'K' || *end == 'k')
		shift = 10;
	else if (*end == 'M' || *end == 'm')
		shift = 20;
	else if (*end == 'G' || *end == 'g')
		shift = 30;
	if (shift)
		end++;
	if (*end || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

static bool parse_count(const char *text, unsigned int max, unsigned int *count)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	*count = (unsigned int)n;
	return !errno && end != text && !*end && n >= 1 && n <= max;
}

static void check_options(struct options *opt, struct argp_state *state)
{
	if (!opt->id)
		argp_error(state, "--id is missing");
	if (opt->normal && (opt->owner_key || opt->esm_blob || opt->bad_measurement))
		argp_error(state, "--normal excludes what is for a secure VM");
	if (!opt->normal && !opt->owner_key && !opt->esm_blob)
		opt->owner_key = getenv("UVMEM_OWNER_KEY");
	if (opt->esm_blob && (opt->owner_key || opt->bad_measurement))
		argp_error(state, "--esm-blob excludes --owner-key and --bad-measurement");
	if (opt->bad_measurement && !opt->owner_key)
		argp_error(state, "--bad-measurement needs --owner-key");
	if (opt->mem_bytes <= AGENT_FREE_GPA || opt->mem_bytes % 0x10000)
		argp_error(state, "--mem must be a multiple of 64K above %lluK",
			   (unsigned long long)AGENT_FREE_GPA >> 10);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 'i':
		if (!uvc_id_valid(arg))
			argp_error(state, "'%s' is no ID", arg);
		opt->id = arg;
		return 0;
	case 'm':
		if (!parse_size(arg, &opt->mem_bytes))
			argp_error(state, "'%s' is no size", arg);
		return 0;
	case 'c':
		if (!parse_count(arg, AGENT_MAX_VCPUS, &opt->nvcpus))
			argp_error(state, "'%s' is no number of vCPUs", arg);
		return 0;
	case 'p':
		opt->payload = arg;
		return 0;
	case 'd':
		opt->daemon = true;
		return 0;
	case OPT_OWNER_KEY:
		opt->owner_key = arg;
		return 0;
	case OPT_ESM_BLOB:
		opt->esm_blob = arg;
		return 0;
	case OPT_BAD_MEASUREMENT:
		opt->bad_measurement = true;
		return 0;
	case OPT_NORMAL:
		opt->normal = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		check_options(opt, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* $UVMEM_AGENT, or agent.bin in the folder that uvlaunch itself is in. */
static const char *default_payload(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("agent.bin"));
	char *slash;

	if (getenv("UVMEM_AGENT"))
		return getenv("UVMEM_AGENT");
	if (n < 0)
		return "agent.bin";
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "agent.bin");
	return path;
}

/* Who waits for the end of our stdout would wait for that of the VM. stderr stays: fail(). */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/*
 * The parent waits until the child has its control socket, and takes over the
 * child's exit status if that ends before. Returns the pipe's end of the child.
 */
static int become_daemon(void)
{
	int ready[2], status = 0;
	char byte;
	pid_t pid;

	if (pipe(ready))
		return fail_errno("pipe");
	pid = fork();
	if (pid < 0)
		return fail_errno("fork");
	if (!pid) {
		close(ready[0]);
		detach();
		return ready[1];
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		_exit(EXIT_ENDED);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		_exit(EXIT_SETUP);
	_exit(WEXITSTATUS(status));
}

static int vm_setup(struct vm *vm, const struct options *opt)
{
	if (vm_create(vm, opt) || payload_load(vm))
		return -1;
	mailbox_init(vm);
	if (esm_put_blob(vm) || secure_open(vm) || vcpus_create(vm))
		return -1;
	return control_start(vm);
}

/* All threads leave these to main(), which waits for one of them. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR2); /* vm_end() */
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static int run(const struct options *opt)
{
	static struct vm vm;
	int ready = -1, sig;
	sigset_t set;

	if (opt->daemon) {
		ready = become_daemon();
		if (ready < 0)
			return EXIT_SETUP;
	}
	block_signals(&set);
	if (vm_setup(&vm, opt) || vcpus_start(&vm)) {
		control_stop(&vm);
		return EXIT_SETUP;
	}
	if (ready >= 0) {
		if (write(ready, "", 1) != 1)
			fail_errno("nobody waits for this daemon");
		close(ready);
	}
	sigwait(&set, &sig);
	vm_end(&vm);
	control_stop(&vm);
	vcpus_join(&vm);
	return vm.guest_state == UVC_GUEST_STOPPED ? EXIT_STOPPED : EXIT_ENDED;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse_option, NULL, doc, NULL, NULL, NULL };
	struct options opt = { .mem_bytes = 64 << 20, .nvcpus = 1 };

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	if (!opt.payload)
		opt.payload = default_payload();
	return run(&opt);
}
