/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of libuvsim's port share. */
#ifndef _UVSIM_USER_INTERNAL_H
#define _UVSIM_USER_INTERNAL_H

#include "uvsim_user.h"

struct uv_user {
	struct uv_port port;
	struct uv_user_hv hv;
	uint8_t *secure; /* secure memory */
	void *gcm;	 /* EVP_CIPHER, fetched once */
};

/* crypto.c */
int uv_user_crypto_init(struct uv_user *user);
void uv_user_crypto_exit(struct uv_user *user);

#endif /* _UVSIM_USER_INTERNAL_H */
