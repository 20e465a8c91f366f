// SPDX-License-Identifier: GPL-2.0
/*
 * uv-upstream.ko itself: what it refuses, and that it goes without a trace and
 * comes back. Upstream's own losses (docs/upstream-findings.md) keep KVM-HV from
 * being removed, so nothing here makes a page-in fail.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "harness.h"
#include "uv-sim/uapi/upstream.h"
#include "vmfix.h"

#define SEED 0x5eed0022
#define PAGES 64
#define TOUCHED 24

FIXTURE(module){};

FIXTURE_SETUP(module)
{
	ASSERT_TRUE(upstream_is_here());
}

FIXTURE_TEARDOWN(module)
{
}

static int attach_error(int uvup, int kvm_fd, uint32_t flags)
{
	struct uvup_attach req = { .kvm_fd = kvm_fd, .flags = flags };

	return ioctl(uvup, UVUP_ATTACH, &req) ? errno : 0;
}

TEST_F(module, attach_bad_input)
{
	int uvup = open("/dev/uvupstream", O_RDWR | O_CLOEXEC), other;
	struct uvmem_info info;
	struct own own;

	ASSERT_EQ(0, own_open(&own, PAGES));
	ASSERT_LE(0, uvup);
	EXPECT_EQ(EBADF, attach_error(uvup, -1, 0));
	EXPECT_EQ(EINVAL, attach_error(uvup, uvup, 0));
	EXPECT_EQ(EINVAL, attach_error(uvup, own.hv, 1));
	EXPECT_EQ(EBUSY, attach_error(uvup, own.hv, 0)); /* attached to another file */
	EXPECT_EQ(EBUSY, attach_error(own.svm, own.hv, 0));
	EXPECT_NE(0, ioctl(uvup, UVMEM_GET_INFO, &info));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_NE(0, ioctl(uvup, UVUP_ATTACH, (void *)8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_NE(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(ENOTTY, errno);
	own_close(&own);

	/* The LPID is free again, and the VM can be attached anew. */
	ASSERT_EQ(0, own_open(&own, PAGES));
	other = own.svm;
	close(other);
	EXPECT_EQ(0, attach_error(uvup, own.hv, 0));
	own.svm = uvup;
	own_close(&own);
}

TEST_F(module, vm_of_another_process)
{
	struct own own;
	int status;
	pid_t pid;

	ASSERT_EQ(0, own_open(&own, PAGES));
	close(own.svm);
	own.svm = -1;
	pid = fork();
	if (!pid) {
		int uvup = open("/dev/uvupstream", O_RDWR | O_CLOEXEC);

		_exit(attach_error(uvup, own.hv, 0) == EPERM ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	own_close(&own);
}

/* The last line of the kernel's log that @who wrote. */
static int last_words(const char *who, char *text, size_t size)
{
	char line[1024], *found;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	text[0] = '\0';
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		line[n] = '\0';
		found = strstr(line, who);
		if (found)
			snprintf(text, size, "%s", found);
	}
	close(fd);
	return text[0] ? 0 : -1;
}

TEST_F(module, stays_as_long_as_kvm_hv)
{
	EXPECT_EQ(EAGAIN, remove_module("uv_upstream"));
}

/*
 * Loading looks at ucall_norets() first: that it can be done again says that it
 * was restored. Without the module KVM-HV finds no secure memory.
 */
TEST_F(module, goes_and_comes_back)
{
	struct own own;

	ASSERT_EQ(0, remove_soon("kvm_hv"));
	ASSERT_EQ(0, remove_soon("uv_upstream"));
	EXPECT_FALSE(upstream_is_here());
	EXPECT_NE(0, access("/proc/device-tree/ibm,secure-memory-simulated", F_OK));
	ASSERT_EQ(0, insert_module("uv-upstream", ""));
	EXPECT_EQ(0, access("/proc/device-tree/ibm,secure-memory-simulated", F_OK));
	ASSERT_EQ(0, insert_module("kvm-hv", ""));
	ASSERT_EQ(0, own_open_secure(&own, PAGES, TOUCHED, SEED));
	EXPECT_EQ(0, own_off(&own));
	own_close(&own);
}

TEST_F(module, comes_too_late)
{
	char text[512];

	ASSERT_EQ(0, remove_soon("kvm_hv"));
	ASSERT_EQ(0, remove_soon("uv_upstream"));
	ASSERT_EQ(0, insert_module("kvm-hv", ""));
	EXPECT_EQ(EBUSY, insert_module("uv-upstream", ""));
	ASSERT_EQ(0, last_words("uv-upstream: ", text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "kvm-hv is there already"));
	ASSERT_EQ(0, remove_soon("kvm_hv"));
	EXPECT_EQ(0, insert_module("uv-upstream", ""));
	EXPECT_EQ(0, insert_module("kvm-hv", ""));
}

TEST_F(module, kprobes_are_off)
{
	char text[512];

	ASSERT_EQ(0, remove_soon("kvm_hv"));
	ASSERT_EQ(0, remove_soon("uv_upstream"));
	ASSERT_EQ(0, file_write("/sys/kernel/debug/kprobes/enabled", "0"));
	EXPECT_EQ(EOPNOTSUPP, insert_module("uv-upstream", ""));
	EXPECT_EQ(0, file_write("/sys/kernel/debug/kprobes/enabled", "1"));
	ASSERT_EQ(0, last_words("uv-upstream: ", text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "kprobes are switched off"));
	/* It left nothing changed. */
	EXPECT_EQ(0, insert_module("uv-upstream", ""));
	EXPECT_EQ(0, insert_module("kvm-hv", ""));
}

TEST_HARNESS_MAIN
