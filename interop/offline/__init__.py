"""Bundles, chunked files, areas and acknowledgements, where the scenarios of single packets do not look."""

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import packmule, reference, stands_in
from ..harness.runner import Check, Skipped
from ..harness.world import World, ident, rule


def redirected(redirection: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", f'exec "$@" {redirection}', "sh")


def ours(world: World, name: str) -> None:
    """What only packmule does is not asked of the reference standing in for it."""
    if stands_in() or world[name].implementation.name != "packmule":
        raise Skipped("only packmule does this")


# Bundles.


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


# Chunked files.


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


# Acknowledgements.


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


# Descriptors.


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


# Areas.


def members(world: World, who: dict[str, list[str]], relay: str | None = None) -> None:
    for name, subscribers in who.items():
        section = world[name].config["areas"]["news"]
        section["subs"] = subscribers
        if name == relay:
            del section["prv"], section["pub"]
        world[name].write_config()


def toss_messages(world: World, name: str) -> None:
    """The reference needs several runs (node.md W17)."""
    for _ in range(3):
        world[name].run("toss")


def unknown_author(world: World) -> None:
    """Refused and kept, but passed on; with allow-unknown delivered."""
    members(world, {"alice": ["carol"], "carol": ["bob"]}, relay="carol")
    bob = world["bob"]
    del bob.config["neigh"]["alice"]
    bob.write_config()
    world["alice"].run("file", "-", "area:news:f", stdin=rule(10)).ok()
    toss_messages(world, "alice")
    world.carry("alice", "carol")
    toss_messages(world, "carol")
    world.carry("carol", "bob")
    bob.run("toss").fails().says("unknown sender")
    assert bob.packets("rx", "carol") and not bob.received()
    bob.config["areas"]["news"]["allow-unknown"] = True
    bob.write_config()
    bob.run("toss").ok()
    assert bob.received() == {"f": rule(10)} and not bob.packets("rx", "carol")


def unknown_area(world: World) -> None:
    members(world, {"alice": ["bob"]})
    world["bob"].config["areas"] = {}
    world["bob"].write_config()
    world["alice"].run("file", "-", "area:news:f", stdin=rule(10)).ok()
    toss_messages(world, "alice")
    world.carry("alice", "bob")
    world["bob"].run("toss").fails().says("unknown area")
    assert world["bob"].packets("rx", "alice")


def author_gets_no_echo(world: World) -> None:
    """W31: neither he nor who gave it to us gets the message back."""
    ours(world, "bob")
    members(world, {"alice": ["carol"], "carol": ["alice", "bob"], "bob": ["alice", "carol"]}, relay="carol")
    world["alice"].run("file", "-", "area:news:f", stdin=rule(10)).ok()
    toss_messages(world, "alice")
    world.carry("alice", "carol")
    toss_messages(world, "carol")
    world.carry("carol", "bob")
    world["bob"].run("toss").ok()
    assert world["bob"].received() == {"f": rule(10)}
    for peer in ("alice", "carol"):
        assert not world["bob"].packets("tx", peer)


def relay_that_subscribes(world: World) -> None:
    """A subscriber behind a relay and the relay itself both get the message."""
    ours(world, "alice")
    members(world, {"alice": ["bob", "carol"]})
    world["alice"].neighbour("bob")["via"] = ["carol"]
    world["alice"].write_config()
    world["alice"].run("file", "-", "area:news:f", stdin=rule(10)).ok()
    world["alice"].run("toss").ok()
    assert len(world["alice"].packets("tx", "carol")) == 2
    left = [path for path in world["alice"].spool.rglob("queuing/*")]
    assert not left, left


def filtered_message(world: World) -> None:
    """W16: what a filter leaves is not lost."""
    ours(world, "bob")
    members(world, {"alice": ["bob"]})
    world["alice"].run("file", "-", "area:news:f", stdin=b"").ok()
    world["alice"].run("toss").ok() if world["alice"].implementation.name == "packmule" else toss_messages(world, "alice")
    world.carry("alice", "bob")
    world["bob"].run("toss", "-nofile").ok()
    assert not world["bob"].received() and world["bob"].packets("rx", "alice")
    world["bob"].run("toss").ok()
    assert world["bob"].received() == {"f": b""}


SCENARIOS: dict[str, Callable[[World], None]] = {
    "bundle, byte for byte": bundle_bytes,
    "bundle of nothing": bundle_without_packets,
    "bundles with noise between": bundles_in_noise,
    "bundle that is a recording": recording_verified,
    "bundle that is cut": cut_bundle,
    "bundle that is damaged": damaged_bundle,
    "bundle made by a tar program": archived_medium,
    "chunks one after the other": chunks_in_any_order,
    "description of chunks": dumped,
    "waiting for acknowledgements": waiting_for_acks,
    "acknowledgement of an acknowledgement": acks_of_acks,
    "acknowledgements made while tossing": generated_acks,
    "standard input and output that are closed": closed_output_and_input,
    "results that can not be written": lost_results,
    "a reader that goes": reader_that_goes,
    "a limit of file sizes": limited_file_size,
    "area, unknown author": unknown_author,
    "area, unknown": unknown_area,
    "area, no echo to the author": author_gets_no_echo,
    "area, subscriber behind a subscriber": relay_that_subscribes,
    "area, message left by a filter": filtered_message,
}


def checks() -> list[Check]:
    sides = (reference(), packmule())
    found = []
    for title, scenario in SCENARIOS.items():
        for alice, bob in itertools.product(sides, repeat=2):
            world = {"alice": alice, "carol": bob, "bob": bob}
            found.append(Check(f"{title}: {alice} > {bob}", prove(scenario, world)))
    return found


def prove(scenario: Callable[[World], None], implementations: dict) -> Callable[[Path], str | None]:
    def run(directory: Path) -> str | None:
        try:
            scenario(World(directory, implementations))
        except Skipped as reason:
            return "other" if "only packmule" in str(reason) else "skipped"
        return None

    return run
