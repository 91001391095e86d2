"""A neighbour's new line takes over from its old one, if it proves who it is."""

import contextlib
import fcntl
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from ..harness.implementation import Implementation, packmule, reference
from ..harness.network import call, daemon, delivered, log_of, queue, running, wait_for
from ..harness.world import World, ident
from .calls import MIB


def twin(world: World, implementation: Implementation) -> World:
    """Alice once more, with the same keys and another spool, and the same bob."""
    other = World(world.directory / f"twin-{implementation}", {"alice": implementation})
    other.nodes["bob"] = world["bob"]
    return other


@contextlib.contextmanager
def old_session(world: World, port: int, state: str) -> Iterator[None]:
    """A session of alice's with bob that is in this state; it takes nothing of what bob has for her."""
    if state == "none":
        yield
        return
    old = twin(world, world["alice"].implementation)
    arguments = ["-tx", "-onlinedeadline", "60", "bob", f"127.0.0.1:{port}"]
    if state == "active":
        queue(old, "alice", "bob", "old", 20 * MIB)
        arguments[:0] = ["-txrate", "5"]
    else:
        # So that it is a session, and not only a connection.
        queue(old, "alice", "bob", "old", 1000)
    with running(old["alice"], "call", *arguments) as process:
        rx = world["bob"].spool / ident("alice") / "rx"
        wait_for("the old session stands", lambda: rx.is_dir() and any(rx.iterdir()))
        if state == "idle":
            wait_for("it has nothing to do", lambda: not old["alice"].packets("tx", "bob"))
        if state in ("dead", "closing"):
            process.send_signal(signal.SIGSTOP if state == "dead" else signal.SIGKILL)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)


def takes_over(world: World, state: str, who: str) -> None:
    names: dict[str, set[str]] = {"bob": set(), "alice": set()}
    for giver, taker in (("alice", "bob"), ("bob", "alice")):
        if who in (giver, "both"):
            names[taker] = {queue(world, giver, taker, f"{giver}{n}", size).name for n, size in enumerate((1000, MIB))}
    with daemon(world["bob"]) as port, old_session(world, port, state):
        if who == "neither":
            call(world, port).ok()
        else:
            delivers(world, port)
        for taker, giver in (("bob", "alice"), ("alice", "bob")):
            got = {path.name for path in world[taker].packets("rx", giver)}
            assert names[taker] <= got, f"{taker} lacks {names[taker] - got}"


def delivers(world: World, port: int) -> None:
    """A call that is ended when nothing is left to send: it has to get there before it is idle for ten seconds."""
    alice, bob = world["alice"], world["bob"]
    with running(alice, "call", "-onlinedeadline", "10", "bob", f"127.0.0.1:{port}"):
        wait_for("alice has nothing left in tx", lambda: not alice.packets("tx", "bob"))
        wait_for("bob has nothing left in tx", lambda: not bob.packets("tx", "alice"))


def claim_taking_over(directory: Path) -> None:
    """Whoever has something to send, and whatever became of the old session: each call delivers it."""
    cases = [
        (caller, state, who)
        for caller in (packmule(), reference())
        for state in ("none", "active", "idle", "dead", "closing")
        for who in ("neither", "alice", "bob", "both")
    ]
    for caller, state, who in cases:
        world = World(directory / f"{caller}-{state}-{who}", {"alice": caller, "bob": packmule()})
        try:
            takes_over(world, state, who)
        except AssertionError as why:
            raise AssertionError(f"{caller} calls, old session {state}, {who} has something: {why}") from why


def recorded(world: World, *arguments: str) -> bytes:
    """The first frame of a call of alice's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with running(world["alice"], "call", *arguments, "bob", address):
            stream, _ = listener.accept()
            with stream:
                frame = stream.recv(12, socket.MSG_WAITALL)
                size = int.from_bytes(frame[8:], "big")
                return frame + stream.recv(size + -size % 4, socket.MSG_WAITALL)


def is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def replayed(port: int, frame: bytes, count: int = 1) -> list[socket.socket]:
    streams = []
    for _ in range(count):
        stream = socket.create_connection(("127.0.0.1", port))
        stream.sendall(frame)
        streams.append(stream)
    for stream in streams:
        assert stream.recv(12), "it is answered, for it may be genuine"
    return streams


def claim_recorded_first_frame(directory: Path) -> None:
    """A recorded first frame, sent again, holds no lock, no place and no room, and ends no session."""
    for caller in (packmule(), reference()):
        world = World(directory / str(caller), {"alice": caller, "bob": packmule()})
        empty = recorded(world)
        packet = queue(world, "alice", "bob", "f", 1000).name
        offering = recorded(world)
        locks = [world["bob"].spool / ident("alice") / name for name in ("rx.lock", "tx.lock")]
        for frame in (empty, offering):
            with daemon(world["bob"], "-maxconn", "8") as port:
                streams = replayed(port, frame, 8)
                assert not any(map(is_locked, locks)), "a lock is held for a recording"
                # Bob calls alice, who has no address: what counts is that he is not busy with her.
                call(world, port).ok()
                assert not world["alice"].packets("tx", "bob")
                for stream in streams:
                    stream.close()
            again = queue(world, "alice", "bob", "g", 1000).name
        assert {path.name for path in world["bob"].packets("rx", "alice")} >= {packet}
        assert again
        # A session that runs goes on.
        big = queue(world, "alice", "bob", "big", 30 * 65232)
        with daemon(world["bob"]) as port:
            arguments = ("-txrate", "20", "-onlinedeadline", "5", "bob", f"127.0.0.1:{port}")
            with running(world["alice"], "call", *arguments) as process:
                part = world["bob"].spool / ident("alice") / "rx" / f"{big.name}.part"
                wait_for("some of it arrived", part.exists)
                streams = replayed(port, empty) + replayed(port, offering)
                assert process.wait(timeout=60) == 0, "the session was ended"
                for stream in streams:
                    stream.close()
        assert not world["alice"].packets("tx", "bob")


def claim_unproven_caller_is_served(directory: Path) -> None:
    """A caller of the reference that has nothing to say is told of packets that are queued for it meanwhile."""
    world = World(directory, {"alice": reference(), "bob": packmule()})
    with daemon(world["bob"]) as port:
        with running(world["alice"], "call", "-onlinedeadline", "60", "bob", f"127.0.0.1:{port}"):
            wait_for("the call stands", lambda: "call-started" in log_of(world["alice"]))
            time.sleep(1)
            back = queue(world, "bob", "alice", "back", 200_000).name
            wait_for("it arrived", lambda: not world["bob"].packets("tx", "alice"))
    delivered(world, "bob", "alice", {back})


def claim_inherited_descriptors_prove_too(directory: Path) -> None:
    """Over a pipe, a caller with packets only to send delivers them."""
    for caller in (packmule(), reference()):
        world = World(directory / str(caller), {"alice": caller, "bob": packmule()})
        names = {queue(world, "alice", "bob", "f", MIB).name}
        bob = world["bob"]
        command = f"NNCPCFG={bob.home}/nncp.hjson exec {bob.implementation.command('daemon')} -quiet -ucspi"
        call(world, "|" + command).ok()
        delivered(world, "alice", "bob", names)
