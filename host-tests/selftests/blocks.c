// SPDX-License-Identifier: GPL-2.0
/*
 * The guest view by blocks: what lies in secure memory as one is mapped as one, by the
 * first touch, until a part of it leaves; a guest that reads in order gets its paged-out
 * memory by blocks. Nobody but the guest can reach it there either.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0015
#define BLOCKS 4
#define GUEST_MOST 16 /* most pages that a touch of the guest's brings in by itself */
#define SWITCH "/sys/module/uv_sim/parameters/huge"

/* Pages of a block: what an entry of a page middle directory maps. */
static size_t block(void)
{
	char *text = file_read("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
	size_t pages = text ? strtoul(text, NULL, 10) / page_size() : 0;

	free(text);
	return pages;
}

FIXTURE(blocks)
{
	struct own own;
	struct own_vcpu vcpu;
	struct usage before;
	size_t block, pages;
	uint64_t faults;
};

static uint64_t guest_faults(void)
{
	struct uvsim_stats st = { 0 };

	return uvsim_stats(&st) ? 0 : st.guest_faults;
}

/* The code is in a block of its own, and mapped. */
FIXTURE_SETUP(blocks)
{
	struct own *o = &self->own;
	uint8_t byte;

	ASSERT_EQ(0, usage_get(&self->before));
	self->block = block();
	ASSERT_LT(0, self->block);
	self->pages = BLOCKS * self->block;
	ASSERT_EQ(0, own_open(o, self->pages + 2 + own_blob_pages()));
	own_fill(o, 0, self->pages, SEED);
	own_vcpu_code(o, self->pages + 1);
	ASSERT_EQ(0, own_blob(o, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, own_vcpu_open(&self->vcpu, o, self->pages + 1));
	ASSERT_EQ(0, own_vcpu_read(&self->vcpu, (self->pages + 1) * page_size(), &byte));
	self->faults = guest_faults();
}

FIXTURE_TEARDOWN(blocks)
{
	own_vcpu_close(&self->vcpu);
	own_close(&self->own);
	EXPECT_EQ(0, file_write(SWITCH, "Y"));
	EXPECT_EQ(0, usage_check(&self->before));
}

static int64_t range(struct own *o, uint64_t nr, uint64_t page, uint64_t n)
{
	return own_hcall(o, nr, page * page_size(), n, 0, page_order(), NULL);
}

static uint8_t pattern_byte(uint64_t gpa)
{
	return (uint8_t)agent_pattern(SEED, gpa & ~7ULL, 0);
}

/* The guest reads a byte of each page, and it is the pattern's. */
static int guest_has(struct own_vcpu *v, size_t first, size_t n)
{
	for (size_t page = first; page < first + n; page++) {
		uint64_t gpa = page * page_size() + page % 500 * 8;
		uint8_t byte = 0;
		int err = own_vcpu_read(v, gpa, &byte);

		if (err || byte != pattern_byte(gpa))
			return say("the guest reads page %zu: %s, 0x%02x", page, strerror(err),
				   byte);
	}
	return 0;
}

static bool sealed(struct own *o, size_t page)
{
	uint8_t *plain = malloc(page_size());
	bool ok;

	pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
	ok = is_ciphertext(o->h + page * page_size(), plain, page_size());
	free(plain);
	return ok;
}

TEST_F(blocks, a_touch_maps_a_block)
{
	ASSERT_EQ(0, guest_has(&self->vcpu, self->block + 5, 1));
	EXPECT_EQ(self->faults + 1, guest_faults());
	ASSERT_EQ(0, guest_has(&self->vcpu, self->block, self->block));
	EXPECT_EQ(self->faults + 1, guest_faults());
	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, 0, page_size(), self->pages));
	EXPECT_EQ(self->faults + BLOCKS, guest_faults());
}

