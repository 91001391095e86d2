"""A disk that loses its power: an image on a loop device, copied at one moment, checked by e2fsck and mounted again.

What the file system had not written out by then is not in the copy. To be as unlucky as a machine can be, the
directories out of which the command takes packets are written out before the copy is made: a removal is on the disk
as soon as it is done, everything else only when packmule asked for it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..harness.disks import KINDS, Disk, need_mounts, repair, write_out
from ..harness.implementation import packmule
from ..harness.runner import blame
from ..harness.strace import CALL, CHANGING, strace
from ..harness.world import Done, Node, World

# The short form: the file systems that promise least, and the calls around which names come and go.
SHORT_KINDS = ("ext2", "ext4 without a journal")
SHORT_CALLS = {"unlink", "unlinkat", "linkat"}


def thorough() -> bool:
    """POWERCUT=all: every file system, and a cut at every call that changes the disk."""
    return os.environ.get("POWERCUT") == "all"


def kinds() -> list[str]:
    return list(KINDS) if thorough() else list(SHORT_KINDS)


@dataclass(frozen=True)
class Effect:
    """A command of `actor`, and what may never be lost by it.

    `kept` holds whatever happened; `done` holds as soon as the command ended with 0, and after a second run.
    `emptied` names the directories out of which packets are removed. A second run of what `may_be_done` may fail.
    """

    name: str
    actor: str
    arguments: tuple[str, ...]
    prepare: Callable[[World], None]
    kept: Callable[[World], None]
    done: Callable[[World], None]
    emptied: Callable[[World], list[Path]] = lambda world: []
    may_be_done: bool = False
    stdin: str | None = None


class Cuts:
    """An effect on one kind of file system, cut at one moment after the other."""

    def __init__(self, effect: Effect, directory: Path, kind: str):
        self.effect, self.directory = effect, directory
        self.disk = Disk(directory, kind)
        with self.disk.mounted() as place:
            side = packmule()
            self.world = World(place / "world", {name: side for name in ("alice", "bob", "carol")})
            effect.prepare(self.world)

    def run(self, *wrap: str) -> Done:
        node: Node = self.world[self.effect.actor]
        stdin = (node.home / self.effect.stdin).read_bytes() if self.effect.stdin else b""
        name, *arguments = self.effect.arguments
        return node.run(name, *arguments, stdin=stdin, wrap=wrap, env={"NNCPNOSYNC": ""})

    def moments(self) -> list[tuple[str, int]]:
        """The calls at which the power fails."""
        wanted = set(CHANGING) if thorough() else SHORT_CALLS
        trace = self.directory / "trace"
        with self.disk.mounted(self.disk.copy(self.directory / "traced")):
            self.run("strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(CHANGING)).ok()
        most: dict[str, dict[str, int]] = {}
        for line in trace.read_text().splitlines():
            if (found := CALL.match(line)) and found[2] in wanted:
                threads = most.setdefault(found[2], {})
                threads[found[1]] = threads.get(found[1], 0) + 1
        counts = {call: max(threads.values()) for call, threads in most.items()}
        return [(call, at) for call, count in sorted(counts.items()) for at in range(1, count + 1)]

    def cut(self, moment: tuple[str, int] | None) -> None:
        """The power fails at a call of the command, or after the command ended."""
        used, left = self.directory / "used", self.directory / "left"
        with self.disk.mounted(self.disk.copy(used)):
            wrap = () if moment is None else strace(f"inject={moment[0]}:signal=KILL:when={moment[1]}")
            ended = self.run(*wrap)
            for emptied in self.effect.emptied(self.world):
                write_out(emptied)
            self.disk.copy(left, image=used)
        repaired = repair(left)
        what = "power cut after the end" if moment is None else f"power cut at {moment[0]} number {moment[1]}"
        with self.disk.mounted(left):
            blame(what, lambda: self.effect.kept(self.world))
            if moment is None:
                ended.ok()
                blame(what, lambda: self.effect.done(self.world))
            if repaired:
                blame(f"{what}, and a second run", self.again)

    def again(self) -> None:
        done = self.run()
        if not self.effect.may_be_done:
            done.ok()
        self.effect.done(self.world)


def survives(effects: list[Effect], directory: Path) -> str:
    """Cuts the power at every moment of every effect on every kind of file system."""
    need_mounts(directory)
    count, lost = 0, []
    for number, effect in enumerate(effects):
        for kind in kinds():
            cuts = Cuts(effect, directory / f"{number}-{kind.replace(' ', '-')}", kind)
            for moment in [*cuts.moments(), None]:
                count += 1
                try:
                    cuts.cut(moment)
                except AssertionError as reason:
                    lost.append(f"{effect.name} on {kind}: {reason}")
    assert not lost, f"{len(lost)} of {count}:\n" + "\n".join(lost)
    return f"ok {count}"
