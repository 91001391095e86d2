"""A disk that loses what it was given: a sync fails once, the next one succeeds without the bytes."""

import os
from collections.abc import Callable
from pathlib import Path

from ..crashes import moving, packets, sending, tossing
from ..crashes.powercut import Effect, kinds
from ..harness.disks import LossyDisk, need_mounts, repair, unmount, write_out
from ..harness.implementation import packmule
from ..harness.runner import blame
from ..harness.world import Done, World, ident, rule
from .powercut import called, from_crash, queue, tossed


def on_each_kind(directory: Path, prepare: Callable[[World], None], story: Callable[[LossyDisk, World], None]) -> str:
    """Tells the story on a lossy disk of each kind, mounted, with what `prepare` made."""
    need_mounts(directory)
    for number, kind in enumerate(kinds()):
        with LossyDisk(directory / str(number), kind) as disk:
            with disk.mounted() as place:
                world = World(place / "world", {name: packmule() for name in ("alice", "bob", "carol")})
                prepare(world)
            disk.renew()
            with disk.mounted():
                blame(f"on {kind}", lambda: story(disk, world))
    return f"ok {len(kinds())}"


def after_a_power_cut(disk: LossyDisk, emptied: list[Path], claim: Callable[[], None]) -> None:
    for directory in emptied:
        write_out(directory)
    left = disk.copy(disk.ram.parent / "left")
    unmount(disk.mount)
    repair(left)
    with disk.mounted(left):
        claim()


def run(effect: Effect, world: World, *wrap: str) -> Done:
    node = world[effect.actor]
    stdin = (node.home / effect.stdin).read_bytes() if effect.stdin else b""
    return node.run(*effect.arguments, stdin=stdin, wrap=wrap, env={"NNCPNOSYNC": ""})


def retried(effect: Effect, directory: Path, killed_at: str | None = None) -> None:
    """The disk loses what the first run writes; the second, on a sound disk, relies on none of it."""
    wrap = () if killed_at is None else ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={killed_at}:signal=KILL")

    def story(disk: LossyDisk, world: World) -> None:
        disk.fail()
        first = run(effect, world, *wrap)
        effect.kept(world)
        disk.heal()
        second = run(effect, world)
        if first.status != 0 and not effect.may_be_done:
            second.ok()
        after_a_power_cut(disk, effect.emptied(world), lambda: effect.done(world))

    blame(effect.name, lambda: on_each_kind(directory, effect.prepare, story))


def claim_what_a_failed_sync_lost_is_written_again(directory: Path) -> str:
    """A run whose syncs failed is repeated on the sound disk, and then everything is on it: toss, xfer, bundle, reass, queueing."""
    posted = tossing.posted
    commands = {command.name: command for command in moving.commands() + sending.commands()}
    effects = [
        tossed("file", posted("file", "-", "bob:dir/f"), packets.has_file),
        tossed("trns", posted("file", "-via", "bob", "-", "carol:f"), tossing.has_queued("carol")),
        tossed("freq", posted("freq", "bob:wanted", "x"), tossing.has_queued("alice")),
        tossed("area", tossing.members, tossing.area_done),
        from_crash(commands["xfer -tx"], lambda world: [queue(world, "alice", "tx", "bob")]),
        from_crash(commands["xfer -rx"], lambda world: [world.stick / ident("bob") / ident("alice")]),
        from_crash(commands["bundle -rx"]),
        from_crash(commands["reass"], lambda world: [world["bob"].incoming]),
        from_crash(commands["file"]),
    ]
    for number, effect in enumerate(effects):
        retried(effect, directory / str(number))
    return f"ok {len(effects) * len(kinds())}"


def claim_a_run_killed_after_its_sync_failed_is_not_relied_on(directory: Path) -> str:
    """Killed between the failed sync and what takes its bytes back, reass and bundle -rx leave nothing that counts."""
    commands = {command.name: command for command in moving.commands()}
    retried(from_crash(commands["reass"], lambda world: [world["bob"].incoming]), directory / "reass", "ftruncate:when=2")
    retried(from_crash(commands["bundle -rx"]), directory / "bundle", "unlink:when=1")
    return f"ok {2 * len(kinds())}"


def one_packet(world: World) -> None:
    world["alice"].run("file", "-", "bob:f", stdin=rule(300_000)).ok()


def received_twice(directory: Path, wrap: tuple = ()) -> str:
    """A packet is received onto a failing disk and then onto a sound one; the sender's is gone after that."""

    def story(disk: LossyDisk, world: World) -> None:
        alice, bob = world["alice"], world["bob"]
        (name,) = [packet.name for packet in alice.packets("tx", "bob")]
        disk.fail()
        called(world, wrap)
        assert alice.packets("tx", "bob"), "the sender removed what the receiver's disk lost"
        disk.heal()
        # What was lost is found by hashing it, and asked for in that call or the next.
        for _ in range(3):
            if alice.packets("tx", "bob"):
                called(world)
        assert not alice.packets("tx", "bob"), "it does not arrive any more"

        def claim() -> None:
            found = [packet for packet in bob.packets("rx", "alice") if packet.name == name]
            assert found and packets.whole(found[0]), "the packet is lost on both sides"

        after_a_power_cut(disk, [queue(world, "alice", "tx", "bob")], claim)

    return on_each_kind(directory, one_packet, story)


def claim_a_packet_whose_sync_failed_is_received_again(directory: Path) -> str:
    """A call that could not sync a complete .part does not have it confirmed by the next sync."""
    return received_twice(directory)


def claim_a_packet_of_a_daemon_killed_after_its_sync_failed_is_hashed_from_the_disk(directory: Path) -> str:
    """A daemon killed before it removed a .part that it could not sync: the next one hashes what the disk has."""
    return received_twice(directory, ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=unlink:signal=KILL:when=1"))


def claim_a_recording_is_believed_as_the_disk_has_it(directory: Path) -> str:
    """bundle -rx -delete removes nothing on the word of a recording that is whole in memory only."""

    def story(disk: LossyDisk, world: World) -> None:
        alice, recording = world["alice"], world["alice"].home / "recording"
        content = alice.run("bundle", "-tx", "bob").ok().out
        disk.fail()
        try:
            with recording.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            disk.heal()
        else:
            raise AssertionError("the disk lost nothing")
        assert recording.read_bytes() == content, "memory shows no more than the disk has: this proves nothing"
        from_file = ("sh", "-c", 'exec "$0" "$@" < recording')
        alice.run("bundle", "-rx", "-delete", wrap=from_file, env={"NNCPNOSYNC": ""})

        def claim() -> None:
            assert len(alice.packets("tx", "bob")) == 2, "packets are gone that the recording has not"

        after_a_power_cut(disk, [queue(world, "alice", "tx", "bob")], claim)

    return on_each_kind(directory, moving.outgoing, story)
