#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run-tests.sh FLAVOUR [TEST...]: run the tests in the machine. On the release kernel
# each has a boot of its own, so that what one leaves behind cannot hide in another. A
# debug kernel takes longer to boot than most tests take, so there those with the same
# settings follow one another in a few boots, with the modules loaded anew for each;
# what comes behind one that the machine did not survive gets another boot. As many
# machines run at a time as there are processors (AT_ONCE=N: as N), four at most.
# Results go to build/results.tsv.
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

# Every test there is: name and settings.
all_tests()
{
	[ -n "${UVMEM_TESTS:-}" ] || echo "story"
	sed 's/#.*//' "${UVMEM_TESTS:-$OUT/selftests/TESTS}"
}

# check_names NAME...: a name that no machine and no kernel has is a mistake
check_names()
{
	local name

	for name; do
		all_tests | awk -v name="$name" '$1 == name { n++ } END { exit !n }' ||
			die "there is no test $name"
	done
}

# Everything that is to be run: name and settings.
plan()
{
	local wanted=" $* " name settings

	all_tests | while read -r name settings; do
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

# One line a boot, NAME[,NAME...] and the settings that they share.
boots()
{
	if [ "${FLAVOUR%%-*}" = release ] || [ "$HYPERVISOR" != kvm-uvmem ]; then
		cat
		return
	fi
	awk -v at_once="$at_once" '{
		name = $1
		settings = $0
		sub(/^[^ ]+ */, "", settings)
		sub(/ *flavour=[^ ]*/, "", settings)
		key = (name == "story" ? name : "") SUBSEP settings
		boot = key SUBSEP n[key]++ % at_once
		if (boot in names)
			names[boot] = names[boot] "," name
		else {
			order[++boots] = boot
			names[boot] = name
		}
		with[boot] = settings
	} END {
		for (i = 1; i <= boots; i++)
			print names[order[i]], with[order[i]]
	}'
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
	# head would end before splats.sh does, which then fails.
	splats=$("$VM/splats.sh" "$dir/console.log" | awk 'NR <= 5' | tr '\n\t' '; ')
	if [ -n "$splats" ]; then
		printf 'fail\t%s\tkernel messages\t%s\n' "$suite" "$dir/console.log:$splats"
	else
		printf 'pass\t%s\tkernel messages\t\n' "$suite"
	fi
}

