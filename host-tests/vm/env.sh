# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script of the build and the virtual machine starts with: where
# things are, how errors are reported, and the stage display. Sourced.

set -euo pipefail

# The order of words, and the messages that are looked at, are the same for everybody.
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$TOP/build
VM=$TOP/host-tests/vm
CACHE=${UVMEM_CACHE:-${XDG_CACHE_HOME:-${HOME:?is not set: give UVMEM_CACHE=/path}/.cache}/kvm-uvmem}
MACHINE=${MACHINE:-x86}
# The machine "upstream" is pseries with the kernel's own hypervisor half.
HYPERVISOR=${HYPERVISOR:-kvm-uvmem}
if [ "$MACHINE" = upstream ]; then
	MACHINE=pseries
	HYPERVISOR=upstream
fi
# What a run is called in results, and its directory below build/MACHINE/FLAVOUR.
SUITE=$MACHINE
RUNS=vm
if [ "$HYPERVISOR" = upstream ]; then
	SUITE=upstream
	RUNS=vm-upstream
fi
VMM=${VMM:-qemu}
JOBS=${JOBS:-$(nproc)}
[[ $JOBS =~ ^[1-9][0-9]*$ ]] || { echo "JOBS=$JOBS is not a number of processes" >&2; exit 1; }
export TOP BUILD VM CACHE MACHINE HYPERVISOR SUITE RUNS VMM JOBS

# Variables given to the outer make (O=, V=, KDIR=, -j) are not for the makes
# that these scripts start.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KBUILD_OUTPUT

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

case $TOP$CACHE in
*[[:space:]]*) die "make takes no paths with blanks: move this clone ($TOP) or the cache ($CACHE, UVMEM_CACHE=/path)" ;;
esac

# choice KIND NAME: stop unless there is a file KIND-NAME.sh
choice()
{
	[ -f "$VM/$1-$2.sh" ] ||
		die "${1^^}=$2 is not known; there is: $(cd "$VM" && echo "$1"-*.sh |
			sed "s/$1-//g; s/\.sh//g; s/pseries.*x86/& upstream/")"
}

# The emulation, for machine_qemu. With UVMEM_TCG=icount the processors take turns
# and time is the number of instructions: slow, and the same on a busy host as on an
# idle one, which is for comparing one's own changes.
machine_tcg()
{
	case ${UVMEM_TCG:-} in
	icount) printf '%s\n' -accel tcg,thread=single -icount shift=1,sleep=off ;;
	*) printf '%s\n' -accel "tcg,thread=${UVMEM_TCG:-single}" ;;
	esac
}

choice vmm "$VMM"
choice machine "$MACHINE"
# shellcheck source=machine-x86.sh
. "$VM/machine-$MACHINE.sh"
# shellcheck source=vmm-qemu.sh
. "$VM/vmm-$VMM.sh"

# Stop unless the compiler makes programs of the machine's.
compiler_check()
{
	[ "$MACHINE" != x86 ] || [ -n "$CROSS" ] || [ "$(uname -m)" = x86_64 ] ||
		die "MACHINE=x86 is built with the host's own compiler, and this host is $(uname -m), not x86-64: use MACHINE=pseries"
}

# Hold the lock NAME in the cache until the script ends: two clones share it.
cache_lock()
{
	mkdir -p "$CACHE"
	exec 9>"$CACHE/$1.lock"
	flock -n 9 && return
	echo "waiting for another build that uses $CACHE"
	flock 9
}

# For programs of the machine's that are built with a cross compiler.
cross_cflags()
{
	local sysroot

	[ -n "$CROSS" ] || return 0
	sysroot=$("$VM/sysroot.sh")/usr
	export CFLAGS="-O2 -g -isystem $sysroot/include -isystem $sysroot/include/${CROSS%-} -L$sysroot/lib/${CROSS%-}"
}

duration()
{
	printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
}

# One line that is updated on a terminal; otherwise a plain line after two
# seconds (a stage that has nothing to do stays silent) and one every minute. The
# sleep outlives the ticker, and must not keep open the pipe that stderr may be.
stage_ticker()
{
	local title=$1 log=$2 start=$SECONDS shown=0 line

	while kill -0 $$ 2>/dev/null; do
		if [ -t 2 ] && [ -z "${CI:-}" ]; then
			line=$(tail -c 300 "$log" 2>/dev/null | tr '\r\t' '\n ' | tail -n 1)
			line="$(duration $((SECONDS - start)))  $title  (log: ${log#"$TOP"/})  $line"
			printf '\r\033[K%s' "${line:0:$((${COLUMNS:-80} - 1))}" >&2
			sleep 1 2>/dev/null
		else
			sleep $((shown ? 60 : 2)) 2>/dev/null
			echo "$title: $(duration $((SECONDS - start))), log: ${log#"$TOP"/}" >&2
			shown=1
		fi
	done
}

# stage TITLE LOG COMMAND...: run the command with its output in LOG and show
# that it runs; when it fails, show the end of the log.
stage()
{
	local title=$1 log=$2 ticker rc=0 start=$SECONDS

	shift 2
	mkdir -p "${log%/*}"
	: >"$log"
	stage_ticker "$title" "$log" </dev/null >/dev/null 8>&- &
	ticker=$!
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	if [ -t 2 ] && [ -z "${CI:-}" ]; then
		printf '\r\033[K' >&2
	fi
	if [ "$rc" != 0 ]; then
		{
			echo "$title: FAILED after $(duration $((SECONDS - start))). The end of $log:"
			tail -n "${STAGE_TAIL:-30}" "$log" | sed 's/^/  | /'
			echo "The whole log: $log"
		} >&2
	elif [ $((SECONDS - start)) -ge 2 ]; then
		echo "$title: done in $(duration $((SECONDS - start)))" >&2
	fi
	return "$rc"
}

# Hold the lock FILE, until unlocked: makes in one tree take turns.
turn_lock()
{
	mkdir -p "${1%/*}"
	exec 8>"$1"
	flock -n 8 && return
	echo "waiting for another make in $TOP" >&2
	flock 8
}

turn_unlock()
{
	exec 8>&-
}

# As stage, of what is made in build/.
stage_in_turn()
{
	local rc=0

	turn_lock "$BUILD/.lock"
	stage "$@" || rc=$?
	turn_unlock
	return "$rc"
}
