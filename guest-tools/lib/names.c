// SPDX-License-Identifier: GPL-2.0
/*
 * Names of numbers. One table a kind, so that a number that is added to a
 * header is added in one place here. Pure functions: no locks, no state.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control.h"
#include "names.h"
#include "uv-sim/uapi/uv.h"
#include "kvm-uvmem/uapi/uvmem.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define UNKNOWN "unknown"

struct papr_code {
	int64_t code;
	const char *hv; /* NULL: no hypercall returns it */
	const char *uv; /* NULL: no ultracall returns it */
	const char *meaning;
};

static const struct papr_code papr_codes[] = {
	{ H_SUCCESS, "H_SUCCESS", "U_SUCCESS", "success" },
	{ H_BUSY, "H_BUSY", "U_BUSY", "busy, try again" },
	{ H_NOT_AVAILABLE, "H_NOT_AVAILABLE", "U_NOT_AVAILABLE", "not available" },
	{ H_HARDWARE, "H_HARDWARE", NULL, "hardware error" },
	{ H_FUNCTION, "H_FUNCTION", "U_FUNCTION", "the call is not supported" },
	{ H_PARAMETER, "H_PARAMETER", "U_PARAMETER", "parameter 1 is invalid" },
	{ U_RETRY, "H_BAD_MODE", "U_RETRY", NULL },
	{ H_NO_MEM, "H_NO_MEM", NULL, "out of memory" },
	{ H_AUTHORITY, "H_AUTHORITY", NULL, "the caller has no authority" },
	{ H_PERMISSION, "H_PERMISSION", "U_PERMISSION", "the caller has no permission" },
	{ H_P2, "H_P2", "U_P2", "parameter 2 is invalid" },
	{ H_P3, "H_P3", "U_P3", "parameter 3 is invalid" },
	{ H_P4, "H_P4", "U_P4", "parameter 4 is invalid" },
	{ H_P5, "H_P5", "U_P5", "parameter 5 is invalid" },
	{ H_UNSUPPORTED, "H_UNSUPPORTED", NULL, "not supported in this context" },
	{ H_STATE, "H_STATE", "U_STATE", "the VM is not in the right state" },
};

struct call {
	uint64_t nr;
	const char *name;
};

static const struct call ucalls[] = {
	{ UV_WRITE_PATE, "UV_WRITE_PATE" },
	{ UV_ESM, "UV_ESM" },
	{ UV_RETURN, "UV_RETURN" },
	{ UV_REGISTER_MEM_SLOT, "UV_REGISTER_MEM_SLOT" },
	{ UV_UNREGISTER_MEM_SLOT, "UV_UNREGISTER_MEM_SLOT" },
	{ UV_PAGE_IN, "UV_PAGE_IN" },
	{ UV_PAGE_OUT, "UV_PAGE_OUT" },
	{ UV_SHARE_PAGE, "UV_SHARE_PAGE" },
	{ UV_UNSHARE_PAGE, "UV_UNSHARE_PAGE" },
	{ UV_PAGE_INVAL, "UV_PAGE_INVAL" },
	{ UV_SVM_TERMINATE, "UV_SVM_TERMINATE" },
	{ UV_UNSHARE_ALL_PAGES, "UV_UNSHARE_ALL_PAGES" },
};

static const struct call hcalls[] = {
	{ H_RANDOM, "H_RANDOM" },
	{ H_SVM_PAGE_IN, "H_SVM_PAGE_IN" },
	{ H_SVM_PAGE_OUT, "H_SVM_PAGE_OUT" },
	{ H_SVM_INIT_START, "H_SVM_INIT_START" },
	{ H_SVM_INIT_DONE, "H_SVM_INIT_DONE" },
	{ H_SVM_INIT_ABORT, "H_SVM_INIT_ABORT" },
	{ H_SIM_SVM_PAGE_IN_RANGE, "H_SIM_SVM_PAGE_IN_RANGE" },
	{ H_SIM_SVM_PAGE_OUT_RANGE, "H_SIM_SVM_PAGE_OUT_RANGE" },
};

static const struct papr_code *papr_find(int64_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(papr_codes); i++)
		if (papr_codes[i].code == code)
			return &papr_codes[i];
	return NULL;
}

const char *papr_name(int64_t code)
{
	const struct papr_code *c = papr_find(code);

	return c ? c->hv : NULL;
}

const char *papr_uv_name(int64_t code)
{
	const struct papr_code *c = papr_find(code);

	return c ? c->uv : NULL;
}

const char *papr_meaning(int64_t code)
{
	const struct papr_code *c = papr_find(code);

	if (!c)
		return NULL;
	/* The one number whose two names mean different things. */
	if (code == U_RETRY)
		return "wrong mode (of a hypercall), or try again later (of an ultracall)";
	return c->meaning;
}

static const char *call_find(const struct call *calls, size_t n, uint64_t nr)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	return NULL;
}

