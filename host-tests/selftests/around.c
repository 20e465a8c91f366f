// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages go along when one is touched, by the host or by the guest: in order
 * more and more, at random none, and none that the other side has just brought in.
 * The modules count their calls and the pages that they took along.
 */
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0013
#define PAGES 1024
#define CODE (PAGES + 1)
#define RUN 64	      /* pages that one call may cover, aligned */
#define MOST 32	      /* default of fault_around */
#define GUEST_MOST 16 /* and of the guest's */
#define UV_PARAM "/sys/module/uv_sim/parameters/fault_around"
#define FOREVER 1000000 /* ms */
#define SLICE 10	/* default of fault_around_slice_ms */

/* A secure VM, of which @pages have content; what UV_ESM says, or -1. */
static int64_t open_secure_with(struct own *o, size_t pages)
{
	if (own_open(o, pages + 2 + own_blob_pages()))
		return -1;
	own_fill(o, 0, pages, SEED);
	own_vcpu_code(o, pages + 1);
	return own_blob(o, page_size(), 1, true) ? -1 : own_esm(o);
}

static int64_t open_secure(struct own *o)
{
	return open_secure_with(o, PAGES);
}

FIXTURE(around)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(around)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(U_SUCCESS, open_secure(o));
	ASSERT_EQ(0, uvmem_param("fault_ahead", 0));
}

FIXTURE_TEARDOWN(around)
{
	own_close(&self->own);
	EXPECT_EQ(0, uvmem_param("fault_around", MOST));
	EXPECT_EQ(0, uvmem_param("fault_ahead", 1));
	EXPECT_EQ(0, file_write(UV_PARAM, "32"));
	EXPECT_EQ(0, uvmem_param("fault_around_slice_ms", SLICE));
	EXPECT_EQ(0, usage_check(&self->before));
}

static struct uvmem_stats stats(struct own *o)
{
	struct uvmem_stats st = { 0 };

	ioctl(o->svm, UVMEM_GET_STATS, &st);
	return st;
}

static void touch(struct own *o, size_t page)
{
	*(volatile uint8_t *)(o->h + page * page_size());
}

static void touch_from(struct own *o, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		touch(o, i);
}

static bool resident(struct own *o, size_t page)
{
	return own_hv_state(o, page) == UVMEM_GFN_UVMEM;
}

/* The pages from @first on that were paged out, up to the first resident one. */
static size_t out_from(struct own *o, size_t first)
{
	size_t i = first;

	while (i < PAGES && !resident(o, i))
		i++;
	return i - first;
}

static int64_t bring_in(struct own *o, size_t first, size_t n)
{
	return own_hcall(o, H_SIM_SVM_PAGE_IN_RANGE, first * page_size(), n, 0, page_order(), NULL);
}

TEST_F(around, in_order_takes_few_calls)
{
	struct own *o = &self->own;
	struct uvmem_stats before = stats(o), after;

	touch_from(o, 0, PAGES);
	after = stats(o);
	EXPECT_GE(PAGES / MOST + 16, after.migrate_calls - before.migrate_calls);
	EXPECT_EQ(PAGES,
		  after.host_faults - before.host_faults + after.host_along - before.host_along);
	EXPECT_EQ(after.host_faults - before.host_faults,
		  after.migrate_calls - before.migrate_calls);
}

TEST_F(around, from_the_top_down_as_well)
{
	struct own *o = &self->own;
	struct uvmem_stats before = stats(o), after;

	for (size_t i = PAGES; i-- > 0;)
		touch(o, i);
	after = stats(o);
	EXPECT_GE(PAGES / MOST + 16, after.migrate_calls - before.migrate_calls);
	EXPECT_EQ(0, own_hv_state(o, 0) == UVMEM_GFN_UVMEM);
}

