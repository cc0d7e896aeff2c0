# SPDX-License-Identifier: GPL-2.0-or-later
# The entry to everything: make help lists the targets. Nothing is built inside
# the source folders; all output goes to build/.
SHELL   := /bin/bash
TOP     := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
BUILD   := $(TOP)/build
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
DOCDIR  ?= $(PREFIX)/share/doc/esptun
UNITDIR ?= /etc/systemd/system
CONFDIR ?= /etc/esptun
BASHCOMP ?= $(PREFIX)/share/bash-completion/completions
# Where ip(8) looks for the options of link kinds.
IPLIBDIR ?= /usr/lib/$(shell gcc -print-multiarch)/ip
DESTDIR ?=
# Which kernel to build for: the one that the tests boot, unless told otherwise.
KERNEL_RELEASE ?= $(shell $(TOP)/scripts/vm-kernel --version $(KERNEL))
# A kernel of another Debian release is built with that release's compiler, in its folder.
KROOT   ?= $(if $(KERNEL),$(shell $(TOP)/scripts/vm-kernel --root $(KERNEL)))
KDIR    ?= $(if $(KROOT),/usr/src/linux-headers-$(KERNEL_RELEASE),$(firstword \
		$(wildcard $(KERNEL)/lib/modules/$(KERNEL_RELEASE)/build \
		/lib/modules/$(KERNEL_RELEASE)/build \
		/usr/src/linux-headers-$(KERNEL_RELEASE))))
# Where the copy of kernel/ is built: one folder per kernel, so that several coexist.
KBUILD_OUT ?= $(BUILD)/kernel/$(KERNEL_RELEASE)

all: module user ## build the module, the keyer and the command

deps: ## install missing Debian packages by name
	@$(TOP)/scripts/deps

module: ## build esptun.ko into build/kernel/VERSION (KERNEL=6.12, or KERNEL_RELEASE=... for another kernel)
	@[[ -n "$(KDIR)" ]] || { echo "no kernel headers for '$(KERNEL_RELEASE)': install linux-headers-$(KERNEL_RELEASE)" >&2; exit 1; }
	@$(TOP)/scripts/sync-sources $(TOP)/kernel $(KBUILD_OUT)
	+@cd $(TOP) && $(if $(KROOT),$(TOP)/scripts/debian-root in $(KROOT) make,$(MAKE)) \
		--no-print-directory -C $(KDIR) M=$(KBUILD_OUT) $(KFLAGS) modules

user: ## build esptund and esptun into build/user
	@$(MAKE) --no-print-directory -s -C $(TOP)/userspace all

gen: ## write the files generated from Documentation/netlink/specs
	@cd $(TOP) && scripts/nlgen.py

gen-check: ## regenerate and compare
	@cd $(TOP) && scripts/nlgen.py --check

demo: ## a tunnel between esptun and strongSwan in a VM, with traffic
	@$(TOP)/scripts/demo

check: ## everything that tests; ends with "N passed, N failed, N skipped"
	@$(TOP)/scripts/check

selftest: ## only the kselftests in the VM (TESTS="a b", JOBS=N, KERNEL=...)
	@$(TOP)/scripts/deps
	@$(MAKE) --no-print-directory -C $(TOP)/selftests run_tests

matrix: ## the same on 5.10, 6.1, 6.12; builds and loads on Debian's newest (MATRIX="5.10 sid", TESTS=..., JOBS=N)
	@$(TOP)/scripts/matrix

check-debug: ## the kselftests on a kernel with KASAN and lockdep (DEBUG=kcsan or stock, TESTS="a b")
	@$(TOP)/scripts/check-debug $(if $(DEBUG),--kind $(DEBUG)) $(TESTS)

fuzz-wire: module ## generated packets, each accounted for (COUNT=2000000, SEED=N, KERNEL=..., FUZZ_KIND=...)
	@$(TOP)/scripts/deps
	@$(MAKE) --no-print-directory -s -C $(TOP)/selftests/fuzz
	@$(TOP)/scripts/vm --timeout $(FUZZ_LIMIT) $(foreach v,FROM KIND SHAPE,$(if $(FUZZ_$v),--env FUZZ_$v=$(FUZZ_$v))) \
		--env FUZZ_COUNT=$(COUNT) --env FUZZ_SEED=$(SEED) -- $(TOP)/selftests/fuzz.py
