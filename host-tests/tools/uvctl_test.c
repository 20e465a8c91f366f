// SPDX-License-Identifier: GPL-2.0
/*
 * uvctl as a program against a peer on its socket: what it prints, as text and
 * as JSON, and its exit status. What needs the kernel modules is tested in the
 * virtual machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "test.h"
#include "uv-sim/uapi/uv.h"

#define MAX_ARGS 24
#define TEXT 65536

static struct {
	char out[TEXT], err[TEXT];
} result;

static void slurp(FILE *f, char *buf)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, TEXT - 1, f);
	buf[n] = '\0';
	fclose(f);
}

/* Runs "uvctl LINE", split at blanks, and returns its exit status. */
static int uvctl(const char *line)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char copy[512], *argv[MAX_ARGS + 1] = { "uvctl" }, *save = NULL;
	int argc = 1, status;
	pid_t pid;

	assert_true(out && err && strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc < MAX_ARGS);
		argv[argc++] = strcmp(w, "''") ? w : "";
	}
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		execv(UVCTL, argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	slurp(out, result.out);
	slurp(err, result.err);
	if (!WIFEXITED(status))
		fail_msg("uvctl %s: killed by signal %d: %s", line, WTERMSIG(status), result.err);
	return WEXITSTATUS(status);
}

static void expect(const char *line, int want)
{
	int got = uvctl(line);

	if (got != want)
		fail_msg("uvctl %s: exit status %d instead of %d: %s", line, got, want, result.err);
}

static void expect_out(const char *line, const char *text)
{
	expect(line, 0);
	if (!strstr(result.out, text))
		fail_msg("uvctl %s: no '%s' in:\n%s", line, text, result.out);
}

/* What was printed must be one JSON object and a newline, nothing else. */
static struct json_object *json_of(const char *line, int want)
{
	struct json_tokener *tok = json_tokener_new_ex(32);
	struct json_object *root;
	size_t len;

	expect(line, want);
	len = strlen(result.out);
	assert_true(len > 1 && result.out[len - 1] == '\n');
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tok, result.out, (int)len - 1);
	if (!root || json_tokener_get_parse_end(tok) != len - 1)
		fail_msg("uvctl %s: not JSON: %s", line, result.out);
	json_tokener_free(tok);
	assert_true(json_object_is_type(root, json_type_object));
	return root;
}

/* A value by its path: "error.exit", "runs.0.pfn". */
static struct json_object *at(struct json_object *root, const char *path)
{
	char copy[128], *save = NULL;
	struct json_object *value = root;

	strcpy(copy, path);
	for (char *w = strtok_r(copy, ".", &save); w; w = strtok_r(NULL, ".", &save)) {
		if (json_object_is_type(value, json_type_array))
			value = json_object_array_get_idx(value, strtoul(w, NULL, 10));
		else if (!json_object_object_get_ex(value, w, &value))
			fail_msg("no '%s' in %s", path, json_object_to_json_string(root));
	}
	return value;
}

static void is_number(struct json_object *root, const char *path, int64_t want)
{
	assert_true(json_object_is_type(at(root, path), json_type_int));
	assert_int_equal(json_object_get_int64(at(root, path)), want);
}

static void is_string(struct json_object *root, const char *path, const char *want)
{
	assert_true(json_object_is_type(at(root, path), json_type_string));
	assert_string_equal(json_object_get_string(at(root, path)), want);
}

static int start(void **state)
{
	static struct peer p;

	peer_start(&p, "vm1", PEER_GOOD);
	p.info.secure = 1;
	*state = &p;
	return 0;
}

static int stop(void **state)
{
	peer_stop(*state);
	return 0;
}

static void restart(struct peer *p, enum peer_mode mode)
{
	peer_stop(p);
	peer_start(p, "vm1", mode);
}

/* A row: what is typed, the exit status, and what must be in the message. */
struct row {
	const char *line;
	int status;
	const char *message;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		expect(rows[i].line, rows[i].status);
		if (!strstr(result.err, rows[i].message))
			fail_msg("uvctl %s: no '%s' in: %s", rows[i].line, rows[i].message,
				 result.err);
		assert_string_equal(result.out, "");
	}
}

