// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at a page from both sides. Whole pages are compared: the model of a
 * page is its text and, behind it, words the agent wrote by pattern.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../payloads/pattern.h"
#include "story.h"

#define PATTERN_SEED 0x5eed
#define WINDOW 16

/* The first bytes: as text if they are text, else as hex digits. */
const char *bytes_text(char *buf, size_t size, const uint8_t *bytes)
{
	size_t n = 0;

	while (n < SECRET_BYTES && isprint(bytes[n]))
		n++;
	if (n >= 8 && (n == SECRET_BYTES || !bytes[n]))
		snprintf(buf, size, "\"%.*s\"", (int)n, (const char *)bytes);
	else
		snprintf(buf, size, "%02x%02x%02x%02x%02x%02x%02x%02x...", bytes[0], bytes[1],
			 bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
	return buf;
}

bool page_all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Of a window the first three bytes, as an index. */
static size_t window_start(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];
}

/*
 * Whether any WINDOW bytes in a row of @plain are anywhere in @seen. Pages of
 * 64 KiB are too large to compare each window with each: first it is noted how
 * windows of @plain start, and few of @seen start like one of them.
 */
static bool has_window(const uint8_t *seen, const uint8_t *plain, size_t len)
{
	static uint8_t starts[1 << 24];

	memset(starts, 0, sizeof(starts));
	for (size_t i = 0; i + WINDOW <= len; i++)
		starts[window_start(plain + i)] = 1;
	for (size_t i = 0; i + WINDOW <= len; i++)
		if (starts[window_start(seen + i)] && memmem(plain, len, seen + i, WINDOW))
			return true;
	return false;
}

bool page_make(struct step *s, struct cast *vm, struct page *page, uint64_t gpa, const char *text)
{
	struct agent_slot cmd = {
		.cmd = AGENT_PATTERN,
		.gpa = gpa + SECRET_BYTES,
		.len = vm->page - SECRET_BYTES,
		.arg0 = PATTERN_SEED,
		.arg1 = 1,
	};

	*page = (struct page){ .gpa = gpa, .bytes = vm->page, .model = calloc(1, vm->page) };
	if (!step_check(s, page->model != NULL, "no memory"))
		return false;
	strncpy((char *)page->model, text, SECRET_BYTES - 1);
	for (size_t at = SECRET_BYTES; at < page->bytes; at += sizeof(uint64_t)) {
		uint64_t word = agent_pattern(PATTERN_SEED, gpa + at, 0);

		memcpy(page->model + at, &word, sizeof(word));
	}
	return guest_write(s, vm, gpa, page->model, SECRET_BYTES) && guest_do(s, vm, &cmd) &&
	       step_equal(s, "the guest's pattern", cmd.ret, 0);
}

void page_drop(struct page *page)
{
	free(page->model);
	page->model = NULL;
}

static bool guest_checksum(struct step *s, struct cast *vm, uint64_t gpa, uint64_t want)
{
	struct agent_slot cmd = { .cmd = AGENT_CHECKSUM, .gpa = gpa, .len = vm->page };

	return guest_do(s, vm, &cmd) &&
	       step_check(s, (uint64_t)cmd.ret == want,
			  "the guest's page has checksum %llx, not %llx",
			  (unsigned long long)cmd.ret, (unsigned long long)want);
}

bool page_guest_sees(struct step *s, struct cast *vm, const struct page *page)
{
	uint8_t seen[SECRET_BYTES];
	char text[80];

	if (!guest_read(s, vm, page->gpa, seen, sizeof(seen)))
		return false;
	step_guest(s, "reads %s", bytes_text(text, sizeof(text), seen));
	return step_check(s, !memcmp(seen, page->model, sizeof(seen)),
			  "the guest does not read what it wrote") &&
	       guest_checksum(s, vm, page->gpa,
			      agent_fnv(AGENT_FNV_START, page->model, page->bytes));
}

bool page_guest_sees_zeros(struct step *s, struct cast *vm, uint64_t gpa)
{
	uint8_t seen[SECRET_BYTES], *zeros = calloc(1, vm->page);
	bool ok;

	ok = step_check(s, zeros != NULL, "no memory") &&
	     guest_read(s, vm, gpa, seen, sizeof(seen));
	if (ok) {
		char text[80];

		step_guest(s, "reads %s", bytes_text(text, sizeof(text), seen));
		ok = guest_checksum(s, vm, gpa, agent_fnv(AGENT_FNV_START, zeros, vm->page));
	}
	free(zeros);
	return ok;
}

/* Reads a page as the host; the caller frees it. NULL after a failed check. */
static uint8_t *host_page(struct step *s, struct cast *vm, uint64_t gpa)
{
	uint8_t *seen = malloc(vm->page);
	char text[80];

	if (!step_check(s, seen != NULL, "no memory") || !host_read(s, vm, gpa, seen, vm->page)) {
		free(seen);
		return NULL;
	}
	step_host(s, "reads %s", bytes_text(text, sizeof(text), seen));
	return seen;
}

bool page_host_sees(struct step *s, struct cast *vm, const struct page *page)
{
	uint8_t *seen = host_page(s, vm, page->gpa);
	bool ok = seen && step_check(s, !memcmp(seen, page->model, page->bytes),
				     "the host does not read what the guest wrote");

	free(seen);
	return ok;
}

bool page_host_sees_zeros(struct step *s, struct cast *vm, uint64_t gpa)
{
	uint8_t *seen = host_page(s, vm, gpa);
	bool ok = seen && step_check(s, page_all_zero(seen, vm->page), "the page is not all zero");

	free(seen);
	return ok;
}

/* For many pages: looks for the text anywhere, for the rest where it was. */
bool page_is_in(const struct page *page, const uint8_t *seen)
{
	bool found = memmem(seen, page->bytes, page->model, SECRET_BYTES);

	for (size_t i = 0; !found && i + WINDOW <= page->bytes; i += WINDOW)
		found = !page_all_zero(page->model + i, WINDOW) &&
			!memcmp(seen + i, page->model + i, WINDOW);
	return found;
}

bool page_host_sees_ciphertext(struct step *s, struct cast *vm, const struct page *page,
			       uint8_t *copy)
{
	uint8_t *seen = host_page(s, vm, page->gpa);
	bool ok = seen &&
		  step_check(s, !page_all_zero(seen, page->bytes),
			     "the host reads zeros, not ciphertext") &&
		  step_check(s, !has_window(seen, page->model, page->bytes),
			     "%d bytes of the plaintext are in what the host reads", WINDOW);

	if (ok && copy)
		memcpy(copy, seen, page->bytes);
	free(seen);
	return ok;
}
