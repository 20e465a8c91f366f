/* SPDX-License-Identifier: GPL-2.0 */
/* For out.c: the tree as text. */
#ifndef _UVCTL_TEXT_H
#define _UVCTL_TEXT_H

#include <stdio.h>

struct json_object;

void text_print(FILE *f, struct json_object *root);

#endif /* _UVCTL_TEXT_H */
