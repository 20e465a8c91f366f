// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/uv-sim/stats: the ultravisor's counters, a "name value"
 * pair a line; those of a VM have its LPID in the name ("lpid.3.resident 12").
 * The numbers of one VM are of one moment, those of several are not.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "internal.h"

static struct dentry *stats_dir;

static void show_line(struct seq_file *m, const char *name, u64 value)
{
	seq_printf(m, "%s %llu\n", name, value);
}

static void show_all(struct seq_file *m)
{
	struct uv_stats st;

	seq_printf(m, "cipher %s\n", uvsim_cipher_is_copy() ? "copy" : "aes-256-gcm");
	uv_get_stats(uvsim_uv, &st);
	show_line(m, "secure_total", st.secure_total);
	show_line(m, "secure_used", st.secure_used);
	show_line(m, "secure_peak", st.secure_peak);
	show_line(m, "svms", st.svms);
	show_line(m, "page_ins", st.page_ins);
	show_line(m, "page_outs", st.page_outs);
	show_line(m, "seals", st.seals);
	show_line(m, "opens", st.opens);
	show_line(m, "integrity_failures", st.integrity_failures);
	show_line(m, "evictions", st.evictions);
	show_line(m, "guest_faults", st.guest_faults);
	show_line(m, "ahead", st.ahead);
	show_line(m, "unseen", st.unseen);
}

static void show_vm_line(struct seq_file *m, u32 lpid, const char *name, u64 value)
{
	seq_printf(m, "lpid.%u.%s %llu\n", lpid, name, value);
}

static void show_vm(struct seq_file *m, u32 lpid)
{
	struct uv_svm_info info;

	if (!uv_get_svm(uvsim_uv, lpid, &info))
		return;		/* gone since it was listed */
	show_vm_line(m, lpid, "state", info.state);
	show_vm_line(m, lpid, "stop_reason", info.stop_reason);
	show_vm_line(m, lpid, "memslots", info.memslots);
	show_vm_line(m, lpid, "resident", info.resident);
	show_vm_line(m, lpid, "paged_out", info.paged_out);
	show_vm_line(m, lpid, "shared", info.shared);
	show_vm_line(m, lpid, "page_ins", info.page_ins);
	show_vm_line(m, lpid, "page_outs", info.page_outs);
	show_vm_line(m, lpid, "seals", info.seals);
	show_vm_line(m, lpid, "opens", info.opens);
	show_vm_line(m, lpid, "integrity_failures", info.integrity_failures);
	show_vm_line(m, lpid, "evictions", info.evictions);
}

static int stats_show(struct seq_file *m, void *unused)
{
	u32 *lpids, n, i;

	lpids = kvcalloc(UVSIM_MAX_LPID + 1, sizeof(*lpids), GFP_KERNEL);
	if (!lpids)
		return -ENOMEM;
	show_all(m);
	n = min_t(u32, uv_list(uvsim_uv, lpids, UVSIM_MAX_LPID + 1), UVSIM_MAX_LPID + 1);
	for (i = 0; i < n; i++)
		show_vm(m, lpids[i]);
	kvfree(lpids);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* The file is a help for people; the module works without it. */
void uvsim_stats_init(void)
{
	stats_dir = debugfs_create_dir("uv-sim", NULL);
	debugfs_create_file("stats", 0400, stats_dir, NULL, &stats_fops);
}

void uvsim_stats_exit(void)
{
	debugfs_remove(stats_dir);
}
