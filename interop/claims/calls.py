"""Calls: what a call leaves behind, and how it says so."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..harness.implementation import Implementation, packmule, reference
from ..harness.network import call, daemon, log_of, queue, running, wait_for
from ..harness.world import Done, World, ident

MIB = 1 << 20


def ours(directory: Path) -> World:
    return World(directory, {"alice": packmule(), "bob": packmule()})


def pairs() -> list[tuple[Implementation, Implementation]]:
    """Caller and called; packmule is one of them."""
    sides = (packmule(), reference())
    return [(one, other) for one in sides for other in sides if "packmule" in (str(one), str(other))]


def worlds(directory: Path) -> Iterator[World]:
    for caller, called in pairs():
        yield World(directory / f"{caller}-{called}", {"alice": caller, "bob": called})


def left(done: Done, text: str) -> None:
    done.fails()
    assert done.status == 1, done.status
    done.says(text)


def claim_nothing_to_do(directory: Path) -> None:
    """A call that has nothing to do, or leaves only what it was told to leave, exits 0."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        with daemon(world["bob"]) as port:
            for way in ((), ("-rx",), ("-tx",), ("-list",)):
                call(world, port, *way).ok()
            queue(world, "alice", "bob", "calm", 1000, "-nice", "200")
            queue(world, "bob", "alice", "back", 1000, "-nice", "200")
            named = "A" * 52
            for arguments in (("-nice", "100"), ("-rx", "-nice", "100"), ("-list",), ("-rx", "-pkts", named)):
                call(world, port, *arguments).ok()
            call(world, port).ok()


def claim_taken_nothing(directory: Path) -> None:
    """A call whose peer asks for nothing of what it offered exits 1 and says so; the packets stay."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        packet = queue(world, "alice", "bob", "calm", 100_000, "-nice", "200")
        queue(world, "alice", "bob", "urgent", 1000, "-nice", "10")
        with daemon(world["bob"], "-nice", "100") as port:
            left(call(world, port), "bob requested none of them")
        assert world["alice"].packets("tx", "bob") == [packet], "the other one went"
        assert "Who: call-left" in log_of(world["alice"])


@contextlib.contextmanager
def small_disk(spool: Path, size: str) -> Iterator[None]:
    """The spool on a file system of its own, of this size."""
    if os.geteuid() != 0:
        from ..harness.runner import Skipped

        raise Skipped("mounting needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", spool], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", spool], check=True)


def claim_full_disks(directory: Path) -> None:
    """A full disk over there, or here, makes the call exit 1; what fits is delivered."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        with small_disk(world["bob"].spool, "1m"), daemon(world["bob"]) as port:
            big = queue(world, "alice", "bob", "big", 3 * MIB)
            small = queue(world, "alice", "bob", "small", 1000)
            left(call(world, port), "bob requested none of them")
            assert world["alice"].packets("tx", "bob") == [big]
            assert [path.name for path in world["bob"].packets("rx", "alice")] == [small.name]
        big.unlink()
        queue(world, "bob", "alice", "big", 3 * MIB)
        with small_disk(world["alice"].spool, "1m"), daemon(world["bob"]) as port:
            left(call(world, port), "not enough space")


def claim_never_confirmed(directory: Path) -> None:
    """A packet that was sent to its end and not confirmed makes the call exit 1, and is named as that."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        packet = queue(world, "alice", "bob", "f", 100_000)
        with daemon(world["bob"], "-nock") as port:
            left(call(world, port), "sent, and not confirmed")
        assert world["alice"].packets("tx", "bob") == [packet]
        rx = world["bob"].spool / ident("alice") / "rx"
        assert (rx / f"{packet.name}.nock").exists()


def claim_refused_packet(directory: Path) -> None:
    """A packet that is not what its name says, offered by the peer, makes the call exit 1."""
    world = ours(directory)
    packet = queue(world, "bob", "alice", "f", 100_000)
    content = packet.read_bytes()
    packet.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with daemon(world["bob"]) as port:
        left(call(world, port), "checksum mismatch")
    assert packet.exists() and not world["alice"].packets("rx", "bob")


def claim_unremovable(directory: Path) -> None:
    """A packet that the peer has and that can not be removed here makes the call exit 1."""
    world = ours(directory)
    packet = queue(world, "alice", "bob", "f", 1000)
    arguments = ("-onlinedeadline", "1", "bob")
    with daemon(world["bob"]) as port:
        broken = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(packet), "-e", "inject=unlink,unlinkat:error=EIO")
        done = world["alice"].run("call", *arguments, f"127.0.0.1:{port}", wrap=broken)
        left(done, "input/output error")
    assert packet.exists()


def claim_scheduled_call_says_it(directory: Path) -> None:
    """A scheduled call logs what it left behind."""
    world = ours(directory)
    alice = world["alice"]
    queue(world, "alice", "bob", "f", 1000, "-nice", "200")
    with daemon(world["bob"], "-nice", "100") as port:
        section = alice.neighbour("bob")
        section["addrs"] = {"main": f"127.0.0.1:{port}"}
        section["calls"] = [{"cron": "* * * * * * *", "onlinedeadline": 1}]
        alice.write_config()
        with running(alice, "caller", "bob"):
            wait_for("the log says so", lambda: "Who: call-left" in log_of(alice))
    record = log_of(alice).partition("Who: call-left")[2].partition("\n\n")[0]
    assert "Pkts: 1" in record, record
