// SPDX-License-Identifier: GPL-2.0
/*
 * What a return code says about the call that returned it: the specification
 * gives most codes a meaning of their own for each call. The rows follow the
 * "Return values" lists of Documentation/arch/powerpc/ultravisor.rst; what has
 * no row has the general meaning of papr_meaning(). No locks, no state.
 */
#include <stdio.h>

#include "names.h"
#include "uv-sim/uapi/uv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define BAD_LPID "lpid is invalid"
#define BAD_FLAGS "flags has an unknown bit"
#define BAD_ORDER "order is not the page size"
#define NOT_SECURE "the VM is not secure"
#define NOT_HV "only the hypervisor may make this call"

struct meaning {
	uint64_t nr;
	int64_t code;
	const char *name; /* NULL: that of papr_name() or papr_uv_name() */
	const char *text;
};

static const struct meaning meanings[] = {
	{ UV_WRITE_PATE, U_BUSY, NULL, "the PATE cannot be written now, try again" },
	{ UV_WRITE_PATE, U_PARAMETER, NULL, BAD_LPID },
	{ UV_WRITE_PATE, U_P2, NULL, "dw0 is invalid" },
	{ UV_WRITE_PATE, U_P3, NULL, "dw1 is invalid" },
	{ UV_WRITE_PATE, U_PERMISSION, NULL, "the PATE is a secure VM's, or not the hypervisor's" },

	{ UV_ESM, U_INVALID, "U_INVALID", "the VM cannot go secure in its state" },
	{ UV_ESM, U_PARAMETER, NULL, "the address of the ESM blob is invalid" },
	{ UV_ESM, U_P2, NULL, "the address of the device tree is invalid" },
	{ UV_ESM, U_PERMISSION, NULL, "an integrity check of the ESM blob or its ranges failed" },
	{ UV_ESM, U_RETRY, NULL, "not enough memory for the SVM" },
	{ UV_ESM, U_NO_KEY, "U_NO_KEY", "the ultravisor has no owner key" },

	{ UV_RETURN, U_INVALID, "U_INVALID", NOT_HV },

	{ UV_REGISTER_MEM_SLOT, U_PARAMETER, NULL, BAD_LPID },
	{ UV_REGISTER_MEM_SLOT, U_P2, NULL, "start_gpa is invalid" },
	{ UV_REGISTER_MEM_SLOT, U_P3, NULL, "size is invalid" },
	{ UV_REGISTER_MEM_SLOT, U_P4, NULL, BAD_FLAGS },
	{ UV_REGISTER_MEM_SLOT, U_P5, NULL, "slotid is not supported" },
	{ UV_REGISTER_MEM_SLOT, U_PERMISSION, NULL, NOT_HV },

	{ UV_UNREGISTER_MEM_SLOT, U_PARAMETER, NULL, BAD_LPID },
	{ UV_UNREGISTER_MEM_SLOT, U_P2, NULL, "slotid is invalid" },
	{ UV_UNREGISTER_MEM_SLOT, U_PERMISSION, NULL, NOT_HV },

	{ UV_PAGE_IN, U_BUSY, NULL, "the page cannot be paged in now, try again" },
	{ UV_PAGE_IN, U_PARAMETER, NULL, BAD_LPID },
	{ UV_PAGE_IN, U_P2, NULL, "src_ra is invalid" },
	{ UV_PAGE_IN, U_P3, NULL, "dest_gpa is invalid" },
	{ UV_PAGE_IN, U_P4, NULL, BAD_FLAGS },
	{ UV_PAGE_IN, U_P5, NULL, BAD_ORDER },

	{ UV_PAGE_OUT, U_BUSY, NULL, "the page cannot be paged out now, try again" },
	{ UV_PAGE_OUT, U_PARAMETER, NULL, BAD_LPID },
	{ UV_PAGE_OUT, U_P2, NULL, "dest_ra is invalid" },
	{ UV_PAGE_OUT, U_P3, NULL, "src_gpa is invalid" },
	{ UV_PAGE_OUT, U_P4, NULL, BAD_FLAGS },
	{ UV_PAGE_OUT, U_P5, NULL, BAD_ORDER },

	{ UV_PAGE_INVAL, U_BUSY, NULL, "the page cannot be invalidated now, try again" },
	{ UV_PAGE_INVAL, U_PARAMETER, NULL, BAD_LPID },
	{ UV_PAGE_INVAL, U_P2, NULL, "guest_pa is invalid, or the page is secure" },
	{ UV_PAGE_INVAL, U_P3, NULL, BAD_ORDER },

	{ UV_SVM_TERMINATE, U_PARAMETER, NULL, BAD_LPID },
	{ UV_SVM_TERMINATE, U_INVALID, "U_INVALID", NOT_SECURE },
	{ UV_SVM_TERMINATE, U_PERMISSION, NULL, NOT_HV },

	{ UV_SHARE_PAGE, U_INVALID, "U_INVALID", NOT_SECURE },
	{ UV_SHARE_PAGE, U_PARAMETER, NULL, "gfn is invalid" },
	{ UV_SHARE_PAGE, U_P2, NULL, "num is invalid" },
	{ UV_UNSHARE_PAGE, U_INVALID, "U_INVALID", NOT_SECURE },
	{ UV_UNSHARE_PAGE, U_PARAMETER, NULL, "gfn is invalid" },
	{ UV_UNSHARE_PAGE, U_P2, NULL, "num is invalid" },
	{ UV_UNSHARE_ALL_PAGES, U_INVALID, "U_INVALID", NOT_SECURE },

	{ H_SVM_INIT_START, H_STATE, NULL, "the VM cannot begin to go secure" },
	{ H_SVM_INIT_DONE, H_STATE, NULL, "the hypervisor could not make the VM secure" },
	{ H_SVM_INIT_DONE, H_UNSUPPORTED, NULL, "not between H_SVM_INIT_START and this call" },
	{ H_SVM_INIT_ABORT, H_PARAMETER, NULL, "cleaned up: UV_ESM has failed" },
	{ H_SVM_INIT_ABORT, H_STATE, NULL, "the VM is secure already" },
	{ H_SVM_INIT_ABORT, H_UNSUPPORTED, NULL, "no transition to abort" },

	{ H_SVM_PAGE_IN, H_PARAMETER, NULL, "guest_pa is invalid, or the page is in already" },
	{ H_SVM_PAGE_IN, H_P2, NULL, "flags is invalid" },
	{ H_SVM_PAGE_IN, H_P3, NULL, BAD_ORDER },
	{ H_SVM_PAGE_OUT, H_PARAMETER, NULL, "guest_pa is invalid" },
	{ H_SVM_PAGE_OUT, H_P2, NULL, "flags is invalid" },
	{ H_SVM_PAGE_OUT, H_P3, NULL, BAD_ORDER },
	/* The codes of the calls for one page, wherever the parameter is here. */
	{ H_SIM_SVM_PAGE_IN_RANGE, H_PARAMETER, NULL, "guest_pa or npages is invalid" },
	{ H_SIM_SVM_PAGE_IN_RANGE, H_P2, NULL, "flags is invalid" },
	{ H_SIM_SVM_PAGE_IN_RANGE, H_P3, NULL, BAD_ORDER },
	{ H_SIM_SVM_PAGE_OUT_RANGE, H_PARAMETER, NULL, "guest_pa or npages is invalid" },
	{ H_SIM_SVM_PAGE_OUT_RANGE, H_P2, NULL, "flags is invalid" },
	{ H_SIM_SVM_PAGE_OUT_RANGE, H_P3, NULL, BAD_ORDER },
};

