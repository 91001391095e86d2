# make demo   see the main job done: three nodes, a relay, a stick
# make demo-online   the same job over a network: two callers, a spooler
# make test   set up what the tests need, run them all
# make test-openzfs   its part on OpenZFS 2.1 and 2.3, in emulated machines that it builds first
# make bench  against the reference: time, memory
# make deb    a Debian package (needs cargo-deb: cargo install cargo-deb)
# make static one binary that needs no library: target/static/packmule

CARGO ?= cargo
PYTHON ?= python3
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: build demo demo-online test test-openzfs openzfs tools unit interop vectors bench lint deb static units

build:
	$(CARGO) build

demo:
	$(CARGO) build
	./demo/airgap $(CARGO_TARGET_DIR)/debug/packmule

demo-online:
	$(CARGO) build
	./demo/online $(CARGO_TARGET_DIR)/debug/packmule

test: tools build
	./interop/test

test-openzfs: openzfs
	$(CARGO) test --test zfs_pools openzfs

# Needs root; about ten minutes, once.
openzfs:
	interop/zfs/openzfs-machines

# The programs we compare with, by package name. What can not be installed is told by the tests that
# miss it.
tools:
	./interop/tools

unit:
	$(CARGO) test --workspace

interop: build
	$(PYTHON) -m interop all

# Makes testvectors/ anew, from the reference.
vectors:
	$(PYTHON) -m pip install --quiet blake3 cryptography
	$(PYTHON) -m interop.vectors

bench:
	$(CARGO) build --release
	$(PYTHON) -m interop.bench
	$(PYTHON) -m interop.mtree_bench
	$(PYTHON) -m interop.zfs_bench
	$(PYTHON) -m interop.bench.online

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# The package: binary, links, manual pages, completions, units. What is in it: Cargo.toml.
deb: units
	$(CARGO) build --release
	packaging/assemble $(CARGO_TARGET_DIR)/release/packmule target/package
	$(CARGO) deb --no-build

# With musl where its target is installed, else with glibc's static libraries. glibc's resolver still
# wants its shared libraries for host names in calls; everything else works without.
static:
	packaging/static $(CARGO_TARGET_DIR)/static

# Units must be correct, and score below 2.0.
units:
	packaging/check-units
