// SPDX-License-Identifier: GPL-2.0
/*
 * Memslots: UV_REGISTER_MEM_SLOT, UV_UNREGISTER_MEM_SLOT, and finding the slot
 * of a GFN.
 *
 * A VM has slots from H_SVM_INIT_START until its teardown. Slots come and go, and the VM
 * ends or begins a new secure life, one after the other: before a GFN is in another slot
 * nothing of the one before is in secure memory, or in the guest view. Takes svm->life,
 * svm->table, and the GFN locks where a slot is freed.
 */
#include "internal.h"

/*
 * Called with svm->table held. Index of the first slot that ends after @gfn,
 * svm->nslots if there is none.
 */
static uint32_t slot_index(struct uv_svm *svm, uint64_t gfn)
{
	uint32_t lo = 0, hi = svm->nslots;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (svm->slots[mid]->base + svm->slots[mid]->npages > gfn)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The slot with @gfn in it or else the next one. Called with svm->table held. */
struct uv_slot *uv_slot_after(struct uv_svm *svm, uint64_t gfn)
{
	uint32_t i = slot_index(svm, gfn);

	return i < svm->nslots ? svm->slots[i] : NULL;
}

/* The slot with @gfn in it, or NULL. Called with svm->table held. */
struct uv_slot *uv_slot_at(struct uv_svm *svm, uint64_t gfn)
{
	struct uv_slot *slot = uv_slot_after(svm, gfn);

	return slot && slot->base <= gfn ? slot : NULL;
}

/* The first run of GFNs at or after @gfn that one slot covers. */
bool uv_slot_next(struct uv_svm *svm, uint64_t gfn, uint64_t *first, uint64_t *n)
{
	struct uv_slot *slot;

	uv_lock(svm->uv, svm->table);
	slot = uv_slot_after(svm, gfn);
	if (slot) {
		*first = gfn > slot->base ? gfn : slot->base;
		*n = slot->base + slot->npages - *first;
	}
	uv_unlock(svm->uv, svm->table);
	return slot;
}

/* True if slots cover the @n > 0 GFNs from @gfn on without a gap. */
bool uv_slots_cover(struct uv_svm *svm, uint64_t gfn, uint64_t n)
{
	uint64_t first, run;

	while (uv_slot_next(svm, gfn, &first, &run) && first == gfn) {
		if (n <= run)
			return true;
		gfn += run;
		n -= run;
	}
	return false;
}

/* Called with svm->table held. Room for one more slot in the array. */
static bool make_room(struct uv_svm *svm)
{
	uint32_t room = svm->slot_room ? svm->slot_room * 2 : 8;
	struct uv_slot **slots;

	if (svm->nslots < svm->slot_room)
		return true;
	slots = uv_alloc(svm->uv, room * sizeof(*slots));
	if (!slots)
		return false;
	if (svm->nslots)
		memcpy(slots, svm->slots, svm->nslots * sizeof(*slots));
	uv_free(svm->uv, svm->slots);
	svm->slots = slots;
	svm->slot_room = room;
	return true;
}

/* Called with svm->table held. */
static int64_t insert(struct uv_svm *svm, struct uv_slot *slot)
{
	uint32_t i, at = slot_index(svm, slot->base);

	if (svm->state != UV_VM_TRANSIENT && svm->state != UV_VM_SECURE)
		return U_PARAMETER;
	for (i = 0; i < svm->nslots; i++)
		if (svm->slots[i]->id == slot->id)
			return U_P5;
	if (at < svm->nslots && svm->slots[at]->base < slot->base + slot->npages)
		return U_P2;
	if (!make_room(svm))
		return U_BUSY;
	for (i = svm->nslots++; i > at; i--)
		svm->slots[i] = svm->slots[i - 1];
	svm->slots[at] = slot;
	return U_SUCCESS;
}

static int64_t register_slot(struct uv_svm *svm, uint64_t gpa, uint64_t size, uint32_t id)
{
	struct uv *uv = svm->uv;
	struct uv_slot *slot = uv_alloc(uv, sizeof(*slot));
	int64_t ret;

	if (!slot)
		return U_BUSY;
	slot->id = id;
	slot->base = gpa >> uv->port.page_shift;
	slot->npages = size >> uv->port.page_shift;
	uv_slot_init_table(slot);
	uv_lock(uv, svm->life);
	uv_lock(uv, svm->table);
	ret = insert(svm, slot);
	uv_unlock(uv, svm->table);
	uv_unlock(uv, svm->life);
	if (ret)
		uv_free(uv, slot);
	return ret;
}

/**
 * uv_hv_register_slot() - UV_REGISTER_MEM_SLOT
 * @uv: ultravisor
 * @args: LPID, start GPA, size in bytes, flags (0), slot id
 *
 * Legal while the VM is transient, as H_SVM_INIT_START does it, or secure, as
 * memory hot-plug does it. A GFN that is plugged in after the measurement
 * starts out as zeros.
 *
 * Return: U_SUCCESS; U_PARAMETER for an LPID that is unknown or neither
 * transient nor secure; U_P2 for a start that is unaligned or overlaps another
 * slot; U_P3 for a size that is 0, unaligned, above 64 TiB or runs over the end
 * of the address space; U_P4 for flags; U_P5 for an id above 0xffff or in use;
 * U_BUSY when there is no memory.
 */
int64_t uv_hv_register_slot(struct uv *uv, const uint64_t *args)
{
	uint64_t gpa = args[1], size = args[2], id = args[4];
	struct uv_svm *svm = uv_svm_get(uv, args[0]);
	int64_t ret;

	if (!svm)
		return U_PARAMETER;
	if (!uv_page_aligned(uv, gpa))
		ret = U_P2;
	else if (!size || !uv_page_aligned(uv, size) || size > UV_MAX_SLOT || gpa + size < gpa)
		ret = U_P3;
	else if (args[3])
		ret = U_P4;
	else if (id > UV_MAX_SLOTID)
		ret = U_P5;
	else
		ret = register_slot(svm, gpa, size, (uint32_t)id);
	uv_svm_put(svm);
	return ret;
}

/* Called with svm->table held. */
static struct uv_slot *take_out(struct uv_svm *svm, uint64_t id)
{
	struct uv_slot *slot = NULL;
	uint32_t i;

	for (i = 0; i < svm->nslots && !slot; i++)
		if (svm->slots[i]->id == id)
			slot = svm->slots[i];
	if (!slot)
		return NULL;
	if (svm->state == UV_VM_TRANSIENT && svm->measuring)
		svm->unplugged = true;
	for (svm->nslots--; i <= svm->nslots; i++)
		svm->slots[i - 1] = svm->slots[i];
	return slot;
}

/**
 * uv_hv_unregister_slot() - UV_UNREGISTER_MEM_SLOT
 * @uv: ultravisor
 * @lpid: partition
 * @slotid: slot to release, with every secure page in it
 *
 * An UV_ESM that measures at the moment fails: what it measured is not there any more.
 *
 * Return: U_SUCCESS; U_PARAMETER for an unknown LPID; U_P2 for a slot that
 * there is not.
 */
int64_t uv_hv_unregister_slot(struct uv *uv, uint64_t lpid, uint64_t slotid)
{
	struct uv_svm *svm = uv_svm_get(uv, lpid);
	struct uv_slot *slot;

	if (!svm)
		return U_PARAMETER;
	uv_lock(uv, svm->life);
	uv_lock(uv, svm->table);
	slot = take_out(svm, slotid);
	uv_unlock(uv, svm->table);
	if (slot)
		uv_slot_free(svm, slot);
	uv_unlock(uv, svm->life);
	uv_svm_put(svm);
	return slot ? U_SUCCESS : U_P2;
}
