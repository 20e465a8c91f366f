#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run-tests.sh FLAVOUR [TEST...]: run the tests in the machine, each in a boot of
# its own, so that what one leaves behind cannot hide in another and what the
# kernel complains about has one suspect. Up to four run at a time. Results go to build/results.tsv.
#
# A line of TESTS is: NAME [mem=SIZE] [smp=N] [secure_mem=SIZE] [limit=SECONDS]
# [flavour=release|debug] [program=NAME] [args=A+B]. UVMEM_TESTS=FILE is another
# list than that of the selftests.

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

FLAVOUR=${1:?usage: run-tests.sh FLAVOUR [TEST...]}
shift
OUT=$BUILD/$MACHINE
IMAGE=$OUT/$FLAVOUR/initramfs.cpio
BOOT_SECONDS=300

# Everything that is to be run: name and settings.
plan()
{
	local wanted=" $* " name settings

	{
		[ -n "${UVMEM_TESTS:-}" ] || echo "story"
		sed 's/#.*//' "${UVMEM_TESTS:-$OUT/selftests/TESTS}"
	} | while read -r name settings; do
		[ -n "$name" ] || continue
		[ "$wanted" = "  " ] || [[ $wanted == *" $name "* ]] || continue
		case " $settings " in
		*" flavour=${FLAVOUR%%-*} "*) ;;
		*" flavour="*) continue ;;
		esac
		case " $settings " in
		*" hypervisor=$HYPERVISOR "*) ;;
		*" hypervisor="*) continue ;;
		*) [ "$HYPERVISOR" = kvm-uvmem ] || [ "$name" = story ] || continue ;;
		esac
		echo "$name $settings"
	done
}

# The story is no TAP: its last line and its exit status speak for it.
story_results()
{
	local dir=$1 suite=$2 status=$3 last

	last=$(grep -a '^run: ' "$dir/channel.log" | tail -n 1 || true)
	if [[ $last =~ ^run:\ [1-9][0-9]*\ steps,\ 0\ failed ]] && [ "$status" = 0 ]; then
		printf 'pass\t%s\tsteps\t%s\n' "$suite" "$last"
	else
		printf 'fail\t%s\tsteps\t%s\n' "$suite" "${last:-no total}, see $dir/channel.log"
	fi
}

# What the kernel said, and how QEMU ended.
machine_results()
{
	local dir=$1 suite=$2 rc=$3 splats

	awk -v suite="$suite" -v log_file="$dir/channel.log" -f "$VM/machine.awk" "$dir/channel.log"
	[ "$rc" = 0 ] || printf 'fail\t%s\tqemu\t%s\n' "$suite" \
		"exit status $rc (124: the watchdog), see $dir"
	splats=$("$VM/splats.sh" "$dir/console.log" | head -n 5 | tr '\n\t' '; ')
	if [ -n "$splats" ]; then
		printf 'fail\t%s\tkernel messages\t%s\n' "$suite" "$dir/console.log:$splats"
	else
		printf 'pass\t%s\tkernel messages\t\n' "$suite"
	fi
}

run_one()
{
	local name=$1 program=$1 word dir limit=600 job=test image=$IMAGE suite status rc=0
	local -a options=() words=()

	shift
	for word in "$@"; do
		case $word in
		mem=*) options+=(--mem "${word#*=}") ;;
		smp=*) options+=(--smp "${word#*=}") ;;
		limit=*) limit=${word#*=} ;;
		secure_mem=*) words+=("uvmem.$word") ;;
		program=*) program=${word#*=} ;;
		args=*) words+=("uvmem.$word") ;;
		flavour=* | hypervisor=*) ;;
		*) die "TESTS: $name has an unknown setting $word" ;;
		esac
	done
	[ "${FLAVOUR%%-*}" = release ] || limit=$((limit * 3))
	[ "$name" != story ] || job=story
	dir=$OUT/$FLAVOUR/$RUNS/$name
	suite=$SUITE-$FLAVOUR/$name
	rm -rf "$dir"
	mkdir -p "$dir"
	if [ "$job" = test ]; then
		image=$dir/initramfs.cpio
		"$VM/image.sh" "$FLAVOUR" --with "$image" "$program"
	fi
	"$VM/boot.sh" --kernel "$KDIR" --image "$image" --dir "$dir" --accel "$ACCEL" \
		--timeout $((limit + BOOT_SECONDS)) "${options[@]}" \
		"uvmem.job=$job" "uvmem.test=$program" "uvmem.limit=$limit" "${words[@]}" ||
		rc=$?
	[ "$image" = "$IMAGE" ] || rm "$image"
	touch "$dir/channel.log" "$dir/console.log"
	status=$(tr -d '\r' <"$dir/channel.log" | sed -n 's/^@end //p')
	{
		if [ "$job" = story ]; then
			story_results "$dir" "$suite" "$status"
		else
			awk -v suite="$suite" -v status="${status:-1}" -v log_file="$dir/channel.log" \
				-f "$TOP/host-tests/ktap.awk" "$dir/channel.log"
		fi
		machine_results "$dir" "$suite" "$rc"
	} >"$dir/results.tsv"
	awk -F'\t' -v suite="$suite" '{ n[$1]++ } END {
		printf "%s: %d passed, %d failed, %d skipped\n", suite, n["pass"], n["fail"], n["skip"]
	}' "$dir/results.tsv"
}

KDIR=$("$VM/kernel.sh" "$FLAVOUR")
export KDIR
if [ "${1:-}" = --one ]; then
	shift
	run_one "$@"
	exit
fi

release=$("$VM/kernel.sh" release)
ACCEL=$("$VM/accel.sh" "$release" "$OUT/release/initramfs.cpio")
export ACCEL
at_once=$((JOBS < 4 ? JOBS : 4))
list=$(plan "$@")
[ -n "$list" ] || die "there is no test ${*:-at all}"
echo "$list" | xargs -P "$at_once" -I{} bash -c "'$0' '$FLAVOUR' --one {}"
echo "$list" | while read -r name _; do
	"$TOP/host-tests/results.sh" merge "$OUT/$FLAVOUR/$RUNS/$name/results.tsv"
done
! echo "$list" | sed "s|^\([^ ]*\).*|$OUT/$FLAVOUR/$RUNS/\1/results.tsv|" | xargs grep -q '^fail'
