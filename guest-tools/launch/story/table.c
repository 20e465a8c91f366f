// SPDX-License-Identifier: GPL-2.0
/* The table: columns of fixed width, cells broken between words. */
#include <stdio.h>
#include <string.h>

#include "story.h"

enum { COL_WHAT, COL_GUEST, COL_HOST, COL_SPEC, COL_VERDICT, COLUMNS };

static const int width[COLUMNS] = { 27, 30, 34, 33, 7 };
static unsigned int steps, failures, differences;

/* How much of @text goes on one line of @room; steps over the blank behind it. */
static size_t take_line(const char **text, size_t room)
{
	size_t len = strlen(*text), cut = room;

	if (len <= room) {
		*text += len;
		return len;
	}
	while (cut && (*text)[cut] != ' ')
		cut--;
	if (!cut) {
		*text += room;
		return room;
	}
	*text += cut + 1;
	return cut;
}

static void print_row(const char *const cells[COLUMNS])
{
	const char *rest[COLUMNS];
	bool more = true;

	memcpy(rest, cells, sizeof(rest));
	while (more) {
		more = false;
		for (int i = 0; i < COLUMNS; i++) {
			const char *line = rest[i];
			int len = (int)take_line(&rest[i], (size_t)width[i]);

			/* No blank at the end of a line. */
			printf("%s%s%.*s", i ? " |" : "", i && (len || i < COLUMNS - 1) ? " " : "",
			       len, line);
			if (i < COLUMNS - 1)
				printf("%*s", width[i] - len, "");
			more |= *rest[i] != '\0';
		}
		putchar('\n');
	}
	fflush(stdout);
}

static void print_rule(void)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (i)
			fputs("-+-", stdout);
		for (int j = 0; j < width[i]; j++)
			putchar('-');
	}
	putchar('\n');
}

void table_head(void)
{
	static const char *const head[COLUMNS] = { "step", "what the guest sees",
						   "what the host sees",
						   "what the specification says", "verdict" };

	print_row(head);
	print_rule();
}

void table_chapter(const char *title)
{
	printf("\n%s\n", title);
	print_rule();
	fflush(stdout);
}

bool table_failed(void)
{
	return failures;
}

int table_end(void)
{
	if (differences)
		printf("%u steps differ from the specification, see docs/upstream-findings.md\n",
		       differences);
	printf("run: %u steps, %u failed\n", steps, failures);
	return failures || !steps;
}

void step_begin(struct step *s, const char *what, const char *spec)
{
	*s = (struct step){ .what = what, .spec = spec };
}

/* Later words follow earlier ones. */
static void append(char *to, size_t size, const char *format, va_list args)
{
	size_t len = strlen(to);

	if (len && len < size - 3) {
		strcpy(to + len, ", ");
		len += 2;
	}
	vsnprintf(to + len, size - len, format, args);
}

void step_guest(struct step *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(s->guest, sizeof(s->guest), format, args);
	va_end(args);
}

void step_host(struct step *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(s->host, sizeof(s->host), format, args);
	va_end(args);
}

bool step_check(struct step *s, bool ok, const char *format, ...)
{
	va_list args;

	if (ok || s->failed)
		return ok;
	s->failed = true;
	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
	return false;
}

bool step_equal(struct step *s, const char *name, int64_t got, int64_t want)
{
	return step_check(s, got == want, "%s is %lld, not %lld", name, (long long)got,
			  (long long)want);
}

void step_differs(struct step *s, const char *format, ...)
{
	va_list args;

	if (s->failed || s->differs)
		return;
	s->differs = true;
	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
}

static const char *verdict(const struct step *s)
{
	if (s->failed)
		return "FAIL";
	return s->differs ? "differs" : "ok";
}

void step_end(struct step *s)
{
	const char *const cells[COLUMNS] = { s->what, s->guest, s->host, s->spec, verdict(s) };

	steps++;
	failures += s->failed;
	differences += s->differs && !s->failed;
	print_row(cells);
	if (s->failed)
		printf("    FAIL: %s\n", s->why);
	else if (s->differs)
		printf("    upstream: %s\n", s->why);
	fflush(stdout);
}
