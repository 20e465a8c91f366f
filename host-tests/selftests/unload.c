// SPDX-License-Identifier: GPL-2.0
/*
 * The modules themselves: they cannot be removed while something uses them, can
 * be as soon as nothing does, and come back with other parameters. U_NO_KEY and
 * a machine without secure memory depend on those.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0012
#define UVSIM_STATS "/sys/kernel/debug/uv-sim/stats"

static int owner_key_param(char *params, size_t size, const char *more)
{
	uint8_t key[32];
	int n;

	if (own_key(key))
		return -1;
	n = snprintf(params, size, "owner_key=");
	for (unsigned int i = 0; i < 32; i++)
		n += snprintf(params + n, size - (size_t)n, "%02x", key[i]);
	snprintf(params + n, size - (size_t)n, " %s", more);
	return 0;
}

static bool is_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

FIXTURE(unload){};

FIXTURE_SETUP(unload)
{
	ASSERT_TRUE(is_loaded("uv_sim"));
	ASSERT_TRUE(is_loaded("kvm_uvmem"));
}

/* As the machine had them before, more or less. */
FIXTURE_TEARDOWN(unload)
{
	char params[128];

	remove_soon("kvm_uvmem");
	remove_soon("uv_sim");
	ASSERT_EQ(0, owner_key_param(params, sizeof(params), ""));
	EXPECT_EQ(0, insert_module("uv-sim", params));
	EXPECT_EQ(0, insert_module("kvm-uvmem", ""));
}

TEST_F(unload, refused_while_an_svm_exists)
{
	struct own own;

	ASSERT_EQ(0, own_open_secure(&own, 32, 8, SEED));
	EXPECT_EQ(EAGAIN, remove_module("kvm_uvmem"));
	EXPECT_EQ(EAGAIN, remove_module("uv_sim"));
	EXPECT_EQ(UV_GFN_RESIDENT, own_uv_state(&own, 3));
	own_close(&own);
	EXPECT_EQ(0, remove_soon("kvm_uvmem"));
	EXPECT_EQ(0, remove_soon("uv_sim"));
}

TEST_F(unload, refused_while_a_vm_runs)
{
	struct vm vm;

	ASSERT_EQ(0, vm_start_secure(&vm, NULL));
	EXPECT_EQ(EAGAIN, remove_module("kvm_uvmem"));
	EXPECT_EQ(EAGAIN, remove_module("uv_sim"));
	ASSERT_EQ(0, guest_pattern(&vm, vm_page(&vm, 0), page_size(), SEED));
	ASSERT_EQ(0, host_sees_ciphertext(&vm, vm_page(&vm, 0), SEED));
	ASSERT_EQ(0, vm_kill(&vm));
	EXPECT_EQ(0, remove_soon("kvm_uvmem"));
	EXPECT_EQ(0, remove_soon("uv_sim"));
}

/* kvm-uvmem is what uses uv-sim; without it uv-sim is held by open files only. */
TEST_F(unload, uv_sim_is_used_by_kvm_uvmem)
{
	int fd;

	EXPECT_EQ(EAGAIN, remove_module("uv_sim"));
	ASSERT_EQ(0, remove_soon("kvm_uvmem"));
	fd = open("/dev/uvsim", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EAGAIN, remove_module("uv_sim"));
	close(fd);
	EXPECT_EQ(0, remove_soon("uv_sim"));
	EXPECT_FALSE(is_loaded("uv_sim"));
	EXPECT_EQ(-1, open("/dev/uvsim", O_RDWR | O_CLOEXEC));
}

/* Device entries in a child outlive the VM and even the module: as zeros. */
TEST_F(unload, a_child_still_has_device_pages)
{
	struct own own;
	int go[2];
	pid_t pid;

	ASSERT_EQ(0, own_open_secure(&own, 32, 8, SEED));
	pid = own_child_stays(&own, 8, go);
	ASSERT_LE(0, pid);
	own_close(&own);
	EXPECT_EQ(0, remove_soon("kvm_uvmem"));
	EXPECT_EQ(0, remove_soon("uv_sim"));
	EXPECT_EQ(0, own_child_found_zeros(pid, go));
}

/* The same where the end of the VM could not move them, and they stand for nothing. */
TEST_F(unload, a_child_has_orphans)
{
	struct own own;
	int go[2];
	pid_t pid;

	ASSERT_EQ(0, own_open_secure(&own, 32, 8, SEED));
	pid = own_child_stays(&own, 8, go);
	ASSERT_LE(0, pid);
	ASSERT_EQ(0, fail_migrations(1, 1000000));
	ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_GT(1000000, fail_migrations_left());
	ASSERT_EQ(0, fail_migrations(0, 0));
	own_close(&own);
	EXPECT_EQ(0, remove_soon("kvm_uvmem"));
	EXPECT_EQ(0, remove_soon("uv_sim"));
	EXPECT_EQ(0, own_child_found_zeros(pid, go));
}

