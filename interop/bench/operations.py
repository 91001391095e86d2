"""What is measured: each operation, the state it starts from, and the work that no program can avoid."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..differential.observe import base32
from ..harness.implementation import Implementation, reference
from ..harness.measure import Measured, measured
from ..harness.world import Node, World, ident

NODES = ("alice", "bob", "carol", "dave")


@dataclass(frozen=True)
class Work:
    """Passes over the data that the operation can not do without."""

    aead: int = 0
    hash: int = 0
    read: int = 0
    write: int = 0


@dataclass(frozen=True)
class Operation:
    """`prepare` makes the state once, with the reference; `run` measures on a copy of it."""

    name: str
    prepare: Callable[[World, "Sizes"], None]
    run: Callable[[World, bool], Measured]
    work: Work | None = None


@dataclass(frozen=True)
class Sizes:
    large: int
    small: int
    listed: int
    spawned: int


def command(actor: str, *arguments: str, stdin: str | None = None) -> Callable[[World, bool], Measured]:
    def run(world: World, sync: bool) -> Measured:
        node = world[actor]
        name, *rest = arguments
        source = node.home / stdin if stdin else None
        return measured(node, name, "-quiet", *rest, stdin=source, sync=sync) if name in QUIET else measured(
            node, name, *rest, stdin=source, sync=sync
        )

    return run


# Commands that have -quiet: progress bars cost the reference time.
QUIET = {"file", "exec", "toss", "xfer", "check", "bundle", "reass"}


def build(directory: Path, side: Implementation) -> World:
    world = World(directory, {name: side for name in NODES})
    for node in world.nodes.values():
        # A handler that takes its input and does nothing with it.
        for other in NODES:
            node.neighbour(other)["exec"] = {"sink": ["/bin/sh", "-c", "exec cat >/dev/null"]}
        node.write_config()
    return world


# States.


def source(world: World, sizes: Sizes) -> None:
    with (world["alice"].home / "f").open("wb") as file:
        left, generator = sizes.large, random.Random(7)
        while left > 0:
            piece = generator.randbytes(min(left, 1 << 20))
            file.write(piece)
            left -= len(piece)


def sent(*arguments: str, stdin: bool = False) -> Callable[[World, Sizes], None]:
    """Packets in alice's queue."""

    def prepare(world: World, sizes: Sizes) -> None:
        source(world, sizes)
        alice = world["alice"]
        measured(alice, *arguments, stdin=alice.home / "f" if stdin else None, sync=False)
        (alice.home / "f").unlink()

    return prepare


def delivered(taker: str, *arguments: str, stdin: bool = False) -> Callable[[World, Sizes], None]:
    """Packets in the queue of what `taker` received."""

    def prepare(world: World, sizes: Sizes) -> None:
        sent(*arguments, stdin=stdin)(world, sizes)
        deliver(world, taker)

    return prepare


def deliver(world: World, taker: str) -> None:
    """Moves alice's packets for `taker` over, without a stick."""
    queue = world["alice"].spool / ident(taker) / "tx"
    target = world[taker].spool / ident("alice")
    target.mkdir(parents=True, exist_ok=True)
    queue.rename(target / "rx")


def small(world: World, sizes: Sizes) -> None:
    alice = world["alice"]
    for number in range(sizes.small):
        (alice.home / "f").write_bytes(number.to_bytes(8, "big") * 128)
        measured(alice, "file", "-quiet", "f", f"bob:{number}", sync=False)
    (alice.home / "f").unlink()


def small_delivered(world: World, sizes: Sizes) -> None:
    small(world, sizes)
    deliver(world, "bob")


def on_stick(prepare: Callable[[World, Sizes], None]) -> Callable[[World, Sizes], None]:
    def with_stick(world: World, sizes: Sizes) -> None:
        prepare(world, sizes)
        (world.stick / ident("bob")).mkdir()
        measured(world["alice"], "xfer", "-quiet", "-tx", "../stick", sync=False)

    return with_stick


def empty_stick(prepare: Callable[[World, Sizes], None]) -> Callable[[World, Sizes], None]:
    def with_stick(world: World, sizes: Sizes) -> None:
        prepare(world, sizes)
        (world.stick / ident("bob")).mkdir()

    return with_stick


def bundled(prepare: Callable[[World, Sizes], None]) -> Callable[[World, Sizes], None]:
    def with_bundle(world: World, sizes: Sizes) -> None:
        prepare(world, sizes)
        with (world["bob"].home / "bundle").open("wb") as file:
            import subprocess

            alice = world["alice"]
            argv = [alice.implementation.command("bundle"), "-quiet", "-tx", "-delete", "bob"]
            subprocess.run(argv, stdout=file, env=alice.environment(), check=True)

    return with_bundle


