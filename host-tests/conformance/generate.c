// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences. The model goes along, so that what is drawn fits the state
 * that a VM is in more often than not: calls that are refused are worth a test,
 * but not most of the time.
 */
#include <string.h>

#include "engine.h"

/* How often, in a VM that is normal, transient, secure, stopped. */
static const uint8_t weights[OP_COUNT][4] = {
	[OP_ESM] = { 30, 2, 1, 1 },	    [OP_BEGIN] = { 10, 1, 1, 1 },
	[OP_FINISH] = { 1, 12, 1, 1 },	    [OP_SHARE] = { 1, 1, 12, 1 },
	[OP_UNSHARE] = { 1, 1, 8, 1 },	    [OP_UNSHARE_ALL] = { 1, 1, 2, 1 },
	[OP_UCALL] = { 1, 1, 1, 1 },	    [OP_IN] = { 2, 14, 6, 3 },
	[OP_IN_SHARED] = { 1, 2, 3, 1 },    [OP_OUT] = { 2, 8, 8, 4 },
	[OP_START] = { 2, 1, 1, 1 },	    [OP_DONE] = { 1, 2, 1, 1 },
	[OP_ABORT] = { 1, 3, 1, 1 },	    [OP_GUEST_READ] = { 2, 2, 14, 3 },
	[OP_GUEST_WRITE] = { 2, 2, 14, 3 }, [OP_HOST_READ] = { 4, 4, 6, 6 },
	[OP_HOST_WRITE] = { 20, 6, 4, 6 },  [OP_UNMAP] = { 1, 2, 3, 2 },
	[OP_MAP] = { 2, 3, 4, 3 },	    [OP_ZAP] = { 2, 4, 4, 3 },
	[OP_SLOT_DEL] = { 1, 1, 2, 1 },	    [OP_SLOT_ADD] = { 3, 1, 3, 1 },
	[OP_TERMINATE] = { 1, 3, 1, 8 },    [OP_NEW] = { 1, 1, 1, 4 },
};

struct draw {
	uint64_t rnd;
	struct model m;
	bool two_vms;
	uint8_t hot; /* a GFN that more happens to */
	uint8_t byte;
};

static unsigned int below(struct draw *d, unsigned int n)
{
	return (unsigned int)(rnd(&d->rnd) >> 33) % n;
}

static enum op draw_op(struct draw *d, const struct model_vm *vm)
{
	unsigned int state = vm->uv, sum = 0, at, op;

	/* What the hypervisor thinks, if the two differ. */
	if (state == UV_VM_NORMAL)
		state = vm->hv;
	for (op = 0; op < OP_COUNT; op++)
		sum += weights[op][state];
	at = below(d, sum);
	for (op = 0; at >= weights[op][state]; op++)
		at -= weights[op][state];
	return op;
}

static uint8_t draw_gfn(struct draw *d, bool any)
{
	if (any && !below(d, 30))
		return below(d, 2) ? CONF_BAD_GFN : CONF_GFNS;
	if (below(d, 2))
		return d->hot;
	return (uint8_t)(1 + below(d, CONF_GFNS - 1));
}

/* A page that is unmapped is to be mapped again some time. */
static uint8_t draw_unmapped(struct draw *d, const struct model_vm *vm)
{
	for (uint8_t k = 1; k < CONF_GFNS; k++)
		if (!vm->gfn[k].mapped && below(d, 4))
			return k;
	return draw_gfn(d, false);
}

static uint8_t draw_number(struct draw *d)
{
	if (!below(d, 16))
		return below(d, 2) ? 0 : 9;
	return (uint8_t)(1 + below(d, 2) + below(d, 2) * below(d, 3));
}

static uint8_t new_byte(struct draw *d)
{
	if (!++d->byte)
		d->byte = 1;
	return d->byte;
}

static void draw_args(struct draw *d, struct step *step)
{
	const struct model_vm *vm = &d->m.vm[step->vm];
	uint8_t *arg = step->arg;

	switch (step->op) {
	case OP_ESM:
	case OP_FINISH:
		arg[0] = below(d, 4) ? ESM_GOOD : (uint8_t)below(d, ESM_VARIANTS);
		break;
	case OP_SHARE:
	case OP_UNSHARE:
		arg[0] = draw_gfn(d, true);
		arg[1] = draw_number(d);
		break;
	case OP_UCALL:
		arg[0] = (uint8_t)below(d, UCALL_VARIANTS);
		break;
	case OP_IN:
	case OP_IN_SHARED:
	case OP_OUT:
		arg[0] = draw_gfn(d, true);
		arg[1] = below(d, 10) ? ARG_GOOD : (uint8_t)below(d, ARG_VARIANTS);
		break;
	case OP_GUEST_READ:
		arg[0] = draw_gfn(d, true);
		break;
	case OP_GUEST_WRITE:
	case OP_HOST_READ:
	case OP_HOST_WRITE:
		arg[0] = draw_gfn(d, false);
		arg[1] = (uint8_t)below(d, CONF_OFFSETS);
		if (step->op != OP_HOST_READ)
			arg[2] = new_byte(d);
		break;
	case OP_UNMAP:
	case OP_ZAP:
		arg[0] = draw_gfn(d, false);
		break;
	case OP_MAP:
		arg[0] = draw_unmapped(d, vm);
		break;
	case OP_SLOT_DEL:
	case OP_SLOT_ADD:
		arg[0] = (uint8_t)(vm->slot[1].hv == (step->op == OP_SLOT_DEL) && below(d, 2) ? 1 :
												2);
		break;
	}
}

static void draw_step(struct draw *d, struct step *step)
{
	*step = (struct step){ .vm = d->two_vms && !below(d, 3) };
	if (d->m.vm[step->vm].exists) {
		step->op = (uint8_t)draw_op(d, &d->m.vm[step->vm]);
		draw_args(d, step);
	} else {
		step->op = OP_NEW;
	}
}

/* Draw steps until there is one that the hypervisor survives. */
static void make_step(struct draw *d, struct step *step, struct expect *expect)
{
	static struct model before;

	before = d->m;
	do {
		d->m = before;
		draw_step(d, step);
		model_step(&d->m, step, expect);
	} while (d->m.hazard);
}

void sequence_generate(struct sequence *seq, uint64_t seed, uint64_t n, unsigned int steps,
		       uint32_t deviations)
{
	static struct draw d;
	static struct expect expect;
	const struct step begin = { .op = OP_NEW };

	memset(&d, 0, sizeof(d));
	d.rnd = seed ^ n * 0xd1342543de82ef95ULL;
	rnd(&d.rnd);
	d.two_vms = !below(&d, 3);
	d.hot = (uint8_t)(1 + below(&d, CONF_GFNS - 1));
	d.m.deviations = deviations;
	model_step(&d.m, &begin, &expect);
	for (seq->n = 0; seq->n < steps && seq->n < CONF_MAX_STEPS; seq->n++)
		make_step(&d, &seq->step[seq->n], &expect);
}
