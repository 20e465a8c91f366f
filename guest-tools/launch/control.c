// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket: a thread per client, one request and one reply at a
 * time. Whoever may open the socket may steer the VM (its mode is 0600), but
 * what a client sends is checked all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/runpath.h"
#include "vm.h"

#define MAX_CLIENTS 32

struct client {
	struct vm *vm;
	int sock;
};

static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static int listener = -1;
static unsigned int nclients; /* under vm->lock */

static void fill_info(struct vm *vm, struct uvc_info *info)
{
	*info = (struct uvc_info){
		.pid = getpid(),
		.lpid = vm->lpid,
		.nvcpus = vm->opt.nvcpus,
		.page_shift = vm->page_shift,
		.secure = vm->g != NULL,
		.guest_state = vm->guest_state,
		.mem_bytes = vm->mem_bytes,
		.hva = (uintptr_t)vm->h,
		.gva = (uintptr_t)vm->g,
		.stop_gpa = vm->stop_gpa,
	};
	memcpy(info->stop_text, vm->stop_text, sizeof(info->stop_text));
}

static bool is_agent_op(uint32_t op)
{
	return op == UVC_AGENT || op == UVC_AGENT_POST || op == UVC_AGENT_WAIT;
}

/* 0 or an errno. */
static int check(const struct vm *vm, const struct uvc_request *req)
{
	if (req->magic != UVC_MAGIC)
		return EPROTO;
	if (req->op > UVC_QUIT || req->pad)
		return EINVAL;
	if (is_agent_op(req->op) && req->vcpu >= vm->opt.nvcpus)
		return EINVAL;
	if (is_agent_op(req->op) && req->op != UVC_AGENT_WAIT && req->agent.cmd > AGENT_EXIT)
		return EINVAL;
	return 0;
}

static int agent_request(struct vm *vm, const struct uvc_request *req, struct uvc_reply *reply)
{
	struct vcpu *vcpu = &vm->vcpu[req->vcpu];
	int error = 0;

	pthread_mutex_lock(&vm->lock);
	if (req->op != UVC_AGENT_WAIT)
		error = mailbox_queue(vcpu, &req->agent);
	if (!error && req->op != UVC_AGENT_POST)
		error = mailbox_fetch(vcpu, &reply->agent);
	pthread_mutex_unlock(&vm->lock);
	return error;
}

static int run_request(struct vm *vm, const struct uvc_request *req, struct uvc_reply *reply)
{
	int error = check(vm, req);

	if (error)
		return error;
	switch (req->op) {
	case UVC_AGENT:
	case UVC_AGENT_POST:
	case UVC_AGENT_WAIT:
		return agent_request(vm, req, reply);
	case UVC_SVM_OFF:
		return secure_off(vm);
	case UVC_QUIT:
		vm_end(vm);
		return 0;
	default:
		return 0;
	}
}

/* A client of a VM without the two halves gets a descriptor that no ioctl knows. */
static int nothing_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd;
}

static int send_reply(const struct client *client, struct uvc_reply *reply, bool with_fds)
{
	struct vm *vm = client->vm;
	int fds[2] = { vm->svm_fd, vm->uvsim_fd };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(fds))];
	} control = { 0 };
	struct iovec iov = { .iov_base = reply, .iov_len = sizeof(*reply) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (with_fds) {
		if (vm->opt.normal)
			fds[0] = fds[1] = nothing_fd();
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(&control.align), fds, sizeof(fds));
	}
	return sendmsg(client->sock, &msg, MSG_NOSIGNAL) == sizeof(*reply) ? 0 : -1;
}

static int answer(const struct client *client, const struct uvc_request *req, bool whole)
{
	struct uvc_reply reply = { .magic = UVC_MAGIC };
	struct vm *vm = client->vm;

	reply.error = whole ? run_request(vm, req, &reply) : EPROTO;
	pthread_mutex_lock(&vm->lock);
	fill_info(vm, &reply.info);
	pthread_mutex_unlock(&vm->lock);
	return send_reply(client, &reply, !reply.error && req->op == UVC_INFO);
}

