"""The systemd units: understood, socket-activated, ready when they say so, and run by systemd itself with all their
hardening, in namespaces of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .harness.implementation import ROOT, packmule, reference
from .harness.network import call, delivered, free_port, listening, log_of, queue, running, wait_for
from .harness.runner import Check
from .harness.systemd import Machine, tool
from .harness.world import World, ident, rule

UNITS = ROOT / "packaging" / "systemd"


def understood(_world: World) -> None:
    """`systemd-analyze` has no complaints, and an exposure below 2.0 to tell."""
    tool("systemd-analyze")
    done = subprocess.run([ROOT / "packaging" / "check-units"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def socket_activated(world: World) -> None:
    """The first call starts the daemon, which finds the port open already, and serves the calls after it too."""
    alice, bob = world["alice"], world["bob"]
    there, back = queue(world, "alice", "bob", "there", 300_000).name, queue(world, "bob", "alice", "back", 5000).name
    port = free_port()
    environment = [f"-E{key}={value}" for key, value in bob.environment().items() if key.startswith("NNCP")]
    command = (tool("systemd-socket-activate"), "-l", f"127.0.0.1:{port}", *environment)
    with running(bob, "daemon", wrap=command) as process:
        wait_for("the port is open", lambda: listening(port))
        call(world, port).ok()
        delivered(world, "alice", "bob", {there})
        delivered(world, "bob", "alice", {back})
        again = queue(world, "alice", "bob", "again", 1000).name
        call(world, port).ok()
        delivered(world, "alice", "bob", {there, again})
        process.terminate()
        assert process.wait(timeout=60) == 0, "not stopped in good order"
    assert log_of(bob).count("Who: call-finished") == 2 and "call-finished" in log_of(alice)


@contextlib.contextmanager
def supervisor(address: str) -> Iterator[tuple[dict, Callable[[str], str]]]:
    """What the service manager does: the environment of a service, and what hears its next message."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if address.startswith("@") else address)
        listener.settimeout(30)

        def hears(text: str) -> str:
            heard = listener.recv(4096).decode()
            assert heard.startswith(text), f"{heard!r} instead of {text!r}"
            return heard

        yield {"NOTIFY_SOCKET": address}, hears


def daemon_tells(world: World) -> None:
    """Ready only when calls are answered; reloading until the new configuration counts; stopping."""
    bob = world["bob"]
    alices = bob.config["neigh"].pop("alice")
    bob.write_config()
    there = queue(world, "alice", "bob", "there", 1000).name
    port = free_port()
    with supervisor(f"@packmule-{os.getpid()}-{port}") as (environment, hears):
        with running(bob, "daemon", "-bind", f"127.0.0.1:{port}", env=environment) as process:
            hears("READY=1")
            assert listening(port), "ready before it listens"
            call(world, port).fails()
            bob.config["neigh"]["alice"] = alices
            bob.write_config()
            process.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in hears("RELOADING=1")
            hears("READY=1")
            call(world, port).ok()
            process.terminate()
            hears("STOPPING=1")
            assert process.wait(timeout=60) == 0
    delivered(world, "alice", "bob", {there})


def caller_tells(world: World) -> None:
    """The same; and ready too where there is nobody to call, which is no failure."""
    bob = world["bob"]
    with supervisor(str(world.directory / "idle")) as (environment, hears):
        bob.run("caller", env=environment).ok()
        hears("READY=1")
    bob.neighbour("alice")["calls"] = [{"cron": "0 0 1 1 *", "addr": "127.0.0.1:9"}]
    bob.write_config()
    with supervisor(str(world.directory / "notify")) as (environment, hears):
        with running(bob, "caller", env=environment) as process:
            hears("READY=1")
            process.send_signal(signal.SIGHUP)
            hears("RELOADING=1")
            hears("READY=1")
            process.terminate()
            hears("STOPPING=1")
            assert process.wait(timeout=60) == 0


