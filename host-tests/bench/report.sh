# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The report of a run, sourced where HERE, OUT and DIR are. DIR has samples and
# seal.samples, and gets figures, table.txt, results.json and the plots; OUT gets
# links to them.

# figures NAME: what FIGURES has for a machine
figures()
{
	awk -v name="$1" '
		/^machine / { here = index($0 " ", " " name " "); next }
		here || /^#/' "$HERE/FIGURES"
}

# report NAME: fails if a figure of the machine's is missing
report()
{
	local rc=0 file

	figures "$1" >"$DIR/figures"
	awk -v json="$DIR/results.json" -v points="$DIR/points" -f "$HERE/report.awk" \
		"$DIR/figures" "$DIR/samples" "$DIR/seal.samples" >"$DIR/table.txt" || rc=$?
	gnuplot -e "points='$DIR/points'; out='$DIR'" "$HERE/plots.gp"
	for file in results.json table.txt run-length.svg memory-size.svg threads.svg latency.svg; do
		ln -sfn "${DIR##*/}/$file" "$OUT/$file"
	done
	return $rc
}
