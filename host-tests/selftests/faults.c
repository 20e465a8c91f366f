// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation, and every access to user memory, that a call makes fails
 * once: the kernel's fault injection (/proc/self/fail-nth) fails the n-th, for n
 * = 1, 2, ... until the call has no more. The call may fail then, with an errno
 * or a code that says so, or make up for it; afterwards everything works and
 * nothing is lost. Only a debug kernel can inject faults.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "harness.h"
#include "vmfix.h"

#define SEED 0x5eed0011
#define PAGES 48
#define TOUCHED 8
#define MOST 400 /* far more than any call has */

FIXTURE(faults)
{
	struct usage before;
	struct own own;
};

FIXTURE_SETUP(faults)
{
	static const char *const knob[] = {
		"failslab/ignore-gfp-wait",  "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/min-order", "failslab/verbose",
		"fail_page_alloc/verbose",   "fail_usercopy/verbose",
	};
	char path[128];

	for (unsigned int i = 0; i < sizeof(knob) / sizeof(knob[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", knob[i]);
		ASSERT_EQ(0, file_write(path, "0"));
	}
	ASSERT_EQ(0, usage_get(&self->before));
	ASSERT_EQ(0, own_open_secure(&self->own, PAGES, TOUCHED, SEED));
}

FIXTURE_TEARDOWN(faults)
{
	own_close(&self->own);
	EXPECT_EQ(0, usage_check(&self->before));
}

static int nth_fd = -1;

/* The @n-th chance for a failure from here on fails. */
static void fail_nth(unsigned int n)
{
	char text[16];

	if (nth_fd < 0)
		nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	snprintf(text, sizeof(text), "%u", n);
	if (pwrite(nth_fd, text, strlen(text), 0) < 0)
		say("fail-nth: %s", strerror(errno));
}

/* Ends that; whether there was an @n-th chance. */
static bool failed(void)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0)
		say("fail-nth: %s", strerror(errno));
	fail_nth(0);
	return atoi(text) == 0;
}

/* One call and what it needs before and after. Returns an errno or a PAPR code. */
struct subject {
	int64_t (*call)(struct own *o);
	int (*before)(struct own *o);
	int (*after)(struct own *o);
};

static int64_t of_ioctl(int ret)
{
	return ret < 0 ? -1000 - errno : 0;
}

static bool is_allowed(int64_t ret)
{
	switch (ret) {
	case H_SUCCESS:
	case H_BUSY:
	case H_PARAMETER: /* share: its page could not be pinned */
	case H_STATE:
	case U_RETRY:
	case H_NO_MEM:
	case -1000 - ENOMEM:
	case -1000 - EFAULT:
	case -1000 - EIO:
	case -1000 - EBUSY:
	case -1000 - EMFILE:
	case -1000 - ENFILE:
		return true;
	default:
		return false;
	}
}

static int sweep(struct own *o, const struct subject *s)
{
	unsigned int n, failures = 0;

	for (n = 1; n < MOST; n++) {
		int64_t ret;
		bool hit;

		if (s->before && s->before(o))
			return say("n = %u: it cannot begin", n);
		fail_nth(n);
		ret = s->call(o);
		hit = failed();
		failures += ret != 0;
		if (!is_allowed(ret))
			return say("n = %u: it returned %lld", n, (long long)ret);
		if (!hit && ret)
			return say("n = %u: it fails without a fault: %lld", n, (long long)ret);
		if (s->after && s->after(o))
			return say("n = %u: wrong afterwards", n);
		if (!hit)
			break;
	}
	say("%u chances to fail, %u failures", n - 1, failures);
	return n > 1 && n < MOST ? 0 : say("there was nothing to fail");
}

static int64_t range(struct own *o, uint64_t nr)
{
	struct uvmem_hcall call = { .nr = nr, .args = { 0, TOUCHED, 0, page_order() } };

	return ioctl(o->svm, UVMEM_HCALL, &call) ? -1000 - errno : call.ret;
}

