"""What a power cut leaves: the packet or its effect, also on a file system without a journal."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from ..crashes import moving, packets, sending, tossing
from ..crashes.command import Command
from ..crashes.powercut import Effect, kinds, survives
from ..harness.disks import Disk, need_mounts, repair, write_out
from ..harness.implementation import packmule
from ..harness.network import free_port, listening, running, wait_for
from ..harness.runner import blame
from ..harness.world import Done, World, ident


def queue(world: World, node: str, xx: str, peer: str) -> Path:
    return world[node].spool / ident(peer) / xx


def received(world: World) -> list[Path]:
    return [queue(world, "bob", "rx", "alice")]


def handlers_sync(world: World) -> None:
    """Whoever runs a command for good has it sync what it did."""
    bob = world["bob"]
    command = f'printf "%s|" "$@" >> {bob.home}/ran; cat >> {bob.home}/ran; sync {bob.home}/ran {bob.home}'
    for section in bob.config["neigh"].values():
        section["exec"]["append"] = ["/bin/sh", "-c", command, "sh"]
    bob.write_config()


def tossed(name: str, prepare, effect, arguments: tuple[str, ...] = ("toss",)) -> Effect:
    def prepared(world: World) -> None:
        handlers_sync(world)
        prepare(world)

    kept, done = tossing.still_there(effect), tossing.tossed(effect)
    return Effect(f"toss {name}", "bob", arguments, prepared, kept, done, received)


def marked(world: World) -> bool:
    """What the packet did, and the mark that it was."""
    return tossing.has_run(world) and any((queue(world, "bob", "rx", "alice") / "seen").iterdir())


def claim_a_tossed_packet_or_its_effect_outlives_a_power_cut(directory: Path) -> str:
    """After a power cut there is the packet or what it did: file, command and mark, answer, relayed packet, message, ack."""
    posted = tossing.posted
    return survives(
        [
            tossed("file", posted("file", "-", "bob:dir/f"), packets.has_file),
            tossed("exec", posted("exec", "bob", "append", "a"), tossing.has_run),
            tossed("exec -seen", posted("exec", "bob", "append", "a"), marked, ("toss", "-seen")),
            tossed("freq", posted("freq", "bob:wanted", "x"), tossing.has_queued("alice")),
            tossed("trns", posted("file", "-via", "bob", "-", "carol:f"), tossing.has_queued("carol")),
            tossed("area", tossing.members, tossing.area_done),
            tossed("ack", tossing.for_an_ack, tossing.has_removed),
        ],
        directory,
    )


def claim_a_packet_on_its_way_outlives_a_power_cut(directory: Path) -> str:
    """After a power cut each packet is whole where it was or where it went: xfer onto the stick and off it, bundle."""
    out = moving.commands()
    emptied = {
        "xfer -tx": lambda world: [queue(world, "alice", "tx", "bob")],
        "xfer -tx onto what is there": lambda world: [queue(world, "alice", "tx", "bob")],
        "xfer -rx": lambda world: [world.stick / ident("bob") / ident("alice")],
        "xfer -rx of what is there": lambda world: [world.stick / ident("bob") / ident("alice")],
        "bundle -rx -delete": lambda world: [queue(world, "alice", "tx", "bob")],
    }
    effects = [from_crash(command, emptied.get(command.name)) for command in out if command.name != "reass"]
    mkdir = Effect(
        "xfer -tx -mkdir",
        "alice",
        ("xfer", "-tx", "-mkdir", "../stick"),
        without_shelf,
        moving.two_somewhere,
        moving.on_stick,
        emptied["xfer -tx"],
    )
    return survives([*effects, mkdir], directory)


def called(world: World, wrap: tuple[str, ...] = ()) -> Done:
    """Alice calls bob's daemon."""
    port, sync = free_port(), {"NNCPNOSYNC": ""}
    with running(world["bob"], "daemon", "-bind", f"127.0.0.1:{port}", wrap=wrap, env=sync, start_new_session=True) as daemon:
        try:
            wait_for("the daemon listens", lambda: listening(port))
            arguments = ("-quiet", "-onlinedeadline", "1", "bob", f"127.0.0.1:{port}")
            return world["alice"].run("call", *arguments, env=sync)
        finally:
            # strace would leave it running.
            os.killpg(daemon.pid, signal.SIGKILL)


def claim_what_a_call_took_from_the_sender_outlives_the_receivers_power_cut(directory: Path) -> str:
    """A packet that the sender removed after a call is on the receiver's disk."""
    need_mounts(directory)
    for number, kind in enumerate(kinds()):
        disk = Disk(directory / str(number), kind)
        left = directory / "left"
        with disk.mounted() as place:
            world = World(place / "world", {name: packmule() for name in ("alice", "bob", "carol")})
            moving.outgoing(world)
            called(world).ok()
            assert not world["alice"].packets("tx", "bob"), "the call took nothing"
            write_out(queue(world, "alice", "tx", "bob"))
            disk.copy(left)
        repair(left)
        with disk.mounted(left):
            blame(f"on {kind}", lambda: moving.both_received(world))
    return f"ok {len(kinds())}"


def without_shelf(world: World) -> None:
    moving.outgoing(world)
    (world.stick / ident("bob")).rmdir()


def claim_what_was_queued_outlives_a_power_cut(directory: Path) -> str:
    """A command that ended with 0 has its packets on the disk, in a spool that it made too."""

    def without_spool(world: World) -> None:
        sending.source(world)
        world["alice"].spool.rmdir()

    commands = sending.commands()
    first = replace(from_crash(commands[0]), name="file into a new spool", prepare=without_spool)
    return survives([first, *(from_crash(command) for command in commands if "relay" not in command.name)], directory)


def claim_a_file_of_chunks_outlives_a_power_cut(directory: Path) -> str:
    """Chunks are removed after their bytes are in the file: a power cut loses none of them."""

    def emptied(world: World) -> list[Path]:
        return [world["bob"].incoming]

    (command,) = [command for command in moving.commands() if command.name == "reass"]
    return survives([from_crash(command, emptied)], directory)


def from_crash(command: Command, emptied=None) -> Effect:
    return Effect(
        command.name,
        command.actor,
        command.arguments,
        command.prepare,
        command.safe,
        command.complete,
        emptied or (lambda world: []),
        command.may_be_done,
        command.stdin,
    )


def claim_a_configuration_as_a_directory_outlives_a_power_cut(directory: Path) -> str:
    """After cfgdir -dump the file that it was made of can be removed: all keys are on the disk."""

    def done(world: World) -> None:
        alice = world["alice"]
        loaded = alice.run("cfgdir", "-load", "cfg").ok().out.decode()
        missing = [name for name, key in alice.config["self"].items() if key not in loaded]
        assert not missing, f"keys are missing: {missing}"

    command = ("cfgdir", "-cfg", "nncp.hjson", "-dump", "cfg")
    return survives([Effect("cfgdir", "alice", command, lambda world: None, lambda world: None, done, may_be_done=True)], directory)
