"""What was sent to a subdirectory is put together there."""

from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import World, rule


def claim_reass_all(directory: Path) -> None:
    """`reass -all` and `-node` go into subdirectories, not through links, and on after what can not be read."""
    here = World(directory, dict.fromkeys(("alice", "bob"), packmule()))
    bob = here["bob"]
    content = rule(3000)
    elsewhere = here.directory / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "linked.nncp.meta").write_bytes(b"not to be looked at")
    (bob.incoming / "link").symlink_to(elsewhere)
    for how in ("-all", "-node=alice"):
        for name in ("top", "2026/big", "2026/11/30/deep"):
            here["alice"].run("file", "-chunked", "1", "-", f"bob:{name}", stdin=content).ok()
        here.carry("alice", "bob")
        bob.run("toss").ok()
        bob.run("reass", how).ok()
        assert bob.received() == dict.fromkeys(("top", "2026/big", "2026/11/30/deep"), content)
        for path in bob.received():
            (bob.incoming / path).unlink()
    # A directory of a neighbour that is none keeps nobody else waiting.
    bob.neighbour("carol")["incoming"] = str(elsewhere / "linked.nncp.meta")
    bob.write_config()
    here["alice"].run("file", "-chunked", "1", "-", "bob:a/b", stdin=content).ok()
    here.carry("alice", "bob")
    bob.run("toss").ok()
    bob.run("reass", "-all").fails().says("linked.nncp.meta")
    assert bob.received() == {"a/b": content}
