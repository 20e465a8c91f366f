// SPDX-License-Identifier: GPL-2.0
/*
 * The tree of a command's output as text for people: lines "name: value",
 * tables, hex dumps. Knows nothing of what the values mean.
 */
#include <ctype.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "out.h"
#include "text.h"

#define CELL 200
#define DUMP_BYTES 16
#define MAX_COLUMNS 32

struct column {
	const char *key;
	size_t width;
	bool right;
};

static enum out_hint hint_of(struct json_object *value)
{
	return value ? (enum out_hint)(uintptr_t)json_object_get_userdata(value) : OUT_PLAIN;
}

static bool is_scalar(struct json_object *value)
{
	return !json_object_is_type(value, json_type_object) &&
	       !json_object_is_type(value, json_type_array);
}

static void size_text(char *buf, size_t size, uint64_t bytes)
{
	static const char suffix[] = "\0KMG";
	unsigned int i = 0;

	while (i < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, size, "%" PRIu64 "%.1s", bytes, &suffix[i]);
}

static void scalar_text(char *buf, size_t size, struct json_object *value)
{
	if (!value)
		snprintf(buf, size, "-");
	else if (hint_of(value) == OUT_HEX)
		snprintf(buf, size, "0x%" PRIx64, json_object_get_uint64(value));
	else if (hint_of(value) == OUT_SIZE)
		size_text(buf, size, json_object_get_uint64(value));
	else if (json_object_is_type(value, json_type_boolean))
		snprintf(buf, size, "%s", json_object_get_boolean(value) ? "yes" : "no");
	else
		snprintf(buf, size, "%s", json_object_get_string(value));
}

static void name_text(char *buf, size_t size, const char *key, bool upper)
{
	size_t i;

	for (i = 0; key[i] && i + 1 < size; i++) {
		char c = key[i] == '_' ? '-' : key[i];

		buf[i] = upper ? (char)toupper((unsigned char)c) : c;
	}
	buf[i] = '\0';
}

static uint8_t nibble(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static uint8_t byte_of(const char *hex)
{
	return (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
}

static char printable(uint8_t byte)
{
	return byte >= 0x20 && byte <= 0x7e ? (char)byte : '.';
}

/* By hand and not with printf(): a dump may be of megabytes, on a slow machine. */
static void dump_line(FILE *f, uint64_t gpa, const char *hex, size_t n)
{
	char line[4 * DUMP_BYTES + 8], *p = line, *text = line + 3 * DUMP_BYTES + 3;

	memset(line, ' ', sizeof(line));
	*text++ = '|';
	for (size_t i = 0; i < n; i++) {
		p += i % 8 == 0;
		p[0] = hex[2 * i];
		p[1] = hex[2 * i + 1];
		p += 3;
		*text++ = printable(byte_of(hex + 2 * i));
	}
	*text++ = '|';
	fprintf(f, "%012" PRIx64 " %.*s\n", gpa, (int)(text - line), line);
}

static size_t line_length(size_t left)
{
	return left < DUMP_BYTES ? left : DUMP_BYTES;
}

/* As hexdump -C does, a run of equal lines becomes one '*'. */
static void dump(FILE *f, uint64_t gpa, const char *hex)
{
	size_t total = strlen(hex) / 2;
	bool starred = false;

	for (size_t off = 0; off < total; off += DUMP_BYTES) {
		const char *line = hex + 2 * off;
		bool inside = off && off + DUMP_BYTES < total;

		if (!inside || memcmp(line, line - 2 * DUMP_BYTES, 2 * DUMP_BYTES)) {
			dump_line(f, gpa + off, line, line_length(total - off));
			starred = false;
		} else if (!starred) {
			fputs("*\n", f);
			starred = true;
		}
	}
}

static bool in_table(struct json_object *value)
{
	return hint_of(value) != OUT_QUIET && is_scalar(value);
}

static size_t column_width(struct json_object *rows, const char *key)
{
	char cell[CELL];
	size_t width;

	name_text(cell, sizeof(cell), key, true);
	width = strlen(cell);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *value;

		json_object_object_get_ex(json_object_array_get_idx(rows, i), key, &value);
		scalar_text(cell, sizeof(cell), value);
		if (strlen(cell) > width)
			width = strlen(cell);
	}
	return width;
}

/* Numbers to the right, all else to the left; nothing is padded at the end of a line. */
static void cell_print(FILE *f, const char *cell, const struct column *column, bool first,
		       bool last)
{
	int width = (int)column->width;

	fputs(first ? "" : "  ", f);
	if (column->right)
		fprintf(f, "%*s", width, cell);
	else
		fprintf(f, "%-*s", last ? 0 : width, cell);
	if (last)
		fputc('\n', f);
}

static bool is_number(struct json_object *rows, const char *key)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *value;

		json_object_object_get_ex(json_object_array_get_idx(rows, i), key, &value);
		if (value)
			return json_object_is_type(value, json_type_int);
	}
	return false;
}

