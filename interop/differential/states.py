"""The states that commands are run on: each is made once, by the reference, and copied for each run."""

import atexit
import functools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import reference
from ..harness.world import Node, ident, is_packet, rule
from .state import KEYLESS, OLD, State, deliver, flipped, queue, world

_lock = threading.Lock()


def state(name: str) -> State:
    with _lock:
        return _made(name)


@functools.cache
def _made(name: str) -> State:
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = tempfile.mkdtemp(prefix="interop-state-", dir=base)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    made = MAKERS[name](Path(directory))
    for path in made.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (OLD, OLD))
    return made


def sender(directory: Path) -> State:
    """Files to send, and an empty spool."""
    made = world(directory)
    home = made["alice"].home
    for name, size in [("f", 1000), ("empty", 0), ("big", 300_000), ("exact", 100 * 1024), ("utf8-ä ö", 5)]:
        (home / name).write_bytes(rule(size))
    (home / "tree" / "sub" / "hollow").mkdir(parents=True)
    (home / "tree" / "sub" / "f").write_bytes(rule(1000))
    (home / "tree" / "a").write_bytes(rule(3))
    (home / "tree" / "link").symlink_to("a")
    (home / "link").symlink_to("f")
    os.mkfifo(home / "fifo")
    words = {"bob": ident("bob"), "long": "p" * 255, "too_long": "p" * 256}
    return State(directory, "alice", words)


def mail(directory: Path) -> State:
    """Packets of every kind for alice that she can act on, and some of her own to send."""
    made = world(directory)
    alice, bob = made["alice"], made["bob"]
    words = queue(made)
    (alice.public / "wanted").write_bytes(rule(500))
    (alice.incoming / "taken").write_bytes(b"before")
    bob.neighbour("carol")["via"] = ["alice"]
    bob.config["areas"]["news"]["subs"] = ["alice"]
    bob.write_config()
    for command, arguments, size in [
        ("file", ("-nice", "F", "-", "alice:dir/one"), 1000),
        ("file", ("-", "alice:taken"), 10),
        ("file", ("-minsize", "200", "-", "alice:padded"), 10),
        ("exec", ("alice", "append", "x", "y"), 100),
        ("exec", ("-nocompress", "-nice", "MAX", "alice", "append"), 0),
        ("file", ("-nice", "N", "-", "carol:passed-on"), 1000),
        ("file", ("-", "area:news:posted"), 100),
    ]:
        bob.run(command, *arguments, stdin=rule(size)).ok()
    bob.run("freq", "alice:wanted", "answer").ok()
    bob.run("ack", "-node", "alice", "-pkt", words["tx_file"]).ok()
    bob.run("toss").ok()
    deliver(made, "bob", "alice")
    return State(directory, "alice", words)


def bad_mail(directory: Path) -> State:
    """Packets for alice that she can not act on, and a good one among them."""
    made = world(directory)
    alice, bob = made["alice"], made["bob"]
    bob.neighbour("erin")["via"] = ["alice"]
    bob.write_config()
    del alice.config["neigh"]["erin"]
    del alice.neighbour("carol")["incoming"], alice.neighbour("carol")["freq"], alice.neighbour("carol")["exec"]
    alice.write_config()
    bob.run("file", "-", "alice:good", stdin=rule(10)).ok()
    bob.run("exec", "alice", "nosuch", "a", stdin=rule(10)).ok()
    bob.run("exec", "alice", "fail", stdin=rule(10)).ok()
    bob.run("freq", "alice:absent", "x").ok()
    bob.run("file", "-", "erin:f", stdin=rule(10)).ok()
    bob.run("file", "-nice", "F", "-", "alice:altered", stdin=rule(2000)).ok()
    carol = made["carol"]
    carol.run("file", "-", "alice:f", stdin=rule(10)).ok()
    carol.run("freq", "alice:wanted", "x").ok()
    carol.run("exec", "alice", "append", stdin=rule(10)).ok()
    for giver in ("bob", "carol"):
        deliver(made, giver, "alice")
    (altered,) = [path for path in alice.packets("rx", "bob") if path.stat().st_size == 2480]
    altered.write_bytes(flipped(altered.read_bytes(), 1000))
    return State(directory, "alice", {"altered": altered.name})


