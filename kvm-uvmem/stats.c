// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics: the ioctl's structure, and /sys/kernel/debug/kvm-uvmem/stats with
 * a block of "name value" lines for the pool and one for each VM.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "uvmem.h"

static struct dentry *dir;

static void sum(struct uvmem_svm *svm, struct uvmem_counters *all)
{
	s64 *to = (s64 *)all;
	unsigned int i;
	int cpu;

	memset(all, 0, sizeof(*all));
	for_each_possible_cpu(cpu)
		for (i = 0; i < sizeof(*all) / sizeof(*to); i++)
			to[i] += READ_ONCE(((s64 *)per_cpu_ptr(svm->count, cpu))[i]);
}

/**
 * uvmem_get_stats() - statistics of a VM
 * @svm: the VM
 * @st: out
 */
void uvmem_get_stats(struct uvmem_svm *svm, struct uvmem_stats *st)
{
	struct uvmem_counters all;

	/* While GFNs change, one can be counted where it came to and not where it was. */
	sum(svm, &all);
	*st = (struct uvmem_stats) {
		.normal = max(all.states[UVMEM_GFN_NORMAL], 0LL),
		.uvmem = max(all.states[UVMEM_GFN_UVMEM], 0LL),
		.mem = max(all.states[UVMEM_GFN_MEM], 0LL),
		.shared = atomic64_read(&svm->shared),
		.page_ins = all.page_ins,
		.page_outs = all.page_outs,
		.host_faults = all.host_faults,
		.shares = all.shares,
		.unshares = all.unshares,
		.invals = all.invals,
		.drops = all.drops,
		.busy = all.busy,
		.migrate_calls = all.migrate_calls,
		.host_along = all.along,
		.host_unseen = all.unseen,
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
