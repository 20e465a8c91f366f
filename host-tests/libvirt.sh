#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machines as libvirt domains (VMM=libvirt): both stories, and nothing that
# stays behind, also when a run is killed in the middle.
#
# libvirtd is started here, in namespaces of its own: its configuration, state and
# sockets are in a directory made for the test, so that a daemon of this host is
# not touched; the build and the kernels are not to be seen there, as on a remote
# host; and when the test ends, everything in it is gone. For root it is a system
# daemon, for anybody else a session daemon.

# shellcheck source=vm/env.sh
. "$(dirname "$0")/vm/env.sh"

RESULTS=$TOP/host-tests/results.sh
LOGS=$BUILD/logs/libvirt
PATH=$PATH:/usr/sbin:/sbin

# daemon DIR UID: the first process in the namespaces. A user who is root only
# in there goes back to being himself: libvirtd takes root for the real one.
daemon()
{
	local dir
	local -a as=()

	mount -t tmpfs none /run
	mkdir -p /run/libvirt /run/lock /run/sshd
	if [ "$2" = 0 ]; then
		mount --bind "$1/run" /run/libvirt
		mount --bind "$1/etc" /etc/libvirt
		for dir in lib cache log; do
			mount --bind "$1/$dir" "/var/$dir/libvirt"
		done
	else
		export XDG_RUNTIME_DIR=$1/run XDG_CONFIG_HOME=$1/etc XDG_CACHE_HOME=$1/cache \
			XDG_DATA_HOME=$1/lib
		as=(unshare "--map-user=$2")
	fi
	mount -t tmpfs none "$TOP"
	[ ! -d "$CACHE" ] || mount -t tmpfs none "$CACHE"
	cd /
	"${as[@]}" libvirtd --pid-file /run/libvirtd.pid &
	wait
}

# What a system daemon needs where there is no systemd, and may lack in a container.
configure()
{
	mkdir -p "$D"/{run,etc,cache,log,lib/images}
	cat >"$D/etc/libvirtd.conf" <<-'EOF'
	auth_unix_ro = "none"
	auth_unix_rw = "none"
	EOF
	cat >"$D/etc/qemu.conf" <<-'EOF'
	user = "root"
	group = "root"
	security_driver = "none"
	cgroup_controllers = []
	namespaces = []
	remember_owner = 0
	stdio_handler = "file"
	EOF
}

lv()
{
	LC_ALL=C virsh -q -c "$LOCAL" "$@"
}

NAMESPACES=(--mount --net --pid --fork --kill-child --mount-proc)
[ "$(id -u)" = 0 ] || NAMESPACES+=(--map-root-user)

start()
{
	configure
	unshare "${NAMESPACES[@]}" "$0" --daemon "$D" "$(id -u)" >"$LOGS/libvirtd.log" 2>&1 </dev/null &
	DAEMON=$!
	until [ -S "${LOCAL#*socket=}" ]; do
		kill -0 "$DAEMON" 2>/dev/null ||
			die "libvirtd did not start: $(tail -n 1 "$LOGS/libvirtd.log"), see $LOGS/libvirtd.log"
		sleep 0.2
	done
	lv uri >/dev/null || die "libvirtd does not answer, see $LOGS/libvirtd.log"
}

stop()
{
	# The first process of the namespaces takes all others with it.
	[ -z "${DAEMON:-}" ] || kill -9 "$DAEMON" 2>/dev/null || true
	wait 2>/dev/null
	rm -rf "$D"
}

