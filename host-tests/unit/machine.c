// SPDX-License-Identifier: GPL-2.0
/*
 * The machine around the core: normal memory, a port that watches what the core
 * does and fails on demand, and the way into the ultravisor.
 */
#include "machine.h"

const uint8_t owner_key[32] = "the owner's key, known to nobody";

/* Port functions get libuvsim's context; a thread works on one machine. */
static struct machine *machine;
static __thread int held[16];
static __thread unsigned int nheld;
static __thread unsigned int in_hv_call;

#define BROKEN(...)                                                    \
	do {                                                           \
		fprintf(stderr, "core broke a promise: " __VA_ARGS__); \
		fputc('\n', stderr);                                   \
		abort();                                               \
	} while (0)

struct watched_lock {
	struct uv_lock *lock;
	int level;
};

static bool allocation_fails(void)
{
	bool fails;

	pthread_mutex_lock(&machine->lock);
	fails = machine->fail_alloc && --machine->fail_alloc == 0;
	machine->allocs++;
	if (!fails)
		machine->live++;
	pthread_mutex_unlock(&machine->lock);
	return fails;
}

static void freed(void)
{
	pthread_mutex_lock(&machine->lock);
	machine->live--;
	pthread_mutex_unlock(&machine->lock);
}

static const struct uv_port *real(void)
{
	return uv_user_port(machine->user);
}

static void *t_alloc(void *ctx, size_t bytes)
{
	return allocation_fails() ? NULL : real()->alloc(ctx, bytes);
}

static void t_free(void *ctx, void *p)
{
	freed();
	real()->free(ctx, p);
}

static struct uv_lock *t_lock_new(void *ctx, const char *name, int level)
{
	struct watched_lock *l;

	if (allocation_fails())
		return NULL;
	l = malloc(sizeof(*l));
	l->lock = real()->lock_new(ctx, name, level);
	l->level = level;
	return (struct uv_lock *)l;
}

static void t_lock_free(void *ctx, struct uv_lock *lock)
{
	struct watched_lock *l = (struct watched_lock *)lock;

	real()->lock_free(ctx, l->lock);
	free(l);
	freed();
}

static void t_lock(void *ctx, struct uv_lock *lock)
{
	struct watched_lock *l = (struct watched_lock *)lock;

	if (nheld && held[nheld - 1] >= l->level)
		BROKEN("lock of level %d under one of level %d", l->level, held[nheld - 1]);
	real()->lock(ctx, l->lock);
	held[nheld++] = l->level;
}

static void t_unlock(void *ctx, struct uv_lock *lock)
{
	struct watched_lock *l = (struct watched_lock *)lock;

	if (!nheld || held[--nheld] != l->level)
		BROKEN("locks are not dropped in reverse order");
	real()->unlock(ctx, l->lock);
	if (l->level == UV_LEVEL_GFN && machine->on_gfn_unlock)
		machine->on_gfn_unlock(machine);
}

static int t_random(void *ctx, void *buf, size_t len)
{
	return machine->fail_random ? -1 : real()->random(ctx, buf, len);
}

static struct uv_aead_key *t_aead_key(void *ctx, const uint8_t key[UV_KEY_BYTES])
{
	return allocation_fails() ? NULL : real()->aead_key(ctx, key);
}

static void t_aead_free(void *ctx, struct uv_aead_key *key)
{
	real()->aead_free(ctx, key);
	freed();
}

static void not_normal(const void *p)
{
	const uint8_t *b = p;

	if (b >= machine->normal && b < machine->normal + machine->npages * machine->page)
		BROKEN("the cipher works on normal memory");
}

static int t_seal(void *ctx, struct uv_aead_key *key, const uint8_t *iv, const void *aad,
		  size_t aad_len, const void *src, void *dst, size_t len, uint8_t *tag)
{
	int err;

	not_normal(src);
	not_normal(dst);
	if (machine->fail_seal) {
		memset(dst, 0x11, len);
		return -1;
	}
	err = real()->seal(ctx, key, iv, aad, aad_len, src, dst, len, tag);
	pthread_mutex_lock(&machine->lock);
	memcpy(machine->last_iv, iv, UV_IV_BYTES);
	pthread_mutex_unlock(&machine->lock);
	if (machine->on_crypt)
		machine->on_crypt(machine, true);
	return err;
}

static int t_open(void *ctx, struct uv_aead_key *key, const uint8_t *iv, const void *aad,
		  size_t aad_len, const void *src, void *dst, size_t len, const uint8_t *tag)
{
	not_normal(src);
	not_normal(dst);
	if (machine->on_crypt)
		machine->on_crypt(machine, false);
	return real()->open(ctx, key, iv, aad, aad_len, src, dst, len, tag);
}

static struct uv_hash_ctx *t_hash_new(void *ctx, enum uv_hash alg)
{
	return allocation_fails() ? NULL : real()->hash_new(ctx, alg);
}

static int t_hash_final(void *ctx, struct uv_hash_ctx *h, uint8_t *digest)
{
	freed();
	return real()->hash_final(ctx, h, digest);
}

