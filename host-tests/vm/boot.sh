#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot the machine once. Options, then what goes on the kernel command line:
#   --kernel DIR --image FILE --dir DIR	what to boot, where the logs go
#   --accel kvm|tcg --mem SIZE --smp N
#   --timeout SECONDS	a watchdog, not a measure: the machine ends itself
#   --stdio		the channel is our stdin and stdout, not DIR/channel.log
# The kernel's messages go to DIR/console.log. VMM=qemu starts QEMU itself
# (vmm-qemu.sh), VMM=libvirt has libvirt do it (vmm-libvirt.sh). Exit status: that
# of QEMU or virsh, or 124 when the watchdog had to end it.

# shellcheck source=env.sh disable=SC2034
. "$(dirname "$0")/env.sh"

mem=1G smp=2 timeout=900 accel=tcg stdio='' kernel='' image='' dir=''
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2 ;;
	--image) image=$2 ;;
	--dir) dir=$2 ;;
	--accel) accel=$2 ;;
	--mem) mem=$2 ;;
	--smp) smp=$2 ;;
	--timeout) timeout=$2 ;;
	--stdio) stdio=1; shift; continue ;;
	*) break ;;
	esac
	shift 2
done

mkdir -p "$dir"
turn_lock "$dir/lock"
rm -f "$dir"/*.log
# A stopped or slow host must not look like a stalled guest.
append="console=$CONSOLE panic=-1 oops=panic loglevel=7"
append+=" rcupdate.rcu_cpu_stall_timeout=120 uvmem.channel=$CHANNEL"
append+=" uvmem.hypervisor=$HYPERVISOR $MACHINE_APPEND $*"
# Upstream's half leaks (docs/upstream-findings.md): kmemleak is off, unless the words
# in UVMEM_APPEND take its place.
[ "$HYPERVISOR" = kvm-uvmem ] || UVMEM_APPEND=${UVMEM_APPEND:-kmemleak=off}
append+=" ${UVMEM_APPEND:-}"
vmm_run
