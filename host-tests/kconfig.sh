#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The other ways to build the modules: from a kernel tree through Kconfig, and
# the refusal where the kernel cannot do.
#
# The kernel tree is an overlay of links to the cached source with this
# repository as drivers/uvmem, configured as the release test kernel is.

# shellcheck source=vm/env.sh
. "$(dirname "$0")/vm/env.sh"

WORK=$BUILD/$MACHINE/kconfig
TREE=$WORK/tree
OBJ=$WORK/obj
LOG=$BUILD/logs/kconfig.log
RESULTS=$TOP/host-tests/results.sh

overlay()
{
	local entry

	rm -rf "$TREE"
	mkdir -p "$TREE/drivers"
	for entry in "$KSRC"/* "$KSRC"/.[a-z]*; do
		[ "${entry##*/}" = drivers ] || ln -s "$entry" "$TREE/"
	done
	for entry in "$KSRC"/drivers/*; do
		ln -s "$entry" "$TREE/drivers/"
	done
	for entry in Kconfig Makefile; do
		rm "$TREE/drivers/$entry"
		cp "$KSRC/drivers/$entry" "$TREE/drivers/"
	done
	# Only what git would have: build/ must not be found in the source.
	mkdir "$TREE/drivers/uvmem"
	for entry in Kconfig Makefile kvm-uvmem uv-sim; do
		ln -s "$TOP/$entry" "$TREE/drivers/uvmem/"
	done
	sed -i '/^endmenu/i source "drivers/uvmem/Kconfig"' "$TREE/drivers/Kconfig"
	echo 'obj-y += uvmem/' >>"$TREE/drivers/Makefile"
}

kernel_make()
{
	make -C "$TREE" O="$OBJ" ARCH="$KARCH" CROSS_COMPILE="$CROSS" -j"$JOBS" "$@"
}

# configure OPTION...: the test kernel's configuration and these
configure()
{
	mkdir -p "$OBJ"
	{ cat "$KDIR/.config"; printf '%s\n' "$@"; } >"$OBJ/.config"
	kernel_make olddefconfig
}

MODULES="drivers/uvmem/uv-sim/linux/uv-sim.ko drivers/uvmem/kvm-uvmem/kvm-uvmem.ko"

build_from_tree()
{
	local module

	overlay
	configure CONFIG_UV_SIM=m CONFIG_KVM_UVMEM=m
	grep -qx CONFIG_KVM_UVMEM=m "$OBJ/.config"
	# The kernel's symbols, so that modpost resolves the modules'.
	ln -sf "$KDIR/vmlinux.o" "$OBJ/vmlinux.o"
	for module in $MODULES; do
		rm -f "$OBJ/$module"
	done
	# shellcheck disable=SC2086
	kernel_make $MODULES
	for module in $MODULES; do
		[ -f "$OBJ/$module" ]
	done
}

# Built in, both become part of the kernel's objects.
build_in()
{
	local object

	configure CONFIG_UV_SIM=y CONFIG_KVM_UVMEM=y
	grep -qx CONFIG_KVM_UVMEM=y "$OBJ/.config"
	kernel_make drivers/uvmem/
	for object in uv-sim/linux/main.o uv-sim/core/ucall.o kvm-uvmem/main.o; do
		(cd "$OBJ/drivers/uvmem" && ar t built-in.a) | xargs -n1 -I{} realpath -m "$OBJ/drivers/uvmem/{}" |
			grep -x "$OBJ/drivers/uvmem/$object"
	done
}

# Without device-private memory there is nothing to select.
not_offered()
{
	configure CONFIG_UV_SIM=m CONFIG_KVM_UVMEM=m CONFIG_DEVICE_PRIVATE=n
	grep -qx CONFIG_UV_SIM=m "$OBJ/.config"
	! grep -q '^CONFIG_KVM_UVMEM' "$OBJ/.config"
}

# Nor out of tree: one sentence that says what to do.
refused()
{
	local kdir=$WORK/no-device-private said

	mkdir -p "$kdir/include/config"
	grep -v DEVICE_PRIVATE "$KDIR/include/config/auto.conf" >"$kdir/include/config/auto.conf"
	if said=$(make -s -C "$TOP" modules KDIR="$kdir" 2>&1); then
		return 1
	fi
	echo "$said"
	[ "$(echo "$said" | grep -c 'has no CONFIG_DEVICE_PRIVATE.*: use a kernel that has it')" = 1 ]
}

# test NAME FUNCTION
failed=0
run()
{
	if stage "$1" "$LOG.$2" "$0" "$2"; then
		"$RESULTS" add pass kconfig "$1"
	else
		"$RESULTS" add fail kconfig "$1" "see $LOG.$2"
		failed=1
	fi
}

KDIR=$("$VM/kernel.sh" release)
KSRC=$("$VM/source.sh")
if [ $# -gt 0 ]; then
	"$1"
	exit
fi
run "modules from a kernel tree" build_from_tree
run "built into a kernel tree" build_in
run "not offered without DEVICE_PRIVATE" not_offered
run "out of tree refused without DEVICE_PRIVATE" refused
exit $failed
