# make demo   see the main job done: three nodes, a relay, a stick
# make demo-online   the same job over a network: two callers, a spooler
# make test   set up what the tests need, run them all
# make test-openzfs   every ZFS scenario on OpenZFS 2.1 and 2.3, in emulated machines that it builds first: an hour.
#                     CI leaves it out
# make lint   rustfmt, clippy, and ruff and mypy over the Python
# make bench  against the reference: time, memory
# make deb    a Debian package (needs cargo-deb: cargo install cargo-deb)
# make test-deb  tries that package in a clean system (needs root and debootstrap)
# make static one binary that needs no library, of less than 7 MiB: target/static/packmule

CARGO ?= cargo
PYTHON ?= python3
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: build demo demo-online test test-openzfs openzfs tools unit interop vectors bench lint deb test-deb static units

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
	$(PYTHON) -m interop.bench.mtree
	$(PYTHON) -m interop.bench.zfs
	$(PYTHON) -m interop.bench.online

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	./interop/lint

# The package: binary, links, manual pages, completions, units. What is in it: Cargo.toml.
deb: units
	$(CARGO) build --release
	packaging/assemble $(CARGO_TARGET_DIR)/release/packmule target/package
	$(CARGO) deb --no-build --output $(CARGO_TARGET_DIR)/packmule.deb

# Installs it, sends a packet, verifies the units, and has nncp beside it, in a root made by debootstrap.
test-deb: deb
	packaging/try-deb $(CARGO_TARGET_DIR)/packmule.deb $(CARGO_TARGET_DIR)

# With musl where its target is installed, else with glibc's static libraries. glibc's resolver still
# wants its shared libraries for host names in calls; everything else works without. Only for this
# machine's architecture: it says why not for aarch64.
static:
	packaging/static $(CARGO_TARGET_DIR)/static

# Units must be correct, and score below 2.0.
units:
	packaging/check-units
