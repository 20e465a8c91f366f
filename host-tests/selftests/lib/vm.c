// SPDX-License-Identifier: GPL-2.0
/*
 * A VM that uvlaunch runs as our child. It is started in the foreground, so
 * that it can be killed and waited for, and dies with the test.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmfix.h"

#define MAX_ARGS 20

static const char *env_or(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

static void launch(const struct vm *vm, const struct vm_opts *opts)
{
	char mem[32], vcpus[16];
	const char *argv[MAX_ARGS] = { "uvlaunch", "--id", vm->id, "--mem", mem, "--vcpus", vcpus };
	const char *agent = env_or("UVMEM_AGENT", NULL);
	int n = 7;

	snprintf(mem, sizeof(mem), "%llu", (unsigned long long)vm->mem);
	snprintf(vcpus, sizeof(vcpus), "%u", opts->vcpus ? opts->vcpus : 1);
	if (agent) {
		argv[n++] = "--payload";
		argv[n++] = agent;
	}
	if (opts->esm_blob) {
		argv[n++] = "--esm-blob";
		argv[n++] = opts->esm_blob;
	} else {
		argv[n++] = "--owner-key";
		argv[n++] = opts->owner_key ? opts->owner_key :
					      env_or("UVMEM_OWNER_KEY", "/etc/uvmem/owner.key");
	}
	if (opts->bad_measurement)
		argv[n++] = "--bad-measurement";
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	say("uvlaunch: %s", strerror(errno));
	_exit(127);
}

static int wait_for_socket(struct vm *vm)
{
	int status;

	for (;;) {
		if (!uvc_open(&vm->c, vm->id))
			return 0;
		if (errno != ESRCH)
			return say("connecting to %s: %s", vm->id, strerror(errno));
		if (waitpid(vm->pid, &status, WNOHANG) == vm->pid) {
			vm->pid = 0;
			return say("uvlaunch ended: status 0x%x", (unsigned int)status);
		}
		usleep(10000);
	}
}

/* Room for a thousand pages that only the test touches, and 16 MiB at least. */
static uint64_t default_mem(void)
{
	uint64_t mem = AGENT_FREE_GPA + 1024 * (uint64_t)page_size();

	return mem > 16 * MIB ? mem : 16 * MIB;
}

int vm_start(struct vm *vm, const struct vm_opts *opts)
{
	static const struct vm_opts defaults;
	static unsigned int count;
	pid_t parent = getpid();

	if (!opts)
		opts = &defaults;
	*vm = (struct vm){ .c = { .sock = -1, .svm_fd = -1, .uvsim_fd = -1 } };
	vm->mem = opts->mem ? opts->mem : default_mem();
	vm->free_gpa = AGENT_FREE_GPA;
	snprintf(vm->id, sizeof(vm->id), "t%d.%u", (int)parent, count++);
	vm->pid = fork();
	if (vm->pid < 0) {
		vm->pid = 0;
		return say("fork: %s", strerror(errno));
	}
	if (!vm->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
		launch(vm, opts);
	}
	return wait_for_socket(vm);
}

int vm_connect(const struct vm *vm, struct uvc *c)
{
	return uvc_open(c, vm->id) ? say("connecting to %s: %s", vm->id, strerror(errno)) : 0;
}

int vm_refresh(struct vm *vm)
{
	return uvc_refresh(&vm->c) ? say("UVC_INFO: %s", strerror(errno)) : 0;
}

static int simple_request(struct vm *vm, uint32_t op)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = op };
	struct uvc_reply rep;

	return uvc_call(&vm->c, &req, &rep);
}

int vm_svm_off(struct vm *vm)
{
	return simple_request(vm, UVC_SVM_OFF) ? say("UVC_SVM_OFF: %s", strerror(errno)) : 0;
}

static int reap(struct vm *vm)
{
	int status;

	while (waitpid(vm->pid, &status, 0) != vm->pid)
		if (errno != EINTR)
			return say("waitpid: %s", strerror(errno));
	vm->pid = 0;
	return status;
}

int vm_kill(struct vm *vm)
{
	int status = 0;

	uvc_close(&vm->c);
	if (vm->pid) {
		kill(vm->pid, SIGKILL);
		status = reap(vm);
	}
	return status < 0 ? -1 : 0;
}

int vm_quit(struct vm *vm)
{
	int status;

	if (simple_request(vm, UVC_QUIT))
		return say("UVC_QUIT: %s", strerror(errno));
	uvc_close(&vm->c);
	status = reap(vm);
	if (status < 0 || !WIFEXITED(status))
		return say("uvlaunch died: status 0x%x", (unsigned int)status);
	return WEXITSTATUS(status);
}

bool vm_alive(const struct vm *vm)
{
	return vm->pid && !waitpid(vm->pid, NULL, WNOHANG);
}

int vm_start_secure(struct vm *vm, const struct vm_opts *opts)
{
	int64_t ret;

	if (vm_start(vm, opts))
		return -1;
	ret = guest_esm(vm);
	return ret == U_SUCCESS ? vm_refresh(vm) : say("UV_ESM: %lld", (long long)ret);
}
