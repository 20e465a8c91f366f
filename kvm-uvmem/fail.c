// SPDX-License-Identifier: GPL-2.0
/*
 * Migrations given up on purpose, for tests: fail_step says after which step
 * (1 migrate_vma_setup(), 2 the copy, 3 migrate_vma_pages()), fail_count how
 * many migrations are to be hit. Writable by root at run time.
 */
#include <linux/atomic.h>
#include <linux/moduleparam.h>

#include "uvmem.h"

unsigned int uvmem_fail_step;
module_param_named(fail_step, uvmem_fail_step, uint, 0600);
MODULE_PARM_DESC(fail_step, "give up migrations after: 1 setup, 2 copy, 3 pages (0: never)");

static atomic_t fail_count = ATOMIC_INIT(0);

static int fail_count_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int ret = kstrtouint(val, 0, &n);

	if (ret)
		return ret;
	if (n > INT_MAX)
		return -ERANGE;
	atomic_set(&fail_count, n);
	return 0;
}

static int fail_count_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&fail_count));
}

static const struct kernel_param_ops fail_count_ops = {
	.set = fail_count_set,
	.get = fail_count_get,
};

module_param_cb(fail_count, &fail_count_ops, NULL, 0600);
MODULE_PARM_DESC(fail_count, "number of pages whose migration is still to be given up");

/**
 * uvmem_fail_one() - is one more page to be given up? See uvmem_should_fail()
 */
bool uvmem_fail_one(void)
{
	return atomic_dec_if_positive(&fail_count) >= 0;
}
