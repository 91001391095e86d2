"""The two sides: directories that hold the `nncp-*` commands of one implementation each."""

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .runner import Skipped

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "ack bundle call caller cfgdir cfgenc cfgmin cfgnew check cronexpr daemon exec file freq hash log pkt reass rm"
    " stat toss trns xfer"
).split()


@dataclass(frozen=True)
class Implementation:
    name: str
    directory: Path

    def command(self, name: str) -> str:
        return str(self.directory / f"nncp-{name}")

    def __str__(self) -> str:
        return self.name


def reference() -> Implementation:
    """nncp-go, as installed."""
    found = shutil.which("nncp-file")
    if found is None:
        raise Skipped("the reference is not installed (package nncp)")
    return Implementation("reference", Path(found).parent)


def packmule() -> Implementation:
    """Our binary, under the reference's names.

    PACKMULE names the binary, else it is the one of `cargo build`. PACKMULE=reference stands the
    reference in for it: then every test has to pass, or the test is wrong.
    """
    program = binary()
    if program == "reference":
        return Implementation("packmule", reference().directory)
    if not Path(program).is_file():
        raise SystemExit(f"{program} is not there: cargo build")
    links = Path(tempfile.mkdtemp(prefix="packmule-links-"))
    atexit.register(shutil.rmtree, links, ignore_errors=True)
    subprocess.run([program, "links", str(links)], check=True)
    missing = [name for name in NAMES if not (links / f"nncp-{name}").exists()]
    if missing:
        raise SystemExit(f"packmule links made no {missing}")
    return Implementation("packmule", links)


def binary() -> str:
    """Our program, for the commands that are its own."""
    return os.environ.get("PACKMULE") or str(target() / "debug" / "packmule")


def stands_in() -> bool:
    """Whether the reference plays packmule."""
    return os.environ.get("PACKMULE") == "reference"


def target() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
