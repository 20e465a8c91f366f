// SPDX-License-Identifier: GPL-2.0
/*
 * uv-sim.ko: the simulated ultravisor as a Linux module. It sets the core up
 * with secure memory and the owner key from the module's parameters, and lets
 * the hypervisor half make ultracalls.
 *
 * What is set up first is torn down last: the device, which lets user space
 * in, comes last and goes first.
 *
 * Locks: none of its own.
 */
#include <linux/export.h>
#include <linux/hex.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include "internal.h"
#include "trace.h"

struct uv *uvsim_uv;
bool uvsim_has_owner_key;

static unsigned long secure_pages;

static char *secure_mem = "64M";
module_param(secure_mem, charp, 0444);
MODULE_PARM_DESC(secure_mem,
		 "size of secure memory, as in 64M; 0 turns secure execution off (default 64M)");

static unsigned int fault_around = 16;

static int set_fault_around(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint(val, kp);

	fault_around = min(fault_around, UV_AROUND_MAX);
	if (!err && uvsim_uv)
		uv_set_around(uvsim_uv, fault_around);
	return err;
}

static const struct kernel_param_ops fault_around_ops = {
	.set = set_fault_around,
	.get = param_get_uint,
};
module_param_cb(fault_around, &fault_around_ops, &fault_around, 0644);
MODULE_PARM_DESC(fault_around,
		 "most pages that one touch of a guest's brings in or maps; 0 or 1: only the touched one (default 16, which is the most)");

static u8 owner_key[UV_KEY_BYTES];	/* wiped once the core has it */

/*
 * The text is wiped where it stands, in the argument string that the kernel
 * keeps for the life of the module.
 */
static int set_owner_key(const char *val, const struct kernel_param *kp)
{
	size_t len = strlen(val);
	int err = -EINVAL;

	if (len == 2 * UV_KEY_BYTES)
		err = hex2bin(owner_key, val, UV_KEY_BYTES);
	memzero_explicit((char *)val, len);
	if (err) {
		pr_err("owner_key must be %u hexadecimal digits\n", 2 * UV_KEY_BYTES);
		return -EINVAL;
	}
	uvsim_has_owner_key = true;
	return 0;
}

static const struct kernel_param_ops owner_key_ops = {
	.set = set_owner_key,
};
module_param_cb(owner_key, &owner_key_ops, NULL, 0);
MODULE_PARM_DESC(owner_key, "AES-256 key that authenticates ESM blobs, 64 hexadecimal digits");

/**
 * uvsim_ucall() - ultracall from hypervisor context
 * @nr: UV_* number
 * @a0: first argument (R4)
 * @a1: R5
 * @a2: R6
 * @a3: R7
 * @a4: R8
 *
 * ultravisor.rst, "Ultracalls used by the hypervisor".
 *
 * Context: process context, may sleep; may be called with a mmap lock and locks
 * of the hypervisor held. Never makes a hypercall.
 * Return: a U_* code.
 */
s64 uvsim_ucall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	const u64 args[UV_UCALL_ARGS] = { a0, a1, a2, a3, a4 };
	u64 out[UV_UCALL_OUT];
	s64 ret;

	ret = uv_hv_call(uvsim_uv, nr, args, out);
	trace_uvsim_ucall(nr, args, ret);
	if (nr == UV_WRITE_PATE && ret == U_SUCCESS && !uv_lpid_valid(uvsim_uv, a0))
		uvsim_view_revoke(a0);
	return ret;
}
EXPORT_SYMBOL_GPL(uvsim_ucall);

unsigned long uvsim_secure_pages(void)
{
	return secure_pages;
}
EXPORT_SYMBOL_GPL(uvsim_secure_pages);

static int __init parse_secure_mem(void)
{
	u64 bytes;
	char *end;

	bytes = memparse(secure_mem, &end);
	if (end == secure_mem || *end || !PAGE_ALIGNED(bytes) ||
	    bytes >> PAGE_SHIFT > min_t(u64, totalram_pages(), U32_MAX)) {
		pr_err("secure_mem=%s is not a multiple of the page size within RAM, such as 64M\n",
		       secure_mem);
		return -EINVAL;
	}
	secure_pages = bytes >> PAGE_SHIFT;
	return 0;
}

static int __init create_core(void)
{
	struct uv_port port = uvsim_port;
	const struct uv_config cfg = {
		.secure_pages = secure_pages,
		.owner_key = uvsim_has_owner_key ? owner_key : NULL,
		.max_lpid = UVSIM_MAX_LPID,
		.plain_copy = uvsim_cipher_is_copy(),
	};

	port.block_shift = uvsim_block_shift();
	uvsim_uv = uv_create(&port, &cfg);
	memzero_explicit(owner_key, sizeof(owner_key));
	if (!uvsim_uv)
		return -ENOMEM;
	uv_set_around(uvsim_uv, fault_around);
	return 0;
}

/* The parameters can be written until the module is gone. */
static void destroy_core(void)
{
	struct uv *uv = uvsim_uv;

	kernel_param_lock(THIS_MODULE);
	uvsim_uv = NULL;
	kernel_param_unlock(THIS_MODULE);
	uv_destroy(uv);
}

static int __init uvsim_init(void)
{
	int err;

	err = parse_secure_mem();
	if (err)
		return err;
	uvsim_copy_init();
	err = uvsim_crypto_init();
	if (err) {
		if (err != -EINVAL)
			pr_err("the kernel lacks gcm(aes), sha256 or sha512: %d\n", err);
		return err;
	}
	err = uvsim_secmem_init(secure_pages);
	if (err) {
		pr_err("no memory for secure_mem=%s\n", secure_mem);
		goto exit_crypto;
	}
	err = uvsim_view_init();
	if (err)
		goto exit_secmem;
	err = create_core();
	if (err)
		goto exit_view;
	uvsim_cipher_start();
	uvsim_stats_init();
	err = uvsim_dev_init();
	if (err)
		goto exit_core;

	pr_info("%lu secure pages of %lu bytes, %s owner key\n", secure_pages, PAGE_SIZE,
		uvsim_has_owner_key ? "with" : "no");
	return 0;

exit_core:
	uvsim_stats_exit();
	destroy_core();
exit_view:
	uvsim_view_exit();
exit_secmem:
	uvsim_secmem_exit();
exit_crypto:
	uvsim_crypto_exit();
	return err;
}
module_init(uvsim_init);

static void __exit uvsim_exit(void)
{
	uvsim_dev_exit();
	uvsim_stats_exit();
	destroy_core();
	uvsim_view_exit();
	uvsim_secmem_exit();
	uvsim_crypto_exit();
}
module_exit(uvsim_exit);

MODULE_SOFTDEP("pre: crypto-gcm crypto-aes crypto-sha256 crypto-sha512");
MODULE_DESCRIPTION("Simulated ultravisor: owner of the secure memory of secure VMs");
MODULE_LICENSE("GPL");
