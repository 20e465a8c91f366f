// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMM can do to its own memory H, and to its mapping of G, while the VM
 * is secure: munmap, mremap, fork, MADV_DONTNEED, MADV_PAGEOUT, pins, KSM,
 * memslots that come and go. The guest, one vCPU of the test's own, goes on with
 * what is in secure memory or is refused; nothing of it shows anywhere.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0009
#define PAGES 64
#define TOUCHED 24
#define CODE 30 /* the page of the vCPU's instructions */

FIXTURE(map)
{
	struct own own;
	struct own_vcpu vcpu;
	struct usage before;
	struct pin pin;
};

FIXTURE_SETUP(map)
{
	self->pin.ring = -1;
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	own_vcpu_code(&self->own, CODE);
	ASSERT_EQ(0, own_blob(&self->own, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&self->own));
	ASSERT_EQ(0, own_vcpu_open(&self->vcpu, &self->own, CODE));
}

FIXTURE_TEARDOWN(map)
{
	pin_release(&self->pin);
	own_vcpu_close(&self->vcpu);
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static uint8_t *at(struct own *o, size_t page)
{
	return o->h + page * page_size();
}

static uint8_t pattern_byte(uint64_t gpa)
{
	uint64_t word = agent_pattern(SEED, gpa & ~7ULL, 0);

	return ((uint8_t *)&word)[gpa & 7];
}

/* The guest reads a few bytes of a page, and they are the pattern's. */
static int guest_has_pattern(struct own_vcpu *v, size_t page)
{
	size_t offset[] = { 0, 1, page_size() / 2 + 3, page_size() - 1 };

	for (unsigned int i = 0; i < 4; i++) {
		uint64_t gpa = page * page_size() + offset[i];
		uint8_t byte;
		int err = own_vcpu_read(v, gpa, &byte);

		if (err)
			return say("the guest cannot read GPA 0x%llx: %s", (unsigned long long)gpa,
				   strerror(err));
		if (byte != pattern_byte(gpa))
			return say("the guest reads 0x%02x at GPA 0x%llx", byte,
				   (unsigned long long)gpa);
	}
	return 0;
}

static int64_t page_out(struct own *o, size_t page)
{
	return own_hcall(o, H_SVM_PAGE_OUT, page * page_size(), 0, page_order(), 0, NULL);
}

static int64_t page_in(struct own *o, size_t page)
{
	return own_hcall(o, H_SVM_PAGE_IN, page * page_size(), 0, page_order(), 0, NULL);
}

static int sealed(const uint8_t *seen, size_t page)
{
	uint8_t *plain = malloc(page_size());
	bool ok;

	pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
	ok = is_ciphertext(seen, plain, page_size());
	free(plain);
	return ok ? 0 : say("page %zu: 0x%02x 0x%02x ... is no ciphertext", page, seen[0], seen[1]);
}

static int stopped_because(struct own *o, unsigned int reason, size_t page)
{
	struct uvsim_svm svm = { .lpid = o->lpid };

	if (ioctl(o->uv, UVSIM_GET_SVM, &svm))
		return say("UVSIM_GET_SVM: %s", strerror(errno));
	if (svm.state == UV_VM_STOPPED && svm.stop_reason == reason &&
	    svm.stop_gpa == page * page_size())
		return 0;
	return say("SVM state %u, stop reason %u, GPA 0x%llx", svm.state, svm.stop_reason,
		   (unsigned long long)svm.stop_gpa);
}

TEST_F(map, the_vcpu_works)
{
	uint8_t byte = 0;

	ASSERT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, 5 * page_size() + 77, 0xa5));
	ASSERT_EQ(0, sealed(at(&self->own, 5), 5));
	ASSERT_EQ(0, own_vcpu_read(&self->vcpu, 5 * page_size() + 77, &byte));
	ASSERT_EQ(0xa5, byte);
	ASSERT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 5));
}

TEST_F(map, munmap_resident)
{
	struct uvmem_stats st;

	ASSERT_EQ(0, munmap(at(&self->own, 5), page_size()));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 5));
	ASSERT_EQ(0, ioctl(self->own.svm, UVMEM_GET_STATS, &st));
	EXPECT_EQ(1, st.drops);
	/* The guest does not notice. */
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(H_PARAMETER, page_out(&self->own, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 6));
}

