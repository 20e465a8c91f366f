// SPDX-License-Identifier: GPL-2.0
/* uvctl's parsers: what they take, and above all what they refuse. */
#include <stdlib.h>
#include <string.h>

#include "guest-tools/uvctl/parse.h"
#include "test.h"

#define UNTOUCHED 0x5a5a5a5aULL

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "0x1f", 31 },
		{ "0X1F", 31 },
		{ "010", 10 },
		{ "4K", 4096 },
		{ "4k", 4096 },
		{ "0x10M", 16ULL << 20 },
		{ "3G", 3ULL << 30 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
		{ "17179869183G", 17179869183ULL << 30 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(parse_u64(good[i].text, &v));
		assert_int_equal(v, good[i].value);
	}
}

static void bad_numbers(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1x",
		"0x",
		"0xg",
		"K",
		"4KK",
		"4KB",
		"4T",
		"1.5",
		"1e3",
		"0x1_0",
		"18446744073709551616",
		"0x10000000000000000",
		"17179869184G",
		"99999999999999999999999",
	};
	uint64_t v = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse_u64(bad[i], &v))
			fail_msg("'%s' was taken for a number", bad[i]);
		assert_int_equal(v, UNTOUCHED);
	}
	assert_true(parse_max("255", 255, &v));
	assert_false(parse_max("256", 255, &v));
}

static void seconds(void **state)
{
	static const char *const bad[] = { "",	  "0",	 "0.0", "-1",	 "1s",	   "inf", "nan",
					   "0x1", "1e3", ".5",	"1.2.3", "100000", " 1" };
	double s = 0;

	(void)state;
	assert_true(parse_seconds("0.5", &s));
	assert_true(s > 0.49 && s < 0.51);
	assert_true(parse_seconds("3", &s));
	assert_true(s > 2.9 && s < 3.1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_seconds(bad[i], &s))
			fail_msg("'%s' was taken for seconds", bad[i]);
}

static void ranges(void **state)
{
	static const struct {
		const char *text;
		unsigned int shift;
		uint64_t gpa, len;
	} good[] = {
		{ "0x400000", 12, 0x400000, 0x1000 },
		{ "0x400000", 16, 0x400000, 0x10000 },
		{ "4M+64K", 12, 0x400000, 0x10000 },
		{ "4M-5M", 12, 0x400000, 0x100000 },
		{ "0+1", 12, 0, 1 },
		{ "gfn:0x400", 12, 0x400000, 0x1000 },
		{ "gfn:0x400+3", 12, 0x400000, 0x3000 },
		{ "gfn:1-3", 16, 0x10000, 0x20000 },
		{ "0xfffffffffffff000-0xffffffffffffffff", 12, 0xfffffffffffff000, 0xfff },
	};
	uint64_t gpa, len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(parse_range(good[i].text, good[i].shift, &gpa, &len));
		assert_int_equal(gpa, good[i].gpa);
		assert_int_equal(len, good[i].len);
	}
}

static void bad_ranges(void **state)
{
	static const char *const bad[] = {
		"",
		"+",
		"-",
		"4M+",
		"4M-",
		"+4M",
		"4M+0",
		"5M-4M",
		"4M-4M",
		"4M+1M+1M",
		"4M,1M",
		"4M 1M",
		"4M..5M",
		"gfn:",
		"gfn",
		"gfn:0x10000000000000",
		"gfn:1+0xfffffffffffff",
		"0xffffffffffffffff+1",
		"0xfffffffffffff000",
		"GFN:1",
		"gfn:gfn:1",
		"0x400000-",
	};
	uint64_t gpa = UNTOUCHED, len = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse_range(bad[i], 12, &gpa, &len))
			fail_msg("'%s' was taken for a range", bad[i]);
		assert_int_equal(gpa, UNTOUCHED);
		assert_int_equal(len, UNTOUCHED);
	}
}

static void hex(void **state)
{
	static const char *const bad[] = { "", "0", "abc", "0x00", "gg", "00 ", " 00", "0g" };
	static const uint8_t want[] = { 0xde, 0xAD, 0x00, 0xff };
	size_t len;
	uint8_t *p = parse_hex("deAD00Ff", &len);

	(void)state;
	assert_non_null(p);
	assert_int_equal(len, 4);
	assert_memory_equal(p, want, 4);
	free(p);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(parse_hex(bad[i], &len));
}

static void vcpus(void **state)
{
	static const char *const bad[] = {
		"",   "4",  "0-4", "2-1",   "0,",  ",0", "0,,1",
		"-1", "0-", "ALL", "all,0", "0x1", "1 ", "99999999999999999999"
	};
	uint32_t mask;

	(void)state;
	assert_true(parse_vcpus("0", 4, &mask));
	assert_int_equal(mask, 1);
	assert_true(parse_vcpus("all", 4, &mask));
	assert_int_equal(mask, 0xf);
	assert_true(parse_vcpus("0,2-3", 4, &mask));
	assert_int_equal(mask, 0xd);
	assert_true(parse_vcpus("all", 32, &mask));
	assert_int_equal(mask, UINT32_MAX);
	assert_false(parse_vcpus("0", 0, &mask));
	assert_false(parse_vcpus("0", 33, &mask));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_vcpus(bad[i], 4, &mask))
			fail_msg("'%s' was taken for a list", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(bad_numbers), cmocka_unit_test(seconds),
		cmocka_unit_test(ranges),  cmocka_unit_test(bad_ranges),  cmocka_unit_test(hex),
		cmocka_unit_test(vcpus),
	};

	return cmocka_run_group_tests_name("tools/parse", tests, NULL, NULL);
}