/* Its own faults are as few: it has mapped as much as it found. */
TEST_F(blocks, kvm_follows)
{
	char *text;

	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, 0, page_size(), self->pages));
	text = file_read("/sys/kernel/debug/kvm/pages_2m");
	if (!text) /* KVM-HV */
		text = file_read("/sys/kernel/debug/kvm/num_2M_pages");
	if (!text)
		SKIP(return, "this KVM does not say how much it maps at a time");
	EXPECT_LE(BLOCKS, strtoul(text, NULL, 10));
	free(text);
}

TEST_F(blocks, switched_off)
{
	ASSERT_EQ(0, file_write(SWITCH, "N"));
	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, 0, page_size(), self->block));
	EXPECT_LE(self->faults + self->block / GUEST_MOST, guest_faults());
}

/* The host takes one page; what the guest wrote into any is kept. */
TEST_F(blocks, the_host_takes_a_page)
{
	size_t taken = self->block + 7;
	uint8_t byte;

	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, taken * page_size(), 0x5a));
	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, (taken + 1) * page_size(), 0x5b));
	ASSERT_EQ(self->faults + 1, guest_faults());
	EXPECT_TRUE(sealed(&self->own, taken));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, taken));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, taken + 1));
	ASSERT_EQ(0, own_vcpu_read(&self->vcpu, (taken + 1) * page_size(), &byte));
	EXPECT_EQ(0x5b, byte);
	ASSERT_EQ(0, own_vcpu_read(&self->vcpu, taken * page_size(), &byte));
	EXPECT_EQ(0x5a, byte);
	EXPECT_LT(self->faults + 1, guest_faults());
	EXPECT_EQ(0, guest_has(&self->vcpu, self->block, 7));
	EXPECT_EQ(0, guest_has(&self->vcpu, taken + 2, self->block - 9));
}

TEST_F(blocks, out_and_in_it_is_one_again)
{
	for (uint8_t round = 1; round <= 5; round++) {
		uint8_t byte;

		ASSERT_EQ(0, own_vcpu_write(&self->vcpu, 9 * page_size(), round));
		ASSERT_EQ(H_SUCCESS, range(&self->own, H_SIM_SVM_PAGE_OUT_RANGE, 8, 4));
		ASSERT_EQ(H_SUCCESS, range(&self->own, H_SIM_SVM_PAGE_IN_RANGE, 8, 4));
		ASSERT_EQ(0, own_vcpu_read(&self->vcpu, 9 * page_size(), &byte));
		EXPECT_EQ(round, byte);
		EXPECT_EQ(self->faults + 1 + round, guest_faults());
	}
}

/* Map the guest view anew, at @g, and tell KVM. */
static int view_at(struct own_vcpu *v, struct own *o, uint8_t *g)
{
	munmap(v->g, v->len);
	v->g = mmap(g, v->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, o->uv, 0);
	return v->g == g ? own_vcpu_forget(v) : say("the guest view: %s", strerror(errno));
}

/* An address that does not agree with the GPA: single pages, and the right ones. */
TEST_F(blocks, a_view_that_does_not_line_up)
{
	size_t room = self->vcpu.len + self->block * page_size();
	uint8_t *at = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, at);
	EXPECT_EQ(0, (uintptr_t)self->vcpu.g % (self->block * page_size()));
	at += self->block * page_size() - (uintptr_t)at % (self->block * page_size());
	ASSERT_EQ(0, view_at(&self->vcpu, &self->own, at - page_size()));
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, self->pages));
	EXPECT_LE(self->faults + self->pages / GUEST_MOST, guest_faults());
	EXPECT_TRUE(sealed(&self->own, 11));
	EXPECT_EQ(0, guest_has(&self->vcpu, 11, 1));
}

/* The entry goes as a whole, and what is left of the view works page by page. */
TEST_F(blocks, a_part_of_the_view_is_unmapped)
{
	size_t half = self->block / 2;
	uint8_t byte;

	ASSERT_EQ(0, guest_has(&self->vcpu, 3, 1));
	ASSERT_EQ(0, munmap(self->vcpu.g, half * page_size()));
	EXPECT_EQ(0, guest_has(&self->vcpu, half, self->block));
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->vcpu, 3 * page_size(), &byte));
	EXPECT_TRUE(sealed(&self->own, half));
	EXPECT_TRUE(sealed(&self->own, 3));
	EXPECT_EQ(0, guest_has(&self->vcpu, half, 1));
}

