// SPDX-License-Identifier: GPL-2.0
/* libuvc's client against a peer that behaves, and against ones that do not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest-tools/lib/control.h"
#include "guest-tools/lib/runpath.h"
#include "peer.h"
#include "test.h"

static unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void opens_and_refreshes(void **state)
{
	struct peer p;
	struct uvc c;

	(void)state;
	peer_start(&p, "vm1", PEER_GOOD);
	assert_int_equal(uvc_open(&c, "vm1"), 0);
	assert_int_equal(c.info.lpid, PEER_LPID);
	assert_int_equal(c.info.nvcpus, PEER_VCPUS);
	assert_true(fcntl(c.svm_fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(c.uvsim_fd, F_GETFD) & FD_CLOEXEC);
	p.info.secure = 1;
	assert_int_equal(uvc_refresh(&c), 0);
	assert_int_equal(c.info.secure, 1);
	uvc_close(&c);
	assert_int_equal(c.sock, -1);
	uvc_close(&c);
	peer_stop(&p);
}

/* The peer is in this process too: its own descriptors settle once it is joined. */
static void leaks_no_descriptor(void **state)
{
	static const enum peer_mode modes[] = { PEER_GOOD,    PEER_MUTE,     PEER_BAD_MAGIC,
						PEER_SHORT,   PEER_LONG,     PEER_NEGATIVE,
						PEER_NO_FDS,  PEER_MANY_FDS, PEER_BAD_SHIFT,
						PEER_NO_VCPUS };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct uvc_request req = { .magic = UVC_MAGIC, .op = UVC_INFO };
		unsigned int before = open_fds();
		struct uvc_reply rep;
		struct peer p;
		struct uvc c;

		peer_start(&p, "vm1", modes[i]);
		if (modes[i] == PEER_GOOD) {
			assert_int_equal(uvc_open(&c, "vm1"), 0);
			for (int n = 0; n < 20; n++) {
				assert_int_equal(uvc_refresh(&c), 0);
				assert_int_equal(uvc_call(&c, &req, &rep), 0);
			}
			uvc_close(&c);
		} else {
			assert_int_equal(uvc_open(&c, "vm1"), -1);
			assert_int_equal(errno, modes[i] == PEER_MUTE ? ECONNRESET : EPROTO);
			assert_int_equal(c.sock, -1);
		}
		peer_stop(&p);
		assert_int_equal(open_fds(), before);
	}
}

/* What a killed launcher leaves: a socket file, and nobody behind it. */
static void leave_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(sock);
}

