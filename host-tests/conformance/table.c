// SPDX-License-Identifier: GPL-2.0
/*
 * The table: every hypercall and every ultracall of a guest, with good and with
 * bad arguments, in every state of the VM and of the GFN, and the return code
 * that ultravisor.rst (docs/abi.md where that leaves it open) has for it. The
 * codes stand here, not in the model: what each says has to be what the other
 * says, and what the hypervisor does.
 *
 * Then the ultracalls of the hypervisor: a return value each, and the steps
 * after which the hypervisor has met it.
 */
#include <stdio.h>
#include <string.h>

#include "engine.h"

#define BIT(n) (1u << (n))

enum vm_state { NORMAL, TRANSIENT, SECURE, STOPPED };
#define IN_NORMAL BIT(NORMAL)
#define IN_TRANSIENT BIT(TRANSIENT)
#define IN_SECURE BIT(SECURE)
#define IN_STOPPED BIT(STOPPED)
#define IN_ANY 0xfu

/* GFN 1, which the calls are about. */
enum gfn_state {
	UNTOUCHED,
	TOUCHED,
	RESIDENT,
	SEALED,
	DROPPED, /* resident, but H has dropped its device page */
	LOST,	 /* sealed, but H has dropped the ciphertext */
	SHARED,
	SHARED_GONE, /* shared, but H has dropped the page */
	UNMAPPED,    /* H is not mapped there */
	NO_SLOT,
};
#define G(state) BIT(state)
#define G_ANY 0x3ffu

static const struct start {
	enum vm_state vm;
	enum gfn_state gfn;
	const char *name;
	const char *steps;
} starts[] = {
	{ NORMAL, UNTOUCHED, "normal, untouched", "" },
	{ NORMAL, TOUCHED, "normal, touched", "hw.1.0.7" },
	{ NORMAL, TOUCHED, "aborted, touched", "hw.1.0.7,esm.1" },
	{ NORMAL, TOUCHED, "terminated, was resident", "hw.1.0.7,esm.0,term" },
	{ NORMAL, TOUCHED, "terminated, was sealed", "hw.1.0.7,esm.0,out.1.0,term" },
	{ NORMAL, TOUCHED, "terminated, was shared", "hw.1.0.7,esm.0,share.1.1,term" },
	{ NORMAL, UNMAPPED, "normal, H unmapped", "unmap.1" },
	{ NORMAL, NO_SLOT, "normal, no memslot", "del.1" },
	{ TRANSIENT, UNTOUCHED, "transient, untouched", "begin" },
	{ TRANSIENT, TOUCHED, "transient, touched", "hw.1.0.7,begin" },
	{ TRANSIENT, RESIDENT, "transient, resident", "hw.1.0.7,begin,in.1.0" },
	{ TRANSIENT, SEALED, "transient, sealed", "hw.1.0.7,begin,in.1.0,out.1.0" },
	{ TRANSIENT, DROPPED, "transient, resident and dropped", "hw.1.0.7,begin,in.1.0,zap.1" },
	{ TRANSIENT, LOST, "transient, sealed and lost", "hw.1.0.7,begin,in.1.0,out.1.0,zap.1" },
	{ TRANSIENT, UNMAPPED, "transient, H unmapped", "begin,unmap.1" },
	{ TRANSIENT, NO_SLOT, "transient, no memslot", "del.1,begin" },
	{ SECURE, UNTOUCHED, "secure, untouched", "esm.0" },
	{ SECURE, RESIDENT, "secure, resident", "hw.1.0.7,esm.0" },
	{ SECURE, RESIDENT, "secure, unshared", "esm.0,share.1.1,unshare.1.1" },
	{ SECURE, SEALED, "secure, sealed", "hw.1.0.7,esm.0,out.1.0" },
	{ SECURE, SEALED, "secure, touched by the host", "hw.1.0.7,esm.0,hr.1.0" },
	{ SECURE, DROPPED, "secure, resident and dropped", "hw.1.0.7,esm.0,zap.1" },
	{ SECURE, LOST, "secure, sealed and lost", "hw.1.0.7,esm.0,out.1.0,zap.1" },
	{ SECURE, SHARED, "secure, shared", "hw.1.0.7,esm.0,share.1.1" },
	{ SECURE, SHARED_GONE, "secure, shared and dropped", "esm.0,share.1.1,zap.1" },
	{ SECURE, UNMAPPED, "secure, H unmapped", "esm.0,unmap.1" },
	{ SECURE, UNMAPPED, "secure, resident, H unmapped", "hw.1.0.7,esm.0,unmap.1" },
	{ SECURE, UNMAPPED, "secure, shared, H unmapped", "esm.0,share.1.1,unmap.1" },
	{ SECURE, NO_SLOT, "secure, no memslot", "del.1,esm.0" },
	{ SECURE, NO_SLOT, "secure, memslot deleted", "hw.1.0.7,esm.0,del.1" },
	{ SECURE, UNTOUCHED, "secure, memslot plugged in", "del.1,esm.0,add.1" },
/* The ciphertext of GFN 5 is lost. */
#define STOP ",out.5.0,zap.5,gr.5"
	{ STOPPED, UNTOUCHED, "stopped, untouched", "add.2,hw.5.0.9,esm.0" STOP },
	{ STOPPED, RESIDENT, "stopped, resident", "add.2,hw.1.0.7,hw.5.0.9,esm.0" STOP },
	{ STOPPED, SEALED, "stopped, sealed", "add.2,hw.1.0.7,hw.5.0.9,esm.0,out.1.0" STOP },
	{ STOPPED, DROPPED, "stopped, dropped", "add.2,hw.1.0.7,hw.5.0.9,esm.0,zap.1" STOP },
	{ STOPPED, SHARED, "stopped, shared", "add.2,hw.5.0.9,esm.0,share.1.1" STOP },
	{ STOPPED, UNMAPPED, "stopped, H unmapped", "add.2,hw.5.0.9,esm.0,unmap.1" STOP },
	{ STOPPED, NO_SLOT, "stopped, memslot deleted", "add.2,hw.5.0.9,esm.0,del.1" STOP },
};