const char *ucall_name(uint64_t nr)
{
	if (nr == H_RANDOM)
		return "H_RANDOM";
	return call_find(ucalls, ARRAY_SIZE(ucalls), nr);
}

const char *hcall_name(uint64_t nr)
{
	return call_find(hcalls, ARRAY_SIZE(hcalls), nr);
}

static bool call_lookup(const struct call *calls, size_t n, const char *name, uint64_t *nr)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcasecmp(calls[i].name, name)) {
			*nr = calls[i].nr;
			return true;
		}
	}
	return false;
}

bool call_by_name(const char *name, uint64_t *nr)
{
	return call_lookup(ucalls, ARRAY_SIZE(ucalls), name, nr) ||
	       call_lookup(hcalls, ARRAY_SIZE(hcalls), name, nr);
}

static const char *pick(const char *const *names, size_t n, unsigned int i)
{
	return i < n && names[i] ? names[i] : UNKNOWN;
}

const char *uvmem_gfn_state_name(unsigned int state)
{
	static const char *const names[] = {
		[UVMEM_GFN_NORMAL] = "normal", [UVMEM_GFN_UVMEM] = "uvmem",
		[UVMEM_GFN_MEM] = "mem",       [UVMEM_GFN_SHARED] = "shared",
		[UVMEM_GFN_NOSLOT] = "noslot",
	};

	return pick(names, ARRAY_SIZE(names), state);
}

const char *uvmem_vm_state_name(unsigned int state)
{
	static const char *const names[] = {
		[UVMEM_VM_NORMAL] = "normal",
		[UVMEM_VM_TRANSIENT] = "transient",
		[UVMEM_VM_SECURE] = "secure",
	};

	return pick(names, ARRAY_SIZE(names), state);
}

const char *uv_gfn_state_name(unsigned int state)
{
	static const char *const names[] = {
		[UV_GFN_NORMAL] = "normal",	[UV_GFN_ZERO] = "zero",
		[UV_GFN_RESIDENT] = "resident", [UV_GFN_SEALED] = "sealed",
		[UV_GFN_SHARED] = "shared",	[UV_GFN_SHARED_UNMAPPED] = "shared-unmapped",
		[UV_GFN_NOSLOT] = "noslot",
	};

	return pick(names, ARRAY_SIZE(names), state);
}

const char *uv_vm_state_name(unsigned int state)
{
	static const char *const names[] = {
		[UV_VM_NORMAL] = "normal",
		[UV_VM_TRANSIENT] = "transient",
		[UV_VM_SECURE] = "secure",
		[UV_VM_STOPPED] = "stopped",
	};

	return pick(names, ARRAY_SIZE(names), state);
}

const char *uv_stop_reason_name(unsigned int reason)
{
	static const char *const names[] = {
		[UV_STOP_NONE] = "none",
		[UV_STOP_INTEGRITY] = "integrity",
		[UV_STOP_LOST] = "lost",
		[UV_STOP_HYPERVISOR] = "hypervisor",
		[UV_STOP_TERMINATED] = "terminated",
	};

	return pick(names, ARRAY_SIZE(names), reason);
}

const char *uv_stop_reason_text(unsigned int reason)
{
	static const char *const names[] = {
		[UV_STOP_NONE] = "not stopped",
		[UV_STOP_INTEGRITY] = "the host changed a paged-out page: its tag does not verify",
		[UV_STOP_LOST] = "the host lost the content of a paged-out page",
		[UV_STOP_HYPERVISOR] = "a hypercall failed that the SVM cannot go on without",
		[UV_STOP_TERMINATED] = "terminated by the host",
	};

	return pick(names, ARRAY_SIZE(names), reason);
}

const char *uvc_guest_state_name(unsigned int state)
{
	static const char *const names[] = {
		[UVC_GUEST_RUNNING] = "running",
		[UVC_GUEST_STOPPED] = "stopped",
		[UVC_GUEST_EXITED] = "exited",
	};

	return pick(names, ARRAY_SIZE(names), state);
}

const char *agent_cmd_name(unsigned int cmd)
{
	static const char *const names[] = {
		[AGENT_NOP] = "nop",
		[AGENT_READ] = "read",
		[AGENT_WRITE] = "write",
		[AGENT_FILL] = "fill",
		[AGENT_CHECKSUM] = "checksum",
		[AGENT_ESM] = "esm",
		[AGENT_SHARE] = "share",
		[AGENT_UNSHARE] = "unshare",
		[AGENT_UNSHARE_ALL] = "unshare-all",
		[AGENT_RANDOM] = "random",
		[AGENT_UCALL] = "ucall",
		[AGENT_PATTERN] = "pattern",
		[AGENT_VERIFY] = "verify",
		[AGENT_EXIT] = "exit",
	};

	return pick(names, ARRAY_SIZE(names), cmd);
}
