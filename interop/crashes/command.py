"""A command on copies of one state, and the calls at which it can be stopped."""

import collections
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..harness.implementation import packmule
from ..harness.strace import CALL, CHANGING
from ..harness.world import Done, Node, World


@dataclass(frozen=True)
class Command:
    """A command of `actor` on the state that `prepare` makes.

    `safe` holds at any moment, also right after a crash; `complete` after the second run. A command that
    `may_be_done` already at the crash need not succeed the second time.
    """

    name: str
    actor: str
    arguments: tuple[str, ...]
    prepare: Callable[[World], None]
    safe: Callable[[World], None]
    complete: Callable[[World], None]
    may_be_done: bool = False
    stdin: str | None = None


class Run:
    """A command on copies of its state, each in a directory of its own."""

    def __init__(self, command: Command, directory: Path):
        self.command = command
        self.directory = directory
        self.template = self.build(directory / "template")
        command.prepare(self.template)
        self.count = 0

    def build(self, directory: Path) -> World:
        side = packmule()
        return World(directory, {name: side for name in ("alice", "bob", "carol")})

    def fresh(self) -> World:
        """The prepared state, in a new place."""
        self.count += 1
        place = self.directory / str(self.count)
        old, new = str(self.template.directory), str(place)
        shutil.copytree(self.template.directory, place, symlinks=True)
        world = World.__new__(World)
        world.directory, world.stick = place, place / "stick"
        world.nodes = {}
        for name, node in self.template.nodes.items():
            config = place / name / "nncp.hjson"
            config.write_text(config.read_text().replace(old, new))
            world.nodes[name] = Node(name, place / name, node.implementation, node.config)
        return world

    def once(self, world: World, *wrap: str) -> Done:
        node = world[self.command.actor]
        stdin = (node.home / self.command.stdin).read_bytes() if self.command.stdin else b""
        name, *arguments = self.command.arguments
        return node.run(name, *arguments, stdin=stdin, wrap=wrap, env={"NNCPNOSYNC": ""})

    def calls(self) -> dict[str, int]:
        """How often, at most, a thread makes each of the calls that change the disk."""
        world = self.fresh()
        trace = self.directory / "trace"
        self.once(world, "strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(CHANGING)).ok()
        counts: collections.Counter[tuple[str, str]] = collections.Counter()
        for line in trace.read_text().splitlines():
            if found := CALL.match(line):
                counts[found[1], found[2]] += 1
        most: dict[str, int] = {}
        for (_, call), count in counts.items():
            most[call] = max(most.get(call, 0), count)
        return most

    def faults(self, among: set[str]) -> list[tuple[str, int]]:
        return [(call, at) for call, most in sorted(self.calls().items()) if call in among for at in range(1, most + 1)]
