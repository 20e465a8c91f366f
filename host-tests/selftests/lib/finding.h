/* SPDX-License-Identifier: GPL-2.0 */
/* A test of something that is not ours and known to be otherwise than it should. */
#ifndef _SELFTESTS_FINDING_H
#define _SELFTESTS_FINDING_H

#include "harness.h"

/* As the harness' SKIP(), with another verdict. */
#define FINDING(seen, ...)                                                                       \
	do {                                                                                     \
		if (seen) {                                                                      \
			snprintf(_metadata->results->reason, sizeof(_metadata->results->reason), \
				 __VA_ARGS__);                                                   \
			_metadata->exit_code = KSFT_XFAIL;                                       \
			return;                                                                  \
		}                                                                                \
	} while (0)

#endif /* _SELFTESTS_FINDING_H */
