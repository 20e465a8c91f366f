// SPDX-License-Identifier: GPL-2.0
/*
 * Bad input to every ioctl and mmap of both devices gets a named errno, and
 * changes nothing: unknown flags, reserved fields, bad pointers, ranges that
 * overflow or overlap, the wrong process, the wrong order. And a VMM that
 * touches the guest view gets a signal or an errno, never a guest's byte.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0006
#define PAGES 64
#define TOUCHED 16
#define BAD ((void *)8) /* nobody has anything there */

static int error_of(long ret)
{
	return ret < 0 ? errno : 0;
}

FIXTURE(bad)
{
	struct own own;
	struct usage before;
	int uvmem; /* /dev/uvmem */
	int uvsim; /* /dev/uvsim, not bound */
};

FIXTURE_SETUP(bad)
{
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open(&self->own, PAGES));
	self->uvmem = open("/dev/uvmem", O_RDWR | O_CLOEXEC);
	self->uvsim = open("/dev/uvsim", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->uvmem);
	ASSERT_LE(0, self->uvsim);
}

FIXTURE_TEARDOWN(bad)
{
	close(self->uvmem);
	close(self->uvsim);
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static int go_secure(struct own *o)
{
	int64_t ret;

	own_fill(o, 0, TOUCHED, SEED);
	if (own_blob(o, page_size(), 1, true))
		return -1;
	ret = own_esm(o);
	return ret == U_SUCCESS ? 0 : say("UV_ESM: %lld", (long long)ret);
}

/* A structure at the start of a page that cannot be written. */
static void *read_only(const void *what, size_t len)
{
	void *page =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, what, len);
	mprotect(page, page_size(), PROT_READ);
	return page;
}

TEST_F(bad, create_svm)
{
	struct uvmem_create flags = { .flags = 1 }, high = { .flags = 1u << 31 };
	struct uvmem_create lpid = { .lpid = 7 }, good = { 0 };

	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvmem, UVMEM_CREATE_SVM, &flags)));
	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvmem, UVMEM_CREATE_SVM, &high)));
	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvmem, UVMEM_CREATE_SVM, &lpid)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvmem, UVMEM_CREATE_SVM, BAD)));
	EXPECT_EQ(EFAULT,
		  error_of(ioctl(self->uvmem, UVMEM_CREATE_SVM, read_only(&good, sizeof(good)))));
}

TEST_F(bad, unknown_ioctls)
{
	int fd[] = { self->uvmem, self->own.svm, self->uvsim, self->own.uv };
	uint8_t buf[256] = { 0 };

	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IO(UVMEM_IOC, 0), buf)));
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IO(UVMEM_IOC, 0x3f), buf)));
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IO(UVMEM_IOC, 0x48), buf)));
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IO(UVSIM_IOC, 0x47), buf)));
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IOWR('x', 0x41, buf), buf)));
		/* The right number with another size is another ioctl. */
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IOWR(UVMEM_IOC, 0x42, uint64_t), buf)));
		EXPECT_EQ(ENOTTY, error_of(ioctl(fd[i], _IOWR(UVSIM_IOC, 0x42, uint64_t), buf)));
	}
	/* And those of the other device. */
	EXPECT_EQ(ENOTTY, error_of(ioctl(self->uvmem, UVMEM_GET_INFO, buf)));
	EXPECT_EQ(ENOTTY, error_of(ioctl(self->own.svm, UVMEM_CREATE_SVM, buf)));
	EXPECT_EQ(ENOTTY, error_of(ioctl(self->own.svm, UVSIM_GET_INFO, buf)));
	EXPECT_EQ(ENOTTY, error_of(ioctl(self->uvsim, UVMEM_GET_INFO, buf)));
}

static int set_slot(struct own *o, uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size,
		    uint64_t hva)
{
	struct uvmem_memslot slot = {
		.slot = id,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = hva,
	};

	return error_of(ioctl(o->svm, UVMEM_SET_MEMSLOT, &slot));
}

static unsigned int nslots(struct own *o)
{
	struct uvmem_info info = { .nslots = UINT32_MAX };

	ioctl(o->svm, UVMEM_GET_INFO, &info);
	return info.nslots;
}

