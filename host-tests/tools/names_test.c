// SPDX-License-Identifier: GPL-2.0
/*
 * Names of numbers. The header of the ABI is read as text, so that a code or a
 * call that is added to it and has no name here fails.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/lib/control.h"
#include "guest-tools/lib/names.h"
#include "kvm-uvmem/uapi/uvmem.h"
#include "test.h"
#include "uv-sim/uapi/uv.h"

struct define {
	char name[48], value[48];
};

static size_t read_defines(struct define *d, size_t room)
{
	FILE *f = fopen(TOP "/uv-sim/uapi/uv.h", "r");
	char line[200];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "#define %47s %47s", d[n].name, d[n].value) != 2)
			continue;
		assert_true(++n < room);
	}
	fclose(f);
	return n;
}

static const char *value_of(const struct define *d, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(d[i].name, value))
			return value_of(d, n, d[i].value);
	return value;
}

static int is_code(const char *value)
{
	return value[0] == '-' || (isdigit((unsigned char)value[0]) && value[1] != 'x');
}

/* Names that another of the same number has displaced: see papr_uv_name(). */
static int displaced(const char *name)
{
	return !strcmp(name, "U_INVALID") || !strcmp(name, "U_NO_KEY");
}

static void every_code_has_its_name(void **state)
{
	static struct define d[200];
	size_t n = read_defines(d, ARRAY_SIZE(d)), codes = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const char *value = value_of(d, n, d[i].value);
		const char *name;

		if (!is_code(value) || (strncmp(d[i].name, "H_", 2) && strncmp(d[i].name, "U_", 2)))
			continue;
		codes++;
		name = d[i].name[0] == 'H' ? papr_name(atoi(value)) : papr_uv_name(atoi(value));
		assert_non_null(name);
		if (!displaced(d[i].name))
			assert_string_equal(name, d[i].name);
		assert_non_null(papr_meaning(atoi(value)));
	}
	assert_true(codes >= 28);
}

static int is_call(const char *name)
{
	return !strcmp(name, "H_RANDOM") || !strncmp(name, "H_SVM_", 6) ||
	       !strncmp(name, "H_SIM_SVM_", 10) ||
	       (!strncmp(name, "UV_", 3) && strncmp(name, "UV_PATE", 7) &&
		strncmp(name, "UV_SIM", 6) && strcmp(name, "UV_SNAPSHOT"));
}

static void every_call_has_its_name(void **state)
{
	static struct define d[200];
	size_t n = read_defines(d, ARRAY_SIZE(d)), calls = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint64_t nr, back;
		const char *name;

		if (!is_call(d[i].name))
			continue;
		calls++;
		nr = strtoull(d[i].value, NULL, 0);
		name = d[i].name[0] == 'H' ? hcall_name(nr) : ucall_name(nr);
		if (!name)
			fail_msg("%s has no name", d[i].name);
		assert_string_equal(name, d[i].name);
		assert_true(call_by_name(d[i].name, &back));
		assert_int_equal(back, nr);
	}
	assert_int_equal(calls, 12 + 7 + 1);
}

static void unknown_numbers(void **state)
{
	uint64_t nr = 1;

	(void)state;
	assert_null(papr_name(-3));
	assert_null(papr_uv_name(-67));
	assert_null(papr_meaning(12345));
	assert_null(ucall_name(0xF100));
	assert_null(hcall_name(0xF130));
	assert_false(call_by_name("UV_", &nr));
	assert_false(call_by_name("", &nr));
	assert_int_equal(nr, 1);
	assert_string_equal(uv_gfn_state_name(77), "unknown");
	assert_string_equal(uv_vm_state_name(0xffffffff), "unknown");
	assert_string_equal(agent_cmd_name(AGENT_EXIT + 1), "unknown");
}

static void states(void **state)
{
	(void)state;
	assert_string_equal(uvmem_gfn_state_name(UVMEM_GFN_UVMEM), "uvmem");
	assert_string_equal(uvmem_gfn_state_name(UVMEM_GFN_NOSLOT), "noslot");
	assert_string_equal(uv_gfn_state_name(UV_GFN_SHARED_UNMAPPED), "shared-unmapped");
	assert_string_equal(uv_gfn_state_name(UV_GFN_NOSLOT), "noslot");
	assert_string_equal(uv_vm_state_name(UV_VM_STOPPED), "stopped");
	assert_string_equal(uvmem_vm_state_name(UVMEM_VM_TRANSIENT), "transient");
	assert_string_equal(uv_stop_reason_name(UV_STOP_INTEGRITY), "integrity");
	assert_string_equal(uvc_guest_state_name(UVC_GUEST_EXITED), "exited");
	for (unsigned int i = 0; i <= AGENT_EXIT; i++)
		assert_string_not_equal(agent_cmd_name(i), "unknown");
	for (unsigned int i = 0; i <= UV_STOP_TERMINATED; i++) {
		assert_string_not_equal(uv_stop_reason_name(i), "unknown");
		assert_string_not_equal(uv_stop_reason_text(i), "unknown");
	}
}

static void descriptions(void **state)
{
	static const struct {
		uint64_t nr;
		int64_t code;
		const char *text;
	} rows[] = {
		{ UV_SHARE_PAGE, U_PARAMETER, "UV_SHARE_PAGE: -4 (U_PARAMETER: gfn is invalid)" },
		{ UV_SHARE_PAGE, U_P2, "UV_SHARE_PAGE: -55 (U_P2: num is invalid)" },
		{ UV_SHARE_PAGE, U_INVALID,
		  "UV_SHARE_PAGE: -75 (U_INVALID: the VM is not secure)" },
		{ UV_SHARE_PAGE, U_SUCCESS, "UV_SHARE_PAGE: 0 (U_SUCCESS: success)" },
		{ UV_ESM, U_RETRY, "UV_ESM: -5 (U_RETRY: not enough memory for the SVM)" },
		{ UV_ESM, U_NO_KEY, "UV_ESM: 3 (U_NO_KEY: the ultravisor has no owner key)" },
		{ H_SVM_INIT_START, H_STATE,
		  "H_SVM_INIT_START: -75 (H_STATE: the VM cannot begin to go secure)" },
		{ H_SVM_PAGE_OUT, H_BUSY, "H_SVM_PAGE_OUT: 1 (H_BUSY: busy, try again)" },
		{ H_RANDOM, H_HARDWARE, "H_RANDOM: -1 (H_HARDWARE: hardware error)" },
		{ 0x1234, U_FUNCTION, "call 0x1234: -2 (U_FUNCTION: the call is not supported)" },
		{ UV_ESM, -999, "UV_ESM: -999 (no code of the specification)" },
	};
	char buf[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		call_describe(buf, sizeof(buf), rows[i].nr, rows[i].code);
		assert_string_equal(buf, rows[i].text);
	}
	call_describe(buf, 6, UV_ESM, 0);
	assert_string_equal(buf, "UV_ES");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_its_name),
		cmocka_unit_test(every_call_has_its_name),
		cmocka_unit_test(unknown_numbers),
		cmocka_unit_test(states),
		cmocka_unit_test(descriptions),
	};

	return cmocka_run_group_tests_name("tools/names", tests, NULL, NULL);
}
