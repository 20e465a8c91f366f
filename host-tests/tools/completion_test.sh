#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# completion_test.sh UVCTL: the bash completion offers what uvctl knows, in the
# places where it belongs. Output is TAP.

set -u
UVCTL=$1
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../guest-tools/uvctl/uvctl.bash
. "$TOP/guest-tools/uvctl/uvctl.bash"
failed=0
n=0

# What is offered for the last of the words.
offers()
{
	COMP_WORDS=(uvctl "$@")
	COMP_CWORD=$(($#))
	COMPREPLY=()
	_uvctl
	[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}

# check NAME GOT WANTED
check()
{
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "# got '$2', wanted '$3'"
		echo "not ok $n - $1"
		failed=1
	fi
}

# The commands that --help lists between two headings.
helped()
{
	"$UVCTL" --help | sed -n "/$1/,/^\$/s/^  \([a-z-]*\) .*/\1/p" | sort | tr '\n' ' '
}

options()
{
	"$UVCTL" --help | grep -o -- '--[a-z]*=\?' | sort -u | tr '\n' ' '
}

UVMEM_RUN_DIR=$(mktemp -d)
export UVMEM_RUN_DIR
trap 'rm -rf "$UVMEM_RUN_DIR"' EXIT
touch "$UVMEM_RUN_DIR/no-socket.sock"

check completes_commands "$(offers '')" "$(helped '^Commands:')"
check completes_guest_commands "$(offers guest vm1 '')" "$(helped '^What a guest')"
check completes_options "$(offers list --)" "$(options)"
check completes_prefixes "$(offers page-)" "page-in page-out "
check skips_options "$(offers guest -c 1 --vcpu = 2 --json vm1 unshare-)" "unshare-all "
check completes_ultracalls "$(offers guest vm1 ucall UV_UNS)" "UV_UNSHARE_ALL_PAGES UV_UNSHARE_PAGE "
check offers_sockets_only "$(offers stat '')" ""
check offers_nothing_more "$(offers list '')" ""
echo "1..$n"
exit $failed
