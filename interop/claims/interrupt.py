"""A command that a person interrupts leaves nothing half-done, whatever it is waiting for."""

import os
import signal
import subprocess
from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import World
from .producer import begun, queued

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def world(directory: Path) -> World:
    return World(directory, dict.fromkeys(("alice", "bob"), packmule()))


def claim_waiting_for_input(directory: Path) -> None:
    """While it waits for standard input the temporary files go at once, those of written pieces too."""
    alice = world(directory)["alice"]
    for number in SIGNALS:
        for words in (
            ("file", "-", "bob:x"),
            ("file", "-chunked", "64", "-", "bob:x"),
            ("exec", "-nocompress", "bob", "save"),
        ):
            # More than it gathers before it writes.
            with begun(alice, *words, feed=os.urandom(8 << 20), stdin=subprocess.PIPE) as process:
                process.send_signal(number)
                assert process.wait(60) == -number, (number, words)
            assert not queued(alice), (number, words, queued(alice))


def claim_writing(directory: Path) -> None:
    """While it writes a large file too."""
    alice = world(directory)["alice"]
    with (alice.home / "large").open("wb") as large:
        large.truncate(20 << 30)
    for words in (("file", "large", "bob:x"), ("file", "-chunked", "1024", "large", "bob:x")):
        with begun(alice, *words) as process:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM
        assert not queued(alice), words


def claim_ignored(directory: Path) -> None:
    """What nohup or a shell's background wants ignored stays ignored."""
    alice = world(directory)["alice"]
    ignoring = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    with begun(alice, "file", "-", "bob:x", feed=bytes(8 << 20), stdin=subprocess.PIPE, preexec_fn=ignoring) as process:
        process.send_signal(signal.SIGHUP)
        assert process.stdin is not None
        process.stdin.write(b"more")
        process.stdin.close()
        assert process.wait(60) == 0
    assert len(alice.packets("tx", "bob")) == 1
