"""Messages to areas, from subscriber to subscriber."""

from ..harness.world import World, rule
from .sides import is_ours, ours


def members(world: World, who: dict[str, list[str]], relay: str | None = None) -> None:
    for name, subscribers in who.items():
        section = world[name].config["areas"]["news"]
        section["subs"] = subscribers
        if name == relay:
            del section["prv"], section["pub"]
        world[name].write_config()


def toss_messages(world: World, name: str) -> None:
    """The reference needs several runs (doc/weaknesses.md W17)."""
    for _ in range(3):
        world[name].run("toss")


def unknown_author(world: World) -> None:
    """Kept and passed on, which for packmule is no failure; with allow-unknown delivered."""
    members(world, {"alice": ["carol"], "carol": ["bob"]}, relay="carol")
    bob = world["bob"]
    del bob.config["neigh"]["alice"]
    bob.write_config()
    world["alice"].run("file", "-", "area:news:f", stdin=rule(10)).ok()
    toss_messages(world, "alice")
    world.carry("alice", "carol")
    toss_messages(world, "carol")
    world.carry("carol", "bob")
    tossed = bob.run("toss").says("unknown sender")
    if is_ours(world, "bob"):
        tossed.ok()
    else:
        tossed.fails()
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
