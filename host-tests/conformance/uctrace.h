/* SPDX-License-Identifier: GPL-2.0 */
/* The ultracalls that the hypervisor makes, from the tracepoint uvsim:uvsim_ucall. */
#ifndef _CONFORMANCE_UCTRACE_H
#define _CONFORMANCE_UCTRACE_H

#include <stdint.h>

struct seen_ucall {
	uint64_t lpid, nr, arg[4];
	int64_t ret;
};

int uctrace_open(void); /* 0, or -1 after a line */
void uctrace_close(void);
/*
 * What came since the last time, in order: how many, at most @room; -1 after a
 * line. Does not wait.
 */
int uctrace_read(struct seen_ucall *seen, unsigned int room);

#endif /* _CONFORMANCE_UCTRACE_H */
