// SPDX-License-Identifier: GPL-2.0
/* The model: from a step to the half that it concerns. */
#include <errno.h>
#include <string.h>

#include "model.h"

static void host_access(struct model *m, const struct step *step, bool write)
{
	struct model_gfn *g = &m->vm[step->vm].gfn[step->arg[0]];
	struct expect *e = m->expect;
	unsigned int offset = step->arg[1];

	if (!g->mapped) {
		e->ret = EFAULT;
		return;
	}
	if (!hv_host_touch(m, step->vm, step->arg[0], write)) {
		e->ret = EFAULT;
		return;
	}
	if (!write) {
		e->bytes_known = g->pte == PTE_ZERO || !g->h.seal;
		e->byte[offset] = g->pte == PTE_ZERO ? 0 : g->h.byte[offset];
	} else if (g->h.seal == SEAL_UNKNOWN) {
		/* noise, and stays it */
	} else if (g->h.seal) {
		e->flips = true;
		g->h.byte[offset] ^= 1; /* it differs, or is what it was again */
	} else {
		g->h.byte[offset] = step->arg[2];
	}
}

static void guest_access(struct model *m, const struct step *step, bool write)
{
	struct content *page = uv_guest_touch(m, step->vm, step->arg[0]);
	struct expect *e = m->expect;

	if (!page) {
		e->ret = EFAULT;
		return;
	}
	if (write)
		page->byte[step->arg[1]] = step->arg[2];
	/* What came in as ciphertext, by an abort of the hypervisor's, is noise. */
	e->bytes_known = !write && !page->seal;
	memcpy(e->byte, page->byte, sizeof(e->byte));
}

static void map(struct model *m, const struct step *step, enum op op)
{
	struct model_gfn *g = &m->vm[step->vm].gfn[step->arg[0]];

	if (g->mapped)
		hv_host_unmap(m, step->vm, step->arg[0]);
	if (op != OP_ZAP)
		g->mapped = op == OP_MAP;
}

static void new_vm(struct model *m, unsigned int i)
{
	struct model_vm *vm = &m->vm[i];

	*vm = (struct model_vm){ .exists = true };
	for (unsigned int k = 0; k < CONF_GFNS; k++) {
		vm->gfn[k].uv = UV_GFN_NOSLOT;
		vm->gfn[k].mapped = true;
	}
	vm->slot[0].hv = true;
	vm->slot[1].hv = true;
}

/* The code and the blobs are put there before UV_ESM: it is the VMM's doing. */
static void prepare(struct model *m, unsigned int i)
{
	m->expect->loads = m->vm[i].hv == UVMEM_VM_NORMAL && m->vm[i].gfn[0].mapped;
	if (m->expect->loads) {
		hv_host_touch(m, i, 0, true);
		m->vm[i].gfn[0].h = (struct content){ .byte = { 1 } };
	}
}

static int64_t bad_ucall(enum bad_ucall which)
{
	if (which == UCALL_RETURN)
		return U_INVALID;
	return which == UCALL_UNKNOWN ? U_FUNCTION : U_PERMISSION;
}

static int64_t call(struct model *m, const struct step *step)
{
	unsigned int vm = step->vm;
	const uint8_t *arg = step->arg;
	enum bad_arg shared = arg[1] ? (enum bad_arg)arg[1] : ARG_VARIANTS;

	switch (step->op) {
	case OP_ESM:
		prepare(m, vm);
		return uv_esm(m, vm, arg[0]);
	case OP_BEGIN:
		prepare(m, vm);
		return uv_esm_begin(m, vm);
	case OP_FINISH:
		return uv_esm_finish(m, vm, arg[0]);
	case OP_SHARE:
		return uv_share(m, vm, arg[0], arg[1], true);
	case OP_UNSHARE:
		return uv_share(m, vm, arg[0], arg[1], false);
	case OP_UNSHARE_ALL:
		return uv_unshare_all(m, vm);
	case OP_UCALL:
		return bad_ucall(arg[0]);
	case OP_IN:
		return model_hcall_arg(m, vm, H_SVM_PAGE_IN, arg[0], arg[1]);
	case OP_IN_SHARED:
		return model_hcall_arg(m, vm, H_SVM_PAGE_IN, arg[0], shared);
	case OP_OUT:
		return model_hcall_arg(m, vm, H_SVM_PAGE_OUT, arg[0], arg[1]);
	case OP_START:
		return model_hcall(m, vm, H_SVM_INIT_START, 0);
	case OP_DONE:
		return model_hcall(m, vm, H_SVM_INIT_DONE, 0);
	case OP_ABORT:
		return model_hcall(m, vm, H_SVM_INIT_ABORT, 0);
	case OP_SLOT_DEL:
		return hv_slot_del(m, vm, arg[0]);
	case OP_SLOT_ADD:
		return hv_slot_add(m, vm, arg[0]);
	default:
		return hv_terminate(m, vm);
	}
}

void model_step(struct model *m, const struct step *step, struct expect *expect)
{
	m->expect = expect;
	m->hazard = NULL;
	expect->ret = 0;
	expect->bytes_known = false;
	expect->loads = false;
	expect->flips = false;
	expect->nucalls = 0;
	expect->waits = false;
	if (step->op == OP_NEW) {
		new_vm(m, step->vm);
		return;
	}
	if (!m->vm[step->vm].exists)
		return;
	switch (step->op) {
	case OP_GUEST_READ:
	case OP_GUEST_WRITE:
		guest_access(m, step, step->op == OP_GUEST_WRITE);
		break;
	case OP_HOST_READ:
	case OP_HOST_WRITE:
		host_access(m, step, step->op == OP_HOST_WRITE);
		break;
	case OP_UNMAP:
	case OP_MAP:
	case OP_ZAP:
		map(m, step, step->op);
		break;
	default:
		expect->ret = call(m, step);
	}
	m->expect = NULL;
}
