// SPDX-License-Identifier: GPL-2.0
/*
 * Guests: their accesses through the guest view, and what a normal VM's memory
 * holds before it goes secure.
 */
#include "machine.h"

static int map_view(void *arg, const struct uv_map_target *t)
{
	struct vm *vm = arg;
	struct machine *m = vm->m;

	pthread_mutex_lock(&vm->view);
	for (uint32_t i = 0; i < t->npages && t->gfn + i < vm->top; i++)
		vm->g[t->gfn + i] = t->shared ? ra_va(m, t->ra) :
						m->port.secure_page(m->user, t->secure_page + i);
	pthread_mutex_unlock(&vm->view);
	if (t->npages > 1)
		__atomic_add_fetch(&m->block_maps, 1, __ATOMIC_RELAXED);
	return 0;
}

/* As where there is no page table: entries of single pages keep a block's out. */
static bool nothing_mapped(struct vm *vm, uint64_t gfn)
{
	uint64_t first = gfn >> BLOCK_SHIFT << BLOCK_SHIFT;
	bool nothing = true;

	pthread_mutex_lock(&vm->view);
	for (uint64_t g = first; g < first + (1u << BLOCK_SHIFT) && g < vm->top; g++)
		nothing &= !vm->g[g];
	pthread_mutex_unlock(&vm->view);
	return nothing;
}

static enum uv_fault fault(struct vm *vm, uint64_t gfn)
{
	struct uv *uv = vm->m->uv;
	enum uv_fault f = UV_FAULT_NOT_WHOLE;

	if (vm->m->blocks && (vm->m->no_page_tables || nothing_mapped(vm, gfn)))
		f = uv_guest_map_block(uv, vm->lpid, gfn, map_view, vm);
	if (f == UV_FAULT_PAGE_IN && uv_guest_page_in_block(uv, vm->lpid, NULL, gfn))
		return f;
	if (f == UV_FAULT_NOT_WHOLE || f == UV_FAULT_PAGE_IN)
		f = uv_guest_map(uv, vm->lpid, gfn, map_view, vm);
	return f == UV_FAULT_PAGE_IN ? uv_guest_page_in(uv, vm->lpid, NULL, gfn) : f;
}

static bool copy_mapped(struct vm *vm, uint64_t gfn, size_t off, void *buf, size_t n, bool write)
{
	uint8_t *page;

	pthread_mutex_lock(&vm->view);
	page = vm->g[gfn];
	if (page && write)
		memcpy(page + off, buf, n);
	else if (page)
		memcpy(buf, page + off, n);
	pthread_mutex_unlock(&vm->view);
	return page;
}

static int copy_page(struct vm *vm, uint64_t gfn, size_t off, void *buf, size_t n, bool write)
{
	unsigned int tries = 0;

	while (!copy_mapped(vm, gfn, off, buf, n, write)) {
		enum uv_fault f = fault(vm, gfn);

		if (f == UV_FAULT_REFUSED || f == UV_FAULT_FAILED || ++tries > vm->m->patience)
			return -1;
	}
	return 0;
}

/* A guest's access: 0, or -1 if it is refused. */
int guest_copy(struct vm *vm, uint64_t gpa, void *buf, size_t len, bool write)
{
	struct machine *m = vm->m;
	uint8_t *b = buf;

	while (len) {
		size_t off = gpa & (m->page - 1), n = m->page - off;

		if (n > len)
			n = len;
		if (copy_page(vm, gpa >> m->shift, off, b, n, write))
			return -1;
		gpa += n;
		b += n;
		len -= n;
	}
	return 0;
}

/* Contents that differ for each GFN and seed. */
void pattern(struct machine *m, void *page, uint64_t gfn, uint32_t seed)
{
	uint64_t *p = page, x = gfn * 0x9e3779b97f4a7c15ULL + seed;

	for (size_t i = 0; i < m->page / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = x + i;
	}
}

void guest_fill(struct vm *vm, uint64_t gfn, uint32_t seed)
{
	uint8_t *buf = malloc(vm->m->page);

	pattern(vm->m, buf, gfn, seed);
	assert_int_equal(guest_copy(vm, gfn << vm->m->shift, buf, vm->m->page, true), 0);
	free(buf);
}

