// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of device-private pages that stand for secure pages in H.
 *
 * A device page has no content: it says which GFN of which memslot is in
 * secure memory. The pool is as large as secure memory, and a little larger,
 * since a page that was moved out is only free once its last reference goes.
 *
 * The memslot is in the page's zone_device_data (of a large folio: of its first
 * page's), the GFN in a table beside: eight bytes a page, which while the page is free
 * make a list of the free ones of its block.
 *
 * A block is what a large folio is made of (huge.c). Of a block that is free as a whole
 * the list is made when it loses its first page. Single pages come from blocks that have
 * lost pages already, if there are any, so that others stay whole.
 *
 * pool.lock guards both while the page is free or becomes so: who holds a
 * reference reads them, and lets the page stand for nothing, without it. page_free()
 * takes it with page table locks held; nothing sleeps under it.
 */
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/sched.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/highmem.h>

#include "uvmem.h"

#define NONE	U32_MAX		/* the end of a free list */

/* On pool.whole if all pages are free, on pool.partial if some are. */
struct block {
	struct list_head list;
	u32 first_free;
	u32 nfree;
};

static struct {
	struct dev_pagemap pgmap;
	unsigned long first_pfn;
	u32 npages;
	spinlock_t lock;	/* all below, the pages' zone_device_data */
	struct block *block;
	struct list_head partial;
	struct list_head whole;
	u32 nfree;
	u64 *gfn;		/* of a free page: the index of the next free one */
} pool;

/**
 * uvmem_pool_owner() - owner of the device pages, for struct migrate_vma
 */
void *uvmem_pool_owner(void)
{
	return &pool;
}

/**
 * uvmem_devpage_index() - number of a device page in the pool
 * @page: a page of the pool
 */
u32 uvmem_devpage_index(struct page *page)
{
	return page_to_pfn(page) - pool.first_pfn;
}

/**
 * uvmem_devpage() - device page by number
 * @index: from uvmem_devpage_index()
 */
struct page *uvmem_devpage(u32 index)
{
	return pfn_to_page(pool.first_pfn + index);
}

static u32 nblocks(void)
{
	return DIV_ROUND_UP(pool.npages, (u32)UVMEM_BLOCK_MAX);
}

/* Make the list of a block that was whole. */
static void make_list(struct block *b)
{
	u32 first = (b - pool.block) * UVMEM_BLOCK_MAX, i;

	for (i = 0; i < UVMEM_BLOCK_MAX; i++)
		pool.gfn[first + i] = i + 1 < UVMEM_BLOCK_MAX ? first + i + 1 : NONE;
	b->first_free = first;
}

/* The lock is held. Returns NONE if there is no page. */
static u32 take_page(void)
{
	struct block *b = list_first_entry_or_null(&pool.partial, struct block, list);
	u32 index;

	if (!b) {
		b = list_first_entry_or_null(&pool.whole, struct block, list);
		if (!b)
			return NONE;
		make_list(b);
		list_move(&b->list, &pool.partial);
	}
	index = b->first_free;
	b->first_free = pool.gfn[index];
	if (!--b->nfree)
		list_del_init(&b->list);
	pool.nfree--;
	return index;
}

/* The lock is held. */
static void give_page(u32 index)
{
	struct block *b = &pool.block[index / UVMEM_BLOCK_MAX];

	pool.gfn[index] = b->nfree ? b->first_free : NONE;
	b->first_free = index;
	if (++b->nfree == UVMEM_BLOCK_MAX)
		list_move(&b->list, &pool.whole);
	else if (b->nfree == 1)
		list_add(&b->list, &pool.partial);
	pool.nfree++;
}

/**
 * uvmem_devpage_alloc() - take a device page for a GFN
 * @slot: the memslot
 * @gfn: a GFN of @slot
 *
 * Constant time. The page is locked and has one reference.
 *
 * Return: the page, or NULL if the pool is empty.
 */
struct page *uvmem_devpage_alloc(struct uvmem_slot *slot, u64 gfn)
{
	struct page *page;
	u32 index;

	spin_lock(&pool.lock);
	index = take_page();
	if (index == NONE) {
		spin_unlock(&pool.lock);
		return NULL;
	}
	pool.gfn[index] = gfn;
	page = uvmem_devpage(index);
	page->zone_device_data = slot;
	spin_unlock(&pool.lock);

	uvmem_device_folio_init(page, &pool.pgmap, 0);
	return page;
}

