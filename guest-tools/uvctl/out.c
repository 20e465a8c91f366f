// SPDX-License-Identifier: GPL-2.0
/*
 * Building the tree of a command's output. A value's hint is kept in json-c's
 * user data, which JSON output ignores.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "text.h"

static void *checked(void *p)
{
	if (!p) {
		fputs("uvctl: out of memory\n", stderr);
		exit(4);
	}
	return p;
}

static void member(struct json_object *obj, const char *key, struct json_object *value,
		   enum out_hint hint)
{
	json_object_set_userdata(checked(value), (void *)(uintptr_t)hint, NULL);
	if (json_object_object_add(obj, key, value))
		checked(NULL);
}

struct json_object *out_new(void)
{
	return checked(json_object_new_object());
}

void out_free(struct json_object *root)
{
	json_object_put(root);
}

void out_u64(struct json_object *obj, const char *key, uint64_t value, enum out_hint hint)
{
	member(obj, key, json_object_new_uint64(value), hint);
}

void out_s64(struct json_object *obj, const char *key, int64_t value, enum out_hint hint)
{
	member(obj, key, json_object_new_int64(value), hint);
}

void out_bool(struct json_object *obj, const char *key, bool value, enum out_hint hint)
{
	member(obj, key, json_object_new_boolean(value), hint);
}

/* json-c stands for null by no object at all. */
void out_null(struct json_object *obj, const char *key)
{
	if (json_object_object_add(obj, key, NULL))
		checked(NULL);
}

char *out_printable(char *s)
{
	for (char *p = s; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	return s;
}

void out_str(struct json_object *obj, const char *key, const char *value, enum out_hint hint)
{
	char *copy;

	if (!value) {
		out_null(obj, key);
		return;
	}
	copy = checked(strdup(value));
	member(obj, key, json_object_new_string(out_printable(copy)), hint);
	free(copy);
}

void out_word(struct json_object *obj, const char *key, uint64_t value, enum out_hint hint)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%016" PRIx64, value);
	member(obj, key, json_object_new_string(text), hint);
}

void out_bytes(struct json_object *obj, const char *key, const void *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *bytes = p;
	char *text = checked(malloc(2 * len + 1));

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = hex[bytes[i] >> 4];
		text[2 * i + 1] = hex[bytes[i] & 15];
	}
	text[2 * len] = '\0';
	member(obj, key, json_object_new_string(text), OUT_DUMP);
	free(text);
}

struct json_object *out_object(struct json_object *obj, const char *key)
{
	struct json_object *value = out_new();

	member(obj, key, value, OUT_PLAIN);
	return value;
}

struct json_object *out_array(struct json_object *obj, const char *key)
{
	struct json_object *value = json_object_new_array();

	member(obj, key, value, OUT_PLAIN);
	return value;
}

struct json_object *out_row(struct json_object *array)
{
	struct json_object *row = out_new();

	if (json_object_array_add(array, row))
		checked(NULL);
	return row;
}

int out_print(FILE *f, struct json_object *root, bool json)
{
	if (json)
		fprintf(f, "%s\n",
			(char *)checked((void *)(uintptr_t)json_object_to_json_string_ext(
				root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	else
		text_print(f, root);
	return fflush(f) || ferror(f) ? -1 : 0;
}