def clutter(directory: Path) -> State:
    """All that can lie in a spool: part, unchecked, seen, marks, temporary files, strays."""
    made = mail(directory)
    alice = Node("alice", directory / "alice", reference())
    rx = alice.spool / ident("bob") / "rx"
    first, second, third = [path for path in rx.iterdir() if is_packet(path)][:3]
    first.rename(rx / f"{first.name}.nock")
    (rx / "hdr" / first.name).unlink(missing_ok=True)
    (rx / f"{KEYLESS}.part").write_bytes(rule(1234))
    (rx / f"{'B' * 51}A.nock").write_bytes(flipped(second.read_bytes(), -1))
    third.write_bytes(third.read_bytes() + b"more")
    (rx / "seen").mkdir(exist_ok=True)
    (rx / "seen" / KEYLESS).touch()
    (rx / "stray").write_bytes(b"stray")
    (rx / ("C" * 51 + "A")).write_bytes(b"too short to be a packet")
    marks = alice.spool / ident("bob") / "area" / ident("news")
    marks.mkdir(parents=True, exist_ok=True)
    (marks / KEYLESS).touch()
    (alice.spool / "tmp").mkdir(exist_ok=True)
    (alice.spool / "tmp" / "nncp00112233").write_bytes(b"left over")
    (alice.spool / ident("bob") / "toss.lock").touch()
    made.words |= {"nock": first.name, "odd": third.name, "rx": second.name, "part": KEYLESS}
    return made


def stick(directory: Path) -> State:
    """A stick with packets for alice, one of which she has had, and packets of hers to put on it."""
    made = world(directory)
    alice, bob = made["alice"], made["bob"]
    words = queue(made)
    (made.stick / ident("alice")).mkdir()
    (made.stick / ident("bob")).mkdir()
    for nice, size in [("F", 10), ("N", 300_000), ("B", 1000)]:
        bob.run("file", "-nice", nice, "-", f"alice:{size}", stdin=rule(size)).ok()
    bob.run("xfer", "-tx", made.stick).ok()
    made["carol"].run("file", "-", "alice:from-carol", stdin=rule(10)).ok()
    made["carol"].run("xfer", "-tx", made.stick).ok()
    here = made.stick / ident("alice") / ident("bob")
    seen = next(path for path in here.iterdir() if path.stat().st_size == 1480)
    marks = alice.spool / ident("bob") / "rx" / "seen"
    marks.mkdir(parents=True)
    (marks / seen.name).touch()
    (made.stick / ident("alice") / ident("stranger")).mkdir()
    (made.stick / ident("alice") / "stray").mkdir()
    # One is on the stick already.
    there = made.stick / ident("bob") / ident("alice")
    there.mkdir()
    shutil.copy(alice.spool / ident("bob") / "tx" / words["tx_ack"], there)
    return State(directory, "alice", words | {"bob": ident("bob")})


def bad_stick(directory: Path) -> State:
    """The same with an altered packet, strays, and a directory of a packet's name."""
    made = stick(directory)
    here = directory / "stick" / ident("alice") / ident("bob")
    altered = next(path for path in here.iterdir() if path.stat().st_size == 490)
    altered.write_bytes(flipped(altered.read_bytes(), -1))
    (here / "stray").write_bytes(b"stray")
    (here / ("C" * 51 + "A")).write_bytes(b"too short to be a packet")
    (here / ("D" * 51 + "A")).mkdir()
    return made


def streams(directory: Path) -> State:
    """Bundles from bob: good, altered, cut, in noise; and alice's own."""
    made = world(directory)
    alice, bob = made["alice"], made["bob"]
    words = queue(made)
    for nice, size in [("F", 10), ("B", 300_000)]:
        bob.run("file", "-nice", nice, "-", f"alice:{size}", stdin=rule(size)).ok()
    bob.run("file", "-", "carol:other", stdin=rule(10)).ok()
    good = bob.run("bundle", "-tx", "alice").ok().out
    others = bob.run("bundle", "-tx", "carol").ok().out
    carols = made["carol"]
    carols.run("file", "-", "alice:from-carol", stdin=rule(10)).ok()
    third = carols.run("bundle", "-tx", "alice").ok().out
    own = alice.run("bundle", "-tx", "bob").ok().out
    home = alice.home
    contents = {
        "good": good,
        "altered": flipped(good, 100_000),
        "cut": good[:200_000],
        "noise": rule(5000) + others + b"x" * 777 + third + bytes(1024) + good,
        "own": own,
        "own-altered": flipped(own, -600),
        "nothing": b"",
        "garbage": rule(100_000),
    }
    for name, content in contents.items():
        (home / f"{name}.bundle").write_bytes(content)
    return State(directory, "alice", words)


