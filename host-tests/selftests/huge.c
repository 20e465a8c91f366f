// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose memory H is transparent huge pages: blocks of it move as one folio
 * where the kernel can, and come apart when somebody wants a part of one. Content and
 * states are what they are with single pages.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0014
#define BLOCK 512UL /* pages */
#define BLOCKS 3UL
#define PAGES (BLOCKS * BLOCK)
#define CODE (PAGES + 1)
#define SECOND (BLOCK + 188) /* a page in the second block */

FIXTURE(huge)
{
	struct own own;
	struct own_vcpu vcpu;
	struct usage before;
	bool opened;
};

/* kB of H that are huge pages, normal or device-private. */
static unsigned long huge_kib(struct own *o)
{
	char *text = file_read("/proc/self/smaps"), *line, *next;
	unsigned long from, to, kib = 0, sum = 0;
	bool inside = false;

	for (line = text ? strtok_r(text, "\n", &next) : NULL; line;
	     line = strtok_r(NULL, "\n", &next)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from < (uintptr_t)o->h + o->len && to > (uintptr_t)o->h;
		else if (inside && sscanf(line, "AnonHugePages: %lu kB", &kib) == 1)
			sum += kib;
	}
	free(text);
	return sum;
}

FIXTURE_SETUP(huge)
{
	struct own *o = &self->own;

	if (block_pages() != BLOCK)
		SKIP(return, "this kernel has no large device-private folios");
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_huge(o, PAGES + 2 + own_blob_pages(), BLOCK * page_size()));
	self->opened = true;
	own_fill(o, 0, PAGES, SEED);
	ASSERT_EQ(PAGES * page_size() / 1024, huge_kib(o));
	own_vcpu_code(o, CODE);
	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, own_vcpu_open(&self->vcpu, o, CODE));
}

FIXTURE_TEARDOWN(huge)
{
	if (!self->opened)
		return;
	own_vcpu_close(&self->vcpu);
	own_close(&self->own);
	EXPECT_EQ(0, uvmem_param("fault_ahead", 1));
	EXPECT_EQ(0, usage_check(&self->before));
}

static struct uvmem_stats stats(struct own *o)
{
	struct uvmem_stats st = { 0 };

	ioctl(o->svm, UVMEM_GET_STATS, &st);
	return st;
}

static uint8_t *at(struct own *o, size_t page)
{
	return o->h + page * page_size();
}

static int64_t range(struct own *o, uint64_t nr, uint64_t page, uint64_t n)
{
	uint64_t done = 0;
	int64_t ret = own_hcall(o, nr, page * page_size(), n, 0, page_order(), &done);

	return ret == H_SUCCESS && done != n ? NO_ANSWER : ret;
}

static size_t in_state(struct own *o, size_t first, size_t n, unsigned int state)
{
	size_t count = 0;

	for (size_t i = first; i < first + n; i++)
		count += own_hv_state(o, i) == state;
	return count;
}

/* The guest reads a byte of each page, and it is the pattern's. */
static int guest_has(struct own_vcpu *v, size_t first, size_t n)
{
	for (size_t page = first; page < first + n; page++) {
		uint64_t gpa = page * page_size() + page % 500 * 8,
			 word = agent_pattern(SEED, gpa, 0);
		uint8_t byte;
		int err = own_vcpu_read(v, gpa, &byte);

		if (err || byte != (uint8_t)word)
			return say("the guest reads page %zu: %s, 0x%02x", page, strerror(err),
				   byte);
	}
	return 0;
}

/* What the host reads of each page is sealed. */
static int sealed(const uint8_t *seen, size_t first, size_t n)
{
	uint8_t *plain = malloc(page_size());
	size_t i;

	for (i = 0; i < n; i++) {
		pattern_fill(plain, (first + i) * page_size(), page_size(), SEED, 0);
		if (!is_ciphertext(seen + i * page_size(), plain, page_size()))
			break;
	}
	free(plain);
	return i == n ? 0 : say("page %zu is no ciphertext", first + i);
}

TEST_F(huge, a_range_moves_in_one_call_a_block)
{
	struct own *o = &self->own;
	uint64_t before = stats(o).migrate_calls;

	ASSERT_EQ(PAGES, in_state(o, 0, PAGES, UVMEM_GFN_UVMEM));
	EXPECT_EQ(PAGES * page_size() / 1024, huge_kib(o));
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, PAGES));
	EXPECT_EQ(BLOCKS, stats(o).migrate_calls - before);
	EXPECT_EQ(PAGES * page_size() / 1024, huge_kib(o));
	EXPECT_EQ(PAGES, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(0, sealed(at(o, 0), 0, PAGES));
	before = stats(o).migrate_calls;
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, PAGES));
	EXPECT_EQ(BLOCKS, stats(o).migrate_calls - before);
	EXPECT_EQ(PAGES, in_state(o, 0, PAGES, UVMEM_GFN_UVMEM));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