/* Its ciphertext is gone: the guest's next access cannot be served. */
TEST_F(map, munmap_paged_out)
{
	uint8_t byte;

	ASSERT_EQ(H_SUCCESS, page_out(&self->own, 5));
	ASSERT_EQ(0, munmap(at(&self->own, 5), page_size()));
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(0, stopped_because(&self->own, UV_STOP_LOST, 5));
}

TEST_F(map, dontneed_paged_out)
{
	uint8_t byte;

	ASSERT_EQ(H_SUCCESS, page_out(&self->own, 5));
	ASSERT_EQ(0, madvise(at(&self->own, 5), page_size(), MADV_DONTNEED));
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(0, stopped_because(&self->own, UV_STOP_LOST, 5));
}

/* A dropped page goes on in secure memory, can be paged out again, and comes back. */
TEST_F(map, dontneed_resident)
{
	ASSERT_EQ(0, madvise(at(&self->own, 5), page_size(), MADV_DONTNEED));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 5));
	EXPECT_EQ(UV_GFN_RESIDENT, own_uv_state(&self->own, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(H_SUCCESS, page_out(&self->own, 5));
	EXPECT_EQ(UV_GFN_SEALED, own_uv_state(&self->own, 5));
	EXPECT_EQ(0, sealed(at(&self->own, 5), 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
}

/* A shared page that the VMM drops: the guest gets the VMM's new one. */
TEST_F(map, dontneed_shared)
{
	struct uvmem_stats st = { 0 };
	uint8_t byte = 0xff;

	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 5, 1, 0, 0, 0));
	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, 5 * page_size(), 0x11));
	ASSERT_EQ(0x11, *at(&self->own, 5));
	ASSERT_EQ(0, madvise(at(&self->own, 5), page_size(), MADV_DONTNEED));
	/* A worker tells the ultravisor. */
	while (!st.invals) {
		ASSERT_EQ(0, ioctl(self->own.svm, UVMEM_GET_STATS, &st));
		usleep(1000);
	}
	EXPECT_EQ(UVMEM_GFN_SHARED, own_hv_state(&self->own, 5));
	EXPECT_EQ(UV_GFN_SHARED_UNMAPPED, own_uv_state(&self->own, 5));
	*at(&self->own, 5) = 0x22;
	ASSERT_EQ(0, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(0x22, byte);
	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, 5 * page_size() + 1, 0x33));
	EXPECT_EQ(0x33, at(&self->own, 5)[1]);
	EXPECT_EQ(UV_GFN_SHARED, own_uv_state(&self->own, 5));
}

TEST_F(map, munmap_shared)
{
	struct uvmem_stats st = { 0 };
	uint8_t byte;

	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 5, 1, 0, 0, 0));
	ASSERT_EQ(0, munmap(at(&self->own, 5), page_size()));
	while (!st.invals) {
		ASSERT_EQ(0, ioctl(self->own.svm, UVMEM_GET_STATS, &st));
		usleep(1000);
	}
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(U_SUCCESS, own_ucall(&self->own, UV_UNSHARE_PAGE, 5, 1, 0, 0, 0));
	EXPECT_EQ(0, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 6));
}

/* All of H goes while the SVM lives on. */
TEST_F(map, munmap_everything)
{
	ASSERT_EQ(0, munmap(self->own.h, self->own.len));
	self->own.h = MAP_FAILED;
	for (size_t page = 0; page < TOUCHED; page++)
		ASSERT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, page));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
}

/* The reverse: the SVM goes, H stays, with zeros. */
TEST_F(map, close_before_munmap)
{
	own_vcpu_close(&self->vcpu);
	ASSERT_EQ(H_SUCCESS, page_out(&self->own, 7));
	ASSERT_EQ(0, sealed(at(&self->own, 7), 7));
	close(self->own.svm);
	self->own.svm = -1;
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
	EXPECT_EQ(0, usage_check(&self->before));
	memset(self->own.h, 0x77, self->own.len);
}

/* The page moves in the address space: found by its device page, not its address. */
TEST_F(map, mremap_resident)
{
	uint8_t *elsewhere = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(elsewhere, mremap(at(&self->own, 5), page_size(), page_size(),
				    MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere));
	EXPECT_EQ(PAGEMAP_DEVICE, pagemap_kind_at(getpid(), (uintptr_t)elsewhere));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(0, sealed(elsewhere, 5));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 6));
	/* And home again, with its content. */
	ASSERT_EQ(at(&self->own, 5), mremap(elsewhere, page_size(), page_size(),
					    MREMAP_MAYMOVE | MREMAP_FIXED, at(&self->own, 5)));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
}

