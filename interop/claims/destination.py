"""What a receiver must refuse is refused at its sender."""

from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import KEYS, World

AREA = KEYS["area"]["name"]
REFUSED = ("../x", "../../x", "a/../../x", "..", ".", "a/..", "./", "/x", "/", "x" * 256)
TAKEN = ("..hidden", "a/..b/c", "...", "a/b/../c", "./x", "x" * 255)


def claim_refused(directory: Path) -> None:
    """A destination outside of the receiver's directory is refused by file, freq and posts to areas."""
    here = World(directory, dict.fromkeys(("alice", "bob"), packmule()))
    alice = here["alice"]
    for path in REFUSED:
        for to in ("bob", f"area:{AREA}"):
            for more in ((), ("-chunked", "1")):
                assert alice.run("file", *more, "-", f"{to}:{path}", stdin=b"x").fails().err, path
        alice.run("freq", "bob:x", path).fails()
        assert not alice.packets("tx", "bob") and not alice.packets("tx", "alice"), path
    alice.run("file", "-", "bob:../x", stdin=b"x").fails().says("path traversal: the receiver refuses it")


def claim_taken(directory: Path) -> None:
    """Names with dots in them are taken, and arrive."""
    here = World(directory, dict.fromkeys(("alice", "bob"), packmule()))
    for path in TAKEN:
        here["alice"].run("file", "-", f"bob:{path}", stdin=b"x").ok()
    here.carry("alice", "bob")
    here["bob"].run("toss").ok()
    assert len(here["bob"].received()) == len(TAKEN)


def claim_empty_request(directory: Path) -> None:
    """A request names a file; all of the directory is asked for by its dot."""
    here = World(directory, dict.fromkeys(("alice", "bob"), packmule()))
    alice, bob = here["alice"], here["bob"]
    (bob.public / "f").write_bytes(b"f")
    alice.run("freq", "bob:").fails().says("name the file to request")
    alice.run("freq", "bob:", "all").fails()
    alice.run("freq", "bob:.").fails()
    assert not alice.packets("tx", "bob")
    alice.run("freq", "bob:.", "all.tar").ok()
    here.carry("alice", "bob")
    bob.run("toss").ok()
    here.carry("bob", "alice")
    alice.run("toss").ok()
    assert list(alice.received()) == ["all.tar"]
