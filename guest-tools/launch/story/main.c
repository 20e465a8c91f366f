// SPDX-License-Identifier: GPL-2.0
/*
 * uvstory: the program behind "make run". It starts VMs with uvlaunch and walks
 * them through the life of an SVM. Every row of its table is checked; the exit
 * status is 0 only if nothing failed.
 *
 * $UVMEM_OWNER_KEY is the owner key that uv-sim.ko was loaded with.
 */
#include <stdio.h>
#include <unistd.h>

#include "story.h"

int main(void)
{
	struct cast first = { 0 }, second = { 0 }, third = { 0 };
	struct page secret = { 0 }, other_secret = { 0 };

	table_head();
	chapter_normal(&first, &secret);
	if (first.connected && secret.model) {
		chapter_esm(&first, &secret);
		chapter_peek(&first, &secret);
		chapter_share(&first);
		chapter_unshare(&first);
		chapter_tamper(&first, &second, &secret, &other_secret);
		if (second.connected && other_secret.model)
			chapter_terminate(&first, &second, &secret, &other_secret);
	}
	chapter_bad_measurement(&third);
	cast_kill(&first);
	cast_kill(&second);
	cast_kill(&third);
	page_drop(&secret);
	page_drop(&other_secret);
	return table_end();
}
