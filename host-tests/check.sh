#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh STAGE...: run these stages of the tests (Makefile: stage-%), all of
# them even if one fails, and print the totals as the last line. The exit status
# is 0 only when tests passed and none failed.

set -euo pipefail

cd "$(dirname "$0")/.."
MAKE=${MAKE:-make}
RESULTS=host-tests/results.sh

failures()
{
	grep -c '^fail' build/results.tsv || true
}

# A stage that fails without a failed test has failed itself.
stage()
{
	local before rc=0

	before=$(failures)
	"$MAKE" --no-print-directory "$1" || rc=$?
	if [ $rc != 0 ] && [ "$(failures)" = "$before" ]; then
		"$RESULTS" add fail "$1" "make $1" "it did not finish, see the messages above"
	fi
	return $rc
}

"$RESULTS" start
if stage setup-check; then
	for name in "$@"; do
		stage "stage-$name" || true
	done
fi
exec "$RESULTS" summary
