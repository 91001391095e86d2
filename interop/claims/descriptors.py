"""Open files never grow with packets, pieces, neighbours or depth: everything is played under `ulimit -n 64`."""

import re
import subprocess
import tarfile
from pathlib import Path

from ..harness.implementation import ROOT, packmule
from ..harness.network import call, daemon
from ..harness.world import Node, World, rule

MANY = 300
FEW = ("prlimit", "--nofile=64:64", "--")
PUBLIC = ("id", "exchpub", "signpub", "noisepub")


def world(directory: Path) -> World:
    ours = packmule()
    return World(directory, dict.fromkeys(("alice", "bob"), ours))


def queue(node: Node, to: str) -> None:
    """`MANY` packets for a neighbour."""
    for number in range(MANY):
        node.run("file", "-", f"{to}:{number}", stdin=b"%d" % number).ok()


def claim_pieces(directory: Path) -> None:
    """Pieces of a chunked file are queued, carried, tossed and put together, however many they are."""
    here = world(directory)
    alice, bob = here["alice"], here["bob"]
    content = rule(MANY * 1024 + 1)
    (alice.home / "big").write_bytes(content)
    alice.run("file", "-chunked", "1", "big", "bob:sub/big", wrap=FEW).ok()
    assert len(alice.packets("tx", "bob")) == MANY + 2
    assert not list((alice.spool / "tmp").iterdir())
    (here.stick / bob.id).mkdir()
    alice.run("xfer", "-tx", here.stick, wrap=FEW).ok()
    bob.run("xfer", "-rx", here.stick, wrap=FEW).ok()
    bob.run("check", wrap=FEW).ok()
    bob.run("toss", wrap=FEW).ok()
    bob.run("reass", bob.incoming / "sub/big.nncp.meta", wrap=FEW).ok()
    assert bob.received() == {"sub/big": content}


def claim_answer_in_pieces(directory: Path) -> None:
    """The answer to a request comes in pieces, however many they are."""
    here = world(directory)
    alice, bob = here["alice"], here["bob"]
    bob.neighbour("alice")["freq"] |= {"chunked": 1}
    bob.write_config()
    (bob.public / "big").write_bytes(rule(MANY * 1024))
    alice.run("freq", "bob:big").ok()
    here.carry("alice", "bob")
    bob.run("toss", wrap=FEW).ok()
    assert len(bob.packets("tx", "alice")) == MANY + 1


def claim_bundle(directory: Path) -> None:
    """A bundle takes and gives any number of packets."""
    here = world(directory)
    alice, bob = here["alice"], here["bob"]
    queue(alice, "bob")
    bundle = alice.run("bundle", "-tx", "-delete", "bob", wrap=FEW).ok().out
    bob.run("bundle", "-rx", stdin=bundle, wrap=FEW).ok()
    bob.run("toss", "-gen-ack", wrap=FEW).ok()
    assert len(bob.received()) == len(bob.packets("tx", "alice")) == MANY


def claim_call(directory: Path) -> None:
    """A call carries any number of packets, and so does a daemon that tosses."""
    here = world(directory)
    queue(here["alice"], "bob")
    few = [*FEW, packmule().command("daemon")]
    limited = here.directory / "limited"
    limited.mkdir()
    (limited / "nncp-daemon").write_text(f'#!/bin/sh\nexec {" ".join(few)} "$@"\n')
    (limited / "nncp-daemon").chmod(0o755)
    here["bob"].implementation = type(packmule())("limited", limited)
    with daemon(here["bob"], "-autotoss") as port:
        call(here, port, wrap=FEW).ok()
        assert not here["alice"].packets("tx", "bob")
    here["bob"].implementation = packmule()
    here["bob"].run("toss", wrap=FEW).ok()
    assert len(here["bob"].received()) == MANY


def claim_depth(directory: Path) -> None:
    """A directory is sent however deep it is."""
    alice = world(directory)["alice"]
    deep = alice.home / "tree"
    for _ in range(200):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "leaf").write_bytes(b"leaf")
    alice.run("file", "tree", "bob:", wrap=FEW).ok()


def claim_neighbours(directory: Path) -> None:
    """Any number of neighbours may wait for a builtin that chooses the order of their streams."""
    here = world(directory)
    bob = here["bob"]
    zfs = bob.home / "zfs"
    zfs.write_text("#!/bin/sh\necho 'dataset does not exist' >&2\nexit 1\n")
    zfs.chmod(0o755)
    stream = directory / "stream"
    packed = subprocess.run(["zstd", "-dc", ROOT / "testvectors/zfs/streams.tar.zst"], capture_output=True, check=True)
    (directory / "streams.tar").write_bytes(packed.stdout)
    with tarfile.open(directory / "streams.tar") as archive:
        member = next(member for member in archive if member.name.endswith("openzfs-2.1/inc.s1-s2"))
        content = archive.extractfile(member)
        assert content is not None
        stream.write_bytes(content.read())
    for number in range(100):
        name = f"laptop{number}"
        sender = stranger(here, name)
        section = {key: sender.config["self"][key] for key in PUBLIC}
        words = ["builtin:zfs-receive", "--into", f"tank/{name}", "--zfs", str(zfs)]
        bob.config["neigh"][name] = section | {"exec": {"zfs": words}}
        sender.run("exec", "-nocompress", "bob", "zfs", stdin=stream.read_bytes()).ok()
        (packet,) = sender.packets("tx", "bob")
        rx = bob.spool / section["id"] / "rx"
        rx.mkdir(parents=True)
        packet.rename(rx / packet.name)
    bob.write_config()
    done = bob.run("toss", wrap=FEW).ok()
    assert done.err.count(b"exec") >= 100, done.err.decode()


def stranger(here: World, name: str) -> Node:
    """A new node that knows bob."""
    node = Node(name, here.directory / name, packmule())
    node.spool.mkdir(parents=True)
    text = node.run("cfgnew", "-nocomments").ok().out.decode()
    keys = dict(re.findall(r"^ *(id|exchpub|exchprv|signpub|signprv|noisepub|noiseprv): (\S+)$", text, re.MULTILINE))
    bob = here["alice"].neighbour("bob")
    node.config = {
        "spool": str(node.spool),
        "log": str(node.home / "log"),
        "self": keys,
        "neigh": {"self": {key: keys[key] for key in PUBLIC}, "bob": {key: bob[key] for key in PUBLIC}},
    }
    node.write_config()
    return node