TEST_F(unload, loaded_again_and_again)
{
	char params[128];

	ASSERT_EQ(0, owner_key_param(params, sizeof(params), "secure_mem=4M"));
	for (unsigned int i = 0; i < 5; i++) {
		struct own own;

		ASSERT_EQ(0, remove_soon("kvm_uvmem"));
		ASSERT_EQ(0, remove_soon("uv_sim"));
		ASSERT_EQ(0, insert_module("uv-sim", params));
		ASSERT_EQ(0, insert_module("kvm-uvmem", ""));
		EXPECT_EQ(4 * MIB / page_size(), secure_pages());
		ASSERT_EQ(0, own_open_secure(&own, 32, 8, SEED));
		own_close(&own);
	}
}

/* Without an owner key no blob can be believed. */
TEST_F(unload, u_no_key)
{
	struct uvsim_info info;
	struct own own;

	ASSERT_EQ(0, remove_soon("kvm_uvmem"));
	ASSERT_EQ(0, remove_soon("uv_sim"));
	ASSERT_EQ(0, insert_module("uv-sim", ""));
	ASSERT_EQ(0, insert_module("kvm-uvmem", ""));
	ASSERT_EQ(0, own_open(&own, 32));
	ASSERT_EQ(0, ioctl(own.uv, UVSIM_GET_INFO, &info));
	EXPECT_EQ(0, info.has_owner_key);
	own_fill(&own, 0, 8, SEED);
	ASSERT_EQ(0, own_blob(&own, page_size(), 1, true));
	EXPECT_EQ(U_NO_KEY, own_esm(&own));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(own.svm));
	EXPECT_EQ(0, own_has_pattern(&own, 0, 8, SEED));
	own_close(&own);
}

/* secure_mem=0: the machine has the modules and no secure execution. */
TEST_F(unload, no_secure_memory)
{
	struct uvmem_create create = { 0 };
	char params[128];
	int dev;

	ASSERT_EQ(0, owner_key_param(params, sizeof(params), "secure_mem=0"));
	ASSERT_EQ(0, remove_soon("kvm_uvmem"));
	ASSERT_EQ(0, remove_soon("uv_sim"));
	ASSERT_EQ(0, insert_module("uv-sim", params));
	EXPECT_EQ(0, secure_pages());
	ASSERT_EQ(0, insert_module("kvm-uvmem", ""));
	dev = open("/dev/uvmem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, dev);
	EXPECT_EQ(-1, ioctl(dev, UVMEM_CREATE_SVM, &create));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(dev);
}

/* The benchmarks' cipher that is none: whoever asks is told. */
TEST_F(unload, cipher_copy_says_so)
{
	char params[128], *text;
	struct uvsim_stats st;
	struct uvsim_info info;
	struct own own;

	ASSERT_EQ(0, uvsim_stats(&st));
	EXPECT_EQ(0, st.flags);
	text = file_read(UVSIM_STATS);
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "cipher aes-256-gcm\n"));
	free(text);

	ASSERT_EQ(0, owner_key_param(params, sizeof(params), "cipher=copy"));
	ASSERT_EQ(0, remove_soon("kvm_uvmem"));
	ASSERT_EQ(0, remove_soon("uv_sim"));
	ASSERT_EQ(0, insert_module("uv-sim", params));
	ASSERT_EQ(0, insert_module("kvm-uvmem", ""));
	ASSERT_EQ(0, own_open_secure(&own, 32, 8, SEED));
	EXPECT_EQ(0, own_has_pattern(&own, 0, 8, SEED));
	ASSERT_EQ(0, ioctl(own.uv, UVSIM_GET_INFO, &info));
	EXPECT_EQ(UVSIM_CIPHER_COPY, info.flags);
	own_close(&own);
	ASSERT_EQ(0, uvsim_stats(&st));
	EXPECT_EQ(UVSIM_CIPHER_COPY, st.flags);
	text = file_read(UVSIM_STATS);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(text, strstr(text, "cipher copy\n"));
	free(text);
}

/* Parameters that make no sense are refused, and say so in the log. */
TEST_F(unload, bad_parameters)
{
	static const char *const bad[] = {
		"secure_mem=lots",
		"secure_mem=-1",
		"secure_mem=100000G",
		"owner_key=1234",
		"cipher=rot13",
		"cipher=",
		"owner_key=zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	};

	ASSERT_EQ(0, remove_soon("kvm_uvmem"));
	ASSERT_EQ(0, remove_soon("uv_sim"));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_NE(0, insert_module("uv-sim", bad[i]));
		EXPECT_FALSE(is_loaded("uv_sim"));
	}
	/* And without the ultravisor there is no hypervisor half. */
	EXPECT_EQ(ENOENT, insert_module("kvm-uvmem", ""));
}

/* The key can be read back from nowhere. */
TEST_F(unload, the_owner_key_is_not_shown)
{
	EXPECT_EQ(-1, access("/sys/module/uv_sim/parameters/owner_key", F_OK));
}

TEST_HARNESS_MAIN
