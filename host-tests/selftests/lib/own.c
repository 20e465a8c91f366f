// SPDX-License-Identifier: GPL-2.0
/*
 * An SVM that the test itself is the VMM of: no vCPU, but every call that a VMM
 * and its guest can make, at any moment. UV_ESM runs in a thread when a test
 * wants to meddle with a VM in state Transient.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uv-sim/user/esm_blob.h"
#include "vmfix.h"

/* Room for a blob at the end of H: header, 256 ranges, tag. */
#define BLOB_ROOM (48 + UV_ESM_MAX_RANGES * 88 + 16)

size_t own_blob_pages(void)
{
	return (BLOB_ROOM + page_size() - 1) / page_size();
}

/* Make the hypervisor's VM; -1 with nothing made. */
int own_create(struct own *o)
{
	struct uvmem_create args = { 0 };
	int dev = open("/dev/uvmem", O_RDWR | O_CLOEXEC);

	o->hv = -1;
	if (dev < 0 && upstream_is_here())
		return upstream_create(o);
	if (dev < 0)
		return say("/dev/uvmem: %s", strerror(errno));
	o->svm = ioctl(dev, UVMEM_CREATE_SVM, &args);
	close(dev);
	o->lpid = args.lpid;
	return o->svm < 0 ? say("UVMEM_CREATE_SVM: %s", strerror(errno)) : 0;
}

/* Open the ultravisor for the LPID that o->lpid names. */
int own_bind(struct own *o)
{
	struct uvsim_bind args = { .lpid = o->lpid };

	o->uv = open("/dev/uvsim", O_RDWR | O_CLOEXEC);
	if (o->uv < 0)
		return say("/dev/uvsim: %s", strerror(errno));
	return ioctl(o->uv, UVSIM_BIND, &args) ? say("UVSIM_BIND: %s", strerror(errno)) : 0;
}

/* @npages 0 deletes. 0, or -1 with errno set. */
int own_memslot(struct own *o, unsigned int slot, size_t page, size_t npages)
{
	struct uvmem_memslot req = {
		.slot = slot,
		.guest_phys_addr = page * page_size(),
		.memory_size = npages * page_size(),
		.userspace_addr = (uintptr_t)o->h + page * page_size(),
	};

	return o->hv < 0 ? ioctl(o->svm, UVMEM_SET_MEMSLOT, &req) : upstream_memslot(o, &req);
}

/* 0, or -1 with errno set. */
int own_off(struct own *o)
{
	return o->hv < 0 ? ioctl(o->svm, UVMEM_SVM_OFF, 0) : upstream_off(o);
}

static int open_with(struct own *o, size_t npages, size_t align, int advice)
{
	uint8_t *room;
	size_t below;

	*o = (struct own){ .svm = -1, .uv = -1, .hv = -1, .h = MAP_FAILED };
	o->len = npages * page_size();
	room = mmap(NULL, o->len + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (room == MAP_FAILED)
		return say("mmap: %s", strerror(errno));
	below = align ? -(uintptr_t)room & (align - 1) : 0;
	o->h = room + below;
	if (below)
		munmap(room, below);
	if (align > below)
		munmap(o->h + o->len, align - below);
	madvise(o->h, o->len, advice);
	if (own_create(o) || own_bind(o))
		return -1;
	return own_memslot(o, 0, 0, npages) ? say("UVMEM_SET_MEMSLOT: %s", strerror(errno)) : 0;
}

int own_open(struct own *o, size_t npages)
{
	return open_with(o, npages, 0, MADV_NOHUGEPAGE);
}

int own_open_huge(struct own *o, size_t npages, size_t align)
{
	return open_with(o, npages, align, MADV_HUGEPAGE);
}

void own_close(struct own *o)
{
	if (o->esm_running)
		own_esm_join(o);
	if (o->uv >= 0)
		close(o->uv);
	if (o->svm >= 0)
		close(o->svm);
	if (o->hv >= 0)
		close(o->hv);
	if (o->h != MAP_FAILED)
		munmap(o->h, o->len);
	*o = (struct own){ .svm = -1, .uv = -1, .hv = -1, .h = MAP_FAILED };
}

void own_fill(struct own *o, size_t first, size_t n, uint64_t seed)
{
	pattern_fill(o->h + first * page_size(), first * page_size(), n * page_size(), seed, 0);
}

int own_lock_memory(struct own *o)
{
	return mlock2(o->h, o->len, MLOCK_ONFAULT);
}

pid_t own_child_stays(struct own *o, size_t pages, int go[2])
{
	char byte;
	pid_t pid;

	if (pipe(go))
		return -1;
	pid = fork();
	if (pid)
		return pid;
	close(go[1]);
	close(o->svm);
	close(o->uv);
	(void)!read(go[0], &byte, 1);
	_exit(all_zeros(o->h, pages * page_size()) ? 0 : 1);
}

int own_child_found_zeros(pid_t pid, int go[2])
{
	int status;

	close(go[0]);
	close(go[1]);
	return waitpid(pid, &status, 0) != pid || status ? -1 : 0;
}

static int hex_byte(const char *text)
{
	char digits[3] = { text[0], text[0] ? text[1] : '\0', '\0' }, *end;
	unsigned long value = strtoul(digits, &end, 16);

	return isxdigit((unsigned char)digits[0]) && end == digits + 2 ? (int)value : -1;
}

int own_key(uint8_t key[32])
{
	const char *path = getenv("UVMEM_OWNER_KEY");
	char *text = file_read(path ? path : "/etc/uvmem/owner.key");

	for (unsigned int i = 0; text && i < 32; i++) {
		int byte = hex_byte(text + 2 * i);

		if (byte < 0) {
			free(text);
			text = NULL;
			break;
		}
		key[i] = (uint8_t)byte;
	}
	if (!text)
		return say("there is no owner key");
	free(text);
	return 0;
}

int own_blob(struct own *o, size_t measured, unsigned int times, bool good)
{
	struct uv_esm_range_src *src = calloc(times, sizeof(*src));
	uint8_t key[32], *bytes = malloc(measured), *last = malloc(measured), *blob = NULL;
	size_t len = 0;
	int err = ENOMEM;

	o->blob_gpa = o->len - own_blob_pages() * page_size();
	if (src && bytes && last && measured <= o->blob_gpa && !own_key(key)) {
		memcpy(bytes, o->h, measured);
		memcpy(last, bytes, measured);
		for (unsigned int i = 0; i < times; i++)
			src[i] = (struct uv_esm_range_src){ .data = bytes,
							    .len = measured,
							    .alg = UV_ESM_SHA512 };
		/* Only the last range is wrong: all of the measurement is gone through. */
		if (!good)
			last[measured - 1] ^= 1;
		src[times - 1].data = last;
		err = -uv_esm_blob_build(key, 0, src, times, &blob, &len);
	}
	if (!err && len <= o->len - o->blob_gpa) {
		memcpy(o->h + o->blob_gpa, blob, len);
	} else {
		err = err ? err : E2BIG;
	}
	free(blob);
	free(last);
	free(bytes);
	free(src);
	return err ? say("ESM blob: %s", strerror(err)) : 0;
}

int64_t own_ucall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t a4)
{
	struct uvsim_ucall call = { .nr = nr, .args = { a0, a1, a2, a3, a4 } };

	if (ioctl(o->uv, UVSIM_UCALL, &call)) {
		say("UVSIM_UCALL 0x%llx: %s", (unsigned long long)nr, strerror(errno));
		return NO_ANSWER;
	}
	return call.ret;
}

