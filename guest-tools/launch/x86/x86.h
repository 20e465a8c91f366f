/* SPDX-License-Identifier: GPL-2.0 */
/* x86: what boot.c lays out in guest memory and cpu.c points registers at. */
#ifndef _LAUNCH_X86_H
#define _LAUNCH_X86_H

/* Page tables: one PML4, one page-directory-pointer table, then directories. */
#define X86_PAGE 0x1000
#define X86_PML4_GPA 0x10000
#define X86_PDPT_GPA (X86_PML4_GPA + X86_PAGE)
#define X86_PD_GPA (X86_PDPT_GPA + X86_PAGE)
#define X86_TABLES_END_GPA 0x100000 /* the mailbox is there */

#endif /* _LAUNCH_X86_H */
