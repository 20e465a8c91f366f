#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# image.sh FLAVOUR: make the initramfs of the machine for the test kernel FLAVOUR:
# busybox, modules, tools. Small enough to be made anew each time.
# image.sh FLAVOUR --with FILE TEST...: the same and these tests, in FILE. (An
# initramfs may consist of several archives one after the other.)

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

FLAVOUR=${1:?usage: image.sh FLAVOUR}
KDIR=$("$VM/kernel.sh" "$FLAVOUR")
OUT=$BUILD/$MACHINE
ROOT=$OUT/$FLAVOUR/root
IMAGE=$OUT/$FLAVOUR/initramfs.cpio

# A key of this build tree's own: blobs and modules of one image agree on it.
owner_key()
{
	[ -s "$OUT/owner.key" ] ||
		od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$OUT/owner.key"
	mkdir -p "$ROOT/etc/uvmem"
	cp "$OUT/owner.key" "$ROOT/etc/uvmem/owner.key"
}

modules()
{
	local module file

	mkdir -p "$ROOT/lib/modules"
	find "$KDIR" -name '*.ko' -exec cp -t "$ROOT/lib/modules" {} +
	find "$OUT/$FLAVOUR/modules" -name '*.ko' -exec cp -t "$ROOT/lib/modules" {} +
	# In the order of loading; a built-in module has no file.
	for module in $MACHINE_MODULES; do
		echo "$module"
	done >"$ROOT/etc/uvmem/machine-modules"
	for file in uv-sim kvm-uvmem; do
		[ -f "$ROOT/lib/modules/$file.ko" ] || die "$file.ko has not been built"
	done
}

tools()
{
	mkdir -p "$ROOT/bin" "$ROOT/usr/lib/uvmem"
	[ -z "$CROSS" ] || BUSYBOX=${BUSYBOX:-$("$VM/sysroot.sh")/bin/busybox}
	cp "$(command -v "${BUSYBOX:-busybox}")" "$ROOT/bin/busybox"
	cp "$OUT"/kvm-probe "$OUT"/launch/uvlaunch "$OUT"/launch/uvstory "$OUT"/uvctl/uvctl \
		"$ROOT/bin"
	cp "$OUT"/payloads/agent.bin "$ROOT/usr/lib/uvmem"
	"${CROSS}strip" "$ROOT"/bin/{uvlaunch,uvstory,uvctl}
}

# A program of the selftests, or one with a directory of its own.
test_program()
{
	local file=$OUT/selftests/$1

	[ -f "$file" ] || file=$OUT/$1/$1
	echo "$file"
}

# with_tests FILE TEST...
with_tests()
{
	local file=$1 extra=$1.d test

	shift
	rm -rf "$extra"
	mkdir -p "$extra/tests"
	for test; do
		"${CROSS}strip" -o "$extra/tests/$test" "$(test_program "$test")"
	done
	cat "$IMAGE" >"$file"
	(cd "$extra" && find tests | cpio --quiet -o -H newc -R 0:0) >>"$file"
	rm -rf "$extra"
}

build()
{
	rm -rf "$ROOT"
	mkdir -p "$ROOT"/{dev,proc,sys,tmp,run/uvmem,root,var}
	ln -s ../run "$ROOT/var/run"
	cp "$VM/init" "$ROOT/init"
	chmod +x "$ROOT/init"
	owner_key
	modules
	tools
	(cd "$ROOT" && find . | cpio --quiet -o -H newc -R 0:0) >"$IMAGE.new"
	mv "$IMAGE.new" "$IMAGE"
}

case ${2:-} in
--build)
	build
	exit ;;
--with)
	shift 2
	with_tests "$@"
	exit ;;
esac
stage_in_turn "$FLAVOUR initramfs" "$BUILD/logs/image-$MACHINE-$FLAVOUR.log" "$0" "$FLAVOUR" --build
