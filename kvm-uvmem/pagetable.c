// SPDX-License-Identifier: GPL-2.0
/*
 * A look at H's page table, without its locks: what is found was true at some moment.
 *
 * Page tables go away by RCU, if at all under the mmap lock.
 */
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "uvmem.h"

/* The entry of the page middle directory; one that is none if there is no such directory. */
static pmd_t pmd_at(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(READ_ONCE(*pgd)))
		return __pmd(0);
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)))
		return __pmd(0);
	pud = pud_offset(p4d, addr);
	if (pud_none(READ_ONCE(*pud)) || pud_leaf(READ_ONCE(*pud)))
		return __pmd(0);
	return pmdp_get_lockless(pmd_offset(pud, addr));
}

/**
 * uvmem_pte_young() - was a page touched?
 * @mm: whose
 * @addr: address of the page
 *
 * Context: mmap lock (read).
 * Return: true also if there is no page.
 */
bool uvmem_pte_young(struct mm_struct *mm, unsigned long addr)
{
	bool young = true;
	pmd_t pmd;
	pte_t pte;

	rcu_read_lock();
	pmd = pmd_at(mm, addr);
	if (pmd_present(pmd) && pmd_leaf(pmd)) {
		young = pmd_young(pmd);
	} else if (pmd_present(pmd)) {
		pte = ptep_get(pte_offset_kernel(&pmd, addr));
		if (pte_present(pte))
			young = pte_young(pte);
	}
	rcu_read_unlock();
	return young;
}

/* Where the memory around @addr ends that has no page table, @end at most; @addr: it has. */
static unsigned long hole_end(struct mm_struct *mm, unsigned long addr, unsigned long end)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(READ_ONCE(*pgd)))
		return pgd_addr_end(addr, end);
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)))
		return p4d_addr_end(addr, end);
	pud = pud_offset(p4d, addr);
	if (pud_none(READ_ONCE(*pud)))
		return pud_addr_end(addr, end);
	return pmd_none(pmd_at(mm, addr)) ? pmd_addr_end(addr, end) : addr;
}

/**
 * uvmem_untouched_end() - how much of a range was never touched, from its start on?
 * @mm: whose
 * @addr: start of the range, in a mapping of anonymous memory
 * @end: its end
 *
 * Context: mmap lock (read).
 * Return: the first address for which a page table was made, or @end. What lies behind
 * it may be untouched as well.
 */
unsigned long uvmem_untouched_end(struct mm_struct *mm, unsigned long addr, unsigned long end)
{
	unsigned long next;

	rcu_read_lock();
	for (; addr < end; addr = next) {
		next = hole_end(mm, addr, end);
		if (next == addr)
			break;
	}
	rcu_read_unlock();
	return addr;
}

/**
 * uvmem_huge_entry() - is a page part of a huge one?
 * @mm: whose
 * @addr: address of the page
 *
 * Context: mmap lock (read).
 */
bool uvmem_huge_entry(struct mm_struct *mm, unsigned long addr)
{
	pmd_t pmd;

	rcu_read_lock();
	pmd = pmd_at(mm, addr);
	rcu_read_unlock();
	return pmd_present(pmd) && pmd_leaf(pmd);
}

/**
 * uvmem_device_entry() - the device page that an entry of the page table is for
 * @mm: whose
 * @addr: address of the page
 *
 * Context: mmap lock. If that is held for writing, and the VMA locked, nobody but a
 * migration, or the last user of the memory map, takes the page away.
 * Return: the page, of whatever device; or NULL, also if the entry is one for a block.
 */
struct page *uvmem_device_entry(struct mm_struct *mm, unsigned long addr)
{
	struct page *page = NULL;
	pmd_t pmd;

	rcu_read_lock();
	pmd = pmd_at(mm, addr);
	if (pmd_present(pmd) && !pmd_leaf(pmd))
		page = uvmem_pte_device_page(ptep_get(pte_offset_kernel(&pmd, addr)));
	rcu_read_unlock();
	return page;
}

/**
 * uvmem_device_block() - the first device page of those that an entry for a block is for
 * @mm: whose
 * @addr: address of the block
 *
 * Context: as uvmem_device_entry().
 * Return: the page, or NULL, also if there are entries for each page.
 */
struct page *uvmem_device_block(struct mm_struct *mm, unsigned long addr)
{
	pmd_t pmd;

	rcu_read_lock();
	pmd = pmd_at(mm, addr);
	rcu_read_unlock();
	return uvmem_pmd_device_page(pmd);
}