/* One page, then one more, then twice as many with each fault. */
TEST_F(around, the_window_doubles)
{
	struct own *o = &self->own;

	touch(o, 20);
	EXPECT_EQ(1, out_from(o, 20));
	EXPECT_TRUE(resident(o, 19));
	touch(o, 21);
	EXPECT_EQ(3, out_from(o, 20));
	touch(o, 22); /* here already */
	EXPECT_EQ(3, out_from(o, 20));
	touch(o, 23);
	EXPECT_EQ(7, out_from(o, 20));
	EXPECT_TRUE(resident(o, 19));
	touch_from(o, 27, 200);
	EXPECT_GE(MOST, out_from(o, 227));
}

/* Two readers do not take each other for a jump. */
TEST_F(around, two_streams)
{
	struct own *o = &self->own;
	struct uvmem_stats before = stats(o), after;

	for (size_t i = 0; i < PAGES / 2; i++) {
		touch(o, i);
		touch(o, PAGES / 2 + i);
	}
	after = stats(o);
	EXPECT_GE(PAGES / MOST + 32, after.migrate_calls - before.migrate_calls);
}

/* No two of them are neighbours; each page is asked for once. */
TEST_F(around, at_random_nothing_goes_along)
{
	struct own *o = &self->own;
	struct uvmem_stats before = stats(o), after;
	uint64_t rng = SEED;
	bool done[PAGES] = { false };
	size_t n = 0;

	while (n < PAGES / 8) {
		size_t page = rnd(&rng) % (PAGES / 2) * 2;

		if (done[page])
			continue;
		done[page] = true;
		touch(o, page);
		n++;
	}
	after = stats(o);
	EXPECT_EQ(n, after.host_faults - before.host_faults);
	EXPECT_EQ(0, after.host_along - before.host_along);
	EXPECT_EQ(n, after.migrate_calls - before.migrate_calls);
}

TEST_F(around, switched_off)
{
	struct own *o = &self->own;
	struct uvmem_stats before = stats(o), after;

	ASSERT_EQ(0, uvmem_param("fault_around", 0));
	touch_from(o, 0, 100);
	after = stats(o);
	EXPECT_EQ(100, after.migrate_calls - before.migrate_calls);
	EXPECT_EQ(100, after.host_faults - before.host_faults);
	EXPECT_EQ(0, after.host_along);
}

/* Neither the pages that one call may cover nor the mapping are exceeded. */
TEST_F(around, the_window_ends_with_run_and_mapping)
{
	struct own *o = &self->own;

	touch_from(o, RUN - 7, 4); /* the third takes four pages along */
	EXPECT_EQ(7, out_from(o, RUN - 7));
	EXPECT_TRUE(resident(o, RUN));

	ASSERT_EQ(0, mprotect(o->h, 40 * page_size(), PROT_READ));
	touch_from(o, 32, 4); /* would take 35 to 38, then eight */
	touch(o, 39);
	EXPECT_FALSE(resident(o, 39));
	EXPECT_TRUE(resident(o, 40));
	ASSERT_EQ(0, mprotect(o->h, 40 * page_size(), PROT_READ | PROT_WRITE));
}

/* What went along is sealed as well, and is what it was when it comes back. */
TEST_F(around, content)
{
	uint8_t *plain = malloc(page_size()), byte;
	struct own *o = &self->own;
	struct own_vcpu v;

	ASSERT_NE(NULL, plain);
	touch_from(o, 50, 4);
	for (size_t i = 50; i < 57; i++) {
		ASSERT_FALSE(resident(o, i));
		pattern_fill(plain, i * page_size(), page_size(), SEED, 0);
		EXPECT_TRUE(is_ciphertext(o->h + i * page_size(), plain, page_size()));
	}
	ASSERT_EQ(0, own_vcpu_open(&v, o, CODE));
	for (size_t i = 50; i < 57; i++) {
		pattern_fill(plain, i * page_size(), page_size(), SEED, 0);
		ASSERT_EQ(0, own_vcpu_read(&v, i * page_size() + 123, &byte));
		EXPECT_EQ(plain[123], byte);
	}
	own_vcpu_close(&v);
	free(plain);
}

