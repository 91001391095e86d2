"""`toss` of each kind of packet."""

from collections.abc import Callable

from ..harness.world import World, rule
from .command import Command
from .packets import all_whole, has_file, nothing, one_file


def posted(*command: str, stdin: bytes = rule(200_000)) -> Callable[[World], None]:
    """Puts what the command sends into bob's queue of received packets."""

    def prepare(world: World) -> None:
        (world["bob"].public / "wanted").write_bytes(rule(5000))
        world["alice"].run(*command, stdin=stdin).ok()
        world["alice"].run("toss")
        world.carry("alice", "bob")

    return prepare


def still_there(effect: Callable[[World], bool]) -> Callable[[World], None]:
    """The packet or its effect: never neither."""

    def check(world: World) -> None:
        all_whole(world)
        waiting = world["bob"].packets("rx", "alice")
        assert waiting or effect(world), "the packet is gone and its effect is missing"

    return check


def tossed(effect: Callable[[World], bool], once: Callable[[World], None] = nothing) -> Callable[[World], None]:
    def check(world: World) -> None:
        all_whole(world)
        assert not world["bob"].packets("rx", "alice"), "the packet is still there"
        assert effect(world), "the effect is missing"
        once(world)

    return check


def has_run(world: World) -> bool:
    ran = world["bob"].home / "ran"
    return ran.exists() and ran.read_bytes().endswith(b"a|" + rule(200_000))


def has_queued(peer: str) -> Callable[[World], bool]:
    return lambda world: len(world["bob"].packets("tx", peer)) > 0


def has_removed(world: World) -> bool:
    return not world["bob"].packets("tx", "alice")


def one_passed_on(world: World) -> None:
    assert len(world["bob"].packets("tx", "carol")) == 1


def for_an_ack(world: World) -> None:
    bob, alice = world["bob"], world["alice"]
    bob.run("file", "-", "alice:f", stdin=rule(10)).ok()
    (packet,) = bob.packets("tx", "alice")
    alice.run("ack", "-node", "bob", "-pkt", packet.name).ok()
    world.carry("alice", "bob")


def members(world: World) -> None:
    for name, subscribers in [("alice", ["bob"]), ("bob", ["carol"])]:
        world[name].config["areas"]["news"]["subs"] = subscribers
        world[name].write_config()
    posted("file", "-", "area:news:dir/f")(world)


def area_done(world: World) -> bool:
    return has_file(world) and has_queued("carol")(world)


def commands() -> list[Command]:
    def command(name: str, prepare, effect, once=nothing, arguments: tuple[str, ...] = ("toss",)) -> Command:
        return Command(name, "bob", arguments, prepare, still_there(effect), tossed(effect, once))

    file = posted("file", "-", "bob:dir/f")
    return [
        command("toss file", file, has_file, one_file),
        command("toss file -seen", file, has_file, one_file, ("toss", "-seen")),
        command("toss exec", posted("exec", "bob", "append", "a"), has_run),
        command("toss exec-fat", posted("exec", "-nocompress", "bob", "append", "a"), has_run),
        command("toss freq", posted("freq", "bob:wanted", "x"), has_queued("alice")),
        command("toss trns", posted("file", "-via", "bob", "-", "carol:f"), has_queued("carol"), one_passed_on),
        command("toss ack", for_an_ack, has_removed),
        command("toss area", members, area_done, one_file),
    ]
