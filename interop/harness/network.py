"""Calls on the loopback: commands that go on, daemons, a line that can be cut."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .world import Done, Node, World, ident, rule

MIB = 1 << 20
CHUNK = 65232


class Line:
    """A TCP relay to bob that can be cut: after so many bytes from either side, both ends are closed."""

    def __init__(self, port: int):
        self.port = port
        self.allowed: int | None = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            left = [self.allowed]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other, left), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket, left: list) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if left[0] is not None:
                    data = data[: left[0]]
                    left[0] -= len(data)
                other.sendall(data)
                if left[0] == 0:
                    break
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.listener.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_for(what: str, holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def running(node: Node, command: str, *arguments: str, wrap: Sequence[str] = (), **more: Any) -> Iterator[subprocess.Popen]:
    """A command that goes on until the block ends."""
    process = subprocess.Popen(
        [*wrap, node.implementation.command(command), "-quiet", *map(str, arguments)],
        env=node.environment() | more.pop("env", {}),
        cwd=node.home,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **more,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listening(port: int) -> bool:
    wanted = f":{port:04X} "
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if (fields[1] + " ").endswith(wanted) and fields[3] == "0A":
                return True
    return False


@contextlib.contextmanager
def daemon(node: Node, *arguments: str) -> Iterator[int]:
    """The node's daemon; its port."""
    port = free_port()
    with running(node, "daemon", "-bind", f"127.0.0.1:{port}", *arguments):
        wait_for("the daemon listens", lambda: listening(port))
        yield port


def call(world: World, address: str | int, *arguments: str, **more: Any) -> Done:
    address = f"127.0.0.1:{address}" if isinstance(address, int) else address
    deadline = () if "-onlinedeadline" in arguments else ("-onlinedeadline", "1")
    return world["alice"].run("call", *deadline, *arguments, "bob", address, **more)


def queue(world: World, giver: str, taker: str, name: str, size: int, *arguments: str) -> Path:
    """Queues a file of so many bytes; the packet."""
    node = world[giver]
    before = set(node.packets("tx", taker))
    (node.home / name).write_bytes(rule(size))
    node.run("file", *arguments, name, f"{taker}:{name}").ok()
    (packet,) = set(node.packets("tx", taker)) - before
    return packet


def delivered(world: World, giver: str, taker: str, names: set[str]) -> None:
    """Exactly these packets are in the taker's rx, and nothing is left to send."""
    assert not world[giver].packets("tx", taker), "still in tx"
    got = {path.name for path in world[taker].packets("rx", giver)}
    assert got == names, f"{len(got)} packets instead of {len(names)}"
    queue = world[taker].spool / ident(giver) / "rx"
    left = [path.name for path in queue.iterdir() if path.suffix] if queue.is_dir() else []
    assert not left, left


def log_of(node: Node) -> str:
    path = node.home / "log"
    return path.read_text() if path.exists() else ""
