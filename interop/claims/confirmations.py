"""What a call confirms is on the disk, and is not delivered twice."""

import contextlib
import re
import socket
import threading
import time
from pathlib import Path

from ..harness.implementation import packmule, reference
from ..harness.network import call, daemon, delivered, free_port, listening, log_of, queue, running, wait_for
from ..harness.world import World, ident
from .calls import left, ours


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
        left(call(world, port), "requested none of them")
    assert packet.exists() and "remove it" in log_of(world["bob"])


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
