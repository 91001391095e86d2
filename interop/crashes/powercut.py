"""A disk that loses its power: an image on a loop device, copied at one moment, checked by e2fsck and mounted again.

What the file system had not written out by then is not in the copy. To be as unlucky as a machine can be, the
directories out of which the command takes packets are written out before the copy is made: a removal is on the disk
as soon as it is done, everything else only when packmule asked for it.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..harness.implementation import packmule
from ..harness.runner import Skipped
from ..harness.world import Done, Node, World
from . import CALL, CHANGING, need_strace

KINDS = {"ext2": ("-t", "ext2"), "ext4 without a journal": ("-t", "ext4", "-O", "^has_journal"), "ext4": ("-t", "ext4")}
# The short form: the file systems that promise least, and the calls around which names come and go.
SHORT_KINDS = ("ext2", "ext4 without a journal")
SHORT_CALLS = {"unlink", "unlinkat", "linkat"}
PROGRAMS = ("mke2fs", "e2fsck", "mount", "umount", "cp")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def thorough() -> bool:
    """POWERCUT=all: every file system, and a cut at every call that changes the disk."""
    return os.environ.get("POWERCUT") == "all"


def kinds() -> list[str]:
    return list(KINDS) if thorough() else list(SHORT_KINDS)


def system(*command: str | Path, fine: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, capture_output=True, check=False, env={"PATH": PATH})
    assert done.returncode in fine, f"{command}: {done.returncode} {(done.stdout + done.stderr).decode(errors='replace')}"


class Disk:
    """An image of one kind of file system, and where it is mounted."""

    SIZE = 24 << 20

    def __init__(self, directory: Path, kind: str, more: tuple[str, ...] = ()):
        self.image, self.mount = directory / "disk", directory / "mnt"
        self.mount.mkdir(parents=True)
        with self.image.open("wb") as file:
            file.truncate(self.SIZE)
        system("mke2fs", "-q", "-F", *KINDS[kind], *more, self.image)

    @contextlib.contextmanager
    def mounted(self, image: Path | None = None) -> Iterator[Path]:
        """A copy of the disk, or the disk itself, always at the same place."""
        mount(image or self.image, self.mount)
        try:
            yield self.mount
        finally:
            unmount(self.mount)

    def copy(self, to: Path, image: Path | None = None) -> Path:
        """As the disk is now; what the system keeps in memory is not on it."""
        system("cp", "--sparse=always", image or self.image, to)
        return to


class LossyDisk(Disk):
    """A disk that can be made to lose what is written where nothing was before, as if sectors went bad.

    Its image lies on a RAM disk that is made too small for more: the kernel's write-back gets an error, tells the next
    fsync of it, and forgets. That is no imitation of what Linux does after a write error, it is that.
    """

    ROOM = 64 << 20

    def __init__(self, directory: Path, kind: str):
        self.ram = directory / "ram"
        self.ram.mkdir(parents=True)
        system("mount", "-t", "tmpfs", "-o", f"size={self.ROOM}", "tmpfs", self.ram)
        # Inode tables are there from the start, so that only new content is lost.
        super().__init__(self.ram, kind, ("-E", "nodiscard,lazy_itable_init=0"))

    def __enter__(self) -> "LossyDisk":
        return self

    def __exit__(self, *_) -> None:
        unmount(self.mount)
        unmount(self.ram)

    def fail(self) -> None:
        system("sync", "-f", self.mount)
        state = os.statvfs(self.ram)
        system("mount", "-o", f"remount,size={(state.f_blocks - state.f_bfree) * state.f_bsize}", self.ram)

    def heal(self) -> None:
        system("mount", "-o", f"remount,size={self.ROOM}", self.ram)


def mount(image: Path, place: Path) -> None:
    # No access times: reading changes nothing.
    system("mount", "-o", "loop,noatime,user_xattr", image, place)


def unmount(place: Path) -> None:
    for attempt in range(50):
        if not os.path.ismount(place):
            return
        try:
            return system("umount", place)
        except AssertionError:
            if attempt == 49:
                raise
        time.sleep(0.1)


def repair(image: Path) -> bool:
    """What a machine does to the disk when it starts again, as often as it takes; whether all of it could be repaired.

    On ext2 an inode that was removed in memory only still claims blocks that are a new file's or directory's by now.
    If one was its indirect block, e2fsck "clears illegal blocks" inside of the new owner. No program can help that.
    """
    for _ in range(4):
        with contextlib.suppress(AssertionError):
            system("e2fsck", "-fy", image, fine=(0, 1, 2, 3))
            return True
    return False


def need_mounts(directory: Path) -> None:
    """Skips by name where a file cannot be mounted as a disk."""
    for program in PROGRAMS:
        if shutil.which(program, path=PATH) is None:
            raise Skipped(f"{program} is not installed")
    need_strace()
    if os.geteuid() != 0:
        raise Skipped("only root may mount a disk's image")
    try:
        with Disk(directory / "probe", "ext2").mounted():
            pass
    except AssertionError as reason:
        raise Skipped(f"a disk's image cannot be mounted here: {reason}") from None


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
            wrap = () if moment is None else strace_kill(*moment)
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


def strace_kill(call: str, at: int) -> tuple[str, ...]:
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={at}")


def write_out(directory: Path) -> None:
    """Puts a directory on the disk, and with it what was removed from it."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)


def blame(what: str, claim: Callable[[], None]) -> None:
    try:
        claim()
    except AssertionError as reason:
        raise AssertionError(f"{what}: {reason}") from None


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