static struct vm *find_vm(struct machine *m, uint32_t lpid)
{
	for (int i = 0; i < MAX_VMS; i++)
		if (m->vm[i].lpid == lpid)
			return &m->vm[i];
	BROKEN("hypercall for LPID %u", lpid);
}

static int64_t m_hcall(void *ctx, uint32_t lpid, uint64_t nr, const uint64_t args[4],
		       uint64_t out[1])
{
	struct machine *m = ctx;
	struct vm *vm = find_vm(m, lpid);
	int64_t ret;

	if (nheld)
		BROKEN("hypercall %#llx with a lock of level %d held", (unsigned long long)nr,
		       held[nheld - 1]);
	if (in_hv_call)
		BROKEN("hypercall %#llx inside an ultracall of the hypervisor's",
		       (unsigned long long)nr);
	__atomic_add_fetch(&m->hcalls, 1, __ATOMIC_RELAXED);
	if (m->hook && m->hook(m, vm, nr, args, out, &ret))
		return ret;
	return hv_hcall(m, vm, nr, args, out);
}

static bool is_normal(const struct machine *m, uint64_t ra)
{
	return ra >= RA_BASE && ra - RA_BASE < (uint64_t)m->npages << m->shift;
}

static void *m_map(void *ctx, uint64_t ra, bool write)
{
	struct machine *m = ctx;

	(void)write;
	if (!is_normal(m, ra))
		return NULL;
	__atomic_add_fetch(&m->maps, 1, __ATOMIC_RELAXED);
	return m->normal + (ra - RA_BASE);
}

static void m_unmap(void *ctx, void *va)
{
	struct machine *m = ctx;

	(void)va;
	__atomic_sub_fetch(&m->maps, 1, __ATOMIC_RELAXED);
}

static bool m_ra_get(void *ctx, uint64_t ra)
{
	struct machine *m = ctx;

	if (!is_normal(m, ra))
		return false;
	__atomic_add_fetch(&m->ra_held, 1, __ATOMIC_RELAXED);
	return true;
}

static void m_ra_put(void *ctx, uint64_t ra)
{
	struct machine *m = ctx;

	if (!is_normal(m, ra) || !__atomic_fetch_sub(&m->ra_held, 1, __ATOMIC_RELAXED))
		BROKEN("ra_put(%#llx) without ra_get()", (unsigned long long)ra);
}

static void m_guest_unmap(void *ctx, uint32_t lpid, uint64_t gfn, uint64_t npages)
{
	struct machine *m = ctx;
	struct vm *vm = find_vm(m, lpid);

	__atomic_add_fetch(&m->unmaps, 1, __ATOMIC_RELAXED);
	if (!nheld || held[0] != UV_LEVEL_GFN)
		if (nheld < 2 || held[1] != UV_LEVEL_GFN)
			BROKEN("guest_unmap() without the GFN's lock");
	if (m->on_unmap)
		m->on_unmap(m);
	pthread_mutex_lock(&vm->view);
	for (uint64_t i = gfn; i < gfn + npages && i < vm->top; i++)
		vm->g[i] = NULL;
	pthread_mutex_unlock(&vm->view);
}

static bool m_block_is_whole(void *ctx, uint32_t first)
{
	(void)ctx;
	return first != BROKEN_BLOCK << BLOCK_SHIFT;
}

static void m_log(void *ctx, const char *line)
{
	struct machine *m = ctx;

	pthread_mutex_lock(&m->lock);
	snprintf(m->log[m->nlog++ % 8], sizeof(m->log[0]), "%s", line);
	pthread_mutex_unlock(&m->lock);
}

bool logged(struct machine *m, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (int i = 0; i < 8; i++)
		if (strstr(m->log[i], text))
			return true;
	return false;
}

static void normal_memory(struct machine *m, uint32_t pages)
{
	m->npages = pages;
	m->nfree = pages;
	m->normal = aligned_alloc(m->page, pages * m->page);
	m->free = calloc(pages, sizeof(*m->free));
	memset(m->normal, 0xdd, pages * m->page);
	for (uint32_t i = 0; i < pages; i++)
		m->free[i] = pages - 1 - i;
}

static void watch(struct uv_port *port)
{
	port->alloc = t_alloc;
	port->free = t_free;
	port->lock_new = t_lock_new;
	port->lock_free = t_lock_free;
	port->lock = t_lock;
	port->unlock = t_unlock;
	port->random = t_random;
	port->aead_key = t_aead_key;
	port->aead_free = t_aead_free;
	port->seal = t_seal;
	port->open = t_open;
	port->hash_new = t_hash_new;
	port->hash_final = t_hash_final;
	port->block_shift = BLOCK_SHIFT;
	port->block_is_whole = m_block_is_whole;
}

