// SPDX-License-Identifier: GPL-2.0
/*
 * UV_ESM: a normal VM enters secure mode.
 *
 *   H_SVM_INIT_START       the hypervisor registers the memslots
 *   page-in                every page that was touched goes into secure memory
 *   measuring              from here on nothing in the clear comes in
 *   blob, digests          is it the VM that its owner meant?
 *   H_SVM_INIT_DONE        the VM is secure
 *
 * If something fails after H_SVM_INIT_START, the VM goes on as a normal one
 * with its memory as it was: what was evicted meanwhile is paged in and out
 * again, now in the clear, and H_SVM_INIT_ABORT has the hypervisor page out the
 * rest and call UV_SVM_TERMINATE. This is the only time that a page leaves
 * secure memory in the clear; it takes the ultravisor's own decision, and a VM
 * that never was secure. A hypervisor that aborts by itself gets ciphertext.
 *
 * UV_SVM_TERMINATE may come at any time, also from inside a hypercall. The VM is
 * not transient any more then, and stays so until this UV_ESM has returned:
 * in_esm keeps others out. No lock is held over a hypercall.
 */
#include "internal.h"
#include "../uapi/esm.h"

#define STEP_GFNS	8192	/* GFNs that one range hypercall is asked for */
/*
 * Upstream's half, which knows no range calls, says H_PARAMETER also for a page that is
 * busy: it is asked again, with longer naps.
 */
#define TRIES_UPSTREAM		8
#define PATIENCE_UPSTREAM	16	/* an attempt counts as so many for uv_relax() */
#define RESTORE_TRIES	256	/* of pages that stay busy, each for some milliseconds */
#define FDT_MAGIC	0xd00dfeedu
#define FDT_HEADER	40	/* bytes; the smallest tree is larger */

static uint32_t get_be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Called with svm->life held. U_SUCCESS and not @already: go on. */
static int64_t begin_locked(struct uv_svm *svm, bool *already)
{
	struct uv *uv = svm->uv;
	int64_t ret = U_SUCCESS;

	uv_lock(uv, svm->table);
	*already = svm->state == UV_VM_SECURE && !svm->in_esm;
	if (svm->gone)
		ret = U_PARAMETER;
	else if (svm->in_esm)
		ret = U_BUSY;
	else if (svm->state == UV_VM_STOPPED)
		ret = U_INVALID;
	uv_unlock(uv, svm->table);
	if (ret || *already)
		return ret;
	if (!uv->owner_key)
		return U_NO_KEY;
	if (!uv_seal_setup(svm))
		return U_RETRY;

	uv_lock(uv, svm->table);
	uv_svm_set_state(svm, UV_VM_TRANSIENT);
	svm->in_esm = true;
	svm->measuring = false;
	svm->unplugged = false;
	svm->stop_reason = UV_STOP_NONE;
	svm->stop_gpa = 0;
	uv_unlock(uv, svm->table);
	return U_SUCCESS;
}

static int64_t begin(struct uv_svm *svm, bool *already)
{
	int64_t ret;

	uv_lock(svm->uv, svm->life);
	ret = begin_locked(svm, already);
	uv_unlock(svm->uv, svm->life);
	return ret;
}

/* A hypercall without arguments, tried again while the hypervisor is busy. */
static int64_t init_hcall(struct uv_svm *svm, uint64_t nr)
{
	unsigned int attempt;
	int64_t ret = H_BUSY;

	for (attempt = 0; attempt < UV_MAX_TRIES; attempt++) {
		ret = uv_hcall(svm, nr, 0, 0);
		if (!uv_is_busy(ret))
			break;
		uv_relax(svm->uv, attempt);
	}
	return ret;
}

/* For a hypervisor without range calls: every GFN, touched or not. */
static int64_t move_single(struct uv_svm *svm, uint64_t gfn, uint64_t n, uint64_t *done)
{
	int64_t ret = H_SUCCESS;

	for (*done = 0; *done < n && ret == H_SUCCESS; ++*done) {
		uint32_t reserved;
		struct uv_gfn_ref ref;
		bool resident;

		if (!uv_go_on(svm->uv))
			return H_BUSY;
		reserved = uv_reserve(svm, 1);
		ret = uv_hcall(svm, H_SVM_PAGE_IN, gfn + *done, 0);
		uv_unreserve(svm, reserved);
		if (uv_gfn_lock(svm, gfn + *done, false, &ref) != UV_LOOKUP_OK)
			return H_STATE;
		resident = ref.state == UV_GFN_RESIDENT;
		uv_gfn_unlock(&ref);
		if (resident)
			ret = H_SUCCESS;	/* it refuses what it brought in before */
		if (ret)
			break;
	}
	return ret;
}

