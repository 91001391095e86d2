"""A sender knows across an airgap what is done at the other end, and nothing is forgotten until it is."""

import json
import shutil
import subprocess
import time
from pathlib import Path

from ..harness.implementation import Implementation, binary, packmule, reference
from ..harness.world import Done, Node, World, ident

LEDGER = ".packmule"


def world(directory: Path, relay: Implementation | None = None, **terms: object) -> World:
    """Alice asks bob for proof, over carol if there is an implementation for her."""
    nodes = {"alice": packmule(), "bob": packmule()} | ({"carol": relay} if relay else {})
    made = World(directory, nodes)
    alice, bob = made["alice"], made["bob"]
    alice.neighbour("bob")["packmule"] = {"proof": terms or True}
    if relay:
        alice.neighbour("bob")["via"] = ["carol"]
        bob.neighbour("alice")["via"] = ["carol"]
    alice.write_config()
    bob.write_config()
    return made


def own(node: Node, *words: str) -> Done:
    """A command that only packmule has."""
    done = subprocess.run([binary(), *words], env=node.environment(), capture_output=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def status(node: Node, *words: str) -> tuple[int, list[dict]]:
    done = own(node, "status", "-json", *words)
    return done.status, [json.loads(line) for line in done.out.splitlines()]


def backups(node: Node) -> dict[str, dict]:
    return {one["backup"]: one for one in status(node)[1] if one["kind"] == "backup"}


def queue(alice: Node) -> None:
    alice.run("file", "-quiet", "-", "bob:x", stdin=b"content").ok()
    alice.run("exec", "-quiet", "bob", "append", "word", stdin=b"input").ok()


def trip(made: World, *names: str) -> None:
    """The stick goes from node to node; each tosses what it took, and puts what it has for the next."""
    for giver, taker in zip(names, names[1:], strict=False):
        made.carry(giver, taker)
        made[taker].run("toss", "-quiet").ok()


def kept(node: Node) -> list[Path]:
    """What the ledger holds of packets on their way."""
    parts = [node.spool / LEDGER / part for part in ("out", "held", "names", "new")]
    return [path for part in parts for path in part.rglob("*") if path.is_file() and path.name != "busy"]


def content(directory: Path) -> dict[str, bytes]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def is_proven(made: World) -> None:
    """Everything was processed once, and alice knows it."""
    alice, bob = made["alice"], made["bob"]
    code, _ = status(alice)
    assert code == 0, own(alice, "status").out
    assert {name: one["proven"] is not None for name, one in backups(alice).items()} == {"files": True, "append": True}
    assert kept(alice) == [], kept(alice)
    assert bob.received() == {"x": b"content"} and (bob.home / "ran").read_bytes() == b"word|input"


def claim_one_round_trip_proves_what_was_sent(directory: Path):
    """After one round trip of a stick `status` exits 0, names each backup with its age, and nothing is kept any more."""
    made = world(directory)
    alice = made["alice"]
    queue(alice)
    assert [one["proven"] for one in backups(alice).values()] == [None, None]
    made.carry("alice", "bob")
    assert alice.packets("tx", "bob") == [] and len(kept(alice)) == 4, kept(alice)
    made["bob"].run("toss", "-quiet").ok()
    trip(made, "bob", "alice")
    is_proven(made)
    assert all(one["age"] < 60 for one in backups(alice).values())


def claim_without_proof_there_is_no_ledger(directory: Path):
    """Without `proof` in a configuration no command makes `.packmule`, and packets leave as ever."""
    made = World(directory, {"alice": packmule(), "bob": packmule()})
    queue(made["alice"])
    trip(made, "alice", "bob", "alice")
    assert own(made["alice"], "status").ok().out == b""
    for name in ("alice", "bob"):
        assert not (made[name].spool / LEDGER).exists()


def claim_statements_pass_a_relay_of_nncp_go(directory: Path):
    """The same holds over a relay that runs nncp-go: it passes on a small packet more each way, and exits 0."""
    made = world(directory, relay=reference())
    queue(made["alice"])
    trip(made, "alice", "carol", "bob", "carol", "alice")
    is_proven(made)
    assert not (made["carol"].spool / LEDGER).exists()


def claim_a_relay_of_packmule_needs_no_configuration(directory: Path):
    """The same holds over a relay that runs packmule and was told nothing."""
    made = world(directory, relay=packmule())
    queue(made["alice"])
    trip(made, "alice", "carol", "bob", "carol", "alice")
    is_proven(made)
    assert not (made["carol"].spool / LEDGER).exists()


def claim_a_lost_stick_heals_by_itself(directory: Path):
    """What was on a stick that is lost goes along with a later one once `retry` has passed; handlers run once."""
    made = world(directory, retry="1s")
    alice = made["alice"]
    trip(made, "alice", "bob", "alice")
    queue(alice)
    (made.stick / ident("bob")).mkdir(exist_ok=True)
    alice.run("xfer", "-tx", made.stick).ok()
    shutil.rmtree(made.stick / ident("bob"))
    time.sleep(2.1)
    assert status(alice)[0] == 0 and status(alice, "-max-age", "1s")[0] == 2
    trip(made, "alice", "bob", "alice")
    is_proven(made)


def claim_nothing_is_offered_to_a_node_that_never_answered(directory: Path):
    """A receiver that runs nncp-go exits 0 with every statement, gets each packet once, and `status` says that it never answered."""
    made = World(directory, {"alice": packmule(), "bob": reference()})
    alice, bob = made["alice"], made["bob"]
    alice.neighbour("bob")["packmule"] = {"proof": {"retry": "1s"}}
    alice.write_config()
    queue(alice)
    for _ in range(3):
        trip(made, "alice", "bob")
        time.sleep(1.1)
    assert bob.received() == {"x": b"content"} and (bob.home / "ran").read_bytes() == b"word|input"
    assert status(alice)[0] == 1 and b"never sent a statement" in own(alice, "status").out
    assert len(kept(alice)) == 4, kept(alice)
    own(alice, "forget", "-quiet", "-all", "bob").ok()
    assert kept(alice) == [] and status(alice)[0] == 0


def claim_a_sender_that_runs_nncp_go_gets_no_statement(directory: Path):
    """A receiver queues nothing for a sender that sends no statements."""
    made = World(directory, {"alice": reference(), "bob": packmule()})
    queue(made["alice"])
    trip(made, "alice", "bob")
    assert made["bob"].packets("tx", "alice") == [] and not (made["bob"].spool / LEDGER).exists()


def claim_a_stick_from_a_drawer_changes_nothing(directory: Path):
    """Packets that were done long ago are recognised: removed from the stick, not processed again."""
    made = world(directory)
    queue(made["alice"])
    (made.stick / ident("bob")).mkdir()
    made["alice"].run("xfer", "-tx", made.stick).ok()
    shutil.copytree(made.stick, directory / "drawer")
    trip(made, "alice", "bob", "alice", "bob", "alice")
    is_proven(made)
    made["bob"].run("xfer", "-rx", directory / "drawer").ok()
    made["bob"].run("toss", "-quiet").ok()
    is_proven(made)
    assert content(directory / "drawer") == {}


def claim_replayed_statements_change_nothing(directory: Path):
    """Statements that were read before are consumed; what is proven and what is known stay byte for byte."""
    made = world(directory)
    alice = made["alice"]
    queue(alice)
    trip(made, "alice", "bob")
    (made.stick / ident("alice")).mkdir()
    made["bob"].run("xfer", "-tx", made.stick).ok()
    shutil.copytree(made.stick, directory / "copy")
    alice.run("xfer", "-rx", made.stick).ok()
    alice.run("toss", "-quiet").ok()
    trip(made, "alice", "bob", "alice")
    ledger = alice.spool / LEDGER
    before = content(ledger / "backups") | content(ledger / "from")
    for _ in range(5):
        shutil.copytree(directory / "copy", made.stick, dirs_exist_ok=True)
        alice.run("xfer", "-rx", made.stick).ok()
        alice.run("toss", "-quiet").ok()
    assert content(ledger / "backups") | content(ledger / "from") == before
    is_proven(made)


def claim_the_ledger_is_nothing_to_nncp_go(directory: Path):
    """nncp-go's commands that remove, check and list leave every file of the ledger as it is."""
    made = world(directory)
    queue(made["alice"])
    trip(made, "alice", "bob", "alice")
    queue(made["alice"])
    made["alice"].run("xfer", "-mkdir", "-tx", made.stick).ok()
    for name in ("alice", "bob"):
        node = made[name]
        before = content(node.spool / LEDGER)
        other = Node(name, node.home, reference(), node.config)
        other.run("rm", "-lock").ok()
        other.run("rm", "-all", "-rx", "-tx", "-seen", "-part").ok()
        for command in ("check", "stat"):
            other.run(command).ok()
        assert before and content(node.spool / LEDGER) == before


def claim_a_damaged_ledger_proves_nothing(directory: Path):
    """A list of a backup that was altered makes its age unknown, and `status` exits 1."""
    made = world(directory)
    queue(made["alice"])
    trip(made, "alice", "bob", "alice")
    (lists,) = (made["alice"].spool / LEDGER / "backups").iterdir()
    for file in lists.iterdir():
        altered = bytearray(file.read_bytes())
        altered[130] = ord("x")
        file.write_bytes(altered)
    code, _ = status(made["alice"])
    assert code == 1 and b"damaged" in own(made["alice"], "status").out
