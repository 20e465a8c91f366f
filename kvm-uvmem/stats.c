// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics: the ioctl's structure, and /sys/kernel/debug/kvm-uvmem/stats with
 * a block of "name value" lines for the pool and one for each VM.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "uvmem.h"

static struct dentry *dir;

/**
 * uvmem_get_stats() - statistics of a VM
 * @svm: the VM
 * @st: out
 */
void uvmem_get_stats(struct uvmem_svm *svm, struct uvmem_stats *st)
{
	*st = (struct uvmem_stats) {
		.normal = atomic64_read(&svm->states[UVMEM_GFN_NORMAL]),
		.uvmem = atomic64_read(&svm->states[UVMEM_GFN_UVMEM]),
		.mem = atomic64_read(&svm->states[UVMEM_GFN_MEM]),
		.shared = atomic64_read(&svm->states[UVMEM_GFN_SHARED]),
		.page_ins = atomic64_read(&svm->count.page_ins),
		.page_outs = atomic64_read(&svm->count.page_outs),
		.host_faults = atomic64_read(&svm->count.host_faults),
		.shares = atomic64_read(&svm->count.shares),
		.unshares = atomic64_read(&svm->count.unshares),
		.invals = atomic64_read(&svm->count.invals),
		.drops = atomic64_read(&svm->count.drops),
		.busy = atomic64_read(&svm->count.busy),
		.migrate_calls = atomic64_read(&svm->count.migrate_calls),
		.host_along = atomic64_read(&svm->count.along),
		.host_unseen = atomic64_read(&svm->count.unseen),
	};
}

static void show_svm(struct uvmem_svm *svm, void *arg)
{
	static const char * const vm_state[] = { "normal", "transient", "secure" };
	struct seq_file *m = arg;
	struct uvmem_stats st;

	uvmem_get_stats(svm, &st);
	seq_printf(m, "lpid %u\n", svm->lpid);
	seq_printf(m, "  state %s\n", vm_state[READ_ONCE(svm->state)]);
	seq_printf(m, "  normal %llu\n  uvmem %llu\n  mem %llu\n  shared %llu\n",
		   st.normal, st.uvmem, st.mem, st.shared);
	seq_printf(m, "  page_ins %llu\n  page_outs %llu\n  host_faults %llu\n",
		   st.page_ins, st.page_outs, st.host_faults);
	seq_printf(m, "  shares %llu\n  unshares %llu\n  invals %llu\n  drops %llu\n",
		   st.shares, st.unshares, st.invals, st.drops);
	seq_printf(m, "  busy %llu\n  migrate_calls %llu\n", st.busy, st.migrate_calls);
	seq_printf(m, "  host_along %llu\n  host_unseen %llu\n", st.host_along, st.host_unseen);
}

static int stats_show(struct seq_file *m, void *v)
{
	u64 pages, free;

	uvmem_pool_usage(&pages, &free);
	seq_printf(m, "device_pages %llu\ndevice_free %llu\n", pages, free);
	uvmem_svm_for_each(show_svm, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/**
 * uvmem_stats_init() - make the statistics file
 */
void uvmem_stats_init(void)
{
	dir = debugfs_create_dir("kvm-uvmem", NULL);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
}

/**
 * uvmem_stats_exit() - remove it
 */
void uvmem_stats_exit(void)
{
	debugfs_remove(dir);
}
