# make demo   see the main job done: three nodes, a relay, a stick
# make demo-online   the same job over a network: two callers, a spooler
# make test   set up what the tests need, run them all
# make bench  against the reference: time, memory

CARGO ?= cargo
PYTHON ?= python3
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: build demo demo-online test tools unit interop vectors bench lint

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

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
