"""Progress on a terminal: what is seen of it where there is little room."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import HANGS, Node, World, ident, rule

FIGURES = re.compile(r"\d+% \([\d.]+ [KMG]?i?B/sec\) (\d+:)?\d+:\d\d left")
TOTAL = re.compile(r"packet (\d+) of (\d+), total (\d+) %")
LARGE = 40 << 20


def build(directory: Path) -> World:
    return World(directory, {name: packmule() for name in ("alice", "bob")})


def seen(node: Node, columns: int, *command: str, slow: bool = False, wrap: tuple = ()) -> list[str]:
    """The lines that a command shows on a terminal of so many columns; with `slow` its standard output is a pipe
    that takes about 20 MiB a second."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    shown: list[bytes] = []

    def watch() -> None:
        while True:
            try:
                shown.append(os.read(master, 65536))
            except OSError:
                return

    watcher = threading.Thread(target=watch)
    words = [*wrap, node.implementation.command(command[0]), *command[1:]]
    out = subprocess.PIPE if slow else subprocess.DEVNULL
    with subprocess.Popen(words, stdout=out, stderr=slave, env=node.environment(), cwd=node.home) as process:
        os.close(slave)
        watcher.start()
        while process.stdout and process.stdout.read(1 << 20):
            time.sleep(0.05)
        assert process.wait(timeout=HANGS) == 0, b"".join(shown)
    watcher.join()
    os.close(master)
    text = b"".join(shown).decode()
    return [re.sub(r"\x1b\[[0-9]*[A-Z]", "", line) for line in text.replace("\r", "").split("\n")]


def drawn(lines: list[str], columns: int) -> tuple[list[str], list[str]]:
    """The lines of a transfer and of all of them, none of which wraps."""
    one = [line for line in lines if "/sec)" in line and "total" not in line]
    many = [line for line in lines if TOTAL.search(line)]
    for line in one + many:
        assert len(line) <= columns, line
    return one, many


def fill(world: World) -> None:
    for size in (LARGE, 1000, 2000):
        world["alice"].run("file", "-", "bob:f", stdin=rule(size)).ok()


def claim_percent_rate_and_time_left_are_seen_at_80_and_40_columns(directory: Path) -> None:
    """bundle on a terminal of 200, 80 and 40 columns shows percent, rate and time left of a packet, and of all three."""
    world = build(directory)
    fill(world)
    for columns in (200, 80, 40):
        one, many = drawn(seen(world["alice"], columns, "bundle", "-tx", "bob", slow=True), columns)
        under_way = [line for line in one if " 0% " not in line and "100%" not in line]
        assert under_way, one
        for line in under_way:
            assert FIGURES.search(line), line
        assert (columns == 200) == any(line.startswith("20") for line in one), "the time goes first"
        assert any(found[2] == "3" for line in many if (found := TOTAL.search(line))), many
        assert any(line.endswith(" left") for line in many), many


def claim_xfer_shows_which_packet_of_how_many_it_copies(directory: Path) -> None:
    """xfer both ways, toss and check show the number of the packet, how many there are, and the percent of all."""
    world = build(directory)
    fill(world)
    (world.stick / ident("bob")).mkdir()
    slow = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=write,read,pread64,preadv2:delay_enter=60000")
    alice, bob = world["alice"], world["bob"]
    commands = [
        (alice, ("check",)),
        (alice, ("xfer", "-tx", str(world.stick))),
        (bob, ("xfer", "-rx", str(world.stick))),
        (bob, ("toss",)),
    ]
    for node, command in commands:
        for columns in (80, 40) if command[0] == "check" else (40,):
            _, many = drawn(seen(node, columns, *command, wrap=slow), columns)
            totals = [TOTAL.search(line) for line in many]
            found = {tuple(map(int, total.groups())) for total in totals if total}
            assert found and all(totals) and all(1 <= number <= count == 3 and percent <= 100 for number, count, percent in found), (command, found)


def claim_one_packet_needs_no_total(directory: Path) -> None:
    """Where there is one packet, its line is the only one; with -progress in a file the reference's line stays."""
    world = build(directory)
    world["alice"].run("file", "-", "bob:f", stdin=rule(LARGE)).ok()
    one, many = drawn(seen(world["alice"], 80, "bundle", "-tx", "bob", slow=True), 80)
    assert one and not many
    done = world["alice"].run("bundle", "-tx", "-progress", "bob").ok()
    last = [line for line in done.err.decode().split("\n") if "/sec)" in line][-1]
    assert re.search(r"Z Tx \w{16}\.\.\w{16} 40 MiB/40 MiB 100% \(", last), last
