# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# MACHINE=x86: what is special about the PC. Sourced by env.sh; another machine
# is another file like this one, plus a kernel-config fragment.

KARCH=x86			# the kernel's name of the architecture
GUEST_ARCH=x86			# the name of the folders in guest-tools
CROSS=				# prefix of the cross compiler
KERNEL_IMAGE=arch/x86/boot/bzImage
KERNEL_TARGETS="bzImage modules"
MACHINE_PACKAGES="vm-x86"	# in packages.sh
QEMU_ARCH=x86_64		# QEMU's and libvirt's name of the architecture
QEMU_MACHINE=q35
CONSOLE=ttyS0			# the kernel's messages
# Emulation on a busy host may lose the ticks that the kernel looks for at its start.
MACHINE_APPEND=no_timer_check	# words of the kernel's command line
CHANNEL=ttyS1			# the tests' output

# Modules of the test kernel in the order of loading. "a|b" is whichever the
# processor offers.
MACHINE_MODULES="irqbypass kvm kvm-amd|kvm-intel"

# machine_flavour FLAVOUR: the fragments of this kernel beside common.config and
# the machine's; nothing if there is no such kernel.
machine_flavour()
{
	case $1 in
	release | debug) echo "$1" ;;
	esac
}

# Under TCG the processors take turns in one thread unless UVMEM_TCG=multi. With
# a thread each, QEMU 7.2 now and then had the kernel oops on the int3 of a static
# key that another processor was patching; and it is slower.
# machine_qemu ACCEL: the QEMU command for this machine, one word a line
machine_qemu()
{
	printf '%s\n' "qemu-system-$QEMU_ARCH" -M "$QEMU_MACHINE"
	case $1 in
	kvm) printf '%s\n' -accel kvm -cpu host ;;
	tcg)
		printf '%s\n' -cpu max
		machine_tcg ;;
	esac
}

# machine_domain ACCEL: the same for domain.xml, in domain_*. libvirt always takes
# a thread a processor, and QEMU the first -accel it is given, so that the domain
# gets one processor where QEMU's would take turns.
machine_domain()
{
	domain_features="<acpi/>"
	case $1 in
	kvm) domain_cpu="<cpu mode='host-passthrough'/>" ;;
	tcg)
		domain_cpu="<cpu mode='maximum'/>"
		[ "${UVMEM_TCG:-single}" = multi ] || domain_cpus=1
		;;
	esac
}

# Whether the host could accelerate this machine at all.
machine_may_accelerate()
{
	[ "$(uname -m)" = x86_64 ] && [ -w /dev/kvm ]
}