/* The guest touched pages 10 to 19 and is to keep them while it uses them. */
TEST_F(around, the_guest_keeps_what_it_uses)
{
	struct own *o = &self->own;
	struct own_vcpu v;
	uint8_t byte;

	ASSERT_EQ(0, uvmem_param("fault_around_slice_ms", FOREVER));
	ASSERT_EQ(0, own_vcpu_open(&v, o, CODE));
	ASSERT_EQ(H_SUCCESS, own_hcall(o, H_SIM_SVM_PAGE_OUT_RANGE, 10 * page_size(), 10, 0,
				       page_order(), NULL));
	for (size_t i = 10; i < 20; i++)
		ASSERT_EQ(0, own_vcpu_read(&v, i * page_size(), &byte));
	touch_from(o, 0, 10);
	EXPECT_EQ(10, out_from(o, 0));
	for (size_t i = 10; i < 20; i++)
		EXPECT_TRUE(resident(o, i));
	/* But the very page that the host wants is not denied. */
	touch(o, 10);
	EXPECT_FALSE(resident(o, 10));
	EXPECT_TRUE(resident(o, 11));
	own_vcpu_close(&v);
}

/* After that, who reads on finds windows again only after many faults. */
TEST_F(around, unseen_pages_make_it_careful)
{
	struct own *o = &self->own;
	struct uvmem_stats before, after;

	touch_from(o, 0, 8); /* the last of these faults took 7 to 14 */
	ASSERT_EQ(15, out_from(o, 0));
	ASSERT_EQ(H_SUCCESS, bring_in(o, 0, 15));
	before = stats(o);
	EXPECT_EQ(7, before.host_unseen); /* 8 to 14 */
	touch_from(o, 100, 20);
	after = stats(o);
	EXPECT_EQ(20, after.host_faults - before.host_faults);
	EXPECT_EQ(0, after.host_along - before.host_along);

	/* In order for long enough, and it learns again. */
	before = stats(o);
	touch_from(o, 200, PAGES - 200);
	after = stats(o);
	EXPECT_GE((PAGES - 200) / MOST + 64, after.migrate_calls - before.migrate_calls);
}

/* A buffer that the host reads and the guest fills again, and again. */
TEST_F(around, seen_pages_do_not)
{
	struct own *o = &self->own;
	struct uvmem_stats before, after;

	for (int i = 0; i < 4; i++) {
		before = stats(o);
		touch_from(o, 0, 512);
		after = stats(o);
		EXPECT_GE(512 / MOST + 16, after.migrate_calls - before.migrate_calls);
		ASSERT_EQ(H_SUCCESS, bring_in(o, 0, 512));
	}
	EXPECT_EQ(0, stats(o).host_unseen);
}

/* --- pages that another CPU moves ahead of the host --- */

FIXTURE(ahead)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(ahead)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(U_SUCCESS, open_secure(o));
}

