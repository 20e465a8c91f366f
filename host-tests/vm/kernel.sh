#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh FLAVOUR: build the test kernel of this machine, once, and print its
# build directory. The cache keeps one per (version, architecture, flavour,
# configuration, compiler), and one per source tree that KSRC= names; with --update
# the latter is made again, since its source may have changed.
# UVMEM_KERNEL_RELEASE=/dir or UVMEM_KERNEL_DEBUG=/dir uses a kernel that was built
# elsewhere.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

FLAVOUR=${1:?usage: kernel.sh FLAVOUR}
CONFIGS=$TOP/host-tests/kernel-config
STAMP=uvmem-built
compiler_check

# A machine cannot have everything: "# CONFIG_X is not set" in its fragment takes
# the option out of the other two.
fragments()
{
	local machine=$CONFIGS/$MACHINE.config name
	local -a files=("$CONFIGS/common.config" "$machine")

	for name in $(machine_flavour "$FLAVOUR"); do
		files+=("$CONFIGS/$name.config")
	done
	grep -hvxFf <(sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1=y/p' "$machine") \
		"${files[@]}"
}

# What makes a kernel another one; a comment does not.
kernel_key()
{
	{
		fragments | grep '^CONFIG_' | sort
		"${CROSS}gcc" --version | head -n 1
		[ -z "${KSRC:-}" ] || echo "$src"
	} | sha256sum | cut -c1-12
}

kernel_version()
{
	awk -F' *= *' '/^VERSION|^PATCHLEVEL|^SUBLEVEL/ { v = v s $2; s = "." }
		/^NAME/ { print v; exit }' "$1/Makefile"
}

kernel_make()
{
	make -C "$src" O="$dir" ARCH="$KARCH" CROSS_COMPILE="$CROSS" "$@"
}

# Kconfig drops what it cannot honour without a word: look for it. The fragments
# are for one version; another one may lack an option, but not one of these.
ESSENTIAL='^CONFIG_(DEVICE_PRIVATE|KVM[A-Z0-9_]*|PPC_UV|KPROBES|CRYPTO_(AES|GCM|SHA256|SHA512))='

verify_config()
{
	local lost

	lost=$(grep '^CONFIG_' "$dir/fragments" | grep -vxFf "$dir/.config" || true)
	if [ -n "${KSRC:-}${UVMEM_KERNEL_VERSION:-}" ]; then
		[ -z "$lost" ] || echo "without effect in this kernel: $(echo "$lost" | tr '\n' ' ')"
		lost=$(echo "$lost" | grep -E "$ESSENTIAL" || true)
	fi
	[ -z "$lost" ] || die "these options did not take effect: $(echo "$lost" | tr '\n' ' ')"
}

build()
{
	local twice

	cache_lock "${dir##*/}"
	[ -n "${KSRC:-}" ] || [ ! -f "$dir/$STAMP" ] || return 0
	mkdir -p "$dir"
	fragments >"$dir/fragments"
	twice=$(grep -o '^CONFIG_[^=]*' "$dir/fragments" | sort | uniq -d)
	[ -z "$twice" ] || die "in two fragments: $twice"
	kernel_make KCONFIG_ALLCONFIG="$dir/fragments" allnoconfig
	verify_config
	# shellcheck disable=SC2086
	kernel_make -j"$JOBS" $KERNEL_TARGETS
	touch "$dir/$STAMP"
}

given=${FLAVOUR//-/_}
given=UVMEM_KERNEL_${given^^}
if [ -n "${!given:-}" ]; then
	[ -f "${!given}/$KERNEL_IMAGE" ] || die "$given=${!given} has no $KERNEL_IMAGE"
	(cd "${!given}" && pwd)
	exit
fi
[ -n "$(machine_flavour "$FLAVOUR")" ] || die "MACHINE=$MACHINE has no kernel flavour $FLAVOUR"

src=$("$VM/source.sh")
dir=$CACHE/kernel/$(kernel_version "$src")-$MACHINE-$FLAVOUR-$(kernel_key)

if [ "${2:-}" = --build ]; then
	build
	exit
fi
if [ ! -f "$dir/$STAMP" ] || { [ "${2:-}" = --update ] && [ -n "${KSRC:-}" ]; }; then
	stage "$FLAVOUR kernel $(kernel_version "$src")" "$BUILD/logs/kernel-$MACHINE-$FLAVOUR.log" \
		"$0" "$FLAVOUR" --build
fi
echo "$dir"
