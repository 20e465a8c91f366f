// SPDX-License-Identifier: GPL-2.0
/* Decoding page maps: made-up entries of every kind, and this process' own. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest-tools/lib/pagemap.h"
#include "test.h"

#define PRESENT (1ULL << 63)
#define SWAP (1ULL << 62)
#define FILEMAP (1ULL << 61)
#define UFFD_WP (1ULL << 57)
#define EXCLUSIVE (1ULL << 56)
#define SOFT_DIRTY (1ULL << 55)
#define ENTRY(type, offset) (SWAP | (uint64_t)(offset) << 5 | (type))

static const struct pagemap_layout old = { .device_types = 4, .hwpoison = true };
static const struct pagemap_layout new = { .device_types = 3, .hwpoison = false };

static void present_and_holes(void **state)
{
	struct pagemap_entry e;

	(void)state;
	e = pagemap_decode(PRESENT | EXCLUSIVE | SOFT_DIRTY | 0x12345, &old, true);
	assert_int_equal(e.kind, PAGEMAP_PRESENT);
	assert_true(e.pfn_known && e.exclusive && e.soft_dirty && !e.file && !e.uffd_wp);
	assert_int_equal(e.pfn, 0x12345);
	e = pagemap_decode(PRESENT | FILEMAP | UFFD_WP | ((1ULL << 55) - 1), &old, true);
	assert_true(e.file && e.uffd_wp && !e.exclusive && !e.soft_dirty);
	assert_int_equal(e.pfn, (1ULL << 55) - 1);
	e = pagemap_decode(PRESENT, &old, false);
	assert_int_equal(e.kind, PAGEMAP_PRESENT);
	assert_false(e.pfn_known);
	assert_int_equal(pagemap_decode(0, &old, true).kind, PAGEMAP_HOLE);
	/* A fresh mapping is soft-dirty all over, also where nothing is. */
	e = pagemap_decode(SOFT_DIRTY, &old, true);
	assert_int_equal(e.kind, PAGEMAP_HOLE);
	assert_true(e.soft_dirty);
}

static void every_swap_type(void **state)
{
	static const struct {
		const struct pagemap_layout *layout;
		unsigned int first, last;
		enum pagemap_kind kind;
		unsigned int write; /* type that allows writes, 0 for none */
	} rows[] = {
		{ &old, 0, 22, PAGEMAP_SWAP, 0 },
		{ &old, 23, 23, PAGEMAP_HWPOISON, 0 },
		{ &old, 24, 26, PAGEMAP_MIGRATION, 26 },
		{ &old, 27, 28, PAGEMAP_DEVICE, 27 },
		{ &old, 29, 30, PAGEMAP_DEVICE_EXCLUSIVE, 0 },
		{ &old, 31, 31, PAGEMAP_MARKER, 0 },
		{ &new, 0, 24, PAGEMAP_SWAP, 0 },
		{ &new, 25, 27, PAGEMAP_MIGRATION, 27 },
		{ &new, 28, 29, PAGEMAP_DEVICE, 28 },
		{ &new, 30, 30, PAGEMAP_DEVICE_EXCLUSIVE, 0 },
		{ &new, 31, 31, PAGEMAP_MARKER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned int t = rows[i].first; t <= rows[i].last; t++) {
			struct pagemap_entry e =
				pagemap_decode(ENTRY(t, 0xabcde), rows[i].layout, true);
			int is_swap = e.kind == PAGEMAP_SWAP || e.kind == PAGEMAP_MARKER;

			assert_int_equal(e.kind, rows[i].kind);
			assert_int_equal(e.type, t);
			assert_int_equal(e.write, rows[i].write && t == rows[i].write);
			assert_int_equal(is_swap ? e.swap_offset : e.pfn, 0xabcde);
			assert_int_equal(e.pfn_known, !is_swap);
		}
	}
}

static void hidden_from_users(void **state)
{
	struct pagemap_entry e = pagemap_decode(SWAP, &old, false);

	(void)state;
	assert_int_equal(e.kind, PAGEMAP_HIDDEN);
	assert_false(e.pfn_known);
}

static void layout_by_version(void **state)
{
	static const struct {
		const char *release;
		unsigned int types;
	} rows[] = {
		{ "5.10.0", 4 }, { "6.12.57-test", 4 }, { "6.14.11", 4 },  { "6.15.0", 3 },
		{ "6.15", 3 },	 { "7.2.0-rc1", 3 },	{ "nonsense", 3 }, { "", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(pagemap_layout_of(rows[i].release, false, false).device_types,
				 rows[i].types);
	assert_true(pagemap_layout_of("6.12", false, false).hwpoison);
	assert_false(pagemap_layout_of("6.12", true, false).hwpoison);
	assert_true(pagemap_layout_of("6.12", true, true).hwpoison);
}

static void evidence_beats_the_version(void **state)
{
	struct pagemap_layout l = old;

	(void)state;
	assert_true(pagemap_layout_fit(&l, 0));
	assert_true(pagemap_layout_fit(&l, 1u << 27));
	assert_true(pagemap_layout_fit(&l, 1u << 27 | 1u << 28));
	assert_int_equal(l.device_types, 4);
	/* 28 alone is possible in both: the guess stands. */
	assert_true(pagemap_layout_fit(&l, 1u << 28));
	assert_int_equal(l.device_types, 4);
	assert_true(pagemap_layout_fit(&l, 1u << 28 | 1u << 29));
	assert_int_equal(l.device_types, 3);
	assert_true(pagemap_layout_fit(&l, 1u << 27));
	assert_int_equal(l.device_types, 4);
	assert_false(pagemap_layout_fit(&l, 1u << 27 | 1u << 29));
	assert_false(pagemap_layout_fit(&l, 1u << 5));
	assert_int_equal(l.device_types, 4);
}

static void own_memory(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pagemap pm;
	uint64_t raw[4];

	(void)state;
	assert_ptr_not_equal(p, MAP_FAILED);
	p[page] = 1;
	assert_int_equal(pagemap_open(&pm, getpid()), 0);
	assert_int_equal(1UL << pm.page_shift, page);
	assert_int_equal(pagemap_read(&pm, (uintptr_t)p, raw, 4), 4);
	for (unsigned int i = 0; i < 4; i++) {
		struct pagemap_entry e = pagemap_decode(raw[i], &pm.layout, pm.pfns);

		assert_int_equal(e.kind, i == 1 ? PAGEMAP_PRESENT : PAGEMAP_HOLE);
		assert_int_equal(e.pfn_known, i == 1 && pm.pfns);
		if (e.pfn_known)
			assert_int_not_equal(e.pfn, 0);
	}
	pagemap_close(&pm);
	pagemap_close(&pm);
	munmap(p, 4 * page);
}

static void no_such_process(void **state)
{
	struct pagemap pm;

	(void)state;
	assert_int_equal(pagemap_open(&pm, 0x7fffffff), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(present_and_holes),
		cmocka_unit_test(every_swap_type),
		cmocka_unit_test(hidden_from_users),
		cmocka_unit_test(layout_by_version),
		cmocka_unit_test(evidence_beats_the_version),
		cmocka_unit_test(own_memory),
		cmocka_unit_test(no_such_process),
	};

	return cmocka_run_group_tests_name("tools/pagemap", tests, NULL, NULL);
}
