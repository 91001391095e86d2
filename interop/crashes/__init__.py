"""packmule killed at each system call that changes the disk, and refused by the disk there.

For each command: strace tells which calls it makes; then, for every one of them, the command is run on a fresh
copy of the state and killed at (or given an error by) that very call. After that a second run has to complete,
nothing may be lost and no packet's effect missing. strace counts calls per thread and name, so do we.

Power cuts, and syncs that fail once and then succeed without the bytes, need a disk of their own: `powercut.py`.
"""

import collections
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..harness.implementation import packmule, reference
from ..harness.runner import Check, Skipped
from ..harness.world import Done, Node, World, ident, is_packet, rule

CHANGING = (
    "write writev pwrite64 pwritev2 copy_file_range sendfile fallocate ftruncate fsync fdatasync rename renameat"
    " renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir fchmod fchmodat utimensat"
).split()
# Which calls can fail so. A failing unlink of a temporary file is nobody's fault, hence EIO only.
FULL = set(CHANGING) - {"fsync", "fdatasync", "unlink", "unlinkat", "rmdir", "fchmod", "fchmodat", "utimensat"}
BROKEN = set(CHANGING) - {"fchmod", "fchmodat", "utimensat", "ftruncate", "fallocate"}
CALL = re.compile(r"^(\d+) +(\w+)\(")


@dataclass(frozen=True)
class Command:
    """A command of `actor` on the state that `prepare` makes.

    `safe` holds at any moment, also right after a crash; `complete` after the second run. A command that
    `may_be_done` already at the crash need not succeed the second time.
    """

    name: str
    actor: str
    arguments: tuple[str, ...]
    prepare: Callable[[World], None]
    safe: Callable[[World], None]
    complete: Callable[[World], None]
    may_be_done: bool = False
    stdin: str | None = None


def nothing(world: World) -> None:
    pass


def whole(path: Path) -> bool:
    """Whether a packet's content has the hash that is its name."""
    done = subprocess.run([reference().command("hash"), "-file", path], capture_output=True, check=True)
    import base64

    return base64.b32encode(bytes.fromhex(done.stdout.decode().strip())).decode().rstrip("=") == path.name


def packets_below(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if is_packet(found) and found.parent.name not in ("hdr", "seen")]


def all_whole(world: World) -> None:
    """Whatever bears a packet's name is that packet, on the stick and in every queue."""
    places = [world.stick] + [node.spool for node in world.nodes.values()]
    for packet in (found for place in places for found in packets_below(place)):
        if packet.parent.name in ("rx", "tx") or world.stick in packet.parents:
            assert whole(packet), f"{packet} is not what its name says"


# Sending.


def source(world: World) -> None:
    (world["alice"].home / "f").write_bytes(rule(300_000))
    (world["alice"].home / "tree").mkdir()
    (world["alice"].home / "tree" / "f").write_bytes(rule(1000))


def queued(peer: str, at_least: int = 1) -> Callable[[World], None]:
    def check(world: World) -> None:
        all_whole(world)
        assert len(world["alice"].packets("tx", peer)) >= at_least
        assert (world["alice"].home / "f").read_bytes() == rule(300_000)

    return check


def sending() -> list[Command]:
    def command(name: str, peer: str, *arguments: str, stdin: str | None = None, at_least: int = 1) -> Command:
        return Command(name, "alice", arguments, source, all_whole, queued(peer, at_least), stdin=stdin)

    return [
        command("file", "bob", "file", "f", "bob:f"),
        command("file from standard input", "bob", "file", "-", "bob:f", stdin="f"),
        command("file over a relay", "carol", "file", "-via", "carol", "f", "bob:f"),
        command("file in chunks", "bob", "file", "-chunked", "100", "f", "bob:f", at_least=4),
        command("directory", "bob", "file", "tree", "bob:"),
        command("exec", "bob", "exec", "bob", "append", "a", stdin="f"),
        command("freq", "bob", "freq", "bob:f", "g"),
        command("area post", "alice", "file", "f", "area:news:f"),
    ]


# Tossing.


