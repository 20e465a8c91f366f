# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# The rounds of the benchmark, sourced where load, load_uv_sim, unload and
# hypervisor are (init). In each round everything is measured once, so that what is
# compared was measured side by side, and every measurement meets the machine at
# several moments.

# set_of SET CIPHER PAGES
set_of()
{
	uvbench "$1" "$2" "$3" "$round" ${quick:+quick} || failed=1
}

# sets CIPHER PAGES SET...
sets()
{
	local cipher=$1 pages=$2 set

	shift 2
	for set; do
		set_of "$set" "$cipher" "$pages"
	done
}

# uv_sim CIPHER
uv_sim()
{
	load_uv_sim "cipher=$([ "$1" = copy ] && echo copy || echo aes-256-gcm)"
}

# with_kvm_uvmem CIPHER PAGES SET...
with_kvm_uvmem()
{
	uv_sim "$1" && load kvm-uvmem || return
	sets "$@"
	unload || failed=1
}

# with_upstream CIPHER PAGES SET...: the same with the kernel's own hypervisor half.
# KVM-HV looks for an ultravisor when it is loaded, so it comes anew, and once more
# when that ultravisor is gone.
# shellcheck disable=SC2034
with_upstream()
{
	[ -f /lib/modules/uv-upstream.ko ] || return 0
	hypervisor=upstream
	unload && uv_sim "$1" && load uv-upstream && load kvm-hv || return
	sets "$@"
	unload || return
	hypervisor=kvm-uvmem
	load kvm-hv
}

one_round()
{
	with_kvm_uvmem copy "$pages" host bulk guest threads sizes trace huge || return
	with_upstream copy "$pages" host bulk guest threads sizes || return
	[ ! -e /dev/hmm_dmirror0 ] || set_of hmm copy "$pages"
	with_kvm_uvmem aes "$aes" host bulk guest threads || return
	with_upstream aes "$aes" host bulk guest threads || return
	set_of limit aes "$aes"
}

# rounds ROUNDS PAGES PAGES-WITH-AES [quick]; $holder is to be killed if it does not return
rounds()
{
	local n=$1 pages=$2 aes=$3 quick=${4:-} round=0 failed=0

	holder=
	echo 1 >/proc/sys/vm/overcommit_memory
	# A VM that stays would keep KVM-HV from going.
	if [ ! -f /lib/modules/uv-upstream.ko ]; then
		uvbench hold copy 0 0 &
		holder=$!
	fi
	while [ "$round" -lt "$n" ]; do
		round=$((round + 1))
		echo "@round $round"
		one_round || return
	done
	[ -z "$holder" ] || kill "$holder"
	holder=
	return $failed
}
