/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels that this is built for, 6.12 and 7.2. */
#ifndef _UVSIM_COMPAT_H
#define _UVSIM_COMPAT_H

#include <linux/version.h>

/* struct folio_batch */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

#endif /* _UVSIM_COMPAT_H */
