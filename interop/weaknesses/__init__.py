"""The weaknesses of the reference, by their numbers in node.md G.2: packmule does what is said under FIX.

W27 is of the online protocol and tested there.
"""

import fcntl
import itertools
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..crashes import CHANGING, Command, Run, members
from ..harness.implementation import ROOT, packmule, reference
from ..harness.measure import high_water
from ..harness.runner import Check
from ..harness.world import Done, Node, World, ident, rule

BLOCK = 128 * 1024
SEALED = BLOCK + 16
HOSTILE = ROOT / "testvectors" / "hostile"


def sent(world: World, *command: str, stdin: bytes = b"", to: str = "bob", sender: str = "alice") -> Path:
    """The packet that a command of `sender` puts into `to`'s queue of received packets."""
    before = set(world[sender].packets("tx", to))
    world[sender].run(*command, stdin=stdin).ok()
    (packet,) = set(world[sender].packets("tx", to)) - before
    (packet.parent / "hdr" / packet.name).unlink(missing_ok=True)
    queue = world[to].spool / ident(sender) / "rx"
    queue.mkdir(parents=True, exist_ok=True)
    return packet.rename(queue / packet.name)


def hostile(world: World, case: str) -> Path:
    """A packet of testvectors/hostile in bob's queue, under its right name."""
    source = HOSTILE / f"{case}.pkt"
    done = subprocess.run([reference().command("hash"), "-file", source], capture_output=True, check=True)
    import base64

    name = base64.b32encode(bytes.fromhex(done.stdout.decode().strip())).decode().rstrip("=")
    queue = world["bob"].spool / ident("alice") / "rx"
    queue.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, queue / name)
    return queue / name


def below(path: Path) -> set[str]:
    return {str(found.relative_to(path)) for found in path.rglob("*")}


def ran(world: World) -> bytes:
    path = world["bob"].home / "ran"
    return path.read_bytes() if path.exists() else b""


def refused(world: World, case: str) -> Done:
    """The packet stays, the status tells, and nothing appears outside of the spool and the log."""
    packet = hostile(world, case)
    before = {name for name in below(world.directory) if "/spool/" not in name}
    done = world["bob"].run("toss").fails()
    after = {name for name in below(world.directory) if "/spool/" not in name}
    assert after <= before | {"bob/log", "bob/log.lock"}, f"{case}: {after - before}"
    assert packet.exists(), f"{case}: the packet is gone"
    packet.unlink()
    return done


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


def w4(world: World) -> None:
    """A post to an area that fails half-way is not sent."""
    alice = world["alice"]
    for size, limit in [(5000, 4), (400_000, 200)]:
        alice.run("file", "-maxsize", str(limit), "-", "area:news:x", stdin=rule(size)).fails()
        assert not alice.packets("tx", "alice") and not alice.leftovers()


def killed_at_unlink(world: World, *command: str) -> None:
    world["bob"].run(*command, wrap=strace("inject=unlink,unlinkat:signal=KILL:when=1"), env={"NNCPNOSYNC": ""})


def strace(*expressions: str) -> tuple[str, ...]:
    return ("strace", "-f", "-qq", "-o", "/dev/null", *(word for one in expressions for word in ("-e", one)))


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


def w6(world: World, directory: Path) -> None:
    """Killed at whatever call: a subscriber of an area gets one copy."""

    def one_copy(world: World) -> None:
        assert len(world["bob"].packets("tx", "carol")) == 1, world["bob"].packets("tx", "carol")

    command = Command("area", "bob", ("toss",), members, one_copy, one_copy)
    run = Run(command, directory)
    for call, at in run.faults(set(CHANGING)):
        fresh = run.fresh()
        run.once(fresh, *strace(f"inject={call}:signal=KILL:when={at}"))
        run.once(fresh).ok()
        one_copy(fresh)
        shutil.rmtree(fresh.directory)


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


def w15(world: World) -> None:
    """Most urgent first."""
    for nice in (30, 50, 250, 5, 10, 150, 200, 100):
        sent(world, "exec", "-nice", str(nice), "bob", "append", str(nice))
    world["bob"].run("toss").ok()
    assert ran(world) == b"5|10|30|50|100|150|200|250|", ran(world)


