"""A stick that goes round: what it never delivers comes back."""

from pathlib import Path

from ..crashes.packets import whole
from ..harness.implementation import ROOT
from ..harness.world import Done, World, ident, rule
from .stick import build, place, queued


def unit() -> list[str]:
    """What the packaged unit runs, without the directory."""
    text = (ROOT / "packaging" / "systemd" / "packmule-stick.service").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    program, command, *flags, directory = line.removeprefix("ExecStart=").split()
    assert (program, command, directory) == ("/usr/bin/packmule", "xfer", "/media/packmule")
    return flags


def plugged(world: World, who: str) -> Done:
    """The stick is plugged in there. It is no file system of its own here."""
    flags = [flag for flag in unit() if flag != "-mounted"]
    return world[who].run("xfer", *flags, world.stick).ok()


def held(world: World, who: str, xx: str, peer: str) -> set[str]:
    return {packet.name for packet in world[who].packets(xx, peer)}


def claim_the_packaged_unit_makes_no_directories(directory: Path) -> None:
    """The stick's unit refuses what is not mounted, and puts nothing on the stick for whom it has no directory."""
    assert "-mkdir" not in unit() and "-mounted" in unit()
    world = build(directory)
    for name in ("self", "bob"):
        world["alice"].run("xfer", "-tx", "-mkdir", "-node", name, world.stick).ok()
    third = queued(world, "carol")
    ours = {queued(world).name, queued(world).name}
    back = world["bob"].run("file", "-", "alice:f", stdin=rule(10)).ok()
    plugged(world, "alice").says("1 packet waits for carol, which has no directory here")
    assert third.exists() and not (world.stick / ident("carol")).exists()
    plugged(world, "bob")
    plugged(world, "alice")
    assert held(world, "bob", "rx", "alice") == ours and len(held(world, "alice", "rx", "bob")) == 1, back.err


def claim_what_a_stick_never_delivers_is_taken_back(directory: Path) -> None:
    """What -mkdir put on bob's stick for carol comes back into the spool when bob's came home, and stays there."""
    world = build(directory)
    theirs = {queued(world, "carol").name, queued(world, "carol").name}
    queued(world)
    world["alice"].run("xfer", "-mkdir", world.stick).ok()
    assert not held(world, "alice", "tx", "carol")
    plugged(world, "alice")
    assert not held(world, "alice", "tx", "carol"), "taken back before the stick went anywhere"
    plugged(world, "bob")
    stray = world.stick / ident("carol") / ident("alice")
    done = world["alice"].run("xfer", "-rx", world.stick).ok()
    done.says("2 packets that this node put there for carol").says("-takeback")
    assert {path.name for path in stray.iterdir()} == theirs, "as the reference does, unless asked"
    unwanted = stray / min(theirs)
    good = unwanted.read_bytes()
    unwanted.write_bytes(good[:-1])
    world["alice"].run("xfer", "-takeback", world.stick).fails().says("checksum mismatch")
    assert unwanted.exists() and len(held(world, "alice", "tx", "carol")) == 1
    unwanted.write_bytes(good)
    plugged(world, "alice").says("2 packets wait for carol, which has no directory here or never wrote to it")
    assert held(world, "alice", "tx", "carol") == theirs and not list(stray.iterdir())
    for packet in world["alice"].packets("tx", "carol"):
        assert whole(packet)
    plugged(world, "alice")
    assert held(world, "alice", "tx", "carol") == theirs
    # Once carol has been there it is her stick too.
    world["carol"].run("xfer", world.stick).ok()
    plugged(world, "alice")
    assert {path.name for path in stray.iterdir()} == theirs
    for flags in (("-mkdir",), ("-keep",)):
        world["alice"].run("xfer", "-takeback", *flags, world.stick).fails().says("-takeback can not be combined")


def claim_what_is_wanted_on_a_stick_stays_there(directory: Path) -> None:
    """Sessions of rx and tx leave alone what its node may still get: one that writes to the stick, or nobody does."""
    world = build(directory)
    for name in ("self", "bob", "carol"):
        world["alice"].run("xfer", "-tx", "-mkdir", "-node", name, world.stick).ok()
    for who in ("bob", "carol"):
        plugged(world, who)
    packets = {queued(world, to).name: to for to in ("bob", "carol")}
    plugged(world, "alice")
    before = {path: path.stat().st_ino for path in world.stick.rglob("*") if path.name in packets}
    assert len(before) == 2
    for _ in range(2):
        plugged(world, "alice")
        world["alice"].run("xfer", "-rx", world.stick).ok()
        world["alice"].run("xfer", "-tx", world.stick).ok()
        assert {path: path.stat().st_ino for path in before if path.exists()} == before
    # Who names the node takes it back whatever the stick does.
    world["alice"].run("xfer", "-rx", "-takeback", "-node", "carol", world.stick).ok()
    assert len(held(world, "alice", "tx", "carol")) == 1 and not held(world, "alice", "tx", "bob")


def claim_only_packets_for_its_node_are_taken_back(directory: Path) -> None:
    """What a stick holds in the place of a packet for carol and is for somebody else does not get into her queue."""
    world = build(directory)
    other = queued(world)
    stray = place(world, other, "carol")
    other.rename(stray)
    done = world["alice"].run("xfer", "-rx", "-takeback", "-node", "carol", world.stick).fails()
    done.says("is not for carol")
    assert stray.exists() and not held(world, "alice", "tx", "carol")
