/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The story of an SVM, told step by step on the real thing: a table with what
 * the guest and the host see, and what the specification says they should.
 */
#ifndef _STORY_H
#define _STORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../lib/control.h"
#include "../../../kvm-uvmem/uapi/uvmem.h"
#include "../../../uv-sim/uapi/uv.h"

/* table.c: one row a step. A step with a failed check is FAIL and says why. */
struct step {
	const char *what;
	const char *spec;
	char guest[160];
	char host[160];
	char why[320];
	bool failed;
	bool differs; /* from the specification, and it is not our code that does */
};

void table_head(void);
void table_chapter(const char *title);
bool table_failed(void); /* up to now */
int table_end(void);	 /* exit status */

void step_begin(struct step *s, const char *what, const char *spec);
void step_guest(struct step *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void step_host(struct step *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Returns @ok; only the first failure of a step is shown. */
bool step_check(struct step *s, bool ok, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* step_check(@got == @want) that prints both. */
bool step_equal(struct step *s, const char *name, int64_t got, int64_t want);
/* Upstream's half does something else than the specification says. */
void step_differs(struct step *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void step_end(struct step *s);

/* vm.c: a VM of the story. Failures of a call are failures of step @s. */
struct cast {
	const char *id;
	pid_t pid; /* 0: not running */
	bool connected;
	int log;     /* what uvlaunch says; shown if something failed */
	size_t page; /* bytes */
	struct uvc c;
};

bool cast_start(struct step *s, struct cast *vm, const char *id, bool bad_measurement);
void cast_quit(struct step *s, struct cast *vm);
void cast_kill(struct cast *vm); /* for the end of a story that failed */

bool guest_do(struct step *s, struct cast *vm, struct agent_slot *cmd);
bool guest_write(struct step *s, struct cast *vm, uint64_t gpa, const void *buf, size_t len);
bool guest_read(struct step *s, struct cast *vm, uint64_t gpa, void *buf, size_t len);
/* Returns the U_* code; a guest that does not answer is a failed check. */
int64_t guest_ucall(struct step *s, struct cast *vm, enum agent_cmd cmd, uint64_t gpa);
bool host_read(struct step *s, struct cast *vm, uint64_t gpa, void *buf, size_t len);
bool host_write(struct step *s, struct cast *vm, uint64_t gpa, const void *buf, size_t len);
/* State of the GFN at @gpa as kvm-uvmem and as the ultravisor see it. */
bool check_gfn(struct step *s, struct cast *vm, uint64_t gpa, enum uvmem_gfn_state hv,
	       enum uv_gfn_state uv);
bool hv_states(struct step *s, struct cast *vm, uint8_t *states, enum uvmem_vm_state *vm_state);
bool hv_stats(struct step *s, struct cast *vm, struct uvmem_stats *st);
bool hv_info(struct step *s, struct cast *vm, struct uvmem_info *info);
bool uv_svm(struct step *s, struct cast *vm, struct uvsim_svm *svm);
bool uv_stats(struct step *s, struct uvsim_stats *st);

/* look.c: what bytes look like */
#define SECRET_BYTES 48
#define SECRET_GPA 0x800000ULL
#define SHARE_GPA 0x900000ULL

/* A page of the guest: @text at its start, a pattern of the agent behind it. */
struct page {
	uint64_t gpa;
	size_t bytes;
	uint8_t *model;
};

bool page_make(struct step *s, struct cast *vm, struct page *page, uint64_t gpa, const char *text);
void page_drop(struct page *page);
/* The guest reads the page: text byte by byte, all of it by checksum. */
bool page_guest_sees(struct step *s, struct cast *vm, const struct page *page);
bool page_guest_sees_zeros(struct step *s, struct cast *vm, uint64_t gpa);
/* The host reads the page through H. @seen: NULL or room for it. */
bool page_host_sees(struct step *s, struct cast *vm, const struct page *page);
bool page_host_sees_zeros(struct step *s, struct cast *vm, uint64_t gpa);
bool page_host_sees_ciphertext(struct step *s, struct cast *vm, const struct page *page,
			       uint8_t *seen);
/* A piece of @page's content is in @seen, which is a page. */
bool page_is_in(const struct page *page, const uint8_t *seen);
bool page_all_zero(const uint8_t *bytes, size_t len);
const char *bytes_text(char *buf, size_t size, const uint8_t *bytes);

/* The chapters. */
void chapter_normal(struct cast *vm, struct page *secret);
void chapter_esm(struct cast *vm, const struct page *secret);
void chapter_peek(struct cast *vm, const struct page *secret);
void chapter_share(struct cast *vm);
void chapter_unshare(struct cast *vm);
void chapter_tamper(struct cast *vm, struct cast *other, const struct page *secret,
		    struct page *other_secret);
void chapter_terminate(struct cast *vm, struct cast *other, const struct page *secret,
		       const struct page *other_secret);
void chapter_bad_measurement(struct cast *vm);

#endif /* _STORY_H */