FIXTURE_TEARDOWN(ahead)
{
	own_close(&self->own);
	EXPECT_EQ(0, uvmem_param("fault_ahead", 1));
	EXPECT_EQ(0, uvmem_param("fault_around_slice_ms", SLICE));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* Waits until @page is paged out; false: it was not for 20 seconds. */
static bool leaves(struct own *o, size_t page)
{
	for (int i = 0; i < 20000 && resident(o, page); i++)
		usleep(1000);
	return !resident(o, page);
}

/* The reader is in the first run, its windows are large: the second one follows. */
TEST_F(ahead, the_next_run_is_moved)
{
	uint8_t *plain = malloc(page_size());
	struct uvmem_stats before, after;
	struct own *o = &self->own;

	ASSERT_NE(NULL, plain);
	touch_from(o, 0, RUN);
	ASSERT_TRUE(leaves(o, RUN));
	ASSERT_TRUE(leaves(o, 2 * RUN - 1));
	EXPECT_TRUE(resident(o, 2 * RUN));
	for (size_t i = RUN; i < 2 * RUN; i++) {
		pattern_fill(plain, i * page_size(), page_size(), SEED, 0);
		EXPECT_TRUE(is_ciphertext(o->h + i * page_size(), plain, page_size()));
	}
	/* Whoever has read a page has waited for what the worker counts of it. */
	before = stats(o);
	EXPECT_EQ(2 * RUN, before.host_faults + before.host_along);
	/* Nothing is left of it to do, and the reader goes on with large windows. */
	touch_from(o, RUN, RUN);
	after = stats(o);
	EXPECT_EQ(before.migrate_calls, after.migrate_calls);
	touch(o, 2 * RUN);
	EXPECT_FALSE(resident(o, 2 * RUN + 1));
	free(plain);
}

TEST_F(ahead, all_of_it_is_moved_once)
{
	struct own *o = &self->own;

	touch_from(o, 0, PAGES);
	EXPECT_EQ(PAGES, out_from(o, 0));
	EXPECT_LE(PAGES, stats(o).host_faults + stats(o).host_along);
	EXPECT_GE(PAGES + RUN, stats(o).host_faults + stats(o).host_along);
	ASSERT_EQ(H_SUCCESS, bring_in(o, 0, PAGES));
	EXPECT_EQ(0, stats(o).host_unseen);
}

TEST_F(ahead, switched_off)
{
	struct own *o = &self->own;
	struct uvmem_stats before;

	ASSERT_EQ(0, uvmem_param("fault_ahead", 0));
	before = stats(o);
	touch_from(o, 0, PAGES);
	/* A call for each touch that found a resident page, and no more. */
	EXPECT_EQ(stats(o).host_faults - before.host_faults,
		  stats(o).migrate_calls - before.migrate_calls);
}

/* Not beyond what the guest uses, nor beyond the mapping. */
TEST_F(ahead, the_guest_keeps_what_it_uses)
{
	struct own *o = &self->own;
	struct own_vcpu v;
	uint8_t byte;

	ASSERT_EQ(0, uvmem_param("fault_around_slice_ms", FOREVER));
	ASSERT_EQ(0, own_vcpu_open(&v, o, CODE));
	ASSERT_EQ(H_SUCCESS,
		  own_hcall(o, H_SVM_PAGE_OUT, (RUN + 40) * page_size(), 0, page_order(), 0, NULL));
	ASSERT_EQ(0, own_vcpu_read(&v, (RUN + 40) * page_size(), &byte));
	touch_from(o, 0, RUN);
	ASSERT_TRUE(leaves(o, RUN + 39));
	EXPECT_TRUE(resident(o, RUN + 40));
	own_vcpu_close(&v);
}

TEST_F(ahead, it_ends_with_the_mapping)
{
	size_t size = (RUN + 40) * page_size();
	struct own *o = &self->own;

	ASSERT_EQ(0, mprotect(o->h, size, PROT_READ));
	touch_from(o, 0, RUN);
	ASSERT_TRUE(leaves(o, RUN + 39));
	EXPECT_TRUE(resident(o, RUN + 40));
	ASSERT_EQ(0, mprotect(o->h, size, PROT_READ | PROT_WRITE));
}

/* It is under way, or about to be, when the VM ends. */
TEST_F(ahead, the_vm_ends_meanwhile)
{
	struct own *o = &self->own;

	for (int i = 0; i < 10; i++) {
		touch_from(o, 0, 32 + i);
		if (i % 2) {
			ASSERT_EQ(0, own_off(o));
			for (size_t page = RUN; page < 2 * RUN; page++)
				EXPECT_EQ(0, o->h[page * page_size() + 123]);
		}
		own_close(o);
		ASSERT_EQ(U_SUCCESS, open_secure(o));
	}
}

/* --- the same, for a reader that has come far: a page table ahead --- */

#define TABLE 512	/* pages */
#define FAR (3 * TABLE) /* the reader is in the second table; and then there is one more */

FIXTURE(far)
{
	struct own own;
	struct usage before;
	struct own_vcpu v;
};

FIXTURE_SETUP(far)
{
	struct own *o = &self->own;

	if (page_size() > 4096)
		SKIP(return, "a page table has no more pages than a run");
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(U_SUCCESS, open_secure_with(o, FAR + TABLE));
	ASSERT_EQ(0, uvmem_param("fault_around_slice_ms", FOREVER));
	ASSERT_EQ(0, own_vcpu_open(&self->v, o, FAR + TABLE + 1));
}

FIXTURE_TEARDOWN(far)
{
	own_vcpu_close(&self->v);
	own_close(&self->own);
	EXPECT_EQ(0, uvmem_param("fault_ahead", 1));
	EXPECT_EQ(0, uvmem_param("fault_around_slice_ms", SLICE));
	EXPECT_EQ(0, usage_check(&self->before));
}

/* The guest has @page, and it does not go along with another. */
static int guest_has(struct own *o, struct own_vcpu *v, size_t page)
{
	uint8_t byte;

	if (own_hcall(o, H_SVM_PAGE_OUT, page * page_size(), 0, page_order(), 0, NULL))
		return -1;
	return own_vcpu_read(v, page * page_size(), &byte);
}

/*
 * Reads @n pages, while the worker moves the third table but @left, which the guest has, if
 * it is not 0. If the worker had no CPU in all that time it was not asked to, and the reader
 * begins anew.
 */
static bool read_two_tables(struct own *o, struct own_vcpu *v, size_t n, size_t left)
{
	for (int tries = 0; tries < 5; tries++) {
		if (left && guest_has(o, v, left))
			return false;
		touch_from(o, 0, n);
		/* What is counted from here on is the reader's. */
		if (leaves(o, FAR - 1))
			return !uvmem_param("fault_ahead", 0);
		if (bring_in(o, 0, FAR + TABLE))
			return false;
	}
	return false;
}

TEST_F(far, the_next_table_is_moved)
{
	uint8_t *plain = malloc(page_size());
	struct own *o = &self->own;
	struct uvmem_stats before;

	ASSERT_NE(NULL, plain);
	ASSERT_TRUE(read_two_tables(o, &self->v, 2 * TABLE, 0));
	before = stats(o);
	for (size_t i = 2 * TABLE; i < FAR; i++) {
		pattern_fill(plain, i * page_size(), page_size(), SEED, 0);
		ASSERT_TRUE(is_ciphertext(o->h + i * page_size(), plain, page_size()));
	}
	EXPECT_EQ(before.migrate_calls, stats(o).migrate_calls);
	EXPECT_TRUE(resident(o, FAR));
	/* The reader goes on with large windows. */
	touch(o, FAR);
	EXPECT_FALSE(resident(o, FAR + MOST - 1));
	free(plain);
}

/* Some pages were left, for the guest: behind them the windows are large at once. */
TEST_F(far, the_reader_moves_what_was_left)
{
	const size_t left = 2 * TABLE + RUN + 10, end = 2 * TABLE + 2 * RUN;
	struct own *o = &self->own;
	struct uvmem_stats before;

	ASSERT_TRUE(read_two_tables(o, &self->v, 2 * TABLE, left));
	touch_from(o, 2 * TABLE, left - 2 * TABLE);
	EXPECT_TRUE(resident(o, left));
	EXPECT_TRUE(resident(o, end - 1));
	EXPECT_FALSE(resident(o, end));
	before = stats(o);
	touch_from(o, left, end - left);
	EXPECT_GE(3, stats(o).migrate_calls - before.migrate_calls);
}

/* A touch in what the worker has moved is not the reader's. */
TEST_F(far, another_touch_does_not_lead_it_astray)
{
	const size_t left = 2 * TABLE + RUN + 10, from = TABLE + 2 * RUN;
	struct own *o = &self->own;
	struct uvmem_stats before;

	ASSERT_TRUE(read_two_tables(o, &self->v, from, left));
	touch(o, left);
	EXPECT_FALSE(resident(o, left));
	EXPECT_TRUE(resident(o, left + 1));
	before = stats(o);
	touch_from(o, from, 4 * RUN);
	EXPECT_GE(4 * RUN / MOST, stats(o).migrate_calls - before.migrate_calls);
}

/* The worker has a table's worth to do when the VM ends. */
TEST_F(far, the_vm_ends_meanwhile)
{
	struct own *o = &self->own;

	touch_from(o, 0, TABLE + 2 * RUN);
	ASSERT_EQ(0, own_off(o));
	for (size_t page = 2 * TABLE; page < FAR; page++) {
		ASSERT_EQ(0, o->h[page * page_size() + 123]);
		ASSERT_EQ(UVMEM_GFN_NORMAL, own_hv_state(o, page));
	}
}

/* --- the guest's touches --- */

FIXTURE(guest_around)
{
	struct own own;
	struct own_vcpu v;
	struct usage before;
};

FIXTURE_SETUP(guest_around)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(U_SUCCESS, open_secure(o));
	ASSERT_EQ(0, own_vcpu_open(&self->v, o, CODE));
}

