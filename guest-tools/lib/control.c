// SPDX-License-Identifier: GPL-2.0
/*
 * The client's side of the control socket: connect, ask, take the answer and
 * the file descriptors that come with it.
 *
 * A struct uvc belongs to one thread at a time; nothing here takes a lock. The
 * other side may be anything that listens on the path, so a packet that is
 * not exactly one reply is refused, and no descriptor it sent is leaked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "runpath.h"

#define INFO_FDS 2 /* the SVM's and /dev/uvsim's */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int protocol_error(void)
{
	errno = EPROTO;
	return -1;
}

static int send_request(int sock, const struct uvc_request *req)
{
	ssize_t n;

	do {
		n = send(sock, req, sizeof(*req), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	return n == sizeof(*req) ? 0 : protocol_error();
}

/* Moves the first @room descriptors of @msg to @fds and closes all others. */
static unsigned int take_fds(struct msghdr *msg, int *fds, unsigned int room)
{
	struct cmsghdr *cmsg;
	unsigned int n = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t count, i;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (n < room)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

static int recv_reply(int sock, struct uvc_reply *rep, int *fds, unsigned int *nfds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(INFO_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = rep, .iov_len = sizeof(*rep) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*nfds = 0;
	if (n < 0)
		return -1;
	if (n == 0) {
		errno = ECONNRESET;
		return -1;
	}
	*nfds = take_fds(&msg, fds, INFO_FDS);
	if (n != sizeof(*rep) || rep->magic != UVC_MAGIC || rep->error < 0 ||
	    msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return protocol_error();
	rep->info.stop_text[sizeof(rep->info.stop_text) - 1] = '\0';
	return 0;
}

/* What the rest of the tools shift and multiply by must be sane. */
static bool info_is_sane(const struct uvc_info *info)
{
	return info->page_shift >= 12 && info->page_shift <= 24 && info->pid > 0 &&
	       info->nvcpus >= 1 && info->nvcpus <= AGENT_MAX_VCPUS &&
	       info->mem_bytes <= UINT64_MAX - info->hva &&
	       info->mem_bytes % (1ULL << info->page_shift) == 0;
}

/* As uvc_call(), and hands out the descriptors of a UVC_INFO reply. */
static int call(struct uvc *c, const struct uvc_request *req, struct uvc_reply *rep, int *fds)
{
	unsigned int nfds, want = req->op == UVC_INFO ? INFO_FDS : 0;
	int ret;

	memset(rep, 0, sizeof(*rep));
	if (send_request(c->sock, req))
		return -1;
	ret = recv_reply(c->sock, rep, fds, &nfds);
	if (!ret && rep->error)
		want = 0;
	if (!ret && nfds != want)
		ret = protocol_error();
	if (ret || !want) {
		int saved = errno;

		while (nfds)
			close(fds[--nfds]);
		errno = saved;
	}
	if (ret)
		return -1;
	if (rep->error) {
		/* A guest that stopped says why. */
		if (rep->error == ENOTCONN && info_is_sane(&rep->info))
			c->info = rep->info;
		errno = rep->error;
		return -1;
	}
	return 0;
}

/**
 * uvc_call() - one request and its answer
 * @c: connection
 * @req: the request; its magic and all its fields are the caller's to fill
 * @rep: the answer, also where it carries an error
 *
 * Blocks until the answer is there. Descriptors that come along are closed;
 * uvc_refresh() is the way to get them.
 *
 * Return: 0, or -1 with errno set to the answer's error, to EPROTO or to what
 * the socket failed with (ECONNRESET: the launcher is gone).
 */
int uvc_call(struct uvc *c, const struct uvc_request *req, struct uvc_reply *rep)
{
	int fds[INFO_FDS];

	if (call(c, req, rep, fds))
		return -1;
	if (req->op == UVC_INFO)
		for (int i = 0; i < INFO_FDS; i++)
			close(fds[i]);
	return 0;
}

/**
 * uvc_refresh() - fetch the VM's info and its descriptors again
 * @c: connection; info, svm_fd and uvsim_fd are replaced on success only
 *
 * Return: 0, or -1 with errno set as for uvc_call().
 */
int uvc_refresh(struct uvc *c)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = UVC_INFO };
	struct uvc_reply rep;
	int fds[INFO_FDS];

	if (call(c, &req, &rep, fds))
		return -1;
	if (!info_is_sane(&rep.info)) {
		for (int i = 0; i < INFO_FDS; i++)
			close(fds[i]);
		return protocol_error();
	}
	close_fd(&c->svm_fd);
	close_fd(&c->uvsim_fd);
	c->svm_fd = fds[0];
	c->uvsim_fd = fds[1];
	c->info = rep.info;
	return 0;
}

/**
 * uvc_open_path() - connect to the VM behind a socket
 * @c: filled in; nothing has to be closed after a failure
 * @socket_path: path of the socket
 *
 * Return: 0, or -1 with errno set: ESRCH nothing listens there, EPROTO what
 * listens does not speak this protocol, or what socket() and connect() say.
 */
int uvc_open_path(struct uvc *c, const char *socket_path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int saved;

	*c = (struct uvc){ .sock = -1, .svm_fd = -1, .uvsim_fd = -1 };
	if (strlen(socket_path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, socket_path);
	c->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->sock < 0)
		return -1;
	if (connect(c->sock, (struct sockaddr *)&addr, sizeof(addr))) {
		/* A file without a listener is what a killed launcher leaves. */
		if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
			errno = ESRCH;
		else if (errno == EPROTOTYPE)
			errno = EPROTO;
	} else if (!uvc_refresh(c)) {
		return 0;
	}
	saved = errno;
	uvc_close(c);
	errno = saved;
	return -1;
}

/**
 * uvc_open() - connect to a VM by its ID
 * @c: filled in; nothing has to be closed after a failure
 * @id: as in uvc_list(): the socket's name without ".sock"
 *
 * Return: 0, or -1 with errno set as for uvc_open_path(), or EINVAL if @id
 * cannot be an ID.
 */
int uvc_open(struct uvc *c, const char *id)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	*c = (struct uvc){ .sock = -1, .svm_fd = -1, .uvsim_fd = -1 };
	if (uvc_socket_path(path, sizeof(path), id))
		return -1;
	return uvc_open_path(c, path);
}

/**
 * uvc_close() - end the connection and close the VM's descriptors
 * @c: connection; a second call does nothing
 */
void uvc_close(struct uvc *c)
{
	close_fd(&c->svm_fd);
	close_fd(&c->uvsim_fd);
	close_fd(&c->sock);
}

/**
 * uvc_agent() - have a vCPU's agent run one command
 * @c: connection
 * @vcpu: number of the vCPU
 * @slot: the command; the agent's answer replaces it
 *
 * Return: 0 when the agent has answered (whatever @slot->ret says), or -1 with
 * errno set as for uvc_call(): ENOTCONN the guest has stopped, see @c->info.
 */
int uvc_agent(struct uvc *c, unsigned int vcpu, struct agent_slot *slot)
{
	struct uvc_request req = {
		.magic = UVC_MAGIC, .op = UVC_AGENT, .vcpu = vcpu, .agent = *slot
	};
	struct uvc_reply rep;

	if (uvc_call(c, &req, &rep))
		return -1;
	if (rep.agent.status != AGENT_DONE || rep.agent.cmd != slot->cmd)
		return protocol_error();
	*slot = rep.agent;
	return 0;
}
