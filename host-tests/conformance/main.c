// SPDX-License-Identifier: GPL-2.0
/*
 * The conformance suite: one set of cases, and the hypervisor they are run on.
 *
 *   --hv=NAME		kvm-uvmem, upstream
 *   --table		every call x every return value x every state; and the
 *			sequences that failed once
 *   --count=N		that many generated sequences
 *   --first=N		beginning with this one
 *   --seed=N		of that seed
 *   --steps=N		of so many steps
 *   --replay=STEPS	this sequence; with --count=N so many times
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "engine.h"

#define GROUP 500   /* sequences that are one result */
#define MAX_SHOWN 5 /* failures that are shrunk and shown */
#define MAX_BAD 100 /* and this many end the run */

static const struct hv *const hypervisors[] = { &hv_uvmem, &hv_upstream };

static struct {
	const struct hv *hv;
	bool table;
	uint64_t seed, first, count;
	unsigned int steps;
	const char *replay;
} opt = { .seed = 1, .steps = 30 };

void failure_note(const struct failure *failure, const struct sequence *seq)
{
	static char text[CONF_TEXT];
	char step[64];

	step_print(step, sizeof(step), &failure->at);
	ktap_note("conformance:%u: %s%s: %s: %s; REPLAY=%s", failure->step + 1, step,
		  failure->step < seq->n ? "" : " (final look)", failure->mm.what, failure->mm.text,
		  sequence_print(text, sizeof(text), seq));
	ktap_note("again: make check-conformance REPLAY=%s", text);
}

static void report(struct real *r, struct sequence *seq, struct failure *failure)
{
	static char text[CONF_TEXT];
	static unsigned int shown;
	unsigned int steps = seq->n;

	if (++shown > MAX_SHOWN)
		return;
	ktap_note("as generated: %s", sequence_print(text, sizeof(text), seq));
	if (sequence_shrink(r, seq, failure))
		ktap_bail("a sequence cannot be run");
	ktap_note("%u steps, shrunk to %u:", steps, seq->n);
	failure_note(failure, seq);
}

/* One sequence; its number is the process' name, should the kernel die in it. */
static bool run_one(struct real *r, uint64_t n)
{
	static struct sequence seq;
	struct failure failure;
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "conf-%llu", (unsigned long long)n);
	prctl(PR_SET_NAME, name);
	sequence_generate(&seq, opt.seed, n, opt.steps, opt.hv->deviations);
	ret = sequence_run(r, &seq, &failure, NULL);
	if (ret < 0)
		ktap_bail("a sequence cannot be run");
	if (!ret)
		return true;
	ktap_note("seed %llu, sequence %llu fails", (unsigned long long)opt.seed,
		  (unsigned long long)n);
	report(r, &seq, &failure);
	return false;
}

static void run_generated(struct real *r)
{
	uint64_t end = opt.first + opt.count, n = opt.first, all_bad = 0;

	ktap_begin("sequences");
	ktap_note("seed %llu, sequences %llu to %llu of %u steps", (unsigned long long)opt.seed,
		  (unsigned long long)opt.first, (unsigned long long)end - 1, opt.steps);
	while (n < end) {
		uint64_t first = n, bad = 0;

		for (; n < end && n < first + GROUP && all_bad + bad < MAX_BAD; n++)
			bad += !run_one(r, n);
		all_bad += bad;
		if (bad)
			ktap_note("%llu sequences fail", (unsigned long long)bad);
		ktap_result(!bad, "%llu to %llu", (unsigned long long)first,
			    (unsigned long long)n - 1);
		if (all_bad >= MAX_BAD) {
			ktap_note("it is broken: the other sequences are left out");
			break;
		}
	}
	ktap_end();
}

static void run_replay(struct real *r)
{
	static struct sequence seq;
	struct failure failure;
	char text[64];
	int ret = sequence_parse(&seq, opt.replay);

	if (ret)
		ktap_bail("REPLAY= is no sequence");
	ktap_begin("replay");
	do
		ret = sequence_run(r, &seq, &failure, NULL);
	while (!ret && opt.count-- > 1);
	if (ret < 0)
		ktap_bail("the sequence cannot be run");
	for (unsigned int i = 0; i < seq.n; i++)
		ktap_note("%3u %s%s", i + 1, step_print(text, sizeof(text), &seq.step[i]),
			  ret && i == failure.step ? "   <---" : "");
	if (ret == SEQUENCE_HAZARD) {
		ktap_skip(failure.mm.text, "step %u", failure.step + 1);
	} else {
		if (ret)
			failure_note(&failure, &seq);
		ktap_result(!ret, "%s", ret ? failure.mm.what : "as expected");
	}
	ktap_end();
}

static const struct hv *find_hv(const char *name)
{
	for (unsigned int i = 0; i < sizeof(hypervisors) / sizeof(hypervisors[0]); i++)
		if (!strcmp(name, hypervisors[i]->name))
			return hypervisors[i];
	return NULL;
}

static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "hv", required_argument, NULL, 'h' },
		{ "table", no_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "first", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },
		{ "steps", required_argument, NULL, 'n' },
		{ "replay", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opt.hv = hypervisors[0];
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			opt.hv = find_hv(optarg);
			break;
		case 't':
			opt.table = true;
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			opt.first = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			opt.count = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			opt.steps = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'r':
			opt.replay = optarg;
			break;
		default:
			return -1;
		}
	}
	return opt.hv && optind == argc && opt.steps <= CONF_MAX_STEPS ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct real r;
	const char *why;

	if (parse_options(argc, argv)) {
		fprintf(stderr,
			"usage: %s [--hv=NAME] [--table] [--seed=N] [--first=N] [--count=N] "
			"[--steps=N] [--replay=STEPS]\n",
			argv[0]);
		return 2;
	}
	why = opt.hv->usable();
	if (why)
		ktap_bail(why);
	if (real_open(&r, opt.hv))
		ktap_bail("the machine lacks something");
	if (opt.table) {
		known_run(&r);
		table_run(&r);
	}
	if (opt.replay)
		run_replay(&r);
	else if (opt.count)
		run_generated(&r);
	real_close(&r);
	return ktap_status();
}