/* Two pages change places. Each is sealed for its own GPA; where it lies matters. */
TEST_F(map, mremap_swaps_two_resident_pages)
{
	uint8_t *hole = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	ASSERT_EQ(hole, mremap(at(&self->own, 5), page_size(), page_size(), flags, hole));
	ASSERT_NE(MAP_FAILED,
		  mremap(at(&self->own, 6), page_size(), page_size(), flags, at(&self->own, 5)));
	ASSERT_NE(MAP_FAILED, mremap(hole, page_size(), page_size(), flags, at(&self->own, 6)));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 6));
	/* Page 6's content is where page 5's was. */
	EXPECT_EQ(0, sealed(at(&self->own, 5), 6));
	EXPECT_EQ(0, sealed(at(&self->own, 6), 5));
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
}

static int child_reads(struct own *o, size_t page)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(sealed(at(o, page), page) ? 1 : 0);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? -1 : 0;
}

/* The child touches: the page goes out for both, and comes back for the guest. */
TEST_F(map, fork_and_the_child_reads)
{
	EXPECT_EQ(0, child_reads(&self->own, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(0, sealed(at(&self->own, 5), 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
}

TEST_F(map, fork_and_the_child_writes)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		memset(at(&self->own, 5), 0x66, 2 * page_size());
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 6));
	EXPECT_EQ(0, sealed(at(&self->own, 5), 5));
}

/* The child lives on when the VM is gone, with entries of its pages. */
TEST_F(map, fork_and_the_child_stays)
{
	int go[2];
	pid_t pid;

	pid = own_child_stays(&self->own, TOUCHED, go);
	ASSERT_LE(0, pid);
	/* While a child has them, too, the pages can go out and come in. */
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 6));
	own_vcpu_close(&self->vcpu);
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
	EXPECT_EQ(0, own_child_found_zeros(pid, go));
}

/* Somebody pins what the host has: H_BUSY for the guest until the pin goes. */
TEST_F(map, pinned_page)
{
	ASSERT_EQ(0, pin_pages(&self->pin, at(&self->own, 5), 1));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 5));
	EXPECT_EQ(0, sealed(at(&self->own, 5), 5));
	EXPECT_EQ(H_BUSY, page_in(&self->own, 5));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 5));
	EXPECT_EQ(UV_GFN_SEALED, own_uv_state(&self->own, 5));
	pin_release(&self->pin);
	EXPECT_EQ(H_SUCCESS, page_in(&self->own, 5));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
}

static void *unpin_later(void *arg)
{
	usleep(300000);
	pin_release(arg);
	return NULL;
}

/* The guest itself waits for the pin to go; it sees nothing of all that. */
TEST_F(map, the_guest_waits_for_a_pinned_page)
{
	pthread_t thread;

	ASSERT_EQ(0, pin_pages(&self->pin, at(&self->own, 5), 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unpin_later, &self->pin));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	pthread_join(thread, NULL);
}

/* A pinned page can be shared: its content goes all the same. */
TEST_F(map, share_a_pinned_page)
{
	uint8_t byte = 0xff;

	ASSERT_EQ(0, pin_pages(&self->pin, at(&self->own, 5), 1));
	EXPECT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 5, 1, 0, 0, 0));
	EXPECT_EQ(0, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(0, byte);
	EXPECT_TRUE(all_zeros(at(&self->own, 5), page_size()));
}

