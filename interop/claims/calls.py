"""Calls: what a call leaves behind, whom it keeps out, and what it delivers twice."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..harness.implementation import Implementation, packmule, reference
from ..harness.network import call, daemon, delivered, free_port, listening, log_of, queue, running, wait_for
from ..harness.world import Done, World, ident

MIB = 1 << 20


def ours(directory: Path) -> World:
    return World(directory, {"alice": packmule(), "bob": packmule()})


def pairs() -> list[tuple[Implementation, Implementation]]:
    """Caller and called; packmule is one of them."""
    sides = (packmule(), reference())
    return [(one, other) for one in sides for other in sides if "packmule" in (str(one), str(other))]


def worlds(directory: Path) -> Iterator[World]:
    for caller, called in pairs():
        yield World(directory / f"{caller}-{called}", {"alice": caller, "bob": called})


# ---------------------------------------------------------------------- what a call leaves behind


def left(done: Done, text: str) -> None:
    done.fails()
    assert done.status == 1, done.status
    done.says(text)


def claim_nothing_to_do(directory: Path) -> None:
    """A call that has nothing to do, or leaves only what it was told to leave, exits 0."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        with daemon(world["bob"]) as port:
            for way in ((), ("-rx",), ("-tx",), ("-list",)):
                call(world, port, *way).ok()
            queue(world, "alice", "bob", "calm", 1000, "-nice", "200")
            queue(world, "bob", "alice", "back", 1000, "-nice", "200")
            named = "A" * 52
            for arguments in (("-nice", "100"), ("-rx", "-nice", "100"), ("-list",), ("-rx", "-pkts", named)):
                call(world, port, *arguments).ok()
            call(world, port).ok()


def claim_taken_nothing(directory: Path) -> None:
    """A call whose peer asks for nothing of what it offered exits 1 and says so; the packets stay."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        packet = queue(world, "alice", "bob", "calm", 100_000, "-nice", "200")
        queue(world, "alice", "bob", "urgent", 1000, "-nice", "10")
        with daemon(world["bob"], "-nice", "100") as port:
            left(call(world, port), "bob asked for nothing of them")
        assert world["alice"].packets("tx", "bob") == [packet], "the other one went"
        assert "Who: call-left" in log_of(world["alice"])


@contextlib.contextmanager
def small_disk(spool: Path, size: str) -> Iterator[None]:
    """The spool on a file system of its own, of this size."""
    if os.geteuid() != 0:
        from ..harness.runner import Skipped

        raise Skipped("mounting needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", spool], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", spool], check=True)


def claim_full_disks(directory: Path) -> None:
    """A full disk over there, or here, makes the call exit 1; what fits is delivered."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        with small_disk(world["bob"].spool, "1m"), daemon(world["bob"]) as port:
            big = queue(world, "alice", "bob", "big", 3 * MIB)
            small = queue(world, "alice", "bob", "small", 1000)
            left(call(world, port), "bob asked for nothing of them")
            assert world["alice"].packets("tx", "bob") == [big]
            assert [path.name for path in world["bob"].packets("rx", "alice")] == [small.name]
        big.unlink()
        queue(world, "bob", "alice", "big", 3 * MIB)
        with small_disk(world["alice"].spool, "1m"), daemon(world["bob"]) as port:
            left(call(world, port), "not enough space")


def claim_never_confirmed(directory: Path) -> None:
    """A packet that was sent to its end and not confirmed makes the call exit 1, and is named as that."""
    for world in worlds(directory):
        if world["alice"].implementation.name == "reference":
            continue
        packet = queue(world, "alice", "bob", "f", 100_000)
        with daemon(world["bob"], "-nock") as port:
            left(call(world, port), "sent, and not confirmed")
        assert world["alice"].packets("tx", "bob") == [packet]
        rx = world["bob"].spool / ident("alice") / "rx"
        assert (rx / f"{packet.name}.nock").exists()


def claim_refused_packet(directory: Path) -> None:
    """A packet that is not what its name says, offered by the peer, makes the call exit 1."""
    world = ours(directory)
    packet = queue(world, "bob", "alice", "f", 100_000)
    content = packet.read_bytes()
    packet.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with daemon(world["bob"]) as port:
        left(call(world, port), "checksum mismatch")
    assert packet.exists() and not world["alice"].packets("rx", "bob")


def claim_unremovable(directory: Path) -> None:
    """A packet that the peer has and that can not be removed here makes the call exit 1."""
    world = ours(directory)
    packet = queue(world, "alice", "bob", "f", 1000)
    arguments = ("-onlinedeadline", "1", "bob")
    with daemon(world["bob"]) as port:
        broken = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(packet), "-e", "inject=unlink,unlinkat:error=EIO")
        done = world["alice"].run("call", *arguments, f"127.0.0.1:{port}", wrap=broken)
        left(done, "input/output error")
    assert packet.exists()


