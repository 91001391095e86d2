"""A command killed, or refused by the disk, at each of its calls."""

import shutil
from collections.abc import Callable
from pathlib import Path

from ..harness.runner import blame
from ..harness.strace import CHANGING, strace
from ..harness.world import World
from .command import Command, Run

# Which calls can fail so. A failing unlink of a temporary file is nobody's fault, hence EIO only.
FULL = set(CHANGING) - {"fsync", "fdatasync", "unlink", "unlinkat", "rmdir", "fchmod", "fchmodat", "utimensat"}
BROKEN = set(CHANGING) - {"fchmod", "fchmodat", "utimensat", "ftruncate", "fallocate"}


def crash(command: Command) -> Callable[[Path], str]:
    def prove(directory: Path) -> str:
        run = Run(command, directory)
        faults = run.faults(set(CHANGING))
        for call, at in faults:
            world = run.fresh()
            inject = f"inject={call}:signal=KILL:when={at}"
            run.once(world, *strace(inject))
            blame(f"killed at {call} number {at}", lambda: command.safe(world))
            blame(f"after a second run, killed at {call} number {at}", lambda: again(run, world))
            shutil.rmtree(world.directory)
        assert faults, "strace saw no call at all"
        return f"ok {len(faults)}"

    return prove


def fault(command: Command, error: str, among: set[str]) -> Callable[[Path], str]:
    def prove(directory: Path) -> str:
        run = Run(command, directory)
        faults = run.faults(among)
        for call, at in faults:
            world = run.fresh()
            before = leftovers(world)
            inject = f"inject={call}:error={error}:when={at}"
            done = run.once(world, *strace(inject))
            what = f"{error} at {call} number {at}, status {done.status}"
            blame(what, lambda: command.safe(world))
            if done.status == 0:
                blame(f"{what}: all was said to be done", lambda: command.complete(world))
            elif call not in ("unlink", "unlinkat"):
                left = leftovers(world) - before
                assert not left, f"{what}: left behind {left}"
            blame(f"after a second run, {what}", lambda: again(run, world))
            shutil.rmtree(world.directory)
        return f"ok {len(faults)}"

    return prove


def leftovers(world: World) -> set[str]:
    """Temporary files anywhere: in spools, incoming directories, on the stick."""
    found = [path for node in world.nodes.values() for path in node.leftovers()]
    found += [path for path in world.stick.rglob("nncp*")]
    return {str(path.relative_to(world.directory)) for path in found}


def again(run: Run, world: World) -> None:
    """Without any fault the command completes what was begun."""
    done = run.once(world)
    if not run.command.may_be_done:
        done.ok()
    run.command.complete(world)