/* A machine without an ultravisor: for tests of uv_create() itself. */
static struct machine *machine_bare(const struct options *opt)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct uv_user_hv h = {
		.ctx = m,
		.map = m_map,
		.unmap = m_unmap,
		.ra_get = m_ra_get,
		.ra_put = m_ra_put,
		.hcall = m_hcall,
		.guest_unmap = m_guest_unmap,
		.log = m_log,
	};

	machine = m;
	m->shift = opt->shift ? opt->shift : SHIFT;
	m->page = (size_t)1 << m->shift;
	m->secure_pages = opt->secure_pages;
	m->patience = 10000;
	pthread_mutex_init(&m->lock, NULL);
	normal_memory(m, opt->normal_pages ? opt->normal_pages : 256);
	m->user = uv_user_new(&h, m->shift, opt->secure_pages);
	assert_non_null(m->user);
	m->port = *uv_user_port(m->user);
	watch(&m->port);
	return m;
}

struct machine *machine_new(const struct options *opt)
{
	struct uv_config cfg = {
		.secure_pages = opt->secure_pages,
		.owner_key = opt->no_key ? NULL : owner_key,
		.max_lpid = 4095,
	};
	struct machine *m = machine_bare(opt);
	long n = 0;

	/* Creation fails cleanly at every allocation before it succeeds. */
	do {
		m->fail_alloc = ++n;
		m->uv = uv_create(&m->port, &cfg);
		if (!m->uv && m->live)
			BROKEN("uv_create() left %ld allocations behind", m->live);
	} while (!m->uv);
	m->fail_alloc = 0;
	return m;
}

void machine_free(struct machine *m)
{
	m->hook = NULL;
	m->on_crypt = NULL;
	for (int i = 0; i < MAX_VMS; i++)
		vm_free(&m->vm[i]);
	if (stats(m).secure_used || stats(m).svms)
		BROKEN("%llu secure pages and %llu SVMs are left",
		       (unsigned long long)stats(m).secure_used, (unsigned long long)stats(m).svms);
	uv_destroy(m->uv);
	if (m->live || m->maps || m->ra_held || nheld)
		BROKEN("%ld allocations, %u maps, %u normal pages, %u locks are left", m->live,
		       m->maps, m->ra_held, nheld);
	for (uint32_t i = 0; i < m->secure_pages; i++) {
		const uint8_t *p = m->port.secure_page(m->user, i);

		if (p[0] || memcmp(p, p + 1, m->page - 1))
			BROKEN("secure page %u was not wiped", i);
	}
	uv_user_free(m->user);
	pthread_mutex_destroy(&m->lock);
	free(m->normal);
	free(m->free);
	free(m);
}

int64_t hv(struct machine *m, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	   uint64_t a4)
{
	const uint64_t args[UV_UCALL_ARGS] = { a0, a1, a2, a3, a4, 0 };
	uint64_t out[UV_UCALL_OUT];
	int64_t ret;

	in_hv_call++;
	ret = uv_hv_call(m->uv, nr, args, out);
	in_hv_call--;
	return ret;
}

void hv_run(struct machine *m, const struct uv_page_run *run)
{
	in_hv_call++;
	uv_hv_page_run(m->uv, run);
	in_hv_call--;
}

int64_t guest(struct vm *vm, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t *out)
{
	const uint64_t args[UV_UCALL_ARGS] = { a0, a1, 0, 0, 0, 0 };
	uint64_t scrap[UV_UCALL_OUT];

	return uv_guest_call(vm->m->uv, vm->lpid, NULL, nr, args, out ? out : scrap);
}

uint64_t ra_alloc(struct machine *m)
{
	uint32_t n;

	pthread_mutex_lock(&m->lock);
	if (!m->nfree)
		BROKEN("the test has too little normal memory");
	n = m->free[--m->nfree];
	pthread_mutex_unlock(&m->lock);
	return RA_BASE + ((uint64_t)n << m->shift);
}

/* What is freed is overwritten, so that nobody lives on what it held. */
void ra_free(struct machine *m, uint64_t ra)
{
	memset(ra_va(m, ra), 0xdd, m->page);
	pthread_mutex_lock(&m->lock);
	m->free[m->nfree++] = (uint32_t)((ra - RA_BASE) >> m->shift);
	pthread_mutex_unlock(&m->lock);
}

uint8_t *ra_va(struct machine *m, uint64_t ra)
{
	return m->normal + (ra - RA_BASE);
}

bool normal_contains(struct machine *m, const void *what, size_t len)
{
	return memmem(m->normal, m->npages * m->page, what, len);
}

/* No free page of secure memory carries anything of whoever had it. */
bool free_frames_are_zero(struct machine *m)
{
	for (uint32_t i = 0; i < m->uv->total; i++) {
		const uint8_t *p = m->port.secure_page(m->user, i);

		if (m->uv->frames[i].list != UV_LIST_FREE)
			continue;
		if (p[0] || memcmp(p, p + 1, m->page - 1))
			return false;
	}
	return true;
}

/* Inside views, for what no call shows. */
struct uv_svm *svm_of(struct vm *vm)
{
	struct uv_svm *svm = uv_svm_get(vm->m->uv, vm->lpid);

	assert_non_null(svm);
	uv_svm_put(svm);
	return svm;
}

struct uv_gfn *entry_of(struct vm *vm, uint64_t gfn)
{
	struct uv_gfn_ref ref;

	assert_int_equal(uv_gfn_lock(svm_of(vm), gfn, false, &ref), UV_LOOKUP_OK);
	uv_gfn_unlock(&ref);
	return ref.e;
}