static int64_t page_out(struct own *o)
{
	return range(o, H_SIM_SVM_PAGE_OUT_RANGE);
}

static int64_t page_in(struct own *o)
{
	return range(o, H_SIM_SVM_PAGE_IN_RANGE);
}

static int all_in(struct own *o)
{
	return page_in(o) == H_SUCCESS ? 0 : say("H_SIM_SVM_PAGE_IN_RANGE");
}

static int all_out(struct own *o)
{
	return page_out(o) == H_SUCCESS ? 0 : say("H_SIM_SVM_PAGE_OUT_RANGE");
}

/* Every page is one that the ultravisor knows, and can be moved both ways. */
static int content_is_safe(struct own *o)
{
	uint8_t *plain = malloc(page_size());
	int ret = 0;

	for (size_t page = 0; !ret && page < TOUCHED; page++) {
		unsigned int uv = own_uv_state(o, page);

		pattern_fill(plain, page * page_size(), page_size(), SEED, 0);
		if (uv != UV_GFN_RESIDENT && uv != UV_GFN_SEALED)
			ret = say("page %zu is in state %u", page, uv);
		else if (!is_ciphertext(o->h + page * page_size(), plain, page_size()))
			ret = say("page %zu is no ciphertext", page);
	}
	free(plain);
	return ret || all_in(o) ? -1 : 0;
}

TEST_F(faults, page_out)
{
	static const struct subject s = { .call = page_out,
					  .before = all_in,
					  .after = content_is_safe };

	EXPECT_EQ(0, sweep(&self->own, &s));
}

TEST_F(faults, page_in)
{
	static const struct subject s = { .call = page_in,
					  .before = all_out,
					  .after = content_is_safe };

	EXPECT_EQ(0, sweep(&self->own, &s));
}

static int64_t host_touch(struct own *o)
{
	int mem;
	uint8_t byte;
	int64_t ret;

	/* A fault that is short of memory would end the process; a read() is told. */
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ret = pread(mem, &byte, 1, (off_t)(uintptr_t)(o->h + 3 * page_size())) == 1 ?
		      0 :
		      -1000 - ENOMEM;
	close(mem);
	return ret;
}

TEST_F(faults, host_touch)
{
	static const struct subject s = { .call = host_touch,
					  .before = all_in,
					  .after = content_is_safe };

	EXPECT_EQ(0, sweep(&self->own, &s));
}

static int64_t ucall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1)
{
	struct uvsim_ucall call = { .nr = nr, .args = { a0, a1 } };

	return ioctl(o->uv, UVSIM_UCALL, &call) ? -1000 - errno : call.ret;
}

static int64_t share_two(struct own *o)
{
	return ucall(o, UV_SHARE_PAGE, TOUCHED, 2);
}

static int64_t unshare_two(struct own *o)
{
	return ucall(o, UV_UNSHARE_PAGE, TOUCHED, 2);
}

static int not_shared(struct own *o)
{
	return unshare_two(o) == U_SUCCESS ? 0 : -1;
}

static int is_shared(struct own *o)
{
	return share_two(o) == U_SUCCESS ? 0 : -1;
}

/* The next call that has all it needs succeeds. */
static int can_be_shared(struct own *o)
{
	return is_shared(o) || own_hv_state(o, TOUCHED) != UVMEM_GFN_SHARED ||
	       own_uv_state(o, TOUCHED + 1) != UV_GFN_SHARED;
}

TEST_F(faults, share)
{
	static const struct subject s = { .call = share_two,
					  .before = not_shared,
					  .after = can_be_shared };

	EXPECT_EQ(0, sweep(&self->own, &s));
	EXPECT_EQ(0, content_is_safe(&self->own));
}

static int can_be_unshared(struct own *o)
{
	return not_shared(o) || own_hv_state(o, TOUCHED) == UVMEM_GFN_SHARED ||
	       own_uv_state(o, TOUCHED) == UV_GFN_SHARED;
}