/*
 * The first rule of a call that fits says what it returns. @deviation: it is for
 * hypervisors with these bits only.
 */
struct rule {
	unsigned int vm, gfn;
	int64_t code;
	unsigned int deviation;
};

#define RULES 10
struct call {
	const char *name;
	const char *steps;
	struct rule rule[RULES];
};

/* What is wrong with the arguments is found in every state but Normal. */
#define BAD_PAGE_CALL(nr, op)                                                                \
	{ nr ": bad flags",                                                                  \
	  op ".1.1",                                                                         \
	  { { IN_NORMAL, G_ANY, H_UNSUPPORTED }, { IN_ANY, G_ANY, H_P2 } } },                \
		{ nr ": smaller order",                                                      \
		  op ".1.2",                                                                 \
		  { { IN_NORMAL, G_ANY, H_UNSUPPORTED }, { IN_ANY, G_ANY, H_P3 } } },        \
		{ nr ": larger order",                                                       \
		  op ".1.3",                                                                 \
		  { { IN_NORMAL, G_ANY, H_UNSUPPORTED }, { IN_ANY, G_ANY, H_P3 } } },        \
		{ nr ": unaligned GPA",                                                      \
		  op ".1.4",                                                                 \
		  { { IN_NORMAL, G_ANY, H_UNSUPPORTED }, { IN_ANY, G_ANY, H_PARAMETER } } }, \
		{ nr ": last page of the address space",                                     \
		  op ".1.5",                                                                 \
		  { { IN_NORMAL, G_ANY, H_UNSUPPORTED }, { IN_ANY, G_ANY, H_PARAMETER } } }, \
	{                                                                                    \
		nr ": GPA in no memslot", op ".11.0",                                        \
		{                                                                            \
			{ IN_NORMAL, G_ANY, H_UNSUPPORTED },                                 \
			{                                                                    \
				IN_ANY, G_ANY, H_PARAMETER                                   \
			}                                                                    \
		}                                                                            \
	}

