"""The reference's commands, run as one of the fixed nodes in a temporary spool."""

import json
import os
import pty
import subprocess
import tempfile
from pathlib import Path

from .keys import Area, base32, nodes

CONFIGS = Path(__file__).resolve().parents[2] / "testvectors" / "config"


def write_configs() -> None:
    """One configuration a node. They name no real directory: the environment says where."""
    CONFIGS.mkdir(parents=True, exist_ok=True)
    everyone = nodes()
    for name, keys in everyone.items():
        neighbours = {other: other_keys.public() for other, other_keys in everyone.items()}
        neighbours["self"] = neighbours.pop(name)
        members = ["bob"] if name == "alice" else []
        config = {
            "spool": "/nonexistent/spool",
            "log": "/nonexistent/log",
            "self": keys.private(),
            "neigh": neighbours,
            "areas": {Area.name: Area().text() | {"subs": members}},
        }
        path = CONFIGS / f"{name}.hjson"
        path.write_text(json.dumps(config, indent=2) + "\n")


class Node:
    """A node of the vectors with a spool that lives as long as this value."""

    def __init__(self, name: str):
        self.name = name
        self.keys = nodes()[name]
        self._directory = tempfile.TemporaryDirectory()
        self.spool = Path(self._directory.name) / "spool"
        self.spool.mkdir()
        self.environment = os.environ | {
            "NNCPCFG": str(CONFIGS / f"{name}.hjson"),
            "NNCPSPOOL": str(self.spool),
            "NNCPLOG": str(self.spool / "log"),
            "NNCPNOSYNC": "1",
        }

    def try_run(self, command: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
        return subprocess.run(
            [f"nncp-{command}", *arguments],
            input=stdin,
            capture_output=True,
            env=self.environment,
            cwd=self._directory.name,
            check=False,
        )

    def run(self, command: str, *arguments: str, stdin: bytes = b"") -> bytes:
        done = self.try_run(command, *arguments, stdin=stdin)
        if done.returncode != 0:
            raise RuntimeError(f"nncp-{command} {arguments}: {done.stderr.decode()}")
        return done.stdout

    def take(self, peer: bytes) -> list[tuple[str, bytes]]:
        """What waits for `peer`, oldest first: names and packets, taken out of the spool."""
        queue = self.spool / base32(peer) / "tx"
        found = [path for path in queue.iterdir() if len(path.name) == 52] if queue.is_dir() else []
        found.sort(key=lambda path: path.stat().st_mtime_ns)
        packets = [(path.name, path.read_bytes()) for path in found]
        for path in found:
            path.unlink()
            (queue / "hdr" / path.name).unlink(missing_ok=True)
        return packets

    def take_one(self, peer: bytes) -> tuple[str, bytes]:
        (packet,) = self.take(peer)
        return packet

    def put(self, sender: bytes, name: str, packet: bytes) -> None:
        """Puts a packet where `sender` would have left it."""
        queue = self.spool / base32(sender) / "rx"
        queue.mkdir(parents=True, exist_ok=True)
        (queue / name).write_bytes(packet)

    def put_own(self, packet: bytes) -> None:
        """Puts an area packet back where the author's own command had queued it."""
        queue = self.spool / base32(self.keys.id) / "tx"
        (queue / "back-again").write_bytes(packet)
        digest = self.run("hash", "-file", str(queue / "back-again")).decode().strip()
        (queue / "back-again").rename(queue / base32(bytes.fromhex(digest)))

    def opened(self, packet: bytes) -> bytes:
        """The plain packet inside, as this node sees it."""
        return self.run("pkt", "-dump", stdin=packet)


def with_passphrase(passphrase: str, *command: str) -> bytes:
    """Standard output of a command that asks for a passphrase on its terminal, twice or once."""
    terminal, side = pty.openpty()
    with tempfile.TemporaryFile() as output, subprocess.Popen(
        command, stdin=side, stdout=output, stderr=subprocess.PIPE
    ) as process:
        os.close(side)
        assert process.stderr is not None
        # The terminal echo is switched off just before it is read: wait for the prompt.
        seen = b""
        while process.poll() is None:
            byte = process.stderr.read(1)
            if not byte:
                break
            seen += byte
            if seen.endswith(b"assphrase:"):
                os.write(terminal, passphrase.encode() + b"\n")
        os.close(terminal)
        if process.wait() != 0:
            raise RuntimeError(f"{command}: {seen!r}")
        output.seek(0)
        return output.read()
