# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# apt with a private configuration: the system's own lists and sources are not
# touched, and the mirror is the one the system uses. Sourced by scripts that
# set APT to a directory of theirs.

apt_codename()
{
	(. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

# apt_private SUITE COMMAND...: apt that sees SUITE of the system's mirror only.
# APT_ARCH=name looks for packages of another architecture.
apt_private()
{
	local suite=$1 id codename uri component keyring signed='' arch=''

	shift
	id=$(. /etc/os-release && echo "$ID")
	codename=$(apt_codename)
	# shellcheck disable=SC2016
	read -r uri component < <(apt-get indextargets --format '$(REPO_URI)|$(CODENAME)|$(COMPONENT)' |
		awk -F'|' -v c="$codename" '$2 == c && $3 ~ /^(main|universe)$/ && !seen[$3]++ {
			uri = $1; comp = comp " " $3 } END { print uri, comp }')
	[ -n "$uri" ] || { echo "apt knows no mirror of $codename: run apt-get update as root, then make again" >&2; return 1; }
	keyring=/usr/share/keyrings/$id-archive-keyring.gpg
	[ ! -f "$keyring" ] || signed="[signed-by=$keyring] "
	[ -z "${APT_ARCH:-}" ] || arch="-o APT::Architecture=$APT_ARCH -o APT::Architectures=$APT_ARCH"
	mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
	echo "deb $signed$uri $suite $component" >"$APT/sources.list"
	# shellcheck disable=SC2086
	"$@" -o Dir::Etc::sourcelist="$APT/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$APT/lists" -o Dir::Cache="$APT/cache" \
		-o APT::Sandbox::User="$(id -un)" $arch
}