/* The first block by windows, since nobody knows how far the guest will go; then by blocks. */
TEST_F(blocks, in_order)
{
	ASSERT_EQ(H_SUCCESS, range(&self->own, H_SIM_SVM_PAGE_OUT_RANGE, 0, self->pages));
	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, 0, page_size(), self->block));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, self->block));
	self->faults = guest_faults();
	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, self->block * page_size(), page_size(), 1));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 2 * self->block - 1));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 2 * self->block));
	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, self->block * page_size(), page_size(),
				    (BLOCKS - 1) * self->block));
	EXPECT_EQ(self->faults + BLOCKS - 1, guest_faults());
	EXPECT_EQ(0, guest_has(&self->vcpu, 0, self->pages));
}

TEST_F(blocks, a_page_is_shared)
{
	uint8_t byte;

	ASSERT_EQ(0, guest_has(&self->vcpu, 3, 1));
	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 4, 1, 0, 0, 0));
	self->own.h[4 * page_size() + 9] = 0x77;
	ASSERT_EQ(0, own_vcpu_read(&self->vcpu, 4 * page_size() + 9, &byte));
	EXPECT_EQ(0x77, byte);
	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, 4 * page_size() + 10, 0x78));
	EXPECT_EQ(0x78, self->own.h[4 * page_size() + 10]);
	EXPECT_EQ(0, guest_has(&self->vcpu, 5, self->block - 5));
	EXPECT_TRUE(sealed(&self->own, 5));
}

TEST_F(blocks, the_end_of_the_svm)
{
	uint8_t byte;

	ASSERT_EQ(0, own_vcpu_touch(&self->vcpu, 0, page_size(), self->pages));
	ASSERT_EQ(0, own_off(&self->own));
	EXPECT_TRUE(all_zeros(self->own.h, self->pages * page_size()));
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->vcpu, 3 * page_size(), &byte));
}

/* --- nobody but the guest --- */

static int nobody_reads(struct own_vcpu *v, size_t page)
{
	uint8_t *g = v->g + page * page_size(), seen = 0;
	struct iovec from = { .iov_base = g, .iov_len = 1 },
		     to = { .iov_base = &seen, .iov_len = 1 };
	int mem = open("/proc/self/mem", O_RDWR);

	if (!signal_of_touch(g, false, &seen) || seen)
		return say("the VMM reads 0x%02x", seen);
	if (!signal_of_touch(g, true, &seen))
		return say("the VMM writes");
	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) >= 0)
		return say("process_vm_readv()");
	if (mem < 0 || pread(mem, &seen, 1, (off_t)(uintptr_t)g) >= 0)
		return say("/proc/self/mem");
	close(mem);
	return guest_has(v, page, 1);
}

TEST_F(blocks, the_vmm_cannot_reach_it)
{
	ASSERT_EQ(0, guest_has(&self->vcpu, 5, 1));
	ASSERT_EQ(self->faults + 1, guest_faults());
	EXPECT_EQ(0, nobody_reads(&self->vcpu, 5));
	EXPECT_EQ(0, nobody_reads(&self->vcpu, 6));
	EXPECT_EQ(self->faults + 1, guest_faults());
}

/* The kernel works out a mapping's protection anew for this. */
TEST_F(blocks, nor_after_its_protection_was_reset)
{
	ASSERT_EQ(0, guest_has(&self->vcpu, 5, 1));
	ASSERT_EQ(0, file_write("/proc/self/clear_refs", "4"));
	ASSERT_EQ(0, guest_has(&self->vcpu, self->block, 1));
	EXPECT_EQ(self->faults + 2, guest_faults());
	EXPECT_EQ(0, nobody_reads(&self->vcpu, self->block));
	EXPECT_EQ(0, nobody_reads(&self->vcpu, 5));
}

