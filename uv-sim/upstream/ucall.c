// SPDX-License-Identifier: GPL-2.0
/*
 * Ultracalls of the kernel: ucall_norets() is sent to uv-sim.ko.
 *
 * The function is two instructions, "sc 2" and "blr". Kprobes refuse the first
 * one, so it becomes a nop, and a kprobe there continues at uvup_ucall_entry
 * instead. The probe's handler does no more than that: the ultracall runs in
 * the caller's context, with interrupts and preemption as the caller had them.
 *
 * Neither kallsyms_lookup_name() nor patch_instruction() is for modules; a
 * kprobe tells where the first is, and the first where the second is: at their
 * global entry points, which an indirect call needs.
 */
#include <linux/err.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/inst.h>
#include <asm/ppc-opcode.h>
#include <asm/ptrace.h>

#include "internal.h"

#define INSN_SC2	0x44000042
#define NO_UCALL	0xF1FC		/* no ultracall has this number */

typedef int (*patch_fn)(u32 *addr, ppc_inst_t insn);

typedef long (*ucall_fn)(unsigned long nr, ...);
typedef unsigned long (*lookup_fn)(const char *name);

static lookup_fn lookup_name;
static patch_fn patch;
static u32 *ucall_insn;
static ucall_fn ucall_norets;

/**
 * uvup_symbol() - address of a symbol of the kernel or of a module
 * @name: its name
 *
 * Return: the address, or NULL.
 */
void *uvup_symbol(const char *name)
{
	return (void *)lookup_name(name);
}

/* Called by uvup_ucall_entry in place of the kernel's "sc 2". */
long uvup_ucall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	if (nr == UV_PAGE_INVAL) {
		if (a2 != PAGE_SHIFT)
			return U_P3;
		uvup_inval(a0, a1);
		return U_SUCCESS;
	}
	might_sleep();
	uvup_inval_drain(a0);
	return uvsim_ucall(nr, a0, a1, a2, a3, a4);
}

static int __kprobes to_uvsim(struct kprobe *probe, struct pt_regs *regs)
{
	regs->gpr[12] = (unsigned long)uvup_ucall_entry;
	regs_set_return_ip(regs, regs->gpr[12]);
	return 1;
}

/* Only a probe without one may be replaced by a jump, which returns. */
static void not_optimized(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe ucall_probe = {
	.pre_handler = to_uvsim,
	.post_handler = not_optimized,
};

/*
 * A kprobe is set somewhere behind the global entry point: at the local one, or
 * where ftrace hooks in. The symbol begins at the global one.
 */
static void *global_entry(const struct kprobe *probe)
{
	char text[KSYM_SYMBOL_LEN], *plus;
	unsigned long offset;

	sprint_symbol(text, (unsigned long)probe->addr);
	plus = strchr(text, '+');
	if (!plus || sscanf(plus, "+%lx", &offset) != 1)
		return NULL;
	return (void *)probe->addr - offset;
}

static int find_lookup_name(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int err = register_kprobe(&probe);

	if (err) {
		pr_err("this kernel lets no module set a kprobe (error %d): build it with CONFIG_KPROBES=y and CONFIG_KALLSYMS=y\n",
		       err);
		return err;
	}
	lookup_name = global_entry(&probe);
	unregister_kprobe(&probe);
	if (lookup_name)
		return 0;
	pr_err("this kernel does not know its own symbols: build it with CONFIG_KALLSYMS=y\n");
	return -EOPNOTSUPP;
}

static int find_symbols(void)
{
	patch = uvup_symbol("patch_instruction");
	ucall_norets = uvup_symbol("ucall_norets");
	ucall_insn = (u32 *)ucall_norets;
	if (!ucall_insn) {
		pr_err("this kernel was built without CONFIG_PPC_UV: it has no hypervisor half to serve\n");
		return -EOPNOTSUPP;
	}
	if (!patch) {
		pr_err("this kernel has no patch_instruction(): its code cannot be changed\n");
		return -EOPNOTSUPP;
	}
	if (*ucall_insn != INSN_SC2) {
		pr_err("ucall_norets() does not begin with \"sc 2\" but with 0x%08x: somebody else has changed it\n",
		       *ucall_insn);
		return -EBUSY;
	}
	return 0;
}

/* Kprobes can be switched off at run time, and are then set but never hit. */
static int try_it(void)
{
	if (ucall_norets(NO_UCALL, 0, 0, 0, 0, 0) == U_FUNCTION)
		return 0;
	pr_err("a kprobe was set, but is not hit: kprobes are switched off (debugfs, kprobes/enabled)\n");
	return -EOPNOTSUPP;
}

/**
 * uvup_ucall_init() - send the kernel's ultracalls to uv-sim.ko
 *
 * Return: 0 or a negative errno, and then the kernel is as it was.
 */
int uvup_ucall_init(void)
{
	int err = find_lookup_name();

	if (!err)
		err = find_symbols();
	if (err)
		return err;
	err = patch(ucall_insn, ppc_inst(PPC_RAW_NOP()));
	if (err) {
		pr_err("ucall_norets() cannot be changed: error %d\n", err);
		return err;
	}
	ucall_probe.addr = (kprobe_opcode_t *)ucall_insn;
	err = register_kprobe(&ucall_probe);
	if (err) {
		pr_err("no kprobe can be set on ucall_norets(): error %d\n", err);
		goto restore;
	}
	err = try_it();
	if (!err)
		return 0;
	unregister_kprobe(&ucall_probe);
restore:
	patch(ucall_insn, ppc_inst(INSN_SC2));
	return err;
}

/**
 * uvup_ucall_exit() - undo uvup_ucall_init()
 *
 * KVM-HV is not loaded: nobody makes ultracalls.
 */
void uvup_ucall_exit(void)
{
	unregister_kprobe(&ucall_probe);
	if (patch(ucall_insn, ppc_inst(INSN_SC2)))
		pr_crit("ucall_norets() could not be restored\n");
}