def run_by_systemd(world: World) -> None:
    """A spooler as the README sets it up: the first call starts the daemon, the toss service acts on what came, the
    caller calls by schedule; reloaded, stopped, and all of it in the sandbox of the units."""
    alice, _bob = world["alice"], world["bob"]
    alice.neighbour("bob")["addrs"] = {"lan": "[::1]:5400"}
    alice.write_config()
    with Machine(world.directory / "machine") as machine:
        install(machine, world)
        machine.run("systemctl", "start", "packmule-daemon.socket", "packmule-toss.service")
        assert machine.state("packmule-daemon.service", "ActiveState") == "inactive", "nobody called yet"
        queue(world, "alice", "bob", "there", 300_000)
        alice.run("call", "-onlinedeadline", "1", "bob", wrap=machine.network()).ok()
        assert not alice.packets("tx", "bob")
        incoming = machine.path("/var/spool/nncp/incoming")
        wait_for("the toss service tossed it", lambda: (incoming / "there").exists(), 60)
        assert (incoming / "there").read_bytes() == rule(300_000)
        machine.run("systemctl", "reload", "packmule-daemon.service")
        fetch = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9540/metrics').read().decode())"
        figures = subprocess.run([*machine.network(), "python3", "-c", fetch], capture_output=True, text=True, check=True)
        assert "packmule_sessions_started_total 1" in figures.stdout, figures.stdout

        machine.run("runuser", "-u", "nncp", "--", "packmule", "file", "-quiet", "/etc/hostname", "alice:")
        machine.run("systemctl", "start", "packmule-caller.service")
        wait_for("the caller ended", lambda: machine.state("packmule-caller.service", "ActiveState") == "inactive")
        assert machine.state("packmule-caller.service", "Result") == "success", "nobody to call"
        configure(machine, world, [{"cron": "* * * * * * *", "addr": "127.0.0.1:4711", "onlinedeadline": 1}])
        with running(alice, "daemon", "-bind", "127.0.0.1:4711", wrap=machine.network()):
            machine.run("systemctl", "start", "packmule-caller.service")
            wait_for("the caller called", lambda: alice.packets("rx", "bob"), 60)
        tidy(machine)
        units = ["packmule-daemon.service", "packmule-toss.service", "packmule-caller.service"]
        for unit in units:
            assert machine.state(unit, "ActiveState") == "active", machine.console()
            assert machine.state(unit, "NRestarts") == "0", machine.console()
        machine.run("systemctl", "stop", "packmule-daemon.socket", *units)
        for unit in units:
            assert machine.state(unit, "Result") == "success", machine.console()


def tidy(machine: Machine) -> None:
    """Beginnings of packets that nobody offers any more go after a month, and no others."""
    rx = machine.path("/var/spool/nncp") / ident("alice") / "rx"
    old, young = rx / f"{'A' * 52}.part", rx / f"{'B' * 52}.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 31 * 86400,) * 2)
    machine.run("systemctl", "start", "packmule-tidy.timer")
    machine.run("systemctl", "start", "packmule-tidy.service")
    assert not old.exists() and young.exists()
    young.unlink()


def install(machine: Machine, world: World) -> None:
    """What the package does."""
    bob = world["bob"]
    machine.write("/usr/bin/packmule", Path(bob.implementation.command("daemon")).resolve(), 0o755)
    for unit in UNITS.glob("packmule-*"):
        machine.write(f"/etc/systemd/system/{unit.name}", unit)
    machine.write("/usr/lib/sysusers.d/packmule.conf", UNITS / "sysusers.conf")
    machine.write("/usr/lib/tmpfiles.d/packmule.conf", UNITS / "tmpfiles.conf")
    machine.run("systemd-sysusers", "packmule.conf")
    configure(machine, world, [])
    machine.run("systemctl", "daemon-reload")


def configure(machine: Machine, world: World, calls: list) -> None:
    bob = world["bob"]
    neighbour = bob.neighbour("alice") | {"incoming": "/var/spool/nncp/incoming", "calls": calls}
    config = bob.config | {"spool": "/var/spool/nncp", "log": "/var/spool/nncp/log"}
    config["neigh"] = {"self": bob.config["neigh"]["self"], "alice": neighbour}
    machine.write("/etc/nncp.hjson", json.dumps(config))
    machine.run("systemd-tmpfiles", "--create", "packmule.conf")


def checks() -> list[Check]:
    ours = packmule()

    def check(name: str, prove: Callable[[World], None], caller=ours) -> Check:
        attempts = 3 if caller is not ours else 1
        return Check(
            f"units {name}", lambda directory: prove(World(directory, {"alice": caller, "bob": ours})), attempts
        )

    return [
        check("understood and confined", understood),
        check("socket activation: packmule calls", socket_activated),
        check("socket activation: reference calls", socket_activated, reference()),
        check("the daemon tells how it is", daemon_tells),
        check("the caller tells how it is", caller_tells),
        check("run by systemd", run_by_systemd),
    ]
