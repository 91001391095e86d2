"""Acknowledgements, and who waits for them."""

from ..harness.world import World, ident, rule
from .sides import ours
from .streams import redirected


def waiting_for_acks(world: World) -> None:
    """The recipe of the manual, page nncp-ack, word for word."""
    alice, bob, shared = world["alice"], world["bob"], world.stick
    for number in range(2):
        alice.run("file", "-", f"bob:{number}", stdin=rule(1000)).ok()
    for name in ("alice", "bob"):
        (shared / ident(name)).mkdir()
    alice.run("xfer", "-keep", "-tx", "-node", "bob", shared).ok()
    bob.run("xfer", "-rx", shared).ok()
    bob.run("ack", "-node", "alice", wrap=redirected("4>acks")).ok()
    bob.run("xfer", "-keep", "-tx", shared).ok()
    assert len(bob.packets("tx", "alice")) == 2
    bob.run("rm", "-node", "alice", "-pkt", stdin=(bob.home / "acks").read_bytes()).ok()
    assert not bob.packets("tx", "alice")
    alice.run("xfer", "-rx", shared).ok()
    assert len(alice.packets("tx", "bob")) == 2
    alice.run("toss").ok().says("Got ACK packet from bob")
    assert not alice.packets("tx", "bob")
    assert not list((alice.spool / ident("bob") / "tx" / "hdr").iterdir())


def acks_of_acks(world: World) -> None:
    """An acknowledgement is not acknowledged."""
    alice, bob = world["alice"], world["bob"]
    bob.run("ack", "-node", "alice", "-pkt", "A" * 52, wrap=redirected("4>acks")).ok()
    world.carry("bob", "alice")
    alice.run("ack", "-all", wrap=redirected("4>acks")).ok().says("it is ACK, skipping")
    assert (alice.home / "acks").read_bytes() == b""


def generated_acks(world: World) -> None:
    """After the effect, once, with the neighbour's settings; `rm -ack` takes all of it back."""
    ours(world, "bob")
    alice, bob = world["alice"], world["bob"]
    bob.neighbour("alice")["ack"] = {"minsize": 2, "nice": "F+1"}
    bob.write_config()
    alice.run("file", "-", "bob:f", stdin=rule(10)).ok()
    alice.run("exec", "bob", "fail", stdin=b"").ok()
    world.carry("alice", "bob")
    for _ in range(2):
        bob.run("toss", "-gen-ack").fails()
    (packet,) = bob.packets("tx", "alice")
    assert packet.stat().st_size >= 2048
    assert packet.read_bytes()[11] == 33, "its niceness"
    queue = bob.spool / ident("alice") / "tx"
    assert [mark.name for mark in (queue / "ack").iterdir()] == [packet.name]
    bob.run("rm", "-ack", "-all", "-dryrun").ok()
    assert packet.exists()
    bob.run("rm", "-ack", "-all").ok()
    left = [path for path in queue.rglob("*") if path.is_file()]
    assert not left, left
