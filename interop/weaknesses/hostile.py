"""What peers send, or lay beside what they send."""

import os
import pty
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import reference
from ..harness.measure import high_water
from ..harness.world import Node, World, ident, rule
from .packets import SEALED, hostile, ran, refused, sent


def w1(world: World) -> None:
    """A path that does not stay strictly below its directory is refused."""
    bob = world["bob"]
    for sibling in ("victim", "incomingX", "publicX"):
        (bob.home / sibling).mkdir()
    (bob.home / "secret").write_bytes(b"secret")
    (bob.home / "public" / "wanted").write_bytes(b"x")
    for case in ("climbing", "climbing-inside", "sibling", "parent", "dot", "cancelling", "empty", "absolute", "nul"):
        refused(world, f"file-{case}")
    for case in ("climbing", "sibling", "parent", "absolute", "answer-climbing"):
        done = refused(world, f"freq-{case}")
        assert not bob.packets("tx", "alice"), case
    done.says("leads out of the requester's directory")
    refused(world, "area-climbing")
    for name in ("..hidden", "a/..b/c", "..."):
        sent(world, "file", "-", f"bob:{name}", stdin=b"x")
    bob.run("toss").ok()
    assert set(bob.received()) == {"..hidden", "a/..b/c", "..."}


def w2(world: World) -> None:
    """No handler sees a byte of a packet that is not authentic to its end."""
    for command in (("exec", "-nocompress"), ("exec",)):
        packet = sent(world, *command, "bob", "append", stdin=os.urandom(400_000))
        content = packet.read_bytes()
        for damaged in (content[:-1] + bytes([content[-1] ^ 1]), content[:-1000], content + b"x" * 10):
            packet.write_bytes(damaged)
            world["bob"].run("toss").fails()
            assert packet.exists() and ran(world) == b""
        packet.unlink()


def w3(world: World) -> None:
    """A packet cut between two blocks has no effect and stays."""
    for command in (("file", "-", "bob:f"), ("exec", "-nocompress", "bob", "append")):
        packet = sent(world, *command, stdin=rule(400_000))
        packet.write_bytes(packet.read_bytes()[: 172 + 2 * SEALED])
        world["bob"].run("toss").fails()
        assert packet.exists() and ran(world) == b"" and world["bob"].received() == {}
        packet.unlink()


def w9(world: World) -> None:
    """No name forges a record or reaches the terminal raw."""
    bob = world["bob"]
    hostile(world, "file-line-breaks")
    hostile(world, "file-terminal")
    done = bob.run("toss", "-noprogress")
    assert b"\x1b" not in done.err and b"\x07" not in done.err, done.err
    bob.implementation, ours = reference(), bob.implementation
    shown = bob.run("log").ok().out.decode()
    bob.implementation = ours
    assert not re.search(r"^2020-01-01", shown, re.MULTILINE), shown
    ours_shown = on_terminal(bob, "log")
    assert not re.search(rb"^2020-01-01", ours_shown, re.MULTILINE) and b"\x1b" not in ours_shown, ours_shown


def on_terminal(node: Node, command: str) -> bytes:
    """What a command shows to somebody who sits before it."""
    terminal, side = pty.openpty()
    subprocess.run([node.implementation.command(command)], stdout=side, env=node.environment(), check=True)
    os.close(side)
    shown = os.read(terminal, 1 << 16)
    os.close(terminal)
    return shown


def w10(world: World) -> None:
    """Neither a handler's output nor a request's payload fills the memory."""
    bob = world["bob"]
    bob.neighbour("alice")["exec"]["loud"] = ["/bin/sh", "-c", "head -c 300000000 /dev/zero; exit 1"]
    bob.write_config()
    sent(world, "exec", "bob", "loud")
    process = subprocess.Popen([bob.implementation.command("toss"), "-quiet"], env=bob.environment())
    peak = 0
    while process.poll() is None:
        peak = high_water(process.pid) or peak
        time.sleep(0.001)
    assert process.returncode == 1
    assert 0 < peak < 64 * 1024, f"{peak} KiB"
    assert (bob.home / "log").stat().st_size < 1_000_000
    refused(world, "freq-answer-long")
    assert not bob.packets("tx", "alice")


