// SPDX-License-Identifier: GPL-2.0
/* The VMs of the story: uvlaunch as a child, libuvc to steer it, the two devices to ask. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/hv.h"
#include "../../lib/names.h"
#include "story.h"

#define MEM "32M"
#define VCPUS "2"
#define START_SECONDS 60

static const char *beside(char *path, size_t size, const char *name)
{
	ssize_t n = readlink("/proc/self/exe", path, size - strlen(name) - 1);
	char *slash;

	if (n < 0)
		return name;
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, name);
	return access(path, X_OK) ? name : path;
}

/* uvlaunch is beside this program, or found as a command. */
static _Noreturn void exec_uvlaunch(const char *id, int log, bool bad_measurement)
{
	const char *argv[] = { "uvlaunch", "--id", "", "--mem", MEM, "--vcpus", VCPUS, NULL, NULL };
	char path[4096];

	argv[2] = id;
	if (bad_measurement)
		argv[7] = "--bad-measurement";
	dup2(log, STDERR_FILENO);
	execvp(beside(path, sizeof(path), "uvlaunch"), (char **)(uintptr_t)argv);
	perror("uvstory: cannot run uvlaunch");
	_exit(127);
}

/* Until it listens, or ends, or time is up. */
static bool connect_to(struct step *s, struct cast *vm)
{
	int status;

	for (int i = 0; i < START_SECONDS * 20; i++) {
		vm->connected = !uvc_open(&vm->c, vm->id);
		if (vm->connected)
			return true;
		if (errno != ESRCH)
			return step_check(s, false, "control socket of %s: %s", vm->id,
					  strerror(errno));
		if (waitpid(vm->pid, &status, WNOHANG) == vm->pid) {
			vm->pid = 0;
			return step_check(s, false, "uvlaunch %s ended with status 0x%x", vm->id,
					  status);
		}
		usleep(50000);
	}
	return step_check(s, false, "uvlaunch %s does not come up", vm->id);
}

bool cast_start(struct step *s, struct cast *vm, const char *id, bool bad_measurement)
{
	*vm = (struct cast){ .id = id, .log = memfd_create(id, MFD_CLOEXEC) };
	if (vm->log < 0)
		return step_check(s, false, "memfd_create: %s", strerror(errno));
	vm->pid = fork();
	if (vm->pid < 0)
		return step_check(s, false, "fork: %s", strerror(errno));
	if (!vm->pid)
		exec_uvlaunch(id, vm->log, bad_measurement);
	if (!connect_to(s, vm))
		return false;
	vm->page = (size_t)1 << vm->c.info.page_shift;
	return true;
}

static void show_log(struct cast *vm)
{
	char text[4096];
	ssize_t n = pread(vm->log, text, sizeof(text), 0);

	if (n > 0 && table_failed())
		printf("%.*s", (int)n, text);
	close(vm->log);
}

static void cast_gone(struct cast *vm)
{
	if (vm->connected)
		uvc_close(&vm->c);
	show_log(vm);
	*vm = (struct cast){ 0 };
}

void cast_kill(struct cast *vm)
{
	if (vm->pid > 0) {
		kill(vm->pid, SIGKILL);
		waitpid(vm->pid, NULL, 0);
	}
	if (vm->id)
		cast_gone(vm);
}

void cast_quit(struct step *s, struct cast *vm)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = UVC_QUIT };
	struct uvc_reply rep;
	int status;

	if (!vm->connected)
		return;
	if (step_check(s, !uvc_call(&vm->c, &req, &rep), "UVC_QUIT of %s: %m", vm->id) &&
	    waitpid(vm->pid, &status, 0) == vm->pid) {
		step_check(s, WIFEXITED(status), "uvlaunch %s ended with status 0x%x", vm->id,
			   status);
		vm->pid = 0;
		cast_gone(vm);
	}
}

bool guest_do(struct step *s, struct cast *vm, struct agent_slot *cmd)
{
	if (!uvc_agent(&vm->c, 0, cmd))
		return true;
	return step_check(s, false, "guest of %s, %s: %s %s", vm->id, agent_cmd_name(cmd->cmd),
			  strerror(errno), vm->c.info.stop_text);
}

bool guest_write(struct step *s, struct cast *vm, uint64_t gpa, const void *buf, size_t len)
{
	struct agent_slot cmd = { .cmd = AGENT_WRITE, .gpa = gpa, .len = len };

	memcpy(cmd.data, buf, len);
	return guest_do(s, vm, &cmd) && step_equal(s, "the guest's write", cmd.ret, 0);
}

