/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command prints. A command builds one tree of named values; it is
 * printed as JSON or, from the same tree, as text, so the two cannot differ.
 *
 * In text, an object is lines "name: value" and an array of objects a table.
 * Hints on values say how text shows them; JSON is always the bare value.
 *
 * Running out of memory ends the program: there is nothing to clean up.
 */
#ifndef _UVCTL_OUT_H
#define _UVCTL_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;

enum out_hint {
	OUT_PLAIN,
	OUT_HEX,   /* a number: 0x... */
	OUT_SIZE,  /* a number of bytes: 64M */
	OUT_QUIET, /* JSON only */
	OUT_LINE,  /* the value alone on its line */
	OUT_DUMP,  /* a string of hex digits: a hex dump; its address is the
		    * object's member "gpa"
		    */
};

struct json_object *out_new(void);
void out_free(struct json_object *root); /* NULL is nothing */

/* Members of @obj. A NULL string is null in JSON and "-" in text. */
void out_u64(struct json_object *obj, const char *key, uint64_t value, enum out_hint hint);
void out_s64(struct json_object *obj, const char *key, int64_t value, enum out_hint hint);
void out_bool(struct json_object *obj, const char *key, bool value, enum out_hint hint);
void out_null(struct json_object *obj, const char *key);
/* Bytes that are not printable ASCII become '?': guests and VMMs supply some of this. */
void out_str(struct json_object *obj, const char *key, const char *value, enum out_hint hint);
/* A 64-bit pattern: a string "0x..." in JSON too, as many readers keep 53 bits only. */
void out_word(struct json_object *obj, const char *key, uint64_t value, enum out_hint hint);
void out_bytes(struct json_object *obj, const char *key, const void *p, size_t len);
struct json_object *out_object(struct json_object *obj, const char *key);
struct json_object *out_array(struct json_object *obj, const char *key);
struct json_object *out_row(struct json_object *array);

/**
 * out_print() - print a tree
 * @f: where to
 * @root: the tree
 * @json: as one line of JSON, else as text
 *
 * Return: 0, or -1 with errno set if it could not be written.
 */
int out_print(FILE *f, struct json_object *root, bool json);

/* @s with every byte that is not printable ASCII replaced, in place. */
char *out_printable(char *s);

#endif /* _UVCTL_OUT_H */
