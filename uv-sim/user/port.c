// SPDX-License-Identifier: GPL-2.0
/*
 * The core's port in user space: memory, locks, and the way to the hypervisor
 * that the caller brought.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "internal.h"

struct uv_lock {
	pthread_mutex_t mutex;
};

static void *port_alloc(void *ctx, size_t bytes)
{
	(void)ctx;
	return calloc(1, bytes);
}

static void port_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static void *secure_page(void *ctx, uint32_t n)
{
	struct uv_user *user = ctx;

	return user->secure + ((size_t)n << user->port.page_shift);
}

static struct uv_lock *lock_new(void *ctx, const char *name, int level)
{
	struct uv_lock *lock = malloc(sizeof(*lock));

	(void)ctx;
	(void)name;
	(void)level;
	if (lock)
		pthread_mutex_init(&lock->mutex, NULL);
	return lock;
}

static void lock_free(void *ctx, struct uv_lock *lock)
{
	(void)ctx;
	pthread_mutex_destroy(&lock->mutex);
	free(lock);
}

static void lock_take(void *ctx, struct uv_lock *lock)
{
	(void)ctx;
	pthread_mutex_lock(&lock->mutex);
}

static void lock_drop(void *ctx, struct uv_lock *lock)
{
	(void)ctx;
	pthread_mutex_unlock(&lock->mutex);
}

static void relax(void *ctx, unsigned int attempt)
{
	(void)ctx;
	(void)attempt;
	sched_yield();
}

static void *map(void *ctx, uint64_t ra, bool write)
{
	struct uv_user *user = ctx;

	return user->hv.map(user->hv.ctx, ra, write);
}

static void unmap(void *ctx, void *va)
{
	struct uv_user *user = ctx;

	user->hv.unmap(user->hv.ctx, va);
}

static void copy_page(void *ctx, void *dst, const void *src)
{
	struct uv_user *user = ctx;

	memcpy(dst, src, (size_t)1 << user->port.page_shift);
}

static bool ra_get(void *ctx, uint64_t ra)
{
	struct uv_user *user = ctx;

	return user->hv.ra_get(user->hv.ctx, ra);
}

static void ra_put(void *ctx, uint64_t ra)
{
	struct uv_user *user = ctx;

	user->hv.ra_put(user->hv.ctx, ra);
}

static int64_t hcall(void *ctx, uint32_t lpid, uint64_t nr, const uint64_t args[4], uint64_t out[1])
{
	struct uv_user *user = ctx;

	return user->hv.hcall(user->hv.ctx, lpid, nr, args, out);
}

static void guest_unmap(void *ctx, uint32_t lpid, uint64_t gfn, uint64_t npages)
{
	struct uv_user *user = ctx;

	user->hv.guest_unmap(user->hv.ctx, lpid, gfn, npages);
}

static void log_line(void *ctx, const char *line)
{
	struct uv_user *user = ctx;

	user->hv.log(user->hv.ctx, line);
}

static const struct uv_port user_port = {
	.alloc = port_alloc,
	.free = port_free,
	.secure_page = secure_page,
	.map = map,
	.unmap = unmap,
	.copy_page = copy_page,
	.ra_get = ra_get,
	.ra_put = ra_put,
	.lock_new = lock_new,
	.lock_free = lock_free,
	.lock = lock_take,
	.unlock = lock_drop,
	.relax = relax,
	.hcall = hcall,
	.guest_unmap = guest_unmap,
	.log = log_line,
};

static size_t secure_bytes(const struct uv_port *port, uint32_t pages)
{
	return (size_t)(pages ? pages : 1) << port->page_shift;
}

/**
 * uv_user_new() - secure memory and a port to it
 * @hv: the machine around; copied
 * @page_shift: page size as log2
 * @secure_pages: size of secure memory
 *
 * Return: NULL when there is no memory for it.
 */
struct uv_user *uv_user_new(const struct uv_user_hv *hv, unsigned int page_shift,
			    uint32_t secure_pages)
{
	struct uv_user *user = calloc(1, sizeof(*user));
	void *mem;

	if (!user)
		return NULL;
	user->hv = *hv;
	user->port = user_port;
	user->port.ctx = user;
	user->port.page_shift = page_shift;
	if (posix_memalign(&mem, (size_t)1 << page_shift,
			   secure_bytes(&user->port, secure_pages))) {
		free(user);
		return NULL;
	}
	user->secure = mem;
	if (uv_user_crypto_init(user)) {
		uv_user_free(user);
		return NULL;
	}
	return user;
}

/**
 * uv_user_port() - the port for uv_create()
 * @user: from uv_user_new()
 *
 * A test may copy it and put functions of its own in, which get @user.
 */
const struct uv_port *uv_user_port(const struct uv_user *user)
{
	return &user->port;
}

/**
 * uv_user_free() - undo uv_user_new()
 * @user: port that no ultravisor uses any more
 */
void uv_user_free(struct uv_user *user)
{
	uv_user_crypto_exit(user);
	free(user->secure);
	free(user);
}