static void wrong_usage(void **state)
{
	static const struct row rows[] = {
		{ "''", 2, "no command ''" },
		{ "frobnicate", 2, "no command 'frobnicate'" },
		{ "--frobnicate list", 2, "frobnicate" },
		{ "list extra", 2, "usage: list" },
		{ "list --vcpu=0", 2, "does not take --vcpu" },
		{ "list --pages", 2, "does not take --pages" },
		{ "list --count=1", 2, "does not take --interval" },
		{ "peek vm1 0 --string=a", 2, "does not take --string" },
		{ "top --interval=0", 2, "not a number of seconds" },
		{ "top --count=0", 2, "not a number above 0" },
		{ "stat lpid:", 2, "not an LPID" },
		{ "stat lpid:0x100000000", 2, "not an LPID" },
		{ "stat vm/1", 2, "cannot be the ID" },
		{ "map", 2, "usage: map" },
		{ "map vm1 gfn:zero", 2, "is not START" },
		{ "map vm1 8M", 2, "does not lie in the VM's memory" },
		{ "map vm1 0-9M", 2, "does not lie in the VM's memory" },
		{ "pagemap vm1 1M-0", 2, "is not START" },
		{ "pagemap vm1 0 0", 2, "usage: pagemap" },
		{ "peek vm1", 2, "usage: peek" },
		{ "peek vm1 zero", 2, "is not an address" },
		{ "peek vm1 0x", 2, "is not an address" },
		{ "peek vm1 0 0", 2, "the length must be" },
		{ "peek vm1 0 1e3", 2, "is not a length" },
		{ "peek vm1 8M", 2, "does not lie in the VM's memory" },
		{ "peek vm1 0x7fffff 2", 2, "does not lie in the VM's memory" },
		{ "peek vm1 0xffffffffffffffff 2", 2, "does not lie in the VM's memory" },
		{ "peek vm1 0 17M", 2, "the length must be" },
		{ "poke vm1 0", 2, "either hex digits or --string" },
		{ "poke vm1 0 00 --string=a", 2, "either hex digits or --string" },
		{ "poke vm1 0 --string=", 2, "the string is empty" },
		{ "poke vm1 0 abc", 2, "not pairs of hex digits" },
		{ "poke vm1 0 0x00", 2, "not pairs of hex digits" },
		{ "poke vm1 0x7fffff aabb", 2, "does not lie in the VM's memory" },
		{ "page-in vm1 0 0", 2, "not a number of pages" },
		{ "page-out vm1 0 -- -1", 2, "not a number of pages" },
		{ "guest vm1", 2, "usage: guest" },
		{ "guest vm1 dance", 2, "no guest command 'dance'" },
		{ "guest vm1 fill 0 1", 2, "usage: fill" },
		{ "guest vm1 fill 0 1 256", 2, "is not a byte" },
		{ "guest vm1 nop --vcpu=3", 2, "no list of vCPUs" },
		{ "guest vm1 nop --vcpu=x", 2, "no list of vCPUs" },
		{ "guest vm1 read 0 --vcpu=0-1", 2, "runs on one vCPU" },
		{ "guest vm1 read 0 --hypercall", 2, "does not take --hypercall" },
		{ "guest vm1 read 8M", 2, "does not lie in the VM's memory" },
		{ "guest vm1 share 1", 2, "whole pages" },
		{ "guest vm1 share 0 1", 2, "whole pages" },
		{ "guest vm1 pattern 0 4", 2, "words of 8 bytes" },
		{ "guest vm1 pattern 0 8 seed", 2, "is not a seed" },
		{ "guest vm1 pattern 0 8 -c all", 2, "need as many pages" },
		{ "guest vm1 ucall UV_NOTHING", 2, "neither the name nor the number" },
		{ "guest vm1 ucall 1 2 3 4 5 6 7 8", 2, "usage: ucall" },
		{ "guest vm1 ucall 1 2 x", 2, "is not a number" },
		{ "guest vm1 esm blob", 2, "is not an address" },
		{ "trace extra", 2, "usage: trace" },
	};
	struct peer *p = *state;

	check_rows(rows, ARRAY_SIZE(rows));
	/* Nothing of all that may have reached the guest. */
	assert_int_equal(p->last.op, UVC_INFO);
}

static void no_such_vm(void **state)
{
	static const struct row rows[] = {
		{ "stat vm2", 3, "no VM 'vm2' runs" },
		{ "map vm2", 3, "no VM 'vm2' runs" },
		{ "pagemap vm2", 3, "no VM 'vm2' runs" },
		{ "peek vm2 0", 3, "no VM 'vm2' runs" },
		{ "poke vm2 0 00", 3, "no VM 'vm2'" },
		{ "page-in vm2 0", 3, "no VM 'vm2' runs" },
		{ "guest vm2 nop", 3, "no VM 'vm2' runs" },
		{ "quit vm2", 3, "no VM 'vm2' runs" },
		{ "terminate vm2", 3, "no VM 'vm2' runs" },
		{ "esm vm2", 3, "no VM 'vm2' runs" },
	};
	static const enum peer_mode modes[] = { PEER_MUTE, PEER_BAD_MAGIC, PEER_SHORT,
						PEER_BAD_SHIFT };

	check_rows(rows, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		restart(*state, modes[i]);
		expect("guest vm1 nop", 3);
		assert_non_null(strstr(result.err, "cannot connect to VM 'vm1'"));
	}
}

