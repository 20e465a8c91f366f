// SPDX-License-Identifier: GPL-2.0
/* KTAP, version 1 (Documentation/dev-tools/ktap.rst): results in subtests. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

#define LEVELS 4

static struct {
	const char *suite;
	unsigned int results;
	bool failed;
} level[LEVELS];
static unsigned int depth;

void ktap_begin(const char *suite)
{
	if (!level[0].results && !depth && !level[0].suite)
		printf("KTAP version 1\n");
	level[0].suite = level[0].suite ? level[0].suite : "conformance";
	depth++;
	level[depth].suite = suite;
	level[depth].results = 0;
	level[depth].failed = false;
	printf("%*sKTAP version 1\n", 2 * (int)depth, "");
	printf("%*s# Subtest: %s\n", 2 * (int)depth, "", suite);
	fflush(stdout);
}

/* The plan may come last. */
void ktap_end(void)
{
	bool ok = !level[depth].failed;
	const char *suite = level[depth].suite;

	printf("%*s1..%u\n", 2 * (int)depth, "", level[depth].results);
	depth--;
	ktap_result(ok, "%s", suite);
}

void ktap_result(bool ok, const char *format, ...)
{
	va_list args;

	level[depth].results++;
	level[depth].failed |= !ok;
	printf("%*s%s %u ", 2 * (int)depth, "", ok ? "ok" : "not ok", level[depth].results);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void ktap_skip(const char *reason, const char *format, ...)
{
	va_list args;

	level[depth].results++;
	printf("%*sok %u ", 2 * (int)depth, "", level[depth].results);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" # SKIP %s\n", reason);
}

void ktap_note(const char *format, ...)
{
	va_list args;

	printf("%*s# ", 2 * (int)depth, "");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void ktap_bail(const char *why)
{
	printf("Bail out! %s\n", why);
	fflush(stdout);
	exit(1);
}

int ktap_status(void)
{
	printf("1..%u\n", level[0].results);
	fflush(stdout);
	return level[0].failed || !level[0].results;
}
