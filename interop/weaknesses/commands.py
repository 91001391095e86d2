"""What a command does with its input, its options and its configuration."""

import json
import os
import signal
import subprocess
from collections.abc import Callable

from ..harness.world import World, ident, rule
from .packets import posted, ran, sent


def w12(world: World) -> None:
    """An answer whose description does not fit queues none of its chunks, however often it is tried."""
    bob = world["bob"]
    bob.neighbour("alice")["freq"] |= {"chunked": 1, "maxsize": 2}
    bob.write_config()
    (bob.public / "large").write_bytes(rule(100_000))
    sent(world, "freq", "bob:large", "x")
    for _ in range(3):
        bob.run("toss").fails()
        assert not bob.packets("tx", "alice") and not bob.leftovers()


def w15(world: World) -> None:
    """Most urgent first."""
    for nice in (30, 50, 250, 5, 10, 150, 200, 100):
        sent(world, "exec", "-nice", str(nice), "bob", "append", str(nice))
    world["bob"].run("toss").ok()
    assert ran(world) == b"5|10|30|50|100|150|200|250|", ran(world)


def w17(world: World) -> None:
    """No status 1 where nothing failed."""
    bob = world["bob"]
    bob.neighbour("alice")["exec"]["true"] = ["/bin/true"]
    bob.config["areas"]["news"]["subs"] = ["alice", "carol"]
    bob.write_config()
    packet = sent(world, "file", "-", "bob:f", stdin=rule(300_000))
    bob.run("toss", "-nofile").ok()
    packet.unlink()
    sent(world, "exec", "-nocompress", "bob", "true", stdin=rule(400_000))
    bob.run("toss").ok()
    posted(world, "file", "-", "area:news:f", stdin=rule(300_000))
    bob.run("toss").ok()
    assert bob.received() == {"f": rule(300_000)} and len(bob.packets("tx", "carol")) == 1


def w20(world: World) -> None:
    """-gen-ack acknowledges after success, once, to the node in whose directory the packet lies."""
    bob = world["bob"]
    del bob.neighbour("alice")["incoming"]
    bob.write_config()
    packet = sent(world, "file", "-", "bob:f", stdin=b"x")
    for _ in range(2):
        bob.run("toss", "-gen-ack").fails()
        assert not bob.packets("tx", "alice")
    bob.neighbour("alice")["incoming"] = str(bob.incoming)
    bob.write_config()
    bob.run("toss", "-gen-ack").ok()
    (ack,) = bob.packets("tx", "alice")
    assert (ack.parent / "ack" / ack.name).exists()
    bob.run("rm", "-all", "-ack").ok()
    assert not bob.packets("tx", "alice") and not (ack.parent / "hdr" / ack.name).exists()
    assert not packet.exists()


def w22(world: World) -> None:
    """rm -pkt with an empty list removes nothing."""
    packet = sent(world, "file", "-", "bob:f", stdin=b"x")
    world["bob"].run("rm", "-all", "-pkt", "-rx")
    world["bob"].run("rm", "-all", "-pkt", "-tx", "-rx")
    assert packet.exists()


def w23(world: World) -> None:
    """A child that a handler leaves behind does not hold up the toss."""
    bob = world["bob"]
    pid = bob.home / "pid"
    bob.neighbour("alice")["exec"]["child"] = ["/bin/sh", "-c", f"sleep 1000 & echo $! > {pid}"]
    bob.write_config()
    sent(world, "exec", "bob", "child")
    process = subprocess.Popen([bob.implementation.command("toss"), "-quiet"], env=bob.environment())
    try:
        assert process.wait(timeout=60) == 0
        assert not bob.packets("rx", "alice")
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def w25(world: World) -> None:
    """Configurations that would surprise are refused, and say why."""
    alice = world["alice"]

    def broken(change: Callable[[dict], object], *says: str) -> None:
        kept = alice.config
        alice.config = json.loads(json.dumps(kept))
        change(alice.config)
        alice.write_config()
        done = alice.run("stat")
        assert done.status != 0, f"accepted: {says}"
        assert any(word in done.err.decode() for word in says), done.err
        alice.config = kept
        alice.write_config()

    broken(lambda config: config["neigh"].update(twin=config["neigh"]["bob"] | {"incoming": "/twin"}), "twin", "bob")
    broken(lambda config: config["self"].update(id=ident("bob")), "self")
    alice.config["neigh"]["../../up"] = alice.config["neigh"].pop("dave")
    alice.write_config()
    alice.run("cfgdir", "-cfg", "nncp.hjson", "-dump", "dump/here").fails()
    assert not (alice.home / "dump" / "up").exists() and not (alice.home / "up").exists()
    alice.run("file", "-nice", "max+1", "-", "bob:x", stdin=b"x").fails()


def w26(world: World) -> None:
    """-dryrun does nothing."""
    bob = world["bob"]
    sent(world, "file", "-", "bob:n1/n2/f", stdin=b"x")
    sent(world, "exec", "bob", "append", "ran")
    (bob.public / "wanted").write_bytes(b"x")
    sent(world, "freq", "bob:wanted", "x")
    bob.run("toss", "-dryrun").ok()
    assert len(bob.packets("rx", "alice")) == 3 and ran(world) == b""
    assert not list(bob.incoming.iterdir()) and not bob.packets("tx", "alice")


def w29(world: World) -> None:
    """trns without a relay is an ordinary error."""
    alice = world["alice"]
    alice.run("file", "-", "bob:f", stdin=b"x").ok()
    (packet,) = alice.packets("tx", "bob")
    for via in ((), ("-via", "-")):
        assert alice.run("trns", *via, f"bob:{packet.name}").status == 1
    assert alice.packets("tx", "bob") == [packet]


def w30(world: World) -> None:
    """A descriptor that is not inherited is not written to: neither ack's list nor the log."""
    bob = world["bob"]
    sent(world, "file", "-", "bob:f", stdin=b"x")
    bob.run("ack", "-node", "alice", wrap=("/bin/sh", "-c", 'exec "$0" "$@" 4>&-')).ok()
    (ack,) = bob.packets("tx", "alice")
    line = f"{ident('alice')}/{ack.name}".encode()
    for path in (path for path in bob.home.rglob("*") if path.is_file() and not path.is_symlink()):
        assert line not in path.read_bytes(), path
    for number in range(3, 12):
        sent(world, "file", "-", f"bob:{number}", stdin=b"x")
    for number in range(3, 12):
        bob.run("toss", "-log", f"FD:{number}").says(f"Can not write log: FD:{number}: ")
        sent(world, "file", "-", f"bob:{number}", stdin=b"x")
    assert set(bob.received().values()) == {b"x"}, "records in delivered files"
