// SPDX-License-Identifier: GPL-2.0
/* Chapters 6 to 8: a host that tampers, the end of an SVM, a measurement that fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../lib/hv.h"
#include "../../lib/names.h"
#include "story.h"

static void start_other(struct cast *other, struct page *secret)
{
	struct step s;

	step_begin(&s, "a second SVM starts", "SVMs are separate");
	if (cast_start(&s, other, "story-2", false) &&
	    page_make(&s, other, secret, SECRET_GPA, "the secret of the second VM")) {
		step_equal(&s, "UV_ESM", guest_ucall(&s, other, AGENT_ESM, 0), U_SUCCESS);
		page_guest_sees(&s, other, secret);
		check_gfn(&s, other, SECRET_GPA, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT);
	}
	step_end(&s);
}

static void flip_a_bit(struct cast *vm, const struct page *secret)
{
	uint64_t gpa = secret->gpa + secret->bytes / 2;
	uint8_t byte;
	struct step s;

	step_begin(&s, "host pages it out and flips a bit",
		   "normal memory is the hypervisor's to write");
	if (page_host_sees_ciphertext(&s, vm, secret, NULL) && host_read(&s, vm, gpa, &byte, 1)) {
		byte ^= 0x10;
		step_host(&s, "writes %02x at 0x%llx", byte, (unsigned long long)gpa);
		if (host_write(&s, vm, gpa, &byte, 1))
			check_gfn(&s, vm, secret->gpa, UVMEM_GFN_MEM, UV_GFN_SEALED);
	}
	step_end(&s);
}

static void refused(struct cast *vm, const struct page *secret)
{
	struct agent_slot cmd = { .cmd = AGENT_READ, .gpa = secret->gpa, .len = SECRET_BYTES };
	const struct uvc_info *info = &vm->c.info;
	struct uvsim_svm svm;
	char gpa_text[32];
	struct step s;

	step_begin(&s, "guest reads it",
		   "UV_PAGE_IN does not verify: the access is refused, the SVM is stopped");
	snprintf(gpa_text, sizeof(gpa_text), "GPA 0x%llx", (unsigned long long)secret->gpa);
	step_check(&s, uvc_agent(&vm->c, 0, &cmd) && errno == ENOTCONN,
		   "the guest's access was not refused");
	if (step_check(&s, !uvc_refresh(&vm->c), "UVC_INFO: %m") && uv_svm(&s, vm, &svm)) {
		step_guest(&s, "gets nothing: it is stopped");
		step_host(&s, "%s", info->stop_text);
		step_equal(&s, "the guest's state", info->guest_state, UVC_GUEST_STOPPED);
		step_equal(&s, "the VM's state", svm.state, UV_VM_STOPPED);
		step_equal(&s, "the stop reason", svm.stop_reason, UV_STOP_INTEGRITY);
		step_equal(&s, "the GPA in the stop reason", (int64_t)svm.stop_gpa,
			   (int64_t)secret->gpa);
		step_equal(&s, "integrity failures", (int64_t)svm.integrity_failures, 1);
		step_check(&s,
			   strstr(info->stop_text, "integrity") &&
				   strstr(info->stop_text, gpa_text),
			   "'%s' does not name cause and GPA", info->stop_text);
	}
	step_end(&s);
}

void chapter_tamper(struct cast *vm, struct cast *other, const struct page *secret,
		    struct page *other_secret)
{
	struct step s;

	table_chapter("6. The host tampers with a paged-out page");
	start_other(other, other_secret);
	flip_a_bit(vm, secret);
	refused(vm, secret);

	step_begin(&s, "the second SVM goes on", "nothing else on the host is harmed");
	if (page_guest_sees(&s, other, other_secret) &&
	    page_host_sees_ciphertext(&s, other, other_secret, NULL))
		page_guest_sees(&s, other, other_secret);
	step_end(&s);
}

/* Pages of secure memory that one SVM has, and how the two sides count them. */
static void check_counts(struct step *s, struct cast *vm)
{
	uint64_t npages = vm->c.info.mem_bytes / vm->page;
	struct uvmem_stats st;
	struct uvsim_svm svm;

	if (!hv_stats(s, vm, &st) || !uv_svm(s, vm, &svm))
		return;
	step_equal(s, "GFNs in all states", (int64_t)(st.normal + st.uvmem + st.mem + st.shared),
		   (int64_t)npages);
	if (uvc_hv_is_upstream(&vm->c))
		step_check(s, st.uvmem >= svm.resident, "more pages are resident than UVMEM");
	else
		step_equal(s, "GFNs UVMEM and pages resident", (int64_t)st.uvmem,
			   (int64_t)svm.resident);
	step_equal(s, "GFNs shared, both sides", (int64_t)st.shared, (int64_t)svm.shared);
	step_equal(s, "seals and page-outs", (int64_t)svm.seals,
		   (int64_t)(st.page_outs + st.host_faults));
	step_equal(s, "pages paged out", (int64_t)svm.paged_out, (int64_t)(svm.seals - svm.opens));
}