def posted(*command: str, stdin: bytes = rule(200_000)) -> Callable[[World], None]:
    """Puts what the command sends into bob's queue of received packets."""

    def prepare(world: World) -> None:
        (world["bob"].public / "wanted").write_bytes(rule(5000))
        world["alice"].run(*command, stdin=stdin).ok()
        world["alice"].run("toss")
        world.carry("alice", "bob")

    return prepare


def still_there(effect: Callable[[World], bool]) -> Callable[[World], None]:
    """The packet or its effect: never neither."""

    def check(world: World) -> None:
        all_whole(world)
        waiting = world["bob"].packets("rx", "alice")
        assert waiting or effect(world), "the packet is gone and its effect is missing"

    return check


def tossed(effect: Callable[[World], bool], once: Callable[[World], None] = nothing) -> Callable[[World], None]:
    def check(world: World) -> None:
        all_whole(world)
        assert not world["bob"].packets("rx", "alice"), "the packet is still there"
        assert effect(world), "the effect is missing"
        once(world)

    return check


def has_file(world: World) -> bool:
    return rule(200_000) in world["bob"].received().values()


def one_file(world: World) -> None:
    """node.md W5: a file is not delivered twice."""
    assert delivered(world) == ["dir/f"], delivered(world)


def delivered(world: World) -> list[str]:
    """Names of what bob received, without what a killed run could not clean up."""
    return [name for name in world["bob"].received() if not Path(name).name.startswith("nncp")]


def has_run(world: World) -> bool:
    ran = world["bob"].home / "ran"
    return ran.exists() and ran.read_bytes().endswith(b"a|" + rule(200_000))


def has_queued(peer: str) -> Callable[[World], bool]:
    return lambda world: len(world["bob"].packets("tx", peer)) > 0


def has_removed(world: World) -> bool:
    return not world["bob"].packets("tx", "alice")


def one_passed_on(world: World) -> None:
    assert len(world["bob"].packets("tx", "carol")) == 1


def for_an_ack(world: World) -> None:
    bob, alice = world["bob"], world["alice"]
    bob.run("file", "-", "alice:f", stdin=rule(10)).ok()
    (packet,) = bob.packets("tx", "alice")
    alice.run("ack", "-node", "bob", "-pkt", packet.name).ok()
    world.carry("alice", "bob")


def members(world: World) -> None:
    for name, subscribers in [("alice", ["bob"]), ("bob", ["carol"])]:
        world[name].config["areas"]["news"]["subs"] = subscribers
        world[name].write_config()
    posted("file", "-", "area:news:dir/f")(world)


def area_done(world: World) -> bool:
    return has_file(world) and has_queued("carol")(world)


def tossing() -> list[Command]:
    def command(name: str, prepare, effect, once=nothing, arguments: tuple[str, ...] = ("toss",)) -> Command:
        return Command(name, "bob", arguments, prepare, still_there(effect), tossed(effect, once))

    file = posted("file", "-", "bob:dir/f")
    return [
        command("toss file", file, has_file, one_file),
        command("toss file -seen", file, has_file, one_file, ("toss", "-seen")),
        command("toss exec", posted("exec", "bob", "append", "a"), has_run),
        command("toss exec-fat", posted("exec", "-nocompress", "bob", "append", "a"), has_run),
        command("toss freq", posted("freq", "bob:wanted", "x"), has_queued("alice")),
        command("toss trns", posted("file", "-via", "bob", "-", "carol:f"), has_queued("carol"), one_passed_on),
        command("toss ack", for_an_ack, has_removed),
        command("toss area", members, area_done, one_file),
    ]


# The stick.


def outgoing(world: World) -> None:
    for size in (10, 300_000):
        world["alice"].run("file", "-", "bob:f", stdin=rule(size)).ok()
    (world.stick / ident("bob")).mkdir()


def two_somewhere(world: World) -> None:
    """Each packet is whole in the queue it left or in the place it went to."""
    all_whole(world)
    names = {packet.name for packet in packets_below(world.stick)}
    names |= {packet.name for packet in world["alice"].packets("tx", "bob")}
    names |= {packet.name for packet in world["bob"].packets("rx", "alice")}
    assert len(names) == 2, names


