# SPDX-License-Identifier: GPL-2.0
#
# Two makefiles in one: for Kbuild, which sets srctree and obj, the list of the
# modules; for people, everything else ("make help").

ifneq ($(and $(srctree),$(obj)),)

# Built as CONFIG_..=m out of tree; from Kconfig when linked into a kernel tree.
ifeq ($(CONFIG_MODULES)$(CONFIG_KVM_UVMEM)-$(CONFIG_DEVICE_PRIVATE),ym-)
$(error kvm-uvmem needs a kernel with CONFIG_DEVICE_PRIVATE=y)
endif

obj-$(CONFIG_UV_SIM) += uv-sim/linux/
obj-$(CONFIG_UV_UPSTREAM) += uv-sim/upstream/
obj-$(CONFIG_KVM_UVMEM) += kvm-uvmem/

else

MACHINE ?= x86
# Those whose packages the tests want: check has both.
MACHINES ?= $(MACHINE:upstream=pseries)
KDIR ?= /lib/modules/$(shell uname -r)/build
KERNELS ?= release debug
TESTS ?=
VMM ?= qemu
LIBVIRT_URI ?= qemu:///system
export MACHINE VMM LIBVIRT_URI MAKE SEED COUNT REPLAY

VM := host-tests/vm
# A daemon on another host needs nothing here.
VMM_NEEDS = $(if $(filter libvirt,$(VMM)),libvirt $(if $(findstring :///,$(LIBVIRT_URI)),libvirtd))

# The stages follow one another; each uses all processors by itself.
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## this list
	@echo 'kvm-uvmem: secure guest memory without the hardware'
	@echo
	@awk -F ':.*## ' '/^[a-z][a-z0-9_-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)
	@echo
	@echo 'Variables: KDIR=  KSRC=  UVMEM_CACHE=  UVMEM_ACCEL=kvm|tcg  JOBS=  MACHINE=x86|pseries|upstream'
	@echo '           KERNELS="release debug"  TESTS="names"  VMM=qemu|libvirt  LIBVIRT_URI=  BENCH=quick'
	@echo '           (docs/building.md, docs/libvirt.md, docs/performance.md)'

run: image-run ## boot the machine and tell the story of a secure VM
	@$(VM)/run-story.sh

shell: terminal modules-release tools-tests ## an interactive shell in the machine, everything loaded
	@$(VM)/image.sh release
	@$(VM)/shell.sh release

check: export MACHINES = x86 pseries
# The same sequences each time; check-conformance draws others.
check: export SEED = 4242
check: ## run every test; the last line is the totals
	+@host-tests/check.sh unit lint kconfig shell x86 pseries upstream conformance-x86 \
		conformance-pseries conformance-upstream libvirt bench-x86 bench-pseries

check-unit: ## unit tests of the ultravisor's core and the tools, with sanitizers too
	+@host-tests/check.sh unit

check-x86: ## the tests in the x86 machine (KERNELS=, TESTS= choose)
	+@MACHINE=x86 host-tests/check.sh x86

check-pseries: ## the same tests in the ppc64le machine (KERNELS=, TESTS= choose)
	+@MACHINE=pseries host-tests/check.sh pseries

check-upstream: export MACHINE = upstream
check-upstream: ## upstream's own hypervisor half, of the kernel in KSRC= (KERNELS=)
	+@host-tests/check.sh upstream conformance-upstream

check-conformance: ## the model against the hypervisor (SEED= COUNT= REPLAY= choose)
	+@host-tests/check.sh conformance

check-shell: ## make shell, as at a terminal
	+@host-tests/check.sh shell

check-libvirt: ## the story of both machines as libvirt domains
	+@host-tests/check.sh libvirt

check-kconfig: ## build from a kernel tree, through Kconfig
	+@host-tests/check.sh kconfig

# On the host itself nothing has to be prepared: it is looked at first.
bench: $(if $(filter host,$(MACHINE)),,setup-bench image-release) ## measure, beside test_hmm or upstream (BENCH=quick: small)
	@host-tests/bench/$(if $(filter host,$(MACHINE)),host,run).sh

lint: ## checkpatch, sparse, clang-format, shellcheck, cppcheck, ioctl() without an argument
	+@host-tests/check.sh lint

tools: setup ## uvlaunch, uvstory, uvctl and the agent, in build/
	@$(VM)/tools.sh

modules: ## the modules for the kernel in KDIR=, in build/
	@$(VM)/user-modules.sh "$(KDIR)" modules

modules_install: modules ## install those modules (as root)
	@$(VM)/user-modules.sh "$(KDIR)" modules_install

clean: ## remove build/ (the kernels stay in the cache)
	rm -rf build

# What the above are made of.

stage-unit: setup-check
	@host-tests/unit.sh

stage-lint: setup-check kernel-release
	@host-tests/lint.sh

stage-kconfig: setup-check kernel-release
	@host-tests/kconfig.sh

stage-x86 stage-pseries stage-upstream: stage-%:
	+@$(MAKE) --no-print-directory MACHINE=$* stage-vm

stage-vm: setup-check $(addprefix image-,$(sort release $(KERNELS)))
	@rc=0; for kernel in $(KERNELS); do \
		$(VM)/run-tests.sh $$kernel $(TESTS) || rc=1; done; exit $$rc

# Only that it runs and that every figure is there.
stage-bench: setup-check setup-bench image-release
	@BENCH=quick host-tests/bench/run.sh --check

stage-bench-x86 stage-bench-pseries: stage-bench-%:
	+@$(MAKE) --no-print-directory MACHINE=$* stage-bench

stage-conformance: setup-check image-release
	@host-tests/conformance/run.sh

stage-conformance-x86 stage-conformance-pseries stage-conformance-upstream: stage-conformance-%:
	+@$(MAKE) --no-print-directory MACHINE=$* stage-conformance

terminal:
	@[ -t 0 ] || { echo "make shell needs a terminal; script -qec 'make shell' makes one" >&2; exit 1; }

stage-shell: setup-check image-release
	@host-tests/shell.sh

stage-libvirt: setup-check
	@$(VM)/packages.sh libvirt libvirtd check-libvirt
	+@for machine in x86 pseries; do \
		$(MAKE) --no-print-directory MACHINE=$$machine VMM=qemu image-run || exit; done
	@VMM=qemu host-tests/libvirt.sh

setup:
	@$(VM)/packages.sh build kernel image vm-$(MACHINE:upstream=pseries) $(VMM_NEEDS)

setup-check:
	@$(VM)/packages.sh build kernel image $(addprefix vm-,$(MACHINES)) $(VMM_NEEDS) check

setup-bench:
	@$(VM)/packages.sh bench

kernel-%: setup
	@$(VM)/kernel.sh $* --update >/dev/null

modules-%: kernel-%
	@$(VM)/test-modules.sh $*

tools-tests: setup
	@$(VM)/tools.sh tests

image-run: modules-release tools
	@$(VM)/image.sh release

image-%: modules-% tools-tests
	@$(VM)/image.sh $*

.PHONY: help run shell bench check check-unit check-x86 check-pseries check-upstream \
	check-conformance check-shell check-libvirt check-kconfig lint tools modules modules_install clean \
	stage-unit stage-lint stage-kconfig stage-shell stage-x86 stage-pseries stage-upstream stage-vm \
	stage-conformance stage-conformance-x86 stage-conformance-pseries \
	stage-conformance-upstream stage-libvirt stage-bench stage-bench-x86 stage-bench-pseries setup \
	setup-check setup-bench tools-tests image-run terminal

endif
