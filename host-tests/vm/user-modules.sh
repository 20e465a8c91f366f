#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# user-modules.sh KDIR modules|modules_install: the modules for the user's own
# kernel, in build/modules-RELEASE, so that several kernels keep theirs.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

KDIR=${1:?usage: user-modules.sh KDIR TARGET}
TARGET=${2:?usage: user-modules.sh KDIR TARGET}

"$VM/modules.sh" "$KDIR" --check
release=$(cat "$KDIR/include/config/kernel.release")
OUT=$BUILD/modules-$release

if [ "$TARGET" = modules ]; then
	stage "modules for $release" "$BUILD/logs/modules-$release.log" \
		"$VM/modules.sh" "$KDIR" "$OUT"
	find "$OUT" -name '*.ko'
else
	"$VM/modules.sh" "$KDIR" "$OUT" INSTALL_MOD_DIR=updates \
		${INSTALL_MOD_PATH:+INSTALL_MOD_PATH="$INSTALL_MOD_PATH"} "$TARGET"
fi
