// SPDX-License-Identifier: GPL-2.0
/*
 * The guest view: what a guest's access to a GFN finds, and bringing in what
 * is not there with H_SVM_PAGE_IN.
 *
 * Neighbours may go along (around.c): what is paged out behind a page that is
 * brought in, with H_SIM_SVM_PAGE_IN_RANGE, and what is resident behind one that
 * is mapped. All of them are in the chunk, and so under the lock, of that page.
 *
 * Takes the GFN's lock; uv_populate() drops it around the hypercall.
 */
#include "internal.h"

/*
 * How often the hypervisor may say that a sealed page was brought in when it
 * was not, or that there is none. More than once: another CPU may be on its way
 * with it. Upstream's half, which knows no range calls, says H_PARAMETER also for
 * a page that is busy: it gets more tries, and they are farther apart.
 */
#define LOST_TRIES		8
#define LOST_TRIES_UPSTREAM	24
#define PATIENCE_UPSTREAM	4	/* an attempt counts as so many for uv_relax() */

/* Pages behind @ref that are to be mapped with it, itself included. */
static uint32_t map_window(struct uv_gfn_ref *ref)
{
	uint32_t most = uv_min32(ref->svm->uv->around, ref->room), n = 1;

	if (ref->e->flags & UV_GFN_AHEAD) {
		while (n < most && ref->e[n].flags & UV_GFN_AHEAD)
			n++;
		return n;
	}
	while (n < most && ref->e[n].state == UV_GFN_RESIDENT)
		n++;
	return uv_around_window(ref->svm, ref->gfn, n);
}

/*
 * Map the resident pages behind @ref. One that was taken out of the guest view
 * to see whether it is used has to be touched itself.
 */
static void map_neighbours(struct uv_gfn_ref *ref, uint32_t n, uv_map_fn map, void *arg)
{
	struct uv *uv = ref->svm->uv;
	uint32_t i;

	for (i = 1; i < n; i++) {
		struct uv_gfn *e = &ref->e[i];
		struct uv_map_target target = {
			.gfn = ref->gfn + i, .npages = 1, .secure_page = e->page,
		};

		if (e->state != UV_GFN_RESIDENT || e->flags & UV_GFN_MAPPED ||
		    !uv_frame_is_active(uv, e->page))
			continue;
		e->flags |= UV_GFN_MAPPED;
		e->flags &= (uint8_t)~UV_GFN_AHEAD;
		if (map(arg, &target))
			return;
	}
}

static enum uv_fault map_it(struct uv_gfn_ref *ref, uv_map_fn map, void *arg)
{
	struct uv_map_target target = { .gfn = ref->gfn, .npages = 1 };
	uint32_t window = 1;

	switch (ref->state) {
	case UV_GFN_RESIDENT:
		target.secure_page = ref->e->page;
		window = map_window(ref);
		break;
	case UV_GFN_SHARED:
		target.shared = true;
		target.ra = ref->e->ra;
		break;
	case UV_GFN_NORMAL:
	case UV_GFN_NOSLOT:
		return UV_FAULT_REFUSED;
	default:
		return UV_FAULT_PAGE_IN;
	}
	ref->e->flags |= UV_GFN_MAPPED;	/* a failed map may have got half way */
	ref->e->flags &= (uint8_t)~UV_GFN_AHEAD;
	if (map(arg, &target))
		return UV_FAULT_FAILED;
	uv_count(ref->svm, UV_C_GUEST_FAULTS);
	if (!target.shared)
		uv_frame_touch(ref->svm->uv, ref->e->page);
	map_neighbours(ref, window, map, arg);
	return UV_FAULT_MAPPED;
}

/**
 * uv_guest_map() - map a GFN into the guest view, if it is there
 * @uv: ultravisor
 * @lpid: SVM
 * @gfn: GFN that its guest touched
 * @map: called with the GFN's lock held, so that the page cannot go away or
 *	change before it is mapped; perhaps again for some of the GFNs behind it,
 *	where it may fail
 * @arg: first argument of @map
 *
 * Makes no hypercall.
 *
 * Return: UV_FAULT_MAPPED, UV_FAULT_FAILED when @map failed, UV_FAULT_PAGE_IN
 * when the caller is to drop its locks, call uv_guest_page_in() and try again,
 * UV_FAULT_REFUSED for a GFN in no slot and a VM that is not secure.
 */
