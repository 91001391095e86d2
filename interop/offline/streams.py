"""Standard input and output that are closed, full or left, and limits of the system."""

from ..harness.world import World, rule
from .sides import ours


def redirected(redirection: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", f'exec "$@" {redirection}', "sh")



def closed_output_and_input(world: World) -> None:
    """What would go to nowhere is not removed, what would come from nowhere is not sent."""
    # The reference uses what got their numbers instead.
    ours(world, "alice")
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-chunked", "1", "-", "bob:f", stdin=rule(2500)).ok()
    queued = alice.packets("tx", "bob")
    alice.run("bundle", "-tx", "-delete", "bob", wrap=redirected(">&-")).fails()
    alice.run("file", "-", "bob:empty", wrap=redirected("<&-")).fails().says("standard input")
    assert alice.packets("tx", "bob") == queued
    world.carry("alice", "bob")
    bob.run("toss").ok()
    before = bob.received()
    bob.implementation = alice.implementation
    bob.run("reass", "-stdout", "incoming/f.nncp.meta", wrap=redirected(">&-")).fails()
    bob.run("bundle", "-rx", wrap=redirected("<&-")).fails()
    assert bob.received() == before


def lost_results(world: World) -> None:
    """A result that nobody can have got is no success."""
    ours(world, "alice")
    alice = world["alice"]
    alice.run("file", "-", "bob:f", stdin=b"x").ok()
    (packet,) = alice.packets("tx", "bob")
    for command in ("toss -json", "xfer -json ../stick", "pkt -overheads", "cfgnew", "stat", "check -json", "log -json"):
        for where in (">/dev/full", ">&-"):
            alice.run(*command.split(), wrap=redirected(where)).fails().says("standard output")
    alice.run("pkt", stdin=packet.read_bytes(), wrap=redirected(">/dev/full")).fails()


def reader_that_goes(world: World) -> None:
    """A reader that has enough ends the writer as SIGPIPE would, and nothing is removed."""
    ours(world, "bob")
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-chunked", "100", "-", "bob:f", stdin=rule(500_000)).ok()
    world.carry("alice", "bob")
    bob.run("toss").ok()
    before = bob.received()
    piped = ("/bin/bash", "-c", '"$@" | head -c 10 > /dev/null; exit ${PIPESTATUS[0]}', "sh")
    assert bob.run("reass", "-stdout", "incoming/f.nncp.meta", wrap=piped).status == 141
    assert bob.received() == before


def limited_file_size(world: World) -> None:
    """A file that may not grow is an error like a full disk."""
    ours(world, "bob")
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-", "bob:big", stdin=rule(500_000)).ok()
    alice.run("file", "-nice", "255", "-", "bob:small", stdin=b"x").ok()
    world.carry("alice", "bob")
    limited = ("/bin/bash", "-c", 'ulimit -f 100; exec "$@"', "sh")
    bob.run("toss", wrap=limited).fails()
    assert bob.received() == {"small": b"x"}
    assert len(bob.packets("rx", "alice")) == 1 and not bob.leftovers()
