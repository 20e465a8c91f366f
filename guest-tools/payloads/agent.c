// SPDX-License-Identifier: GPL-2.0
/*
 * The agent: a guest that does what its mailbox says, so that a person or a
 * test can make the guest read, write, share, unshare or go secure.
 *
 * Each vCPU serves its own slot. The mailbox page is lost for a moment when
 * the VM goes secure or when it is unshared, and comes back zeroed; the lock
 * keeps the other vCPUs from answering into that gap. A command that was lost
 * before an agent took it is posted again by the launcher.
 *
 * All state is in .bss, outside of what UV_ESM measures.
 */
#include "lib/guest.h"
#include "pattern.h"

static struct {
	uint32_t lock; /* held while the mailbox is written or may vanish */
	uint32_t page_shift;
	uint32_t secure;
} agent;

static uint64_t mailbox_gfn(void)
{
	return AGENT_MAILBOX_GPA >> agent.page_shift;
}

static void mailbox_announce(void)
{
	struct agent_mailbox *mb = guest_mailbox();

	mb->secure = agent.secure;
	mb->page_shift = agent.page_shift;
	__atomic_store_n(&mb->magic, AGENT_MAGIC, __ATOMIC_RELEASE);
}

/* Make the mailbox the host's again; it is zeroed by that. */
static void mailbox_share(unsigned int vcpu)
{
	if (uv_share_page(mailbox_gfn(), 1) != U_SUCCESS)
		guest_panic(vcpu, "the mailbox cannot be shared");
	mailbox_announce();
}

static bool hits_mailbox(const struct guest_ucall *call)
{
	switch (call->nr) {
	case UV_UNSHARE_ALL_PAGES:
		return true;
	case UV_SHARE_PAGE:
	case UV_UNSHARE_PAGE:
		return call->args[0] <= mailbox_gfn() &&
		       mailbox_gfn() - call->args[0] < call->args[1];
	default:
		return false;
	}
}

/* UV_ESM that succeeds does not return: it goes on in guest_secure_main(). */
static void run_ucall(struct agent_slot *cmd, unsigned int vcpu, struct guest_ucall *call)
{
	guest_lock(&agent.lock);
	arch_ucall(call);
	if (call->ret == U_SUCCESS && hits_mailbox(call))
		mailbox_share(vcpu);
	guest_unlock(&agent.lock);

	cmd->ret = call->ret;
	cmd->out[0] = call->out[0];
	cmd->out[1] = call->out[1];
}

static void run_raw_ucall(struct agent_slot *cmd, unsigned int vcpu)
{
	struct guest_ucall call = { .nr = cmd->arg0 };

	__builtin_memcpy(call.args, cmd->data, sizeof(call.args));
	run_ucall(cmd, vcpu, &call);
}

static void run_esm(struct agent_slot *cmd, unsigned int vcpu)
{
	struct guest_ucall call = { .nr = UV_ESM, .args = { cmd->arg0, cmd->arg1 } };

	run_ucall(cmd, vcpu, &call);
}

static void run_hypercall_share(struct agent_slot *cmd, unsigned int vcpu, bool shared)
{
	guest_lock(&agent.lock);
	cmd->ret = arch_map_gpa_range(cmd->gpa, cmd->len, shared);
	if (!cmd->ret && cmd->gpa <= AGENT_MAILBOX_GPA && AGENT_MAILBOX_GPA - cmd->gpa < cmd->len)
		mailbox_share(vcpu);
	guest_unlock(&agent.lock);
}

static void run_share(struct agent_slot *cmd, unsigned int vcpu, bool shared)
{
	struct guest_ucall call = {
		.nr = shared ? UV_SHARE_PAGE : UV_UNSHARE_PAGE,
		.args = { cmd->gpa >> agent.page_shift, cmd->len >> agent.page_shift },
	};
	uint64_t offset = (1ULL << agent.page_shift) - 1;

	if (((cmd->gpa | cmd->len) & offset) || cmd->arg0 > AGENT_BY_HYPERCALL)
		cmd->ret = H_PARAMETER;
	else if (cmd->arg0 == AGENT_BY_HYPERCALL)
		run_hypercall_share(cmd, vcpu, shared);
	else
		run_ucall(cmd, vcpu, &call);
}

static void run_unshare_all(struct agent_slot *cmd, unsigned int vcpu)
{
	struct guest_ucall call = { .nr = UV_UNSHARE_ALL_PAGES };

	run_ucall(cmd, vcpu, &call);
}

static void run_copy(struct agent_slot *cmd, bool write)
{
	volatile uint8_t *p = guest_ptr(cmd->gpa);

	cmd->ret = H_PARAMETER;
	if (cmd->len > AGENT_DATA_BYTES)
		return;
	for (uint64_t i = 0; i < cmd->len; i++) {
		if (write)
			p[i] = cmd->data[i];
		else
			cmd->data[i] = p[i];
	}
	cmd->ret = 0;
}

static void run_fill(struct agent_slot *cmd)
{
	volatile uint8_t *p = guest_ptr(cmd->gpa);

	for (uint64_t i = 0; i < cmd->len; i++)
		p[i] = (uint8_t)cmd->arg0;
	cmd->ret = 0;
}

