#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The one list of what the host needs, and the Debian/Ubuntu packages that have
# it. packages.sh NEED... installs what is missing through apt when root or a
# password-less sudo can, and otherwise names it and fails.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

# need  what to look for: command, header (h:), library (l:), Perl module (p:), or the compiler or a
# header for the machine (cross:)  package
list()
{
	cat <<-'EOF'
	build	gcc			gcc
	build	make			make
	build	h:stdio.h		libc6-dev
	build	pkg-config		pkg-config
	build	h:json-c/json.h		libjson-c-dev
	build	l:libjson-c.a		libjson-c-dev
	build	h:openssl/evp.h		libssl-dev
	build	l:libcrypto.a		libssl-dev
	kernel	flex			flex
	kernel	bison			bison
	kernel	bc			bc
	kernel	p:Term::ANSIColor	perl
	kernel	h:gelf.h		libelf-dev
	kernel	xz			xz-utils
	kernel	depmod			kmod
	kernel	flock			util-linux
	image	setpriv			util-linux
	image	cpio			cpio
	image	busybox			busybox-static
	vm-x86	qemu-system-x86_64	qemu-system-x86
	vm-pseries	qemu-system-ppc64	qemu-system-ppc
	vm-pseries	cross:gcc		gcc-powerpc64le-linux-gnu
	vm-pseries	cross:stdio.h		libc6-dev-ppc64el-cross
	libvirt	virsh			libvirt-clients
	libvirt	script			bsdutils
	libvirtd	libvirtd	libvirt-daemon-system
	check-libvirt	xmllint		libxml2-utils
	check	h:cmocka.h		libcmocka-dev
	check	script			bsdutils
	check	sparse			sparse
	check	cppcheck		cppcheck
	check	shellcheck		shellcheck
	check	clang-format		clang-format
	bench	gnuplot			gnuplot-nox
	EOF
}

# Some are root's commands, but look the same to others.
in_path()
{
	(PATH=$PATH:/usr/sbin:/sbin command -v "$1") >/dev/null
}

have()
{
	local path

	case $1 in
	h:*)	echo "#include <stddef.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <${1#h:}>" | gcc -E - >/dev/null 2>&1 ;;
	l:*)	path=$(gcc -print-file-name="${1#l:}" 2>/dev/null) && [ "$path" != "${1#l:}" ] ;;
	cross:gcc) command -v "${CROSS}gcc" >/dev/null ;;
	cross:*) echo "#include <${1#cross:}>" | "${CROSS}gcc" -E - >/dev/null 2>&1 ;;
	p:*)	perl -e "require ${1#p:}" 2>/dev/null ;;
	libvirtd) in_path libvirtd || in_path virtqemud ;;
	busybox) path=$(command -v busybox) && ! ldd "$path" >/dev/null 2>&1 ;;
	*)	in_path "$1" ;;
	esac
}

missing()
{
	local need what package wanted=" $* "

	list | while read -r need what package; do
		[[ $wanted == *" $need "* ]] || continue
		have "$what" || echo "$package"
	done | sort -u
}

# shellcheck disable=SC2317
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

# The lists of a fresh machine may be empty or old: try, update, try again.
# shellcheck disable=SC2317
install()
{
	as_root apt-get install -y --no-install-recommends "$@" && return
	as_root apt-get update
	as_root apt-get install -y --no-install-recommends "$@"
}

[ $# -gt 0 ] || die "usage: packages.sh build|kernel|image|vm-MACHINE|libvirt|libvirtd|check|bench..."
want=$(missing "$@")
[ -n "$want" ] || exit 0

if command -v apt-get >/dev/null &&
   { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
	# shellcheck disable=SC2086
	stage "packages" "$BUILD/logs/packages.log" install $want
	want=$(missing "$@")
	[ -n "$want" ] || exit 0
fi
cat >&2 <<EOF
These packages are missing, and this user may not install them:
  $(echo "$want" | tr '\n' ' ')
Install them (as root: apt-get install $(echo "$want" | tr '\n' ' '| sed 's/ $//')) and run make again.
EOF
exit 1