/* One page that the host touches is one page that goes. */
TEST_F(huge, a_touch_moves_a_page)
{
	struct own *o = &self->own;

	EXPECT_EQ(0, sealed(at(o, SECOND), SECOND, 1));
	EXPECT_EQ(1, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(0, stats(o).host_along);
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

static void read_in_order(struct own *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*(volatile uint8_t *)at(o, i);
}

TEST_F(huge, touches_in_order_move_blocks)
{
	struct own *o = &self->own;
	uint64_t before = stats(o).host_faults;

	read_in_order(o, PAGES);
	EXPECT_EQ(PAGES, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_GE(BLOCKS, stats(o).host_faults - before);
	EXPECT_EQ(PAGES * page_size() / 1024, huge_kib(o));
	EXPECT_EQ(0, sealed(at(o, 0), 0, PAGES));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

/* As above, but not from the first page of a block on. */
TEST_F(huge, a_reader_begins_in_a_block)
{
	struct own *o = &self->own;
	uint64_t before = stats(o).host_faults;

	for (size_t i = 1; i < PAGES; i++)
		*(volatile uint8_t *)at(o, i);
	EXPECT_EQ(PAGES - 1, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	/* Windows of up to 32 pages up to the second block, of which some may be in it. */
	EXPECT_GE(2 * BLOCK / 32 + 6 + BLOCKS - 2, stats(o).host_faults - before);
	EXPECT_LE(BLOCK * page_size() / 1024, huge_kib(o));
	EXPECT_EQ(0, sealed(at(o, 1), 1, PAGES - 1));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

/*
 * The first page of a block may be a reader's first touch. If no reader follows, the next
 * one is a touch like any other.
 */
TEST_F(huge, a_first_page_is_believed_once)
{
	struct own *o = &self->own;

	*(volatile uint8_t *)at(o, 0);
	EXPECT_EQ(BLOCK, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(BLOCK - 1, stats(o).host_along);
	*(volatile uint8_t *)at(o, 2 * BLOCK);
	EXPECT_EQ(BLOCK + 1, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	/* One does. */
	*(volatile uint8_t *)at(o, BLOCK);
	EXPECT_EQ(2 * BLOCK + 1, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, PAGES));
	*(volatile uint8_t *)at(o, 0);
	EXPECT_EQ(BLOCK, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

/* The reader's fault moves the second block, another CPU the third. */
TEST_F(huge, the_next_block_moves_ahead)
{
	struct own *o = &self->own;

	read_in_order(o, BLOCK + 1);
	for (int i = 0; i < 2000 && in_state(o, 2 * BLOCK, BLOCK, UVMEM_GFN_UVMEM); i++)
		usleep(10000);
	EXPECT_EQ(PAGES, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(PAGES * page_size() / 1024, huge_kib(o));
	EXPECT_EQ(0, sealed(at(o, 0), 0, PAGES));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

TEST_F(huge, nothing_moves_ahead_when_switched_off)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, uvmem_param("fault_ahead", 0));
	read_in_order(o, BLOCK + 1);
	usleep(100000);
	EXPECT_EQ(2 * BLOCK, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(BLOCK, in_state(o, 2 * BLOCK, BLOCK, UVMEM_GFN_UVMEM));
}

TEST_F(huge, one_page_is_shared)
{
	struct own *o = &self->own;
	uint8_t byte = 1;

	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, SECOND, 1, 0, 0, 0));
	EXPECT_EQ(UVMEM_GFN_SHARED, own_hv_state(o, SECOND));
	EXPECT_EQ(PAGES - 1, in_state(o, 0, PAGES, UVMEM_GFN_UVMEM));
	EXPECT_TRUE(all_zeros(at(o, SECOND), page_size()));
	EXPECT_EQ(0, own_vcpu_read(&self->vcpu, SECOND * page_size(), &byte));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, SECOND));
	EXPECT_EQ(0, guest_has(&self->vcpu, SECOND + 1, PAGES - SECOND - 1));
}

/* The guest goes on with what the host unmapped; the rest of the block is as ever. */
TEST_F(huge, a_part_is_unmapped)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, munmap(at(o, BLOCK), BLOCK / 2 * page_size()));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
	EXPECT_EQ(0, sealed(at(o, BLOCK + BLOCK / 2), BLOCK + BLOCK / 2, 1));
	/* That split the folio, and what nobody mapped is gone from H. */
	EXPECT_EQ(BLOCK / 2, stats(o).drops);
	EXPECT_EQ(BLOCK / 2 + 1, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

/* MADV_DONTNEED, and the ultravisor has that part paged out: nothing gets lost. */
TEST_F(huge, a_part_is_dropped_and_paged_out)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, madvise(at(o, BLOCK), BLOCK / 2 * page_size(), MADV_DONTNEED));
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, BLOCK + 5, 3));
	EXPECT_EQ(0, sealed(at(o, BLOCK + 5), BLOCK + 5, 3));
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, BLOCK, BLOCK));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

TEST_F(huge, a_child_reads_a_block)
{
	struct own *o = &self->own;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(sealed(at(o, 0), 0, PAGES) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, PAGES));
	EXPECT_EQ(0, sealed(at(o, 0), 0, PAGES));
}