TEST_F(bad, memslot_fields)
{
	uint64_t p = page_size(), gpa = PAGES * p, end = UINT64_MAX - p + 1;
	struct own *o = &self->own;
	uint64_t hva = (uintptr_t)mmap(NULL, 8 * p, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(EINVAL, set_slot(o, 1, 1, gpa, p, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 1u << 31, gpa, p, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 512, 0, gpa, p, hva));
	EXPECT_EQ(EINVAL, set_slot(o, UINT32_MAX, 0, gpa, p, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa + 1, p, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa, p + 1, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa, p / 2, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa, p, hva + 1));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, end, 2 * p, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa, end, hva));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa, 2 * p, end));
	EXPECT_EQ(EINVAL, set_slot(o, 1, 0, gpa, p, 1ULL << 63)); /* the kernel's half */
	EXPECT_EQ(EFAULT, error_of(ioctl(o->svm, UVMEM_SET_MEMSLOT, BAD)));
	EXPECT_EQ(1, nslots(o));
}

TEST_F(bad, memslot_overlap)
{
	uint64_t p = page_size(), gpa = PAGES * p, h = (uintptr_t)self->own.h;
	struct own *o = &self->own;
	uint64_t hva = (uintptr_t)mmap(NULL, 8 * p, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(EEXIST, set_slot(o, 0, 0, gpa, p, hva)); /* the number */
	EXPECT_EQ(EEXIST, set_slot(o, 1, 0, 0, p, hva));   /* its GPAs */
	EXPECT_EQ(EEXIST, set_slot(o, 1, 0, gpa - p, 2 * p, hva));
	EXPECT_EQ(EEXIST, set_slot(o, 1, 0, 0, 8 * p, hva));
	EXPECT_EQ(EEXIST, set_slot(o, 1, 0, gpa, p, h)); /* its H */
	EXPECT_EQ(EEXIST, set_slot(o, 1, 0, gpa, 2 * p, h - p));
	EXPECT_EQ(EEXIST, set_slot(o, 1, 0, gpa, p, h + o->len - p));
	EXPECT_EQ(ENOENT, set_slot(o, 1, 0, 0, 0, 0)); /* delete what is not */
	EXPECT_EQ(1, nslots(o));
	EXPECT_EQ(0, set_slot(o, 1, 0, gpa, p, hva)); /* right behind it */
	EXPECT_EQ(0, set_slot(o, 1, 0, 0, 0, 0));
}

/* At most so many, and each of them can be used. */
TEST_F(bad, memslot_number)
{
	uint64_t p = page_size(), gpa = PAGES * p;
	uint8_t *h =
		mmap(NULL, 1024 * p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned int i = 1; i < 512; i++)
		ASSERT_EQ(0, set_slot(&self->own, i, 0, gpa + i * p, p, (uintptr_t)h + i * p));
	EXPECT_EQ(512, nslots(&self->own));
	EXPECT_EQ(EINVAL, set_slot(&self->own, 512, 0, gpa + 600 * p, p, (uintptr_t)h + 600 * p));
	EXPECT_EQ(UVMEM_GFN_NORMAL, own_hv_state(&self->own, PAGES + 511));
	EXPECT_EQ(0, go_secure(&self->own));
	EXPECT_EQ(UVMEM_GFN_MEM, own_hv_state(&self->own, PAGES + 511));
}

/* Run @fn(@o) in a forked child, which has another address space. */
static int in_child(int (*fn)(struct own *o), struct own *o)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(o));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int child_sets_slot(struct own *o)
{
	void *h =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return set_slot(o, 1, 0, PAGES * page_size(), page_size(), (uintptr_t)h);
}

static int child_makes_ucall(struct own *o)
{
	struct uvsim_ucall call = { .nr = UV_UNSHARE_ALL_PAGES };

	return error_of(ioctl(o->uv, UVSIM_UCALL, &call));
}

static int child_maps_g(struct own *o)
{
	void *g = mmap(NULL, o->len, PROT_READ | PROT_WRITE, MAP_SHARED, o->uv, 0);

	return g == MAP_FAILED ? errno : 0;
}

/* A file of its own, for an LPID that nobody has bound yet. */
static int child_binds(struct own *o)
{
	struct uvsim_bind args = { .lpid = o->lpid };
	int uv = open("/dev/uvsim", O_RDWR | O_CLOEXEC);

	return uv < 0 ? errno : error_of(ioctl(uv, UVSIM_BIND, &args));
}

TEST_F(bad, another_process)
{
	struct own other;

	ASSERT_EQ(0, own_create(&other));
	EXPECT_EQ(EACCES, in_child(child_binds, &other));
	EXPECT_EQ(0, own_bind(&other));
	close(other.uv);
	close(other.svm);

	EXPECT_EQ(EPERM, in_child(child_sets_slot, &self->own));
	EXPECT_EQ(EACCES, in_child(child_makes_ucall, &self->own));
	EXPECT_EQ(EACCES, in_child(child_maps_g, &self->own));
	EXPECT_EQ(1, nslots(&self->own));
}

