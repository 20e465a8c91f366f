// SPDX-License-Identifier: GPL-2.0
/* Chapters 1 to 3: a normal VM, UV_ESM, and a host that looks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/hv.h"
#include "../../lib/names.h"
#include "../../lib/pagemap.h"
#include "story.h"

void chapter_normal(struct cast *vm, struct page *secret)
{
	struct uvsim_svm svm;
	struct step s;

	table_chapter("1. A normal VM");
	step_begin(&s, "start a VM, two vCPUs", "all SVMs start as normal VMs");
	if (cast_start(&s, vm, "story-1", false) && uv_svm(&s, vm, &svm)) {
		step_host(&s, "LPID %u, %s", vm->c.info.lpid, uv_vm_state_name(svm.state));
		step_equal(&s, "the VM's state", svm.state, UV_VM_NORMAL);
		step_equal(&s, "info.secure", vm->c.info.secure, 0);
	}
	step_end(&s);
	if (!vm->connected)
		return;

	step_begin(&s, "guest writes a secret, host reads H",
		   "normal memory is accessible to the hypervisor");
	if (page_make(&s, vm, secret, SECRET_GPA, "the guest's secret: attack at dawn") &&
	    page_guest_sees(&s, vm, secret) && page_host_sees(&s, vm, secret))
		check_gfn(&s, vm, SECRET_GPA, UVMEM_GFN_NORMAL, UV_GFN_NOSLOT);
	step_end(&s);
}

/* Pages that the page table of H holds, now. */
static bool pages_in_h(struct step *s, struct cast *vm, uint64_t *present, uint64_t *device)
{
	uint64_t npages = vm->c.info.mem_bytes / vm->page;
	uint64_t *raw = calloc(npages, sizeof(*raw));
	struct pagemap pm;
	bool ok;

	*present = *device = 0;
	if (!raw)
		return step_check(s, false, "no memory");
	ok = step_check(s, !pagemap_open(&pm, vm->c.info.pid), "cannot open pagemap: %m");
	if (ok) {
		ok = step_check(s,
				pagemap_read(&pm, vm->c.info.hva, raw, npages) == (ssize_t)npages,
				"cannot read pagemap: %m");
		for (uint64_t i = 0; ok && i < npages; i++) {
			struct pagemap_entry e = pagemap_decode(raw[i], &pm.layout, pm.pfns);

			*present += e.kind == PAGEMAP_PRESENT;
			*device += e.kind == PAGEMAP_DEVICE;
		}
		pagemap_close(&pm);
	}
	free(raw);
	return ok;
}

static void check_went_secure(struct step *s, struct cast *vm, uint64_t touched)
{
	uint64_t present, device;
	struct uvmem_stats st;
	struct uvsim_svm svm;
	struct uvmem_info info;

	if (!uv_svm(s, vm, &svm) || !hv_info(s, vm, &info) || !hv_stats(s, vm, &st) ||
	    !pages_in_h(s, vm, &present, &device))
		return;
	step_host(s, "VM %s/%s", uvmem_vm_state_name(info.vm_state), uv_vm_state_name(svm.state));
	step_host(s, "%llu of %llu touched pages left in H, %llu are device-private",
		  (unsigned long long)present, (unsigned long long)touched,
		  (unsigned long long)device);
	step_equal(s, "the VM's state (ultravisor)", svm.state, UV_VM_SECURE);
	step_equal(s, "the VM's state (hypervisor)", info.vm_state, UVMEM_VM_SECURE);
	step_check(s, st.page_ins >= touched, "%llu page-ins for %llu touched pages",
		   (unsigned long long)st.page_ins, (unsigned long long)touched);
	/* The one that is left is the mailbox, which the guest shared. */
	step_equal(s, "normal pages in H", (int64_t)present, (int64_t)st.shared);
	step_equal(s, "shared pages", (int64_t)st.shared, 1);
	/* Upstream makes device pages of pages that nobody touched, too. */
	if (uvc_hv_is_upstream(&vm->c))
		step_check(s, device >= svm.resident, "more pages are resident than that");
	else
		step_equal(s, "device-private entries in H", (int64_t)device,
			   (int64_t)svm.resident);
	step_check(s, vm->c.info.secure && vm->c.info.gva, "the memslot is not at the guest view");
}

void chapter_esm(struct cast *vm, const struct page *secret)
{
	uint64_t touched, device;
	struct step s;

	table_chapter("2. UV_ESM: the VM goes secure");
	step_begin(&s, "guest calls UV_ESM",
		   "INIT_START, page-in of every touched page, measurement, INIT_DONE; U_SUCCESS");
	if (pages_in_h(&s, vm, &touched, &device)) {
		int64_t ret = guest_ucall(&s, vm, AGENT_ESM, 0);
		char text[120];

		call_describe(text, sizeof(text), UV_ESM, ret);
		step_guest(&s, "%s; goes on at its secure entry", text);
		if (step_equal(&s, "UV_ESM", ret, U_SUCCESS) &&
		    step_check(&s, !uvc_refresh(&vm->c), "UVC_INFO: %m"))
			check_went_secure(&s, vm, touched);
	}
	step_end(&s);

	step_begin(&s, "guest reads its secret", "an SVM reads and writes its secure pages");
	if (page_guest_sees(&s, vm, secret))
		check_gfn(&s, vm, SECRET_GPA, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT);
	step_end(&s);
}

static void peek(struct cast *vm, const struct page *secret, uint8_t *ciphertext)
{
	struct uvmem_stats before, after;
	struct step s;

	step_begin(&s, "host peeks at the secret",
		   "UV_PAGE_OUT: encrypted, then readable by the hypervisor");
	if (hv_stats(&s, vm, &before) && page_host_sees_ciphertext(&s, vm, secret, ciphertext) &&
	    hv_stats(&s, vm, &after) && check_gfn(&s, vm, SECRET_GPA, UVMEM_GFN_MEM, UV_GFN_SEALED))
		step_check(&s, after.host_faults > before.host_faults,
			   "no page-out was counted as a host's touch");
	step_end(&s);
}

static void read_again(struct cast *vm, const struct page *secret)
{
	struct uvsim_svm before, after;
	struct step s;

	step_begin(&s, "guest reads it again", "H_SVM_PAGE_IN; UV_PAGE_IN decrypts and verifies");
	if (uv_svm(&s, vm, &before) && page_guest_sees(&s, vm, secret) && uv_svm(&s, vm, &after) &&
	    check_gfn(&s, vm, SECRET_GPA, UVMEM_GFN_UVMEM, UV_GFN_RESIDENT)) {
		step_check(&s, after.opens > before.opens, "no page was opened");
		step_equal(&s, "integrity failures", (int64_t)after.integrity_failures, 0);
	}
	step_end(&s);
}

/* Twice: the same page sealed again must not be the same ciphertext. */
void chapter_peek(struct cast *vm, const struct page *secret)
{
	uint8_t *first = calloc(1, vm->page), *second = calloc(1, vm->page);
	struct step s;

	table_chapter("3. The host looks");
	if (first && second) {
		peek(vm, secret, first);
		read_again(vm, secret);
		step_begin(&s, "host peeks once more", "a page is never sealed twice with one IV");
		if (page_host_sees_ciphertext(&s, vm, secret, second))
			step_check(&s, memcmp(first, second, vm->page),
				   "the ciphertext is the same");
		page_guest_sees(&s, vm, secret);
		step_end(&s);
	}
	free(first);
	free(second);
}