bool guest_check(struct vm *vm, uint64_t gfn, uint32_t seed)
{
	uint8_t *want = malloc(vm->m->page), *buf = malloc(vm->m->page);
	bool ok;

	pattern(vm->m, want, gfn, seed);
	ok = !guest_copy(vm, gfn << vm->m->shift, buf, vm->m->page, false) &&
	     !memcmp(buf, want, vm->m->page);
	free(want);
	free(buf);
	return ok;
}

bool guest_is_zero(struct vm *vm, uint64_t gfn)
{
	uint8_t *buf = malloc(vm->m->page);
	bool ok;

	ok = !guest_copy(vm, gfn << vm->m->shift, buf, vm->m->page, false) && !buf[0] &&
	     !memcmp(buf, buf + 1, vm->m->page - 1);
	free(buf);
	return ok;
}

/* A normal VM's memory is its host view. */
void vm_fill_normal(struct vm *vm, uint64_t gfn, uint32_t seed)
{
	pattern(vm->m, host_touch(vm, gfn), gfn, seed);
}

bool vm_check_normal(struct vm *vm, uint64_t gfn, uint32_t seed)
{
	uint8_t *want = malloc(vm->m->page);
	bool ok;

	pattern(vm->m, want, gfn, seed);
	ok = vm->h[gfn].state == H_NORMAL &&
	     !memcmp(ra_va(vm->m, vm->h[gfn].ra), want, vm->m->page);
	free(want);
	return ok;
}

/*
 * Put a blob that measures @n pages from @first on, each a range of its own up
 * to 16 and the rest in one, into the last two pages of the VM's first slot.
 */
void vm_put_blob(struct vm *vm, const uint8_t key[32], uint64_t first, uint64_t n, uint32_t alg)
{
	struct machine *m = vm->m;
	struct uv_esm_range_src src[17];
	uint64_t gfn = vm->slot[0].gfn + vm->slot[0].n - 2;
	uint8_t *mem = malloc(n * m->page), *blob;
	unsigned int nr = 0;
	size_t len;

	for (uint64_t i = 0; i < n; i++)
		memcpy(mem + i * m->page, host_touch(vm, first + i), m->page);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t run = nr < 16 ? 1 : n - i;

		src[nr++] = (struct uv_esm_range_src){
			.gpa = (first + i) << m->shift,
			.data = mem + i * m->page,
			.len = run * m->page,
			.alg = alg,
		};
		i += run - 1;
	}
	assert_int_equal(uv_esm_blob_build(key, first << m->shift, src, nr, &blob, &len), 0);
	assert_true(len <= m->page);
	memset(host_touch(vm, gfn), 0, m->page);
	memcpy(host_touch(vm, gfn), blob, len);
	vm->blob_gpa = gfn << m->shift;
	free(blob);
	free(mem);
}

int64_t vm_esm(struct vm *vm)
{
	return guest(vm, UV_ESM, vm->blob_gpa, 0, NULL);
}

/* A secure VM whose pages 0 .. npages - 3 hold pattern(seed). */
struct vm *vm_secure(struct machine *m, uint32_t lpid, uint64_t npages, uint32_t seed)
{
	struct vm *vm = vm_new(m, lpid, npages);

	for (uint64_t gfn = 0; gfn < npages - 2; gfn++)
		vm_fill_normal(vm, gfn, seed);
	vm_put_blob(vm, owner_key, 0, npages - 2, UV_ESM_SHA256);
	assert_int_equal(vm_esm(vm), U_SUCCESS);
	return vm;
}

uint8_t gfn_state(struct vm *vm, uint64_t gfn)
{
	uint8_t s;

	uv_get_map(vm->m->uv, vm->lpid, gfn, 1, &s);
	return s;
}

struct uv_svm_info svm_info(struct vm *vm)
{
	struct uv_svm_info info;

	assert_true(uv_get_svm(vm->m->uv, vm->lpid, &info));
	return info;
}

struct uv_stats stats(struct machine *m)
{
	struct uv_stats st;

	uv_get_stats(m->uv, &st);
	return st;
}
