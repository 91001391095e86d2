"""A state, made once by the reference, and its copies."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ..harness.implementation import Implementation, reference
from ..harness.world import Node, World, rule

# Enough of the past for -older.
OLD = 1_700_000_000


@dataclass
class State:
    """A directory to copy, who runs commands in it, and names for arguments."""

    root: Path
    actor: str
    words: dict[str, str] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Names of packets and marks that exist already."""
        return {path.name[:52] for path in self.root.rglob("*")} | set(self.words.values())

    def copy(self, to: Path, implementation: Implementation) -> Node:
        """A copy of its own for one run. What names the state's directory then names the copy."""
        shutil.copytree(self.root, to, symlinks=True, copy_function=copy_file)
        old, new = str(self.root), str(to)
        for path in list(to.rglob("*")):
            if path.is_symlink():
                target = os.readlink(path)
                path.unlink()
                path.symlink_to(target.replace(old, new))
            elif path.name in ("nncp.hjson", "log") or "config.d" in path.parts:
                rewrite(path, old, new)
        return Node(self.actor, to / self.actor, implementation)


def copy_file(source: str, target: str) -> None:
    """Copies a FIFO too, which `shutil` does not."""
    if Path(source).is_fifo():
        os.mkfifo(target)
    else:
        shutil.copy2(source, target)


def rewrite(path: Path, old: str, new: str) -> None:
    if path.is_file():
        status = path.stat()
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def world(directory: Path) -> World:
    side = reference()
    made = World(directory, {"alice": side, "bob": side, "carol": side})
    made["alice"].neighbour("dave")["via"] = ["carol"]
    made["alice"].config["areas"]["news"]["subs"] = ["bob"]
    made["alice"].config["areas"]["keyless"] = {"id": KEYLESS}
    made["alice"].write_config()
    return made


KEYLESS = "RJOZLLF3WVAJS6AWOGEJQLNRRUEZM47HE3AG4GBSCQM6WC4KHVXA"


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def queue(made: World) -> dict[str, str]:
    """Alice's outgoing queue: packets of several kinds and urgencies for bob and carol."""
    alice, words = made["alice"], {}

    def add(word: str, peer: str, command: str, *arguments: str, stdin: bytes = b"") -> None:
        before = set(alice.packets("tx", peer))
        alice.run(command, *arguments, stdin=stdin).ok()
        (new,) = set(alice.packets("tx", peer)) - before
        words[word] = new.name

    add("tx_file", "bob", "file", "-nice", "F", "-", "bob:f", stdin=rule(1000))
    add("tx_large", "bob", "file", "-", "bob:large", stdin=rule(300_000))
    add("tx_exec", "bob", "exec", "bob", "append", "a", stdin=rule(10))
    add("tx_fat", "bob", "exec", "-nocompress", "-nice", "N", "bob", "append", stdin=rule(10))
    add("tx_freq", "bob", "freq", "bob:wanted", "got")
    add("tx_ack", "bob", "ack", "-node", "bob", "-pkt", KEYLESS)
    add("tx_carol", "carol", "file", "-", "carol:f", stdin=rule(10))
    add("tx_trns", "carol", "file", "-nice", "P", "-", "dave:f", stdin=rule(10))
    return words


def deliver(made: World, giver: str, taker: str) -> None:
    made.carry(giver, taker)
    shutil.rmtree(made.stick)
    made.stick.mkdir()