TEST_F(bad, hcall)
{
	struct uvmem_hcall call = { .nr = H_SVM_INIT_START, .flags = 1 }, good = { .nr = 1 };

	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_HCALL, &call)));
	call.flags = 1ULL << 63;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_HCALL, &call)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_HCALL, BAD)));
	EXPECT_EQ(EFAULT,
		  error_of(ioctl(self->own.svm, UVMEM_HCALL, read_only(&good, sizeof(good)))));
	EXPECT_EQ(UVMEM_VM_NORMAL, vm_state_fd(self->own.svm));
}

TEST_F(bad, get_state)
{
	uint8_t states[PAGES + 2];
	struct uvmem_state req = { .npages = 1, .states = (uintptr_t)states };
	struct uvmem_state bad;

	memset(states, 0x55, sizeof(states));
	bad = req;
	bad.flags = 1;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &bad)));
	bad = req;
	bad.gfn = UINT64_MAX;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &bad)));
	bad = req;
	bad.npages = UINT64_MAX;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &bad)));
	bad = req;
	bad.states = (uintptr_t)BAD;
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &bad)));
	/* More pages than there is room for. */
	bad = req;
	bad.npages = UINT64_MAX >> page_order();
	bad.states = (uintptr_t)read_only(states, 1);
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &bad)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, BAD)));
	EXPECT_EQ(0x55, states[0]);

	/* A GFN in no slot is no error: its state says so. */
	req.npages = PAGES + 1;
	EXPECT_EQ(0, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &req)));
	EXPECT_EQ(UVMEM_GFN_NORMAL, states[PAGES - 1]);
	EXPECT_EQ(UVMEM_GFN_NOSLOT, states[PAGES]);
	EXPECT_EQ(0x55, states[PAGES + 1]);
	req.npages = 0;
	req.states = (uintptr_t)BAD;
	EXPECT_EQ(0, error_of(ioctl(self->own.svm, UVMEM_GET_STATE, &req)));
}

TEST_F(bad, other_svm_ioctls)
{
	struct uvmem_memslot room[2];
	struct uvmem_slots slots = { .slots = (uintptr_t)room, .count = 2, .flags = 1 };

	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_GET_SLOTS, &slots)));
	slots.flags = 0;
	slots.slots = (uintptr_t)BAD;
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_SLOTS, &slots)));
	slots.count = 0;
	EXPECT_EQ(0, error_of(ioctl(self->own.svm, UVMEM_GET_SLOTS, &slots)));
	EXPECT_EQ(1, slots.count);
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_SLOTS, BAD)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_INFO, BAD)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.svm, UVMEM_GET_STATS, BAD)));
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_SVM_OFF, 1)));
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.svm, UVMEM_SVM_OFF, BAD)));
}

TEST_F(bad, bind)
{
	uint32_t nobody[] = { 0, 4095, 4096, 1u << 16, UINT32_MAX };
	struct uvsim_bind args = { .lpid = self->own.lpid, .flags = 1 };

	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvsim, UVSIM_BIND, &args)));
	args.flags = 0;
	EXPECT_EQ(EBUSY, error_of(ioctl(self->uvsim, UVSIM_BIND, &args)));  /* another file */
	EXPECT_EQ(EBUSY, error_of(ioctl(self->own.uv, UVSIM_BIND, &args))); /* this file */
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_BIND, BAD)));
	for (unsigned int i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		args.lpid = nobody[i];
		EXPECT_EQ(ENOENT, error_of(ioctl(self->uvsim, UVSIM_BIND, &args)));
	}
}

TEST_F(bad, ucall)
{
	struct uvsim_ucall call = { .nr = UV_UNSHARE_ALL_PAGES }, good = call;

	EXPECT_EQ(ENXIO, error_of(ioctl(self->uvsim, UVSIM_UCALL, &call))); /* not bound */
	EXPECT_EQ(EFAULT, error_of(ioctl(self->own.uv, UVSIM_UCALL, BAD)));
	EXPECT_EQ(EFAULT,
		  error_of(ioctl(self->own.uv, UVSIM_UCALL, read_only(&good, sizeof(good)))));
	call.flags = 1;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.uv, UVSIM_UCALL, &call)));
	call.flags = 1ULL << 63;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->own.uv, UVSIM_UCALL, &call)));
	/* The VM is gone, and its LPID with it: the file speaks for nobody. */
	close(self->own.svm);
	self->own.svm = -1;
	call.flags = 0;
	EXPECT_EQ(ENXIO, error_of(ioctl(self->own.uv, UVSIM_UCALL, &call)));
}