#define BAD_UCALL(nr, n, code)                      \
	{                                           \
		nr " by a guest", "ucall." #n,      \
		{                                   \
			{                           \
				IN_ANY, G_ANY, code \
			}                           \
		}                                   \
	}

#define SHARE_CALL(nr, op, unmapped)                                                               \
	{ nr,                                                                                      \
	  op ".1.1",                                                                               \
	  { { IN_ANY & ~IN_SECURE, G_ANY, U_INVALID },                                             \
	    { IN_ANY, G(NO_SLOT), U_PARAMETER },                                                   \
	    { IN_ANY, G(UNMAPPED), unmapped },                                                     \
	    { IN_ANY, G_ANY, U_SUCCESS } } },                                                      \
		{ nr ": GFN in no memslot",                                                        \
		  op ".11.1",                                                                      \
		  { { IN_ANY & ~IN_SECURE, G_ANY, U_INVALID }, { IN_ANY, G_ANY, U_PARAMETER } } }, \
		{ nr ": no pages",                                                                 \
		  op ".1.0",                                                                       \
		  { { IN_ANY & ~IN_SECURE, G_ANY, U_INVALID },                                     \
		    { IN_ANY, G(NO_SLOT), U_PARAMETER },                                           \
		    { IN_ANY, G_ANY, U_P2 } } },                                                   \
	{                                                                                          \
		nr ": too many pages", op ".1.9",                                                  \
		{                                                                                  \
			{ IN_ANY & ~IN_SECURE, G_ANY, U_INVALID },                                 \
				{ IN_ANY, G(NO_SLOT), U_PARAMETER },                               \
			{                                                                          \
				IN_ANY, G_ANY, U_P2                                                \
			}                                                                          \
		}                                                                                  \
	}

