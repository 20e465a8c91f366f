#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests that need no machine: of the ultravisor's core with pages of 4 KiB
# and of 64 KiB, plain and with AddressSanitizer and UBSan, and of the tools.

# shellcheck source=vm/env.sh
. "$(dirname "$0")/vm/env.sh"

failed=0

# suite NAME DIRECTORY [VARIABLE=VALUE...]
suite()
{
	local name=$1 dir=$2 log=$BUILD/logs/unit-$1.log rc=0

	shift 2
	mkdir -p "$BUILD/$name"
	CMOCKA_MESSAGE_OUTPUT=TAP stage "$name tests" "$log" \
		make -C "$TOP/host-tests/$dir" -j"$JOBS" -Otarget O="$BUILD/$name" "$@" check || rc=$?
	"$TOP/host-tests/results.sh" ktap "$name" "$log" $rc || failed=1
}

suite unit unit
suite unit-64k unit SHIFT=16 UVO="$BUILD/unit-64k/uvsim"
suite unit-san unit SAN=1 UVO="$BUILD/unit-san/uvsim"
suite tools tools
exit $failed
