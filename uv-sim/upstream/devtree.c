// SPDX-License-Identifier: GPL-2.0
/*
 * The device tree: how KVM-HV learns, when it is loaded, that there is an
 * ultravisor and how much secure memory it has.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <asm/firmware.h>

#include "internal.h"

#define NODE_NAME	"ibm,secure-memory-simulated"
#define COMPATIBLE	"ibm,secure-memory"

static struct of_changeset changeset;

static bool node_exists(const char *compatible)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, compatible);

	of_node_put(np);
	return np;
}

/**
 * uvup_devtree_has_ultravisor() - is there an ultravisor that is not us?
 */
bool uvup_devtree_has_ultravisor(void)
{
	return firmware_has_feature(FW_FEATURE_ULTRAVISOR) || node_exists("ibm,ultravisor") ||
	       node_exists("ibm,uv-firmware") || node_exists(COMPATIBLE);
}

static int describe(struct device_node *root)
{
	u64 size = (u64)uvsim_secure_pages() << PAGE_SHIFT;
	const u32 reg[] = { 0, 0, upper_32_bits(size), lower_32_bits(size) };
	struct device_node *np;
	int err;

	np = of_changeset_create_node(&changeset, root, NODE_NAME);
	if (!np)
		return -ENOMEM;
	err = of_changeset_add_prop_string(&changeset, np, "compatible", COMPATIBLE);
	if (!err)
		err = of_changeset_add_prop_u32_array(&changeset, np, "reg", reg,
						      ARRAY_SIZE(reg));
	return err;
}

/**
 * uvup_devtree_init() - announce secure memory of uv-sim.ko's size
 *
 * Return: 0 or a negative errno.
 */
int uvup_devtree_init(void)
{
	struct device_node *root = of_find_node_by_path("/");
	int err;

	if (!root)
		return -ENODEV;
	of_changeset_init(&changeset);
	err = describe(root);
	of_node_put(root);
	if (!err)
		err = of_changeset_apply(&changeset);
	if (err)
		of_changeset_destroy(&changeset);
	return err;
}

/**
 * uvup_devtree_exit() - undo uvup_devtree_init()
 */
void uvup_devtree_exit(void)
{
	if (of_changeset_revert(&changeset))
		pr_err("the device tree could not be restored\n");
	of_changeset_destroy(&changeset);
}