static int64_t move_some(struct uv_svm *svm, uint64_t gfn, uint64_t n, bool *single, uint64_t *done)
{
	int64_t ret = H_FUNCTION;

	if (!*single) {
		uint32_t reserved = uv_reserve(svm, uv_min32(uv_batch(svm->uv), n));

		ret = uv_hcall_range(svm, H_SIM_SVM_PAGE_IN_RANGE, gfn, n, H_SIM_PAGE_IN_TOUCHED,
				     done);
		uv_unreserve(svm, reserved);
		*single = uv_is_unknown(ret);
	}
	return *single ? move_single(svm, gfn, n, done) : ret;
}

/* Wait before the next attempt, or false: it is of no use. */
static bool try_again(struct uv_svm *svm, int64_t ret, bool single, unsigned int attempt)
{
	if (single && ret == H_PARAMETER && attempt < TRIES_UPSTREAM) {
		uv_relax(svm->uv, attempt * PATIENCE_UPSTREAM);
		return true;
	}
	if (!uv_is_busy(ret) || attempt == UV_MAX_TRIES)
		return false;
	uv_relax(svm->uv, attempt - 1);
	return true;
}

/* Page in [@gfn, @gfn + @n). A hypervisor that is busy for good has no memory. */
static int64_t move_range(struct uv_svm *svm, uint64_t gfn, uint64_t n, bool *single)
{
	unsigned int attempt = 0;

	while (n) {
		uint64_t done;
		int64_t ret;

		if (!uv_go_on(svm->uv))
			return U_RETRY;
		ret = move_some(svm, gfn, n < STEP_GFNS ? n : STEP_GFNS, single, &done);
		if (!uv_svm_is(svm, UV_VM_TRANSIENT))
			return U_INVALID;
		gfn += done;
		n -= done;
		if (done)
			attempt = 0;
		if (ret != H_SUCCESS && !try_again(svm, ret, *single, ++attempt))
			return U_RETRY;
	}
	return U_SUCCESS;
}

static int64_t move_in(struct uv_svm *svm)
{
	uint64_t gfn = 0, first, n;
	bool single = false;
	int64_t ret = U_SUCCESS;

	while (!ret && uv_slot_next(svm, gfn, &first, &n)) {
		ret = move_range(svm, first, n, &single);
		gfn = first + n;
	}
	return ret;
}

static bool normal_to_zero(struct uv_gfn_ref *ref, void *arg)
{
	(void)arg;
	if (ref->state == UV_GFN_NORMAL)
		uv_gfn_set_state(ref, UV_GFN_ZERO, 0);
	return true;
}

/*
 * From here on, what was not sealed by the ultravisor pages in as zeros. False if the VM
 * was terminated meanwhile.
 */
static bool close_plaintext(struct uv_svm *svm)
{
	bool ours;

	uv_lock(svm->uv, svm->table);
	ours = svm->state == UV_VM_TRANSIENT;
	svm->measuring = ours;
	uv_unlock(svm->uv, svm->table);
	if (!ours)
		return false;
	uv_svm_barrier(svm);
	uv_walk_gfns(svm, 0, normal_to_zero, NULL);
	return true;
}

static int64_t check_fdt(struct uv_svm *svm, uint64_t fdt)
{
	uint8_t head[8];
	int64_t ret;

	if (!fdt)
		return U_SUCCESS;
	ret = uv_guest_read(svm, fdt, head, sizeof(head));
	if (ret)
		return ret == U_PARAMETER ? U_P2 : ret;
	if (get_be32(head) != FDT_MAGIC || get_be32(head + 4) < FDT_HEADER ||
	    !uv_bytes_covered(svm, fdt, get_be32(head + 4)))
		return U_P2;
	return U_SUCCESS;
}

static int64_t verify(struct uv_svm *svm, uint64_t blob, uint64_t fdt, uint64_t *entry)
{
	struct uv_esm_plan plan;
	int64_t ret;

	ret = check_fdt(svm, fdt);
	if (ret)
		return ret;
	ret = uv_esm_blob_load(svm, blob, &plan);
	if (ret)
		return ret;
	ret = uv_measure(svm, &plan);
	*entry = plan.entry;
	uv_esm_blob_free(svm->uv, &plan);
	return ret;
}

