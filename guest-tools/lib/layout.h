/* SPDX-License-Identifier: GPL-2.0 */
/* For pagemap.c: which swap types are special. */
#ifndef _UVC_LAYOUT_H
#define _UVC_LAYOUT_H

#include "pagemap.h"

enum pagemap_kind layout_kind(const struct pagemap_layout *layout, unsigned int type, bool *write);
struct pagemap_layout layout_of_running_kernel(void);

#endif /* _UVC_LAYOUT_H */
