/* SPDX-License-Identifier: GPL-2.0 */
/* What several commands read from /dev/uvsim. */
#ifndef _UVCTL_UVSIM_H
#define _UVCTL_UVSIM_H

#include "uvctl.h"

struct uvsim_stats;
struct uvsim_svm;

/* Members "secure_memory" and "totals". */
void add_uvsim_stats(struct json_object *out, const struct uvsim_stats *stats,
		     unsigned int page_shift);

/* LPIDs of all SVMs, malloc()ed; NULL with errno on failure. */
uint32_t *uvsim_lpids(int fd, uint32_t *count);

#endif /* _UVCTL_UVSIM_H */