static void compare(struct agent_slot *cmd, uint64_t gpa, uint64_t want)
{
	if (*(volatile uint64_t *)guest_ptr(gpa) == want)
		return;
	if (!cmd->ret++)
		cmd->detail = gpa;
}

static void run_pattern(struct agent_slot *cmd)
{
	uint64_t end = cmd->gpa + cmd->len;

	for (uint64_t n = 0; n < cmd->arg1; n++) {
		for (uint64_t gpa = cmd->gpa; gpa != end; gpa += 8) {
			if (n)
				compare(cmd, gpa, agent_pattern(cmd->arg0, gpa, n - 1));
			*(volatile uint64_t *)guest_ptr(gpa) = agent_pattern(cmd->arg0, gpa, n);
		}
	}
}

static void run_verify(struct agent_slot *cmd)
{
	uint64_t end = cmd->gpa + cmd->len;

	for (uint64_t gpa = cmd->gpa; gpa != end; gpa += 8)
		compare(cmd, gpa, agent_pattern(cmd->arg0, gpa, cmd->arg1));
}

static void run_words(struct agent_slot *cmd, void (*run)(struct agent_slot *cmd))
{
	cmd->ret = 0;
	cmd->detail = 0;
	if ((cmd->gpa | cmd->len) & 7)
		cmd->ret = H_PARAMETER;
	else
		run(cmd);
}

static void run_random(struct agent_slot *cmd)
{
	cmd->ret = h_random(&cmd->out[0]);
}

static void run(struct agent_slot *cmd, unsigned int vcpu)
{
	switch (cmd->cmd) {
	case AGENT_NOP:
		cmd->ret = 0;
		break;
	case AGENT_READ:
	case AGENT_WRITE:
		run_copy(cmd, cmd->cmd == AGENT_WRITE);
		break;
	case AGENT_FILL:
		run_fill(cmd);
		break;
	case AGENT_CHECKSUM:
		cmd->ret = (int64_t)agent_fnv(AGENT_FNV_START, guest_ptr(cmd->gpa), cmd->len);
		break;
	case AGENT_ESM:
		run_esm(cmd, vcpu);
		break;
	case AGENT_SHARE:
	case AGENT_UNSHARE:
		run_share(cmd, vcpu, cmd->cmd == AGENT_SHARE);
		break;
	case AGENT_UNSHARE_ALL:
		run_unshare_all(cmd, vcpu);
		break;
	case AGENT_RANDOM:
		run_random(cmd);
		break;
	case AGENT_UCALL:
		run_raw_ucall(cmd, vcpu);
		break;
	case AGENT_PATTERN:
		run_words(cmd, run_pattern);
		break;
	case AGENT_VERIFY:
		run_words(cmd, run_verify);
		break;
	case AGENT_EXIT:
		arch_exit();
	default:
		cmd->ret = H_FUNCTION;
	}
}

static void answer(unsigned int vcpu, const struct agent_slot *cmd)
{
	struct agent_slot *slot = &guest_mailbox()->slot[vcpu];

	guest_lock(&agent.lock);
	slot->cmd = cmd->cmd;
	slot->ret = cmd->ret;
	slot->out[0] = cmd->out[0];
	slot->out[1] = cmd->out[1];
	slot->detail = cmd->detail;
	__builtin_memcpy(slot->data, cmd->data, sizeof(slot->data));
	__atomic_store_n(&slot->status, AGENT_DONE, __ATOMIC_RELEASE);
	guest_unlock(&agent.lock);
}

/* Returns false when nothing was posted. The copy is what counts: the host may go on writing. */
static bool take(unsigned int vcpu, struct agent_slot *cmd)
{
	struct agent_slot *slot = &guest_mailbox()->slot[vcpu];

	if (__atomic_load_n(&slot->status, __ATOMIC_ACQUIRE) != AGENT_POSTED)
		return false;
	__builtin_memcpy(cmd, slot, sizeof(*cmd));
	return true;
}

static _Noreturn void serve(unsigned int vcpu)
{
	struct agent_slot cmd;

	for (;;) {
		arch_wait(vcpu);
		if (!take(vcpu, &cmd))
			continue;
		run(&cmd, vcpu);
		answer(vcpu, &cmd);
	}
}

/*
 * The first vCPU looks at what the launcher has set. One that starts late may come when
 * the VM is going secure, or is, and the mailbox has been zeroed.
 */
void guest_main(unsigned int vcpu)
{
	guest_lock(&agent.lock);
	if (!agent.page_shift) {
		agent.page_shift = guest_mailbox()->page_shift;
		mailbox_announce();
	}
	guest_unlock(&agent.lock);
	serve(vcpu);
}

/* The vCPU that called UV_ESM comes back here, still holding the agent's lock. */
void guest_secure_main(unsigned int vcpu)
{
	struct agent_slot cmd = { .cmd = AGENT_ESM, .ret = U_SUCCESS };

	agent.secure = 1;
	mailbox_share(vcpu);
	guest_unlock(&agent.lock);
	answer(vcpu, &cmd);
	serve(vcpu);
}
