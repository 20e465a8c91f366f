#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Put the kernel source that the tests build from into the cache, once, and
# print its path. KSRC=/path uses that source instead.
#
# The source comes from the distribution through apt with a private
# configuration (apt.sh). UVMEM_KERNEL_VERSION=V asks for that version and no other;
# if it is not set and the distribution has no 6.12, its own kernel is taken.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"
# shellcheck source=apt.sh
. "$VM/apt.sh"

WANT=${UVMEM_KERNEL_VERSION:-6.12}
NEWER=trixie
INSTEAD=$CACHE/source/instead-of-$WANT	# the version that was taken
APT=$CACHE/source/apt

# Sets $DEST.
where()
{
	local version=$WANT

	[ -n "${UVMEM_KERNEL_VERSION:-}" ] || [ ! -s "$INSTEAD" ] || version=$(cat "$INSTEAD")
	DEST=$CACHE/source/linux-$version
}

# Download PACKAGE from SUITE into $APT.
download_from()
{
	echo "looking for $2 in $1"
	(cd "$APT" && apt_private "$1" apt-get update &&
		apt_private "$1" apt-get download "$2")
}

# Sets $deb and $found, its version.
download()
{
	local codename package=linux-source-$WANT

	local instead="give the kernel's source as KSRC=/path"

	command -v apt-get >/dev/null || die "no apt here: $instead"
	codename=$(apt_codename)
	rm -rf "$APT"
	mkdir -p "$APT"
	# Kernels that are newer than the release come from its successor's backports.
	if ! download_from "$codename-backports" "$package" &&
	   ! download_from "$codename" "$package" &&
	   ! download_from "$NEWER-backports" "$package"; then
		[ -z "${UVMEM_KERNEL_VERSION:-}" ] ||
			die "apt gives no $package: ask for another UVMEM_KERNEL_VERSION, or $instead"
		# The distribution's own: linux-source depends on the real one.
		apt_private "$codename" apt-get update || true
		package=$(apt_private "$codename" apt-cache depends linux-source |
			awk '/Depends: linux-source-/ { print $2; exit }') || true
		[ -n "$package" ] ||
			die "apt has no linux-source package, or cannot be reached: $instead"
		echo "no linux-source-$WANT: taking $package"
		download_from "$codename" "$package" || die "apt gives no $package: $instead"
	fi
	deb=$(ls "$APT"/linux-source-*.deb)
	found=${package#linux-source-}
}

# $deb to $DEST
unpack()
{
	local tar how=-J

	echo "unpacking $deb"
	rm -rf "$DEST.new"
	mkdir -p "$DEST.new"
	# Ubuntu's has a symbolic link of that name as well.
	tar=$(dpkg-deb --fsys-tarfile "$deb" | tar -tv |
		awk '/^-.*\/linux-source-[^\/]*\.tar\.(xz|bz2)$/ { print $NF }')
	[[ $tar != *.bz2 ]] || how=-j
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "$tar" |
		tar -x $how -C "$DEST.new" --strip-components=1
	mv "$DEST.new" "$DEST"
}

fetch()
{
	local deb found

	cache_lock source
	where
	[ ! -f "$DEST/Makefile" ] || return 0
	download
	DEST=$CACHE/source/linux-$found
	[ -f "$DEST/Makefile" ] || unpack
	[ "$found" = "$WANT" ] || echo "$found" >"$INSTEAD"
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
where
if [ ! -f "$DEST/Makefile" ]; then
	stage "kernel source $WANT" "$BUILD/logs/source.log" "$0" --fetch
	where
	[ "$DEST" = "$CACHE/source/linux-$WANT" ] ||
		echo "the distribution has no source of Linux $WANT, taking its ${DEST##*/}" >&2
fi
echo "$DEST"