COUNT ?= 2000000
SEED  ?= 20261120
# Seconds; what the console says during them counts as well.
FUZZ_LIMIT ?= 86400

sim: ## two engines, a bad network, virtual time (SEEDS=10000, SCENARIO=name, FIRST=seed, VERBOSE=1, SAN=1)
	@$(MAKE) --no-print-directory -s -C $(TOP)/userspace tests
	@$(BUILD)/$(if $(SAN),asan,user)/tests/ike-sim --seeds $(SEEDS) --seed $(FIRST) \
		$(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(VERBOSE),-v)
FIRST ?= 1
# A seed that is played again is one.
SEEDS ?= $(if $(VERBOSE),1,10000)

bench: all ## instructions per packet in a VM whose clock counts them
	@$(TOP)/scripts/bench

interop: ## the keyer against strongSwan, vpnc and ike-scan: in namespaces, then with the module in the VM
	@$(TOP)/scripts/check keyer
	@$(MAKE) --no-print-directory selftest TESTS="$(patsubst $(TOP)/selftests/%.sh,%,$(wildcard $(TOP)/selftests/ike_*.sh))"

bench-ike: user ## what a negotiation costs, beside strongSwan (BENCH_OUT=FILE, BENCH_PEERS=N, BENCH_ONLY=...)
	@$(TOP)/scripts/deps build peers
	@$(TOP)/scripts/bench-ike

# The kernel that runs here, not the one that the tests boot.
install: ## install module, keyer, command, manual pages, example and systemd unit (DESTDIR=, PREFIX=)
	@$(MAKE) --no-print-directory module KERNEL_RELEASE=$(INSTALL_RELEASE)
	@$(MAKE) --no-print-directory user
	install -D -m 644 $(BUILD)/kernel/$(INSTALL_RELEASE)/esptun.ko \
		$(DESTDIR)/lib/modules/$(INSTALL_RELEASE)/updates/esptun.ko
	$(if $(DESTDIR),,depmod $(INSTALL_RELEASE))
	install -d $(DESTDIR)$(SBINDIR)
	install -m 755 $(BUILD)/user/bin/esptund $(BUILD)/user/bin/esptun $(DESTDIR)$(SBINDIR)
	install -D -m 644 $(TOP)/userspace/completion/esptun $(DESTDIR)$(BASHCOMP)/esptun
	install -D -m 644 $(BUILD)/user/plugin/link_esptun.so $(DESTDIR)$(IPLIBDIR)/link_esptun.so
	for page in $(TOP)/Documentation/man/*.[1-9]; do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit; \
	done
	install -D -m 644 $(TOP)/Documentation/examples/esptun.conf $(DESTDIR)$(DOCDIR)/examples/esptun.conf
	install -d -m 755 $(DESTDIR)$(UNITDIR)
	sed 's|@sbindir@|$(SBINDIR)|' $(TOP)/userspace/esptund/esptund.service.in \
		> $(DESTDIR)$(UNITDIR)/esptund.service
	install -d -m 750 $(DESTDIR)$(CONFDIR)
	$(if $(DESTDIR),,-systemctl daemon-reload)
INSTALL_RELEASE ?= $(shell uname -r)

uninstall: ## remove what install put there; configuration and keys stay
	rm -f $(DESTDIR)/lib/modules/$(INSTALL_RELEASE)/updates/esptun.ko
	$(if $(DESTDIR),,depmod $(INSTALL_RELEASE))
	rm -f $(DESTDIR)$(SBINDIR)/esptund $(DESTDIR)$(SBINDIR)/esptun
	rm -f $(DESTDIR)$(BASHCOMP)/esptun $(DESTDIR)$(IPLIBDIR)/link_esptun.so
	for page in $(TOP)/Documentation/man/*.[1-9]; do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; \
	done
	rm -f $(DESTDIR)$(DOCDIR)/examples/esptun.conf
	rm -f $(DESTDIR)$(UNITDIR)/esptund.service

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(TOP)/Makefile | expand -t 12

.PHONY: all deps module user gen gen-check demo check selftest check-debug fuzz-wire matrix sim bench bench-ike interop install uninstall clean help