FIXTURE_TEARDOWN(guest_around)
{
	own_vcpu_close(&self->v);
	own_close(&self->own);
	EXPECT_EQ(0, file_write(UV_PARAM, "32"));
	EXPECT_EQ(0, usage_check(&self->before));
}

static int64_t take_out(struct own *o, size_t first, size_t n)
{
	return own_hcall(o, H_SIM_SVM_PAGE_OUT_RANGE, first * page_size(), n, 0, page_order(),
			 NULL);
}

/* The pages from @first on that are resident, up to the first one that is not. */
static size_t in_from(struct own *o, size_t first)
{
	size_t i = first;

	while (i < PAGES && resident(o, i))
		i++;
	return i - first;
}

static uint8_t first_byte(size_t page)
{
	uint8_t *plain = malloc(page_size()), byte;

	pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
	byte = plain[0];
	free(plain);
	return byte;
}

/* Reads page after page, and finds what it wrote. */
static int guest_reads(struct own_vcpu *v, size_t first, size_t n)
{
	uint8_t byte;

	for (size_t i = first; i < first + n; i++)
		if (own_vcpu_read(v, i * page_size(), &byte) || byte != first_byte(i))
			return say("page %zu", i);
	return 0;
}

TEST_F(guest_around, in_order_takes_few_calls)
{
	struct own *o = &self->own;
	struct uvmem_stats before, after;

	ASSERT_EQ(H_SUCCESS, take_out(o, 0, PAGES));
	before = stats(o);
	ASSERT_EQ(0, own_vcpu_touch(&self->v, 0, page_size(), PAGES));
	after = stats(o);
	EXPECT_GE(PAGES / GUEST_MOST + 16, after.migrate_calls - before.migrate_calls);
	EXPECT_EQ(PAGES, after.page_ins - before.page_ins);
}

