"""A packet that fails is named until somebody removes it, and removing it says what it did."""

from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import World, ident
from .producer import own


def claim_rm_elsewhere(directory: Path) -> None:
    """`rm -pkt` says where a packet lies that it did not find, and removes it there when told to."""
    here = World(directory, dict.fromkeys(("alice", "bob"), packmule()))
    here["alice"].run("file", "-", "bob:x", stdin=b"x").ok()
    here.carry("alice", "bob")
    bob = here["bob"]
    (packet,) = bob.packets("rx", "alice")
    name = packet.name.encode()
    for flags in ((), ("-dryrun",)):
        done = bob.run("rm", *flags, "-node", "carol", "-pkt", stdin=name).fails()
        done.says(f"{ident('alice')}/rx/{packet.name}").says("use -node alice")
        assert packet.exists()
    for word in (b"..", b"A" * 52, b"../" + b"B" * 52):
        bob.run("rm", "-node", "carol", "-pkt", stdin=word).ok().says("the spool has no such packet")
    bob.run("rm", "-node", "alice", "-pkt", stdin=name).ok()
    assert not packet.exists()


def claim_handler(directory: Path) -> None:
    """What a failed handler said last stands with the error, and doctor tells what fails at every toss and why."""
    here = World(directory, dict.fromkeys(("alice", "bob"), packmule()))
    alice, bob = here["alice"], here["bob"]
    alice.run("exec", "bob", "fail").ok()
    alice.run("exec", "bob", "fail", "again").ok()
    alice.run("exec", "bob", "nohandle").ok()
    here.carry("alice", "bob")
    for _ in range(2):
        bob.run("toss").fails().says("exit status 3: complaint")
    found = own(bob, "doctor")
    assert found.status == 1
    text = (found.out + found.err).decode()
    assert "2 packets of alice fail at every toss" in text and "exit status 3: complaint" in text, text
    assert "No handle found" in text and "packmule rm -node alice -pkt" in text
    for packet in bob.packets("rx", "alice"):
        bob.run("rm", "-node", "alice", "-pkt", stdin=packet.name.encode()).ok()
    assert b"fail at every toss" not in (own(bob, "doctor").out + own(bob, "doctor").err)
