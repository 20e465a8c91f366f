#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# splats.sh CONSOLE-LOG: print the lines, with their numbers, in which the kernel
# complains. What fault injection prints on purpose ("FAULT_INJECTION: forcing a
# failure", "page allocation failure", with a call trace) is not among them, nor is
# kmemleak, whose last word is asked for by init.

PATTERN='BUG:|kernel BUG at|WARNING:|Oops|general protection fault|Kernel panic'
PATTERN+='|KASAN:|UBSAN:|ODEBUG:|list_(add|del) corruption|[Bb]ad page'
PATTERN+='|possible recursive locking|possible circular locking|inconsistent lock state'
PATTERN+='|suspicious RCU usage|[Ii]nvalid wait context|sleeping function called|lock held when returning'
PATTERN+='|bad unlock balance|held lock freed|nested lock was not taken|turning off the locking'
PATTERN+='|rcu.*(detected.*stall|starved)|blocked for more than'
PATTERN+='|soft lockup|scheduling while atomic|refcount_t:|Objects remaining in|Out of memory:'

grep -anE "$PATTERN" "$1"
# grep says 1 for "none": that is what is hoped for.
[ $? -le 1 ]