def on_stick(world: World) -> None:
    two_somewhere(world)
    assert len(packets_below(world.stick)) == 2
    assert not world["alice"].packets("tx", "bob"), "what is on the stick already is still in the spool"


def damaged_there(world: World) -> None:
    """One of the packets is on the stick already, the other damaged."""
    outgoing(world)
    shelf = world.stick / ident("bob") / ident("alice")
    shelf.mkdir()
    for packet in world["alice"].packets("tx", "bob"):
        good = packet.read_bytes()
        (shelf / packet.name).write_bytes(good if len(good) > 200_000 else good[:-1])


def damaged_or_somewhere(world: World) -> None:
    """Each packet is whole in the queue or on the stick, whatever else has its name there."""
    names = [packet.name for packet in world["alice"].packets("tx", "bob") if whole(packet)]
    names += [packet.name for packet in packets_below(world.stick) if whole(packet)]
    assert len(set(names)) == 2, names


def incoming(world: World) -> None:
    outgoing(world)
    world["alice"].run("xfer", "-tx", world.stick).ok()


def received(world: World) -> None:
    """The spool has both already: the transfer was killed before it removed them from the stick."""
    incoming(world)
    world["bob"].run("xfer", "-rx", "-keep", world.stick).ok()


def in_spool(world: World) -> None:
    two_somewhere(world)
    assert len(world["bob"].packets("rx", "alice")) == 2
    assert not packets_below(world.stick)


def bundle(world: World) -> None:
    outgoing(world)
    (world["alice"].home / "bundle").write_bytes(world["alice"].run("bundle", "-tx", "bob").ok().out)
    (world["bob"].home / "bundle").write_bytes((world["alice"].home / "bundle").read_bytes())


def none_queued(world: World) -> None:
    assert not world["alice"].packets("tx", "bob")


def both_received(world: World) -> None:
    all_whole(world)
    assert len(world["bob"].packets("rx", "alice")) == 2


def in_chunks(world: World) -> None:
    posted("file", "-chunked", "100", "-", "bob:f", stdin=rule(250_000))(world)
    world["bob"].run("toss").ok()


def reassembled(world: World) -> None:
    assert delivered(world) == ["f"], delivered(world)
    assert world["bob"].received()["f"] == rule(250_000)


def moving() -> list[Command]:
    tx = ("xfer", "-tx", "../stick")
    rx = ("bundle", "-rx", "-check")
    delete = ("bundle", "-rx", "-delete")
    return [
        Command("xfer -tx", "alice", tx, outgoing, two_somewhere, on_stick),
        Command("xfer -tx onto what is there", "alice", tx, damaged_there, damaged_or_somewhere, on_stick),
        Command("xfer -rx of what is there", "bob", ("xfer", "-rx", "../stick"), received, two_somewhere, in_spool),
        Command("xfer -rx", "bob", ("xfer", "-rx", "../stick"), incoming, two_somewhere, in_spool),
        Command("bundle -rx", "bob", rx, bundle, all_whole, both_received, stdin="bundle"),
        Command("bundle -rx -delete", "alice", delete, bundle, all_whole, none_queued, stdin="bundle"),
        Command(
            "reass", "bob", ("reass", "incoming/f.nncp.meta"), in_chunks, nothing, reassembled, may_be_done=True
        ),
    ]


# Faults.


