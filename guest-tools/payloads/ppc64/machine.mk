# SPDX-License-Identifier: GPL-2.0
# The guest saves no vector or floating-point state, so it has none.
MACHINE_CFLAGS := -m64 -mlittle-endian -mabi=elfv2 -mcpu=power8 -msoft-float -mno-altivec -mno-vsx
MACHINE_PAGE := 0x10000
MACHINE_OBJS := start.o doorbell.o exception.o
