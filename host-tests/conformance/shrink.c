// SPDX-License-Identifier: GPL-2.0
/*
 * Make a failing sequence as short as it can be: leave out ever smaller parts, in
 * fresh VMs each time, and keep what still fails in the same way, until no
 * single step can be left out (delta debugging).
 */
#include <string.h>

#include "engine.h"

/* @seq without the @n steps from @first on fails with what @failure has. */
static int still_fails(struct real *r, struct sequence *seq, unsigned int first, unsigned int n,
		       struct failure *failure)
{
	static struct sequence shorter;
	struct failure found;
	int ret;

	shorter.n = seq->n - n;
	memcpy(shorter.step, seq->step, first * sizeof(seq->step[0]));
	memcpy(shorter.step + first, seq->step + first + n,
	       (seq->n - first - n) * sizeof(seq->step[0]));
	ret = sequence_run(r, &shorter, &found, NULL);
	if (ret <= 0)
		return ret;
	if (ret == SEQUENCE_HAZARD)
		return 0;
	if (strcmp(found.mm.what, failure->mm.what))
		return 0;
	*seq = shorter;
	*failure = found;
	return 1;
}

/* One pass with parts of @n steps; whether something could be left out. */
static int leave_out(struct real *r, struct sequence *seq, unsigned int n, struct failure *failure)
{
	unsigned int at = seq->n;
	int ret, any = 0;

	/* From the end: what comes late needs what comes early. */
	while (at) {
		unsigned int part = n < at ? n : at;

		at -= part;
		ret = still_fails(r, seq, at, part, failure);
		if (ret < 0)
			return ret;
		any |= ret;
	}
	return any;
}

int sequence_shrink(struct real *r, struct sequence *seq, struct failure *failure)
{
	unsigned int n;
	int ret = 1;

	/* What comes after the step that failed has no part in it. */
	if (failure->step < seq->n)
		seq->n = failure->step + 1;
	for (n = seq->n / 2; n > 1; n /= 2)
		if (leave_out(r, seq, n, failure) < 0)
			return -1;
	while (ret > 0)
		ret = leave_out(r, seq, 1, failure);
	return ret;
}