/* The descriptors that this peer hands out are of /dev/null. */
static void system_errors(void **state)
{
	static const struct row rows[] = {
		{ "map vm1", 4, "UVMEM_GET_STATE: Inappropriate ioctl" },
		{ "stat vm1", 4, "UVMEM_GET_INFO: Inappropriate ioctl" },
		{ "page-in vm1 0", 4, "UVMEM_HCALL: Inappropriate ioctl" },
		{ "page-out vm1 0 4", 4, "UVMEM_HCALL: Inappropriate ioctl" },
	};
	struct peer *p = *state;

	check_rows(rows, ARRAY_SIZE(rows));
	restart(p, PEER_BUSY);
	expect("guest vm1 nop", 4);
	assert_non_null(strstr(result.err, strerror(EBUSY)));
	p->info.secure = 0;
	expect("terminate vm1", 4);
	p->info.pid = 0x7fffffff;
	expect("peek vm1 0", 4);
	expect("pagemap vm1", 4);
}

static void normal_vm(void **state)
{
	struct peer *p = *state;
	struct json_object *root;

	p->info.lpid = 0;
	expect("map vm1", 1);
	assert_non_null(strstr(result.err, "is a normal one"));
	expect("page-in vm1 0", 1);
	expect("terminate vm1", 1);
	assert_non_null(strstr(result.err, "is a normal one"));
	root = json_of("stat vm1 --json", 0);
	is_number(root, "lpid", 0);
	is_string(root, "guest", "running");
	json_object_put(root);
}

static void refusals(void **state)
{
	static const struct row rows[] = {
		{ "guest vm1 share 8M", 1, "UV_SHARE_PAGE: -4 (U_PARAMETER: gfn is invalid)" },
		{ "share vm1 4M 8M", 1, "UV_SHARE_PAGE: -55 (U_P2: num is invalid)" },
		{ "unshare vm1 8M", 1, "UV_UNSHARE_PAGE: -4 (U_PARAMETER: gfn is invalid)" },
		{ "guest vm1 share 8M --hypercall", 1, "KVM_HC_MAP_GPA_RANGE: -22" },
		{ "esm vm1 0x1000", 1, "UV_ESM: -11 (U_PERMISSION: an integrity check" },
		{ "guest vm1 ucall 0xF1FC", 1, "call 0xf1fc: -2 (U_FUNCTION: the call is not" },
		{ "guest vm1 ucall uv_page_in 1 2", 1, "UV_PAGE_IN: -2 (U_FUNCTION" },
	};
	struct json_object *root;
	struct peer *p = *state;

	check_rows(rows, ARRAY_SIZE(rows));
	root = json_of("--json guest vm1 share 8M", 1);
	is_number(root, "error.exit", 1);
	is_number(root, "error.code", U_PARAMETER);
	is_number(root, "error.nr", UV_SHARE_PAGE);
	is_string(root, "error.call", "UV_SHARE_PAGE");
	is_string(root, "error.name", "U_PARAMETER");
	is_string(root, "error.meaning", "gfn is invalid");
	json_object_put(root);
	p->info.secure = 0;
	expect("guest vm1 unshare-all", 1);
	assert_non_null(strstr(result.err, "-75 (U_INVALID: the VM is not secure)"));
}

static void stopped_guest(void **state)
{
	struct json_object *root;

	restart(*state, PEER_STOPPED);
	expect("guest vm1 read 0x5000", 1);
	/* The escape sequence in the reason must not reach a terminal. */
	assert_non_null(strstr(result.err, "the guest has stopped: tag of 0x5000?[31m does not"));
	root = json_of("guest vm1 read 0x5000 -j", 1);
	is_number(root, "error.stop_gpa", 0x5000);
	is_string(root, "error.guest", "stopped");
	is_string(root, "error.stop_text", "tag of 0x5000?[31m does not verify");
	json_object_put(root);
}

