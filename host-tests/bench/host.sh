#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench MACHINE=host: the rounds of the benchmark on this host and its own
# kernel, as root. It loads the modules, and removes them again however it ends. Not
# upstream's half: that takes KVM-HV from the host and patches its kernel.

case $(uname -m) in
ppc64le) MACHINE=pseries ;;
*) MACHINE=x86 ;;
esac
export MACHINE
# shellcheck source=../vm/env.sh
. "$(dirname "$0")/../vm/env.sh"

HERE=$TOP/host-tests/bench
OUT=$BUILD/bench
DIR=$OUT/host
# shellcheck source=common.sh
. "$HERE/common.sh"
KDIR=/lib/modules/$(uname -r)/build
MODULES=$BUILD/modules-$(uname -r)
OURS="kvm_uvmem uv_sim uvmem_bench"
OVERCOMMIT=/proc/sys/vm/overcommit_memory
case ${BENCH:-full} in
full) n=5 pages=16384 aes=2048 quick='' need=1024 secure=320M mib=256 ;;
quick) n=1 pages=2048 aes=2048 quick=quick need=512 secure=64M mib=4 ;;
*) die "BENCH=$BENCH is not known; there is full and quick" ;;
esac
# The same bytes with the pages of POWER machines.
[ "$MACHINE" = x86 ] || { pages=$((pages / 8)) aes=$((aes / 8)); }

# Whether this kernel has an option, from wherever it tells.
has_option()
{
	{ cat "$KDIR/include/config/auto.conf" || cat "/boot/config-$(uname -r)" ||
		zcat /proc/config.gz; } 2>/dev/null | grep -qx "$1=y"
}

# A sentence for each thing that this host lacks.
obstacles()
{
	local module dir

	case $(uname -m) in
	x86_64 | ppc64le) ;;
	*) echo "The modules are for x86_64 and ppc64le, not for $(uname -m)." ;;
	esac
	[ "$(id -u)" = 0 ] || echo "Only root may load modules."
	[ -e /proc/modules ] || echo "This kernel cannot load modules."
	[ "$(cat /proc/sys/kernel/modules_disabled 2>/dev/null)" != 1 ] ||
		echo "Loading modules is switched off (kernel.modules_disabled)."
	[ "$(cat /sys/module/module/parameters/sig_enforce 2>/dev/null)" != Y ] ||
		echo "This kernel takes signed modules only (Secure Boot or module.sig_enforce)."
	(exec 3<>/dev/kvm) 2>/dev/null || echo "There is no /dev/kvm that can be opened."
	[ -f "$KDIR/include/config/auto.conf" ] ||
		echo "There are no headers of this kernel in $KDIR."
	has_option CONFIG_DEVICE_PRIVATE || echo "This kernel has no CONFIG_DEVICE_PRIVATE."
	for module in $OURS uv_upstream test_hmm; do
		[ ! -d "/sys/module/$module" ] || echo "The module $module is loaded: remove it."
	done
	for dir in /sys/kernel/debug /sys/kernel/tracing; do
		grep -q " $dir " /proc/mounts || echo "There is nothing mounted at $dir."
	done
	awk -v need="$need" '/^MemAvailable:/ && $2 < need * 1024 {
		printf "Less than %d MiB of memory are free.\n", need }' /proc/meminfo
}

# --- for rounds.sh, as in the machine's init ---

# load NAME [PARAMETER...]
load()
{
	local file

	file=$(find "$MODULES" "$DIR/module" -name "$1.ko" | head -n 1)
	[ -n "$file" ] || die "$1.ko has not been built"
	shift
	insmod "$file" "$@"
}

load_uv_sim()
{
	load uv-sim "owner_key=$(cat "$UVMEM_OWNER_KEY")" "secure_mem=$secure" "$@"
}

# remove MODULE: a process that was just killed may still be closing its files
remove()
{
	local tries

	for tries in 1 2 3 4 5 6 7 8 9 10; do
		[ -d "/sys/module/$1" ] || return 0
		rmmod "$1" 2>"$DIR/rmmod" && return
		sleep "0.$tries"
	done
	echo "@error $1 cannot be removed: $(cat "$DIR/rmmod")"
	return 1
}

unload()
{
	remove kvm_uvmem && remove uv_sim
}

# --- the run ---

clean_up()
{
	local module

	trap '' INT TERM HUP
	[ -z "${holder:-}" ] || kill "$holder" 2>/dev/null || true
	wait
	for module in $OURS test_hmm; do
		remove "$module" || true
	done
	echo "$overcommit" >"$OVERCOMMIT"
	rm -f "$UVMEM_OWNER_KEY"
}

# shellcheck disable=SC2317
measure()
{
	overcommit=$(cat "$OVERCOMMIT")
	export PATH=$TOOLS:$PATH UVMEM_OWNER_KEY=$DIR/owner.key
	trap clean_up EXIT
	trap 'exit 130' INT TERM HUP
	(umask 077 && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$UVMEM_OWNER_KEY")
	modprobe test_hmm 2>/dev/null || echo "This kernel has no test_hmm."
	load uvmem-bench
	# shellcheck source=rounds.sh
	. "$HERE/rounds.sh"
	rounds "$n" "$pages" "$aes" ${quick:+"$quick"} >"$DIR/samples" || {
		grep '^@error' "$DIR/samples"
		return 1
	}
}

if [ "${1:-}" = --step ]; then
	KSRC=${KSRC:-}
	"$2"
	exit
fi
refused=$(obstacles)
if [ -n "$refused" ]; then
	die "make bench MACHINE=host cannot run here:
$refused"
fi
"$VM/packages.sh" build bench
KSRC=$("$VM/source.sh")
export KSRC
mkdir -p "$DIR"
"$VM/user-modules.sh" "$KDIR" modules >/dev/null
stage "bench tools" "$BUILD/logs/bench-build-host.log" "$0" --step build_bench
"$TOOLS/seal" "$n" "$mib" >"$DIR/seal.samples"
stage "bench, rounds: $n" "$BUILD/logs/bench-run-host.log" "$0" --step measure
rc=0
# shellcheck disable=SC2046
report host $(has_samples hmm) $(has_samples huge) || rc=$?
cat "$DIR/table.txt"
exit $rc