/* Terminating zeroes what somebody else holds, too. */
TEST_F(map, terminate_with_a_pinned_page)
{
	ASSERT_EQ(0, pin_pages(&self->pin, at(&self->own, 5), 1));
	EXPECT_EQ(0, ioctl(self->own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
}

/* VmFlags of the mapping that @addr is in. */
static int vm_flag(const void *addr, const char *flag)
{
	char *smaps = file_read("/proc/self/smaps"), *line, *save = NULL;
	int found = -1;
	bool here = false;

	for (line = strtok_r(smaps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)addr >= from && (uintptr_t)addr < to;
		else if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag) != NULL;
	}
	free(smaps);
	return found;
}

static int slot_at(struct own *o, unsigned int id, uint64_t gfn, size_t page, size_t n)
{
	struct uvmem_memslot req = {
		.slot = id,
		.guest_phys_addr = gfn * page_size(),
		.memory_size = n * page_size(),
		.userspace_addr = (uintptr_t)at(o, page),
	};

	return ioctl(o->svm, UVMEM_SET_MEMSLOT, &req);
}

/* A process with an SVM that shares two pages far from each other, and unmaps both. */
static int two_shared_pages(uint64_t far)
{
	struct own own;

	if (own_open(&own, 2 * PAGES) || own_memslot(&own, 0, 0, 0) ||
	    slot_at(&own, 0, 0, 0, PAGES) || slot_at(&own, 1, far, PAGES, PAGES))
		return say("memslots: %s", strerror(errno));
	own_fill(&own, 0, 4, SEED);
	own.len = PAGES * page_size();
	if (own_blob(&own, page_size(), 1, true) || own_esm(&own) ||
	    own_ucall(&own, UV_SHARE_PAGE, 8, 1, 0, 0, 0) ||
	    own_ucall(&own, UV_SHARE_PAGE, far + 8, 1, 0, 0, 0))
		return say("sharing");
	if (munmap(own.h, 2 * PAGES * page_size()))
		return say("munmap: %s", strerror(errno));
	close(own.svm);
	return 0;
}

/* What is between them is not looked at. */
TEST_F(map, shared_pages_far_apart)
{
	int status = -1;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(two_shared_pages(1ULL << 40) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Merging reads every page: H is out of KSM's reach while the VM is secure. */
TEST_F(map, ksm)
{
	struct own own;

	ASSERT_EQ(0, own_open(&own, 32));
	ASSERT_EQ(0, madvise(own.h, own.len, MADV_MERGEABLE));
	ASSERT_EQ(1, vm_flag(own.h, " mg"));
	own_fill(&own, 0, 8, SEED);
	ASSERT_EQ(0, own_blob(&own, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&own));
	EXPECT_EQ(0, vm_flag(own.h, " mg"));
	EXPECT_EQ(0, vm_flag(own.h + own.len - 1, " mg"));
	ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(1, vm_flag(own.h, " mg"));
	own_close(&own);
}

/* Nor does khugepaged read what it would have in one, where huge pages cannot move. */
TEST_F(map, no_new_huge_pages)
{
	struct own own;
	int huge;

	if (block_pages())
		SKIP(return, "huge pages can move");
	ASSERT_EQ(0, own_open_huge(&own, 32, page_size()));
	ASSERT_EQ(0, vm_flag(own.h, " nh"));
	huge = vm_flag(own.h, " hg");
	own_fill(&own, 0, 8, SEED);
	ASSERT_EQ(0, own_blob(&own, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&own));
	EXPECT_EQ(1, vm_flag(own.h, " nh"));
	EXPECT_EQ(0, vm_flag(own.h, " hg"));
	ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(0, vm_flag(own.h, " nh"));
	EXPECT_EQ(huge, vm_flag(own.h, " hg"));
	own_close(&own);
}

/* Of two memslots in one mapping the second finds what was done for the first. */
TEST_F(map, advice_with_two_memslots)
{
	struct own own;

	ASSERT_EQ(0, own_open_huge(&own, 32, page_size()));
	ASSERT_EQ(0, own_memslot(&own, 0, 0, 0));
	ASSERT_EQ(0, slot_at(&own, 0, 0, 0, 16));
	ASSERT_EQ(0, slot_at(&own, 1, 16, 16, 16));
	ASSERT_EQ(0, madvise(own.h, own.len, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(own.h, own.len, MADV_HUGEPAGE));
	own_fill(&own, 0, 8, SEED);
	ASSERT_EQ(0, own_blob(&own, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&own));
	EXPECT_EQ(0, vm_flag(own.h, " mg"));
	ASSERT_EQ(0, ioctl(own.svm, UVMEM_SVM_OFF, 0));
	EXPECT_EQ(1, vm_flag(own.h, " mg"));
	EXPECT_EQ(1, vm_flag(own.h, " hg"));
	EXPECT_EQ(0, vm_flag(own.h, " nh"));
	own_close(&own);
}

/* An UV_ESM that is refused leaves H as it was: a part of it is a file's. */
TEST_F(map, advice_after_a_refusal)
{
	size_t half = 16 * page_size();
	int fd = memfd_create("h", 0);
	struct own own;
	void *file;

	ASSERT_EQ(0, ftruncate(fd, page_size()));
	ASSERT_EQ(0, own_open(&own, 32));
	own_fill(&own, 0, 8, SEED);
	ASSERT_EQ(0, own_blob(&own, page_size(), 1, true));
	ASSERT_EQ(0, madvise(own.h, half, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(own.h, half, MADV_HUGEPAGE));
	file = mmap(own.h + half, page_size(), PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	ASSERT_NE(MAP_FAILED, file);
	close(fd);
	EXPECT_EQ(U_INVALID, own_esm(&own));
	EXPECT_EQ(1, vm_flag(own.h, " mg"));
	EXPECT_EQ(1, vm_flag(own.h, " hg"));
	EXPECT_EQ(0, vm_flag(own.h, " nh"));
	EXPECT_EQ(0, vm_flag(file, " mg"));
	EXPECT_EQ(0, vm_flag(own.h + half + page_size(), " mg"));
	own_close(&own);
}

static int run(const char *a, const char *b, const char *c)
{
	const char *argv[] = { a, b, c, NULL };

	return run_program(argv);
}

static int swap_on(void)
{
	if (access("/dev/zram0", F_OK)) {
		run("insmod", "/lib/modules/zsmalloc.ko", NULL);
		run("insmod", "/lib/modules/zram.ko", NULL);
	}
	if (file_write("/sys/block/zram0/disksize", "16M") || run("mkswap", "/dev/zram0", NULL))
		return -1;
	return swapon("/dev/zram0", 0) ? say("swapon: %s", strerror(errno)) : 0;
}

static int swap_off(void)
{
	return swapoff("/dev/zram0") || file_write("/sys/block/zram0/reset", "1") ?
		       say("swapoff: %s", strerror(errno)) :
		       0;
}

/* New pages wait in a CPU's batch, on no LRU list, and are not reclaimed so long. */
static int empty_lru_batches(void)
{
	return file_write("/proc/sys/vm/drop_caches", "1");
}

/* Sealed content is ordinary memory to the host: it may swap it out. */
TEST_F(map, swapped_out_ciphertext)
{
	size_t page;

	ASSERT_EQ(0, swap_on());
	for (page = 0; page < 8; page++)
		ASSERT_EQ(H_SUCCESS, page_out(&self->own, page));
	for (int tries = 0; tries < 200; tries++) {
		madvise(at(&self->own, 0), 8 * page_size(), MADV_PAGEOUT);
		if (pagemap_kind_at(getpid(), (uintptr_t)at(&self->own, 3)) == PAGEMAP_SWAP)
			break;
		ASSERT_EQ(0, empty_lru_batches());
		usleep(10000);
	}
	EXPECT_EQ(PAGEMAP_SWAP, pagemap_kind_at(getpid(), (uintptr_t)at(&self->own, 3)));
	for (page = 0; page < 8; page++)
		EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, page));
	for (page = 0; page < 8; page++) {
		EXPECT_EQ(0, guest_has_pattern(&self->vcpu, page));
		EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, page));
	}
	EXPECT_EQ(0, swap_off());
}

/* And before UV_ESM the plaintext may be there. */
TEST_F(map, esm_of_swapped_out_memory)
{
	struct own own;

	ASSERT_EQ(0, swap_on());
	ASSERT_EQ(0, own_open(&own, 32));
	own_fill(&own, 0, 8, SEED);
	ASSERT_EQ(0, own_blob(&own, 8 * page_size(), 1, true));
	for (int tries = 0; tries < 200; tries++) {
		madvise(own.h, 8 * page_size(), MADV_PAGEOUT);
		if (pagemap_kind_at(getpid(), (uintptr_t)own.h) == PAGEMAP_SWAP)
			break;
		ASSERT_EQ(0, empty_lru_batches());
		usleep(10000);
	}
	EXPECT_EQ(PAGEMAP_SWAP, pagemap_kind_at(getpid(), (uintptr_t)own.h));
	EXPECT_EQ(U_SUCCESS, own_esm(&own));
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&own, 0));
	own_close(&own);
	EXPECT_EQ(0, swap_off());
}

