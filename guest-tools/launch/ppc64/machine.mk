# SPDX-License-Identifier: GPL-2.0
MACHINE_OBJS := boot.o cpu.o exits.o
