# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# VMM=libvirt: have the libvirt daemon at LIBVIRT_URI run the machine. It may be on
# another host, so that no path of ours means anything to it: kernel and initramfs
# are uploaded into a storage pool, the channel is read through virsh console, and
# the logs are downloaded. Sourced by env.sh; vmm_run sees the variables of boot.sh.
#
# The domain is a transient one that lives as long as the virsh that reads its
# channel: however that ends, libvirt destroys the domain. The pool is removed
# here, and if this script is killed, by the next run from the same directory.

LIBVIRT_URI=${LIBVIRT_URI:-qemu:///system}
# Where on the daemon's host the pool's directory goes.
case $LIBVIRT_URI in
*/session*) LIBVIRT_DIR=${LIBVIRT_DIR:-/var/tmp} ;;
*) LIBVIRT_DIR=${LIBVIRT_DIR:-/var/lib/libvirt/images} ;;
esac
export LIBVIRT_URI LIBVIRT_DIR

lv()
{
	LC_ALL=C virsh -q -c "$LIBVIRT_URI" "$@"
}

# One sentence where nobody answers.
vmm_check()
{
	local said

	said=$(lv uri 2>&1) && return
	said=${said##*error: }
	die "no libvirt daemon answers at $LIBVIRT_URI (${said%$'\n'}): start one there, as root, with" \
		"'systemctl start libvirtd' or, without systemd, 'libvirtd -d'; or name another with LIBVIRT_URI="
}

vmm_may_accelerate()
{
	lv domcapabilities --virttype kvm --arch "$QEMU_ARCH" --machine "$QEMU_MACHINE" \
		>/dev/null 2>&1
}

# What the verdict on KVM depends on beside this host.
vmm_host()
{
	printf -- '-%s' "$(printf %s "$LIBVIRT_URI" | sha256sum | head -c 12)"
}

# Names of ours on a host that others may use too: the same for each run from one
# directory, different for any other.
libvirt_name()
{
	echo "kvm-uvmem-$MACHINE-$(echo "$(uname -n) $(realpath "$dir")" | sha256sum | head -c 12)"
}

xml_escape()
{
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g; s/'\''/\&apos;/g' <<<"$1"
}

# libvirt_xml ACCEL: print the domain
libvirt_xml()
{
	local xml word domain_features domain_cpu domain_cpus=$smp
	local -A value

	machine_domain "$1"
	value=(
		[TYPE]=$([ "$1" = kvm ] && echo kvm || echo qemu)
		[NAME]=$name
		[MEMORY]=${mem%%[A-Z]*}
		[MEMORY_UNIT]=${mem##*[0-9]}
		[CPUS]=$domain_cpus
		[ARCH]=$QEMU_ARCH
		[MACHINE]=$QEMU_MACHINE
		[FEATURES]=$domain_features
		[CPU]=$domain_cpu
		[DIR]=$(xml_escape "$LIBVIRT_DIR/$name")
		[CMDLINE]=$(xml_escape "$append")
	)
	xml=$(<"$VM/domain.xml")
	for word in "${!value[@]}"; do
		xml=${xml//"@$word@"/"${value[$word]}"}
	done
	echo "$xml"
}

# upload VOLUME FILE
libvirt_upload()
{
	lv vol-create-as "$name" "$1" "$(stat -L -c %s "$2")B" --format raw
	lv vol-upload "$1" "$2" --pool "$name"
}

libvirt_pool()
{
	cat >"$dir/pool.xml" <<-EOF
	<pool type='dir'>
	  <name>$name</name>
	  <target><path>$(xml_escape "$LIBVIRT_DIR/$name")</path></target>
	</pool>
	EOF
	lv pool-define "$dir/pool.xml"
	lv pool-start "$name" --build
	libvirt_upload kernel "$kernel/$KERNEL_IMAGE"
	libvirt_upload initrd "$image"
}

# Leave nothing on the daemon's host, from whatever state things are in.
libvirt_remove()
{
	local info volume commands=''

	if lv domstate "$name" >/dev/null 2>&1; then
		# It may end by itself at this moment.
		lv destroy "$name" || true
	fi
	info=$(lv pool-info "$name" 2>/dev/null) || return 0
	[[ $info == *running* ]] || lv pool-start "$name" --build
	lv pool-refresh "$name"
	for volume in $(lv vol-list "$name" | awk '{ print $1 }'); do
		commands+="vol-delete $volume $name; "
	done
	lv "${commands}pool-destroy $name; pool-delete $name; pool-undefine $name"
}

# The logs as QEMU wrote them; there are none if the domain did not start.
libvirt_logs()
{
	local log

	touch "$dir/channel.log" "$dir/console.log"
	lv pool-refresh "$name"
	for log in $(lv vol-list "$name" | awk '$1 ~ /\.log$/ { print $1 }'); do
		lv vol-download "$log" "$dir/$log" --pool "$name"
	done
}

# What QEMU writes last may not reach the terminal any more: print the rest. If
# something else is missing, print all.
libvirt_rest()
{
	local seen

	seen=$(stat -c %s "$dir/channel.live")
	if ! cmp -s -n "$seen" "$dir/channel.live" "$dir/channel.log"; then
		echo "The terminal of $name did not show everything; once more:" | tee -a "$dir/virsh.log"
		seen=0
	fi
	tail -c "+$((seen + 1))" "$dir/channel.log"
}

# The channel as a stream. virsh console insists on a terminal, so script makes it one.
libvirt_stream()
{
	local command

	command=$(printf 'exec virsh -q -c %q %q 2>>%q' "$LIBVIRT_URI" "$1" "$dir/virsh.log")
	SHELL=/bin/bash timeout --foreground -k 5 "$timeout" script -qec "$command" /dev/null \
		</dev/null | tee "$dir/channel.live"
}

# Run the machine until it ends.
vmm_run()
{
	local rc=0 run

	name=$(libvirt_name)	# not local: the trap runs outside
	vmm_check
	trap 'libvirt_remove >>"$dir/virsh.log" 2>&1' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	libvirt_remove >>"$dir/virsh.log"
	libvirt_pool >>"$dir/virsh.log"
	libvirt_xml "$accel" >"$dir/domain.xml"

	run="create $(printf %q "$dir/domain.xml") --validate --autodestroy; "
	run+="console $name --devname serial1"
	if [ -n "$stdio" ] && [ -t 0 ]; then
		virsh -c "$LIBVIRT_URI" "$run" || rc=$?
		libvirt_logs >>"$dir/virsh.log"
		return $rc
	fi
	[ -n "$stdio" ] || exec >/dev/null
	# In the background, because bash runs no trap while something in the foreground runs.
	libvirt_stream "$run" &
	wait $! || rc=$?
	libvirt_logs >>"$dir/virsh.log"
	libvirt_rest
	[ $rc = 0 ] || tail -n 5 "$dir/virsh.log" >&2
	return $rc
}
