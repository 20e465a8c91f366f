#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make shell: an interactive shell in the machine with everything loaded. The
# kernel's messages go to a log; dmesg shows them too.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

FLAVOUR=${1:-release}
OUT=$BUILD/$MACHINE
[ -t 0 ] || die "make shell needs a terminal"
KDIR=$("$VM/kernel.sh" "$FLAVOUR")
ACCEL=$("$VM/accel.sh" "$("$VM/kernel.sh" release)" "$OUT/release/initramfs.cpio")
# Those of upstream's half are made for pseries alone.
mapfile -t tests < <(sed 's/#.*//' "$OUT/selftests/TESTS" | awk 'NF && !seen[$1]++ { print $1 }' |
	while read -r test; do [ ! -f "$OUT/selftests/$test" ] || echo "$test"; done)
mkdir -p "$OUT/$FLAVOUR/vm"
"$VM/image.sh" "$FLAVOUR" --with "$OUT/$FLAVOUR/vm/shell.cpio" "${tests[@]}" conformance
exec "$VM/boot.sh" --kernel "$KDIR" --image "$OUT/$FLAVOUR/vm/shell.cpio" \
	--dir "$OUT/$FLAVOUR/vm/shell" --accel "$ACCEL" --timeout 0 --stdio uvmem.job=shell