/**
 * uvmem_devblock_alloc() - take a block of device pages, as one folio
 * @slot: the memslot
 * @gfn: the first of UVMEM_BLOCK_MAX GFNs of @slot
 *
 * The folio is locked and has one reference. Only where UVMEM_HUGE_ORDER is not 0.
 *
 * Return: its first page, or NULL if no block is whole.
 */
struct page *uvmem_devblock_alloc(struct uvmem_slot *slot, u64 gfn)
{
	struct page *page;
	struct block *b;
	u32 index, i;

	spin_lock(&pool.lock);
	b = list_empty(&pool.whole) ? NULL : list_last_entry(&pool.whole, struct block, list);
	if (!b) {
		spin_unlock(&pool.lock);
		return NULL;
	}
	b->nfree = 0;
	list_del_init(&b->list);
	pool.nfree -= UVMEM_BLOCK_MAX;
	index = (b - pool.block) * UVMEM_BLOCK_MAX;
	for (i = 0; i < UVMEM_BLOCK_MAX; i++)
		pool.gfn[index + i] = gfn + i;
	page = uvmem_devpage(index);
	page->zone_device_data = slot;
	spin_unlock(&pool.lock);

	uvmem_device_folio_init(page, &pool.pgmap, UVMEM_HUGE_ORDER);
	return page;
}

/* The one that has the memslot. */
static struct page *first_page(struct page *page)
{
	return UVMEM_HUGE_ORDER ? folio_page(page_folio(page), 0) : page;
}

/**
 * uvmem_devpage_slot() - what a device page stands for
 * @page: a page of the pool, with a reference of the caller's
 * @gfn: out: the GFN
 *
 * Context: inside uvmem_srcu, which keeps the memslot alive.
 * Return: the memslot, or NULL if the page stands for nothing any more.
 */
struct uvmem_slot *uvmem_devpage_slot(struct page *page, u64 *gfn)
{
	*gfn = READ_ONCE(pool.gfn[uvmem_devpage_index(page)]);
	return READ_ONCE(first_page(page)->zone_device_data);
}

/**
 * uvmem_devpage_detach() - let a device page stand for nothing
 * @page: a page of the pool, with a reference of the caller's, or one that cannot go
 *	meanwhile (unmap.c)
 *
 * Freeing it changes no GFN from now on, and the host gets zeros from it. A page of a
 * large folio takes all the others with it.
 */
void uvmem_devpage_detach(struct page *page)
{
	WRITE_ONCE(first_page(page)->zone_device_data, NULL);
}

/**
 * uvmem_pool_settle() - wait for those who are about to tell a memslot of a dropped page
 *
 * Who drops the last reference to a device page may be anybody, in no section of
 * uvmem_srcu; but holds the lock. To be called when no device page knows the memslot.
 */
void uvmem_pool_settle(void)
{
	spin_lock(&pool.lock);
	spin_unlock(&pool.lock);
}

/* All of a block comes back. The lock is held. */
static void give_block(u32 index)
{
	struct block *b = &pool.block[index / UVMEM_BLOCK_MAX];

	b->nfree = UVMEM_BLOCK_MAX;
	list_add(&b->list, &pool.whole);
	pool.nfree += UVMEM_BLOCK_MAX;
}

/* The last reference is gone; may be called with page table locks held. */
static void uvmem_page_free(struct page *page, unsigned int order)
{
	u32 index = uvmem_devpage_index(page), n = 1U << order, i;
	struct uvmem_slot *slot;

	spin_lock(&pool.lock);
	slot = page->zone_device_data;
	page->zone_device_data = NULL;
	for (i = index; slot && i < index + n; i++)
		uvmem_gfn_dropped(slot, pool.gfn[i], i);
	if (n == UVMEM_BLOCK_MAX)
		give_block(index);
	else
		for (i = index + n; i-- > index;)
			give_page(i);
	spin_unlock(&pool.lock);
}

UVMEM_FREE_CALLBACK(uvmem_page_free)

/* A large folio becomes pages: @tail, one of them, stands for its GFN from now on. */
static void __maybe_unused uvmem_page_split(struct page *head, struct page *tail)
{
	spin_lock(&pool.lock);
	tail->zone_device_data = head->zone_device_data;
	spin_unlock(&pool.lock);
}

UVMEM_SPLIT_CALLBACK(uvmem_page_split)

static const struct dev_pagemap_ops uvmem_pagemap_ops = {
	UVMEM_FREE_OP(uvmem_page_free),
	UVMEM_SPLIT_OP(uvmem_page_split)
	.migrate_to_ram = uvmem_migrate_to_ram,
};

/**
 * uvmem_pool_usage() - size of the pool
 * @pages: out: all pages
 * @free: out: free ones
 */