static size_t columns_of(struct json_object *rows, struct column *columns)
{
	size_t n = 0;

	json_object_object_foreach(json_object_array_get_idx(rows, 0), key, value)
	{
		if (!in_table(value) || n == MAX_COLUMNS)
			continue;
		columns[n++] =
			(struct column){ key, column_width(rows, key), is_number(rows, key) };
	}
	return n;
}

static void table(FILE *f, struct json_object *rows)
{
	struct column columns[MAX_COLUMNS];
	size_t n, i, row;
	char cell[CELL];

	if (!json_object_array_length(rows)) {
		fputs("none\n", f);
		return;
	}
	n = columns_of(rows, columns);
	for (i = 0; i < n; i++) {
		name_text(cell, sizeof(cell), columns[i].key, true);
		cell_print(f, cell, &columns[i], i == 0, i == n - 1);
	}
	for (row = 0; row < json_object_array_length(rows); row++) {
		for (i = 0; i < n; i++) {
			struct json_object *value;

			json_object_object_get_ex(json_object_array_get_idx(rows, row),
						  columns[i].key, &value);
			scalar_text(cell, sizeof(cell), value);
			cell_print(f, cell, &columns[i], i == 0, i == n - 1);
		}
	}
}

static size_t widest_name(struct json_object *obj)
{
	size_t width = 0;

	json_object_object_foreach(obj, key, value)
	{
		enum out_hint hint = hint_of(value);

		if (is_scalar(value) && hint != OUT_QUIET && hint != OUT_LINE && hint != OUT_DUMP &&
		    strlen(key) > width)
			width = strlen(key);
	}
	return width;
}

static void scalar(FILE *f, struct json_object *obj, const char *key, struct json_object *value,
		   size_t width, int indent)
{
	struct json_object *gpa;
	char name[CELL], text[CELL];

	switch (hint_of(value)) {
	case OUT_QUIET:
		return;
	case OUT_LINE:
		scalar_text(text, sizeof(text), value);
		fprintf(f, "%*s%s\n", indent, "", text);
		return;
	case OUT_DUMP:
		json_object_object_get_ex(obj, "gpa", &gpa);
		dump(f, json_object_get_uint64(gpa), json_object_get_string(value));
		return;
	default:
		name_text(name, sizeof(name), key, false);
		scalar_text(text, sizeof(text), value);
		fprintf(f, "%*s%s:%*s%s\n", indent, "", name, (int)(width - strlen(name) + 2), "",
			text);
	}
}

static size_t visible(struct json_object *obj)
{
	size_t n = 0;

	json_object_object_foreach(obj, key, value)
	{
		(void)key;
		n += hint_of(value) != OUT_QUIET;
	}
	return n;
}

static void object(FILE *f, struct json_object *obj, int indent)
{
	size_t width = widest_name(obj);
	bool alone = visible(obj) == 1;
	char name[CELL];

	json_object_object_foreach(obj, key, value)
	{
		name_text(name, sizeof(name), key, false);
		if (is_scalar(value)) {
			scalar(f, obj, key, value, width, indent);
			continue;
		}
		if (json_object_is_type(value, json_type_array)) {
			if (!alone)
				fprintf(f, "%*s%s:%s", indent, "", name,
					json_object_array_length(value) ? "\n" : " ");
			table(f, value);
		} else {
			fprintf(f, "%*s%s:\n", indent, "", name);
			object(f, value, indent + 2);
		}
	}
}

void text_print(FILE *f, struct json_object *root)
{
	object(f, root, 0);
}
