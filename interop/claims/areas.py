"""One subscriber or author of an area that is in order keeps nobody else waiting."""

from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import KEYS, Node, World, ident

AREA = KEYS["area"]["name"]


def world(directory: Path) -> World:
    return World(directory, dict.fromkeys(("alice", "bob", "carol", "dave"), packmule()))


def copies(node: Node) -> dict[str, int]:
    return {peer: len(node.packets("tx", peer)) for peer in ("carol", "dave", "erin")}


def claim_bad_subscriber(directory: Path) -> None:
    """All are tried when one can not be served, we act on the message, and a retry serves the one alone."""
    here = world(directory)
    alice, bob = here["alice"], here["bob"]
    bob.config["areas"][AREA]["subs"] = ["carol", "dave", "erin"]
    bob.write_config()
    alice.config["areas"][AREA]["subs"] = ["bob"]
    alice.write_config()
    # In the way of carol's and erin's queues.
    for peer in ("carol", "erin"):
        (bob.spool / ident(peer)).mkdir()
        (bob.spool / ident(peer) / "tx").write_bytes(b"")
    alice.run("file", "-", f"area:{AREA}:news", stdin=b"news").ok()
    alice.run("exec", f"area:{AREA}", "append", stdin=b"ran").ok()
    alice.run("toss").ok()
    here.carry("alice", "bob")
    for _ in range(2):
        done = bob.run("toss").fails()
        assert copies(bob) == {"carol": 0, "dave": 2, "erin": 0}
        assert len(bob.packets("rx", "alice")) == 2
        assert bob.received() == {"news": b"news"}
        assert (bob.home / "ran").read_bytes() == b"|ran"
    for peer in ("carol", "erin"):
        done.says(f"echo to: {peer}")
        (bob.spool / ident(peer) / "tx").unlink()
    bob.run("toss").ok()
    assert copies(bob) == {"carol": 2, "dave": 2, "erin": 2}
    assert not bob.packets("rx", "alice")
    assert bob.received() == {"news": b"news"} and (bob.home / "ran").read_bytes() == b"|ran"


def claim_unknown_author(directory: Path) -> None:
    """A message of an author whom we do not know is passed on and waits: told, no failure, done once he is known."""
    here = world(directory)
    alice, bob = here["alice"], here["bob"]
    carol = here["carol"]
    alice.config["areas"][AREA]["subs"] = ["carol"]
    alice.write_config()
    carol.config["areas"][AREA] = {"id": KEYS["area"]["id"], "subs": ["bob"]}
    carol.write_config()
    known = bob.config["neigh"].pop("alice")
    bob.config["areas"][AREA]["subs"] = ["dave"]
    bob.write_config()
    alice.run("file", "-", f"area:{AREA}:news", stdin=b"news").ok()
    alice.run("toss").ok()
    here.carry("alice", "carol")
    carol.run("toss").ok()
    assert not carol.packets("rx", "alice"), "a relay without the key passes it on and is done"
    here.carry("carol", "bob")
    for _ in range(2):
        done = bob.run("toss").ok()
        done.says(ident("alice")).says("allow-unknown")
        assert len(bob.packets("rx", "carol")) == 1 and len(bob.packets("tx", "dave")) == 1
        assert bob.received() == {}
    bob.config["neigh"]["alice"] = known
    bob.write_config()
    bob.run("toss").ok()
    assert not bob.packets("rx", "carol") and bob.received() == {"news": b"news"}
    assert len(bob.packets("tx", "dave")) == 1
