#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh: the conformance suite in the machine: the table and the generated
# sequences, the latter in several boots at a time.
#   SEED=N	of the sequences (default: one that the run prints)
#   COUNT=N	how many of them (default 10000, on pseries 2000)
#   REPLAY=STEPS	this sequence only, as a failure prints it (COUNT times)
# MACHINE=upstream is pseries with the kernel's own hypervisor half.

# shellcheck source=../vm/env.sh
. "$(dirname "$0")/../vm/env.sh"

TIMES=${COUNT:-1}
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
case $MACHINE in
pseries) COUNT=${COUNT:-2000} ;;
*) COUNT=${COUNT:-10000} ;;
esac
REPLAY=${REPLAY:-}
# A machine naps half of its time: for grace periods, and for pages that are busy.
BOOTS=$((JOBS < 2 ? 1 : 4))
export AT_ONCE=$BOOTS
LIMIT=3000
HV=$HYPERVISOR
LIST=$BUILD/$MACHINE/release/conformance-$HV.tests

# One row a boot.
plan()
{
	local boot share=$(((COUNT + BOOTS - 1) / BOOTS)) first

	if [ -n "$REPLAY" ]; then
		echo "conformance-replay program=conformance hypervisor=$HV args=--hv=$HV+--count=$TIMES+--replay=$REPLAY"
		return
	fi
	echo "conformance-table program=conformance hypervisor=$HV limit=$LIMIT args=--hv=$HV+--table"
	for ((boot = 0; boot < BOOTS; boot++)); do
		first=$((boot * share))
		[ $first -lt "$COUNT" ] || break
		echo "conformance-$((boot + 1)) program=conformance hypervisor=$HV limit=$LIMIT" \
			"args=--hv=$HV+--seed=$SEED+--first=$first+--count=$((COUNT - first < share ? COUNT - first : share))"
	done
}

plan >"$LIST"
[ -n "$REPLAY" ] || echo "conformance: SEED=$SEED COUNT=$COUNT, $HV on $MACHINE"
rc=0
UVMEM_TESTS=$LIST "$VM/run-tests.sh" release || rc=$?
if [ -n "$REPLAY" ]; then
	cat "$BUILD/$MACHINE/release/$RUNS/conformance-replay/channel.log"
elif [ $rc != 0 ]; then
	grep -ah '^ *# again:' "$BUILD/$MACHINE"/release/$RUNS/conformance-*/channel.log |
		sed 's/^ *# //' || true
fi
exit $rc