/* Is all that was measured there still? */
static int64_t check_measured(struct uv_svm *svm)
{
	int64_t ret = U_SUCCESS;

	uv_lock(svm->uv, svm->table);
	if (svm->state != UV_VM_TRANSIENT)
		ret = U_INVALID;
	else if (svm->unplugged)
		ret = U_PERMISSION;
	uv_unlock(svm->uv, svm->table);
	return ret;
}

/*
 * If the hypervisor agrees the VM is secure, unless it was terminated. From there on it may
 * unplug memory, as of any SVM.
 */
static int64_t become_secure(struct uv_svm *svm)
{
	int64_t ret = check_measured(svm);
	bool ok;

	if (ret)
		return ret;
	ret = init_hcall(svm, H_SVM_INIT_DONE);
	if (ret)
		return uv_is_busy(ret) ? U_RETRY : U_INVALID;
	uv_lock(svm->uv, svm->table);
	ok = svm->state == UV_VM_TRANSIENT;
	if (ok)
		uv_svm_set_state(svm, UV_VM_SECURE);
	uv_unlock(svm->uv, svm->table);
	return ok ? U_SUCCESS : U_INVALID;
}

static int64_t secure(struct uv_svm *svm, uint64_t blob, uint64_t fdt, uint64_t *entry)
{
	int64_t ret;

	if (!uv_bytes_covered(svm, blob, sizeof(struct uv_esm_header)))
		return U_PARAMETER;
	if (fdt && !uv_bytes_covered(svm, fdt, FDT_HEADER))
		return U_P2;
	ret = move_in(svm);
	if (ret)
		return ret;
	if (!close_plaintext(svm))
		return U_INVALID;
	ret = verify(svm, blob, fdt, entry);
	if (ret)
		return ret;
	return become_secure(svm);
}

static void log_lost(struct uv_svm *svm, uint64_t pages)
{
	struct uv_line l;

	uv_line_start(&l, svm);
	uv_line_str(&l, "pages that stay sealed, since the hypervisor did not give them: ");
	uv_line_dec(&l, (int32_t)uv_min32(0x7fffffff, pages));
	uv_line_end(&l, svm->uv);
}

static bool find_sealed(struct uv_gfn_ref *ref, void *arg)
{
	uint64_t *gfn = arg;

	if (ref->state != UV_GFN_SEALED)
		return true;
	*gfn = ref->gfn;
	return false;
}

/*
 * Page in what is sealed; it goes out again in the clear, either here or in
 * H_SVM_INIT_ABORT or when it is evicted. What does not open is lost. Returns the number
 * of pages that could not be brought in now.
 */
static uint64_t restore_pass(struct uv_svm *svm)
{
	uint64_t gfn, from = 0, busy = 0;

	for (;;) {
		enum uv_fault res;

		gfn = ~0ULL;
		uv_walk_gfns(svm, from, find_sealed, &gfn);
		if (gfn == ~0ULL)
			return busy;
		if (!uv_go_on(svm->uv))
			return busy + 1;
		res = uv_populate(svm, gfn, UV_VM_TRANSIENT);
		if (res == UV_FAULT_MAPPED)
			uv_hcall(svm, H_SVM_PAGE_OUT, gfn, 0);
		busy += res == UV_FAULT_AGAIN;
		from = gfn + 1;
	}
}

/* Pages that somebody pins are waited for, but not for ever. */
static void restore_sealed(struct uv_svm *svm)
{
	uint64_t busy, before = ~0ULL, tries = 0;

	while ((busy = restore_pass(svm)) && uv_go_on(svm->uv)) {
		if (busy >= before)
			tries += busy;
		if (tries > RESTORE_TRIES)
			break;
		before = busy;
		uv_relax(svm->uv, UV_MAX_TRIES);
	}
	if (busy)
		log_lost(svm, busy);
}

/* False if the hypervisor terminated the VM meanwhile. */
static bool give_back(struct uv_svm *svm)
{
	bool ours;

	uv_lock(svm->uv, svm->table);
	ours = svm->state == UV_VM_TRANSIENT;
	if (ours)
		svm->aborting = true;
	uv_unlock(svm->uv, svm->table);
	if (!ours)
		return false;
	uv_svm_barrier(svm);
	restore_sealed(svm);
	init_hcall(svm, H_SVM_INIT_ABORT);
	if (uv_svm_is(svm, UV_VM_TRANSIENT))
		uv_svm_teardown(svm, UV_STOP_NONE);
	return true;
}

static int64_t start(struct uv_svm *svm)
{
	int64_t ret = init_hcall(svm, H_SVM_INIT_START);

	if (!ret)
		return U_SUCCESS;
	/* The hypervisor never began: there is nothing to give back. */
	if (uv_svm_is(svm, UV_VM_TRANSIENT))
		uv_svm_teardown(svm, UV_STOP_NONE);
	return uv_is_busy(ret) ? U_RETRY : U_INVALID;
}

