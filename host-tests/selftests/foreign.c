// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is not H's to move: files that the VMM has mapped in its place, and pages that
 * KSM has made, which are other processes' as well.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0018
#define PAGES 64
#define TOUCHED 24
#define FILE_BYTE 0x46
#define KSM "/sys/kernel/mm/ksm/"

FIXTURE(foreign)
{
	struct own own;
	struct usage before;
	int file;
};

FIXTURE_SETUP(foreign)
{
	uint8_t *page = malloc(page_size());

	memset(page, FILE_BYTE, page_size());
	ASSERT_EQ(0, usage_get(&self->before));
	self->file = memfd_create("foreign", MFD_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ((ssize_t)page_size(), write(self->file, page, page_size()));
	free(page);
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	own_fill(&self->own, 0, TOUCHED, SEED);
	ASSERT_EQ(0, own_blob(&self->own, page_size(), 1, true));
}

FIXTURE_TEARDOWN(foreign)
{
	own_close(&self->own);
	close(self->file);
	EXPECT_EQ(0, usage_check(&self->before));
}

static uint8_t *at(struct own *o, size_t page)
{
	return o->h + page * page_size();
}

static int64_t page_in(struct own *o, size_t page)
{
	return own_hcall(o, H_SVM_PAGE_IN, page * page_size(), 0, page_order(), 0, NULL);
}

static int64_t page_out(struct own *o, size_t page)
{
	return own_hcall(o, H_SVM_PAGE_OUT, page * page_size(), 0, page_order(), 0, NULL);
}

/* The file instead of a page of H's, and touched, so that its own page is mapped. */
static int map_file(struct own *o, size_t page, int file, int flags)
{
	uint8_t *p = mmap(at(o, page), page_size(), PROT_READ, flags | MAP_FIXED, file, 0);

	if (p != at(o, page))
		return say("mmap: %s", strerror(errno));
	return *(volatile uint8_t *)p == FILE_BYTE ? 0 : say("it is not the file");
}

static int file_is_untouched(int file)
{
	uint8_t *page = malloc(page_size());
	size_t wrong = 0;

	if (pread(file, page, page_size(), 0) != (ssize_t)page_size())
		wrong = 1;
	for (size_t i = 0; i < page_size(); i++)
		wrong += page[i] != FILE_BYTE;
	free(page);
	return wrong ? say("%zu bytes of the file are not what they were", wrong) : 0;
}

/* An H of which a page is a file's does not go secure. */
TEST_F(foreign, esm)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, map_file(o, 5, self->file, MAP_PRIVATE));
	EXPECT_EQ(U_INVALID, own_esm(o));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(o->svm));
	EXPECT_EQ(0, file_is_untouched(self->file));
	EXPECT_EQ(0, own_has_pattern(o, 0, 5, SEED));
}

/* A file is mapped there when the SVM runs. Nothing of the SVM's gets into it. */
static int nothing_gets_into(struct own *o, size_t page, int file)
{
	int64_t in = page_in(o, page), out = page_out(o, page);
	int64_t shared = own_ucall(o, UV_SHARE_PAGE, page, 1, 0, 0, 0);

	if (in != H_PARAMETER || out != H_PARAMETER || shared != U_PARAMETER)
		return say("page-in %lld, page-out %lld, share %lld", (long long)in, (long long)out,
			   (long long)shared);
	return file_is_untouched(file);
}

TEST_F(foreign, private_file)
{
	struct own *o = &self->own;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, map_file(o, 5, self->file, MAP_PRIVATE));
	EXPECT_EQ(0, nothing_gets_into(o, 5, self->file));
	EXPECT_EQ(0, own_off(o));
	EXPECT_EQ(0, file_is_untouched(self->file));
	EXPECT_EQ(FILE_BYTE, *at(o, 5));
}

TEST_F(foreign, shared_file)
{
	struct own *o = &self->own;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(0, map_file(o, 5, self->file, MAP_SHARED));
	EXPECT_EQ(0, nothing_gets_into(o, 5, self->file));
	EXPECT_EQ(0, own_off(o));
	EXPECT_EQ(0, file_is_untouched(self->file));
}

/* Where a page was that was paged out: its ciphertext is gone, the file's content is not. */
TEST_F(foreign, file_in_place_of_ciphertext)
{
	struct own *o = &self->own;

	ASSERT_EQ(U_SUCCESS, own_esm(o));
	ASSERT_EQ(H_SUCCESS, page_out(o, 5));
	ASSERT_EQ(0, map_file(o, 5, self->file, MAP_SHARED));
	EXPECT_EQ(H_PARAMETER, page_in(o, 5));
	EXPECT_EQ(0, own_off(o));
	EXPECT_EQ(0, file_is_untouched(self->file));
}

static long ksm_number(const char *name)
{
	char *text = file_read(name);
	long n = text ? strtol(text, NULL, 10) : -1;

	free(text);
	return n;
}

/* KSM has made one page of two of H's: the one that goes to secure memory goes alone. */
TEST_F(foreign, merged_pages)
{
	struct own *o = &self->own;

	if (access(KSM "run", W_OK))
		SKIP(return, "the kernel has no KSM");
	memset(at(o, 5), 0x6b, 2 * page_size());
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SIM_ESM_START, 0, 0, 0, 0, 0));
	/* From going secure on H is kept from KSM, but the VMM can give it back. */
	ASSERT_EQ(0, madvise(at(o, 5), 2 * page_size(), MADV_MERGEABLE));
	ASSERT_EQ(0, file_write(KSM "pages_to_scan", "1000"));
	ASSERT_EQ(0, file_write(KSM "run", "1"));
	for (int i = 0; i < 3000 && ksm_number(KSM "pages_sharing") < 1; i++)
		usleep(10000);
	EXPECT_LT(0, ksm_number(KSM "pages_sharing"));
	/* What is merged stays so, but nobody holds a page of it any more. */
	EXPECT_EQ(0, file_write(KSM "run", "0"));
	EXPECT_EQ(H_SUCCESS, page_in(o, 5));
	EXPECT_EQ(PAGEMAP_DEVICE, pagemap_kind_at(getpid(), (uintptr_t)at(o, 5)));
	EXPECT_EQ(PAGEMAP_PRESENT, pagemap_kind_at(getpid(), (uintptr_t)at(o, 6)));
	EXPECT_EQ(0x6b, *at(o, 6));
	EXPECT_EQ(0, file_write(KSM "run", "2")); /* all of it undone */
	EXPECT_EQ(0x6b, *at(o, 6));
	EXPECT_EQ(0, file_write(KSM "run", "0"));
}

TEST_HARNESS_MAIN
