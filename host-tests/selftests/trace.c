// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints tell the life of one page: uvmem:uvmem_gfn each change of its
 * state with GPA, both states, reason and duration; uvmem:uvmem_vm those of the
 * VM; uvmem:uvmem_hcall each hypercall; uvsim:uvsim_ucall each ultracall of the
 * hypervisor. In order, and nothing else.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed000b
#define TRACING "/sys/kernel/tracing/"
#define PAGE 5

FIXTURE(trace)
{
	struct own own;
	char *log;
};

static int events(const char *on)
{
	return file_write(TRACING "events/uvmem/enable", on) ||
	       file_write(TRACING "events/uvsim/enable", on);
}

FIXTURE_SETUP(trace)
{
	ASSERT_EQ(0, file_write(TRACING "tracing_on", "1"));
	ASSERT_EQ(0, file_write(TRACING "trace", ""));
	ASSERT_EQ(0, events("1"));
	ASSERT_EQ(0, own_open(&self->own, 32));
	own_fill(&self->own, 0, 16, SEED);
}

FIXTURE_TEARDOWN(trace)
{
	own_close(&self->own);
	free(self->log);
	EXPECT_EQ(0, events("0"));
	EXPECT_EQ(0, file_write(TRACING "trace", ""));
}

static int read_log(char **log)
{
	free(*log);
	*log = file_read(TRACING "trace");
	return *log ? 0 : say("the trace cannot be read");
}

/*
 * The next line from *@pos on that has @event, this VM's LPID and @also. Its
 * "duration=" goes to @ns. Lines with the event and @also only count once.
 */
static const char *next(const char **pos, const char *event, uint32_t lpid, const char *also,
			unsigned long long *ns)
{
	static char line[512];
	char mine[32];

	snprintf(mine, sizeof(mine), "lpid=%u ", lpid);
	while (**pos) {
		size_t len = strcspn(*pos, "\n");
		const char *duration;

		snprintf(line, sizeof(line), "%.*s", (int)len, *pos);
		*pos += len + ((*pos)[len] == '\n');
		if (!strstr(line, event) || !strstr(line, mine) || !strstr(line, also))
			continue;
		duration = strstr(line, "duration=");
		if (ns && (!duration || sscanf(duration, "duration=%lluns", ns) != 1))
			return NULL;
		return line;
	}
	return NULL;
}

struct step {
	const char *change;
	const char *reason;
	bool takes_time;
};

static int follow(const char *log, uint32_t lpid, uint64_t gpa, const struct step *step,
		  unsigned int n)
{
	const char *pos = log, *line;
	unsigned long long ns;
	char where[40];

	snprintf(where, sizeof(where), "gpa=0x%llx ", (unsigned long long)gpa);
	for (unsigned int i = 0; i < n; i++) {
		line = next(&pos, "uvmem_gfn:", lpid, where, &ns);
		if (!line)
			return say("step %u: %s (%s) is missing", i, step[i].change,
				   step[i].reason);
		if (!strstr(line, step[i].change) || !strstr(line, step[i].reason))
			return say("step %u: expected %s (%s): %s", i, step[i].change,
				   step[i].reason, line);
		if (step[i].takes_time && (!ns || ns > 100000000000ULL))
			return say("step %u took %llu ns: %s", i, ns, line);
	}
	line = next(&pos, "uvmem_gfn:", lpid, where, &ns);
	return line ? say("one step too many: %s", line) : 0;
}

TEST_F(trace, the_life_of_one_page)
{
	static const struct step life[] = {
		{ "normal -> uvmem", "reason=page-in", true },
		{ "uvmem -> mem", "reason=host-touch", true },
		{ "mem -> uvmem", "reason=page-in", true },
		{ "uvmem -> mem", "reason=page-out", true },
		{ "mem -> uvmem", "reason=page-in", true },
		{ "uvmem -> mem", "reason=share", true },
		{ "mem -> shared", "reason=share", true },
		{ "shared -> mem", "reason=unshare", false },
		{ "mem -> uvmem", "reason=page-in", true },
		{ "uvmem -> mem", "reason=drop", false },
		{ "mem -> normal", "reason=terminate", false },
	};
	uint64_t gpa = PAGE * page_size();
	struct own *o = &self->own;
	volatile uint8_t *p = o->h + gpa;

	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	(void)*p;
	ASSERT_EQ(H_SUCCESS, own_hcall(o, H_SVM_PAGE_IN, gpa, 0, page_order(), 0, NULL));
	ASSERT_EQ(H_SUCCESS, own_hcall(o, H_SVM_PAGE_OUT, gpa, 0, page_order(), 0, NULL));
	ASSERT_EQ(H_SUCCESS, own_hcall(o, H_SVM_PAGE_IN, gpa, 0, page_order(), 0, NULL));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, PAGE, 1, 0, 0, 0));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_UNSHARE_PAGE, PAGE, 1, 0, 0, 0));
	ASSERT_EQ(0, madvise(o->h + gpa, page_size(), MADV_DONTNEED));
	ASSERT_EQ(0, ioctl(o->svm, UVMEM_SVM_OFF, 0));
	ASSERT_EQ(0, read_log(&self->log));
	EXPECT_EQ(0, follow(self->log, o->lpid, gpa, life, sizeof(life) / sizeof(life[0])));
}