static void count_requests(struct vm *vm, int by)
{
	pthread_mutex_lock(&vm->lock);
	vm->requests += (unsigned int)by;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

/* MSG_TRUNC makes recv() return the length that was sent, not what fits. */
static void *client_thread(void *arg)
{
	struct client *client = arg;
	struct uvc_request req;
	int error;

	for (;;) {
		ssize_t n = recv(client->sock, &req, sizeof(req), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		count_requests(client->vm, 1);
		error = answer(client, &req, n == sizeof(req));
		count_requests(client->vm, -1);
		if (error)
			break;
	}
	close(client->sock);
	pthread_mutex_lock(&client->vm->lock);
	nclients--;
	pthread_mutex_unlock(&client->vm->lock);
	free(client);
	return NULL;
}

static bool may_have_client(struct vm *vm)
{
	bool may;

	pthread_mutex_lock(&vm->lock);
	may = nclients < MAX_CLIENTS;
	if (may)
		nclients++;
	pthread_mutex_unlock(&vm->lock);
	return may;
}

static void refuse_client(struct vm *vm, struct client *client)
{
	pthread_mutex_lock(&vm->lock);
	nclients--;
	pthread_mutex_unlock(&vm->lock);
	free(client);
}

static bool start_client(struct vm *vm, int sock)
{
	struct client *client;
	pthread_t thread;

	if (!may_have_client(vm))
		return false;
	client = malloc(sizeof(*client));
	if (client)
		*client = (struct client){ .vm = vm, .sock = sock };
	if (!client || pthread_create(&thread, NULL, client_thread, client)) {
		refuse_client(vm, client);
		return false;
	}
	pthread_detach(thread);
	return true;
}

static void *listen_thread(void *arg)
{
	for (;;) {
		int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (sock >= 0) {
			if (!start_client(arg, sock))
				close(sock);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			usleep(10000); /* until a client goes */
		} else if (errno != EINTR && errno != ECONNABORTED) {
			fail_errno("control socket: accept");
			return NULL;
		}
	}
}

/* A socket that nobody listens on any more is what a killed launcher left. */
static int remove_stale(const struct sockaddr_un *addr, const char *id)
{
	int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (probe < 0)
		return fail_errno("socket");
	if (!connect(probe, (const struct sockaddr *)addr, sizeof(*addr)))
		ret = fail("a VM with the ID %s is running", id);
	else if (errno == ECONNREFUSED && unlink(addr->sun_path))
		ret = fail_errno("cannot remove %s", addr->sun_path);
	close(probe);
	return ret;
}

static int listen_at(const struct sockaddr_un *addr)
{
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t mask;
	int ret;

	if (sock < 0)
		return fail_errno("socket");
	mask = umask(0177);
	ret = bind(sock, (const struct sockaddr *)addr, sizeof(*addr));
	umask(mask);
	if (ret || listen(sock, MAX_CLIENTS)) {
		fail_errno("cannot listen on %s", addr->sun_path);
		close(sock);
		return -1;
	}
	return sock;
}

static int open_listener(struct vm *vm)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (uvc_socket_path(socket_path, sizeof(socket_path), vm->opt.id))
		return fail_errno("no socket for the ID %s", vm->opt.id);
	memcpy(addr.sun_path, socket_path, sizeof(addr.sun_path));
	if (mkdir(uvc_run_dir(), 0755) && errno != EEXIST)
		return fail_errno("cannot make %s", uvc_run_dir());
	if (remove_stale(&addr, vm->opt.id))
		return -1;
	listener = listen_at(&addr);
	return listener < 0 ? -1 : 0;
}

int control_start(struct vm *vm)
{
	pthread_t thread;

	if (open_listener(vm))
		return -1;
	errno = pthread_create(&thread, NULL, listen_thread, vm);
	if (errno)
		return fail_errno("cannot start the control thread");
	pthread_detach(thread);
	return 0;
}

/* Lets the answers that are on their way go out, for at most a second. */
void control_stop(struct vm *vm)
{
	struct timespec until;

	if (listener < 0)
		return;
	unlink(socket_path);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&vm->lock);
	while (vm->requests && pthread_cond_timedwait(&vm->cond, &vm->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&vm->lock);
}