int64_t own_esm(struct own *o)
{
	return own_ucall(o, UV_ESM, o->blob_gpa, 0, 0, 0, 0);
}

static void *esm_thread(void *arg)
{
	struct own *o = arg;
	int64_t ret = own_esm(o);

	__atomic_store_n(&o->esm_ret, ret, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * The kernel may not preempt UV_ESM while it measures a page: it runs on another
 * processor than we do, so that we see the VM while it is Transient.
 */
static void elsewhere(pthread_attr_t *attr)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)((sched_getcpu() + 1) % cpus), &set);
	pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

int own_esm_start(struct own *o)
{
	pthread_attr_t attr;

	o->esm_ret = NO_ANSWER;
	pthread_attr_init(&attr);
	elsewhere(&attr);
	errno = pthread_create(&o->esm_thread, &attr, esm_thread, o);
	pthread_attr_destroy(&attr);
	o->esm_running = !errno;
	return errno ? say("pthread_create: %s", strerror(errno)) : 0;
}

/* A page that nobody touched counts as zeros as soon as measuring begins. */
int own_wait_transient(struct own *o)
{
	size_t untouched = o->blob_gpa / page_size() - 1;

	for (;;) {
		int state = vm_state_fd(o->svm);

		if (state == UVMEM_VM_TRANSIENT && own_uv_state(o, untouched) == UV_GFN_ZERO)
			return 0;
		if (state < 0 || __atomic_load_n(&o->esm_ret, __ATOMIC_ACQUIRE) != NO_ANSWER)
			return say("UV_ESM ended (%lld) before state Transient was seen",
				   (long long)o->esm_ret);
		sched_yield();
	}
}

int64_t own_esm_join(struct own *o)
{
	pthread_join(o->esm_thread, NULL);
	o->esm_running = false;
	return o->esm_ret;
}

int64_t own_hcall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t *out)
{
	const uint64_t args[4] = { a0, a1, a2, a3 };

	return hcall_fd(o->svm, nr, args, out);
}

unsigned int own_hv_state(struct own *o, size_t page)
{
	return hv_state_fd(o->svm, page * page_size());
}

unsigned int own_uv_state(struct own *o, size_t page)
{
	uint8_t state = 0;
	struct uvsim_map req = {
		.lpid = o->lpid, .gfn = page, .npages = 1, .states = (uintptr_t)&state
	};

	return ioctl(o->uv, UVSIM_MAP, &req) ? UINT32_MAX : state;
}

int own_has_pattern(struct own *o, size_t first, size_t n, uint64_t seed)
{
	uint8_t *want = malloc(page_size());
	size_t i;

	for (i = first; want && i < first + n; i++) {
		pattern_fill(want, i * page_size(), page_size(), seed, 0);
		if (memcmp(want, o->h + i * page_size(), page_size()))
			break;
	}
	free(want);
	return i == first + n ? 0 : say("page %zu has other content", i);
}

int own_open_secure(struct own *o, size_t npages, size_t touched, uint64_t seed)
{
	int64_t ret;

	if (own_open(o, npages))
		return -1;
	own_fill(o, 0, touched, seed);
	if (own_blob(o, page_size(), 1, true))
		return -1;
	ret = own_esm(o);
	return ret == U_SUCCESS ? 0 : say("UV_ESM: %lld", (long long)ret);
}