# boot NAMES SETTING...: run these tests in one machine, whose logs go to $boot_dir.
# Sets $boot_rc.
boot()
{
	local names=$1 program=$1 word limit=600 job=test image=$IMAGE
	local -a options=() words=() tests

	shift
	for word in "$@"; do
		case $word in
		mem=*) options+=(--mem "${word#*=}") ;;
		smp=*) options+=(--smp "${word#*=}") ;;
		limit=*) limit=${word#*=} ;;
		secure_mem=*) words+=("uvmem.secure_memory=${word#*=}") ;;
		program=*) program=${word#*=} ;;
		args=*) words+=("uvmem.$word") ;;
		flavour=* | hypervisor=*) ;;
		*) die "TESTS: $names has an unknown setting $word" ;;
		esac
	done
	[ "${FLAVOUR%%-*}" = release ] || limit=$((limit * 3))
	[ "$names" != story ] || job=story
	rm -rf "$boot_dir"
	mkdir -p "$boot_dir"
	IFS=, read -r -a tests <<<"$program"
	if [ "$job" = test ]; then
		image=$boot_dir/initramfs.cpio
		"$VM/image.sh" "$FLAVOUR" --with "$image" "${tests[@]}"
	fi
	boot_rc=0
	"$VM/boot.sh" --kernel "$KDIR" --image "$image" --dir "$boot_dir" --accel "$ACCEL" \
		--timeout $((limit * ${#tests[@]} + BOOT_SECONDS)) "${options[@]}" \
		"uvmem.job=$job" "uvmem.test=$program" "uvmem.limit=$limit" "${words[@]}" ||
		boot_rc=$?
	touch "$boot_dir/channel.log" "$boot_dir/console.log"
}

# A part of a log of several tests: from the N-th line that matches on, of the first
# one everything before as well. part N PATTERN FILE
part()
{
	tr -d '\r' <"$3" | awk -v n="$1" -v pattern="$2" '$0 ~ pattern { seen++ }
		seen == n || (n == 1 && !seen)'
}

# results NAME N QEMU-STATUS: of the N-th test of the machine that ran
results()
{
	local name=$1 n=$2 rc=$3 suite=$SUITE-$FLAVOUR/$1 dir=$OUT/$FLAVOUR/$RUNS/$1 status

	rm -rf "$dir"
	mkdir -p "$dir"
	part "$n" '^@test ' "$boot_dir/channel.log" >"$dir/channel.log"
	part "$n" 'uvmem: test .* begins$' "$boot_dir/console.log" >"$dir/console.log"
	status=$(sed -n 's/^@end //p' "$dir/channel.log")
	{
		if [ "$name" = story ]; then
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

# run_boot NAMES SETTING...: all of them, in as many machines as it takes
run_boot()
{
	local names=$1 begun i failed boot_dir boot_rc
	local -a list

	shift
	while [ -n "$names" ]; do
		boot_dir=$OUT/$FLAVOUR/$RUNS/boot-${names%%,*}
		boot "$names" "$@"
		IFS=, read -r -a list <<<"$names"
		begun=$(grep -ac '^@test ' "$boot_dir/channel.log" || true)
		# The story says none; a machine that did not come up is the first one's.
		[ "$begun" -gt 0 ] || begun=1
		failed=''
		for ((i = 1; i <= begun; i++)); do
			results "${list[i - 1]}" "$i" "$([ "$i" = "$begun" ] && echo "$boot_rc" || echo 0)"
			! grep -q '^fail' "$OUT/$FLAVOUR/$RUNS/${list[i - 1]}/results.tsv" || failed=1
		done
		names=$(IFS=,; echo "${list[*]:begun}")
		# Of a failure everything stays that is needed to run it again.
		[ -n "$failed" ] || rm -rf "$boot_dir"
	done
}

# merge NAME: add its results to those of the whole run; fail if one is a failure
merge()
{
	local file=$OUT/$FLAVOUR/$RUNS/$1/results.tsv

	if [ ! -f "$file" ]; then
		"$TOP/host-tests/results.sh" add fail "$SUITE-$FLAVOUR/$1" results \
			"there are none, see the messages above"
		return 1
	fi
	"$TOP/host-tests/results.sh" merge "$file"
	! grep -q '^fail' "$file"
}

# QEMU takes a SIGINT for an order to power off, and ends as if all was well.
trap 'exit 130' INT
trap 'exit 143' TERM

KDIR=$("$VM/kernel.sh" "$FLAVOUR")
export KDIR
if [ "${1:-}" = --boot ]; then
	shift
	run_boot "$@"
	exit
fi

release=$("$VM/kernel.sh" release)
ACCEL=$("$VM/accel.sh" "$release" "$OUT/release/initramfs.cpio")
export ACCEL
at_once=${AT_ONCE:-$JOBS}
at_once=$((at_once < 4 ? at_once : 4))
check_names "$@"
planned=$(plan "$@")
if [ -z "$planned" ]; then
	[ $# -gt 0 ] || die "there is no test at all"
	echo "$SUITE-$FLAVOUR: nothing to run, another machine or kernel has: $*"
	exit
fi
# What an earlier run left is no result of this one.
while read -r name _; do
	rm -f "$OUT/$FLAVOUR/$RUNS/$name/results.tsv"
done <<<"$planned"
rc=0
echo "$planned" | boots | xargs -P "$at_once" -I{} bash -c "'$0' '$FLAVOUR' --boot {}" || rc=1
while read -r name _; do
	merge "$name" || rc=1
done <<<"$planned"
exit $rc