static void lists(void **state)
{
	struct json_object *root = json_of("list --json", 0);

	(void)state;
	assert_true(json_object_array_length(at(root, "vms")) >= 1);
	is_string(root, "vms.0.id", "vm1");
	is_number(root, "vms.0.lpid", PEER_LPID);
	is_number(root, "vms.0.pid", getpid());
	is_number(root, "vms.0.vcpus", PEER_VCPUS);
	is_number(root, "vms.0.mem_bytes", PEER_MEM);
	is_string(root, "vms.0.guest", "running");
	json_object_put(root);
	expect_out("list", "vm1");
	assert_non_null(strstr(result.out, "8M"));
}

static void peeks_and_pokes(void **state)
{
	struct peer *p = *state;
	struct json_object *root;

	strcpy((char *)p->mem + 0x3000, "what the host sees");
	expect_out("peek vm1 0x3000 20",
		   "000000003000  77 68 61 74 20 74 68 65  20 68 6f 73 74 20 73 65  |what the host "
		   "se|\n"
		   "000000003010  65 73 00 00                                       |es..|\n");
	root = json_of("peek vm1 0x3000 4 --json", 0);
	is_string(root, "id", "vm1");
	is_number(root, "gpa", 0x3000);
	is_number(root, "len", 4);
	is_string(root, "data", "77686174");
	json_object_put(root);
	expect_out("peek vm1 1M 64K", "\n*\n");
	/* All of memory, in no time: nothing may be quadratic in the length. */
	alarm(60);
	expect("peek vm1 0 8M", 0);
	alarm(0);
	expect("poke vm1 0x3000 41FF", 0);
	assert_memory_equal(p->mem + 0x3000,
			    "\x41\xff"
			    "at",
			    4);
	expect("poke vm1 12K --string=hello", 0);
	assert_memory_equal(p->mem + 0x3000, "hello", 5);
	expect("poke vm1 0x7fffff 5a", 0);
	assert_int_equal(p->mem[PEER_MEM - 1], 0x5a);
}

static void agent_memory(void **state)
{
	struct peer *p = *state;
	struct json_object *root;
	uint8_t want[300];

	expect("guest vm1 write 0x5000 --string=secret -c 1", 0);
	assert_int_equal(p->last.vcpu, 1);
	assert_memory_equal(p->mem + 0x5000, "secret", 6);
	expect_out("guest vm1 read 0x5000 6", "|secret|");
	/* More than a mailbox slot holds, at an odd place. */
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = p->mem[0x6001 + i] = (uint8_t)(i * 7);
	root = json_of("guest vm1 read 0x6001 300 -j", 0);
	for (size_t i = 0; i < sizeof(want); i++) {
		unsigned int byte;

		sscanf(json_object_get_string(at(root, "data")) + 2 * i, "%2x", &byte);
		assert_int_equal(byte, want[i]);
	}
	is_number(root, "vcpu", 0);
	is_string(root, "command", "read");
	json_object_put(root);
	expect("guest vm1 fill 0x8000 8K 0xA5", 0);
	assert_int_equal(p->mem[0x8000], 0xa5);
	assert_int_equal(p->mem[0x9fff], 0xa5);
	assert_int_equal(p->mem[0xa000], 0);
	/* FNV-1a 64 of "a", from its authors' test vectors. */
	expect("guest vm1 write 0x5000 61", 0);
	expect_out("guest vm1 checksum 0x5000 1", "0xaf63dc4c8601ec8c\n");
}

static void agent_calls(void **state)
{
	struct peer *p = *state;
	struct json_object *root;

	p->info.secure = 0;
	expect_out("esm vm1", "UV_ESM: 0 (U_SUCCESS: success)");
	memset(p->mem + 0x10000, 1, 0x4000);
	root = json_of("share vm1 0x10000 16K --json", 0);
	is_number(root, "ret", 0);
	is_string(root, "name", "U_SUCCESS");
	is_string(root, "call", "UV_SHARE_PAGE");
	json_object_put(root);
	assert_int_equal(p->last.agent.len, 0x4000);
	assert_int_equal(p->mem[0x10000], 0);
	expect("unshare vm1 0x10000 --hypercall", 0);
	assert_int_equal(p->last.agent.arg0, AGENT_BY_HYPERCALL);
	assert_int_equal(p->last.agent.cmd, AGENT_UNSHARE);
	expect("guest vm1 unshare-all", 0);
	expect_out("guest vm1 random", "0xfeedfacecafebeef\n");
	root = json_of("guest vm1 ucall UV_ESM 0x11 2 3 4 5 0xffffffffffffffff --json", 0);
	is_string(root, "r4", "0x0000000000000011");
	is_string(root, "r5", "0xffffffffffffffff");
	json_object_put(root);
	assert_int_equal(p->last.agent.arg0, UV_ESM);
	expect("guest vm1 nop --vcpu=all", 0);
	assert_int_equal(p->last.vcpu, 2);
}