def chunks(directory: Path) -> State:
    """Chunked files in bob's incoming: whole, incomplete, altered."""
    made = world(directory)
    alice, bob = made["alice"], made["bob"]
    for name, size, chunk in [
        ("whole", 2500, 1), ("taken", 2048, 1), ("missing", 3000, 1), ("short", 3000, 1), ("altered", 3000, 1),
        ("none", 0, 1), ("bad-meta", 2000, 1), ("sub/deep", 2000, 1),
    ]:  # fmt: skip
        alice.run("file", "-chunked", str(chunk), "-", f"bob:{name}", stdin=rule(size)).ok()
    deliver(made, "alice", "bob")
    bob.run("toss").ok()
    incoming = bob.incoming
    (incoming / "taken").write_bytes(b"before")
    (incoming / "missing.nncp.chunk1").unlink()
    (incoming / "short.nncp.chunk0").write_bytes(rule(10))
    (incoming / "altered.nncp.chunk0").write_bytes(b"x" * 1024)
    description = (incoming / "bad-meta.nncp.meta").read_bytes()
    (incoming / "bad-meta.nncp.meta").write_bytes(b"NNCPX\0\0\2" + description[8:])
    shutil.copy(incoming / "whole.nncp.meta", incoming / "misnamed.meta")
    bob.neighbour("carol").pop("incoming")
    bob.write_config()
    return State(directory, "bob", {})


def configurations(directory: Path) -> State:
    """A configuration with most keys there are: as a file, as a directory, and broken ones."""
    made = world(directory)
    alice = made["alice"]
    bob = alice.neighbour("bob")
    bob |= {
        "via": ["carol"],
        "addrs": {"lan": "[::1]:5400", "pipe": "|cat"},
        "rxrate": 10,
        "txrate": 20,
        "onlinedeadline": 1800,
        "maxonlinetime": 3600,
        "calls": [
            {"cron": "*/5 * * * *", "nice": "P", "xx": "rx", "onlinedeadline": 60, "addr": "lan", "nock": True},
            {"cron": "0 0 1 * *", "when-tx-exists": True, "autotoss": True, "autotoss-doseen": True},
        ],
        "freq": {"path": str(alice.public), "chunked": 1024, "minsize": 2048, "maxsize": 4096},
    }
    alice.config |= {
        "umask": "022",
        "noprogress": True,
        "nohdr": True,
        "mcd-listen": ["eth.*", "wl"],
        "mcd-send": {"eth0": 10},
        "notify": {
            "file": {"from": "a@b", "to": "c@d"},
            "freq": {"from": "a@b", "to": "c@d"},
            "exec": {"*.save": {"from": "a@b", "to": "c@d"}},
        },
        "yggdrasil-aliases": {"some": "ab" * 32},
    }
    alice.write_config()
    alice.run("cfgdir", "-cfg", "nncp.hjson", "-dump", "config.d").ok()
    (alice.home / "broken.hjson").write_text("{ spool: /x\n log: [ }")
    (alice.home / "relative.hjson").write_text((alice.home / "nncp.hjson").read_text().replace('"spool": "/', '"spool": "'))
    (alice.home / "short").write_bytes(b"NNCP")
    minimal = alice.run("cfgmin").ok().out
    (alice.home / "min.hjson").write_bytes(minimal)
    shutil.copytree(alice.home / "config.d", alice.home / "lacking.d")
    (alice.home / "lacking.d" / "spool").unlink()
    vectors = Path(__file__).resolve().parents[2] / "testvectors" / "eblob"
    for name in ("s5-t2-p2-3.eblob", "refused-obsolete-2.eblob", "refused-fill-missing.eblob", "refused-magic.eblob"):
        shutil.copy(vectors / name, alice.home)
    return State(directory, "alice", {})


LOG = """
When: 2026-11-22T22:08:59.525746941Z
Who: tx
Type: file
Node: URPYVBWHIQSU47UHXVQAXS3A6RG73FKMOJOSGEW45VSVZ3KSQX6A
Nice: 224
Src: f.txt
Dst: f.txt
Size: 282
Msg: File f.txt (282 B) is sent to relay:f.txt

When: 2020-01-02T03:04:05+03:00
Err: boom
Who: tx
Msg: failed

When: 2020-01-02T03:04:05.1Z
Who: rx-handle
Output: one
+ two
Msg: lines
+ more

When: yesterday
Who: x
Msg: odd

When: 2020-01-02T03:04:05Z
Who: nothing to say
"""


def logs(directory: Path) -> State:
    made = world(directory)
    home = made["alice"].home
    (home / "log").write_text(LOG)
    (home / "broken").write_text(LOG + "\nno field at all\n")
    (home / "none").write_text("")
    return State(directory, "alice", {})


MAKERS: dict[str, Callable[[Path], State]] = {
    "sender": sender,
    "mail": mail,
    "bad-mail": bad_mail,
    "clutter": clutter,
    "stick": stick,
    "bad-stick": bad_stick,
    "streams": streams,
    "chunks": chunks,
    "configurations": configurations,
    "logs": logs,
}
