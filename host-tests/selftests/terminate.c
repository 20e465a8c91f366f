// SPDX-License-Identifier: GPL-2.0
/*
 * What H has when its SVM was terminated: nothing where a secure page was, which reads as
 * zeros and takes no memory; a page of zeros where memory is to be there; and, untouched,
 * what never was the SVM's.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0017
#define PAGES 96 /* more than a run, less than a block */
#define TOUCHED 70
#define HOST 0x5a /* what the host writes */

FIXTURE(terminate)
{
	struct own own;
	struct usage before;
};

FIXTURE_SETUP(terminate)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
}

FIXTURE_TEARDOWN(terminate)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static uint8_t *at(struct own *o, size_t page)
{
	return o->h + page * page_size();
}

static enum pagemap_kind kind(struct own *o, size_t page)
{
	return pagemap_kind_at(getpid(), (uintptr_t)at(o, page));
}

/* Pages of the first @n that H has something for. */
static size_t not_holes(struct own *o, size_t n)
{
	size_t found = 0;

	for (size_t page = 0; page < n; page++)
		found += kind(o, page) != PAGEMAP_HOLE;
	return found;
}

static size_t not_normal(struct own *o)
{
	size_t found = 0;

	for (size_t page = 0; page < o->len / page_size(); page++)
		found += own_hv_state(o, page) != UVMEM_GFN_NORMAL;
	return found;
}

static uint64_t migrate_calls(struct own *o)
{
	struct uvmem_stats st = { 0 };

	ioctl(o->svm, UVMEM_GET_STATS, &st);
	return st.migrate_calls;
}

TEST_F(terminate, it_takes_no_memory)
{
	struct own *o = &self->own;
	uint64_t calls = migrate_calls(o);

	ASSERT_EQ(PAGEMAP_DEVICE, kind(o, 5));
	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(calls, migrate_calls(o));
	EXPECT_EQ(0, not_holes(o, TOUCHED));
	EXPECT_EQ(0, not_normal(o));
	EXPECT_EQ(0, usage_check(&self->before));
	EXPECT_TRUE(all_zeros(o->h, o->len));
	memset(o->h, HOST, o->len);
	EXPECT_EQ(HOST, *at(o, 5));
}

/* What is locked stays there. */
TEST_F(terminate, locked_memory)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, own_lock_memory(o));
	ASSERT_EQ(PAGEMAP_DEVICE, kind(o, 5));
	ASSERT_EQ(0, own_off(o));
	for (size_t page = 0; page < TOUCHED; page++)
		ASSERT_EQ(PAGEMAP_PRESENT, kind(o, page));
	EXPECT_EQ(0, not_normal(o));
	EXPECT_TRUE(all_zeros(o->h, o->len));
}

/* Who handles faults on missing pages is not asked for what never was missing. */
TEST_F(terminate, watched_memory)
{
	struct own *o = &self->own;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .range = { .start = (uintptr_t)o->h, .len = o->len },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	ASSERT_EQ(0, own_off(o));
	for (size_t page = 0; page < TOUCHED; page++)
		ASSERT_EQ(PAGEMAP_PRESENT, kind(o, page));
	EXPECT_TRUE(all_zeros(o->h, TOUCHED * page_size()));
	close(fd);
}

/* Its parts are mappings of their own, and one is not there at all. */
TEST_F(terminate, several_mappings)
{
	struct own *o = &self->own;

	ASSERT_EQ(0, mprotect(at(o, 3), 2 * page_size(), PROT_READ));
	ASSERT_EQ(0, munmap(at(o, 20), page_size()));
	ASSERT_EQ(0, madvise(at(o, 40), page_size(), MADV_DONTNEED));
	ASSERT_EQ(H_SUCCESS,
		  own_hcall(o, H_SVM_PAGE_OUT, 50 * page_size(), 0, page_order(), 0, NULL));
	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(0, not_normal(o));
	EXPECT_EQ(0, usage_check(&self->before));
	EXPECT_EQ(1, not_holes(o, TOUCHED)); /* the one that was paged out */
	EXPECT_TRUE(all_zeros(at(o, 0), 20 * page_size()));
	EXPECT_TRUE(all_zeros(at(o, 21), (TOUCHED - 21) * page_size()));
}

/* Two device pages have changed places: neither is at its own. */
TEST_F(terminate, remapped)
{
	uint8_t *hole = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	struct own *o = &self->own;

	ASSERT_EQ(hole, mremap(at(o, 5), page_size(), page_size(), flags, hole));
	ASSERT_EQ(at(o, 5), mremap(at(o, 6), page_size(), page_size(), flags, at(o, 5)));
	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(0, not_normal(o));
	EXPECT_EQ(0, usage_check(&self->before));
	EXPECT_TRUE(all_zeros(hole, page_size()));
	EXPECT_TRUE(all_zeros(at(o, 0), 6 * page_size()));
	EXPECT_TRUE(all_zeros(at(o, 7), (TOUCHED - 7) * page_size()));
	munmap(hole, page_size());
}

/* The parent has dropped a page that a child still has, and has one of its own there. */
TEST_F(terminate, the_hosts_own_page_stays)
{
	struct own *o = &self->own;
	int go[2];
	pid_t pid;

	pid = own_child_stays(o, TOUCHED, go);
	ASSERT_LE(0, pid);
	ASSERT_EQ(0, madvise(at(o, 5), page_size(), MADV_DONTNEED));
	memset(at(o, 5), HOST, page_size());
	ASSERT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, 5));
	ASSERT_EQ(0, own_off(o));
	EXPECT_EQ(0, not_normal(o));
	EXPECT_EQ(HOST, *at(o, 5));
	EXPECT_EQ(HOST, at(o, 6)[-1]);
	/* The child has no device pages either. */
	EXPECT_EQ(0, usage_check(&self->before));
	EXPECT_TRUE(all_zeros(at(o, 6), page_size()));
	EXPECT_EQ(0, own_child_found_zeros(pid, go));
}

struct writer {
	struct own *o;
	atomic_bool stop;
	unsigned int rounds, lost;
};

/* Drop a page, write it, and look: what was written then is the host's own. */
static void *drop_and_write(void *arg)
{
	struct writer *w = arg;

	for (; !atomic_load(&w->stop); w->rounds++) {
		volatile uint8_t *p = at(w->o, w->rounds % TOUCHED);

		madvise((void *)p, page_size(), MADV_DONTNEED);
		*p = HOST;
		sched_yield();
		w->lost += *p != HOST;
	}
	return NULL;
}

/* While a thread of the VMM's drops pages and writes there. Nothing that it wrote is lost. */
TEST_F(terminate, while_the_host_writes)
{
	unsigned int times = slow_machine() ? 10 : 40;

	for (unsigned int i = 0; i < times; i++) {
		struct writer w = { .o = &self->own };
		pthread_t thread;

		ASSERT_EQ(0, pthread_create(&thread, NULL, drop_and_write, &w));
		for (unsigned int spin = 0; spin < i % 8; spin++)
			sched_yield();
		EXPECT_EQ(0, own_off(&self->own));
		atomic_store(&w.stop, true);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(0, w.lost);
		ASSERT_EQ(0, not_normal(&self->own));
		own_close(&self->own);
		ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
	}
}

TEST_HARNESS_MAIN