def w13(world: World) -> None:
    """Links lead neither out of the public directory nor out of incoming."""
    bob = world["bob"]
    victim = bob.home / "victim"
    victim.mkdir()
    (bob.home / "secret").write_bytes(b"secret")
    (bob.public / "link").symlink_to(bob.home / "secret")
    (bob.public / "tree").symlink_to(bob.home)
    for asked in ("link", "tree/secret", "tree"):
        packet = sent(world, "freq", f"bob:{asked}", "x")
        bob.run("toss").fails()
        assert packet.exists() and not bob.packets("tx", "alice"), asked
        packet.unlink()
    (bob.incoming / "out").symlink_to(victim)
    packet = sent(world, "file", "-", "bob:out/pwn", stdin=b"x")
    bob.run("toss").fails()
    assert packet.exists() and not list(victim.iterdir())
    packet.unlink()
    (bob.incoming / "dangling").symlink_to(victim / "absent")
    sent(world, "file", "-", "bob:dangling", stdin=b"x")
    bob.run("toss").ok()
    assert (bob.incoming / "dangling").is_symlink() and not list(victim.iterdir())
    assert (bob.incoming / "dangling.0").read_bytes() == b"x"


def w14(world: World) -> None:
    """A header copy that is not the packet's is not believed."""
    bob = world["bob"]
    packet = sent(world, "file", "-nice", "5", "-", "bob:f", stdin=b"x")
    headers = packet.parent / "hdr"
    headers.mkdir(exist_ok=True)
    genuine = packet.read_bytes()[:172]
    for wrong in (genuine[:11] + b"\xfa" + genuine[12:], b"garbage", b""):
        (headers / packet.name).write_bytes(wrong)
        shown = bob.run("stat").ok().out.decode()
        assert re.search(r"nice: *F-27 \| Rx: +\d+ B, +1 pkts", shown), shown
    (headers / packet.name).write_bytes(genuine[:11] + b"\xfa" + genuine[12:])
    bob.run("toss", "-nice", "10").ok()
    assert bob.received() == {"f": b"x"}


def w19(world: World) -> None:
    """A FIFO, a link, a directory of a packet's name: named, and nothing hangs."""
    bob = world["bob"]
    name = "A" * 52
    good = sent(world, "file", "-", "bob:f", stdin=b"x")
    shelf = world.stick / ident("bob") / ident("alice")
    shelf.mkdir(parents=True)
    makers: list[Callable[[Path], object]] = [
        os.mkfifo,
        lambda path: path.symlink_to("/etc/passwd"),
        Path.mkdir,
        Path.touch,
        lambda path: path.write_bytes(b"short"),
    ]
    for make in makers:
        make(shelf / name)
        done = bob.run("xfer", "-rx", world.stick).fails()
        assert name.encode() in done.err, done.err
        remove(shelf / name)
        make(good.parent / name)
        bob.run("stat").ok()
        bob.run("toss").fails()
        checked = bob.run("check", "-json").fails()
        assert name.encode() in checked.out, checked.out
        if make is Path.mkdir:
            remove(good.parent / name)
        bob.run("rm", "-node", "alice", "-rx").ok()
        assert not os.path.lexists(good.parent / name), make
    assert bob.received() == {"f": b"x"}
    in_the_way(world, makers)


def in_the_way(world: World, makers: list[Callable[[Path], object]]) -> None:
    """What else than a file has a packet's name on the stick is named, and the packet stays in the spool."""
    alice = world["alice"]
    alice.run("file", "-", "bob:g", stdin=b"y").ok()
    (packet,) = alice.packets("tx", "bob")
    place = world.stick / ident("bob") / ident("alice") / packet.name
    for make in makers[:3]:
        make(place)
        done = alice.run("xfer", "-tx", "-node", "bob", world.stick).fails()
        assert packet.name.encode() in done.err and packet.exists(), done.err
        remove(place)
    alice.run("xfer", "-tx", "-node", "bob", world.stick).ok()
    assert place.exists() and not packet.exists()


def remove(path: Path) -> None:
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def w24(world: World) -> None:
    """Only a packet for the next node is passed on to it; one for ourselves is acted on."""
    bob = world["bob"]
    for case in ("trns-garbage", "trns-empty", "trns-for-another"):
        refused(world, case)
        assert not bob.packets("tx", "carol"), case
    sent(world, "file", "-via", "bob", "-", "bob:f", stdin=b"x")
    for _ in range(2):
        bob.run("toss").ok()
    assert bob.received() == {"f": b"x"}, bob.received()
    assert not bob.packets("tx", "bob") and not bob.packets("rx", "alice") and not bob.packets("rx", "bob")