static int set_slot(struct own *o, uint32_t id, size_t page, size_t npages, void *h)
{
	struct uvmem_memslot slot = {
		.slot = id,
		.guest_phys_addr = page * page_size(),
		.memory_size = npages * page_size(),
		.userspace_addr = (uintptr_t)h,
	};

	return ioctl(o->svm, UVMEM_SET_MEMSLOT, &slot) ? errno : 0;
}

TEST_F(map, memslot_deleted_while_resident)
{
	uint8_t byte;

	ASSERT_EQ(UVMEM_GFN_UVMEM, own_hv_state(&self->own, 5));
	ASSERT_EQ(H_SUCCESS, page_out(&self->own, 6));
	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 7, 1, 0, 0, 0));
	EXPECT_EQ(0, set_slot(&self->own, 0, 0, 0, NULL));
	EXPECT_EQ(UVMEM_GFN_NOSLOT, own_hv_state(&self->own, 5));
	EXPECT_EQ(UV_GFN_NOSLOT, own_uv_state(&self->own, 5));
	EXPECT_TRUE(all_zeros(self->own.h, self->own.len));
	EXPECT_EQ(EFAULT, own_vcpu_read(&self->vcpu, 5 * page_size(), &byte));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(H_PARAMETER, page_in(&self->own, 5));
	/* Plugged in again it is new memory. */
	memset(at(&self->own, 5), 0x99, page_size());
	EXPECT_EQ(0, set_slot(&self->own, 0, 0, PAGES, self->own.h));
	own_vcpu_close(&self->vcpu);
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, 5));
	EXPECT_EQ(UV_GFN_ZERO, own_uv_state(&self->own, 5));
}