enum uv_fault uv_guest_map(struct uv *uv, uint32_t lpid, uint64_t gfn,
			   uv_map_fn map, void *arg)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);
	enum uv_fault res = UV_FAULT_REFUSED;
	struct uv_gfn_ref ref;

	if (!svm)
		return UV_FAULT_REFUSED;
	if (uv_gfn_lock(svm, gfn, false, &ref) == UV_LOOKUP_OK) {
		if (ref.vm_state == UV_VM_SECURE)
			res = map_it(&ref, map, arg);
		uv_gfn_unlock(&ref);
	}
	uv_svm_put(svm);
	return res;
}

/* A GFN before the hypervisor was asked for it. */
struct wanted {
	enum uv_vm_state vm_state;
	enum uv_gfn_state state;
	uint8_t iv[UV_IV_BYTES];
	unsigned int lost;
	bool around;			/* others may be asked for as well */
	uint32_t n;			/* GFNs to ask for */
};

static bool is_backed(const struct uv_gfn_ref *ref)
{
	return ref->state == UV_GFN_RESIDENT || ref->state == UV_GFN_SHARED;
}

/* How many are to be brought in with a sealed GFN: those are marked. */
static uint32_t page_in_window(struct uv_gfn_ref *ref)
{
	uint32_t most = uv_min32(ref->svm->uv->around, ref->room), n = 1, i;

	while (n < most && ref->e[n].state == UV_GFN_SEALED)
		n++;
	n = uv_around_window(ref->svm, ref->gfn, n);
	for (i = 1; i < n; i++)
		ref->e[i].flags |= UV_GFN_AHEAD;
	return n;
}

/* What was marked and did not come in. Called with the lock held. */
static void unmark(struct uv_gfn_ref *ref, uint32_t n)
{
	uint32_t i;

	for (i = 1; i < uv_min32(n, ref->room); i++)
		if (ref->e[i].state == UV_GFN_SEALED)
			ref->e[i].flags &= (uint8_t)~UV_GFN_AHEAD;
}

static enum uv_fault look(struct uv_svm *svm, uint64_t gfn, struct wanted *w)
{
	enum uv_fault res = UV_FAULT_PAGE_IN;
	struct uv_gfn_ref ref;
	enum uv_lookup found = uv_gfn_lock(svm, gfn, true, &ref);

	if (found != UV_LOOKUP_OK)
		return found == UV_LOOKUP_NOMEM ? UV_FAULT_AGAIN : UV_FAULT_REFUSED;
	w->state = ref.state;
	w->n = 1;
	if (ref.vm_state != w->vm_state || ref.state == UV_GFN_NORMAL)
		res = UV_FAULT_REFUSED;
	else if (is_backed(&ref))
		res = UV_FAULT_MAPPED;
	if (res == UV_FAULT_PAGE_IN && ref.state == UV_GFN_SEALED) {
		memcpy(w->iv, ref.e->seal.iv, sizeof(w->iv));
		ref.e->flags &= (uint8_t)~UV_GFN_AHEAD;
		if (w->around)
			w->n = page_in_window(&ref);
		w->around = false;	/* tried again, it is asked for alone */
	}
	uv_gfn_unlock(&ref);
	return res;
}

/* What the hypercall that answered @ret came to. Called with the lock held. */
static enum uv_fault judge(struct uv_gfn_ref *ref, struct wanted *w, int64_t ret)
{
	if (ref->vm_state != w->vm_state)
		return UV_FAULT_REFUSED;
	if (is_backed(ref))
		return UV_FAULT_MAPPED;
	/* Another CPU of the guest shared or unshared it: ask for what it is now. */
	if (uv_is_busy(ret) || (ret != H_SUCCESS && ref->state != w->state))
		return UV_FAULT_AGAIN;
	/*
	 * Zeros need no content of the hypervisor's. It has none for a hole, and
	 * refuses with H_PARAMETER what it already counts as secure: the pages
	 * that H_SVM_INIT_DONE and hot-plug moved without UV_PAGE_IN.
	 */
	if (ref->state == UV_GFN_ZERO && (ret == H_SUCCESS || ret == H_PARAMETER))
		return uv_back_with_zeros(ref) ? UV_FAULT_MAPPED : UV_FAULT_AGAIN;
	/* H_PARAMETER: H is not mapped there any more, or a hole became secure. */
	if (ret != H_SUCCESS && !(ret == H_PARAMETER && ref->state == UV_GFN_SEALED))
		return UV_FAULT_REFUSED;
	/* The same seal as before: nobody brought it in and took it out again. */
	if (ref->state == UV_GFN_SEALED && w->state == UV_GFN_SEALED &&
	    !memcmp(w->iv, ref->e->seal.iv, sizeof(w->iv)))
		w->lost++;
	return UV_FAULT_AGAIN;
}