static const struct call calls[] = {
	{ "H_SVM_PAGE_IN",
	  "in.1.0",
	  { { IN_NORMAL, G_ANY, H_UNSUPPORTED },
	    { IN_ANY, G(UNMAPPED) | G(NO_SLOT), H_PARAMETER },
	    { IN_ANY, G(RESIDENT), H_PARAMETER }, /* it is in already */
	    /* as is the hole, which has a device page */
	    { IN_SECURE | IN_STOPPED, G(UNTOUCHED), H_PARAMETER, BIT(DEV_DONE) },
	    { IN_ANY, G(SHARED) | G(SHARED_GONE), H_PARAMETER }, /* only the guest unshares */
	    { IN_STOPPED, G(SEALED), H_PARAMETER },
	    { IN_ANY, G_ANY, H_SUCCESS } } },
	BAD_PAGE_CALL("H_SVM_PAGE_IN", "in"),
	{ "H_SVM_PAGE_IN shared",
	  "insh.1.0",
	  { { IN_NORMAL, G_ANY, H_UNSUPPORTED },
	    { IN_ANY, G(UNMAPPED) | G(NO_SLOT), H_PARAMETER },
	    { IN_SECURE, G(SHARED) | G(SHARED_GONE), H_SUCCESS },
	    { IN_ANY, G_ANY, H_PARAMETER } } }, /* the guest did not share it */
	BAD_PAGE_CALL("H_SVM_PAGE_IN shared", "insh"),
	{ "H_SVM_PAGE_OUT",
	  "out.1.0",
	  { { IN_NORMAL, G_ANY, H_UNSUPPORTED },
	    { IN_ANY, G(UNMAPPED) | G(NO_SLOT), H_PARAMETER },
	    { IN_ANY, G_ANY, H_SUCCESS } } },
	BAD_PAGE_CALL("H_SVM_PAGE_OUT", "out"),
	/* In a normal VM nobody called UV_ESM: the ultravisor takes no memslot. */
	{ "H_SVM_INIT_START", "start", { { IN_ANY, G_ANY, H_STATE } } },
	{ "H_SVM_INIT_START by UV_ESM",
	  "begin",
	  { { IN_NORMAL, G(UNMAPPED), U_INVALID }, /* H_STATE */
	    { IN_TRANSIENT, G_ANY, U_BUSY },
	    { IN_STOPPED, G_ANY, U_INVALID },
	    { IN_ANY, G_ANY, U_SUCCESS } } },
	{ "H_SVM_INIT_DONE",
	  "done",
	  { { IN_TRANSIENT, G(UNMAPPED), H_STATE },
	    { IN_TRANSIENT, G_ANY, H_SUCCESS },
	    { IN_SECURE | IN_STOPPED, G_ANY, H_SUCCESS, BIT(DEV_DONE) },
	    { IN_ANY, G_ANY, H_UNSUPPORTED } } },
	{ "H_SVM_INIT_ABORT",
	  "abort",
	  { { IN_NORMAL, G_ANY, H_UNSUPPORTED },
	    { IN_TRANSIENT, G_ANY, H_PARAMETER }, /* for the guest: it worked */
	    { IN_ANY, G_ANY, H_STATE } } },
	{ "UV_ESM",
	  "esm.0",
	  { { IN_NORMAL, G(UNMAPPED), U_INVALID },
	    { IN_TRANSIENT, G_ANY, U_BUSY },
	    { IN_STOPPED, G_ANY, U_INVALID },
	    { IN_ANY, G_ANY, U_SUCCESS } } },
	{ "UV_ESM: wrong digest",
	  "esm.1",
	  { { IN_NORMAL, G(UNMAPPED), U_INVALID },
	    { IN_NORMAL, G_ANY, U_PERMISSION },
	    { IN_TRANSIENT, G_ANY, U_BUSY },
	    { IN_STOPPED, G_ANY, U_INVALID },
	    { IN_ANY, G_ANY, U_SUCCESS } } },
	{ "UV_ESM: blob in no memslot",
	  "esm.2",
	  { { IN_NORMAL, G(UNMAPPED), U_INVALID },
	    { IN_NORMAL, G_ANY, U_PARAMETER },
	    { IN_TRANSIENT, G_ANY, U_BUSY },
	    { IN_STOPPED, G_ANY, U_INVALID },
	    { IN_ANY, G_ANY, U_SUCCESS } } },
	{ "UV_ESM: device tree in no memslot",
	  "esm.3",
	  { { IN_NORMAL, G(UNMAPPED), U_INVALID },
	    { IN_NORMAL, G_ANY, U_P2 },
	    { IN_TRANSIENT, G_ANY, U_BUSY },
	    { IN_STOPPED, G_ANY, U_INVALID },
	    { IN_ANY, G_ANY, U_SUCCESS } } },
	{ "UV_ESM that goes on",
	  "finish.0",
	  { { IN_TRANSIENT, G(UNMAPPED), U_RETRY }, /* the page cannot be had */
	    { IN_TRANSIENT, G_ANY, U_SUCCESS },
	    { IN_ANY, G_ANY, U_INVALID } } },
	{ "UV_ESM that goes on: wrong digest",
	  "finish.1",
	  { { IN_TRANSIENT, G(UNMAPPED), U_RETRY },
	    { IN_TRANSIENT, G_ANY, U_PERMISSION },
	    { IN_ANY, G_ANY, U_INVALID } } },
	{ "UV_ESM that goes on: blob in no memslot",
	  "finish.2",
	  { { IN_TRANSIENT, G_ANY, U_PARAMETER }, { IN_ANY, G_ANY, U_INVALID } } },
	{ "UV_ESM that goes on: device tree in no memslot",
	  "finish.3",
	  { { IN_TRANSIENT, G_ANY, U_P2 }, { IN_ANY, G_ANY, U_INVALID } } },
	SHARE_CALL("UV_SHARE_PAGE", "share", U_PARAMETER), /* no page to be had */
	SHARE_CALL("UV_UNSHARE_PAGE", "unshare", U_SUCCESS),
	{ "UV_UNSHARE_ALL_PAGES",
	  "unshareall",
	  { { IN_SECURE, G_ANY, U_SUCCESS }, { IN_ANY, G_ANY, U_INVALID } } },
	BAD_UCALL("UV_PAGE_IN", 0, U_PERMISSION),
	BAD_UCALL("UV_PAGE_OUT", 1, U_PERMISSION),
	BAD_UCALL("UV_PAGE_INVAL", 2, U_PERMISSION),
	BAD_UCALL("UV_WRITE_PATE", 3, U_PERMISSION),
	BAD_UCALL("UV_REGISTER_MEM_SLOT", 4, U_PERMISSION),
	BAD_UCALL("UV_UNREGISTER_MEM_SLOT", 5, U_PERMISSION),
	BAD_UCALL("UV_SVM_TERMINATE", 6, U_PERMISSION),
	BAD_UCALL("UV_RETURN", 7, U_INVALID),
	BAD_UCALL("an unknown ultracall", 8, U_FUNCTION),
};

