# SPDX-License-Identifier: GPL-2.0
# The core's sources, for Kbuild and for the user-space build alike.
uv-core-src := main.c ucall.c pate.c lifecycle.c memslot.c gfntable.c pagemap.c \
	       pool.c evict.c seal.c hcall.c page_run.c page_in.c page_out.c share.c \
	       esm.c esm_blob.c measure.c fault.c fault_block.c around.c block.c stats.c log.c
