/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ultravisor in user space: the core's port over OpenSSL and pthreads. The
 * caller brings normal memory and a hypervisor.
 */
#ifndef _UVSIM_USER_H
#define _UVSIM_USER_H

#include "../core/uv.h"

/**
 * struct uv_user_hv - what the machine around the ultravisor does
 * @ctx: first argument of every function
 *
 * The functions are those of struct uv_port.
 */
struct uv_user_hv {
	void *ctx;
	void *(*map)(void *ctx, uint64_t ra, bool write);
	void (*unmap)(void *ctx, void *va);
	bool (*ra_get)(void *ctx, uint64_t ra);
	void (*ra_put)(void *ctx, uint64_t ra);
	int64_t (*hcall)(void *ctx, uint32_t lpid, uint64_t nr, const uint64_t args[4],
			 uint64_t out[1]);
	void (*guest_unmap)(void *ctx, uint32_t lpid, uint64_t gfn, uint64_t npages);
	void (*log)(void *ctx, const char *line);
};

struct uv_user;

struct uv_user *uv_user_new(const struct uv_user_hv *hv, unsigned int page_shift,
			    uint32_t secure_pages);
const struct uv_port *uv_user_port(const struct uv_user *user);
void uv_user_free(struct uv_user *user);

#endif /* _UVSIM_USER_H */
