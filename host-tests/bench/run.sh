#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [--check]: measure everything in one boot of the machine, five rounds
# (BENCH=quick: one round, small sizes), and report in build/bench/MACHINE:
# results.json, a table, SVG plots; build/bench has links to those of the last run.
# --check adds a result line for each figure that must be there.

# shellcheck source=../vm/env.sh
. "$(dirname "$0")/../vm/env.sh"

HERE=$TOP/host-tests/bench
OUT=$BUILD/bench
DIR=$OUT/$MACHINE
# shellcheck source=common.sh
. "$HERE/common.sh"
FLAVOUR=release
BENCH=${BENCH:-full}
[ "$HYPERVISOR" = kvm-uvmem ] ||
	die "make bench MACHINE=pseries measures upstream's half beside kvm-uvmem"
# Pages of pseries are 64 KiB, and upstream needs a secure page for each of a guest's.
case $BENCH-$MACHINE in
full-x86) rounds=5 pages=16384 aes=2048 quick='' mem=2G secure=320M mib=256 ;;
quick-x86) rounds=1 pages=2048 aes=2048 quick=,quick mem=1G secure=64M mib=4 ;;
full-pseries) rounds=5 pages=2048 aes=256 quick='' mem=4G secure=1088M ;;
quick-pseries) rounds=1 pages=256 aes=64 quick=,quick mem=1G secure=80M ;;
*) die "BENCH=$BENCH is not known; there is full and quick" ;;
esac
# Two threads need two processors, also under emulation.
[ "$BENCH" = quick ] || export UVMEM_TCG=${UVMEM_TCG:-multi}

# The machine's initramfs with the benchmark behind it.
image()
{
	local extra=$DIR/root

	rm -rf "$extra"
	mkdir -p "$extra/tests" "$extra/lib/modules"
	"${CROSS}strip" -o "$extra/tests/uvbench" "$TOOLS/uvbench"
	cp "$HERE/rounds.sh" "$extra/tests"
	cp "$DIR/module/uvmem-bench.ko" "$extra/lib/modules"
	cp "$BUILD/$MACHINE/$FLAVOUR/initramfs.cpio" "$DIR/initramfs.cpio"
	(cd "$extra" && find . | cpio --quiet -o -H newc -R 0:0) >>"$DIR/initramfs.cpio"
}

boot()
{
	local accel

	accel=$("$VM/accel.sh" "$KDIR" "$BUILD/$MACHINE/$FLAVOUR/initramfs.cpio")
	"$VM/boot.sh" --kernel "$KDIR" --image "$DIR/initramfs.cpio" --dir "$DIR" \
		--accel "$accel" --mem "$mem" --timeout 3600 \
		uvmem.job=bench "uvmem.bench=$rounds,$pages,$aes$quick" "uvmem.secure_memory=$secure"
}

# shellcheck disable=SC2317
measure()
{
	local tries

	# QEMU's mistake, not the kernel's: see machine-x86.sh.
	for ((tries = 0; tries < 3; tries++)); do
		boot
		grep -q 'Oops: int3' "$DIR/console.log" || break
		echo "QEMU, with a thread for each processor, has run code that was being patched; again"
	done
	tr -d '\r' <"$DIR/channel.log" >"$DIR/samples"
	if grep '^@error' "$DIR/samples"; then
		return 1
	fi
	grep -qx '@end 0' "$DIR/samples" && return
	echo "The machine did not come to its end, see $DIR/console.log:"
	"$VM/splats.sh" "$DIR/console.log"
	return 1
}

# Each figure of the list is a test: it is there.
check()
{
	local name line

	sed -n 's/^figure  *\([^ \t]*\).*/\1/p' "$DIR/figures" | while read -r name; do
		line=$(grep "^$name: " "$DIR/table.txt" || true)
		if [ -z "$line" ] || [[ $line == *missing* ]]; then
			"$TOP/host-tests/results.sh" add fail "bench-$MACHINE" "$name" \
				"it is missing in $DIR/table.txt"
		else
			"$TOP/host-tests/results.sh" add pass "bench-$MACHINE" "$name"
		fi
	done
}

KDIR=$("$VM/kernel.sh" "$FLAVOUR")
KSRC=$("$VM/source.sh")
if [ "${1:-}" = --step ]; then
	"$2"
	exit
fi
mkdir -p "$DIR"
stage_in_turn "bench tools" "$BUILD/logs/bench-build-$MACHINE.log" "$0" --step build_bench
image
# libuvsim is measured on the host, and once is enough.
: >"$DIR/seal.samples"
[ "$MACHINE" != x86 ] || "$TOOLS/seal" "$rounds" "$mib" >"$DIR/seal.samples"
stage "bench, rounds: $rounds" "$BUILD/logs/bench-run-$MACHINE.log" "$0" --step measure
rc=0
# shellcheck disable=SC2046
report "$MACHINE" $(has_samples huge) || rc=$?
if [ "${1:-}" = --check ]; then
	check
else
	cat "$DIR/table.txt"
fi
exit $rc
