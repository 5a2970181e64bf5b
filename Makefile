# Everything is built one package at a time: a Swift build fills the machine by itself.

PREFIX  ?= /usr/local
DESTDIR ?=
UPGRADES ?= 10
# Of what is missing, what `make deps` installs: all.
DEPS :=

# A toolchain unpacked in /opt/swift counts when there is none in PATH.
export PATH := $(PATH):/opt/swift/usr/bin

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

ROOT_BINARIES := swapctl succession-load succession-fixture succession-sandbox
EXAMPLES      := $(patsubst examples/%/Package.swift,%,$(wildcard examples/*/Package.swift))
# gRPC and the libraries below it take too long to optimise.
DEBUG_EXAMPLES := grpc-greeter
# What a short start needs: no C++ library to load (a directory with nothing but its archive comes
# first), fixed addresses instead of 37,000 relocations, no table of exported symbols, and no search
# beside the program; code that fits huge pages, where the page cache has such (ext4 since Linux 6.16): 14
# page faults instead of 115. libc stays dynamic: libsystemd is loaded when a manager passes sockets. And types are
# made by calls and not from their mangled names: each name is decoded, and each constraint in it is looked for
# in a list of all conformances (a third of the instructions with which examples/web started).
STATIC_CXX    := $(CURDIR)/.build/static-cxx
RELEASE       := -c release --static-swift-stdlib --disable-local-rpath \
                 -Xswiftc -L$(STATIC_CXX) -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
                 -Xlinker -no-pie -Xlinker --no-export-dynamic -Xlinker -z -Xlinker max-page-size=2097152 \
                 -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
CHECKED       := -Xswiftc -warnings-as-errors
UNASSERTED    := -debug-info-format none -Xswiftc -assert-config -Xswiftc Release
BIN           := dist/bin
# Tests that look at the children, the descriptors and the memory of their process, and change its
# environment, its limits and its signals; and those that put servers under load.
ALONE         := SuccessionSystemTests|SuccessionActivationTests|SuccessionTransportTests|SuccessionTestKitTests
# Whole upgrades that take a few seconds, of the fixture server alone.
QUICK         := UpgradeTests|FailedUpgradeTests|SuccessorDiesTests|ControlSocketTests|StatusTests
# Tests that take more than ten seconds.
LONG          := ExplorationTests|read_whenTheJournalIsHuge
# Manual pages and completions, as below share/.
SHARE          = $(dir $(BIN))share

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps build build-root $(EXAMPLES:%=build-example-%) demo check test lint bench install clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what is missing (apt-get; only as root or with sudo)
	@scripts/install-deps $(DEPS)

build: build-root $(EXAMPLES:%=build-example-%) ## release binaries of everything, in dist/bin

$(STATIC_CXX)/libstdc++.a: | deps
	@mkdir -p $(@D)
	@ln -sf "$$(clang -print-file-name=libstdc++.a)" $@

build-root: $(STATIC_CXX)/libstdc++.a | deps
	@mkdir -p $(BIN)
	for product in $(ROOT_BINARIES); do swift build $(RELEASE) --product $$product; done
	@scripts/collect-binaries "$$(swift build $(RELEASE) --show-bin-path)" $(BIN) $(ROOT_BINARIES)
	@scripts/make-documents $(BIN)/swapctl $(SHARE)

$(patsubst %,build-example-%,$(filter-out $(DEBUG_EXAMPLES),$(EXAMPLES))): \
build-example-%: $(STATIC_CXX)/libstdc++.a | deps
	@mkdir -p $(BIN)
	swift build --package-path examples/$* $(RELEASE)
	@scripts/collect-binaries \
	    "$$(swift build --package-path examples/$* $(RELEASE) --show-bin-path)" $(BIN)

# FlyingFox needs the whole of Foundation, whose static form would need development files of libcurl and
# libxml2 to be linked.
build-example-flyingfox-app: RELEASE := -c release

# Without the assertion by which SwiftNIO stops a process when another one took the connection it was
# told of.
$(DEBUG_EXAMPLES:%=build-example-%): build-example-%: | deps
	@mkdir -p $(BIN)
	swift build --package-path examples/$* $(UNASSERTED)
	@scripts/collect-binaries \
	    "$$(swift build --package-path examples/$* $(UNASSERTED) --show-bin-path)" $(BIN)

lint: | deps ## formatting, layers, folders, sizes, licence headers, snippets
	@scripts/check-layers
	@scripts/check-folders
	@scripts/check-sizes
	@scripts/check-headers
	@scripts/check-readme
	@scripts/list-sources swift | xargs -d '\n' swift format lint --strict

# No release build, no other package, no systemd.
check: lint ## what to run while working: lint, debug build, unit tests, some upgrades
	swift build --build-tests $(CHECKED)
	swift test --skip-build $(CHECKED) \
	    --skip '$(ALONE)|EndToEndTests|^SystemdTests|$(LONG)'
	swift test --skip-build $(CHECKED) --no-parallel --filter '$(ALONE)'
	SUCCESSION_BIN="$$(swift build --show-bin-path)" swift test --skip-build $(CHECKED) \
	    --no-parallel --filter 'EndToEndTests\.($(QUICK))/'

test: deps lint build ## everything that must pass before a change is merged
	swift build --build-tests $(CHECKED)
	swift test --skip-build $(CHECKED) --skip '$(ALONE)|EndToEndTests|^SystemdTests'
	swift test --skip-build $(CHECKED) --no-parallel --filter '$(ALONE)'
	swift build --package-path Tests/Integrations --build-tests $(CHECKED)
	swift test --package-path Tests/Integrations --skip-build $(CHECKED) --filter AdapterTests
# One after the other: their clients block, and each has a generation in this process.
	swift test --package-path Tests/Integrations --skip-build $(CHECKED) --no-parallel \
	    --filter SuccessionNIOTests
	@scripts/check-consumer
# Beside the program, which they upgrade.
	swift test --package-path examples/posix-echo $(CHECKED)
	SUCCESSION_BIN="$(CURDIR)/$(BIN)" swift test --skip-build $(CHECKED) --no-parallel \
	    --filter EndToEndTests
	SUCCESSION_BIN="$(CURDIR)/$(BIN)" swift test --skip-build $(CHECKED) --no-parallel \
	    --filter '^SystemdTests'
# With what was built for its example.
	swift test --package-path Adapters/SuccessionGRPC \
	    --scratch-path examples/grpc-greeter/.build $(UNASSERTED)
	@Tests/Examples/run --bin $(BIN)

# Only what it runs: a newcomer waits for this.
demo: ROOT_BINARIES := swapctl
demo: DEPS := $(if $(filter-out demo,$(MAKECMDGOALS)),,demo)
demo: build-root build-example-web ## ten upgrades of a loaded web server
	@scripts/demo --bin $(BIN) --upgrades $(UPGRADES)

bench: build ## figures against a C program and a Go server, as ratios in one run
	@Benchmarks/run --bin $(BIN)

INSTALLED     := $(DESTDIR)$(PREFIX)
DOCUMENTS     := $(INSTALLED)/share/doc/swift-succession

install: ## install swapctl, manual, completions, units and documents below $(DESTDIR)$(PREFIX)
	@test -x $(BIN)/swapctl -a -x $(BIN)/web -a -d $(SHARE) || \
	    { echo "not all is there in $(dir $(BIN)): run make build first" >&2; exit 1; }
	install -D -m 755 $(BIN)/swapctl "$(INSTALLED)/bin/swapctl"
# What the units start: put your own server there, or have swapctl units write others.
	install -D -m 755 $(BIN)/web "$(INSTALLED)/lib/swift-succession/web"
	install -d "$(DOCUMENTS)" "$(INSTALLED)/lib/systemd/system" "$(INSTALLED)/lib/systemd/user"
	install -m 644 $(wildcard README.md CHANGELOG.md) LICENSE SECURITY.md $(wildcard docs/*.md) \
	    "$(DOCUMENTS)"
	install -d "$(DOCUMENTS)/schema"
	install -m 644 docs/schema/*.json "$(DOCUMENTS)/schema"
# The units name programs by their paths.
	for unit in units/*.* units/user/*.*; do \
	    directory=system; [[ $$unit != units/user/* ]] || directory=user; \
	    target="$(INSTALLED)/lib/systemd/$$directory/$${unit##*/}"; \
	    sed 's,/usr/local/,$(PREFIX)/,g' "$$unit" >"$$target"; chmod 644 "$$target"; \
	done
	share="$$(cd "$(INSTALLED)/share" && pwd)"; \
	    cd $(SHARE) && find . -type f -exec install -D -m 644 {} "$$share/{}" \;

clean: ## remove everything that was built
	rm -rf .build dist examples/*/.build Adapters/*/.build Tests/*/.build
