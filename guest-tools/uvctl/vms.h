/* SPDX-License-Identifier: GPL-2.0 */
/* For list and top: the table of all VMs. */
#ifndef _UVCTL_VMS_H
#define _UVCTL_VMS_H

#include "uvctl.h"

/* Member "vms" of @out. */
enum exit_code add_vms(struct ctx *ctx, struct json_object *out);

#endif /* _UVCTL_VMS_H */
