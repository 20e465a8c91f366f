// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of device-private pages that stand for secure pages in H.
 *
 * A device page has no content: it says which GFN of which memslot is in
 * secure memory. The pool is as large as secure memory, and a little larger,
 * since a page that was moved out is only free once its last reference goes.
 *
 * The memslot is in the page's zone_device_data, the GFN in a table beside: eight
 * bytes a page, which while the page is free make a list of the free ones.
 *
 * uvmem_pool.lock guards both while the page is free or becomes so: who holds a
 * reference reads them, and lets the page stand for nothing, without it. page_free()
 * takes it with page table locks held; nothing sleeps under it.
 */
#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/sched.h>
#include <linux/delay.h>
#include <linux/vmalloc.h>
#include <linux/highmem.h>

#include "uvmem.h"

#define NONE	U32_MAX		/* the end of the free list */

static struct {
	struct dev_pagemap pgmap;
	unsigned long first_pfn;
	u32 npages;
	spinlock_t lock;	/* first_free, nfree, gfn, the pages' zone_device_data */
	u32 first_free;
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
	index = pool.first_free;
	if (index == NONE) {
		spin_unlock(&pool.lock);
		return NULL;
	}
	pool.first_free = pool.gfn[index];
	pool.nfree--;
	pool.gfn[index] = gfn;
	page = uvmem_devpage(index);
	page->zone_device_data = slot;
	spin_unlock(&pool.lock);

	uvmem_device_page_init(page, &pool.pgmap);
	return page;
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
	return READ_ONCE(page->zone_device_data);
}

/**
 * uvmem_devpage_detach() - let a device page stand for nothing
 * @page: a page of the pool, with a reference of the caller's
 *
 * Freeing it changes no GFN from now on, and the host gets zeros from it.
 */
void uvmem_devpage_detach(struct page *page)
{
	WRITE_ONCE(page->zone_device_data, NULL);
}

/**
 * uvmem_devpage_orphan() - the same for a page that may be freed meanwhile
 * @page: a page of the pool
 */
void uvmem_devpage_orphan(struct page *page)
{
	spin_lock(&pool.lock);
	uvmem_devpage_detach(page);
	spin_unlock(&pool.lock);
}

/* The last reference is gone; may be called with page table locks held. */
static void uvmem_page_free(struct page *page)
{
	u32 index = uvmem_devpage_index(page);
	struct uvmem_slot *slot;

	spin_lock(&pool.lock);
	slot = page->zone_device_data;
	if (slot)
		uvmem_gfn_dropped(slot, pool.gfn[index], index);
	page->zone_device_data = NULL;
	pool.gfn[index] = pool.first_free;
	pool.first_free = index;
	pool.nfree++;
	spin_unlock(&pool.lock);
}

UVMEM_FREE_CALLBACK(uvmem_page_free)

static const struct dev_pagemap_ops uvmem_pagemap_ops = {
	UVMEM_FREE_OP(uvmem_page_free),
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
	u32 i;

	want += max(want / 8, UVMEM_RUN_MAX);
	res = request_free_mem_region(&iomem_resource, want << PAGE_SHIFT, "kvm-uvmem");
	if (IS_ERR(res))
		return PTR_ERR(res);

	pool.npages = min_t(u64, resource_size(res) >> PAGE_SHIFT, want);
	pool.first_pfn = res->start >> PAGE_SHIFT;
	spin_lock_init(&pool.lock);
	pool.gfn = vmalloc_array(pool.npages, sizeof(*pool.gfn));
	if (!pool.gfn) {
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

	/* The lowest index comes first, so that neighbours get neighbours. */
	for (i = 0; i < pool.npages; i++)
		pool.gfn[i] = i + 1 < pool.npages ? i + 1 : NONE;
	pool.nfree = pool.npages;
	return 0;
err:
	vfree(pool.gfn);
	release_mem_region(res->start, resource_size(res));
	return PTR_ERR(addr);
}

/* Move whatever still is in some process' page table to a page of zeros. */
static void evict_orphan(unsigned long pfn)
{
	unsigned long src, dst = 0;
	struct page *page;

	migrate_device_range(&src, pfn, 1);
	if (!(src & MIGRATE_PFN_MIGRATE)) {
		migrate_device_finalize(&src, &dst, 1);
		return;
	}
	page = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
	if (page) {
		lock_page(page);
		dst = migrate_pfn(page_to_pfn(page));
	}
	migrate_device_pages(&src, &dst, 1);
	migrate_device_finalize(&src, &dst, 1);
}

/**
 * uvmem_pool_exit() - free the pool
 *
 * No VM is left. A forked child or the like may still have device entries of a
 * VM that ended: they become pages of zeros first.
 */
void uvmem_pool_exit(void)
{
	u32 i;

	while (READ_ONCE(pool.nfree) != pool.npages) {
		for (i = 0; i < pool.npages; i++)
			evict_orphan(pool.first_pfn + i);
		if (READ_ONCE(pool.nfree) != pool.npages)
			msleep(20);
	}
	memunmap_pages(&pool.pgmap);
	release_mem_region(pool.pgmap.range.start, range_len(&pool.pgmap.range));
	vfree(pool.gfn);
}
