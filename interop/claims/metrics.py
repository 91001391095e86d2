"""Scraping a daemon's figures."""

import socket
import time
from pathlib import Path

from ..harness.network import daemon, free_port, listening, wait_for
from .calls import ours


def scrape(port: int) -> tuple[str, float]:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
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
                # A client that says nothing is kept for five seconds.
                assert took < 4, f"{took:.1f} s behind {count} clients that sent {first!r}"
                for client in clients:
                    client.close()