TEST_F(guest_around, the_window_doubles)
{
	struct own *o = &self->own;

	ASSERT_EQ(H_SUCCESS, take_out(o, 0, PAGES));
	ASSERT_EQ(0, guest_reads(&self->v, 20, 1));
	EXPECT_EQ(1, in_from(o, 20));
	ASSERT_EQ(0, guest_reads(&self->v, 21, 1));
	EXPECT_EQ(3, in_from(o, 20));
	ASSERT_EQ(0, guest_reads(&self->v, 22, 2));
	EXPECT_EQ(7, in_from(o, 20));
	ASSERT_EQ(0, guest_reads(&self->v, 24, 100));
	EXPECT_GE(GUEST_MOST, in_from(o, 124));
}

TEST_F(guest_around, at_random_nothing_goes_along)
{
	struct own *o = &self->own;
	struct uvmem_stats before, after;

	ASSERT_EQ(H_SUCCESS, take_out(o, 0, PAGES));
	before = stats(o);
	/* Far apart, there and back, and each page once. */
	for (size_t i = 0; i < 100; i++)
		ASSERT_EQ(0, guest_reads(&self->v, i * 389 % (PAGES / 2) * 2, 1));
	after = stats(o);
	EXPECT_EQ(100, after.page_ins - before.page_ins);
	EXPECT_EQ(100, after.migrate_calls - before.migrate_calls);
}

