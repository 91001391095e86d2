"""Processes that are killed, fail half-way, or run side by side."""

import fcntl
import itertools
import re
import shutil
import signal
import subprocess
from pathlib import Path

from ..harness.network import wait_for
from ..harness.strace import strace
from ..harness.world import Node, World, ident, rule
from .packets import ran, sent


def killed_at_unlink(world: World, *command: str) -> None:
    world["bob"].run(*command, wrap=strace("inject=unlink,unlinkat:signal=KILL:when=1"), env={"NNCPNOSYNC": ""})


def w5(world: World) -> None:
    """Killed before the packet was removed: a file is not delivered twice, with -seen nothing is done twice."""
    bob = world["bob"]
    sent(world, "file", "-", "bob:dup", stdin=b"x")
    killed_at_unlink(world, "toss")
    bob.run("toss").ok()
    assert list(bob.received()) == ["dup"], list(bob.received())
    sent(world, "exec", "bob", "append", "once")
    killed_at_unlink(world, "toss", "-seen")
    bob.run("toss", "-seen").ok()
    assert ran(world) == b"once|" and not bob.packets("rx", "alice"), ran(world)


def w7(world: World) -> None:
    """Two tosses that deliver files of one name at the same time lose none."""
    bob = world["bob"]
    for sender in ("alice", "carol"):
        for number in range(10):
            sent(world, "file", "-", f"bob:{number}", stdin=sender.encode(), sender=sender)
    argv = [bob.implementation.command("toss"), "-quiet", "-node"]
    both = [subprocess.Popen([*argv, sender], env=bob.environment()) for sender in ("alice", "carol")]
    assert [one.wait() for one in both] == [0, 0]
    received = bob.received()
    assert len(received) == 20 and sorted(received.values()).count(b"alice") == 10, received


def w8(world: World) -> None:
    """What was tossed with -seen is not received again; a mark that can not be made keeps the packet."""
    alice, bob = world["alice"], world["bob"]
    alice.run("exec", "bob", "append", "once").ok()
    (world.stick / ident("bob")).mkdir()
    alice.run("xfer", "-tx", world.stick).ok()
    for _ in range(2):
        bob.run("xfer", "-rx", "-keep", world.stick).ok()
        bob.run("toss", "-seen").ok()
    assert ran(world) == b"once|"
    packet = sent(world, "file", "-", "bob:f", stdin=b"x")
    shutil.rmtree(packet.parent / "seen")
    (packet.parent / "seen").write_bytes(b"in the way")
    bob.run("toss", "-seen").fails()
    assert packet.exists()


def w11(world: World) -> None:
    """What fails leaves no temporary file."""
    alice, bob = world["alice"], world["bob"]
    alice.run("file", "-maxsize", "1", "-", "bob:x", stdin=rule(5000)).fails()
    assert not alice.leftovers()
    for fault in ("ENOSPC", "EIO"):
        packet = sent(world, "file", "-", "bob:dir/f", stdin=rule(200_000))
        # A header copy that can not be kept is no failure: go on until the delivery fails.
        for at in range(1, 20):
            inject = f"inject=fsync,fdatasync:error={fault}:when={at}"
            done = bob.run("toss", wrap=strace(inject), env={"NNCPNOSYNC": ""})
            assert not bob.leftovers(), bob.leftovers()
            assert done.status != 0 or not packet.exists()
            if done.status == 0:
                break
    sent(world, "file", "-", "bob:f", stdin=b"x")
    stick = world.stick / ident("alice")
    stick.mkdir()
    bob.run("ack", "-all").ok()
    # First the directories are synced, then a packet that has no name yet.
    for at in range(1, 20):
        killed = strace(f"inject=fsync:signal=SIGKILL:when={at}")
        bob.run("xfer", "-tx", world.stick, wrap=killed, env={"NNCPNOSYNC": ""}).fails()
        if list(stick.rglob("nncpxfer*")):
            break
    assert list(stick.rglob("nncpxfer*")), "killed too early or too late to leave one"
    bob.run("xfer", "-tx", world.stick).ok()
    assert not list(stick.rglob("nncpxfer*")) and list(stick.rglob("[A-Z2-7]" * 52))


def w18(world: World) -> None:
    """Asked to end, toss completes the packet at hand; locks that are held stay."""
    bob = world["bob"]
    begun, go_on = bob.home / "begun", bob.home / "go-on"
    slow = f"touch {begun}; while ! [ -e {go_on} ]; do sleep 0.05; done; echo done >> {bob.home}/ran"
    bob.neighbour("alice")["exec"]["slow"] = ["/bin/sh", "-c", slow]
    bob.write_config()
    packet = sent(world, "exec", "bob", "slow")
    later = sent(world, "file", "-nice", "255", "-", "bob:later", stdin=b"x")
    process = subprocess.Popen([bob.implementation.command("toss"), "-quiet"], env=bob.environment())
    wait_for("the handler runs", begun.exists)
    process.send_signal(signal.SIGTERM)
    go_on.touch()
    process.wait(timeout=60)
    assert ran(world) == b"done\n", f"the handler was left alone, toss ended with {process.returncode}"
    assert not packet.exists() and later.exists()
    assert process.returncode == 1, "what was left is not told by the status"
    bob.run("toss").ok()
    assert ran(world) == b"done\n", "it ran twice"
    lock = bob.spool / ident("alice") / "toss.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        bob.run("rm", "-lock")
        assert lock.exists()


def w21(world: World) -> None:
    """Directories that were made are synced, as are those of marks, also by the run after one that was killed."""
    bob = world["bob"]
    shutil.rmtree(bob.incoming)
    sent(world, "file", "-", "bob:new/deep/f", stdin=b"x")
    rx = bob.spool / ident("alice") / "rx"
    kept = world.directory / "kept"
    shutil.copytree(bob.spool, kept)
    new = bob.incoming / "new"
    wanted = {bob.incoming, new, new / "deep"}
    synced = synced_by(bob)
    assert {*wanted, bob.incoming.parent, rx / "seen"} <= synced, synced
    for number in itertools.count(1):
        for place, state in ((bob.spool, kept), (bob.incoming, None)):
            shutil.rmtree(place, ignore_errors=True)
            if state:
                shutil.copytree(state, place)
        synced_by(bob, "-e", f"inject=fsync:signal=KILL:when={number}")
        if list((rx / "seen").glob("*")):
            # It is marked as done, so it was durable.
            break
        there = {directory for directory in wanted if directory.exists()}
        synced = synced_by(bob)
        assert there <= synced, f"killed at fsync number {number}: {there} and {synced}"
    assert number > 4, number


def synced_by(node: Node, *inject: str) -> set[Path]:
    """What a toss syncs, killed or not."""
    trace = node.spool.parent / "trace"
    wrap = ("strace", "-f", "-qq", "-y", "-o", str(trace), "-e", "trace=fsync,fdatasync,syncfs,sync", *inject)
    done = node.run("toss", "-seen", wrap=wrap, env={"NNCPNOSYNC": ""})
    if not inject:
        done.ok()
    return {Path(path) for path in re.findall(r"f(?:data)?sync\(\d+<([^>]*)>", trace.read_text())}