/* Neighbours come along as far as secure memory is free for them. */
static int64_t ask_hypervisor(struct uv_svm *svm, uint64_t gfn, uint32_t n, bool shared)
{
	uint64_t done;
	int64_t ret;

	if (n > 1) {
		ret = uv_hcall_range(svm, H_SIM_SVM_PAGE_IN_RANGE, gfn, n, H_SIM_PAGE_IN_GUEST,
				     &done);
		if (!uv_is_unknown(ret))
			return done ? H_SUCCESS : ret;
	}
	return uv_hcall(svm, H_SVM_PAGE_IN, gfn, shared ? H_PAGE_IN_SHARED : 0);
}

static enum uv_fault ask(struct uv_svm *svm, uint64_t gfn, struct wanted *w)
{
	bool shared = w->state == UV_GFN_SHARED_UNMAPPED;
	uint32_t reserved = shared ? 0 : 1;
	struct uv_gfn_ref ref;
	enum uv_lookup found;
	enum uv_fault res;
	int64_t ret;

	if (!shared && !uv_reserve(svm, 1))
		return UV_FAULT_AGAIN;
	if (w->n > 1)
		reserved += uv_reserve_free(svm, w->n - 1);
	ret = ask_hypervisor(svm, gfn, shared ? 1 : reserved, shared);
	found = uv_gfn_lock(svm, gfn, true, &ref);
	if (found == UV_LOOKUP_OK) {
		unmark(&ref, w->n);
		res = judge(&ref, w, ret);
		uv_gfn_unlock(&ref);
	} else {
		res = found == UV_LOOKUP_NOMEM ? UV_FAULT_AGAIN : UV_FAULT_REFUSED;
	}
	uv_unreserve(svm, reserved);
	return res;
}

static enum uv_fault populate(struct uv_svm *svm, uint64_t gfn, enum uv_vm_state vm_state,
			      bool around)
{
	struct wanted w = { .vm_state = vm_state, .around = around };
	bool upstream = uv_knows_no_ranges(svm);
	unsigned int attempt;

	for (attempt = 0; attempt < UV_MAX_TRIES; attempt++) {
		enum uv_fault res = look(svm, gfn, &w);

		if (res == UV_FAULT_PAGE_IN)
			res = ask(svm, gfn, &w);
		if (res != UV_FAULT_AGAIN)
			return res;
		if (w.lost == (upstream ? LOST_TRIES_UPSTREAM : LOST_TRIES)) {
			uv_svm_stop(svm, UV_STOP_LOST, uv_gpa(svm->uv, gfn));
			return UV_FAULT_REFUSED;
		}
		uv_relax(svm->uv, upstream && w.lost ? attempt * PATIENCE_UPSTREAM : attempt);
	}
	return UV_FAULT_AGAIN;
}

/*
 * Bring in @gfn of a VM in @vm_state. Called without a lock. UV_FAULT_MAPPED
 * says that it was backed for a moment, UV_FAULT_AGAIN that the hypervisor was
 * busy UV_MAX_TRIES times.
 */
enum uv_fault uv_populate(struct uv_svm *svm, uint64_t gfn, enum uv_vm_state vm_state)
{
	return populate(svm, gfn, vm_state, false);
}

/**
 * uv_guest_page_in() - bring in a GFN that its guest touched
 * @uv: ultravisor
 * @lpid: SVM
 * @caller: as for uv_guest_call()
 * @gfn: GFN for which uv_guest_map() returned UV_FAULT_PAGE_IN
 *
 * Makes hypercalls, H_SVM_PAGE_OUT for other SVMs among them: no lock of the
 * hypervisor and no mmap lock may be held. Stops the SVM when the hypervisor
 * has lost or changed what was paged out.
 *
 * Return: UV_FAULT_MAPPED: call uv_guest_map() again. UV_FAULT_AGAIN: the
 * hypervisor is busy or secure memory full. UV_FAULT_REFUSED: as for
 * uv_guest_map(), or the hypervisor does not give the page.
 */
enum uv_fault uv_guest_page_in(struct uv *uv, uint32_t lpid, const struct uv_caller *caller,
			       uint64_t gfn)
{
	struct uv_svm *svm = uv_svm_get_for(uv, lpid, caller);
	enum uv_fault res;

	if (!svm)
		return UV_FAULT_REFUSED;
	res = populate(svm, gfn, UV_VM_SECURE, true);
	uv_svm_put(svm);
	return res;
}