failed=0
# result NAME COMMAND...: one line of build/results.tsv
result()
{
	local name=$1 log=$LOGS/${1// /-}.log

	shift
	if stage "libvirt: $name" "$log" "$@"; then
		"$RESULTS" add pass libvirt "$name"
	else
		"$RESULTS" add fail libvirt "$name" "$(tail -n 1 "$log"), see $log"
		failed=1
	fi
}

# accel MACHINE: the daemon is on this host, and QEMU the same
accel()
{
	MACHINE=$1 VMM=qemu "$VM/accel.sh" "$(MACHINE=$1 "$VM/kernel.sh" release)" \
		"$BUILD/$1/release/initramfs.cpio"
}

# story MACHINE URI
story()
{
	UVMEM_ACCEL=$(accel "$1") MACHINE=$1 VMM=libvirt LIBVIRT_URI=$2 exec "$VM/run-story.sh"
}

# Both variants of each machine are what libvirt's schema allows.
valid()
{
	MACHINE=$1 VMM=libvirt bash -c '. "$VM/env.sh"
		name=test smp=2 mem=1G append="a=<b> & c"
		for accel in kvm tcg; do
			libvirt_xml $accel >"$0-$accel.xml"
			virt-xml-validate "$0-$accel.xml" domain || exit
		done' "$LOGS/$1"
}

# Everything that a run makes on the daemon's host
leftovers()
{
	local process

	lv list --all --name | sed '/^$/d; s/^/domain /'
	lv pool-list --all | awk '{ print "pool " $1 }'
	find "$D/lib/images" -mindepth 1
	find "$D/etc" -name '*.xml'
	for process in /proc/[0-9]*; do
		if [ "$(readlink "$process/ns/pid")" = "$(readlink "/proc/$DAEMON/ns/pid_for_children")" ]; then
			grep qemu "$process/comm" || true
		fi
	done 2>/dev/null
}

# nothing_left COMMAND...: it succeeded, and left nothing
nothing_left()
{
	local left

	"$@" || return
	left=$(leftovers)
	[ -n "$left" ] || return 0
	echo "$left"
	echo "left behind: ${left%%$'\n'*}, ..."
	return 1
}

# Start x86's story in a process group of its own, send SIGNAL to the group when the
# machine has begun to speak, and wait for the end of all.
interrupt()
{
	local group last live=$BUILD/x86/release/vm/run/channel.log.live

	rm -f "$live"
	env --default-signal=INT setsid "$0" --story x86 "$LOCAL" &
	group=$!
	until [ -s "$live" ]; do
		kill -0 "$group" || return
		sleep 0.2
	done
	kill -s "$1" -- "-$group"
	wait "$group" || true
	while kill -0 -- "-$group" 2>/dev/null; do sleep 0.2; done
	while [ -n "$(lv list --all --name)" ]; do sleep 0.2; done
	# The domain ended because of us, and not because the story was over.
	last=$(find "$D" -path '*/qemu/*' -name 'kvm-uvmem-x86-*.log' -exec tail -n 1 {} \;)
	echo "$last"
	[[ $last == *reason=destroyed* ]]
}

# Nobody was left to remove the pool: the next run does it.
killed()
{
	local left

	interrupt KILL || return
	left=$(leftovers)
	echo "left behind: $left"
	[[ $left == "pool kvm-uvmem-x86-"* && $left != *qemu-system* ]]
}

no_daemon()
{
	local said

	! said=$("$0" --story x86 "qemu+unix:///system?socket=$D/nobody" 2>&1) || return
	echo "$said"
	[ "$(wc -l <<<"$said")" = 1 ] && [[ $said == *"no libvirt daemon answers"* ]]
}

# A processor that the host has not got cannot be had under KVM.
refused()
{
	local said machine=pseries

	[ "$(uname -m)" != ppc64le ] || machine=x86
	! said=$(UVMEM_ACCEL=kvm "$0" --story "$machine" "$LOCAL" 2>&1) || return
	echo "$said"
	[[ $said == *"Failed to create domain"* ]]
}

# An ssh client that reaches the namespaces of the daemon, through an sshd that is
# started for each connection and knows one key.
remote()
{
	local key

	for key in host user; do
		ssh-keygen -q -t ed25519 -N '' -f "$D/$key"
	done
	cat >"$D/sshd_config" <<-EOF
	HostKey $D/host
	AuthorizedKeysFile $D/user.pub
	StrictModes no
	UsePAM no
	PermitRootLogin prohibit-password
	EOF
	cat >"$D/ssh" <<-EOF
	#!/bin/sh
	exec ssh -F none -i "$D/user" -o IdentitiesOnly=yes -o BatchMode=yes \
		-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR \
		-o ProxyCommand="nsenter -t $(<"/proc/$DAEMON/task/$DAEMON/children") -m -n -p $(command -v sshd) -i -f $D/sshd_config" "\$@"
	EOF
	chmod +x "$D/ssh"
	REMOTE="qemu+ssh://root@daemon.invalid/system?command=$D/ssh"
}

case ${1:-} in
--daemon) daemon "$2" "$3"; exit ;;
--story) story "$2" "$3"; exit ;;
esac

if ! said=$(unshare "${NAMESPACES[@]}" true 2>&1); then
	"$RESULTS" add skip libvirt "all" "libvirtd is to have namespaces of its own: $said"
	exit
fi
D=$(mktemp -d /tmp/uvmem.XXXXXX)	# a socket's path must be short
if [ "$(id -u)" = 0 ]; then
	LOCAL="qemu+unix:///system?socket=$D/run/libvirt-sock"
else
	LOCAL="qemu+unix:///session?socket=$D/run/libvirt/libvirt-sock"
	export LIBVIRT_DIR=$D/lib/images
fi
mkdir -p "$LOGS"
trap stop EXIT
trap 'exit 130' INT TERM HUP
start
# Asked here, so that no test tells that it was.
for machine in x86 pseries; do
	accel $machine >/dev/null
done

result "x86 domain" valid x86
result "pseries domain" valid pseries
result "no daemon" no_daemon
result "killed" killed
result "interrupted" nothing_left interrupt INT
result "refused" nothing_left refused
result "pseries story" nothing_left "$0" --story pseries "$LOCAL"
if [ "$(id -u)" = 0 ] && command -v sshd >/dev/null; then
	remote
	result "x86 story through ssh" nothing_left "$0" --story x86 "$REMOTE"
else
	result "x86 story" nothing_left "$0" --story x86 "$LOCAL"
	"$RESULTS" add skip libvirt "x86 story through ssh" "it needs root and openssh-server"
fi
exit $failed
