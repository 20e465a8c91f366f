// SPDX-License-Identifier: GPL-2.0
/*
 * Many pages go through few migrate_vma calls: one a run, and a run has up to
 * RUN pages. The module counts its calls.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed000c
#define RUN 64
#define PAGES (slow_machine() ? 1088UL : 2048UL)
#define TOUCHED (PAGES - 48)
#define TRACING "/sys/kernel/tracing/"
#define UCALLS TRACING "events/uvsim/uvsim_ucall/enable"
#define WORKERS TRACING "events/workqueue/workqueue_execute_start/enable"
#define SEAL_CPUS "/sys/module/uv_sim/parameters/seal_cpus"
#define SPARE 6 /* runs that do not start at a multiple of RUN, tries, ... */

FIXTURE(batch)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(batch)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	ASSERT_EQ(0, own_blob(&self->own, page_size(), 1, true));
}

FIXTURE_TEARDOWN(batch)
{
	own_close(&self->own);
	EXPECT_EQ(0, uvmem_param("bulk_cpus", 0));
	EXPECT_EQ(0, file_write(SEAL_CPUS, "0"));
	EXPECT_EQ(0, usage_check(&self->before));
}

static uint64_t calls(struct own *o)
{
	struct uvmem_stats st;

	return ioctl(o->svm, UVMEM_GET_STATS, &st) ? UINT64_MAX : st.migrate_calls;
}

static int64_t range(struct own *o, uint64_t nr, uint64_t page, uint64_t n)
{
	uint64_t done = 0;
	int64_t ret = own_hcall(o, nr, page * page_size(), n, 0, page_order(), &done);

	return ret == H_SUCCESS && done != n ? NO_ANSWER : ret;
}

TEST_F(batch, ranges)
{
	uint64_t most = TOUCHED / RUN + SPARE, before;
	struct own *o = &self->own;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	before = calls(o);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, TOUCHED));
	EXPECT_GE(most, calls(o) - before);
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(o, TOUCHED - 1));
	before = calls(o);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, TOUCHED));
	EXPECT_GE(most, calls(o) - before);
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, TOUCHED - 1));
}

/* From the middle of one run to the middle of another. */
TEST_F(batch, a_range_across_runs)
{
	struct own *o = &self->own;
	uint64_t before;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	before = calls(o);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, RUN - 10, RUN + 20));
	EXPECT_EQ(3, calls(o) - before);
}

/*
 * Several CPUs share a large range: the same calls as one, and what is said to be
 * done is done, also when some runs fail and later ones do not.
 */
TEST_F(batch, a_range_on_several_cpus)
{
	struct own *o = &self->own;
	uint64_t before, done = 0, out = 0;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	before = calls(o);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, TOUCHED));
	EXPECT_GE(TOUCHED / RUN + 1, calls(o) - before);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, TOUCHED));

	ASSERT_EQ(0, fail_migrations(3, 3 * RUN));
	EXPECT_EQ(H_BUSY,
		  own_hcall(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, TOUCHED, 0, page_order(), &done));
	ASSERT_EQ(0, fail_migrations(0, 0));
	while (out < TOUCHED && own_hv_state(o, out) == UVMEM_GFN_MEM)
		out++;
	EXPECT_GE(out, done);
	EXPECT_GT(TOUCHED, done);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, TOUCHED));
}

/* Lines of the trace, with @event on, of all pages out and in, that have @a and @b; -1: failed. */
static int traced(struct own *o, const char *event, const char *a, const char *b)
{
	char *log, *line, *next;
	int n = 0;

	if (file_write(TRACING "trace", "") || file_write(event, "1") ||
	    range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, TOUCHED) ||
	    range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, TOUCHED) || file_write(event, "0"))
		return -1;
	log = file_read(TRACING "trace");
	if (!log)
		return -1;
	for (line = strtok_r(log, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		n += strstr(line, a) && strstr(line, b);
	free(log);
	return file_write(TRACING "trace", "") ? -1 : n;
}

/*
 * Workers make a large page-in all by themselves, and take part in a large page-out;
 * with bulk_cpus=1 they do not.
 */
TEST_F(batch, bulk_cpus)
{
	struct own *o = &self->own;
	int n = 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "the machine has one CPU");
	ASSERT_EQ(0, file_write(TRACING "tracing_on", "1"));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, uvmem_param("bulk_cpus", 1));
	EXPECT_EQ(0, traced(o, UCALLS, "kworker", "UV_PAGE_OUT"));
	EXPECT_EQ(TOUCHED, traced(o, UCALLS, "kworker", "UV_PAGE_IN"));
	ASSERT_EQ(0, uvmem_param("bulk_cpus", 0));
	EXPECT_EQ(TOUCHED, traced(o, UCALLS, "kworker", "UV_PAGE_IN"));
	/* The caller may have done it all before the worker came to run. */
	for (int tries = 0; !n && tries < 20; tries++)
		n = traced(o, UCALLS, "kworker", "UV_PAGE_OUT");
	EXPECT_LT(0, n);
	EXPECT_GT((int)TOUCHED, n);
}

/* Workers of the ultravisor's take part in one run; with seal_cpus=1 they do not. */
TEST_F(batch, seal_cpus)
{
	struct own *o = &self->own;
	int n = 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "the machine has one CPU");
	ASSERT_EQ(0, file_write(TRACING "tracing_on", "1"));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, uvmem_param("bulk_cpus", 1));
	ASSERT_EQ(0, file_write(SEAL_CPUS, "1"));
	EXPECT_EQ(0, traced(o, WORKERS, "kworker", "[uv_sim]"));
	ASSERT_EQ(0, file_write(SEAL_CPUS, "0"));
	for (int tries = 0; !n && tries < 20; tries++)
		n = traced(o, WORKERS, "kworker", "[uv_sim]");
	EXPECT_LT(0, n);
}

/* UV_ESM as a whole, H_SVM_INIT_DONE included; and the way back of memory that is locked. */
TEST_F(batch, esm_and_terminate)
{
	struct own *o = &self->own;
	uint64_t before = calls(o);

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	EXPECT_GE(2 * PAGES / RUN + PAGES / 512 + SPARE, calls(o) - before);
	ASSERT_EQ(0, own_lock_memory(o));
	before = calls(o);
	ASSERT_EQ(0, own_off(o));
	EXPECT_GE(PAGES / RUN + SPARE, calls(o) - before);
	/* A page that goes on its own, by its device page, makes no such call. */
	EXPECT_LE(TOUCHED / RUN, calls(o) - before);
}

/* An H that is made of two mappings costs one call more. */
TEST_F(batch, two_mappings)
{
	struct own *o = &self->own;
	uint64_t before;

	ASSERT_EQ(0, mprotect(o->h + 40 * page_size(), RUN * page_size(),
			      PROT_READ | PROT_WRITE | PROT_EXEC));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	before = calls(o);
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, 2 * RUN));
	EXPECT_EQ(4, calls(o) - before);
}

TEST_HARNESS_MAIN
