"""Messages to areas."""

import shutil
import subprocess
import time

from ..crashes.command import Command, Run
from ..crashes.tossing import members
from ..harness.strace import CHANGING, strace
from ..harness.world import World, rule
from .packets import hostile, posted, ran


def w4(world: World) -> None:
    """A post to an area that fails half-way is not sent."""
    alice = world["alice"]
    for size, limit in [(5000, 4), (400_000, 200)]:
        alice.run("file", "-maxsize", str(limit), "-", "area:news:x", stdin=rule(size)).fails()
        assert not alice.packets("tx", "alice") and not alice.leftovers()


def w6(world: World) -> None:
    """Killed at whatever call: a subscriber of an area gets one copy."""

    def one_copy(world: World) -> None:
        assert len(world["bob"].packets("tx", "carol")) == 1, world["bob"].packets("tx", "carol")

    command = Command("area", "bob", ("toss",), members, one_copy, one_copy)
    run = Run(command, world.directory / "runs")
    for call, at in run.faults(set(CHANGING)):
        fresh = run.fresh()
        run.once(fresh, *strace(f"inject={call}:signal=KILL:when={at}"))
        run.once(fresh).ok()
        one_copy(fresh)
        shutil.rmtree(fresh.directory)


def w16(world: World) -> None:
    """A filter keeps what is in an area, and it can be tossed later."""
    bob = world["bob"]
    packet = posted(world, "file", "-", "area:news:f", stdin=rule(10))
    bob.run("toss", "-nofile").ok()
    assert packet.exists() and not bob.received()
    bob.run("toss").ok()
    assert bob.received() == {"f": rule(10)}
    packet = posted(world, "exec", "area:news", "append", "ran")
    bob.run("toss", "-noexec").ok()
    assert packet.exists() and ran(world) == b""
    bob.run("toss").ok()
    assert ran(world) == b"ran|" and not packet.exists()


def w28(world: World) -> None:
    """A toss that runs for ever distributes what is posted meanwhile."""
    alice = world["alice"]
    alice.config["areas"]["news"]["subs"] = ["bob"]
    alice.write_config()
    process = subprocess.Popen([alice.implementation.command("toss"), "-quiet", "-cycle", "1"], env=alice.environment())
    try:
        time.sleep(0.5)
        alice.run("file", "-", "area:news:f", stdin=b"x").ok()
        for _ in range(3000):
            if alice.packets("tx", "bob"):
                return
            time.sleep(0.02)
        raise AssertionError("the post was not distributed")
    finally:
        process.terminate()
        process.wait()


def w31(world: World) -> None:
    """The author of an area's message does not get it back."""
    bob = world["bob"]
    bob.config["areas"]["news"]["subs"] = ["alice", "carol"]
    bob.write_config()
    posted(world, "file", "-", "area:news:f", stdin=b"x")
    world["bob"].run("toss").ok()
    world.carry("bob", "carol")
    carol = world["carol"]
    carol.config["areas"]["news"]["subs"] = ["alice"]
    carol.write_config()
    carol.run("toss").ok()
    assert carol.received() == {"f": b"x"} and not carol.packets("tx", "alice")
    assert not bob.packets("tx", "alice")


def w32(world: World) -> None:
    """Inside an area only files and commands are acted on; the rest does not stay for ever."""
    bob = world["bob"]
    (bob.public / "wanted").write_bytes(b"x")
    for case in ("area-trns", "area-ack", "area-freq"):
        packet = hostile(world, case)
        bob.run("toss")
        bob.run("toss").ok()
        assert not packet.exists(), case
        assert not bob.packets("tx", "carol") and not bob.packets("tx", "alice"), case