bool guest_read(struct step *s, struct cast *vm, uint64_t gpa, void *buf, size_t len)
{
	struct agent_slot cmd = { .cmd = AGENT_READ, .gpa = gpa, .len = len };

	if (!guest_do(s, vm, &cmd) || !step_equal(s, "the guest's read", cmd.ret, 0))
		return false;
	memcpy(buf, cmd.data, len);
	return true;
}

int64_t guest_ucall(struct step *s, struct cast *vm, enum agent_cmd nr, uint64_t gpa)
{
	struct agent_slot cmd = { .cmd = nr, .gpa = gpa, .len = vm->page };

	if (nr == AGENT_ESM)
		cmd.arg0 = AGENT_ESM_BLOB_GPA;
	return guest_do(s, vm, &cmd) ? cmd.ret : INT64_MIN;
}

bool host_read(struct step *s, struct cast *vm, uint64_t gpa, void *buf, size_t len)
{
	ssize_t n = uvc_peek(&vm->c, gpa, buf, len);

	return step_check(s, n == (ssize_t)len, "the host read %zd of %zu bytes: %s", n, len,
			  strerror(errno));
}

bool host_write(struct step *s, struct cast *vm, uint64_t gpa, const void *buf, size_t len)
{
	ssize_t n = uvc_poke(&vm->c, gpa, buf, len);

	return step_check(s, n == (ssize_t)len, "the host wrote %zd of %zu bytes: %s", n, len,
			  strerror(errno));
}

bool check_gfn(struct step *s, struct cast *vm, uint64_t gpa, enum uvmem_gfn_state hv,
	       enum uv_gfn_state uv)
{
	uint64_t gfn = gpa >> vm->c.info.page_shift;
	uint8_t hv_seen = 0, uv_seen = 0;
	uint32_t vm_state;
	struct uvsim_map map = {
		.lpid = vm->c.info.lpid,
		.gfn = gfn,
		.npages = 1,
		.states = (uintptr_t)&uv_seen,
	};

	if (!step_check(s, !uvc_hv_states(&vm->c, gfn, 1, &hv_seen, &vm_state),
			"the hypervisor's state of a GFN: %m") ||
	    !step_check(s, !ioctl(vm->c.uvsim_fd, UVSIM_MAP, &map), "UVSIM_MAP: %m"))
		return false;
	step_host(s, "GFN %s/%s", uvmem_gfn_state_name(hv_seen), uv_gfn_state_name(uv_seen));
	return step_check(s, hv_seen == hv, "GPA 0x%llx is %s for the hypervisor, not %s",
			  (unsigned long long)gpa, uvmem_gfn_state_name(hv_seen),
			  uvmem_gfn_state_name(hv)) &&
	       step_check(s, uv_seen == uv, "GPA 0x%llx is %s for the ultravisor, not %s",
			  (unsigned long long)gpa, uv_gfn_state_name(uv_seen),
			  uv_gfn_state_name(uv));
}

bool hv_states(struct step *s, struct cast *vm, uint8_t *states, enum uvmem_vm_state *vm_state)
{
	uint32_t state;

	if (!step_check(s,
			!uvc_hv_states(&vm->c, 0, vm->c.info.mem_bytes / vm->page, states, &state),
			"the hypervisor's states: %m"))
		return false;
	*vm_state = state;
	return true;
}

bool hv_stats(struct step *s, struct cast *vm, struct uvmem_stats *st)
{
	return step_check(s, !uvc_hv_stats(&vm->c, st), "the hypervisor's counters: %m");
}

bool hv_info(struct step *s, struct cast *vm, struct uvmem_info *info)
{
	return step_check(s, !ioctl(vm->c.svm_fd, UVMEM_GET_INFO, info), "UVMEM_GET_INFO: %m");
}

bool uv_svm(struct step *s, struct cast *vm, struct uvsim_svm *svm)
{
	*svm = (struct uvsim_svm){ .lpid = vm->c.info.lpid };
	return step_check(s, !ioctl(vm->c.uvsim_fd, UVSIM_GET_SVM, svm), "UVSIM_GET_SVM: %m");
}

bool uv_stats(struct step *s, struct uvsim_stats *st)
{
	int fd = open("/dev/uvsim", O_RDWR | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return step_check(s, false, "cannot open /dev/uvsim: %s", strerror(errno));
	ok = step_check(s, !ioctl(fd, UVSIM_GET_STATS, st), "UVSIM_GET_STATS: %m");
	close(fd);
	return ok;
}
