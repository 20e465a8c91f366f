/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoint: every ultracall of the hypervisor, with what it came to. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM uvsim

#if !defined(_UVSIM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UVSIM_TRACE_H

#include <linux/tracepoint.h>
#include "uvsim.h"

#define show_ucall(n)							\
	__print_symbolic(n,						\
		{ UV_WRITE_PATE,		"UV_WRITE_PATE" },	\
		{ UV_RETURN,			"UV_RETURN" },		\
		{ UV_REGISTER_MEM_SLOT,		"UV_REGISTER_MEM_SLOT" }, \
		{ UV_UNREGISTER_MEM_SLOT,	"UV_UNREGISTER_MEM_SLOT" }, \
		{ UV_PAGE_IN,			"UV_PAGE_IN" },		\
		{ UV_PAGE_OUT,			"UV_PAGE_OUT" },	\
		{ UV_PAGE_INVAL,		"UV_PAGE_INVAL" },	\
		{ UV_SVM_TERMINATE,		"UV_SVM_TERMINATE" })

/* The first argument of every one of them is an LPID. */
TRACE_EVENT(uvsim_ucall,
	TP_PROTO(u64 nr, const u64 *args, s64 ret),
	TP_ARGS(nr, args, ret),
	TP_STRUCT__entry(
		__field(u64, nr)
		__field(u64, lpid)
		__field(u64, a1)
		__field(u64, a2)
		__field(u64, a3)
		__field(u64, a4)
		__field(s64, ret)
	),
	TP_fast_assign(
		__entry->nr = nr;
		__entry->lpid = args[0];
		__entry->a1 = args[1];
		__entry->a2 = args[2];
		__entry->a3 = args[3];
		__entry->a4 = args[4];
		__entry->ret = ret;
	),
	TP_printk("lpid=%llu %s(0x%llx, 0x%llx, 0x%llx, 0x%llx) = %lld", __entry->lpid,
		  show_ucall(__entry->nr), __entry->a1, __entry->a2, __entry->a3,
		  __entry->a4, __entry->ret)
);

#endif /* _UVSIM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