def posted(world: World, *command: str, stdin: bytes = b"") -> Path:
    """A message to the area in bob's queue."""
    alice = world["alice"]
    alice.config["areas"]["news"]["subs"] = ["bob"]
    alice.write_config()
    alice.run(*command, stdin=stdin).ok()
    alice.run("toss").ok()
    world.carry("alice", "bob")
    (packet,) = world["bob"].packets("rx", "alice")
    return packet


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


def w18(world: World) -> None:
    """Asked to end, toss completes the packet at hand; locks that are held stay."""
    bob = world["bob"]
    slow = f"touch {bob.home}/started; sleep 1; echo done >> {bob.home}/ran"
    bob.neighbour("alice")["exec"]["slow"] = ["/bin/sh", "-c", slow]
    bob.write_config()
    packet = sent(world, "exec", "bob", "slow")
    later = sent(world, "file", "-nice", "255", "-", "bob:later", stdin=b"x")
    process = subprocess.Popen([bob.implementation.command("toss"), "-quiet"], env=bob.environment())
    wait_for(bob.home / "started")
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)
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


def wait_for(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


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
        done = bob.run("xfer", "-rx", world.stick, timeout=10).fails()
        assert name.encode() in done.err, done.err
        remove(shelf / name)
        make(good.parent / name)
        bob.run("stat", timeout=10).ok()
        bob.run("toss", timeout=10).fails()
        checked = bob.run("check", "-json", timeout=10).fails()
        assert name.encode() in checked.out, checked.out
        if make is Path.mkdir:
            remove(good.parent / name)
        bob.run("rm", "-node", "alice", "-rx", timeout=10).ok()
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
        done = alice.run("xfer", "-tx", "-node", "bob", world.stick, timeout=10).fails()
        assert packet.name.encode() in done.err and packet.exists(), done.err
        remove(place)
    alice.run("xfer", "-tx", "-node", "bob", world.stick).ok()
    assert place.exists() and not packet.exists()


def remove(path: Path) -> None:
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


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


def w22(world: World) -> None:
    """rm -pkt with an empty list removes nothing."""
    packet = sent(world, "file", "-", "bob:f", stdin=b"x")
    world["bob"].run("rm", "-all", "-pkt", "-rx")
    world["bob"].run("rm", "-all", "-pkt", "-tx", "-rx")
    assert packet.exists()


def w23(world: World) -> None:
    """A child that a handler leaves behind does not hold up the toss."""
    bob = world["bob"]
    bob.neighbour("alice")["exec"]["child"] = ["/bin/sh", "-c", "sleep 4 & exit 0"]
    bob.write_config()
    sent(world, "exec", "bob", "child")
    started = time.monotonic()
    process = subprocess.Popen([bob.implementation.command("toss"), "-quiet"], env=bob.environment())
    assert process.wait(timeout=20) == 0
    assert time.monotonic() - started < 3


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


def w28(world: World) -> None:
    """A toss that runs for ever distributes what is posted meanwhile."""
    alice = world["alice"]
    alice.config["areas"]["news"]["subs"] = ["bob"]
    alice.write_config()
    process = subprocess.Popen([alice.implementation.command("toss"), "-quiet", "-cycle", "1"], env=alice.environment())
    try:
        time.sleep(0.5)
        alice.run("file", "-", "area:news:f", stdin=b"x").ok()
        for _ in range(500):
            if alice.packets("tx", "bob"):
                return
            time.sleep(0.02)
        raise AssertionError("the post was not distributed")
    finally:
        process.terminate()
        process.wait()


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


def checks() -> list[Check]:
    side = packmule()
    found = []
    for name, claim in globals().items():
        if re.fullmatch(r"w\d+", name):
            found.append(Check(f"{name.upper()} {claim.__doc__.strip()}", prove(claim, side)))
    return found


def prove(claim: Callable, side) -> Callable[[Path], None]:
    def run(directory: Path) -> None:
        if claim is w6:
            claim(None, directory)
        else:
            claim(World(directory, {name: side for name in ("alice", "bob", "carol")}))

    return run