TEST_F(trace, abort)
{
	static const struct step life[] = {
		{ "normal -> uvmem", "reason=page-in", true },
		{ "uvmem -> normal", "reason=abort", true },
	};
	static const struct step hole[] = { { "", "", false } };
	struct own *o = &self->own;

	ASSERT_EQ(0, own_blob(o, page_size(), 1, false));
	ASSERT_EQ(U_PERMISSION, own_esm(o));
	ASSERT_EQ(0, read_log(&self->log));
	EXPECT_EQ(0, follow(self->log, o->lpid, PAGE * page_size(), life, 2));
	EXPECT_EQ(0, follow(self->log, o->lpid, 20 * page_size(), hole, 0));
}

TEST_F(trace, shared_page_that_the_host_drops)
{
	static const struct step life[] = {
		{ "normal -> uvmem", "reason=page-in", true },
		{ "uvmem -> mem", "reason=share", true },
		{ "mem -> shared", "reason=share", true },
		{ "shared -> shared", "reason=inval", false },
	};
	struct uvmem_stats st = { 0 };
	struct own *o = &self->own;

	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, PAGE, 1, 0, 0, 0));
	ASSERT_EQ(0, madvise(o->h + PAGE * page_size(), page_size(), MADV_DONTNEED));
	while (!st.invals) {
		ASSERT_EQ(0, ioctl(o->svm, UVMEM_GET_STATS, &st));
		usleep(1000);
	}
	ASSERT_EQ(0, read_log(&self->log));
	EXPECT_EQ(0, follow(self->log, o->lpid, PAGE * page_size(), life, 4));
}

TEST_F(trace, the_life_of_the_vm)
{
	static const char *const change[] = {
		"normal -> transient",
		"transient -> normal reason=abort",
		"normal -> transient",
		"transient -> secure reason=init-done",
		"secure -> normal reason=terminate",
	};
	struct own *o = &self->own;
	unsigned long long ns;
	const char *pos, *line;

	ASSERT_EQ(0, own_blob(o, page_size(), 1, false));
	ASSERT_EQ(U_PERMISSION, own_esm(o));
	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, ioctl(o->svm, UVMEM_SVM_OFF, 0));
	ASSERT_EQ(0, read_log(&self->log));
	pos = self->log;
	for (unsigned int i = 0; i < 5; i++) {
		line = next(&pos, "uvmem_vm:", o->lpid, "", &ns);
		ASSERT_NE(NULL, line);
		EXPECT_NE(NULL, strstr(line, change[i]));
		EXPECT_LT(0, ns);
	}
	EXPECT_EQ(NULL, next(&pos, "uvmem_vm:", o->lpid, "", NULL));
}

TEST_F(trace, hypercalls)
{
	static const char *const call[] = {
		"H_SVM_INIT_START(",
		"H_SIM_SVM_PAGE_IN_RANGE(",
		"H_SVM_INIT_DONE(",
	};
	struct own *o = &self->own;
	unsigned long long ns;
	const char *pos, *line;

	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	EXPECT_EQ(H_P3, own_hcall(o, H_SVM_PAGE_OUT, PAGE * page_size(), 0, 3, 0, NULL));
	ASSERT_EQ(0, read_log(&self->log));
	pos = self->log;
	for (unsigned int i = 0; i < 3; i++) {
		line = next(&pos, "uvmem_hcall:", o->lpid, call[i], &ns);
		ASSERT_NE(NULL, line);
		EXPECT_NE(NULL, strstr(line, " = 0 "));
		EXPECT_LT(0, ns);
	}
	line = next(&pos, "uvmem_hcall:", o->lpid, "H_SVM_PAGE_OUT(", &ns);
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, " = -56 "));
}

TEST_F(trace, ultracalls)
{
	static const char *const call[] = {
		"UV_PAGE_IN(",
		"UV_PAGE_OUT(",
		"UV_UNREGISTER_MEM_SLOT(0x0, ",
		"UV_SVM_TERMINATE(",
	};
	struct own *o = &self->own;
	uint64_t gpa = PAGE * page_size();
	const char *pos, *line;
	char where[40];

	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(H_SUCCESS, own_hcall(o, H_SVM_PAGE_OUT, gpa, 0, page_order(), 0, NULL));
	ASSERT_EQ(0, ioctl(o->svm, UVMEM_SVM_OFF, 0));
	ASSERT_EQ(0, read_log(&self->log));
	snprintf(where, sizeof(where), ", 0x%llx, ", (unsigned long long)gpa);
	for (unsigned int i = 0; i < 4; i++) {
		pos = self->log;
		do
			line = next(&pos, "uvsim_ucall:", o->lpid, call[i], NULL);
		while (i < 2 && line && !strstr(line, where));
		ASSERT_NE(NULL, line);
		/* The memslot went with the SVM. */
		EXPECT_NE(NULL, strstr(line, i == 2 ? " = -55" : " = 0"));
	}
}

/* Nothing is written while nobody listens. */
TEST_F(trace, off)
{
	struct own *o = &self->own;
	const char *pos;

	ASSERT_EQ(0, events("0"));
	ASSERT_EQ(0, file_write(TRACING "trace", "")); /* the VM was made before */
	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, read_log(&self->log));
	pos = self->log;
	EXPECT_EQ(NULL, next(&pos, "uvmem_", o->lpid, "", NULL));
	pos = self->log;
	EXPECT_EQ(NULL, next(&pos, "uvsim_", o->lpid, "", NULL));
}

TEST_HARNESS_MAIN