/* What the pages that were secure, in secure memory or sealed, hold now. */
struct remains {
	uint64_t pages;
	uint64_t zero;
	uint64_t kept;	    /* of those that were paged out, not zero */
	uint64_t uncleared; /* of those that were in secure memory, not zero */
	uint64_t secret;    /* pages with a piece of the secret */
};

static bool look_at_memory(struct step *s, struct cast *vm, const uint8_t *before,
			   const struct page *secret, struct remains *r)
{
	uint64_t npages = vm->c.info.mem_bytes / vm->page;
	uint8_t *seen = malloc(vm->page);
	bool ok = step_check(s, seen != NULL, "no memory");

	*r = (struct remains){ 0 };
	for (uint64_t i = 0; ok && i < npages; i++) {
		if (before[i] != UVMEM_GFN_UVMEM && before[i] != UVMEM_GFN_MEM)
			continue;
		ok = host_read(s, vm, i * vm->page, seen, vm->page);
		r->pages++;
		if (page_all_zero(seen, vm->page))
			r->zero++;
		else if (before[i] == UVMEM_GFN_MEM)
			r->kept++;
		else
			r->uncleared++;
		r->secret += page_is_in(secret, seen);
	}
	free(seen);
	return ok;
}

/*
 * They must be zeros. Upstream leaves ciphertext where it is, and hands out pages as
 * it gets them: the ultravisor wipes what it releases, but the page that the secret
 * was in before UV_ESM is free memory like any other.
 */
static bool check_memory(struct step *s, struct cast *vm, const uint8_t *before,
			 const struct page *secret)
{
	struct remains r;

	if (!look_at_memory(s, vm, before, secret, &r))
		return false;
	step_host(s, "%llu of %llu formerly secure pages are zero", (unsigned long long)r.zero,
		  (unsigned long long)r.pages);
	if (r.zero != r.pages && uvc_hv_is_upstream(&vm->c))
		step_differs(
			s,
			"%llu pages keep their ciphertext, %llu are new and not cleared; %llu of them have what the guest had in memory before UV_ESM",
			(unsigned long long)r.kept, (unsigned long long)r.uncleared,
			(unsigned long long)r.secret);
	else
		step_equal(s, "zero pages", (int64_t)r.zero, (int64_t)r.pages);
	return step_check(s, before[secret->gpa / vm->page] != UVMEM_GFN_NORMAL,
			  "the secret's page was not secure");
}

static void terminate(struct cast *vm, const struct page *secret, const char *what)
{
	struct uvc_request req = { .magic = UVC_MAGIC, .op = UVC_SVM_OFF };
	uint64_t npages = vm->c.info.mem_bytes / vm->page;
	enum uvmem_vm_state state;
	struct uvc_reply rep;
	struct uvmem_stats st;
	struct uvsim_svm svm;
	struct step s;
	uint8_t *before = calloc(1, npages);

	step_begin(&s, what, "UV_SVM_TERMINATE: every GFN Normal, nothing of its content is left");
	check_counts(&s, vm);
	if (step_check(&s, before != NULL, "no memory") && hv_states(&s, vm, before, &state) &&
	    step_check(&s, !uvc_call(&vm->c, &req, &rep), "UVC_SVM_OFF: %m") &&
	    check_memory(&s, vm, before, secret) && hv_stats(&s, vm, &st) && uv_svm(&s, vm, &svm) &&
	    hv_states(&s, vm, before, &state)) {
		step_guest(&s, "paused");
		step_equal(&s, "the VM's state (hypervisor)", state, UVMEM_VM_NORMAL);
		step_equal(&s, "the VM's state (ultravisor)", svm.state, UV_VM_NORMAL);
		step_equal(&s, "normal GFNs", (int64_t)st.normal, (int64_t)npages);
		step_equal(&s, "pages resident", (int64_t)svm.resident, 0);
		step_equal(&s, "pages paged out", (int64_t)svm.paged_out, 0);
		step_equal(&s, "pages shared", (int64_t)svm.shared, 0);
	}
	step_end(&s);
	free(before);
}

