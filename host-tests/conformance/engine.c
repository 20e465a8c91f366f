// SPDX-License-Identifier: GPL-2.0
/*
 * Runs sequences. A sequence begins with one new VM and an untouched H, and ends
 * with a look at every page from both sides, and at what is left in secure memory
 * when its VMs are gone.
 */
#include <stdio.h>
#include <string.h>

#include "engine.h"

static int make_step(struct real *r, struct model *m, const struct step *step,
		     struct expect *expect, struct failure *failure)
{
	struct outcome out;

	model_step(m, step, expect);
	if (real_step(r, step, expect, &out))
		return -1;
	for (unsigned int i = 0; i < CONF_VMS && r->hv->settle; i++)
		if (r->vm[i].h)
			r->hv->settle(&r->vm[i]);
	look(r, m, step, expect, &out, &failure->mm);
	failure->at = *step;
	return failure->mm.what ? 1 : 0;
}

/* Would a step harm this hypervisor? Then nothing is begun. */
static bool is_hazard(const struct real *r, const struct sequence *seq, struct failure *failure)
{
	const struct step begin = { .op = OP_NEW };
	static struct expect expect;
	static struct model m;

	memset(&m, 0, sizeof(m));
	m.deviations = r->hv->deviations;
	model_step(&m, &begin, &expect);
	for (unsigned int i = 0; i < seq->n; i++) {
		model_step(&m, &seq->step[i], &expect);
		if (!m.hazard)
			continue;
		failure->step = i;
		failure->at = seq->step[i];
		failure->mm.what = "hazard";
		snprintf(failure->mm.text, sizeof(failure->mm.text), "%s", m.hazard);
		return true;
	}
	return false;
}

/* A look that would do harm is left out. */
static int look_step(struct real *r, struct model *m, const struct step *step,
		     struct expect *expect, struct failure *failure)
{
	static struct model ahead;

	ahead = *m;
	model_step(&ahead, step, expect);
	return ahead.hazard ? 0 : make_step(r, m, step, expect, failure);
}

/* The guest's side of each page, the host's, and the guest's again. */
static int final_look(struct real *r, struct model *m, struct expect *expect,
		      struct failure *failure)
{
	static const enum op looks[] = { OP_GUEST_READ, OP_HOST_READ, OP_GUEST_READ };
	int ret = 0;

	for (uint8_t vm = 0; vm < CONF_VMS; vm++)
		for (uint8_t gfn = 1; gfn < CONF_GFNS && m->vm[vm].exists; gfn++)
			for (unsigned int i = 0; i < 3 && !ret; i++) {
				struct step step = { .op = (uint8_t)looks[i],
						     .vm = vm,
						     .arg = { gfn } };

				ret = look_step(r, m, &step, expect, failure);
			}
	return ret;
}

/* Everything that the VMs had is free again. */
static int end(struct real *r, struct failure *failure)
{
	struct uvsim_stats st;
	int64_t left = 0;

	real_end_vms(r);
	if (uvsim_stats(&st))
		return -1;
	if (r->hv->leftover)
		left = r->hv->leftover();
	if (left < 0)
		return -1;
	if (!st.secure_used && !left)
		return 0;
	failure->mm.what = "left behind";
	snprintf(failure->mm.text, sizeof(failure->mm.text),
		 "%llu secure and %lld device pages are in use after the VMs are gone",
		 (unsigned long long)st.secure_used, (long long)left);
	return 1;
}

int sequence_run(struct real *r, const struct sequence *seq, struct failure *failure,
		 struct expect *last)
{
	static struct model m;
	static struct expect expect;
	const struct step begin = { .op = OP_NEW };
	unsigned int i;
	int ret;

	if (is_hazard(r, seq, failure))
		return SEQUENCE_HAZARD;
	memset(&m, 0, sizeof(m));
	m.deviations = r->hv->deviations;
	failure->step = 0;
	ret = make_step(r, &m, &begin, &expect, failure);
	for (i = 0; i < seq->n && !ret; i++) {
		failure->step = i;
		ret = make_step(r, &m, &seq->step[i], &expect, failure);
	}
	if (last)
		*last = expect;
	if (!ret) {
		failure->step = seq->n;
		ret = final_look(r, &m, &expect, failure);
	}
	if (ret < 0)
		return ret;
	if (ret) {
		real_end_vms(r);
		return ret;
	}
	return end(r, failure);
}
