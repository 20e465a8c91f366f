# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a run in a machine and one on the host have in common: building, and the
# report. Sourced where HERE, OUT and DIR are. DIR has samples and seal.samples, and
# gets figures, table.txt, results.json and the plots; OUT gets links to them.

TOOLS=$DIR/tools

# For the kernel in KDIR, whose source, or one like it, is in KSRC.
# shellcheck disable=SC2317
build_bench()
{
	local module=$DIR/module file
	local -a make=(make -j"$JOBS" "CROSS_COMPILE=$CROSS")

	mkdir -p "$module" "$TOOLS"
	for file in Kbuild uvmem-bench.c; do
		ln -sfn "$HERE/module/$file" "$module/$file"
	done
	"${make[@]}" -C "$KDIR" M="$module" ARCH="$KARCH" modules
	cross_cflags
	"${make[@]}" -C "$HERE" O="$TOOLS" ARCH="$GUEST_ARCH" KSRC="$KSRC"
}

# figures NAME...: what FIGURES has for any of these machines
figures()
{
	awk -v names=" $* " '
		/^machine / {
			here = 0
			for (i = 2; i <= NF; i++)
				here += index(names, " " $i " ")
			next
		}
		here || /^#/' "$HERE/FIGURES"
}

# has_samples NAME: the NAME of figures that not every kernel has, if they are there
has_samples()
{
	! grep -q "^@sample ${1}_" "$DIR/samples" || echo "$1"
}

# report NAME...: fails if a figure of these machines is missing
report()
{
	local rc=0 file

	figures "$@" >"$DIR/figures"
	awk -v json="$DIR/results.json" -v points="$DIR/points" -f "$HERE/report.awk" \
		"$DIR/figures" "$DIR/samples" "$DIR/seal.samples" >"$DIR/table.txt" || rc=$?
	gnuplot -e "points='$DIR/points'; out='$DIR'" "$HERE/plots.gp"
	for file in results.json table.txt run-length.svg memory-size.svg threads.svg latency.svg; do
		ln -sfn "${DIR##*/}/$file" "$OUT/$file"
	done
	return $rc
}
