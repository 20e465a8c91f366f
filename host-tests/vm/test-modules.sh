#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test-modules.sh FLAVOUR: the modules for a test kernel, in
# build/MACHINE/FLAVOUR/modules.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

FLAVOUR=${1:?usage: test-modules.sh FLAVOUR}
KDIR=$("$VM/kernel.sh" "$FLAVOUR")
stage_in_turn "$FLAVOUR modules" "$BUILD/logs/modules-$MACHINE-$FLAVOUR.log" \
	"$VM/modules.sh" "$KDIR" "$BUILD/$MACHINE/$FLAVOUR/modules"
