"""What has an end ends."""

import os
import pty
import subprocess
from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import World, rule


def world(directory: Path) -> World:
    return World(directory, dict.fromkeys(("alice", "bob"), packmule()))


def claim_chunked_directory(directory: Path) -> None:
    """A directory is sent in pieces that make its archive, sent by hand or asked for."""
    here = world(directory)
    alice, bob = here["alice"], here["bob"]
    bob.neighbour("alice")["freq"] |= {"chunked": 1}
    bob.write_config()
    for node in (alice, bob):
        tree = node.public / "tree"
        tree.mkdir()
        for size in (0, 1, 1023, 1024, 70_000):
            (tree / f"f{size}").write_bytes(rule(size))
    for chunk in (1, 64, 100):
        alice.run("file", "-chunked", str(chunk), alice.public / "tree", f"bob:t{chunk}").ok()
    alice.run("freq", "bob:tree", "asked").ok()
    here.carry("alice", "bob")
    bob.run("toss").ok()
    here.carry("bob", "alice")
    alice.run("toss").ok()
    for node, name in ((bob, "t1"), (bob, "t64"), (alice, "asked")):
        node.run("reass", node.incoming / f"{name}.nncp.meta").ok()
        listed = subprocess.run(["tar", "-tf", node.incoming / name], capture_output=True, check=True).stdout
        assert listed.count(b"\n") == 6, listed
    assert (bob.incoming / "t100").is_file(), "what fits one chunk is not cut"


def claim_terminal(directory: Path) -> None:
    """What is typed ends with the first end of file, in pieces too."""
    alice = world(directory)["alice"]
    master, slave = pty.openpty()
    command = [alice.implementation.command("file"), "-chunked", "1", "-", "bob:typed"]
    with subprocess.Popen(command, stdin=slave, env=alice.environment(), cwd=alice.home) as process:
        os.write(master, b"line\n\x04")
        assert process.wait(60) == 0
    os.close(master)
    os.close(slave)
    assert len(alice.packets("tx", "bob")) == 2
