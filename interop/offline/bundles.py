"""Bundles: their bytes, what stands around them, what is wrong with them."""

import itertools
import shutil
import subprocess

from ..harness.world import World, ident, rule
from .sides import ours


def bundle_bytes(world: World) -> None:
    """The one implementation writes for a packet what the other writes."""
    alice = world["alice"]
    alice.run("file", "-", "bob:f", stdin=rule(5000)).ok()
    first = alice.run("bundle", "-tx", "bob", "bob").ok().out
    alice.implementation = world["bob"].implementation
    assert alice.run("bundle", "-tx", "bob").ok().out == first
    assert len(first) % 512 == 0


def bundle_without_packets(world: World) -> None:
    assert world["alice"].run("bundle", "-tx", "bob").ok().out == b""
    assert world["bob"].run("bundle", "-rx").ok().out == b""


def bundles_in_noise(world: World) -> None:
    """Concatenated, with end blocks and garbage between them."""
    alice = world["alice"]
    streams = []
    for number in range(3):
        alice.run("file", "-", f"bob:{number}", stdin=rule(1000 * number)).ok()
        streams.append(alice.run("bundle", "-tx", "-delete", "bob").ok().out)
    assert not alice.packets("tx", "bob")
    noise = [b"x" * 1000, bytes(1024), b"odd NNC"]
    stream = b"".join(itertools.chain.from_iterable(zip(noise, streams)))
    world["bob"].run("bundle", "-rx", "-check", stdin=stream).ok()
    world["bob"].run("toss").ok()
    assert world["bob"].received() == {str(number): rule(1000 * number) for number in range(3)}


def recording_verified(world: World) -> None:
    """What is on the recording is removed, what is not, or is damaged there, stays."""
    alice = world["alice"]
    for name in ("good", "bad"):
        alice.run("file", "-", f"bob:{name}", stdin=rule(3000)).ok()
    recording = bytearray(alice.run("bundle", "-tx", "bob").ok().out)
    alice.run("file", "-", "bob:later", stdin=rule(10)).ok()
    recording[-600] ^= 1
    alice.run("bundle", "-rx", "-delete", "-dryrun", stdin=bytes(recording))
    assert len(alice.packets("tx", "bob")) == 3
    alice.run("bundle", "-rx", "-delete", stdin=bytes(recording)).says("bad checksum").says("removed")
    assert len(alice.packets("tx", "bob")) == 2


def cut_bundle(world: World) -> None:
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-", "bob:f", stdin=rule(300_000)).ok()
    stream = alice.run("bundle", "-tx", "bob").ok().out
    bob.run("bundle", "-rx", stdin=stream[:200_000]).fails().says("unexpected EOF")
    assert not bob.packets("rx", "alice")


def damaged_bundle(world: World) -> None:
    """packmule verifies without -check, and says so in its status."""
    ours(world, "bob")
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-", "bob:f", stdin=rule(3000)).ok()
    stream = bytearray(alice.run("bundle", "-tx", "bob").ok().out)
    stream[2000] ^= 1
    for flags in ((), ("-check",)):
        bob.run("bundle", "-rx", *flags, stdin=bytes(stream)).fails().says("bad checksum")
        assert not bob.packets("rx", "alice")


ARCHIVERS = [
    ("tar", "--format=gnu"),
    ("tar", "--format=ustar"),
    ("tar", "--format=pax"),
    ("bsdtar", "--format=pax"),
    ("bsdtar", "--format=ustar"),
]


def archived_medium(world: World) -> None:
    """The tree of a medium, archived by a tar program, is a bundle."""
    ours(world, "bob")
    alice, bob = world["alice"], world["bob"]
    for number in range(3):
        alice.run("file", "-", f"bob:{number}", stdin=rule(1000)).ok()
    tree = alice.home / "NNCP"
    (tree / ident("bob")).mkdir(parents=True)
    alice.run("xfer", "-tx", tree).ok()
    for archiver in ARCHIVERS:
        if shutil.which(archiver[0]) is None:
            continue
        archive = subprocess.run([*archiver, "-cf", "-", "NNCP"], cwd=alice.home, capture_output=True, check=True)
        bob.run("bundle", "-rx", "-check", stdin=archive.stdout).ok()
        assert len(bob.packets("rx", "alice")) == 3, archiver
        bob.run("rm", "-all", "-rx").ok()
