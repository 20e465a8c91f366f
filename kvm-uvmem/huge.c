// SPDX-License-Identifier: GPL-2.0
/*
 * Whole blocks: pages that move as one folio, where the kernel can (Linux 6.19 and
 * later, pages of 4 KiB).
 *
 * A block is UVMEM_BLOCK_MAX GFNs: aligned, some stripes, and in H the range of one page
 * table entry of the next level up. If H has a transparent huge page there, and all of it
 * is to page in, it is replaced by a large device-private folio: one migration, one entry
 * in the page table, one flush of the TLB. The states of GFNs and the ultracalls stay
 * what they are, one a page.
 *
 * Between migrate_vma_setup() and migrate_vma_finalize() a block has only its first
 * entry in src[] and dst[], with UVMEM_PFN_COMPOUND. While the pages are filled the
 * arrays are expanded, so that everything else sees UVMEM_BLOCK_MAX pages.
 *
 * What a block is good for is decided by who moves it:
 *
 *	page-in		a block of H's, of GFNs that all are to move (block_in.c)
 *	page-out	a block (range hypercalls, abort, terminate; block_out.c)
 *	host's touch	if the host has read a block's worth of pages before it, in order, or
 *			if it is the first page of a block, which may be such a reader's first
 *			touch; and if the guest asked for none of its pages lately (around.c).
 *			Blocks that follow move with it, on this CPU and another one
 *			(ahead.c). Otherwise the folio is split, and the pages around the
 *			touch move as they do in a kernel without large folios.
 *
 * Whatever does not fit is split, which is the kernel's work, and goes page by page:
 * parts of a block (one page to share, or to page out when secure memory is short), a
 * block whose destination cannot be had, or of which the ultravisor refuses a page.
 * migrate_vma_setup() without UVMEM_SELECT_COMPOUND splits what it finds, with any one
 * stripe held: no GFN changes its state by it. The one exception is a touch: the fault
 * holds a reference, with which an entry for the whole block cannot be taken apart and
 * the folio split in one go. A migration that is given up takes the entry apart; the
 * access faults again, on a page now, and that splits the folio.
 *
 * The host may unmap, protect, move or share with a child a part of a block: the
 * kernel then has entries for its pages, but the folio stays one until somebody
 * splits it. Until then the GFNs of the unmapped part are UVMEM still. When such a
 * folio moves as a whole after all (uvmem_page_out_stray()), pages of it that nobody
 * maps are not filled: their content stays in secure memory, as it does when a
 * page is unmapped that is no part of a block.
 *
 * Locks: mmap lock (read), then all stripes of the block.
 */
#include <linux/lockdep.h>
#include <linux/moduleparam.h>

#include "uvmem.h"

static bool huge = true;
module_param(huge, bool, 0644);
MODULE_PARM_DESC(huge, "move transparent huge pages whole, where the kernel can (default Y)");

static unsigned int block_pages = UVMEM_HUGE_ORDER ? UVMEM_BLOCK_MAX : 0;
module_param(block_pages, uint, 0444);
MODULE_PARM_DESC(block_pages, "pages that can move as one folio; 0: this kernel cannot");

static bool blocks_move(void)
{
	return UVMEM_HUGE_ORDER && uvmem_huge_kernel() && READ_ONCE(huge);
}

/**
 * uvmem_is_block() - may the GFNs from here on move as a whole?
 * @slot: the memslot
 * @gfn: first GFN
 * @vma: the VMA that holds its page
 * @addr: address of the page
 * @max: no more GFNs than these
 *
 * Context: mmap lock (read).
 */
bool uvmem_is_block(const struct uvmem_slot *slot, u64 gfn, const struct vm_area_struct *vma,
		    unsigned long addr, u64 max)
{
	return blocks_move() && max >= UVMEM_BLOCK_MAX && IS_ALIGNED(gfn, UVMEM_BLOCK_MAX) &&
	       IS_ALIGNED(addr, UVMEM_BLOCK_MAX << PAGE_SHIFT) &&
	       slot->base_gfn + slot->npages - gfn >= UVMEM_BLOCK_MAX &&
	       (vma->vm_end - addr) >> PAGE_SHIFT >= UVMEM_BLOCK_MAX;
}

/* Is there a block, secure or not, in a part of one memslot? Under the mmap lock. */
static bool any_block(const struct uvmem_slot *slot, u64 gfn, u64 end)
{
	for (gfn = round_up(gfn, UVMEM_BLOCK_MAX); gfn + UVMEM_BLOCK_MAX <= end;
	     gfn += UVMEM_BLOCK_MAX)
		if (uvmem_block_folio(slot, gfn) ||
		    uvmem_huge_entry(slot->svm->mm, uvmem_slot_hva(slot, gfn)))
			return true;
	return false;
}

/**
 * uvmem_piece() - how many GFNs to work on at a time
 * @svm: the VM
 * @gfn: first GFN of the range
 * @npages: number of GFNs
 *
 * Context: inside uvmem_srcu, with a reference to the mm; takes the mmap lock.
 * Return: UVMEM_BLOCK_MAX if some of them may move as a block, else UVMEM_RUN_MAX.
 */