def chunked(world: World, sizes: Sizes) -> None:
    source(world, sizes)
    alice, bob = world["alice"], world["bob"]
    chunk = max(1, sizes.large // 8 // 1024)
    measured(alice, "file", "-quiet", "-chunked", str(chunk), "f", "bob:f", sync=False)
    (alice.home / "f").unlink()
    deliver(world, "bob")
    measured(bob, "toss", "-quiet", sync=False)


def listed(headers: bool) -> Callable[[World, Sizes], None]:
    """A long queue. The packets are headers and a little more: stat looks at nothing else."""

    def prepare(world: World, sizes: Sizes) -> None:
        alice = world["alice"]
        (alice.home / "f").write_bytes(b"x")
        measured(alice, "file", "-quiet", "f", "bob:f", sync=False)
        queue = alice.spool / ident("bob") / "tx"
        (packet,) = alice.packets("tx", "bob")
        content = packet.read_bytes()
        generator = random.Random(7)
        (queue / "hdr").mkdir(exist_ok=True)
        for _ in range(sizes.listed):
            name = base32(generator.randbytes(32))
            (queue / name).write_bytes(content)
            if headers:
                (queue / "hdr" / name).write_bytes(content[:172])

    return prepare


def many(world: World, sync: bool, count: int) -> Measured:
    """One process a packet: what starting up costs."""
    runs = [measured(world["alice"], "file", "-quiet", "f", f"bob:{number}", sync=sync) for number in range(count)]
    return Measured(sum(run.seconds for run in runs), max(run.peak_kib for run in runs))


def tiny(world: World, sizes: Sizes) -> None:
    (world["alice"].home / "f").write_bytes(b"x" * 1024)


def operations(sizes: Sizes) -> list[Operation]:
    fat = ("exec", "-nocompress", "bob", "sink")
    file = ("file", "-quiet", "f", "bob:f")
    two = ("-via", "carol,dave")
    big, count = f"{sizes.large / 2**30:g} GiB", f"{sizes.small} packets"
    large = [
        Operation("hash", source, command("alice", "hash", "-file", "f"), Work(hash=1, read=1)),
        Operation("file", source, command("alice", "file", "f", "bob:f"), Work(1, 1, 1, 1)),
        Operation("file over two relays", source, command("alice", "file", *two, "f", "bob:f"), Work(3, 1, 1, 1)),
        Operation("exec, not compressed", source, command("alice", *fat, stdin="f"), Work(1, 1, 1, 1)),
        Operation("toss file", delivered("bob", *file), command("bob", "toss"), Work(1, 0, 1, 1)),
        # The handler starts after the end was verified, so the packet is read and opened twice.
        Operation("toss exec", delivered("bob", *fat, stdin=True), command("bob", "toss"), Work(2, 0, 2, 0)),
        Operation(
            "toss transitional",
            delivered("carol", "file", "-quiet", "-via", "carol", "f", "bob:f"),
            command("carol", "toss"),
            Work(1, 1, 1, 1),
        ),
        Operation("check", delivered("bob", *file), command("bob", "check"), Work(hash=1, read=1)),
        Operation("xfer -tx", empty_stick(sent(*file)), command("alice", "xfer", "-tx", "../stick"), Work(0, 1, 1, 1)),
        Operation("xfer -rx", on_stick(sent(*file)), command("bob", "xfer", "-rx", "../stick"), Work(0, 1, 1, 1)),
        Operation("bundle -tx", sent(*file), command("alice", "bundle", "-tx", "bob"), Work(read=1)),
        Operation(
            "bundle -rx -check",
            bundled(sent(*file)),
            command("bob", "bundle", "-rx", "-check", stdin="bundle"),
            Work(0, 1, 1, 1),
        ),
        Operation("reass", chunked, command("bob", "reass", "incoming/f.nncp.meta"), Work(0, 1, 2, 1)),
    ]
    many_small = [
        Operation("toss file", small_delivered, command("bob", "toss")),
        Operation("check", small_delivered, command("bob", "check")),
        Operation("xfer -tx", empty_stick(small), command("alice", "xfer", "-tx", "../stick")),
        Operation("xfer -rx", on_stick(small), command("bob", "xfer", "-rx", "../stick")),
        Operation("bundle -tx", small, command("alice", "bundle", "-tx", "bob")),
        Operation("bundle -rx -check", bundled(small), command("bob", "bundle", "-rx", "-check", stdin="bundle")),
    ]
    lists = [
        Operation("stat", listed(True), command("alice", "stat")),
        Operation("stat, no headers kept", listed(False), command("alice", "stat")),
    ]
    start = Operation(f"file, {sizes.spawned} times", tiny, lambda world, sync: many(world, sync, sizes.spawned))
    return (
        [renamed(operation, big) for operation in large]
        + [renamed(operation, count) for operation in many_small]
        + [renamed(operation, f"{sizes.listed} packets") for operation in lists]
        + [start]
    )


def renamed(operation: Operation, size: str) -> Operation:
    return Operation(f"{operation.name}, {size}", operation.prepare, operation.run, operation.work)


def copy(world: World, to: Path, side: Implementation) -> World:
    """The state for one run: directories of its own, the files hard links where nobody writes to them."""
    import shutil

    old, new = str(world.directory), str(to)
    shutil.copytree(world.directory, to, symlinks=True, copy_function=link_or_copy)
    fresh = World.__new__(World)
    fresh.directory, fresh.stick, fresh.nodes = to, to / "stick", {}
    for name, node in world.nodes.items():
        config = to / name / "nncp.hjson"
        config.write_text(config.read_text().replace(old, new))
        fresh.nodes[name] = Node(name, to / name, side, node.config)
    return fresh


def link_or_copy(source_path: str, target: str) -> None:
    import shutil

    name = os.path.basename(source_path)
    # Packets, sources and pieces are read and removed, never written.
    if len(name) == 52 or name in ("f", "bundle") or ".nncp." in name:
        os.link(source_path, target)
    else:
        shutil.copy2(source_path, target)


def template(directory: Path, operation: Operation, sizes: Sizes) -> World:
    world = build(directory, reference())
    operation.prepare(world, sizes)
    return world
