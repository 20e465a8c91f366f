# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of uvctl's command line for bash.

# VMs that have a socket; asking each whether it lives would take too long here.
_uvctl_ids()
{
	local dir=${UVMEM_RUN_DIR:-/run/uvmem} socket

	for socket in "$dir"/*.sock; do
		[[ -S $socket ]] || continue
		socket=${socket##*/}
		echo "${socket%.sock}"
	done
}

# The words of the command line that are no options, without the current one.
# Bash splits "--vcpu=1" into three words.
_uvctl_words()
{
	local i

	words=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i + 1]-} == = ]]; then
			((i += 2))
			continue
		fi
		case ${COMP_WORDS[i]} in
		-c | -s | -i | -n | --vcpu | --string | --interval | --count) ((i += 1)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
}

_uvctl()
{
	local commands="status list stat stats top map state pagemap peek poke page-in page-out
		guest esm share unshare terminate quit trace"
	local guest="read write fill checksum pattern verify esm share unshare unshare-all
		random ucall nop exit"
	local ucalls="UV_WRITE_PATE UV_ESM UV_RETURN UV_REGISTER_MEM_SLOT
		UV_UNREGISTER_MEM_SLOT UV_PAGE_IN UV_PAGE_OUT UV_SHARE_PAGE UV_UNSHARE_PAGE
		UV_PAGE_INVAL UV_SVM_TERMINATE UV_UNSHARE_ALL_PAGES H_RANDOM"
	local options="--json --vcpu= --string= --pages --hypercall --interval= --count=
		--help --usage --version"
	local current=${COMP_WORDS[COMP_CWORD]} choice="" words

	_uvctl_words
	case $current in
	-*) choice=$options ;;
	*)
		case ${#words[@]}:${words[0]-} in
		0:*) choice=$commands ;;
		1:status | 1:list | 1:top | 1:trace) ;;
		1:*) choice=$(_uvctl_ids) ;;
		2:guest) choice=$guest ;;
		3:guest) [[ ${words[2]} != ucall ]] || choice=$ucalls ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choice" -- "$current")
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _uvctl uvctl