/* --- all at once --- */

struct racer {
	struct own *o;
	struct own_vcpu vcpu;
	size_t pages, block, nr;
	unsigned int rounds;
	atomic_bool *stop;
	int wrong;
};

#define RACERS 2

/* Every other page is its own: it alone writes there, and knows the byte. */
static void *guest_races(void *arg)
{
	struct racer *r = arg;
	uint8_t *want = calloc(1, r->pages);
	uint64_t seed = SEED + r->nr;

	for (size_t p = 0; p < r->pages; p++)
		want[p] = pattern_byte(p * page_size());
	for (unsigned int i = 0; i < r->rounds && !r->wrong; i++) {
		size_t page = rnd(&seed) % (r->pages / RACERS) * RACERS + r->nr;
		uint8_t byte = 0;

		if (own_vcpu_read(&r->vcpu, page * page_size(), &byte) || byte != want[page])
			r->wrong = say("page %zu has 0x%02x, not 0x%02x", page, byte, want[page]);
		if (rnd(&seed) % 2) {
			want[page] = (uint8_t)rnd(&seed);
			if (own_vcpu_write(&r->vcpu, page * page_size(), want[page]))
				r->wrong = say("page %zu cannot be written", page);
		}
	}
	free(want);
	return NULL;
}

/* Takes pages, which breaks blocks, and sees to it that they are whole again. */
static void *host_races(void *arg)
{
	struct racer *r = arg;
	uint64_t seed = SEED + 100 + r->nr;

	while (!atomic_load(r->stop)) {
		size_t first = rnd(&seed) % (r->pages / r->block) * r->block;

		*(volatile uint8_t *)(r->o->h + (first + rnd(&seed) % r->block) * page_size());
		range(r->o, H_SIM_SVM_PAGE_OUT_RANGE, first + rnd(&seed) % (r->block - 3), 3);
		range(r->o, H_SIM_SVM_PAGE_IN_RANGE, first, r->block);
	}
	return NULL;
}

/* Has the mapping of @of's guest view instead of one of its own. */
static int have_the_view(struct own_vcpu *v, const struct own_vcpu *of)
{
	void *own = v->g;

	v->g = of->g;
	return own_vcpu_forget(v) || munmap(own, v->len);
}

/* @one_view: the vCPUs have one mapping of the guest view, else each has its own. */
static void everybody(struct __test_metadata *_metadata, FIXTURE_DATA(blocks) * self, bool one_view)
{
	atomic_bool stop = false;
	struct racer guest[RACERS], host[RACERS];
	pthread_t thread[2 * RACERS];

	for (size_t i = 0; i < RACERS; i++) {
		guest[i] = (struct racer){
			.o = &self->own,
			.pages = 2 * self->block,
			.block = self->block,
			.nr = i,
			.rounds = slow_machine() ? 500 : 5000,
			.stop = &stop,
		};
		host[i] = guest[i];
		ASSERT_EQ(0, own_vcpu_open(&guest[i].vcpu, &self->own, self->pages + 1));
		if (one_view && i)
			ASSERT_EQ(0, have_the_view(&guest[i].vcpu, &guest[0].vcpu));
	}
	for (size_t i = 0; i < RACERS; i++) {
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, guest_races, &guest[i]));
		ASSERT_EQ(0, pthread_create(&thread[RACERS + i], NULL, host_races, &host[i]));
	}
	for (size_t i = 0; i < RACERS; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, guest[i].wrong);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < RACERS; i++) {
		pthread_join(thread[RACERS + i], NULL);
		if (one_view && i)
			guest[i].vcpu.g = MAP_FAILED;
	}
	for (size_t i = RACERS; i-- > 0;)
		own_vcpu_close(&guest[i].vcpu);
}

/* vCPUs of one SVM, on the pages that the host takes. */
TEST_F(blocks, everybody_at_once)
{
	everybody(_metadata, self, false);
}

TEST_F(blocks, everybody_in_one_view)
{
	everybody(_metadata, self, true);
}

TEST_HARNESS_MAIN
