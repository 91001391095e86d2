"""Sticks and bundles: what counts as there, and what is said of it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..harness.implementation import packmule
from ..harness.world import Done, World, ident, rule

SIZE = 300_000


def build(directory: Path) -> World:
    return World(directory, {name: packmule() for name in ("alice", "bob", "carol")})


def queued(world: World, to: str = "bob", size: int = SIZE) -> Path:
    """A packet of alice's that waits for `to`."""
    before = set(world["alice"].packets("tx", to))
    world["alice"].run("file", "-", f"{to}:f", stdin=rule(size)).ok()
    (packet,) = set(world["alice"].packets("tx", to)) - before
    return packet


def place(world: World, packet: Path, to: str = "bob") -> Path:
    """Where alice's packet lies on the stick."""
    shelf = world.stick / ident(to) / ident("alice")
    shelf.mkdir(parents=True, exist_ok=True)
    return shelf / packet.name


def altered(good: bytes) -> Iterator[bytes]:
    """Every way in which a copy is bad: a bit at both ends and in the middle, cut, longer, empty, zeros."""
    for at in (0, 200, len(good) // 2, len(good) - 1):
        yield good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    yield good[:-1]
    yield good[: len(good) // 2]
    yield good + b"x"
    yield b""
    yield bytes(len(good))


def claim_a_damaged_copy_on_the_stick_is_replaced(directory: Path) -> None:
    """xfer -tx replaces a damaged copy on the stick, with -keep and without, and says so."""
    world = build(directory)
    packet = queued(world)
    good, copy = packet.read_bytes(), place(world, packet)
    for bad in altered(good):
        copy.write_bytes(bad)
        world["alice"].run("xfer", "-tx", "-keep", world.stick).ok().says("damaged copy")
        assert copy.read_bytes() == good and packet.exists()
    copy.write_bytes(good[:-5])
    world["alice"].run("xfer", "-tx", world.stick).ok()
    assert copy.read_bytes() == good and not packet.exists()


def claim_a_good_copy_on_the_stick_is_not_given_up(directory: Path) -> None:
    """A good copy on the stick stays when it is the spool's that is damaged: altered, or shorter."""
    world = build(directory)
    packet = queued(world)
    good, copy = packet.read_bytes(), place(world, packet)
    for bad in (good[:-1], good[:1000], good + b"x"):
        copy.write_bytes(good)
        packet.write_bytes(bad)
        world["alice"].run("xfer", "-tx", world.stick).fails().says("does not hash to its name")
        assert copy.read_bytes() == good and packet.exists()
    # It has the right length, so it is not even needed.
    packet.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    world["alice"].run("xfer", "-tx", world.stick).ok()
    assert copy.read_bytes() == good and not packet.exists()


def traced(world: World, who: str, *command: str) -> list[str]:
    """The calls that sync and remove, each with the path of its descriptor or name."""
    trace = world.directory / "trace"
    calls = "trace=fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2"
    wrap = ("strace", "-f", "-y", "-qq", "-o", str(trace), "-e", calls)
    world[who].run(*command, wrap=wrap, env={"NNCPNOSYNC": ""}).ok()
    return trace.read_text().splitlines()


def at(lines: list[str], call: str, *words: str) -> int:
    """The first line of a call that names all words."""
    found = [number for number, line in enumerate(lines) if f" {call}" in line and all(word in line for word in words)]
    assert found, f"no {call} of {words} in {lines}"
    return found[0]


def claim_a_good_copy_on_the_stick_is_synced_and_counts(directory: Path) -> None:
    """What lies on the stick already, and good, is synced with its directory, then leaves the spool; not with -keep."""
    world = build(directory)
    packet = queued(world)
    copy = place(world, packet)
    copy.write_bytes(packet.read_bytes())
    before = copy.stat().st_ino
    done = world["alice"].run("xfer", "-tx", "-keep", "-json", world.stick).ok()
    assert packet.exists() and json.loads(done.out)["there"] == 1
    lines = traced(world, "alice", "xfer", "-tx", str(world.stick))
    removed = at(lines, "unlink", f"/tx/{packet.name}")
    assert at(lines, "fsync", str(copy)) < removed
    assert at(lines, "fsync", f"{copy.parent}>") < removed
    assert not packet.exists() and copy.stat().st_ino == before, "the copy is the one that was there"


def claim_a_packet_in_the_spool_counts_as_received(directory: Path) -> None:
    """xfer -rx verifies and syncs what rx/ holds under the name; good leaves the stick, bad is replaced."""
    world = build(directory)
    packet = queued(world)
    good, copy = packet.read_bytes(), place(world, packet)
    world["alice"].run("xfer", "-tx", world.stick).ok()
    world["bob"].run("xfer", "-rx", "-keep", world.stick).ok()
    (held,) = world["bob"].packets("rx", "alice")
    for bad in altered(good):
        held.write_bytes(bad)
        world["bob"].run("xfer", "-rx", "-keep", world.stick).ok()
        assert held.read_bytes() == good and copy.exists()
    before = held.stat().st_ino
    lines = traced(world, "bob", "xfer", "-rx", str(world.stick))
    removed = at(lines, "unlink", packet.name)
    assert at(lines, "fsync", str(held)) < removed and at(lines, "fsync", f"{held.parent}>") < removed
    assert not copy.exists() and held.stat().st_ino == before, "copied again"


def claim_a_damaged_packet_in_the_spool_is_replaced_from_a_bundle(directory: Path) -> None:
    """bundle -rx, with -check and without, replaces a damaged packet in the spool, and leaves a good one."""
    world = build(directory)
    queued(world)
    bundle = world["alice"].run("bundle", "-tx", "bob").ok().out
    world["bob"].run("bundle", "-rx", stdin=bundle).ok()
    (held,) = world["bob"].packets("rx", "alice")
    good = held.read_bytes()
    for flags in ((), ("-check",), ("-delete",)):
        for bad in altered(good):
            held.write_bytes(bad)
            world["bob"].run("bundle", "-rx", "-dryrun", *flags, stdin=bundle).ok()
            assert held.read_bytes() == bad, "a dry run"
            world["bob"].run("bundle", "-rx", *flags, stdin=bundle).ok()
            assert held.read_bytes() == good
        before = held.stat().st_ino
        done = world["bob"].run("bundle", "-rx", "-json", *flags, stdin=bundle).ok()
        assert held.stat().st_ino == before and json.loads(done.out)["there"] == 1


def claim_what_is_in_the_way_of_a_packet_is_named(directory: Path) -> None:
    """A directory, link or FIFO of a packet's name makes xfer and bundle fail, is named, and nothing is lost."""
    world = build(directory)
    packet = queued(world)
    copy, bundle = place(world, packet), world["alice"].run("bundle", "-tx", "bob").ok().out
    elsewhere = directory / "elsewhere"
    elsewhere.write_bytes(packet.read_bytes())
    makers = {
        "a directory": Path.mkdir,
        "a link": lambda path: path.symlink_to(elsewhere),
        "not a regular file": os.mkfifo,
    }
    for word, make in makers.items():
        make(copy)
        for flags in ((), ("-keep",)):
            world["alice"].run("xfer", "-tx", *flags, world.stick).fails().says(word).says(packet.name)
            assert packet.exists()
        gone(copy)
    world["alice"].run("xfer", "-tx", world.stick).ok()
    held = world["bob"].spool / ident("alice") / "rx" / packet.name
    held.parent.mkdir(parents=True)
    for word, make in makers.items():
        make(held)
        world["bob"].run("xfer", "-rx", world.stick).fails().says(word).says(packet.name)
        world["bob"].run("bundle", "-rx", stdin=bundle).fails().says(word).says(packet.name)
        assert copy.exists()
        gone(held)
    assert elsewhere.exists()
    world["bob"].run("xfer", "-rx", world.stick).ok()
    assert held.exists() and not copy.exists()


def gone(path: Path) -> None:
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def claim_an_unreadable_copy_is_not_taken_for_a_bad_one(directory: Path) -> None:
    """A copy that can not be opened, or synced, is named, kept, and keeps the packet in the spool."""
    world = build(directory)
    packet = queued(world)
    copy = place(world, packet)
    copy.write_bytes(packet.read_bytes())
    strace = ("strace", "-f", "-y", "-qq", "-o", str(directory / "calls"))
    synced = {"NNCPNOSYNC": ""}
    world["alice"].run("xfer", "-tx", "-keep", world.stick, wrap=(*strace, "-e", "trace=openat"), env=synced).ok()
    lines = (directory / "calls").read_text().splitlines()
    opened = [line for line in lines if f"<{copy.parent}>, " in line]
    nth = next(at for at, line in enumerate(opened, 1) if f'"{packet.name}"' in line)
    inject = [
        (copy.parent, f"openat:error=EACCES:when={nth}", "permission denied"),
        (copy, "fsync:error=EIO", "input/output error"),
    ]
    for path, fault, words in inject:
        wrap = (*strace, "-P", str(path), "-e", f"inject={fault}")
        done = world["alice"].run("xfer", "-tx", world.stick, wrap=wrap, env=synced)
        done.fails().says(packet.name).says(words)
        assert copy.exists() and packet.exists(), fault
    world["alice"].run("xfer", "-tx", world.stick).ok()
    assert not packet.exists()


def claim_a_name_whose_directory_was_not_synced_goes_again(directory: Path) -> None:
    """After an error of a directory's fsync the copies go from the stick: a second fsync would prove nothing."""
    world = build(directory)
    packet = queued(world)
    copy = place(world, packet)
    wrap = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(copy.parent), "-e", "inject=fsync:error=EIO:when=2")
    world["alice"].run("xfer", "-tx", world.stick, wrap=wrap, env={"NNCPNOSYNC": ""}).fails()
    assert packet.exists() and not copy.exists()
    world["alice"].run("xfer", "-tx", world.stick).ok()
    assert copy.exists() and not packet.exists()


def claim_a_directory_on_the_root_disk_is_no_stick(directory: Path) -> None:
    """A directory on the file system of / or of the spool is warned of; with -mounted nothing happens there."""
    world = build(directory)
    packet, copy = queued(world), None
    bobs = place(world, queued(world, "carol"), "carol")
    for flags in (("-tx", "-mkdir"), ("-rx",), ()):
        done = world["alice"].run("xfer", "-mounted", *flags, world.stick)
        assert done.status == 1
        done.says("no medium is mounted there").says(str(world.stick))
        assert packet.exists() and sorted(world.stick.rglob("*")) == sorted([bobs.parent.parent, bobs.parent])
    world["alice"].run("xfer", "-rx", world.stick).ok().says("warning: ").says("-mounted").says("nothing for this node")
    done = world["alice"].run("xfer", "-tx", "-mkdir", "-node", "bob", world.stick).ok().says("warning: ")
    copy = place(world, packet)
    assert copy.exists() and not packet.exists(), "who works with directories still can"
    done = world["alice"].run("xfer", "-quiet", world.stick).ok()
    assert done.err == b"", done.err


def claim_a_mounted_stick_is_not_warned_of(directory: Path) -> None:
    """A directory on a file system of its own is a stick; a bind mount, or the spool's file system, is none."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as disk, tempfile.TemporaryDirectory(dir="/dev/shm") as stick:
        assert Path(stick).stat().st_dev not in (Path("/").stat().st_dev, Path(disk).stat().st_dev)
        world = build(Path(disk) / "world")
        packet, alice = queued(world), world["alice"]
        done = alice.run("xfer", "-mounted", "-tx", "-mkdir", "-node", "bob", stick).ok()
        assert b"warning" not in done.err, done.err
        assert not packet.exists() and list(Path(stick).rglob(packet.name))
        alice.run("xfer", "-mounted", "-spool", f"{stick}/spool", stick).fails().says("the spool")
        assert not Path(stick, "spool").exists()
    world = build(directory / "world")
    bound = directory / "bound"
    bound.mkdir()
    script = 'mount --bind "$0" "$1" && shift && exec "$@"'
    wrap = ("unshare", "-m", "--map-root-user", "/bin/sh", "-c", script, str(world.stick), str(bound))
    if subprocess.run([*wrap, "true"], capture_output=True, check=False).returncode == 0:
        world["alice"].run("xfer", "-mounted", str(bound), wrap=wrap).fails().says("no medium is mounted")


def claim_packets_without_a_directory_are_told(directory: Path) -> None:
    """xfer -tx tells how many packets wait for which node that has no directory on the stick."""
    world = build(directory)
    (world.stick / ident("carol")).mkdir()
    for _ in range(7):
        queued(world, "bob", 10)
    kept = queued(world, "carol", 10)
    sentence = "7 packets wait for bob, which has no directory here: -mkdir"
    for way in (("-tx",), ()):
        world["alice"].run("xfer", *way, world.stick).ok().says(sentence)
    assert not kept.exists() and len(world["alice"].packets("tx", "bob")) == 7
    for flags in (("-rx",), ("-tx", "-node", "carol"), ("-tx", "-quiet")):
        done = world["alice"].run("xfer", *flags, world.stick).ok()
        assert b"wait" not in done.err.replace(b"nothing waits", b""), done.err
    world["alice"].run("file", "-", "area:news:f", stdin=b"x").ok()
    world["alice"].run("xfer", "-tx", "-mkdir", "-node", "bob", world.stick).ok()
    done = world["alice"].run("xfer", "-tx", world.stick).ok()
    assert b" wait " not in done.err and b" waits for alice" not in done.err, done.err


def claim_what_found_nothing_says_so(directory: Path) -> None:
    """bundle and xfer that find nothing say so on standard error, exit status 0 as the reference's; -quiet does not."""
    world = build(directory)
    alice = world["alice"]
    nothing = [
        (("bundle", "-rx"), b"", "no packet found"),
        (("bundle", "-rx", "-check"), rule(100_000), "no packet found"),
        (("bundle", "-rx", "-delete"), b"NNCP" * 1000, "no packet found"),
        (("bundle", "-tx", "bob", "carol"), b"", "nothing waits for bob, carol"),
        (("bundle", "-tx"), b"", "no NODE was given"),
        (("xfer", "-rx", str(world.stick)), b"", "nothing for this node"),
        (("xfer", "-tx", str(world.stick)), b"", "nothing waits"),
    ]
    for (name, *arguments), stdin, words in nothing:
        done = alice.run(name, *arguments, stdin=stdin).ok().says(words)
        assert done.out == b""
        assert alice.run(name, "-quiet", *arguments, stdin=stdin).ok().err == b""
    queued(world)
    others = alice.run("bundle", "-tx", "bob").ok().out
    world["carol"].run("bundle", "-rx", stdin=others).ok().says("nothing in the bundle to store").says("1 packet skipped")


def claim_the_last_line_says_what_is_where(directory: Path) -> None:
    """xfer and bundle end with how many packets of how many bytes are where, and whether synced."""
    world = build(directory)
    alice, bob = world["alice"], world["bob"]
    for _ in range(17):
        queued(world, "bob", SIZE)
    (world.stick / ident("bob")).mkdir()

    def last(done: Done) -> str:
        return done.ok().err.decode().splitlines()[-1]

    synced = {"NNCPNOSYNC": ""}
    bundle = alice.run("bundle", "-tx", "bob").ok()
    assert last(bundle).startswith("17 packets, 4.9 MiB in the bundle"), last(bundle)
    line = last(alice.run("xfer", "-tx", world.stick, env=synced))
    assert line.startswith("17 packets, 4.9 MiB on the stick, synced"), line
    line = last(bob.run("xfer", "-rx", "-keep", world.stick))
    assert line.startswith("17 packets, 4.9 MiB in the spool, not synced"), line
    line = last(bob.run("xfer", "-rx", world.stick, env=synced))
    assert line == "17 packets, 4.9 MiB in the spool, synced; 17 there already", line
    line = last(bob.run("bundle", "-rx", stdin=bundle.out, env=synced))
    assert line == "17 packets, 4.9 MiB in the spool, synced; 17 there already", line