static void patterns(void **state)
{
	struct peer *p = *state;
	struct json_object *root;

	root = json_of("guest vm1 pattern 4M 64K 99 3 --vcpu=all --json", 0);
	assert_int_equal(json_object_array_length(at(root, "vcpus")), 3);
	is_number(root, "vcpus.0.gpa", 4 << 20);
	is_number(root, "vcpus.2.mismatches", 0);
	/* Dealt out without a gap, to the end. */
	assert_int_equal(json_object_get_int64(at(root, "vcpus.2.gpa")) +
				 json_object_get_int64(at(root, "vcpus.2.len")),
			 (4 << 20) + (64 << 10));
	json_object_put(root);
	expect("guest vm1 verify 4M 64K 99 2", 0);
	expect("guest vm1 verify 4M 64K 99 1", 1);
	p->mem[(4 << 20) + 0x1238] ^= 1;
	root = json_of("guest vm1 verify 4M 64K 99 2 -j", 1);
	is_number(root, "error.mismatches", 1);
	is_number(root, "error.first_gpa", (4 << 20) + 0x1238);
	json_object_put(root);
	assert_non_null(
		strstr(result.err, "1 words differ from the pattern, first at GPA 0x401238"));
}

static void page_maps(void **state)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct peer *p = *state;
	struct json_object *root;

	p->mem[0] = 1;
	p->mem[2 * page] = 1;
	p->mem[3 * page] = 1;
	root = json_of("pagemap vm1 gfn:0+8 -j", 0);
	is_number(root, "page_size", (int64_t)page);
	is_number(root, "pid", getpid());
	assert_int_equal(json_object_array_length(at(root, "runs")), 4);
	is_string(root, "runs.0.kind", "present");
	is_string(root, "runs.1.kind", "hole");
	assert_null(at(root, "runs.1.pfn"));
	is_number(root, "runs.2.gfn", 2);
	is_number(root, "runs.2.gpa", (int64_t)(2 * page));
	is_number(root, "runs.2.pages", 2);
	is_number(root, "runs.3.pages", 4);
	if (json_object_get_boolean(at(root, "pfns_shown")))
		assert_true(json_object_get_int64(at(root, "runs.0.pfn")) > 0);
	json_object_put(root);
	root = json_of("pagemap vm1 gfn:0+8 -j --pages", 0);
	assert_int_equal(json_object_array_length(at(root, "runs")), 8);
	json_object_put(root);
	expect_out("pagemap vm1", "present");
}

static void ends(void **state)
{
	struct peer *p = *state;

	expect_out("terminate vm1", "terminated");
	assert_int_equal(p->last.op, UVC_SVM_OFF);
	expect_out("guest vm1 exit", "exited");
	expect("guest vm1 nop", 3);
	p->info.pid = 0x7fffffff; /* nobody to wait for */
	expect_out("quit vm1", "ended");
	assert_int_equal(p->last.op, UVC_QUIT);
}

/* Errors that have no result to show are JSON too. */
static void json_errors(void **state)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{ "--json nonsense", 2 }, { "map vm1 x --json", 2 }, { "stat vm2 --json", 3 },
		{ "map vm1 --json", 4 },  { "-j list --pages", 2 },  { "-j guest vm1 read 8M", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct json_object *root = json_of(rows[i].line, rows[i].status);

		is_number(root, "error.exit", rows[i].status);
		assert_true(json_object_is_type(at(root, "error.message"), json_type_string));
		assert_int_equal(json_object_object_length(root), 1);
		json_object_put(root);
	}
}

static void help(void **state)
{
	(void)state;
	expect_out("--help", "pagemap ID [RANGE]");
	expect_out("--help", "unshare-all");
	expect_out("--version", "uvctl");
	expect("''", 2);
}

#define VM_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VM_TEST(wrong_usage), VM_TEST(no_such_vm),	VM_TEST(system_errors),
		VM_TEST(normal_vm),   VM_TEST(refusals),	VM_TEST(stopped_guest),
		VM_TEST(lists),	      VM_TEST(peeks_and_pokes), VM_TEST(agent_memory),
		VM_TEST(agent_calls), VM_TEST(patterns),	VM_TEST(page_maps),
		VM_TEST(ends),	      VM_TEST(json_errors),	VM_TEST(help),
	};

	return cmocka_run_group_tests_name("tools/uvctl", tests, NULL, NULL);
}
