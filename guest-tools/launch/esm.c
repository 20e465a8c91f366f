// SPDX-License-Identifier: GPL-2.0
/*
 * The ESM blob in guest memory: given as a file, or made under the owner key
 * over the payload's text and what the machine's start state relies on.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../uv-sim/user/esm_blob.h"
#include "arch.h"

#define BLOB_ROOM 0x10000
#define KEY_BYTES 32

/* Reads at most @room bytes; returns their number or -1. */
static ssize_t read_file(const char *file, void *buf, size_t room)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return fail_errno("cannot open %s", file);
	while (n && len < room) {
		n = read(fd, (uint8_t *)buf + len, room - len);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	if (n < 0)
		fail_errno("cannot read %s", file);
	close(fd);
	return n < 0 ? -1 : (ssize_t)len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly 64 hex digits. */
static bool parse_hex_key(const char *text, uint8_t key[KEY_BYTES])
{
	for (unsigned int i = 0; i < KEY_BYTES; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return !text[2 * KEY_BYTES];
}

/* The key as hex digits, or a file that holds them or the 32 bytes themselves. */
static int owner_key(const char *source, uint8_t key[KEY_BYTES])
{
	char text[2 * KEY_BYTES + 3];
	ssize_t len;

	if (parse_hex_key(source, key))
		return 0;
	len = read_file(source, text, sizeof(text) - 1);
	if (len < 0)
		return fail("--owner-key is neither 64 hex digits nor a file");
	if (len == KEY_BYTES) {
		memcpy(key, text, KEY_BYTES);
		return 0;
	}
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	if (!parse_hex_key(text, key))
		return fail("%s holds no key: 32 bytes, or 64 hex digits", source);
	return 0;
}

static void say_no_blob(const struct vm *vm)
{
	fprintf(stderr, "uvlaunch: no owner key and no ESM blob: %s cannot go secure\n",
		vm->opt.id);
}

static int put_file(struct vm *vm)
{
	ssize_t len = read_file(vm->opt.esm_blob, vm->h + AGENT_ESM_BLOB_GPA, BLOB_ROOM);

	if (len == BLOB_ROOM)
		return fail("%s: a blob has less than %d bytes", vm->opt.esm_blob, BLOB_ROOM);
	if (!len)
		say_no_blob(vm);
	return len < 0 ? -1 : 0;
}

/* A wrong measurement: the blob is made of other bytes than the guest has. */
static uint8_t *measured_bytes(struct vm *vm)
{
	uint8_t *bytes = malloc(vm->payload.measured_bytes);

	if (!bytes)
		return NULL;
	memcpy(bytes, vm->h + AGENT_LOAD_GPA, vm->payload.measured_bytes);
	if (vm->opt.bad_measurement)
		bytes[vm->payload.measured_bytes - 1] ^= 1;
	return bytes;
}

static int put_made(struct vm *vm, const struct arch_range *range)
{
	uint8_t *text = measured_bytes(vm);
	struct uv_esm_range_src src[2] = {
		{ .gpa = AGENT_LOAD_GPA,
		  .data = text,
		  .len = vm->payload.measured_bytes,
		  .alg = UV_ESM_SHA256 },
		{ .gpa = range->gpa,
		  .data = vm->h + range->gpa,
		  .len = range->len,
		  .alg = UV_ESM_SHA512 },
	};
	uint8_t key[KEY_BYTES], *blob = NULL;
	size_t len = 0;
	int ret = -1;

	if (!text) {
		fail_errno("no memory for the measurement");
	} else if (!owner_key(vm->opt.owner_key, key)) {
		errno = -uv_esm_blob_build(key, vm->payload.secure_entry, src, range->len ? 2 : 1,
					   &blob, &len);
		if (errno)
			fail_errno("cannot make the ESM blob");
		else
			ret = len <= BLOB_ROOM ? 0 : fail("the ESM blob is too large");
	}
	if (!ret)
		memcpy(vm->h + AGENT_ESM_BLOB_GPA, blob, len);
	explicit_bzero(key, sizeof(key));
	free(blob);
	free(text);
	return ret;
}

/* Also puts what the measurement covers besides the payload into memory. */
int esm_put_blob(struct vm *vm)
{
	struct arch_range range;

	if (arch_boot(vm, &range))
		return -1;
	if (vm->opt.esm_blob)
		return put_file(vm);
	if (vm->opt.owner_key)
		return put_made(vm, &range);
	if (!vm->opt.normal)
		say_no_blob(vm);
	return 0;
}
