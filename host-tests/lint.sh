#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint: each tool is one test, which passes when the tool has nothing to say.

# shellcheck source=vm/env.sh
. "$(dirname "$0")/vm/env.sh"

RESULTS=$TOP/host-tests/results.sh
CLANG_FORMAT=14		# other versions break lines in other places

cd "$TOP"

# files PATTERN...: the sources that match; git may not be here, or not want to
files()
{
	local file pattern

	find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%P\n' | sort |
		while read -r file; do
			for pattern; do
				# shellcheck disable=SC2053
				[[ $file != $pattern ]] || echo "$file"
			done
		done
}

kernel_files()
{
	files 'kvm-uvmem/*.[ch]' 'uv-sim/linux/*.[ch]' \
		'uv-sim/upstream/*.[ch]' 'host-tests/bench/module/*.[ch]' 'uv-sim/uapi/*.h' 'uv-sim/core/*.[ch]'
}

user_files()
{
	files 'guest-tools/*.[ch]' 'uv-sim/user/*.[ch]' 'host-tests/*.[ch]' |
		grep -v '^host-tests/bench/module/'
}

shell_files()
{
	files '*.sh' '.ci/run' host-tests/vm/init 'guest-tools/*.bash'
}

# checkpatch TYPES-TO-IGNORE, files on stdin
checkpatch()
{
	xargs "$KSRC/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
		--no-summary -q ${1:+--ignore "$1"} -f
}

# The core, and the formats and numbers that it shares with others, are C for any
# machine: C11's integers and no macros of the kernel. The macros that tracepoints
# are made of have a layout of their own, and code out of tree asks for versions.
run_checkpatch()
{
	local any='^uv-sim/(core|uapi)/' trace='/trace\.h$' compat='/compat\.h$' said=0

	kernel_files | grep -vE "$any|$trace|$compat" | checkpatch '' || said=1
	kernel_files | grep -E "$any" | checkpatch PREFER_KERNEL_TYPES,BIT_MACRO || said=1
	kernel_files | grep -E "$compat" |
		checkpatch LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED || said=1
	kernel_files | grep -E "$trace" |
		checkpatch OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT || said=1
	return "$said"
}

# sparse's and gcc's warnings about our files; every file is looked at again.
run_sparse()
{
	local log=$BUILD/logs/lint-sparse-build.log

	"$VM/modules.sh" "$KDIR" "$BUILD/$MACHINE/sparse" clean modules C=2 W=1 >"$log" 2>&1 ||
		{ tail -n 20 "$log"; return 1; }
	! grep -E '(warning|error):' "$log"
}

run_clang_format()
{
	user_files | xargs clang-format --dry-run --Werror
}

run_shellcheck()
{
	shell_files | xargs shellcheck -x
}

# A register variable that is an operand of asm looks unused to cppcheck.
run_cppcheck()
{
	{ user_files; files 'uv-sim/core/*.c'; } | grep '\.c$' |
		xargs cppcheck --quiet --std=c11 --enable=warning,performance --inline-suppr \
			--error-exitcode=1 --suppress=missingIncludeSystem \
			--suppress='constStatement:*/doorbell.c' -j"$JOBS" -I "$TOP"
}

# An ioctl() without its third argument hands over what happens to be in the register.
run_ioctl()
{
	! user_files | xargs grep -nE '\bioctl\([^(),]+,[^(),]+\)'
}

failed=0
# tool NAME FUNCTION
tool()
{
	local log=$BUILD/logs/lint-$1.log

	if STAGE_TAIL=60 stage "$1" "$log" "$0" "$2" && [ ! -s "$log" ]; then
		"$RESULTS" add pass lint "$1"
	else
		"$RESULTS" add fail lint "$1" "$(wc -l <"$log") lines in $log"
		failed=1
	fi
}

KSRC=$("$VM/source.sh")
KDIR=$("$VM/kernel.sh" release)
if [ $# -gt 0 ]; then
	"$1"
	exit
fi
tool checkpatch run_checkpatch
tool sparse run_sparse
version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" = $CLANG_FORMAT ]; then
	tool clang-format run_clang_format
else
	"$RESULTS" add skip lint clang-format \
		"the sources are formatted as version $CLANG_FORMAT does it, here is version $version"
fi
tool shellcheck run_shellcheck
tool cppcheck run_cppcheck
tool ioctl run_ioctl
exit $failed