TEST_F(faults, unshare)
{
	static const struct subject s = { .call = unshare_two,
					  .before = is_shared,
					  .after = can_be_unshared };

	EXPECT_EQ(0, sweep(&self->own, &s));
	EXPECT_EQ(0, content_is_safe(&self->own));
}

static int make_normal(struct own *o)
{
	if (ioctl(o->svm, UVMEM_SVM_OFF, 0))
		return -1;
	own_fill(o, 0, TOUCHED, SEED);
	return own_blob(o, page_size(), 1, true);
}

static int64_t esm(struct own *o)
{
	return ucall(o, UV_ESM, o->blob_gpa, 0);
}

/* It is secure, or a normal VM with all that it had. */
static int one_or_the_other(struct own *o)
{
	if (vm_state_fd(o->svm) == UVMEM_VM_SECURE)
		return content_is_safe(o);
	if (vm_state_fd(o->svm) != UVMEM_VM_NORMAL)
		return say("it is neither secure nor normal");
	return own_has_pattern(o, 0, TOUCHED, SEED);
}

TEST_F(faults, esm)
{
	static const struct subject s = { .call = esm,
					  .before = make_normal,
					  .after = one_or_the_other };

	EXPECT_EQ(0, sweep(&self->own, &s));
}

static int64_t terminate(struct own *o)
{
	return of_ioctl(ioctl(o->svm, UVMEM_SVM_OFF, 0));
}

static int make_secure(struct own *o)
{
	return make_normal(o) || esm(o) != U_SUCCESS;
}

static int zeros(struct own *o)
{
	return all_zeros(o->h, o->len) && vm_state_fd(o->svm) == UVMEM_VM_NORMAL ?
		       0 :
		       say("not all is zeros");
}

TEST_F(faults, terminate)
{
	static const struct subject s = { .call = terminate,
					  .before = make_secure,
					  .after = zeros };

	EXPECT_EQ(0, sweep(&self->own, &s));
}

static int new_svm = -1;

static int64_t create(struct own *o)
{
	struct uvmem_create args = { 0 };
	int dev = open("/dev/uvmem", O_RDWR | O_CLOEXEC);

	(void)o;
	if (dev < 0)
		return -1000 - errno;
	new_svm = ioctl(dev, UVMEM_CREATE_SVM, &args);
	if (new_svm < 0) {
		int64_t ret = -1000 - errno;

		close(dev);
		return ret;
	}
	close(dev);
	return 0;
}

static int close_new(struct own *o)
{
	(void)o;
	if (new_svm >= 0)
		close(new_svm);
	new_svm = -1;
	return 0;
}

TEST_F(faults, create_svm)
{
	static const struct subject s = { .call = create, .after = close_new };

	EXPECT_EQ(0, sweep(&self->own, &s));
}

static void *slot_h;

static int64_t set_memslot(struct own *o)
{
	struct uvmem_memslot slot = {
		.slot = 9,
		.guest_phys_addr = 16 * PAGES * page_size(),
		.memory_size = 4 * page_size(),
		.userspace_addr = (uintptr_t)slot_h,
	};

	return of_ioctl(ioctl(o->svm, UVMEM_SET_MEMSLOT, &slot));
}

static int delete_memslot(struct own *o)
{
	struct uvmem_memslot slot = { .slot = 9 };

	ioctl(o->svm, UVMEM_SET_MEMSLOT, &slot);
	return own_hv_state(o, 16 * PAGES) == UVMEM_GFN_NOSLOT ? 0 : say("the slot is there");
}

TEST_F(faults, set_memslot)
{
	static const struct subject s = { .call = set_memslot, .after = delete_memslot };

	slot_h = mmap(NULL, 4 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, slot_h);
	EXPECT_EQ(0, sweep(&self->own, &s));
	EXPECT_EQ(0, content_is_safe(&self->own));
}

TEST_HARNESS_MAIN