TEST_F(bad, uvsim_queries)
{
	uint8_t states[4];
	uint32_t lpids[4];
	struct uvsim_svm svm = { .lpid = self->own.lpid, .flags = 1 };
	struct uvsim_list list = { .lpids = (uintptr_t)lpids, .count = 4, .flags = 1 };
	struct uvsim_map map = {
		.lpid = self->own.lpid, .flags = 1, .npages = 1, .states = (uintptr_t)states
	};

	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvsim, UVSIM_GET_SVM, &svm)));
	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvsim, UVSIM_LIST, &list)));
	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvsim, UVSIM_MAP, &map)));
	svm = (struct uvsim_svm){ .lpid = 4095 };
	EXPECT_EQ(ENOENT, error_of(ioctl(self->uvsim, UVSIM_GET_SVM, &svm)));
	svm.lpid = UINT32_MAX;
	EXPECT_EQ(ENOENT, error_of(ioctl(self->uvsim, UVSIM_GET_SVM, &svm)));
	list.flags = 0;
	list.lpids = (uintptr_t)BAD;
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_LIST, &list)));
	list.lpids = (uintptr_t)lpids;
	list.count = UINT32_MAX; /* says that there is room */
	EXPECT_EQ(0, error_of(ioctl(self->uvsim, UVSIM_LIST, &list)));
	map.flags = 0;
	map.lpid = 4095;
	EXPECT_EQ(ENOENT, error_of(ioctl(self->uvsim, UVSIM_MAP, &map)));
	map.lpid = self->own.lpid;
	map.gfn = UINT64_MAX;
	map.npages = 2;
	EXPECT_EQ(EINVAL, error_of(ioctl(self->uvsim, UVSIM_MAP, &map)));
	map.gfn = 0;
	map.npages = UINT64_MAX >> 8; /* more than there is room for */
	map.states = (uintptr_t)read_only(states, 1);
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_MAP, &map)));
	map.npages = 1;
	map.states = (uintptr_t)BAD;
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_MAP, &map)));

	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_GET_INFO, BAD)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_GET_STATS, BAD)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_GET_SVM, BAD)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_LIST, BAD)));
	EXPECT_EQ(EFAULT, error_of(ioctl(self->uvsim, UVSIM_MAP, BAD)));
}

static int map_error(int fd, int prot, int flags)
{
	void *g = mmap(NULL, PAGES * page_size(), prot, flags, fd, 0);

	if (g == MAP_FAILED)
		return errno;
	munmap(g, PAGES * page_size());
	return 0;
}

TEST_F(bad, mmap)
{
	const int rw = PROT_READ | PROT_WRITE;

	EXPECT_EQ(ENXIO, map_error(self->uvsim, rw, MAP_SHARED)); /* not bound */
	EXPECT_EQ(EINVAL, map_error(self->own.uv, rw, MAP_PRIVATE));
	EXPECT_EQ(EINVAL, map_error(self->own.uv, PROT_READ, MAP_SHARED));
	EXPECT_EQ(EINVAL, map_error(self->own.uv, PROT_NONE, MAP_SHARED));
	EXPECT_EQ(EINVAL, map_error(self->own.uv, rw | PROT_EXEC, MAP_SHARED));
	EXPECT_EQ(ENODEV, map_error(self->own.svm, rw, MAP_SHARED));
	EXPECT_EQ(ENODEV, map_error(self->uvmem, rw, MAP_SHARED));
	EXPECT_EQ(0, map_error(self->own.uv, rw, MAP_SHARED));
}

