# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# MACHINE=pseries: what is special about the POWER9 partition, whose guests are
# guests of nested KVM-HV. Sourced by env.sh. On a ppc64le host everything is
# built natively, elsewhere with the distribution's cross compiler.

KARCH=powerpc			# the kernel's name of the architecture
GUEST_ARCH=ppc64		# the name of the folders in guest-tools
if [ "$(uname -m)" = ppc64le ]; then
	CROSS=
else
	CROSS=powerpc64le-linux-gnu-
fi
# Fetched by sysroot.sh when the host is of another architecture.
MACHINE_DEB_ARCH=ppc64el
MACHINE_DEBS="libssl-dev libjson-c-dev busybox-static"
KERNEL_IMAGE=vmlinux
KERNEL_TARGETS="vmlinux modules"
CONSOLE=hvc0			# the kernel's messages
CHANNEL=hvc1			# the tests' output

# Modules of the test kernel in the order of loading.
MACHINE_MODULES="kvm kvm-hv"

# machine_flavour FLAVOUR: the fragments of this kernel beside common.config and
# the machine's; nothing if there is no such kernel. The two that make check
# runs have different page sizes, so that no code relies on one of them.
machine_flavour()
{
	case $1 in
	release | debug-64k) echo "${1%-*} pages-64k" ;;
	debug | release-4k) echo "${1%-*} pages-4k" ;;
	esac
}

# Under TCG the processors take turns in one thread unless UVMEM_TCG=multi, which
# is slower, and QEMU's small firmware (x-vof) boots the kernel: the full one takes
# four times as long as the kernel does. It leaves the NVRAM alone, which QEMU
# formats when there is a variable to put into it.
# machine_qemu ACCEL: the QEMU command for this machine, one word a line
machine_qemu()
{
	local caps=cap-nested-hv=on

	case $1 in
	kvm) printf '%s\n' qemu-system-ppc64 -M "pseries,$caps" -accel kvm -cpu host -vga none ;;
	tcg)
		# Mitigations that TCG does not have; QEMU warns about each that it is asked for.
		caps+=,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off
		printf '%s\n' qemu-system-ppc64 -M "pseries,$caps" -accel "tcg,thread=${UVMEM_TCG:-single}" \
			-cpu power9 -vga none -prom-env 'auto-boot?=true'
		;;
	esac
}

# Whether the host could accelerate this machine at all.
machine_may_accelerate()
{
	[ "$(uname -m)" = ppc64le ] && [ -w /dev/kvm ]
}
