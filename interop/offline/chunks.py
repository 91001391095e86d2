"""Files in chunks."""

from ..harness.world import World, rule


def chunks_in_any_order(world: World) -> None:
    """The description first, then the chunks: nothing happens before all are there."""
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-chunked", "1", "-", "bob:f", stdin=rule(2500)).ok()
    world.carry("alice", "bob")
    bob.run("toss").ok()
    away = bob.home / "away"
    (bob.incoming / "f.nncp.chunk1").rename(away)
    bob.run("reass", "-all").fails().says("chunk 1 missing")
    assert "f" not in bob.received()
    away.rename(bob.incoming / "f.nncp.chunk1")
    (bob.incoming / "f").write_bytes(b"taken")
    bob.run("reass", "-keep", "-node", "alice").ok()
    assert bob.received()["f.0"] == rule(2500)
    assert bob.run("reass", "-stdout", "incoming/f.nncp.meta").ok().out == rule(2500)
    assert bob.received() == {"f": b"taken", "f.0": rule(2500)}


def dumped(world: World) -> None:
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-chunked", "1", "-", "bob:f", stdin=rule(2500)).ok()
    world.carry("alice", "bob")
    bob.run("toss").ok()
    first = bob.run("reass", "-dump", "incoming/f.nncp.meta").ok().out
    bob.implementation = alice.implementation
    assert bob.run("reass", "-dump", "incoming/f.nncp.meta").ok().out == first
