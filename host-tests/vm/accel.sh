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

probe()
{
	"$VM/boot.sh" --kernel "$KDIR" --image "$IMAGE" --dir "$DIR" --accel kvm \
		--timeout $PROBE_SECONDS uvmem.job=probe
	grep -qx '@end 0' "$DIR/channel.log"
}

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
	if probe >"$BUILD/logs/probe-$MACHINE.log" 2>&1; then
		echo kvm >"$verdict"
	else
		echo "KVM does not run the machine here: using QEMU's emulation (TCG)" >&2
		echo tcg >"$verdict"
	fi
fi
cat "$verdict"
