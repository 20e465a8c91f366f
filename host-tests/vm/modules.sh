#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# modules.sh KDIR --check: say whether the modules can be built for KDIR at all
# modules.sh KDIR OUT [TARGET...]: build the modules for the kernel in KDIR with
# everything that is made below OUT. Kbuild writes beside the sources it reads
# (its MO= is newer than the kernels we build for), so OUT gets a tree of links
# to the sources and Kbuild runs there.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

KDIR=${1:?usage: modules.sh KDIR OUT|--check [TARGET...]}
OUT=${2:?usage: modules.sh KDIR OUT|--check [TARGET...]}
shift 2
[ $# -gt 0 ] || set -- modules

link_sources()
{
	local file

	mkdir -p "$OUT"
	# A source that is gone must not be built from its old link.
	find "$OUT" -xtype l -delete
	(cd "$TOP" && find Makefile Kconfig kvm-uvmem uv-sim -path uv-sim/user -prune -o \
		-type f -print) |
	while read -r file; do
		[ -L "$OUT/$file" ] && continue
		mkdir -p "$OUT/$(dirname "$file")"
		ln -sfn "$TOP/$file" "$OUT/$file"
	done
}

[ -f "$KDIR/include/config/auto.conf" ] ||
	die "$KDIR is not the build directory of a configured kernel; give one as KDIR=/path (a distribution's linux-headers package has it in /lib/modules/VERSION/build)"
grep -qx CONFIG_DEVICE_PRIVATE=y "$KDIR/include/config/auto.conf" ||
	die "the kernel in $KDIR has no CONFIG_DEVICE_PRIVATE, which kvm-uvmem needs: use a kernel that has it (Ubuntu's, Fedora's, Debian's from 7.2 on, or your own with CONFIG_DEVICE_PRIVATE=y), or run 'make shell' for a machine that has everything"

[ "$OUT" != --check ] || exit 0
link_sources
# The ultravisor for upstream's own hypervisor half.
upstream=
! grep -qx CONFIG_KVM_BOOK3S_HV_POSSIBLE=y "$KDIR/include/config/auto.conf" || upstream=m
exec make -C "$KDIR" M="$OUT" ARCH="$KARCH" CROSS_COMPILE="$CROSS" -j"$JOBS" \
	CONFIG_UV_SIM=m CONFIG_KVM_UVMEM=m CONFIG_UV_UPSTREAM=$upstream "$@"
