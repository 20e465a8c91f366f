// SPDX-License-Identifier: GPL-2.0
/*
 * Sequences that failed once, in their shortest form, and what was behind it.
 * What the suite finds and a change of the hypervisor mends ends up here.
 */
#include "engine.h"

static const struct {
	const char *name, *steps;
} known[] = {
	/* The page was pinned for writing over the zero page, which looked like an unmap. */
	{ "share of a page that the host only read", "esm.0,hr.1.1,share.1.2" },
	/* UV_PAGE_OUT was made a second time, to a page that it had just said nothing is in. */
	{ "page-out of what the ultravisor does not have", "begin,in.2.0,done,finish.0,out.2.0" },
	{ "page-out of what was lost", "esm.0,gw.1.0.3,hr.1.2,zap.1,gw.1.2.5,out.1.0" },
	/* The worker came once more, late, and took away the page that was shared since. */
	{ "a shared page is unmapped twice",
	  "add.2,esm.0,share.5.1,map.5,map.5,gr.5,hr.1.0,hr.2.0,map.5,map.5,gr.5,hr.3.0" },
};

void known_run(struct real *r)
{
	static struct sequence seq;
	struct failure failure;

	ktap_begin("known");
	for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int ret = sequence_parse(&seq, known[i].steps) ?
				  -1 :
				  sequence_run(r, &seq, &failure, NULL);

		if (ret < 0)
			ktap_bail("a sequence cannot be run");
		if (ret == SEQUENCE_HAZARD) {
			ktap_skip(failure.mm.text, "%s", known[i].name);
			continue;
		}
		if (ret)
			failure_note(&failure, &seq);
		ktap_result(!ret, "%s", known[i].name);
	}
	ktap_end();
}
