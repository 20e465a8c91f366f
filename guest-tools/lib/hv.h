/* SPDX-License-Identifier: GPL-2.0 */
/* What the hypervisor half says of a VM, whichever half it is. */
#ifndef _UVC_HV_H
#define _UVC_HV_H

#include <stdbool.h>

#include "../../kvm-uvmem/uapi/uvmem.h"
#include "control.h"

bool uvc_hv_is_upstream(struct uvc *c);
int uvc_hv_states(struct uvc *c, uint64_t gfn, uint64_t npages, uint8_t *states,
		  uint32_t *vm_state);
int uvc_hv_stats(struct uvc *c, struct uvmem_stats *st);

#endif /* _UVC_HV_H */