/* A block that lies elsewhere, a half of it, goes out as a whole, for one page of it too. */
TEST_F(huge, a_block_is_moved_away)
{
	struct own *o = &self->own;
	size_t len = BLOCK * page_size();
	uint8_t *room = mmap(NULL, 2 * len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *there = (uint8_t *)(((uintptr_t)room + len - 1) & -len);

	ASSERT_EQ(there, mremap(at(o, BLOCK), len, len, MREMAP_MAYMOVE | MREMAP_FIXED, there));
	ASSERT_EQ(at(o, BLOCK), mmap(at(o, BLOCK), len, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
	ASSERT_EQ(0, munmap(there, len / 2));
	ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, BLOCK + 400, 1));
	EXPECT_EQ(0, sealed(there + len / 2, BLOCK + BLOCK / 2, BLOCK / 2));
	EXPECT_EQ(BLOCK, in_state(o, 0, PAGES, UVMEM_GFN_MEM));
	/* What nobody mapped never left. */
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, BLOCK + BLOCK / 2));
	munmap(room, 2 * len);
}

/* A reader that goes on gets more and more blocks by a fault. */
TEST(many_blocks)
{
	const size_t blocks = 24, pages = blocks * BLOCK;
	struct usage before;
	uint64_t faults;
	struct own o;

	if (block_pages() != BLOCK)
		SKIP(return, "this kernel has no large device-private folios");
	ASSERT_EQ(0, usage_get(&before));
	ASSERT_EQ(0, own_open_huge(&o, pages + own_blob_pages(), BLOCK * page_size()));
	own_fill(&o, 0, pages, SEED);
	ASSERT_EQ(0, own_blob(&o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&o));
	faults = stats(&o).host_faults;
	read_in_order(&o, pages);
	/* At blocks 0, 1, 3, 7 and 15, and at what was left since somebody was busy with it. */
	EXPECT_GE(7, stats(&o).host_faults - faults);
	EXPECT_EQ(pages, in_state(&o, 0, pages, UVMEM_GFN_MEM));
	EXPECT_EQ(pages * page_size() / 1024, huge_kib(&o));
	EXPECT_EQ(0, sealed(at(&o, 0), 0, pages));
	/* Where it went once, any touch is no reader. What it had claimed last comes first. */
	ASSERT_EQ(H_SUCCESS, range(&o, H_SIM_SVM_PAGE_IN_RANGE, 0, pages));
	for (size_t i = blocks; i-- > 0;)
		*(volatile uint8_t *)at(&o, i * BLOCK + 7 * (i + 1));
	EXPECT_EQ(blocks, in_state(&o, 0, pages, UVMEM_GFN_MEM));
	own_close(&o);
	EXPECT_EQ(0, usage_check(&before));
}

struct racer {
	struct own *o;
	atomic_bool stop;
	atomic_uint wrong;
};

/* In order, over and over: whole blocks, some of them moved ahead. */
static void *host_reads(void *arg)
{
	struct racer *r = arg;

	for (size_t i = 0; !r->stop; i = (i + 1) % PAGES)
		if (sealed(at(r->o, i), i, 1))
			r->wrong++;
	return NULL;
}

