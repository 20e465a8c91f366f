/* SPDX-License-Identifier: GPL-2.0 */
/* The real thing: VMs that steps are made on, and what is seen of them after. */
#ifndef _CONFORMANCE_REAL_H
#define _CONFORMANCE_REAL_H

#include "hv.h"
#include "model.h"
#include "uctrace.h"

#define REAL_PAGES 16 /* of H and G; only CONF_GFNS of them are in memslots */

struct real {
	const struct hv *hv;
	struct own vm[CONF_VMS];	/* h = NULL: there is none */
	struct own_vcpu vcpu[CONF_VMS]; /* opened once, moved from VM to VM */
	bool have_vcpu[CONF_VMS];
	uint8_t *blobs; /* the good and the bad one, as they go into GFN 0 */
	struct pagemap pagemap;
};

/* What came of a step. */
struct outcome {
	int64_t ret;
	uint8_t byte[CONF_OFFSETS];
};

/* The first thing that was not as expected. */
struct mismatch {
	const char *what; /* NULL: none. "return code", "H", ... */
	char text[400];
};

size_t conf_offset(unsigned int i); /* in a page */

int real_open(struct real *r, const struct hv *hv); /* 0, or -1 after a line */
void real_close(struct real *r);
void real_end_vms(struct real *r);
/* -1 after a line: it could not be made at all. */
int real_step(struct real *r, const struct step *step, const struct expect *expect,
	      struct outcome *out);

/* look.c: compare what is there with what the model says. */
void look(struct real *r, const struct model *m, const struct step *step,
	  const struct expect *expect, const struct outcome *out, struct mismatch *mm);
int look_away(void); /* forget the ultracalls made so far */

#endif /* _CONFORMANCE_REAL_H */
