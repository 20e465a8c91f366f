#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build everything that runs inside the machine, linked statically, each part
# in a directory of its own below build/MACHINE/.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

OUT=$BUILD/$MACHINE
compiler_check
KSRC=$("$VM/source.sh")
export LDFLAGS=-static
cross_cflags

# part DIRECTORY OUTPUT
part()
{
	mkdir -p "$OUT/$2"
	make -C "$TOP/$1" -j"$JOBS" O="$OUT/$2" CROSS_COMPILE="$CROSS" ARCH="$GUEST_ARCH" \
		KSRC="$KSRC" LIBUVC="$OUT/lib/libuvc.a" AGENT="$OUT/payloads/agent.bin"
}

build()
{
	part guest-tools/lib lib
	part guest-tools/payloads payloads
	part guest-tools/launch launch
	part guest-tools/uvctl uvctl
	if [ "${1:-}" = tests ]; then
		part host-tests/selftests selftests
		part host-tests/conformance conformance
	fi
	"${CROSS}gcc" -O2 -Wall -Wextra -static -o "$OUT/kvm-probe" "$VM/probe-$MACHINE.c"
}

if [ "${1:-}" = --build ]; then
	build "${2:-}"
	exit
fi
stage_in_turn "tools" "$BUILD/logs/tools-$MACHINE.log" "$0" --build "${1:-}"
