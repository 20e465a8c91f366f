// SPDX-License-Identifier: GPL-2.0
/* The text form of steps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tests/selftests/lib/vmfix.h"
#include "ops.h"

static const struct {
	const char *name;
	unsigned int nargs;
	unsigned int limit[3]; /* each argument is below this */
	bool zero;	       /* the first one may be 0 */
} ops[OP_COUNT] = {
	[OP_ESM] = { "esm", 1, { ESM_VARIANTS }, true },
	[OP_BEGIN] = { "begin", 0, { 0 } },
	[OP_FINISH] = { "finish", 1, { ESM_VARIANTS }, true },
	[OP_SHARE] = { "share", 2, { 16, 16 } },
	[OP_UNSHARE] = { "unshare", 2, { 16, 16 } },
	[OP_UNSHARE_ALL] = { "unshareall", 0, { 0 } },
	[OP_UCALL] = { "ucall", 1, { UCALL_VARIANTS }, true },
	[OP_IN] = { "in", 2, { 16, ARG_VARIANTS } },
	[OP_IN_SHARED] = { "insh", 2, { 16, ARG_VARIANTS } },
	[OP_OUT] = { "out", 2, { 16, ARG_VARIANTS } },
	[OP_START] = { "start", 0, { 0 } },
	[OP_DONE] = { "done", 0, { 0 } },
	[OP_ABORT] = { "abort", 0, { 0 } },
	[OP_GUEST_READ] = { "gr", 1, { 16 } },
	[OP_GUEST_WRITE] = { "gw", 3, { 16, CONF_OFFSETS, 256 } },
	[OP_HOST_READ] = { "hr", 2, { CONF_GFNS, CONF_OFFSETS } },
	[OP_HOST_WRITE] = { "hw", 3, { CONF_GFNS, CONF_OFFSETS, 256 } },
	[OP_UNMAP] = { "unmap", 1, { CONF_GFNS } },
	[OP_MAP] = { "map", 1, { CONF_GFNS } },
	[OP_ZAP] = { "zap", 1, { CONF_GFNS } },
	[OP_SLOT_DEL] = { "del", 1, { CONF_SLOTS } },
	[OP_SLOT_ADD] = { "add", 1, { CONF_SLOTS } },
	[OP_TERMINATE] = { "term", 0, { 0 } },
	[OP_NEW] = { "new", 0, { 0 } },
};

unsigned int op_args(enum op op)
{
	return ops[op].nargs;
}

const char *op_name(enum op op)
{
	return ops[op].name;
}

char *step_print(char *buf, size_t room, const struct step *step)
{
	int n = snprintf(buf, room, "%s%s", step->vm ? "B:" : "", ops[step->op].name);

	for (unsigned int i = 0; i < ops[step->op].nargs && (size_t)n < room; i++)
		n += snprintf(buf + n, room - (size_t)n, ".%u", step->arg[i]);
	return buf;
}

char *sequence_print(char *buf, size_t room, const struct sequence *seq)
{
	size_t n = 0;

	*buf = '\0';
	for (unsigned int i = 0; i < seq->n && n + 32 < room; i++) {
		if (i)
			buf[n++] = ',';
		step_print(buf + n, room - n, &seq->step[i]);
		n += strlen(buf + n);
	}
	return buf;
}

static int parse_step(struct step *step, char *text)
{
	char *name = text, *end;
	unsigned int i;

	*step = (struct step){ .vm = 0 };
	if (!strncmp(text, "B:", 2)) {
		step->vm = 1;
		name += 2;
	}
	end = name + strcspn(name, ".");
	for (step->op = 0; step->op < OP_COUNT; step->op++)
		if (strlen(ops[step->op].name) == (size_t)(end - name) &&
		    !strncmp(ops[step->op].name, name, (size_t)(end - name)))
			break;
	if (step->op == OP_COUNT)
		return say("'%s' is no step", text);
	for (i = 0; *end == '.' && i < ops[step->op].nargs; i++) {
		unsigned long value = strtoul(end + 1, &end, 10);

		if (value >= ops[step->op].limit[i])
			return say("'%s': argument %u is to be below %u", text, i + 1,
				   ops[step->op].limit[i]);
		step->arg[i] = (uint8_t)value;
	}
	if (i && !step->arg[0] && !ops[step->op].zero)
		return say("'%s': GFN and slot 0 are the suite's own", text);
	if (*end || i != ops[step->op].nargs)
		return say("'%s': %s takes %u numbers", text, ops[step->op].name,
			   ops[step->op].nargs);
	return 0;
}

int sequence_parse(struct sequence *seq, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	int ret = copy ? 0 : -1;

	seq->n = 0;
	while (!ret && (word = strsep(&rest, ",")) != NULL) {
		if (!*word)
			continue;
		if (seq->n == CONF_MAX_STEPS)
			ret = say("more than %u steps", CONF_MAX_STEPS);
		else
			ret = parse_step(&seq->step[seq->n++], word);
	}
	free(copy);
	return ret;
}