unsigned long uvmem_piece(struct uvmem_svm *svm, u64 gfn, u64 npages)
{
	u64 end = gfn + npages, slot_end;
	struct uvmem_slot *slot;
	bool any = false;

	if (!blocks_move() || npages < UVMEM_BLOCK_MAX)
		return UVMEM_RUN_MAX;
	mmap_read_lock(svm->mm);
	for (; !any && gfn < end; gfn = slot_end) {
		slot = uvmem_slot_find(svm, gfn);
		if (!slot)
			break;
		slot_end = min(end, slot->base_gfn + slot->npages);
		any = any_block(slot, gfn, slot_end);
	}
	mmap_read_unlock(svm->mm);
	return any ? UVMEM_BLOCK_MAX : UVMEM_RUN_MAX;
}

/**
 * uvmem_slot_piece() - as uvmem_piece(), for all of a memslot
 * @slot: the memslot
 *
 * Context: with a reference to the mm; takes the mmap lock.
 */
unsigned long uvmem_slot_piece(const struct uvmem_slot *slot)
{
	struct mm_struct *mm = slot->svm->mm;
	bool any;

	if (!blocks_move())
		return UVMEM_RUN_MAX;
	mmap_read_lock(mm);
	any = any_block(slot, slot->base_gfn, slot->base_gfn + slot->npages);
	mmap_read_unlock(mm);
	return any ? UVMEM_BLOCK_MAX : UVMEM_RUN_MAX;
}

/**
 * uvmem_block_lock() - take all stripes of a block
 * @svm: the VM
 * @gfn: the first GFN of the block
 *
 * Context: no stripe held.
 */
void uvmem_block_lock(struct uvmem_svm *svm, u64 gfn)
{
	unsigned int i;

	BUILD_BUG_ON(UVMEM_STRIPES % UVMEM_BLOCK_RUNS);
	BUILD_BUG_ON(UVMEM_BLOCK_MAX / UVMEM_RUN_MAX > MAX_LOCKDEP_SUBCLASSES);
	for (i = 0; i < UVMEM_BLOCK_RUNS; i++)
		mutex_lock_nested(uvmem_stripe(svm, gfn + i * UVMEM_RUN_MAX), i);
}

/**
 * uvmem_block_trylock() - take all stripes of a block if nobody has one
 * @svm: the VM
 * @gfn: the first GFN of the block
 *
 * Return: false if somebody has: none is held.
 */
bool uvmem_block_trylock(struct uvmem_svm *svm, u64 gfn)
{
	unsigned int i;

	for (i = 0; i < UVMEM_BLOCK_RUNS; i++) {
		if (mutex_trylock(uvmem_stripe(svm, gfn + i * UVMEM_RUN_MAX)))
			continue;
		while (i--)
			mutex_unlock(uvmem_stripe(svm, gfn + i * UVMEM_RUN_MAX));
		return false;
	}
	return true;
}

/**
 * uvmem_block_unlock() - the opposite
 * @svm: the VM
 * @gfn: the first GFN of the block
 */
void uvmem_block_unlock(struct uvmem_svm *svm, u64 gfn)
{
	unsigned int i = UVMEM_BLOCK_RUNS;

	while (i--)
		mutex_unlock(uvmem_stripe(svm, gfn + i * UVMEM_RUN_MAX));
}

/**
 * uvmem_block_expand() - let the entry of a block become one a page
 * @pfns: src[] or dst[] of a migration
 *
 * Context: between migrate_vma_setup() and migrate_vma_finalize(), neither of which,
 * nor migrate_vma_pages(), may see it.
 */
void uvmem_block_expand(unsigned long *pfns)
{
	unsigned long i, first = pfns[0] & ~UVMEM_PFN_COMPOUND;

	for (i = 1; i < UVMEM_BLOCK_MAX; i++)
		pfns[i] = first ? first + (i << MIGRATE_PFN_SHIFT) : 0;
}

/**
 * uvmem_block_collapse() - undo uvmem_block_expand()
 * @pfns: src[] or dst[] of a migration
 */
void uvmem_block_collapse(unsigned long *pfns)
{
	memset(pfns + 1, 0, (UVMEM_BLOCK_MAX - 1) * sizeof(*pfns));
}

/**
 * uvmem_block_folio() - the large folio of device pages that a GFN is in
 * @slot: the memslot
 * @gfn: a GFN of @slot
 *
 * Context: any; true for as long as the stripes of the block are held, but that it may
 * be split.
 * Return: the folio, or NULL if the GFN is not in secure memory, or on its own there.
 */
struct folio *uvmem_block_folio(const struct uvmem_slot *slot, u64 gfn)
{
	struct page *page = UVMEM_HUGE_ORDER ? uvmem_gfn_page(slot, gfn) : NULL;
	struct folio *folio = page ? page_folio(page) : NULL;

	return folio && folio_test_large(folio) ? folio : NULL;
}

/**
 * uvmem_block_unmapped() - which pages of a block nobody maps
 * @folio: of device pages, large
 * @unmapped: out: a bit for each page
 *
 * A moment later more may be; never fewer.
 */
void uvmem_block_unmapped(struct folio *folio, unsigned long *unmapped)
{
	unsigned long i;

	bitmap_zero(unmapped, UVMEM_BLOCK_MAX);
	if (folio_entire_mapcount(folio))
		return;
	for (i = 0; i < UVMEM_BLOCK_MAX; i++)
		if (atomic_read(&folio_page(folio, i)->_mapcount) < 0)
			__set_bit(i, unmapped);
}
