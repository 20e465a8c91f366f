#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Print how QEMU should run the machine: kvm or tcg. A /dev/kvm that
# opens and creates VMs may still be unable to boot a kernel or to nest, so a
# guest that runs a guest of its own is booted under it, once a boot of the host.
# UVMEM_ACCEL=kvm|tcg says it without asking.
#   accel.sh KDIR IMAGE

# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"

KDIR=${1:?usage: accel.sh KDIR IMAGE}
IMAGE=${2:?usage: accel.sh KDIR IMAGE}
DIR=$BUILD/$MACHINE/probe
PROBE_SECONDS=30

# Sets $answer: kvm or tcg, or nothing when the machine neither said anything nor
# ran until the watchdog ended it: that may be another reason, and another time better.
probe()
{
	local rc=0

	answer=
	"$VM/boot.sh" --kernel "$KDIR" --image "$IMAGE" --dir "$DIR" --accel kvm \
		--timeout $PROBE_SECONDS uvmem.job=probe || rc=$?
	if grep -qx '@end 0' "$DIR/channel.log"; then
		answer=kvm
	elif [ $rc = 124 ] || [ $rc = 137 ] || grep -q '^@' "$DIR/channel.log"; then
		answer=tcg
	fi
}

# QEMU takes a SIGINT for an order to power off, and ends as if all was well.
trap 'exit 130' INT
trap 'exit 143' TERM

vmm_check
case ${UVMEM_ACCEL:-} in
kvm | tcg) echo "$UVMEM_ACCEL"; exit ;;
"") ;;
*) die "UVMEM_ACCEL=$UVMEM_ACCEL: kvm or tcg" ;;
esac
if ! vmm_may_accelerate; then
	echo tcg
	exit
fi

verdict=$CACHE/accel/$MACHINE-$(cat /proc/sys/kernel/random/boot_id)$(vmm_host)
if [ ! -s "$verdict" ]; then
	mkdir -p "${verdict%/*}" "$BUILD/logs"
	echo "KVM: trying for at most $PROBE_SECONDS seconds whether it runs guests in guests" >&2
	probe >"$BUILD/logs/probe-$MACHINE.log" 2>&1
	[ "$answer" = kvm ] ||
		echo "KVM does not run the machine here: using QEMU's emulation (TCG)" >&2
	[ -z "$answer" ] || echo "$answer" >"$verdict"
	echo "${answer:-tcg}"
	exit
fi
cat "$verdict"
