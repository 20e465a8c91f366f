#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The results of make check: one line a test in build/results.tsv,
#   pass|fail|skip <TAB> suite <TAB> name <TAB> reason
#
#   results.sh start			forget the last run
#   results.sh add VERDICT SUITE NAME [REASON]
#   results.sh merge FILE		add the lines of FILE
#   results.sh ktap SUITE LOG STATUS	add the results in the (K)TAP log of a program
#					that ended with STATUS; fail if one failed
#   results.sh count			print the number of lines
#   results.sh summary			what failed, what was skipped, and the totals;
#					exit status 0 when something passed and nothing failed

set -euo pipefail

TOP=$(cd "$(dirname "$0")/.." && pwd)
FILE=${UVMEM_RESULTS:-$TOP/build/results.tsv}
mkdir -p "${FILE%/*}"

add()
{
	local reason=${4:-}

	case $1 in
	pass | fail) ;;
	skip)	[ -n "$reason" ] || { echo "results.sh: a skip needs a reason" >&2; exit 2; } ;;
	*)	echo "results.sh: $1 is no verdict" >&2; exit 2 ;;
	esac
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(printf %s "$reason" | tr '\n\t' '  ')" >>"$FILE"
}

summary()
{
	awk -F'\t' '
		$1 == "fail" { f[++nf] = $2 ": " $3 ($4 == "" ? "" : ": " $4) }
		$1 == "skip" { s[++ns] = $2 ": " $3 ": " $4 }
		$1 == "pass" { np++ }
		END {
			for (i = 1; i <= ns; i++)
				print "skipped  " s[i]
			for (i = 1; i <= nf; i++)
				print "FAILED   " f[i]
			printf "%d passed, %d failed, %d skipped\n", np, nf, ns
			exit nf > 0 || np == 0
		}' "$FILE"
}

command=${1:-}
[ $# -eq 0 ] || shift
touch "$FILE"
case $command in
start) : >"$FILE" ;;
add) add "$@" ;;
merge) cat "$1" >>"$FILE" ;;
ktap)
	awk -v suite="$1" -v status="$3" -v log_file="$2" -f "$TOP/host-tests/ktap.awk" "$2" |
		tee -a "$FILE" | awk '/^fail/ { rc = 1 } END { exit rc }' ;;
count) wc -l <"$FILE" ;;
summary) summary ;;
*) sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
