"""Nodes in a directory of their own: keys, configurations, spools, and commands run as them."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .implementation import ROOT, Implementation

KEYS = json.loads((ROOT / "testvectors" / "keys.json").read_text())
PUBLIC = ("id", "exchpub", "signpub", "noisepub")
NOBODY = ["stranger"]
HANGS = 600
"""A command that runs for so many seconds hangs. No command is expected to take a minute, but the machine may be
busy."""


def ident(name: str) -> str:
    """The id of a node, or of the area, in base32."""
    return KEYS["area"]["id"] if name == KEYS["area"]["name"] else KEYS["nodes"][name]["id"]


def rule(length: int) -> bytes:
    """`length` bytes, byte i being i mod 251."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: bytes
    err: bytes

    def ok(self) -> "Done":
        assert self.status == 0, f"status {self.status}: {self.err.decode(errors='replace')}"
        return self

    def fails(self) -> "Done":
        assert self.status != 0, f"status 0: {self.err.decode(errors='replace')}"
        return self

    def says(self, text: str) -> "Done":
        assert text in self.err.decode(errors="replace"), f"no {text!r} in {self.err!r}"
        return self


@dataclass
class Node:
    """One node: `home` holds its configuration, spool, incoming and public directories."""

    name: str
    home: Path
    implementation: Implementation
    config: dict = field(default_factory=dict)

    @property
    def id(self) -> str:
        return ident(self.name)

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    @property
    def incoming(self) -> Path:
        return self.home / "incoming"

    @property
    def public(self) -> Path:
        return self.home / "public"

    def write_config(self) -> None:
        path = self.home / "nncp.hjson"
        path.write_text(json.dumps(self.config, indent=1))
        path.chmod(0o600)

    def neighbour(self, name: str) -> dict:
        """The section of a neighbour, to be changed before `write_config`."""
        return self.config["neigh"]["self" if name == self.name else name]

    def environment(self) -> dict:
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return keep | {"NNCPCFG": str(self.home / "nncp.hjson"), "NNCPNOSYNC": "1", "TZ": "UTC"}

    def run(self, command: str, *arguments: str | Path, stdin: bytes = b"", wrap: Sequence[str] = (), **more: Any) -> Done:
        """Runs `nncp-COMMAND` with the node's configuration, in its home."""
        environment = self.environment() | more.pop("env", {})
        done = subprocess.run(
            [*wrap, self.implementation.command(command), *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=environment,
            cwd=self.home,
            timeout=more.pop("timeout", HANGS),
            check=False,
            **more,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def packets(self, xx: str, peer: str) -> list[Path]:
        """What lies in `rx` or `tx` of a peer, by name."""
        queue = self.spool / ident(peer) / xx
        return sorted(path for path in queue.iterdir() if is_packet(path)) if queue.is_dir() else []

    def received(self) -> dict[str, bytes]:
        """Everything below the incoming directory."""
        files = [path for path in self.incoming.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.incoming)): path.read_bytes() for path in files}

    def leftovers(self) -> list[Path]:
        """Temporary files that nobody needs any more."""
        found = list(self.home.rglob("nncp*"))
        found = [path for path in found if path.name != "nncp.hjson"]
        tmp = self.spool / "tmp"
        return found + (list(tmp.iterdir()) if tmp.is_dir() else [])


def is_packet(path: Path) -> bool:
    return len(path.name) == 52 and path.is_file()


class World:
    """Alice, carol and bob, each of some implementation, and a stick."""

    def __init__(self, directory: Path, implementations: dict[str, Implementation]):
        self.directory = directory
        self.stick = directory / "stick"
        self.stick.mkdir(parents=True)
        self.nodes = {}
        for name, implementation in implementations.items():
            self.nodes[name] = self._node(name, implementation)

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def _node(self, name: str, implementation: Implementation) -> Node:
        node = Node(name, self.directory / name, implementation)
        for path in (node.spool, node.incoming, node.public):
            path.mkdir(parents=True)
        node.config = base_config(node)
        node.write_config()
        return node

    def carry(self, giver: str, taker: str) -> None:
        """Everything that `giver` has for `taker`, by stick."""
        (self.stick / ident(taker)).mkdir(exist_ok=True)
        self[giver].run("xfer", "-tx", "-node", taker, self.stick).ok()
        self[taker].run("xfer", "-rx", self.stick).ok()


def base_config(node: Node) -> dict:
    """A configuration in which everybody may do everything, so that each test forbids what it is about."""
    handlers = {
        "save": ["/bin/sh", "-c", f"cat > {node.home}/saved"],
        "append": ["/bin/sh", "-c", f'printf "%s|" "$@" >> {node.home}/ran; cat >> {node.home}/ran', "sh"],
        "environment": ["/bin/sh", "-c", f"/usr/bin/env | /usr/bin/sort > {node.home}/environment"],
        "fail": ["/bin/sh", "-c", "echo complaint; exit 3"],
    }
    neighbours = {}
    for other in KEYS["nodes"]:
        if other in NOBODY:
            continue
        section = {key: KEYS["nodes"][other][key] for key in PUBLIC}
        section |= {
            "incoming": str(node.incoming),
            "freq": {"path": str(node.public)},
            "exec": handlers,
        }
        neighbours["self" if other == node.name else other] = section
    area = {key: KEYS["area"][key] for key in ("id", "pub", "prv")}
    area |= {"incoming": str(node.incoming), "exec": handlers, "subs": []}
    return {
        "spool": str(node.spool),
        "log": str(node.home / "log"),
        "self": KEYS["nodes"][node.name],
        "neigh": neighbours,
        "areas": {KEYS["area"]["name"]: area},
    }
