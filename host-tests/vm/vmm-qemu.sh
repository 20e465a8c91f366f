# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# VMM=qemu: start QEMU ourselves, on this host. Sourced by env.sh; vmm_run sees the
# variables of boot.sh.

# Whether machines can be run at all.
vmm_check()
{
	:
}

vmm_may_accelerate()
{
	machine_may_accelerate
}

# What the verdict on KVM depends on beside this host.
vmm_host()
{
	:
}

# Run the machine until it ends.
vmm_run()
{
	local rc=0
	local -a qemu

	mapfile -t qemu < <(machine_qemu "$accel")
	qemu+=(-m "$mem" -smp "$smp" -display none -nodefaults -no-user-config -no-reboot
		-kernel "$kernel/$KERNEL_IMAGE" -initrd "$image"
		-serial "file:$dir/console.log")
	if [ -n "$stdio" ]; then
		qemu+=(-serial mon:stdio)
	else
		qemu+=(-serial "file:$dir/channel.log")
	fi
	qemu+=(-append "$append")
	printf '%q ' "${qemu[@]}" >"$dir/command"
	# It ends with us, however we end.
	setpriv --pdeathsig TERM timeout --foreground -k 5 "$timeout" "${qemu[@]}" 2> >(tee "$dir/qemu.log" >&2) || rc=$?
	return $rc
}