/* A return value that the hypervisor gets from an ultracall in the last step. */
static const struct met {
	const char *name;
	const char *steps;
	uint16_t nr;
	int16_t ret;
	unsigned int never; /* with these deviations a hypervisor does not meet it */
} met[] = {
	{ "UV_PAGE_IN: U_SUCCESS", "hw.1.0.7,esm.0", UV_PAGE_IN, U_SUCCESS },
	{ "UV_PAGE_IN: U_PARAMETER, the SVM is stopped",
	  "hw.1.0.7,hw.2.0.9,esm.0,out.2.0,out.1.0,hw.2.1.1,gr.2,in.1.0", UV_PAGE_IN, U_PARAMETER },
	{ "UV_PAGE_IN: U_P2, not what was sealed", "hw.1.0.7,esm.0,out.1.0,hw.1.1.1,gr.1",
	  UV_PAGE_IN, U_P2 },
	{ "UV_PAGE_IN: U_P3, not shared", "hw.1.0.7,esm.0,insh.1.0", UV_PAGE_IN, U_P3 },
	{ "UV_PAGE_OUT: U_SUCCESS", "hw.1.0.7,esm.0,hr.1.0", UV_PAGE_OUT, U_SUCCESS },
	{ "UV_PAGE_OUT: U_PARAMETER, a normal VM", "hw.1.0.7,begin,in.1.0,done,finish.0,hr.1.0",
	  UV_PAGE_OUT, U_PARAMETER },
	{ "UV_PAGE_OUT: U_P3, not in secure memory", "hw.1.0.7,esm.0,out.1.0,zap.1,in.1.0,hr.1.0",
	  UV_PAGE_OUT, U_P3 },
	{ "UV_PAGE_INVAL: U_SUCCESS", "esm.0,share.1.1,zap.1", UV_PAGE_INVAL, U_SUCCESS,
	  BIT(DEV_INVALS) },
	{ "UV_PAGE_INVAL: U_P2, a secure page", "esm.0,share.1.1,unshare.1.1", UV_PAGE_INVAL, U_P2,
	  BIT(DEV_INVALS) },
	{ "UV_REGISTER_MEM_SLOT: U_SUCCESS", "begin", UV_REGISTER_MEM_SLOT, U_SUCCESS },
	{ "UV_REGISTER_MEM_SLOT: U_SUCCESS, hot-plug", "esm.0,add.2", UV_REGISTER_MEM_SLOT,
	  U_SUCCESS },
	{ "UV_REGISTER_MEM_SLOT: U_PARAMETER, a normal VM", "start", UV_REGISTER_MEM_SLOT,
	  U_PARAMETER },
	{ "UV_UNREGISTER_MEM_SLOT: U_SUCCESS", "esm.0,del.1", UV_UNREGISTER_MEM_SLOT, U_SUCCESS },
	{ "UV_UNREGISTER_MEM_SLOT: U_P2, gone already", "esm.0,term", UV_UNREGISTER_MEM_SLOT, U_P2,
	  BIT(DEV_OFF) },
	{ "UV_SVM_TERMINATE: U_SUCCESS", "esm.0,term", UV_SVM_TERMINATE, U_SUCCESS },
	{ "UV_SVM_TERMINATE: U_INVALID, not secure", "begin,done,finish.0,term", UV_SVM_TERMINATE,
	  U_INVALID },
};