def claim_scheduled_call_says_it(directory: Path) -> None:
    """A scheduled call logs what it left behind."""
    world = ours(directory)
    alice = world["alice"]
    queue(world, "alice", "bob", "f", 1000, "-nice", "200")
    with daemon(world["bob"], "-nice", "100") as port:
        section = alice.neighbour("bob")
        section["addrs"] = {"main": f"127.0.0.1:{port}"}
        section["calls"] = [{"cron": "* * * * * * *", "onlinedeadline": 1}]
        alice.write_config()
        with running(alice, "caller", "bob"):
            wait_for("the log says so", lambda: "Who: call-left" in log_of(alice))
    record = log_of(alice).partition("Who: call-left")[2].partition("\n\n")[0]
    assert "Pkts: 1" in record, record


# ------------------------------------------------------------------------------ scraping figures


def scrape(port: int) -> tuple[str, float]:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        stream.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        parts = []
        while part := stream.recv(65536):
            parts.append(part)
    return b"".join(parts).decode(), time.monotonic() - started


def claim_silent_scrapers(directory: Path) -> None:
    """Clients of -metrics that say nothing, half a request, or take nothing of the answer, delay no scrape."""
    world = ours(directory)
    port = free_port()
    with daemon(world["bob"], "-metrics", f"127.0.0.1:{port}"):
        wait_for("figures are served", lambda: listening(port))
        for first in (b"", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\n\r\n"):
            for count in (60, 300):
                clients = []
                for _ in range(count):
                    client = socket.create_connection(("127.0.0.1", port))
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                    client.sendall(first)
                    clients.append(client)
                text, took = scrape(port)
                assert text.startswith("HTTP/1.1 200 ") and text.endswith("# EOF\n"), text
                assert took < 2, f"{took:.1f} s behind {count} clients that sent {first!r}"
                for client in clients:
                    client.close()


# ------------------------------------------------------------------------- taking over a session


def twin(world: World, implementation: Implementation) -> World:
    """Alice once more, with the same keys and another spool, and the same bob."""
    other = World(world.directory / f"twin-{implementation}", {"alice": implementation})
    other.nodes["bob"] = world["bob"]
    return other


def sessions(world: World) -> int:
    return log_of(world["bob"]).count("Who: call-started")


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
        call(world, port, "-onlinedeadline", "3").ok()
        assert not world["alice"].packets("tx", "bob") and not world["bob"].packets("tx", "alice"), "left in tx"
        for taker, giver in (("bob", "alice"), ("alice", "bob")):
            got = {path.name for path in world[taker].packets("rx", giver)}
            assert names[taker] <= got, f"{taker} lacks {names[taker] - got}"


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
            arguments = ("-txrate", "20", "-onlinedeadline", "2", "bob", f"127.0.0.1:{port}")
            with running(world["alice"], "call", *arguments) as process:
                part = world["bob"].spool / ident("alice") / "rx" / f"{big.name}.part"
                wait_for("some of it arrived", part.exists)
                streams = replayed(port, empty) + replayed(port, offering)
                assert process.wait(timeout=30) == 0, "the session was ended"
                for stream in streams:
                    stream.close()
        assert not world["alice"].packets("tx", "bob")


def claim_unproven_caller_is_served(directory: Path) -> None:
    """A caller of the reference that has nothing to say is told of packets that are queued for it meanwhile."""
    world = World(directory, {"alice": reference(), "bob": packmule()})
    with daemon(world["bob"]) as port:
        with running(world["alice"], "call", "-onlinedeadline", "6", "bob", f"127.0.0.1:{port}"):
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


# ----------------------------------------------------------------------- what is there already


def altered(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def rx_of(world: World) -> Path:
    queue = world["bob"].spool / ident("alice") / "rx"
    queue.mkdir(parents=True, exist_ok=True)
    return queue


def claim_damaged_copy_is_replaced(directory: Path) -> None:
    """A damaged copy that is there already, under any name, is replaced by a call, and only then confirmed."""
    for caller in (packmule(), reference()):
        for suffix in ("", ".nock", ".part"):
            for damage in (altered, lambda content: content[:-100], lambda content: content + b"x" * 500, lambda _: b""):
                world = World(directory / f"{caller}{suffix}{time.monotonic_ns()}", {"alice": caller, "bob": packmule()})
                packet = queue(world, "alice", "bob", "f", 300_000)
                content = packet.read_bytes()
                (rx_of(world) / f"{packet.name}{suffix}").write_bytes(damage(content))
                with daemon(world["bob"]) as port:
                    call(world, port, "-onlinedeadline", "2").ok()
                delivered(world, "alice", "bob", {packet.name})
                assert (rx_of(world) / packet.name).read_bytes() == content


def claim_good_copy_is_synced_first(directory: Path) -> None:
    """A good copy, or a mark, that is there already is synced, and its directory, before it is confirmed."""
    for name in ("{}", "{}.nock", "{}.part", "seen/{}"):
        world = ours(directory / name.replace("/", "-"))
        packet = queue(world, "alice", "bob", "f", 300_000)
        path = rx_of(world) / name.format(packet.name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"" if name.startswith("seen") else packet.read_bytes())
        trace = world["bob"].home / "trace"
        # With -D the daemon is our child, not strace.
        wrap = ("strace", "-D", "-f", "-y", "-q", "-o", str(trace), "-e", "fsync,fdatasync")
        port = free_port()
        with running(world["bob"], "daemon", "-bind", f"127.0.0.1:{port}", wrap=wrap, env={"NNCPNOSYNC": ""}):
            wait_for("the daemon listens", lambda: listening(port))
            call(world, port, "-onlinedeadline", "2").ok()
            assert not world["alice"].packets("tx", "bob")
        wait_for("strace is done", lambda: "+++ exited with 0 +++" in trace.read_text().splitlines()[-1])
        lines = trace.read_text()
        synced = re.findall(r"f(?:data)?sync\(\d+<([^>]*)>", lines)
        assert any(packet.name in one for one in synced), f"{name}: the file is not synced: {synced}"
        assert any(one.endswith(("/rx", "/seen")) for one in synced), f"{name}: no directory is synced: {synced}"


def claim_unreadable_copy_is_not_confirmed(directory: Path) -> None:
    """What has a packet's name and can not be read is not confirmed: the sender keeps the packet, and the call says so."""
    world = ours(directory)
    packet = queue(world, "alice", "bob", "f", 1000)
    (rx_of(world) / packet.name).mkdir()
    with daemon(world["bob"]) as port:
        left(call(world, port), "asked for nothing of them")
    assert packet.exists() and "remove it" in log_of(world["bob"])


# ------------------------------------------------------------------- auto-toss and broken lines


class Deaf:
    """A relay to bob that keeps his confirmations from the caller, and can be cut."""

    CONFIRMATIONS = {12 + 36 * count + 16 for count in range(1, 6)}
    """Lengths of frames that hold nothing else, of up to five packets. No other frame is so long."""

    def __init__(self, port: int):
        self.port = port
        self.kept = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            self.ends += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other, one is server), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, from_bob: bool) -> None:
        with contextlib.suppress(OSError):
            while head := one.recv(12, socket.MSG_WAITALL):
                size = int.from_bytes(head[8:], "big")
                frame = head + one.recv(size + -size % 4, socket.MSG_WAITALL)
                if from_bob and len(frame) in self.CONFIRMATIONS:
                    self.kept += 1
                else:
                    other.sendall(frame)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends = []


def claim_tossed_before_confirmed(directory: Path) -> None:
    """What the daemon tossed before its confirmation was heard is not delivered twice, in any later session."""
    for caller in (packmule(), reference()):
        world = World(directory / str(caller), {"alice": caller, "bob": packmule()})
        names = {f"f{n}" for n in range(5)}
        for name in names:
            queue(world, "alice", "bob", name, 50_000)
        with daemon(world["bob"], "-autotoss") as port:
            line = Deaf(port)
            # The second and the third offer everything again.
            for _ in range(3):
                with running(world["alice"], "call", "-onlinedeadline", "20", "bob", line.address):
                    kept = line.kept
                    wait_for("bob confirms", lambda: line.kept > kept)
                    wait_for("all files are delivered", lambda: set(world["bob"].received()) >= names)
                    wait_for("no packet is left", lambda: not world["bob"].packets("rx", "alice"))
                    line.cut()
            assert len(world["alice"].packets("tx", "bob")) == 5, "the line lets confirmations through"
            line.listener.close()
            call(world, port).ok()
            assert not world["alice"].packets("tx", "bob")
        assert set(world["bob"].received()) == names, sorted(world["bob"].received())


def claim_slow_verification_is_waited_for(directory: Path) -> None:
    """While the called node is busy with a packet's bytes, the caller stays, and hears the confirmation."""
    for caller in (packmule(), reference()):
        world = World(directory / str(caller), {"alice": caller, "bob": packmule()})
        names = {queue(world, "alice", "bob", f"f{n}", 100_000).name for n in range(2)}
        slow = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:delay_enter=4s")
        rx_of(world)
        port = free_port()
        with running(world["bob"], "daemon", "-bind", f"127.0.0.1:{port}", wrap=slow, env={"NNCPNOSYNC": ""}):
            wait_for("the daemon listens", lambda: listening(port))
            call(world, port, "-onlinedeadline", "6").ok()
        delivered(world, "alice", "bob", names)
