"""A sync that fails: it is named, what it was for is taken back, and a second run completes."""

from pathlib import Path

from ..crashes import tossing
from ..harness.implementation import packmule
from ..harness.strace import need_strace
from ..harness.world import World, rule


def made(directory: Path, prepare) -> World:
    world = World(directory, {name: packmule() for name in ("alice", "bob", "carol")})
    prepare(world)
    return world


def failing(number: int, error: str = "EIO") -> tuple[str, ...]:
    """The command's sync of that number fails, on each of its threads."""
    calls = "fsync,fdatasync"
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={number}")


def claim_a_sync_that_fails_in_toss_is_named_and_leaves_no_file(directory: Path) -> str:
    """EIO of a sync in toss is told as syncing, the file or its directory, and the file has no name after it."""
    need_strace()
    said = set()
    for number in range(1, 20):
        world = made(directory / str(number), tossing.posted("file", "-", "bob:new/f"))
        bob = world["bob"]
        done = bob.run("toss", wrap=failing(number), env={"NNCPNOSYNC": ""})
        if done.status == 0:
            break
        text = done.err.decode()
        assert "renaming" not in text, text
        said |= {word for word in (": syncing", ": dirsyncing") if word in text}
        if not bob.packets("rx", "alice"):
            # It was done with before: the sync was for another neighbour's directories.
            assert "Got file new/f" in text, text
        else:
            assert not bob.received(), f"sync {number} failed, and yet there is {list(bob.received())}"
            assert not (bob.incoming / "new").exists(), "a directory that may not be on the disk is left"
        bob.run("toss", env={"NNCPNOSYNC": ""}).ok()
        assert bob.received() == {"new/f": rule(200_000)}, list(bob.received())
    assert said == {": syncing", ": dirsyncing"}, said
    return f"ok {number - 1}"
