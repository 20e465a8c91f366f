/* SPDX-License-Identifier: GPL-2.0 */
/* A test of something that is not ours and known to be otherwise than it should. */
#ifndef _SELFTESTS_FINDING_H
#define _SELFTESTS_FINDING_H

#include "harness.h"
#include "vmfix.h"

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

/* PAGES, TOUCHED and SEED are the test's. */
FIXTURE(upstream)
{
	struct own own;
};

FIXTURE_SETUP(upstream)
{
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	ASSERT_EQ(0, own_blob(&self->own, page_size(), 1, true));
}

FIXTURE_TEARDOWN(upstream)
{
	own_close(&self->own);
}

#endif /* _SELFTESTS_FINDING_H */