/* Memory plugged into a secure VM is secure, and zeros, whatever the VMM put there. */
TEST_F(map, memslot_plugged_in)
{
	struct own_vcpu vcpu;
	uint8_t byte = 0xff;
	uint8_t *h;

	/* Half of H goes, and comes back with something in it. */
	ASSERT_EQ(0, set_slot(&self->own, 0, 0, 0, NULL));
	own_close(&self->own);
	own_vcpu_close(&self->vcpu);

	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_vcpu_code(&self->own, CODE);
	ASSERT_EQ(0, own_blob(&self->own, page_size(), 1, true));
	ASSERT_EQ(U_SUCCESS, own_esm(&self->own));
	h = mmap(NULL, 16 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	memset(h, 0x99, 16 * page_size());
	EXPECT_EQ(0, set_slot(&self->own, 1, PAGES, 16, h));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, PAGES + 3));
	EXPECT_EQ(UV_GFN_ZERO, own_uv_state(&self->own, PAGES + 3));
	self->own.len += 16 * page_size();
	ASSERT_EQ(0, own_vcpu_open(&vcpu, &self->own, CODE));
	ASSERT_EQ(0, own_vcpu_read(&vcpu, (PAGES + 3) * page_size() + 5, &byte));
	EXPECT_EQ(0, byte);
	ASSERT_EQ(0, own_vcpu_write(&vcpu, (PAGES + 3) * page_size() + 5, 0x42));
	ASSERT_EQ(0, own_vcpu_read(&vcpu, (PAGES + 3) * page_size() + 5, &byte));
	EXPECT_EQ(0x42, byte);
	own_vcpu_close(&vcpu);
	self->own.len -= 16 * page_size();
	EXPECT_EQ(0, set_slot(&self->own, 1, PAGES, 0, NULL));
	EXPECT_TRUE(all_zeros(h + 3 * page_size(), page_size()));
}

/*
 * The VMM touches G where the guest has the page mapped at this moment: no byte
 * for it and none from it. It gets a signal, or hangs until one comes: on x86 a
 * read is told, a write hangs, and on ppc64 both hang.
 */
TEST_F(map, the_vmm_touches_what_the_guest_has_mapped)
{
	uint8_t seen = 0;
	uint8_t *g = self->vcpu.g + 5 * page_size();
	int sig;

	ASSERT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	sig = signal_of_touch(g, false, &seen);
	EXPECT_TRUE(sig == SIGSEGV || sig == SIGALRM);
	EXPECT_EQ(0, seen);
	EXPECT_NE(0, signal_of_touch(g, true, &seen));
	EXPECT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	/* A shared page is in G as well, but H is where the VMM reads it. */
	ASSERT_EQ(U_SUCCESS, own_ucall(&self->own, UV_SHARE_PAGE, 6, 1, 0, 0, 0));
	ASSERT_EQ(0, own_vcpu_write(&self->vcpu, 6 * page_size(), 0x31));
	EXPECT_NE(0, signal_of_touch(self->vcpu.g + 6 * page_size(), false, &seen));
	EXPECT_EQ(0x31, *at(&self->own, 6));
}

TEST_F(map, the_guest_view_is_not_inherited)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, guest_has_pattern(&self->vcpu, 5));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		uint8_t seen = 0;

		_exit(signal_of_touch(self->vcpu.g + 5 * page_size(), false, &seen) == SIGSEGV ? 0 :
												 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
