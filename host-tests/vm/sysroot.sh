#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Put the machine's libraries and busybox, which are of another architecture
# than the host's, into the cache, once, and print their directory. They come
# from the distribution's mirror and are unpacked there, not installed.
# UVMEM_SYSROOT=/dir uses another directory of that kind.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"
# shellcheck source=apt.sh
. "$VM/apt.sh"

[ -n "$CROSS" ] || die "this machine is of the host's own architecture"
RELEASE=$(apt_codename)
DEST=$CACHE/sysroot/$RELEASE-$MACHINE_DEB_ARCH
APT=$CACHE/sysroot/apt

fetch()
{
	local deb

	cache_lock sysroot
	[ ! -d "$DEST" ] || return 0
	rm -rf "$APT" "$DEST.new"
	mkdir -p "$APT" "$DEST.new"
	export APT_ARCH=$MACHINE_DEB_ARCH
	# shellcheck disable=SC2086
	(cd "$APT" && apt_private "$RELEASE" apt-get update &&
		apt_private "$RELEASE" apt-get download $MACHINE_DEBS) ||
		die "the mirror of this system has no $MACHINE_DEBS of $MACHINE_DEB_ARCH: unpack them somewhere and give the directory as UVMEM_SYSROOT=/dir"
	for deb in "$APT"/*.deb; do
		dpkg-deb -x "$deb" "$DEST.new"
	done
	mv "$DEST.new" "$DEST"
	rm -rf "$APT"
}

if [ "${1:-}" = --fetch ]; then
	fetch
	exit
fi
if [ -n "${UVMEM_SYSROOT:-}" ]; then
	[ -d "$UVMEM_SYSROOT/usr/include" ] || die "UVMEM_SYSROOT=$UVMEM_SYSROOT has no usr/include"
	(cd "$UVMEM_SYSROOT" && pwd)
	exit
fi
if [ ! -d "$DEST" ]; then
	stage "libraries of $MACHINE_DEB_ARCH" "$BUILD/logs/sysroot.log" "$0" --fetch
fi
echo "$DEST"
