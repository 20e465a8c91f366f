# SPDX-License-Identifier: GPL-2.0
# The guest saves no vector or floating-point state, so it has none.
MACHINE_CFLAGS := -m64 -mgeneral-regs-only -mno-sse -mno-red-zone -fcf-protection=none
MACHINE_PAGE := 0x1000
MACHINE_OBJS := start.o doorbell.o exception.o
