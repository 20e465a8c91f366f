#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [--check]: measure everything in one boot of the machine, five rounds
# (BENCH=quick: one round, small sizes), and report: build/bench/results.json, a
# table, SVG plots. --check adds a result line for each figure that must be there.

# shellcheck source=../vm/env.sh
. "$(dirname "$0")/../vm/env.sh"

HERE=$TOP/host-tests/bench
OUT=$BUILD/bench
DIR=$OUT/$MACHINE
TOOLS=$DIR/tools
FLAVOUR=release
BENCH=${BENCH:-full}
case $BENCH in
# Two threads need two processors, also under emulation.
full) rounds=5 pages=16384 aes=2048 quick='' mem=2G secure=320M mib=256
	export UVMEM_TCG=${UVMEM_TCG:-multi} ;;
quick) rounds=1 pages=2048 aes=2048 quick=,quick mem=1G secure=64M mib=4 ;;
*) die "BENCH=$BENCH is not known; there is full and quick" ;;
esac

# shellcheck disable=SC2317
build()
{
	local module=$DIR/module file
	local -a make=(make -j"$JOBS" "CROSS_COMPILE=$CROSS")

	mkdir -p "$module" "$TOOLS"
	for file in Kbuild uvmem-bench.c; do
		ln -sfn "$HERE/module/$file" "$module/$file"
	done
	"${make[@]}" -C "$KDIR" M="$module" ARCH="$KARCH" modules
	"${make[@]}" -C "$HERE" O="$TOOLS" ARCH="$GUEST_ARCH" KSRC="$KSRC"
}

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

# shellcheck disable=SC2317
measure()
{
	local accel

	accel=$("$VM/accel.sh" "$KDIR" "$BUILD/$MACHINE/$FLAVOUR/initramfs.cpio")
	"$VM/boot.sh" --kernel "$KDIR" --image "$DIR/initramfs.cpio" --dir "$DIR" \
		--accel "$accel" --mem "$mem" --timeout 3600 \
		uvmem.job=bench "uvmem.bench=$rounds,$pages,$aes$quick" "uvmem.secure_mem=$secure"
	tr -d '\r' <"$DIR/channel.log" >"$DIR/samples"
	if grep '^@error' "$DIR/samples"; then
		return 1
	fi
	grep -qx '@end 0' "$DIR/samples"
}

report()
{
	local rc=0

	awk -v json="$OUT/results.json" -v points="$OUT/points" -f "$HERE/report.awk" \
		"$HERE/FIGURES" "$DIR/samples" "$OUT/seal.samples" >"$OUT/table.txt" || rc=$?
	gnuplot -e "points='$OUT/points'; out='$OUT'" "$HERE/plots.gp"
	return $rc
}

# Each figure of the list is a test: it is there.
check()
{
	local name line

	sed -n 's/^figure  *\([^ \t]*\).*/\1/p' "$HERE/FIGURES" | while read -r name; do
		line=$(grep -F "$name: " "$OUT/table.txt" || true)
		if [ -z "$line" ] || [[ $line == *missing* ]]; then
			"$TOP/host-tests/results.sh" add fail bench "$name" "it is missing in $OUT/table.txt"
		else
			"$TOP/host-tests/results.sh" add pass bench "$name"
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
stage "bench tools" "$BUILD/logs/bench-build.log" "$0" --step build
image
"$TOOLS/seal" "$rounds" "$mib" >"$OUT/seal.samples"
stage "bench, $rounds rounds" "$BUILD/logs/bench-run.log" "$0" --step measure
rc=0
report || rc=$?
if [ "${1:-}" = --check ]; then
	check
else
	cat "$OUT/table.txt"
fi
exit $rc