static const struct meaning *find(uint64_t nr, int64_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].nr == nr && meanings[i].code == code)
			return &meanings[i];
	return NULL;
}

/* H_RANDOM is answered by the ultravisor, but is a hypercall to its caller. */
static bool is_hcall(uint64_t nr)
{
	return hcall_name(nr) != NULL;
}

const char *call_code_name(uint64_t nr, int64_t code)
{
	const struct meaning *m = find(nr, code);

	if (m && m->name)
		return m->name;
	return is_hcall(nr) ? papr_name(code) : papr_uv_name(code);
}

const char *call_code_meaning(uint64_t nr, int64_t code)
{
	const struct meaning *m = find(nr, code);
	const char *text;

	if (m)
		return m->text;
	if (code == U_RETRY)
		return is_hcall(nr) ? "wrong mode" : "try again later";
	text = papr_meaning(code);
	return text ? text : "no code of the specification";
}

void call_describe(char *buf, size_t size, uint64_t nr, int64_t code)
{
	const char *call = is_hcall(nr) ? hcall_name(nr) : ucall_name(nr);
	const char *name = call_code_name(nr, code);
	char number[32];

	if (!call) {
		snprintf(number, sizeof(number), "call 0x%llx", (unsigned long long)nr);
		call = number;
	}
	snprintf(buf, size, "%s: %lld (%s%s%s)", call, (long long)code, name ? name : "",
		 name ? ": " : "", call_code_meaning(nr, code));
}
