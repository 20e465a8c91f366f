# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The rounds of the benchmark, sourced where load, load_uv_sim and unload are (init). In
# each round everything is measured once, so that what is compared was measured
# side by side, and every measurement meets the machine at several moments.

# set_of SET CIPHER PAGES
set_of()
{
	uvbench "$1" "$2" "$3" "$round" ${quick:+quick} || failed=1
}

with_cipher()
{
	local cipher=$1 pages=$2 set

	shift 2
	load_uv_sim "cipher=$([ "$cipher" = copy ] && echo copy || echo aes-256-gcm)" &&
		load kvm-uvmem || return
	for set; do
		set_of "$set" "$cipher" "$pages"
	done
	unload || failed=1
}

# rounds ROUNDS PAGES PAGES-WITH-AES [quick]: the figures with the copy, the
# peer's, those with AES, the limit's
rounds()
{
	local n=$1 pages=$2 aes=$3 quick=${4:-} round=0 failed=0 holder

	echo 1 >/proc/sys/vm/overcommit_memory
	uvbench hold copy 0 0 &
	holder=$!
	while [ "$round" -lt "$n" ]; do
		round=$((round + 1))
		echo "@round $round"
		with_cipher copy "$pages" host bulk guest threads sizes trace || return
		set_of hmm copy "$pages"
		with_cipher aes "$aes" host bulk guest threads || return
		set_of limit aes "$aes"
	done
	kill "$holder"
	return $failed
}
