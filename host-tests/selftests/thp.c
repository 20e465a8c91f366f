// SPDX-License-Identifier: GPL-2.0
/*
 * H is transparent huge pages, on kernels that can move them whole and on those that
 * cannot: they are split when the VM goes secure, however many CPUs meet at one, and a
 * page that is shared is nobody else's.
 */
#include <sys/mman.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0031
#define FILLED 2UL    /* huge pages with content */
#define UNTOUCHED 1UL /* behind them */

FIXTURE(thp)
{
	struct own own;
	struct own_vcpu vcpu;
	struct usage before;
	size_t huge; /* pages */
	bool opened, secure;
};

static size_t huge_page(void)
{
	char *text = file_read("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
	size_t bytes = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return bytes / page_size();
}

static int open_filled(struct own *o, size_t huge)
{
	size_t code = (FILLED + UNTOUCHED) * huge + 1;

	if (own_open_huge(o, code + 1 + own_blob_pages(), huge * page_size()))
		return -1;
	own_fill(o, 0, FILLED * huge, SEED);
	own_vcpu_code(o, code);
	return own_blob(o, page_size(), 1, true);
}

FIXTURE_SETUP(thp)
{
	self->huge = huge_page();
	if (!self->huge)
		SKIP(return, "no transparent huge pages");
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, open_filled(&self->own, self->huge));
	self->opened = true;
}

FIXTURE_TEARDOWN(thp)
{
	if (self->secure)
		own_vcpu_close(&self->vcpu);
	if (!self->opened)
		return;
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

#define go_secure()                                                                 \
	do {                                                                        \
		ASSERT_EQ(U_SUCCESS, own_esm(&self->own));                          \
		ASSERT_EQ(0, own_vcpu_open(&self->vcpu, &self->own,                 \
					   (FILLED + UNTOUCHED) * self->huge + 1)); \
		self->secure = true;                                                \
	} while (0)

static int guest_has(struct own_vcpu *v, size_t page)
{
	uint64_t gpa = page * page_size() + 24, word = agent_pattern(SEED, gpa, 0);
	uint8_t byte = 0;
	int err = own_vcpu_read(v, gpa, &byte);

	return err || byte != (uint8_t)word ? say("page %zu: %d, 0x%02x", page, err, byte) : 0;
}

/* Guest and host see what the other writes. */
static int is_shared(struct own *o, struct own_vcpu *v, size_t page)
{
	uint8_t byte = 0, *h = o->h + page * page_size();

	if (own_vcpu_write(v, page * page_size() + 10, 0x78) || h[10] != 0x78)
		return say("page %zu: the host does not see the guest's", page);
	h[11] = 0x79;
	if (own_vcpu_read(v, page * page_size() + 11, &byte) || byte != 0x79)
		return say("page %zu: the guest does not see the host's", page);
	return 0;
}

static int64_t share(struct own *o, size_t page)
{
	return own_ucall(o, UV_SHARE_PAGE, page, 1, 0, 0, 0);
}

/* Several CPUs move parts of one huge page. */
TEST_F_TIMEOUT(thp, goes_secure_each_time, 300)
{
	struct own *o = &self->own;
	int rounds = slow_machine() ? 20 : 60;

	for (int i = 0; i < rounds; i++) {
		ASSERT_EQ(U_SUCCESS, own_esm(o))
		{
			TH_LOG("in round %d", i);
		}
		own_close(o);
		self->opened = false;
		ASSERT_EQ(0, open_filled(o, self->huge));
		self->opened = true;
	}
}

TEST_F(thp, what_was_untouched_is_shared)
{
	size_t first = FILLED * self->huge;

	go_secure();
	/* The first and another page of a huge page that sharing makes. */
	ASSERT_EQ(U_SUCCESS, share(&self->own, first));
	EXPECT_EQ(0, is_shared(&self->own, &self->vcpu, first));
	ASSERT_EQ(U_SUCCESS, share(&self->own, first + 5));
	EXPECT_EQ(0, is_shared(&self->own, &self->vcpu, first + 5));
	/* Their neighbours come in nevertheless, and go out again. */
	EXPECT_EQ(0, own_vcpu_write(&self->vcpu, (first + 1) * page_size(), 1));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, first + 1));
	EXPECT_EQ(H_SUCCESS, own_hcall(&self->own, H_SVM_PAGE_OUT, (first + 1) * page_size(), 0,
				       page_order(), 0, NULL));
}

TEST_F(thp, what_was_paged_out_is_shared)
{
	size_t page[] = { 0, self->huge + 7 };
	uint64_t done;

	go_secure();
	ASSERT_EQ(H_SUCCESS, own_hcall(&self->own, H_SIM_SVM_PAGE_OUT_RANGE, 0, FILLED * self->huge,
				       0, page_order(), &done));
	for (size_t i = 0; i < 2; i++) {
		ASSERT_EQ(U_SUCCESS, share(&self->own, page[i]));
		EXPECT_EQ(0, is_shared(&self->own, &self->vcpu, page[i]));
		EXPECT_EQ(0, guest_has(&self->vcpu, page[i] + 1));
	}
	EXPECT_EQ(0, guest_has(&self->vcpu, self->huge - 1));
}

/* What the VMM gave back before: a balloon does so. Linux 6.12 cannot move the others. */
TEST_F(thp, a_part_was_dropped_before)
{
	struct own *o = &self->own;

	if (!block_pages())
		SKIP(return, "this kernel migrates no folio that is mapped by pages");
	ASSERT_EQ(0, madvise(o->h + 5 * page_size(), page_size(), MADV_DONTNEED));
	go_secure();
	EXPECT_EQ(0, guest_has(&self->vcpu, 4));
	EXPECT_EQ(0, guest_has(&self->vcpu, 6));
}

TEST_HARNESS_MAIN
