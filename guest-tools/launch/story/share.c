// SPDX-License-Identifier: GPL-2.0
/* Chapters 4 and 5: pages that the guest shares with the host, and takes back. */
#include <stdio.h>
#include <string.h>

#include "story.h"

static const char message[SECRET_BYTES] = "message from the guest";
static const char reply[SECRET_BYTES] = "answer from the host";

static void share(struct cast *vm, uint64_t gpa)
{
	struct step s;
	int64_t ret;

	step_begin(&s, "guest calls UV_SHARE_PAGE", "the page is zeroed and shared: GFN Shared");
	ret = guest_ucall(&s, vm, AGENT_SHARE, gpa);
	if (step_equal(&s, "UV_SHARE_PAGE", ret, U_SUCCESS) && page_guest_sees_zeros(&s, vm, gpa) &&
	    page_host_sees_zeros(&s, vm, gpa))
		check_gfn(&s, vm, gpa, UVMEM_GFN_SHARED, UV_GFN_SHARED);
	step_end(&s);
}

static void talk(struct cast *vm)
{
	char seen[SECRET_BYTES], text[80];
	struct step s;

	step_begin(&s, "guest writes a message", "a shared page is available to both");
	if (guest_write(&s, vm, SHARE_GPA, message, sizeof(message)) &&
	    host_read(&s, vm, SHARE_GPA, seen, sizeof(seen))) {
		step_guest(&s, "writes \"%s\"", message);
		step_host(&s, "reads %s", bytes_text(text, sizeof(text), (uint8_t *)seen));
		step_check(&s, !memcmp(seen, message, sizeof(seen)), "the message does not arrive");
	}
	step_end(&s);

	step_begin(&s, "host writes its answer", "a shared page is available to both");
	if (host_write(&s, vm, SHARE_GPA, reply, sizeof(reply)) &&
	    guest_read(&s, vm, SHARE_GPA, seen, sizeof(seen))) {
		step_host(&s, "writes \"%s\"", reply);
		step_guest(&s, "reads %s", bytes_text(text, sizeof(text), (uint8_t *)seen));
		step_check(&s, !memcmp(seen, reply, sizeof(seen)), "the answer does not arrive");
	}
	step_end(&s);
}

void chapter_share(struct cast *vm)
{
	struct page secret;
	struct step s;

	table_chapter("4. The guest shares a page");
	step_begin(&s, "guest fills a secure page", "GFN Secure");
	if (page_make(&s, vm, &secret, SHARE_GPA, "not meant for the host") &&
	    page_guest_sees(&s, vm, &secret))
		check_gfn(&s, vm, SHARE_GPA, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT);
	step_end(&s);
	page_drop(&secret);
	share(vm, SHARE_GPA);
	talk(vm);
}

/* A secret in a page that was shared a moment ago stays one. */
static void keep_secret(struct cast *vm, uint64_t gpa)
{
	struct page secret;
	struct step s;

	step_begin(&s, "guest writes a secret there, host peeks",
		   "GFN Secure: the hypervisor gets it encrypted");
	if (page_make(&s, vm, &secret, gpa, "again not meant for the host") &&
	    page_host_sees_ciphertext(&s, vm, &secret, NULL) &&
	    check_gfn(&s, vm, gpa, UVMEM_GFN_MEM, UV_GFN_SEALED))
		page_guest_sees(&s, vm, &secret);
	step_end(&s);
	page_drop(&secret);
}

static void unshare_all(struct cast *vm)
{
	uint64_t other = SHARE_GPA + vm->page;
	struct uvmem_stats st;
	struct step s;

	share(vm, SHARE_GPA);
	share(vm, other);
	step_begin(&s, "guest calls UV_UNSHARE_ALL_PAGES",
		   "every shared page is zeroed and secure; the agent shares its mailbox anew");
	if (guest_write(&s, vm, SHARE_GPA, message, sizeof(message)) &&
	    guest_write(&s, vm, other, message, sizeof(message)) &&
	    step_equal(&s, "UV_UNSHARE_ALL_PAGES", guest_ucall(&s, vm, AGENT_UNSHARE_ALL, 0),
		       U_SUCCESS) &&
	    page_guest_sees_zeros(&s, vm, SHARE_GPA) && page_guest_sees_zeros(&s, vm, other) &&
	    check_gfn(&s, vm, SHARE_GPA, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT) &&
	    check_gfn(&s, vm, other, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT) && hv_stats(&s, vm, &st))
		step_equal(&s, "shared pages (the mailbox)", (int64_t)st.shared, 1);
	step_end(&s);
	keep_secret(vm, SHARE_GPA);
	keep_secret(vm, other);
}

void chapter_unshare(struct cast *vm)
{
	struct step s;

	table_chapter("5. The guest takes its page back");
	step_begin(&s, "guest calls UV_UNSHARE_PAGE", "the page is zeroed: GFN Secure");
	if (step_equal(&s, "UV_UNSHARE_PAGE", guest_ucall(&s, vm, AGENT_UNSHARE, SHARE_GPA),
		       U_SUCCESS) &&
	    page_guest_sees_zeros(&s, vm, SHARE_GPA))
		check_gfn(&s, vm, SHARE_GPA, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT);
	step_end(&s);
	keep_secret(vm, SHARE_GPA);
	unshare_all(vm);
}