static void nothing_left(struct cast *vm, struct cast *other)
{
	struct uvsim_stats uv;
	struct uvmem_info info;
	struct step s;

	step_begin(&s, "no secure page is in use", "all resources of the SVM are released");
	if (uv_stats(&s, &uv) && hv_info(&s, vm, &info)) {
		step_host(&s, "secure memory: %llu of %llu pages used, peak %llu",
			  (unsigned long long)uv.secure_used, (unsigned long long)uv.secure_total,
			  (unsigned long long)uv.secure_peak);
		if (info.device_pages) /* upstream's half does not tell */
			step_host(&s, "device pages: %llu of %llu free",
				  (unsigned long long)info.device_free,
				  (unsigned long long)info.device_pages);
		step_equal(&s, "secure pages used", (int64_t)uv.secure_used, 0);
		step_equal(&s, "SVMs", (int64_t)uv.svms, 0);
		step_equal(&s, "free device pages", (int64_t)info.device_free,
			   (int64_t)info.device_pages);
		step_check(&s, uv.secure_peak > 0 && uv.seals > 0 && uv.opens > 0,
			   "the counters never counted");
	}
	cast_quit(&s, vm);
	cast_quit(&s, other);
	step_end(&s);
}

void chapter_terminate(struct cast *vm, struct cast *other, const struct page *secret,
		       const struct page *other_secret)
{
	table_chapter("7. Terminate");
	terminate(vm, secret, "terminate the stopped SVM");
	terminate(other, other_secret, "terminate the second SVM");
	nothing_left(vm, other);
}

static void still_normal(struct step *s, struct cast *vm, const struct page *secret)
{
	struct uvsim_svm svm;
	struct uvmem_info info;
	struct uvmem_stats st;
	struct uvsim_stats uv;

	if (!uv_svm(s, vm, &svm) || !hv_info(s, vm, &info) || !hv_stats(s, vm, &st) ||
	    !uv_stats(s, &uv))
		return;
	step_host(s, "VM %s/%s", uvmem_vm_state_name(info.vm_state), uv_vm_state_name(svm.state));
	step_equal(s, "the VM's state (hypervisor)", info.vm_state, UVMEM_VM_NORMAL);
	step_equal(s, "the VM's state (ultravisor)", svm.state, UV_VM_NORMAL);
	step_equal(s, "the last UV_ESM", svm.esm_ret, U_PERMISSION);
	step_check(s, st.page_ins > 0, "nothing was paged in before the measurement");
	step_equal(s, "secure pages used", (int64_t)uv.secure_used, 0);
	step_equal(s, "info.secure", vm->c.info.secure, 0);
	check_gfn(s, vm, secret->gpa, UVMEM_GFN_NORMAL, UV_GFN_NOSLOT);
}

void chapter_bad_measurement(struct cast *vm)
{
	struct page secret = { 0 };
	struct step s;

	table_chapter("8. A VM whose measurement is wrong");
	step_begin(&s, "guest calls UV_ESM",
		   "U_PERMISSION and H_SVM_INIT_ABORT: a normal VM again");
	if (cast_start(&s, vm, "story-3", true) &&
	    page_make(&s, vm, &secret, SECRET_GPA, "what this VM had in memory")) {
		int64_t ret = guest_ucall(&s, vm, AGENT_ESM, 0);
		char text[120];

		call_describe(text, sizeof(text), UV_ESM, ret);
		step_guest(&s, "%s", text);
		if (step_equal(&s, "UV_ESM", ret, U_PERMISSION) &&
		    step_check(&s, !uvc_refresh(&vm->c), "UVC_INFO: %m"))
			still_normal(&s, vm, &secret);
	}
	step_end(&s);

	if (!vm->connected || !secret.model)
		return;

	step_begin(&s, "it runs on, its memory is intact", "the pages are paged out for it");
	if (page_guest_sees(&s, vm, &secret))
		page_host_sees(&s, vm, &secret);
	page_drop(&secret);
	if (page_make(&s, vm, &secret, SHARE_GPA, "written after the abort"))
		page_host_sees(&s, vm, &secret);
	cast_quit(&s, vm);
	step_end(&s);
	page_drop(&secret);
}
