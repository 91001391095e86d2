"""Commands that queue packets."""

from collections.abc import Callable

from ..harness.world import World, rule
from .command import Command
from .packets import all_whole


def source(world: World) -> None:
    (world["alice"].home / "f").write_bytes(rule(300_000))
    (world["alice"].home / "tree").mkdir()
    (world["alice"].home / "tree" / "f").write_bytes(rule(1000))


def queued(peer: str, at_least: int = 1) -> Callable[[World], None]:
    def check(world: World) -> None:
        all_whole(world)
        assert len(world["alice"].packets("tx", peer)) >= at_least
        assert (world["alice"].home / "f").read_bytes() == rule(300_000)

    return check


def commands() -> list[Command]:
    def command(name: str, peer: str, *arguments: str, stdin: str | None = None, at_least: int = 1) -> Command:
        return Command(name, "alice", arguments, source, all_whole, queued(peer, at_least), stdin=stdin)

    return [
        command("file", "bob", "file", "f", "bob:f"),
        command("file from standard input", "bob", "file", "-", "bob:f", stdin="f"),
        command("file over a relay", "carol", "file", "-via", "carol", "f", "bob:f"),
        command("file in chunks", "bob", "file", "-chunked", "100", "f", "bob:f", at_least=4),
        command("directory", "bob", "file", "tree", "bob:"),
        command("exec", "bob", "exec", "bob", "append", "a", stdin="f"),
        command("freq", "bob", "freq", "bob:f", "g"),
        command("area post", "alice", "file", "f", "area:news:f"),
    ]