static int64_t finish(struct uv_svm *svm, uint64_t blob, uint64_t fdt, uint64_t *entry)
{
	int64_t ret = secure(svm, blob, fdt, entry);

	return ret && !give_back(svm) ? U_INVALID : ret;
}

static void log_result(struct uv_svm *svm, int64_t ret, uint64_t entry)
{
	struct uv_line l;

	uv_line_start(&l, svm);
	if (ret) {
		uv_line_str(&l, "UV_ESM failed: ");
		uv_line_dec(&l, (int32_t)ret);
	} else {
		uv_line_str(&l, "went secure, entry ");
		uv_line_hex(&l, entry);
	}
	uv_line_end(&l, svm->uv);
}

static int64_t end(struct uv_svm *svm, int64_t ret, uint64_t entry, uint64_t out[UV_UCALL_OUT])
{
	if (!ret)
		out[0] = entry;
	uv_lock(svm->uv, svm->table);
	svm->in_esm = false;
	svm->esm_ret = ret;
	uv_unlock(svm->uv, svm->table);
	log_result(svm, ret, entry);
	return ret;
}

/**
 * uv_g_esm() - UV_ESM
 * @svm: VM whose guest calls
 * @blob: GPA of the ESM blob
 * @fdt: GPA of the flattened device tree, 0 for none
 * @out: @out[0] is the entry point on success, 0 if the VM was secure already
 *
 * Context: no lock held; makes hypercalls.
 * Return: U_SUCCESS, also for an SVM; U_INVALID if the hypervisor refuses or
 * terminates the VM, or it is stopped; U_PARAMETER if there is no blob at
 * @blob; U_P2 if there is no device tree at @fdt; U_PERMISSION if the blob or a
 * digest does not verify; U_RETRY if there is too little memory; U_NO_KEY
 * without an owner key; U_BUSY while another UV_ESM of this VM runs.
 */
int64_t uv_g_esm(struct uv_svm *svm, uint64_t blob, uint64_t fdt, uint64_t out[UV_UCALL_OUT])
{
	uint64_t entry = 0;
	bool already = false;
	int64_t ret;

	ret = begin(svm, &already);
	if (ret || already)
		return ret;
	ret = start(svm);
	if (!ret)
		ret = finish(svm, blob, fdt, &entry);
	return end(svm, ret, entry, out);
}

/**
 * uv_g_esm_start() - UV_SIM_ESM_START: UV_ESM up to H_SVM_INIT_START
 * @svm: VM whose guest calls
 *
 * The VM is transient afterwards, and as far as others are concerned its
 * UV_ESM runs, until uv_g_esm_finish() or until it is terminated.
 *
 * Context: no lock held; makes hypercalls.
 * Return: as uv_g_esm().
 */
int64_t uv_g_esm_start(struct uv_svm *svm)
{
	uint64_t out[UV_UCALL_OUT];
	bool already = false;
	int64_t ret;

	ret = begin(svm, &already);
	if (ret || already)
		return ret;
	ret = start(svm);
	if (ret)
		return end(svm, ret, 0, out);
	uv_lock(svm->uv, svm->table);
	svm->esm_held = svm->state == UV_VM_TRANSIENT;
	ret = svm->esm_held ? U_SUCCESS : U_INVALID;
	uv_unlock(svm->uv, svm->table);
	return ret ? end(svm, ret, 0, out) : U_SUCCESS;
}

/**
 * uv_g_esm_finish() - UV_SIM_ESM_FINISH: the rest of UV_ESM
 * @svm: VM whose guest calls
 * @blob: as for uv_g_esm()
 * @fdt: as for uv_g_esm()
 * @out: as for uv_g_esm()
 *
 * Context: no lock held; makes hypercalls.
 * Return: as uv_g_esm(); U_INVALID without uv_g_esm_start(), or when the VM was
 * terminated since.
 */
int64_t uv_g_esm_finish(struct uv_svm *svm, uint64_t blob, uint64_t fdt,
			uint64_t out[UV_UCALL_OUT])
{
	uint64_t entry = 0;
	bool held;

	uv_lock(svm->uv, svm->table);
	held = svm->esm_held;
	svm->esm_held = false;
	uv_unlock(svm->uv, svm->table);
	if (!held)
		return U_INVALID;
	return end(svm, finish(svm, blob, fdt, &entry), entry, out);
}