TEST_F(bad, what_is_mapped_stays_as_it_is)
{
	uint8_t *g = mmap(NULL, PAGES * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
			  self->own.uv, 0);

	ASSERT_NE(MAP_FAILED, (void *)g);
	EXPECT_EQ(EACCES, error_of(mprotect(g, page_size(), PROT_READ)));
	EXPECT_EQ(EACCES, error_of(mprotect(g, page_size(), PROT_READ | PROT_WRITE | PROT_EXEC)));
	EXPECT_EQ(MAP_FAILED,
		  mremap(g, PAGES * page_size(), 2 * PAGES * page_size(), MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(g, page_size(), page_size(), MREMAP_MAYMOVE | MREMAP_FIXED,
				     g + 1024 * page_size()));
}

static sigjmp_buf touched;
static volatile int caught;

static void on_signal(int sig)
{
	caught = sig;
	siglongjmp(touched, 1);
}

/* The signal that touching @p ends with, 0 if it does not. */
static int touch(volatile uint8_t *p, bool write)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	caught = 0;
	if (sigsetjmp(touched, 1))
		return caught;
	if (write)
		*p = 1;
	else
		(void)*p;
	return 0;
}

/* Resident, paged out, never touched, shared, beyond every memslot. */
TEST_F(bad, the_vmm_touches_the_guest_view)
{
	size_t page[] = { 3, 4, TOUCHED + 2, 5, PAGES + 5 };
	struct own *o = &self->own;
	uint8_t *g;
	int pipe_fd[2];

	ASSERT_EQ(0, go_secure(o));
	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_EQ(H_SUCCESS,
		  own_hcall(o, H_SVM_PAGE_OUT, 4 * page_size(), 0, page_order(), 0, NULL));
	ASSERT_EQ(U_SUCCESS, own_ucall(o, UV_SHARE_PAGE, 5, 1, 0, 0, 0));
	g = mmap(NULL, 2 * PAGES * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, o->uv, 0);
	ASSERT_NE(MAP_FAILED, (void *)g);
	for (unsigned int i = 0; i < sizeof(page) / sizeof(page[0]); i++) {
		uint8_t *p = g + page[i] * page_size(), buf[64];
		struct iovec l = { buf, sizeof(buf) }, r = { p, sizeof(buf) };

		EXPECT_EQ(SIGBUS, touch(p, false));
		EXPECT_EQ(SIGBUS, touch(p, true));
		EXPECT_EQ(EFAULT, error_of(write(pipe_fd[1], p, 64)));
		EXPECT_EQ(EFAULT, error_of(process_vm_readv(getpid(), &l, 1, &r, 1, 0)));
		EXPECT_EQ(EFAULT, error_of(process_vm_writev(getpid(), &l, 1, &r, 1, 0)));
	}
	EXPECT_EQ(UVMEM_GFN_UVMEM, own_hv_state(o, 3));
}

/* The same from outside, on pages that a running guest has mapped. */
TEST_F(bad, others_look_at_the_guest_view)
{
	uint8_t buf[64], plain[64];
	char path[64];
	struct vm vm;
	uint64_t gpa;
	int mem;

	ASSERT_EQ(0, vm_start_secure(&vm, NULL));
	gpa = vm_page(&vm, 2);
	ASSERT_EQ(0, guest_pattern(&vm, gpa, page_size(), SEED));
	ASSERT_NE(0, vm.c.info.gva);
	pattern_fill(plain, gpa, sizeof(plain), SEED, 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)vm.pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(EIO, error_of(pread(mem, buf, sizeof(buf), (off_t)(vm.c.info.gva + gpa))));
	EXPECT_EQ(EIO, error_of(pwrite(mem, buf, sizeof(buf), (off_t)(vm.c.info.gva + gpa))));
	EXPECT_TRUE(all_zeros(buf, sizeof(buf)));
	{
		struct iovec l = { buf, sizeof(buf) };
		struct iovec r = { (void *)(uintptr_t)(vm.c.info.gva + gpa), sizeof(buf) };

		EXPECT_EQ(EFAULT, error_of(process_vm_readv(vm.pid, &l, 1, &r, 1, 0)));
		EXPECT_EQ(EFAULT, error_of(process_vm_writev(vm.pid, &l, 1, &r, 1, 0)));
	}
	EXPECT_TRUE(all_zeros(buf, sizeof(buf)));
	EXPECT_EQ(0, guest_verify(&vm, gpa, page_size(), SEED, 0));
	close(mem);
	EXPECT_EQ(0, vm_kill(&vm));
}

/* The files cannot be read or written, as some devices can. */
TEST_F(bad, read_and_write)
{
	int fd[] = { self->uvmem, self->own.svm, self->uvsim, self->own.uv };
	uint8_t buf[16] = { 0 };

	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(EINVAL, error_of(read(fd[i], buf, sizeof(buf))));
		EXPECT_EQ(EINVAL, error_of(write(fd[i], buf, sizeof(buf))));
	}
}

TEST_HARNESS_MAIN
