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
QEMU_ARCH=ppc64			# QEMU's and libvirt's name of the architecture
QEMU_MACHINE=pseries
CONSOLE=hvc0			# the kernel's messages
MACHINE_APPEND=			# words of the kernel's command line
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

# machine_caps ACCEL: what the partition can do, as QEMU and libvirt name it
machine_caps()
{
	echo nested-hv=on
	# Mitigations that TCG does not have; QEMU warns about each that it is asked for.
	[ "$1" = kvm ] || printf '%s\n' cfpc=broken sbbc=broken ibs=broken ccf-assist=off
}

# Under TCG the processors take turns in one thread unless UVMEM_TCG=multi, which
# is slower, and QEMU's small firmware (x-vof) boots the kernel: the full one takes
# four times as long as the kernel does. It leaves the NVRAM alone, which QEMU
# formats when there is a variable to put into it.
# machine_qemu ACCEL: the QEMU command for this machine, one word a line
machine_qemu()
{
	local caps

	caps=$(machine_caps "$1" | sed 's/^/,cap-/' | tr -d '\n')
	printf '%s\n' "qemu-system-$QEMU_ARCH" -vga none
	case $1 in
	kvm) printf '%s\n' -M "$QEMU_MACHINE$caps" -accel kvm -cpu host ;;
	tcg)
		printf '%s\n' -M "$QEMU_MACHINE,x-vof=on$caps" -cpu power9 \
			-prom-env 'auto-boot?=true'
		machine_tcg ;;
	esac
}

# machine_domain ACCEL: the same for domain.xml, in domain_*
machine_domain()
{
	domain_features=$(machine_caps "$1" |
		sed -E "s|(.*)=(on\|off)|<\1 state='\2'/>|; s|^([^<]*)=(.*)|<\1 value='\2'/>|")
	case $1 in
	kvm) domain_cpu="<cpu mode='host-passthrough'/>" ;;
	tcg) domain_cpu="<cpu mode='custom' check='none'><model>POWER9</model></cpu>" ;;
	esac
}

# Whether the host could accelerate this machine at all.
machine_may_accelerate()
{
	[ "$(uname -m)" = ppc64le ] && [ -w /dev/kvm ]
}
