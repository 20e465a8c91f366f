// SPDX-License-Identifier: GPL-2.0
/*
 * Where hypervisors differ from the model, what the specification says there, and
 * why the difference is let pass. kvm-uvmem has none of them. upstream is
 * arch/powerpc/kvm/book3s_hv_uvmem.c of Linux 6.12.
 */
#include "model.h"

const struct deviation_text deviation_texts[DEV_COUNT] = {
	[DEV_NO_RANGES] = { "no-ranges",
			    "UV_ESM moves in each page with H_SVM_PAGE_IN, touched or not",
			    "H_SVM_PAGE_IN, use cases: \"each page of the VM\"",
			    "range calls are an extension of kvm-uvmem's" },
	[DEV_INVALS] = { "invals",
			 "UV_PAGE_INVAL for every page that an mmu notifier names, also for secure ones, and none before an unshared page is taken back",
			 "UV_PAGE_INVAL: U_P2 for a secure page",
			 "the ultravisor ignores those, as the specification has it; they are not compared, what the right ones lead to is" },
	[DEV_KEEPS_REFUSED] = { "keeps-refused",
				"a page that UV_PAGE_OUT refuses stays a device page: H_SVM_PAGE_OUT is H_PARAMETER, and the host's touch ends in SIGBUS",
				"UV_PAGE_OUT: U_P3",
				"the specification does not say what the host gets" },
	[DEV_DROPPED] = { "dropped",
			  "H_SVM_PAGE_OUT of a page that H has dropped succeeds and moves nothing",
			  "H_SVM_PAGE_OUT: \"Move the contents of the page\"",
			  "upstream's ultravisor pages out nothing by itself; here it costs an eviction" },
	[DEV_DONE] = { "done",
		       "H_SVM_INIT_DONE, and a memslot that is plugged in, make device pages of holes too; H_SVM_INIT_DONE of an SVM is H_SUCCESS",
		       "H_SVM_INIT_DONE: H_UNSUPPORTED \"if called from the wrong context (e.g. from an SVM)\"",
		       "nothing happens to the SVM" },
	[DEV_ABORT] = { "abort", "H_SVM_INIT_ABORT makes no UV_UNREGISTER_MEM_SLOT",
			"UV_SVM_TERMINATE: \"release all its resources\"",
			"UV_SVM_TERMINATE, which it makes, is enough" },
	[DEV_UNFILLED] = { "unfilled",
			   "a page frame that takes a device page's place is not zeroed: H shows what it held before, after a termination, and when UV_PAGE_OUT of a shared page does nothing",
			   "UV_PAGE_OUT: \"If the source page is already a shared page the call returns U_SUCCESS, without doing anything\"",
			   "its content is not compared" },
	[DEV_OFF] = { "off",
		      "KVM_PPC_SVM_OFF unregisters the memslots before UV_SVM_TERMINATE; H keeps ciphertext and shared pages, and has a page where a secure one was, instead of nothing",
		      "none: the specification ends with the SVM",
		      "the specification does not say what H shows then" },
	[DEV_SLOTS] = { "slots", "memslots may come and go while UV_ESM runs", "none",
			"kvm-uvmem refuses it with EBUSY" },
	[DEV_HAZARDS] = { "hazards",
			  "some steps harm it for good; sequences with them are not made, and rows of the table skipped with the reason",
			  "see the reason",
			  "a device page that is lost, or a call that never returns, ends the run" },
};