static void *ranges_move(void *arg)
{
	struct racer *r = arg;
	uint64_t seed = SEED, first, n;
	int64_t ret;

	while (!r->stop) {
		/* All of it, or what begins and ends somewhere in a block. */
		first = rnd(&seed) % 2 ? 0 : rnd(&seed) % PAGES;
		n = first ? 1 + rnd(&seed) % (PAGES - first) : PAGES;
		ret = own_hcall(r->o,
				rnd(&seed) % 2 ? H_SIM_SVM_PAGE_OUT_RANGE : H_SIM_SVM_PAGE_IN_RANGE,
				first * page_size(), n, 0, page_order(), NULL);
		if (ret != H_SUCCESS && ret != H_BUSY)
			r->wrong++;
	}
	return NULL;
}

TEST_F(huge, everybody_at_once)
{
	struct own *o = &self->own;
	struct racer r = { .o = o };
	pthread_t thread[2];
	uint64_t seed = SEED;

	ASSERT_EQ(0, pthread_create(&thread[0], NULL, host_reads, &r));
	ASSERT_EQ(0, pthread_create(&thread[1], NULL, ranges_move, &r));
	for (int i = 0; i < (slow_machine() ? 40 : 400); i++) {
		size_t page = rnd(&seed) % PAGES;

		EXPECT_EQ(0, guest_has(&self->vcpu, page, 1));
		if (i % 8 == 0)
			EXPECT_EQ(0, sealed(at(o, page), page, 1));
	}
	r.stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(0, r.wrong);
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
}

TEST_F(huge, migrations_fail)
{
	struct own *o = &self->own;

	for (unsigned int step = 1; step <= 3; step++) {
		ASSERT_EQ(0, fail_migrations(step, 1));
		own_hcall(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, PAGES, 0, page_order(), NULL);
		EXPECT_EQ(0, fail_migrations_left());
		ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_OUT_RANGE, 0, PAGES));
		EXPECT_EQ(0, sealed(at(o, 0), 0, PAGES));
		ASSERT_EQ(0, fail_migrations(step, 1));
		own_hcall(o, H_SIM_SVM_PAGE_IN_RANGE, 0, PAGES, 0, page_order(), NULL);
		EXPECT_EQ(0, fail_migrations_left());
		ASSERT_EQ(H_SUCCESS, range(o, H_SIM_SVM_PAGE_IN_RANGE, 0, PAGES));
		EXPECT_EQ(0, guest_has(&self->vcpu, 0, PAGES));
	}
	ASSERT_EQ(0, fail_migrations(0, 0));
}

TEST_F(huge, terminate_leaves_zeros)
{
	struct own *o = &self->own;

	*(volatile uint8_t *)at(o, SECOND);
	ASSERT_EQ(0, own_off(o));
	EXPECT_TRUE(all_zeros(at(o, 0), PAGES * page_size()));
}

/* Nothing is there after it, and nothing was allocated; or a folio where it has to be. */
TEST_F(huge, terminate_takes_blocks_away)
{
	struct own *o = &self->own;
	uint64_t calls = stats(o).migrate_calls;

	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(calls, stats(o).migrate_calls);
	for (size_t page = 0; page < PAGES; page++)
		ASSERT_EQ(PAGEMAP_HOLE, pagemap_kind_at(getpid(), (uintptr_t)at(o, page)));
	EXPECT_TRUE(all_zeros(at(o, 0), PAGES * page_size()));
}

/* Of a block the host has dropped all but the first page, and has its own there. */
TEST_F(huge, terminate_leaves_what_the_host_wrote)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, madvise(at(o, 1), (BLOCK - 1) * page_size(), MADV_DONTNEED));
	memset(at(o, 1), 0x5a, (BLOCK - 1) * page_size());
	ASSERT_EQ(BLOCK, in_state(o, 0, BLOCK, UVMEM_GFN_UVMEM));
	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(PAGES, in_state(o, 0, PAGES, UVMEM_GFN_NORMAL));
	EXPECT_TRUE(all_zeros(at(o, 0), page_size()));
	for (size_t i = page_size(); i < BLOCK * page_size(); i++)
		ASSERT_EQ(0x5a, at(o, 0)[i]);
	EXPECT_TRUE(all_zeros(at(o, BLOCK), (PAGES - BLOCK) * page_size()));
}

TEST_F(huge, terminate_locked_memory)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, own_lock_memory(o));
	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(BLOCKS * BLOCK * page_size() / 1024, huge_kib(o));
	EXPECT_TRUE(all_zeros(at(o, 0), PAGES * page_size()));
}

TEST_HARNESS_MAIN
