"""One spool that both implementations use."""

import fcntl
from collections.abc import Callable

from ..harness.world import World, ident, rule


def takes_turns(world: World) -> None:
    """Commands of both implementations alternate on every node."""
    first, second = world["alice"].implementation, world["bob"].implementation
    alice, bob = world["alice"], world["bob"]
    for number in range(6):
        alice.implementation = (first, second)[number % 2]
        alice.run("file", "-nice", str(10 + number), "-", f"bob:{number}", stdin=rule(number * 1000)).ok()
    shown = {bytes(node_run.out) for node_run in (with_implementation(alice, side, "stat", "-pkt") for side in (first, second))}
    lines = {tuple(sorted(text.splitlines())) for text in shown}
    assert len(lines) == 1, shown
    alice.implementation = second
    alice.run("check").ok()
    world.carry("alice", "carol")
    world["carol"].implementation = first
    world["carol"].run("toss", "-nice", "12").ok()
    world["carol"].implementation = second
    world["carol"].run("toss").ok()
    world.carry("carol", "bob")
    bob.implementation = second
    bob.run("toss", "-nice", "13", "-seen").ok()
    bob.implementation = first
    bob.run("toss", "-seen").ok()
    assert bob.received() == {str(number): rule(number * 1000) for number in range(6)}
    seen = list((bob.spool / ident("carol") / "rx" / "seen").iterdir())
    assert len(seen) == 6, seen
    bob.run("rm", "-all", "-seen").ok()


def with_implementation(node, implementation, command, *arguments):
    kept, node.implementation = node.implementation, implementation
    try:
        return node.run(command, *arguments).ok()
    finally:
        node.implementation = kept


def one_locks_the_other(world: World) -> None:
    """A lock that the one takes keeps the other out: the handler holds it while the other tries."""
    bob, other = world["bob"], world["alice"].implementation
    command = f"cd {bob.home}; {other.command('toss')} -node alice 2> other; touch tried"
    environment = f"NNCPCFG={bob.home}/nncp.hjson; export NNCPCFG; "
    bob.neighbour("alice")["exec"] = {"try": ["/bin/sh", "-c", environment + command]}
    bob.write_config()
    world["alice"].run("exec", "-via", "-", "bob", "try").ok()
    world.carry("alice", "bob")
    bob.run("toss").ok()
    assert (bob.home / "tried").exists()
    told = (bob.home / "other").read_text()
    assert "toss.lock" in told or "locking" in told.lower() or "lock" in told, told


def seen_is_respected(world: World) -> None:
    """What the one has tossed with -seen, the other does not take from the stick again."""
    alice, bob = world["alice"], world["bob"]
    first, second = alice.implementation, bob.implementation
    alice.run("file", "-via", "-", "-", "bob:f", stdin=rule(10)).ok()
    (world.stick / ident("bob")).mkdir()
    alice.run("xfer", "-tx", world.stick).ok()
    bob.implementation = first
    bob.run("xfer", "-rx", "-keep", world.stick).ok()
    bob.run("toss", "-seen").ok()
    bob.implementation = second
    bob.run("xfer", "-rx", world.stick).ok().says("already seen")
    bob.run("toss").ok()
    assert bob.received() == {"f": rule(10)}


def one_directory_is_barred(world: World) -> None:
    """A neighbour's directory that can not be locked is told, and keeps nobody else waiting."""
    bob = world["bob"]
    for sender in ("alice", "carol"):
        world[sender].run("file", "-via", "-", "-", f"bob:{sender}", stdin=rule(10)).ok()
        world.carry(sender, "bob")
    (bob.spool / ident("alice") / "toss.lock").mkdir()
    done = bob.run("toss")
    # The reference tells, and calls it well done.
    assert b"toss.lock" in done.err and done.status == int(bob.implementation.name == "packmule"), done
    assert bob.received() == {"carol": rule(10)}
    assert b"alice" in bob.run("stat").ok().out
    (bob.spool / ident("alice") / "toss.lock").rmdir()
    bob.run("toss").ok()
    assert sorted(bob.received()) == ["alice", "carol"]


def put_back_is_tossed_again(world: World) -> None:
    """A mark keeps a packet on a stick out; one that was put back by hand is tossed again without -seen."""
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-via", "-", "-", "bob:f", stdin=rule(10)).ok()
    world.carry("alice", "bob")
    packet = bob.packets("rx", "alice")[0]
    kept = packet.read_bytes()
    bob.run("toss", "-seen").ok()
    (bob.incoming / "f").unlink()
    packet.write_bytes(kept)
    bob.run("toss").ok()
    assert bob.received() == {"f": rule(10)} and not bob.packets("rx", "alice")


def busy(world: World) -> None:
    """A node whose lock somebody holds is left alone by both, and nothing is lost."""
    bob = world["bob"]
    world["alice"].run("file", "-via", "-", "-", "bob:f", stdin=rule(10)).ok()
    world.carry("alice", "bob")
    lock = bob.spool / ident("alice") / "toss.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for side in (world["alice"].implementation, bob.implementation):
            bob.implementation = side
            bob.run("toss", "-node", "alice")
            assert bob.received() == {}
    bob.run("toss").ok()
    assert bob.received() == {"f": rule(10)}


SHARED: dict[str, Callable[[World], None]] = {
    "one spool, taking turns": takes_turns,
    "one spool, one locks the other": one_locks_the_other,
    "one spool, seen marks": seen_is_respected,
    "one spool, put back": put_back_is_tossed_again,
    "one spool, one directory barred": one_directory_is_barred,
    "one spool, lock held elsewhere": busy,
}
