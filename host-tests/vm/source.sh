#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Put the kernel source that the tests build from into the cache, once, and
# print its path. KSRC=/path uses that source instead.
#
# The source comes from the distribution through apt with a private
# configuration (apt.sh).

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"
# shellcheck source=apt.sh
. "$VM/apt.sh"

WANT=${UVMEM_KERNEL_VERSION:-6.12}
NEWER=trixie
DEST=$CACHE/source/linux-$WANT
APT=$CACHE/source/apt

# Download PACKAGE from SUITE into $APT.
download_from()
{
	echo "looking for $2 in $1"
	(cd "$APT" && apt_private "$1" apt-get update &&
		apt_private "$1" apt-get download "$2")
}

# Sets $deb.
download()
{
	local codename package=linux-source-$WANT

	command -v apt-get >/dev/null ||
		die "no apt here: give the kernel's source as KSRC=/path"
	codename=$(apt_codename)
	rm -rf "$APT"
	mkdir -p "$APT"
	# Kernels that are newer than the release come from its successor's backports.
	if ! download_from "$codename-backports" "$package" &&
	   ! download_from "$codename" "$package" &&
	   ! download_from "$NEWER-backports" "$package"; then
		# The distribution's own: linux-source depends on the real one.
		package=$(apt_private "$codename" apt-cache depends linux-source |
			awk '/Depends: linux-source-/ { print $2; exit }')
		[ -n "$package" ] ||
			die "apt has no linux-source package: give the kernel's source as KSRC=/path"
		echo "no linux-source-$WANT: taking $package"
		download_from "$codename" "$package"
	fi
	deb=$(ls "$APT"/linux-source-*.deb)
}

fetch()
{
	local deb tar

	cache_lock source
	[ ! -f "$DEST/Makefile" ] || return 0
	download
	echo "unpacking $deb"
	rm -rf "$DEST.new"
	mkdir -p "$DEST.new"
	tar=$(dpkg-deb --fsys-tarfile "$deb" | tar -t | grep '/linux-source-[^/]*\.tar\.xz$')
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "$tar" |
		tar -xJ -C "$DEST.new" --strip-components=1
	mv "$DEST.new" "$DEST"
	rm -rf "$APT"
}

if [ "${1:-}" = --fetch ]; then
	fetch
	exit
fi
if [ -n "${KSRC:-}" ]; then
	[ -f "$KSRC/Kbuild" ] || die "KSRC=$KSRC is not a kernel source tree"
	(cd "$KSRC" && pwd)
	exit
fi
if [ ! -f "$DEST/Makefile" ]; then
	stage "kernel source $WANT" "$BUILD/logs/source.log" "$0" --fetch
fi
echo "$DEST"
