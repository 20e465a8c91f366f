#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make run: boot the release machine and tell the story. Its table goes to the
# terminal as it comes, and nothing else does; the kernel's messages go to a log.
# The exit status is 0 only if every step came out as the specification says.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

OUT=$BUILD/$MACHINE
DIR=$OUT/release/$RUNS/run
KDIR=$("$VM/kernel.sh" release)
ACCEL=$("$VM/accel.sh" "$KDIR" "$OUT/release/initramfs.cpio")

mkdir -p "$DIR"
rc=0
setpriv --pdeathsig TERM \
	"$VM/boot.sh" --kernel "$KDIR" --image "$OUT/release/initramfs.cpio" --dir "$DIR" \
	--accel "$ACCEL" --timeout 900 --stdio uvmem.job=story </dev/null 2>"$DIR/stderr" |
	tee "$DIR/channel.log.live" |
	awk -v dir="$DIR" '
		{ sub(/\r$/, "") }
		/^@error / { print "The machine says: " substr($0, 8); next }
		/^@end / { end = $2; next }
		/^@/ { next }
		/^run: [0-9]+ steps, [0-9]+ failed$/ { last = $0; next }
		{ print; fflush() }
		END {
			if (end == "")
				print "The machine stopped before the end of the story; see " dir
			print last == "" ? "run: 0 steps, 1 failed" : last
			exit !(end == "0" && last ~ /^run: [1-9][0-9]* steps, 0 failed$/)
		}' || rc=$?
# Why there was no machine, where that is so.
[ $rc = 0 ] || tail -n 5 "$DIR/stderr" >&2
exit $rc