void uvmem_pool_usage(u64 *pages, u64 *free)
{
	*pages = pool.npages;
	*free = READ_ONCE(pool.nfree);
}

/* All pages are free. */
static void make_blocks(void)
{
	u32 i;

	INIT_LIST_HEAD(&pool.partial);
	INIT_LIST_HEAD(&pool.whole);
	for (i = 0; i < nblocks(); i++)
		INIT_LIST_HEAD(&pool.block[i].list);
	/* From the last one on: the lowest index comes first, so that neighbours get neighbours. */
	for (i = pool.npages; i-- > 0;)
		give_page(i);
}

/**
 * uvmem_pool_init() - make the pool, as large as secure memory
 *
 * Return: 0 or a negative errno.
 */
int uvmem_pool_init(void)
{
	unsigned long want = uvsim_secure_pages();
	struct resource *res;
	void *addr;

	want += max(want / 8, UVMEM_BLOCK_MAX);
	res = request_free_mem_region(&iomem_resource, want << PAGE_SHIFT, "kvm-uvmem");
	if (IS_ERR(res))
		return PTR_ERR(res);

	pool.npages = min_t(u64, resource_size(res) >> PAGE_SHIFT, want);
	pool.first_pfn = res->start >> PAGE_SHIFT;
	spin_lock_init(&pool.lock);
	pool.gfn = vmalloc_array(pool.npages, sizeof(*pool.gfn));
	pool.block = kvcalloc(nblocks(), sizeof(*pool.block), GFP_KERNEL);
	if (!pool.gfn || !pool.block) {
		addr = ERR_PTR(-ENOMEM);
		goto err;
	}

	pool.pgmap.type = MEMORY_DEVICE_PRIVATE;
	pool.pgmap.range.start = res->start;
	pool.pgmap.range.end = res->end;
	pool.pgmap.nr_range = 1;
	pool.pgmap.ops = &uvmem_pagemap_ops;
	pool.pgmap.owner = uvmem_pool_owner();
	addr = memremap_pages(&pool.pgmap, NUMA_NO_NODE);
	if (IS_ERR(addr))
		goto err;

	make_blocks();
	return 0;
err:
	kvfree(pool.block);
	vfree(pool.gfn);
	release_mem_region(res->start, resource_size(res));
	return PTR_ERR(addr);
}

/* Where an orphan is to go: a locked page or folio of zeros, or 0. */
static unsigned long zeros_for(unsigned long src)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ZERO;
	bool huge = src & UVMEM_PFN_COMPOUND;
	struct folio *folio;

	if (!(src & MIGRATE_PFN_MIGRATE))
		return 0;
	folio = huge ? uvmem_alloc_huge(NULL, 0, gfp | __GFP_RETRY_MAYFAIL) : folio_alloc(gfp, 0);
	if (!folio)
		return 0;
	folio_lock(folio);
	return migrate_pfn(folio_pfn(folio)) | (huge ? UVMEM_PFN_COMPOUND : 0);
}

/* Move what still is in some process' page table, of a block, to pages of zeros. */
static void evict_orphans(u32 first, struct uvmem_pfns *pfns)
{
	u32 i, n = min_t(u32, UVMEM_BLOCK_MAX, pool.npages - first);

	migrate_device_range(pfns->src, pool.first_pfn + first, n);
	for (i = 0; i < n; i++)
		pfns->dst[i] = zeros_for(pfns->src[i]);
	migrate_device_pages(pfns->src, pfns->dst, n);
	migrate_device_finalize(pfns->src, pfns->dst, n);
}

/**
 * uvmem_pool_exit() - free the pool
 *
 * No VM is left. A forked child or the like may still have device entries of a
 * VM that ended: they become pages of zeros first.
 */
void uvmem_pool_exit(void)
{
	struct uvmem_pfns *pfns = NULL;
	u32 i;

	while (READ_ONCE(pool.nfree) != pool.npages) {
		if (!pfns)
			pfns = uvmem_pfns_alloc(UVMEM_BLOCK_MAX, GFP_KERNEL | __GFP_NOFAIL);
		for (i = 0; i < pool.npages; i += UVMEM_BLOCK_MAX)
			evict_orphans(i, pfns);
		if (READ_ONCE(pool.nfree) != pool.npages)
			msleep(20);
	}
	kvfree(pfns);
	memunmap_pages(&pool.pgmap);
	release_mem_region(pool.pgmap.range.start, range_len(&pool.pgmap.range));
	kvfree(pool.block);
	vfree(pool.gfn);
}