TEST_F(guest_around, switched_off)
{
	struct own *o = &self->own;
	struct uvmem_stats before, after;

	ASSERT_EQ(0, file_write(UV_PARAM, "0"));
	ASSERT_EQ(H_SUCCESS, take_out(o, 0, 100));
	before = stats(o);
	ASSERT_EQ(0, guest_reads(&self->v, 0, 100));
	after = stats(o);
	EXPECT_EQ(100, after.migrate_calls - before.migrate_calls);
}

static uint64_t guest_faults(void)
{
	struct uvsim_stats st;

	return uvsim_stats(&st) ? 0 : st.guest_faults;
}

/* A guest that reads on finds in its view what it has not asked for. */
TEST_F(guest_around, resident_neighbours_are_mapped)
{
	uint64_t before = guest_faults();

	ASSERT_EQ(0, own_vcpu_touch(&self->v, 0, page_size(), PAGES));
	EXPECT_GE(PAGES / GUEST_MOST + 16, guest_faults() - before);
}

/* But loses all of it with the pages. */
TEST_F(guest_around, mapped_neighbours_are_unmapped)
{
	uint64_t before;

	ASSERT_EQ(0, file_write(UV_PARAM, "8"));
	ASSERT_EQ(0, own_vcpu_touch(&self->v, 0, page_size(), 64));
	ASSERT_EQ(H_SUCCESS, take_out(&self->own, 0, PAGES));
	ASSERT_EQ(0, file_write(UV_PARAM, "0"));
	before = guest_faults();
	ASSERT_EQ(0, guest_reads(&self->v, 0, 80));
	EXPECT_EQ(80, guest_faults() - before);
}

/* What was brought in in vain is counted, and makes it careful. */
TEST_F(guest_around, unseen_pages_make_it_careful)
{
	struct own *o = &self->own;
	struct uvmem_stats before, after;
	struct uvsim_stats st, now;

	ASSERT_EQ(H_SUCCESS, take_out(o, 0, PAGES));
	ASSERT_EQ(0, uvsim_stats(&st));
	ASSERT_EQ(0, guest_reads(&self->v, 0, 4)); /* the last one brought 3 to 6 */
	ASSERT_EQ(7, in_from(o, 0));
	ASSERT_EQ(H_SUCCESS, take_out(o, 0, 7));
	ASSERT_EQ(0, uvsim_stats(&now));
	EXPECT_EQ(3, now.unseen - st.unseen); /* 4, 5 and 6 */
	EXPECT_EQ(4, now.ahead - st.ahead);
	before = stats(o);
	ASSERT_EQ(0, guest_reads(&self->v, 100, 6));
	after = stats(o);
	EXPECT_EQ(6, after.page_ins - before.page_ins);
}

/* The host spoiled a page that nobody has touched: the SVM need not know yet. */
TEST_F(guest_around, a_spoiled_neighbour)
{
	struct own *o = &self->own;
	struct uvsim_svm svm = { .lpid = o->lpid };
	uint8_t byte;

	ASSERT_EQ(H_SUCCESS, take_out(o, 0, PAGES));
	o->h[5 * page_size() + 77] ^= 1;
	ASSERT_EQ(0, guest_reads(&self->v, 0, 5)); /* the fourth would bring 3 to 6 */
	ASSERT_EQ(0, ioctl(o->uv, UVSIM_GET_SVM, &svm));
	EXPECT_EQ(UV_VM_SECURE, svm.state);
	EXPECT_EQ(UV_GFN_SEALED, own_uv_state(o, 5));
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->v, 5 * page_size(), &byte));
	ASSERT_EQ(0, ioctl(o->uv, UVSIM_GET_SVM, &svm));
	EXPECT_EQ(UV_VM_STOPPED, svm.state);
	EXPECT_EQ(UV_STOP_INTEGRITY, svm.stop_reason);
	EXPECT_EQ(5 * page_size(), svm.stop_gpa);
}

TEST_HARNESS_MAIN
