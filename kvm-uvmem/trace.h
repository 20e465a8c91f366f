/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: every change of state of a GFN and of a VM, every hypercall. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM uvmem

#if !defined(_UVMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UVMEM_TRACE_H

#include <linux/tracepoint.h>
#include "uvmem.h"

#define show_gfn_state(s)				\
	__print_symbolic(s,				\
		{ UVMEM_GFN_NORMAL,	"normal" },	\
		{ UVMEM_GFN_UVMEM,	"uvmem" },	\
		{ UVMEM_GFN_MEM,	"mem" },	\
		{ UVMEM_GFN_SHARED,	"shared" })

#define show_vm_state(s)				\
	__print_symbolic(s,				\
		{ UVMEM_VM_NORMAL,	"normal" },	\
		{ UVMEM_VM_TRANSIENT,	"transient" },	\
		{ UVMEM_VM_SECURE,	"secure" })

#define show_reason(r)					\
	__print_symbolic(r,				\
		{ UVMEM_R_INIT_START,	"init-start" },	\
		{ UVMEM_R_PAGE_IN,	"page-in" },	\
		{ UVMEM_R_PAGE_OUT,	"page-out" },	\
		{ UVMEM_R_HOST_TOUCH,	"host-touch" },	\
		{ UVMEM_R_HOST_ALONG,	"host-along" },	\
		{ UVMEM_R_SHARE,	"share" },	\
		{ UVMEM_R_UNSHARE,	"unshare" },	\
		{ UVMEM_R_INVAL,	"inval" },	\
		{ UVMEM_R_DROP,		"drop" },	\
		{ UVMEM_R_INIT_DONE,	"init-done" },	\
		{ UVMEM_R_ABORT,	"abort" },	\
		{ UVMEM_R_TERMINATE,	"terminate" })

#define show_hcall(n)							\
	__print_symbolic(n,						\
		{ H_SVM_PAGE_IN,		"H_SVM_PAGE_IN" },	\
		{ H_SVM_PAGE_OUT,		"H_SVM_PAGE_OUT" },	\
		{ H_SVM_INIT_START,		"H_SVM_INIT_START" },	\
		{ H_SVM_INIT_DONE,		"H_SVM_INIT_DONE" },	\
		{ H_SVM_INIT_ABORT,		"H_SVM_INIT_ABORT" },	\
		{ H_SIM_SVM_PAGE_IN_RANGE,	"H_SIM_SVM_PAGE_IN_RANGE" }, \
		{ H_SIM_SVM_PAGE_OUT_RANGE,	"H_SIM_SVM_PAGE_OUT_RANGE" })

TRACE_EVENT(uvmem_gfn,
	TP_PROTO(u32 lpid, u64 gpa, int from, int to, int reason, u64 ns),
	TP_ARGS(lpid, gpa, from, to, reason, ns),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u64, ns)
		__field(u32, lpid)
		__field(u8, from)
		__field(u8, to)
		__field(u8, reason)
	),
	TP_fast_assign(
		__entry->gpa = gpa;
		__entry->ns = ns;
		__entry->lpid = lpid;
		__entry->from = from;
		__entry->to = to;
		__entry->reason = reason;
	),
	TP_printk("lpid=%u gpa=0x%llx %s -> %s reason=%s duration=%lluns",
		  __entry->lpid, __entry->gpa, show_gfn_state(__entry->from),
		  show_gfn_state(__entry->to), show_reason(__entry->reason), __entry->ns)
);

TRACE_EVENT(uvmem_vm,
	TP_PROTO(u32 lpid, int from, int to, int reason, u64 ns),
	TP_ARGS(lpid, from, to, reason, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(u32, lpid)
		__field(u8, from)
		__field(u8, to)
		__field(u8, reason)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->lpid = lpid;
		__entry->from = from;
		__entry->to = to;
		__entry->reason = reason;
	),
	TP_printk("lpid=%u %s -> %s reason=%s duration=%lluns", __entry->lpid,
		  show_vm_state(__entry->from), show_vm_state(__entry->to),
		  show_reason(__entry->reason), __entry->ns)
);

TRACE_EVENT(uvmem_hcall,
	TP_PROTO(u32 lpid, u64 nr, const u64 *args, s64 ret, u64 ns),
	TP_ARGS(lpid, nr, args, ret, ns),
	TP_STRUCT__entry(
		__field(u64, nr)
		__field(u64, a0)
		__field(u64, a1)
		__field(u64, a2)
		__field(s64, ret)
		__field(u64, ns)
		__field(u32, lpid)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->a0 = args[0];
		__entry->a1 = args[1];
		__entry->a2 = args[2];
		__entry->ret = ret;
		__entry->ns = ns;
		__entry->lpid = lpid;
	),
	TP_printk("lpid=%u %s(0x%llx, 0x%llx, 0x%llx) = %lld duration=%lluns", __entry->lpid,
		  show_hcall(__entry->nr), __entry->a0, __entry->a1, __entry->a2,
		  __entry->ret, __entry->ns)
);

#endif /* _UVMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