static void no_vm(void **state)
{
	struct peer p;
	struct uvc c;
	char path[96];

	(void)state;
	peer_start(&p, "vm1", PEER_GOOD);
	snprintf(path, sizeof(path), "%s/stale.sock", p.dir);
	leave_socket(path);
	assert_int_equal(uvc_open(&c, "vm2"), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(uvc_open(&c, "stale"), -1);
	assert_int_equal(errno, ESRCH);
	unlink(path);
	peer_stop(&p);
	/* Not even a run directory. */
	assert_int_equal(uvc_open(&c, "vm1"), -1);
	assert_int_equal(errno, ESRCH);
}

static void bad_ids(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".hidden", "a/b", "../x", "a b", "a\n" };
	char longest[66], path[400];
	struct uvc c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(uvc_open(&c, bad[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_false(uvc_id_valid(longest));
	longest[64] = '\0';
	assert_true(uvc_id_valid(longest));
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(uvc_open_path(&c, path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	setenv("UVMEM_RUN_DIR", path, 1);
	assert_int_equal(uvc_open(&c, "a"), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void other_kind_of_socket(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	struct uvc c;

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/uvtools-%d.sock", (int)getpid());
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(sock, 1), 0);
	assert_int_equal(uvc_open_path(&c, addr.sun_path), -1);
	assert_int_equal(errno, EPROTO);
	close(sock);
	unlink(addr.sun_path);
}

static void agent_commands(void **state)
{
	struct agent_slot slot = { .cmd = AGENT_WRITE, .gpa = 0x1000, .len = 5, .data = "hello" };
	struct peer p;
	struct uvc c;

	(void)state;
	peer_start(&p, "vm1", PEER_GOOD);
	assert_int_equal(uvc_open(&c, "vm1"), 0);
	assert_int_equal(uvc_agent(&c, 2, &slot), 0);
	assert_int_equal(p.last.vcpu, 2);
	assert_int_equal(slot.status, AGENT_DONE);
	assert_memory_equal(p.mem + 0x1000, "hello", 5);
	slot = (struct agent_slot){ .cmd = AGENT_READ, .gpa = 0x1001, .len = 4 };
	assert_int_equal(uvc_agent(&c, 0, &slot), 0);
	assert_memory_equal(slot.data, "ello", 4);
	uvc_close(&c);
	peer_stop(&p);
}

static void agent_errors(void **state)
{
	static const struct {
		enum peer_mode mode;
		int err;
	} rows[] = { { PEER_STOPPED, ENOTCONN },
		     { PEER_BUSY, EBUSY },
		     { PEER_UNFINISHED, EPROTO } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct agent_slot slot = { .cmd = AGENT_NOP };
		struct peer p;
		struct uvc c;

		peer_start(&p, "vm1", rows[i].mode);
		assert_int_equal(uvc_open(&c, "vm1"), 0);
		memset(&c.info, 0, sizeof(c.info));
		assert_int_equal(uvc_agent(&c, 0, &slot), -1);
		assert_int_equal(errno, rows[i].err);
		/* The reason comes with the refusal. */
		if (rows[i].err == ENOTCONN)
			assert_int_equal(c.info.stop_gpa, 0x5000);
		uvc_close(&c);
		peer_stop(&p);
	}
}

static void host_view(void **state)
{
	uint8_t buf[64] = { 0 };
	struct peer p;
	struct uvc c;

	(void)state;
	peer_start(&p, "vm1", PEER_GOOD);
	assert_int_equal(uvc_open(&c, "vm1"), 0);
	strcpy((char *)p.mem + 0x2000, "secret");
	assert_int_equal(uvc_peek(&c, 0x2000, buf, 7), 7);
	assert_string_equal(buf, "secret");
	assert_int_equal(uvc_poke(&c, 0x2001, "XY", 2), 2);
	assert_string_equal(p.mem + 0x2000, "sXYret");
	assert_int_equal(uvc_peek(&c, PEER_MEM - 64, buf, 64), 64);
	assert_int_equal(uvc_peek(&c, PEER_MEM - 63, buf, 64), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(uvc_poke(&c, UINT64_MAX - 3, buf, 8), -1);
	assert_int_equal(errno, ERANGE);
	uvc_close(&c);
	peer_stop(&p);
}

static void check_list(const char *first, const char *second)
{
	const char *const want[] = { first, second, NULL };
	char **ids = uvc_list();
	size_t i;

	assert_non_null(ids);
	for (i = 0; want[i]; i++) {
		assert_non_null(ids[i]);
		assert_string_equal(ids[i], want[i]);
		free(ids[i]);
	}
	assert_null(ids[i]);
	free(ids);
}

static void lists(void **state)
{
	char path[160], stale[160], second[160], own[160];
	struct peer p;
	int fd;

	(void)state;
	peer_start(&p, "vm1", PEER_GOOD);
	snprintf(path, sizeof(path), "%s/file.sock", p.dir);
	snprintf(stale, sizeof(stale), "%s/stale.sock", p.dir);
	snprintf(second, sizeof(second), "%s/a-second.sock", p.dir);
	snprintf(own, sizeof(own), "%s/vm1.sock", p.dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	leave_socket(stale);
	check_list("vm1", NULL);
	assert_int_equal(link(own, second), 0);
	check_list("a-second", "vm1");
	unlink(path);
	unlink(stale);
	unlink(second);
	peer_stop(&p);
	check_list(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_and_refreshes),
		cmocka_unit_test(leaks_no_descriptor),
		cmocka_unit_test(no_vm),
		cmocka_unit_test(bad_ids),
		cmocka_unit_test(other_kind_of_socket),
		cmocka_unit_test(agent_commands),
		cmocka_unit_test(agent_errors),
		cmocka_unit_test(host_view),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests_name("tools/control", tests, NULL, NULL);
}
