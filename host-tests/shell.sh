#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make shell as somebody at a terminal has it: a VM goes secure and is ended, after which
# the modules can go.

# shellcheck source=vm/env.sh
. "$(dirname "$0")/vm/env.sh"

LOG=$BUILD/logs/shell-$MACHINE.log
SECONDS_MAX=600	# a watchdog

# What is typed before the prompt is there gets lost, and so does what the console has not
# written when the machine ends.
typed()
{
	until grep -aq '^/ # ' "$LOG" || [ $SECONDS -gt $SECONDS_MAX ]; do
		sleep 1
	done
	echo "uvlaunch -i demo -d && uvctl esm demo && uvctl quit demo &&" \
		"rmmod kvm-uvmem && rmmod uv-sim && echo all' 'gone; sleep 1; exit"
}

mkdir -p "$BUILD/logs"
: >"$LOG"
rc=0
typed | timeout -k 5 "$SECONDS_MAX" script -qefc "$VM/shell.sh release" "$LOG" >/dev/null || rc=$?
if [ "$rc" = 0 ] && grep -aq '^all gone' "$LOG"; then
	"$TOP/host-tests/results.sh" add pass shell "$MACHINE"
else
	"$TOP/host-tests/results.sh" add fail shell "$MACHINE" "exit status $rc, see $LOG"
	exit 1
fi
