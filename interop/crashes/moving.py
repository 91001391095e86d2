"""`xfer`, `bundle` and `reass`."""

from ..harness.world import World, ident, rule
from .command import Command
from .packets import all_whole, delivered, nothing, packets_below, whole
from .tossing import posted


def outgoing(world: World) -> None:
    for size in (10, 300_000):
        world["alice"].run("file", "-", "bob:f", stdin=rule(size)).ok()
    (world.stick / ident("bob")).mkdir()


def two_somewhere(world: World) -> None:
    """Each packet is whole in the queue it left or in the place it went to."""
    all_whole(world)
    names = {packet.name for packet in packets_below(world.stick)}
    names |= {packet.name for packet in world["alice"].packets("tx", "bob")}
    names |= {packet.name for packet in world["bob"].packets("rx", "alice")}
    assert len(names) == 2, names


def on_stick(world: World) -> None:
    two_somewhere(world)
    assert len(packets_below(world.stick)) == 2
    assert not world["alice"].packets("tx", "bob"), "what is on the stick already is still in the spool"


def damaged_there(world: World) -> None:
    """One of the packets is on the stick already, the other damaged."""
    outgoing(world)
    shelf = world.stick / ident("bob") / ident("alice")
    shelf.mkdir()
    for packet in world["alice"].packets("tx", "bob"):
        good = packet.read_bytes()
        (shelf / packet.name).write_bytes(good if len(good) > 200_000 else good[:-1])


def damaged_or_somewhere(world: World) -> None:
    """Each packet is whole in the queue or on the stick, whatever else has its name there."""
    names = [packet.name for packet in world["alice"].packets("tx", "bob") if whole(packet)]
    names += [packet.name for packet in packets_below(world.stick) if whole(packet)]
    assert len(set(names)) == 2, names


def incoming(world: World) -> None:
    outgoing(world)
    world["alice"].run("xfer", "-tx", world.stick).ok()


def received(world: World) -> None:
    """The spool has both already: the transfer was killed before it removed them from the stick."""
    incoming(world)
    world["bob"].run("xfer", "-rx", "-keep", world.stick).ok()


def in_spool(world: World) -> None:
    two_somewhere(world)
    assert len(world["bob"].packets("rx", "alice")) == 2
    assert not packets_below(world.stick)


def bundle(world: World) -> None:
    outgoing(world)
    (world["alice"].home / "bundle").write_bytes(world["alice"].run("bundle", "-tx", "bob").ok().out)
    (world["bob"].home / "bundle").write_bytes((world["alice"].home / "bundle").read_bytes())


def none_queued(world: World) -> None:
    assert not world["alice"].packets("tx", "bob")


def both_received(world: World) -> None:
    all_whole(world)
    assert len(world["bob"].packets("rx", "alice")) == 2


def in_chunks(world: World) -> None:
    posted("file", "-chunked", "100", "-", "bob:f", stdin=rule(250_000))(world)
    world["bob"].run("toss").ok()


def reassembled(world: World) -> None:
    assert delivered(world) == ["f"], delivered(world)
    assert world["bob"].received()["f"] == rule(250_000)


def commands() -> list[Command]:
    tx = ("xfer", "-tx", "../stick")
    rx = ("bundle", "-rx", "-check")
    delete = ("bundle", "-rx", "-delete")
    return [
        Command("xfer -tx", "alice", tx, outgoing, two_somewhere, on_stick),
        Command("xfer -tx onto what is there", "alice", tx, damaged_there, damaged_or_somewhere, on_stick),
        Command("xfer -rx of what is there", "bob", ("xfer", "-rx", "../stick"), received, two_somewhere, in_spool),
        Command("xfer -rx", "bob", ("xfer", "-rx", "../stick"), incoming, two_somewhere, in_spool),
        Command("bundle -rx", "bob", rx, bundle, all_whole, both_received, stdin="bundle"),
        Command("bundle -rx -delete", "alice", delete, bundle, all_whole, none_queued, stdin="bundle"),
        Command(
            "reass", "bob", ("reass", "incoming/f.nncp.meta"), in_chunks, nothing, reassembled, may_be_done=True
        ),
    ]
