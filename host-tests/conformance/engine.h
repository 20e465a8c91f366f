/* SPDX-License-Identifier: GPL-2.0 */
/* Runs sequences on a real VM and on the model side by side. */
#ifndef _CONFORMANCE_ENGINE_H
#define _CONFORMANCE_ENGINE_H

#include "real.h"

/* What went wrong first. */
struct failure {
	struct mismatch mm;
	unsigned int step; /* its index; behind the last: in the final check */
	struct step at;
};

#define SEQUENCE_HAZARD 2

/*
 * In fresh VMs: the steps, and then a look at every page from both sides.
 * 0: as expected. 1: @failure. SEQUENCE_HAZARD: nothing was done, as a step would
 * harm this hypervisor, @failure's text says how. -1 after a line: it cannot be run.
 * @last: what the model expects of the last step; may be NULL.
 */
int sequence_run(struct real *r, const struct sequence *seq, struct failure *failure,
		 struct expect *last);

/* generate.c: the sequence with number @n of @seed. */
void sequence_generate(struct sequence *seq, uint64_t seed, uint64_t n, unsigned int steps,
		       uint32_t deviations);

/* shrink.c: make @seq, which fails with @failure, as short as it can be. */
int sequence_shrink(struct real *r, struct sequence *seq, struct failure *failure);

/* table.c: every call x every return value x every state. */
void table_run(struct real *r);

/* known.c: sequences that failed once. */
void known_run(struct real *r);

/* ktap.c: nested results, as kernel CI reads them. */
void ktap_begin(const char *suite); /* a subtest begins */
void ktap_end(void);		    /* and ends: failed if one in it did */
void ktap_result(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ktap_skip(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ktap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void ktap_bail(const char *why) __attribute__((noreturn));
int ktap_status(void); /* exit status */

/* Lines that say what failed, and how to see it again. */
void failure_note(const struct failure *failure, const struct sequence *seq);

#endif /* _CONFORMANCE_ENGINE_H */
