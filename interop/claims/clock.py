"""A clock that is wrong is never taken for an age of nothing."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

from ..harness.implementation import binary, packmule
from ..harness.world import Node, World

YEARS = 20 * 365 * 86400
"""As far as a machine without a battery is behind after a power cut."""


def world(directory: Path) -> World:
    return World(directory, {name: packmule() for name in ("alice", "bob")})


def own(node: Node, *words: str) -> subprocess.CompletedProcess:
    """A command that only packmule has."""
    command = [binary(), *words]
    return subprocess.run(command, env=node.environment(), capture_output=True, text=True, check=False)


def queued(directory: Path) -> tuple[Node, Path]:
    alice = world(directory)["alice"]
    alice.run("file", "-quiet", "-", "bob:x", stdin=b"x").ok()
    (packet,) = alice.packets("tx", "bob")
    return alice, packet


def of_the_future(path: Path) -> None:
    then = time.time() + YEARS
    os.utime(path, (then, then))


def claim_peers_tells_ages_and_fails_when_one_is_not_known(directory: Path):
    """`peers` exits 1, and tells no age, when a packet or a contact is newer than the clock."""
    alice, packet = queued(directory)
    os.utime(packet, (time.time() - 7380, time.time() - 7380))
    told = own(alice, "peers", "-node", "bob")
    assert told.returncode == 0 and ", 2h03m ago" in told.stdout, told
    of_the_future(packet)
    told = own(alice, "peers", "-node", "bob")
    assert told.returncode == 1 and "age unknown" in told.stdout, told
    assert "clock of this machine" in told.stderr, told
    bob = json.loads(own(alice, "peers", "-node", "bob", "-json").stdout)
    assert bob["clock_wrong"] is True and bob["tx"]["oldest_age"] is None, bob


def claim_peers_reads_the_clock_against_the_log(directory: Path):
    """A last contact of the future makes `peers` exit 1."""
    alice = world(directory)["alice"]
    then = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(time.time() + YEARS))
    record = f"When: {then}\nWho: call-finished\nNode: {alice.neighbour('bob')['id']}\nMsg: text\n\n"
    (alice.home / "log").write_text(record)
    told = own(alice, "peers", "-log", str(alice.home / "log"))
    assert told.returncode == 1 and f"{then}, in the future: age unknown" in told.stdout, told


def claim_doctor_finds_a_clock_behind_a_packet(directory: Path):
    """`doctor` compares the clock with the packets, not only with their directories."""
    alice, packet = queued(directory)
    assert "clock-behind" not in own(alice, "doctor", "-json").stdout
    of_the_future(packet)
    told = own(alice, "doctor", "-json")
    assert told.returncode == 1 and "clock-behind" in told.stdout, told


def claim_rm_removes_nothing_whose_age_is_not_known(directory: Path):
    """`rm -older` keeps files of the future, says so, and exits 1; without -older they go."""
    alice, packet = queued(directory)
    of_the_future(packet)
    done = alice.run("rm", "-node", "bob", "-tx", "-older", "1s").fails()
    assert b"a modification time in the future" in done.err and packet.exists(), done
    alice.run("rm", "-node", "bob", "-tx").ok()
    assert not packet.exists()


def claim_figures_have_no_age_that_is_not_known(directory: Path):
    """`daemon -metrics` tells NaN for the age of a packet of the future, and that the clock is wrong."""
    alice, packet = queued(directory)
    of_the_future(packet)
    command = [binary(), "daemon", "-quiet", "-bind", "127.0.0.1:0", "-metrics", "127.0.0.1:0"]
    address, text = None, ""
    daemon = subprocess.Popen(command, env=alice.environment(), stderr=subprocess.PIPE, text=True)
    try:
        until = time.time() + 60
        while address is None and time.time() < until:
            address = listening(daemon.pid)
            time.sleep(0.1)
        for port in address or []:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
                    text = answer.read().decode()
            except OSError:
                continue
    finally:
        daemon.terminate()
        daemon.wait(60)
    assert 'packmule_oldest_packet_age_seconds{node="bob",xx="tx"} NaN' in text, text
    assert "packmule_clock_wrong 1" in text, text


def listening(pid: int) -> list[int] | None:
    """The ports that a process listens on, once there are two."""
    sockets = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    return ports if len(ports) == 2 else None
