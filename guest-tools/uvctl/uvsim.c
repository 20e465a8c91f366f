// SPDX-License-Identifier: GPL-2.0
/* What several commands read from /dev/uvsim. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "uv-sim/uapi/uv.h"
#include "uvsim.h"

void add_uvsim_stats(struct json_object *out, const struct uvsim_stats *stats,
		     unsigned int page_shift)
{
	struct json_object *mem = out_object(out, "secure_memory");
	struct json_object *totals;

	out_u64(mem, "total_bytes", stats->secure_total << page_shift, OUT_SIZE);
	out_u64(mem, "total_pages", stats->secure_total, OUT_PLAIN);
	out_u64(mem, "used_pages", stats->secure_used, OUT_PLAIN);
	out_u64(mem, "peak_pages", stats->secure_peak, OUT_PLAIN);

	totals = out_object(out, "totals");
	out_str(totals, "cipher", stats->flags & UVSIM_CIPHER_COPY ? "copy" : "aes-256-gcm",
		OUT_PLAIN);
	out_u64(totals, "svms", stats->svms, OUT_PLAIN);
	out_u64(totals, "page_ins", stats->page_ins, OUT_PLAIN);
	out_u64(totals, "page_outs", stats->page_outs, OUT_PLAIN);
	out_u64(totals, "seals", stats->seals, OUT_PLAIN);
	out_u64(totals, "opens", stats->opens, OUT_PLAIN);
	out_u64(totals, "integrity_failures", stats->integrity_failures, OUT_PLAIN);
	out_u64(totals, "evictions", stats->evictions, OUT_PLAIN);
}

uint32_t *uvsim_lpids(int fd, uint32_t *count)
{
	uint32_t room = 64, *lpids = NULL;

	/* SVMs come and go: ask until the room was enough. */
	for (;;) {
		struct uvsim_list list = { .count = room };
		uint32_t *more = realloc(lpids, room * sizeof(*lpids));

		if (!more)
			break;
		lpids = more;
		list.lpids = (uintptr_t)lpids;
		if (ioctl(fd, UVSIM_LIST, &list))
			break;
		if (list.count <= room) {
			*count = list.count;
			return lpids;
		}
		room = list.count + 16;
	}
	free(lpids);
	return NULL;
}