/* Listed by ultravisor.rst, and not to be had here. */
static const struct {
	const char *name, *reason;
} elsewhere[] = {
	{ "UV_ESM: U_NO_KEY",
	  "it takes an ultravisor without an owner key: the test unload has one" },
	{ "all ultracalls: U_FUNCTION", "it takes secure_mem=0: the test unload has it" },
	{ "UV_PAGE_IN, UV_PAGE_OUT, UV_PAGE_INVAL: U_P4, U_P5, U_BUSY",
	  "a hypervisor that works does not provoke them: the unit tests do" },
	{ "UV_REGISTER_MEM_SLOT: U_P2 to U_P5",
	  "a hypervisor that works does not provoke them: the unit tests do" },
	{ "UV_WRITE_PATE: U_P2, U_P3, U_PERMISSION, U_BUSY",
	  "a hypervisor that works does not provoke them: the unit tests do" },
};

static int64_t code_of(const struct call *call, const struct start *start, unsigned int deviations)
{
	const struct rule *rule = call->rule;

	while (!(rule->vm & BIT(start->vm)) || !(rule->gfn & BIT(start->gfn)) ||
	       rule->deviation & ~deviations)
		rule++;
	return rule->code;
}

/* 0: the hypervisor and the model agree, @last is the latter's. */
static int run_steps(struct real *r, const char *name, const char *first, const char *second,
		     struct expect *last)
{
	static struct sequence seq;
	struct failure failure;
	char text[256];
	int ret;

	snprintf(text, sizeof(text), "%s,%s", first, second);
	if (sequence_parse(&seq, text))
		ktap_bail("the table has no sequence there");
	ret = sequence_run(r, &seq, &failure, last);
	if (ret < 0)
		ktap_bail("a sequence cannot be run");
	if (ret == SEQUENCE_HAZARD)
		ktap_skip(failure.mm.text, "%s", name);
	else if (ret)
		failure_note(&failure, &seq);
	return ret;
}

static void run_call(struct real *r, const struct call *call)
{
	static struct expect last;

	ktap_begin(call->name);
	for (unsigned int i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		int64_t code = code_of(call, &starts[i], r->hv->deviations);
		int ret = run_steps(r, starts[i].name, starts[i].steps, call->steps, &last);

		if (ret == SEQUENCE_HAZARD)
			continue;
		if (!ret && last.ret != code) {
			ktap_note(
				"conformance:0: %s,%s: the table has %lld, the model and the hypervisor %lld",
				starts[i].steps, call->steps, (long long)code, (long long)last.ret);
			ret = 1;
		}
		ktap_result(!ret, "%s: %lld", starts[i].name, (long long)code);
	}
	ktap_end();
}

static bool was_met(const struct met *met, const struct expect *last)
{
	for (unsigned int i = 0; i < last->nucalls; i++)
		if (last->ucall[i].nr == met->nr && last->ucall[i].ret == met->ret)
			return true;
	ktap_note("conformance:0: %s: the hypervisor does not meet it", met->steps);
	return false;
}

static void run_met(struct real *r, const struct met *met)
{
	static struct expect last;
	int ret;

	for (unsigned int i = 0; i < DEV_COUNT; i++) {
		if (met->never & r->hv->deviations & BIT(i)) {
			ktap_skip(deviation_texts[i].what, "%s", met->name);
			return;
		}
	}
	ret = run_steps(r, met->name, "", met->steps, &last);
	if (ret != SEQUENCE_HAZARD)
		ktap_result(!ret && was_met(met, &last), "%s", met->name);
}

static void note_deviations(const struct hv *hv)
{
	for (unsigned int i = 0; i < DEV_COUNT; i++)
		if (hv->deviations & 1u << i)
			ktap_note("%s deviates (%s): %s", hv->name, deviation_texts[i].name,
				  deviation_texts[i].what);
}

void table_run(struct real *r)
{
	ktap_begin("table");
	note_deviations(r->hv);
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		run_call(r, &calls[i]);
	for (unsigned int i = 0; i < sizeof(met) / sizeof(met[0]); i++)
		run_met(r, &met[i]);
	for (unsigned int i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		ktap_skip(elsewhere[i].reason, "%s", elsewhere[i].name);
	ktap_end();
}