class Run:
    """A command on copies of its state, each in a directory of its own."""

    def __init__(self, command: Command, directory: Path):
        self.command = command
        self.directory = directory
        self.template = self.build(directory / "template")
        command.prepare(self.template)
        self.count = 0

    def build(self, directory: Path) -> World:
        side = packmule()
        return World(directory, {name: side for name in ("alice", "bob", "carol")})

    def fresh(self) -> World:
        """The prepared state, in a new place."""
        self.count += 1
        place = self.directory / str(self.count)
        old, new = str(self.template.directory), str(place)
        shutil.copytree(self.template.directory, place, symlinks=True)
        world = World.__new__(World)
        world.directory, world.stick = place, place / "stick"
        world.nodes = {}
        for name, node in self.template.nodes.items():
            config = place / name / "nncp.hjson"
            config.write_text(config.read_text().replace(old, new))
            world.nodes[name] = Node(name, place / name, node.implementation, node.config)
        return world

    def once(self, world: World, *wrap: str) -> Done:
        node = world[self.command.actor]
        stdin = (node.home / self.command.stdin).read_bytes() if self.command.stdin else b""
        name, *arguments = self.command.arguments
        return node.run(name, *arguments, stdin=stdin, wrap=wrap, env={"NNCPNOSYNC": ""})

    def calls(self) -> dict[str, int]:
        """How often, at most, a thread makes each of the calls that change the disk."""
        world = self.fresh()
        trace = self.directory / "trace"
        self.once(world, "strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(CHANGING)).ok()
        counts: collections.Counter[tuple[str, str]] = collections.Counter()
        for line in trace.read_text().splitlines():
            if found := CALL.match(line):
                counts[found[1], found[2]] += 1
        most: dict[str, int] = {}
        for (_, call), count in counts.items():
            most[call] = max(most.get(call, 0), count)
        return most

    def faults(self, among: set[str]) -> list[tuple[str, int]]:
        return [(call, at) for call, most in sorted(self.calls().items()) if call in among for at in range(1, most + 1)]


def crash(command: Command) -> Callable[[Path], str]:
    def prove(directory: Path) -> str:
        run = Run(command, directory)
        faults = run.faults(set(CHANGING))
        for call, at in faults:
            world = run.fresh()
            inject = f"inject={call}:signal=KILL:when={at}"
            run.once(world, "strace", "-f", "-qq", "-o", "/dev/null", "-e", inject)
            blame(f"killed at {call} number {at}", lambda: command.safe(world))
            blame(f"after a second run, killed at {call} number {at}", lambda: again(run, world))
            shutil.rmtree(world.directory)
        assert faults, "strace saw no call at all"
        return f"ok {len(faults)}"

    return prove


def fault(command: Command, error: str, among: set[str]) -> Callable[[Path], str]:
    def prove(directory: Path) -> str:
        run = Run(command, directory)
        faults = run.faults(among)
        for call, at in faults:
            world = run.fresh()
            before = leftovers(world)
            inject = f"inject={call}:error={error}:when={at}"
            done = run.once(world, "strace", "-f", "-qq", "-o", "/dev/null", "-e", inject)
            what = f"{error} at {call} number {at}, status {done.status}"
            blame(what, lambda: command.safe(world))
            if done.status == 0:
                blame(f"{what}: all was said to be done", lambda: command.complete(world))
            elif call not in ("unlink", "unlinkat"):
                left = leftovers(world) - before
                assert not left, f"{what}: left behind {left}"
            blame(f"after a second run, {what}", lambda: again(run, world))
            shutil.rmtree(world.directory)
        return f"ok {len(faults)}"

    return prove


def leftovers(world: World) -> set[str]:
    """Temporary files anywhere: in spools, incoming directories, on the stick."""
    found = [path for node in world.nodes.values() for path in node.leftovers()]
    found += [path for path in world.stick.rglob("nncp*")]
    return {str(path.relative_to(world.directory)) for path in found}


def again(run: Run, world: World) -> None:
    """Without any fault the command completes what was begun."""
    done = run.once(world)
    if not run.command.may_be_done:
        done.ok()
    run.command.complete(world)


def blame(what: str, claim: Callable[[], None]) -> None:
    try:
        claim()
    except AssertionError as reason:
        raise AssertionError(f"{what}: {reason}") from None


def checks() -> list[Check]:
    commands = sending() + tossing() + moving()
    need_strace()
    found = []
    for command in commands:
        found.append(Check(f"{command.name}: killed", crash(command)))
        found.append(Check(f"{command.name}: no space", fault(command, "ENOSPC", FULL)))
        found.append(Check(f"{command.name}: input/output error", fault(command, "EIO", BROKEN)))
    return found


def need_strace() -> None:
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
