// SPDX-License-Identifier: GPL-2.0
/*
 * See peer.h. One connection at a time is served, one request after the other;
 * only that thread writes to struct peer while it runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "peer.h"
#include "test.h"
#include "uv-sim/uapi/uv.h"

#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static uint64_t fnv(const uint8_t *p, uint64_t len)
{
	uint64_t h = FNV_START;

	while (len--)
		h = (h ^ *p++) * FNV_PRIME;
	return h;
}

static uint64_t word(uint64_t seed, uint64_t gpa, uint64_t n)
{
	return (seed + n) * 0x9e3779b97f4a7c15ULL ^ gpa;
}

static void verify(struct peer *p, struct agent_slot *s, uint64_t n)
{
	for (uint64_t gpa = s->gpa; gpa < s->gpa + s->len; gpa += 8) {
		uint64_t v;

		memcpy(&v, p->mem + gpa, 8);
		if (v != word(s->arg0, gpa, n) && !s->ret++)
			s->detail = gpa;
	}
}

static void pattern(struct peer *p, struct agent_slot *s)
{
	for (uint64_t n = 0; n < s->arg1; n++) {
		if (n)
			verify(p, s, n - 1);
		for (uint64_t gpa = s->gpa; gpa < s->gpa + s->len; gpa += 8) {
			uint64_t v = word(s->arg0, gpa, n);

			memcpy(p->mem + gpa, &v, 8);
		}
	}
}

static void share(struct peer *p, struct agent_slot *s)
{
	s->ret = U_SUCCESS;
	if (s->arg0 == AGENT_BY_HYPERCALL)
		s->ret = s->gpa >= p->info.mem_bytes ? -22 : 0;
	else if (!p->info.secure)
		s->ret = U_INVALID;
	else if (s->gpa >= p->info.mem_bytes)
		s->ret = U_PARAMETER;
	else if (!s->len || s->len > p->info.mem_bytes - s->gpa)
		s->ret = U_P2;
	else
		memset(p->mem + s->gpa, 0, s->len);
}

static void ucall(struct agent_slot *s)
{
	uint64_t args[6];

	memcpy(args, s->data, sizeof(args));
	s->ret = s->arg0 == UV_ESM ? U_SUCCESS : U_FUNCTION;
	s->out[0] = args[0];
	s->out[1] = args[5];
}

static void obey(struct peer *p, struct agent_slot *s)
{
	s->ret = 0;
	switch (s->cmd) {
	case AGENT_READ:
		memcpy(s->data, p->mem + s->gpa, s->len);
		break;
	case AGENT_WRITE:
		memcpy(p->mem + s->gpa, s->data, s->len);
		break;
	case AGENT_FILL:
		memset(p->mem + s->gpa, (int)s->arg0, s->len);
		break;
	case AGENT_CHECKSUM:
		s->ret = (int64_t)fnv(p->mem + s->gpa, s->len);
		break;
	case AGENT_ESM:
		s->ret = s->arg0 == AGENT_ESM_BLOB_GPA ? U_SUCCESS : U_PERMISSION;
		p->info.secure |= s->ret == U_SUCCESS;
		break;
	case AGENT_SHARE:
	case AGENT_UNSHARE:
		share(p, s);
		break;
	case AGENT_UNSHARE_ALL:
		s->ret = p->info.secure ? U_SUCCESS : U_INVALID;
		break;
	case AGENT_RANDOM:
		s->out[0] = 0xfeedfacecafebeefULL;
		break;
	case AGENT_UCALL:
		ucall(s);
		break;
	case AGENT_PATTERN:
		pattern(p, s);
		break;
	case AGENT_VERIFY:
		verify(p, s, s->arg1);
		break;
	case AGENT_EXIT:
		p->info.guest_state = UVC_GUEST_EXITED;
		break;
	}
	s->status = p->mode == PEER_UNFINISHED ? AGENT_POSTED : AGENT_DONE;
}

static void agent(struct peer *p, const struct uvc_request *req, struct uvc_reply *rep)
{
	if (p->mode == PEER_STOPPED || p->info.guest_state == UVC_GUEST_EXITED) {
		rep->error = ENOTCONN;
		return;
	}
	if (p->mode == PEER_BUSY) {
		rep->error = EBUSY;
		return;
	}
	if (req->op == UVC_AGENT_POST) {
		p->posted[req->vcpu] = req->agent;
		return;
	}
	rep->agent = req->op == UVC_AGENT_WAIT ? p->posted[req->vcpu] : req->agent;
	obey(p, &rep->agent);
}

static void handle(struct peer *p, const struct uvc_request *req, struct uvc_reply *rep)
{
	p->last = *req;
	p->requests++;
	if (req->magic != UVC_MAGIC)
		rep->error = EPROTO;
	else if (req->op >= UVC_AGENT && req->op <= UVC_AGENT_WAIT)
		agent(p, req, rep);
	else if (req->op == UVC_SVM_OFF)
		rep->error = p->info.secure ? 0 : EINVAL;
	rep->info = p->info;
}

static unsigned int nfds(const struct peer *p, const struct uvc_request *req)
{
	if (req->op != UVC_INFO || p->mode == PEER_NO_FDS)
		return 0;
	return p->mode == PEER_MANY_FDS ? 5 : 2;
}

static void misbehave(struct peer *p, struct uvc_reply *rep, struct iovec *iov)
{
	switch (p->mode) {
	case PEER_BAD_MAGIC:
		rep->magic++;
		break;
	case PEER_SHORT:
		iov->iov_len /= 2;
		break;
	case PEER_LONG:
		iov->iov_len++;
		break;
	case PEER_NEGATIVE:
		rep->error = -1;
		break;
	case PEER_BAD_SHIFT:
		rep->info.page_shift = 64;
		break;
	case PEER_NO_VCPUS:
		rep->info.nvcpus = 0;
		break;
	default:
		break;
	}
}

static void answer(struct peer *p, int sock, const struct uvc_request *req)
{
	struct uvc_reply packet[2] = { { .magic = UVC_MAGIC } }; /* PEER_LONG needs room */
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(5 * sizeof(int))] = { 0 };
	struct cmsghdr *head = (struct cmsghdr *)control;
	struct iovec iov = { .iov_base = packet, .iov_len = sizeof(packet[0]) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int n = nfds(p, req);

	handle(p, req, &packet[0]);
	misbehave(p, &packet[0], &iov);
	if (n) {
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (unsigned int i = 0; i < n; i++)
			memcpy(CMSG_DATA(head) + i * sizeof(int), &null, sizeof(int));
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	sendmsg(sock, &msg, MSG_NOSIGNAL);
	close(null);
}

static void *serve(void *arg)
{
	struct peer *p = arg;

	for (;;) {
		int sock = accept(p->listener, NULL, NULL);
		struct uvc_request req;

		if (sock < 0)
			return NULL;
		while (recv(sock, &req, sizeof(req), 0) == sizeof(req) && p->mode != PEER_MUTE)
			answer(p, sock, &req);
		close(sock);
	}
}

static void listen_on(struct peer *p)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(p->dir, "/tmp/uvtools-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	setenv("UVMEM_RUN_DIR", p->dir, 1);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.60s/%.30s.sock", p->dir, p->id);
	p->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(p->listener, 8), 0);
}

void peer_start(struct peer *p, const char *id, enum peer_mode mode)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->id, sizeof(p->id), "%s", id);
	p->mode = mode;
	p->mem = mmap(NULL, PEER_MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p->mem, MAP_FAILED);
	p->info = (struct uvc_info){
		.pid = getpid(),
		.lpid = PEER_LPID,
		.nvcpus = PEER_VCPUS,
		.page_shift = (uint32_t)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE)),
		.guest_state = mode == PEER_STOPPED ? UVC_GUEST_STOPPED : UVC_GUEST_RUNNING,
		.mem_bytes = PEER_MEM,
		.hva = (uintptr_t)p->mem,
		.stop_gpa = mode == PEER_STOPPED ? 0x5000 : 0,
	};
	if (mode == PEER_STOPPED)
		strcpy(p->info.stop_text, "tag of 0x5000\033[31m does not verify");
	/* uvctl, a child, reads this process' memory. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	listen_on(p);
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

void peer_stop(struct peer *p)
{
	char path[128];

	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	snprintf(path, sizeof(path), "%s/%s.sock", p->dir, p->id);
	unlink(path);
	rmdir(p->dir);
	munmap(p->mem, PEER_MEM);
}
