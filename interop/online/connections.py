"""How two nodes come to a connection, and how it ends."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

from ..harness.network import (
    CHUNK,
    MIB,
    call,
    daemon,
    delivered,
    free_port,
    listening,
    log_of,
    queue,
    running,
    wait_for,
)
from ..harness.runner import Skipped
from ..harness.world import World, ident


def over_a_pipe(world: World) -> None:
    there = queue(world, "alice", "bob", "there", 3 * MIB).name
    back = queue(world, "bob", "alice", "back", 3 * MIB).name
    bob = world["bob"]
    command = f"NNCPCFG={bob.home}/nncp.hjson exec {bob.implementation.command('daemon')} -quiet -ucspi"
    call(world, "|" + command).ok()
    delivered(world, "alice", "bob", {there})
    delivered(world, "bob", "alice", {back})


def over_ucspi(world: World) -> None:
    there = queue(world, "alice", "bob", "there", 3 * MIB).name
    back = queue(world, "bob", "alice", "back", 3 * MIB).name
    alice, bob = world["alice"], world["bob"]
    ours, theirs = socket.socketpair()
    answering = subprocess.Popen(
        [bob.implementation.command("daemon"), "-quiet", "-ucspi"],
        stdin=theirs.fileno(),
        stdout=theirs.fileno(),
        stderr=subprocess.DEVNULL,
        env=bob.environment() | {"PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "4711"},
        cwd=bob.home,
    )
    theirs.close()
    # Out of the way of the two that it becomes.
    high = fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD_CLOEXEC, 64)
    script = f'exec 6<&{high} 7>&{high} {high}<&-; exec "$@"'
    arguments = [alice.implementation.command("call"), "-quiet", "-ucspi", "-onlinedeadline", "1", "bob"]
    calling = subprocess.Popen(
        ["/bin/bash", "-c", script, "sh", *arguments],
        env=alice.environment(),
        cwd=alice.home,
        stderr=subprocess.DEVNULL,
        pass_fds=[high],
    )
    ours.close()
    os.close(high)
    try:
        wait_for("both packets arrived", lambda: not alice.packets("tx", "bob") and not bob.packets("tx", "alice"))
        # The reference has no deadline on inherited descriptors: two of them would wait for ever.
        if "packmule" in (alice.implementation.name, bob.implementation.name):
            assert calling.wait(timeout=60) == 0
            assert answering.wait(timeout=60) == 0
    finally:
        for process in (calling, answering):
            process.kill()
            process.wait()
    delivered(world, "alice", "bob", {there})
    delivered(world, "bob", "alice", {back})


def with_calls(world: World, port: int, **entry) -> None:
    alice = world["alice"]
    section = alice.neighbour("bob")
    section["addrs"] = {"main": f"127.0.0.1:{port}"}
    section["calls"] = [{"cron": "* * * * * * *", "onlinedeadline": 1} | entry]
    alice.write_config()


def by_schedule(world: World) -> None:
    there = queue(world, "alice", "bob", "there", 100_000).name
    back = queue(world, "bob", "alice", "back", 100_000).name
    with daemon(world["bob"]) as port:
        with_calls(world, port, addr="main")
        with running(world["alice"], "caller", "bob"):
            wait_for("both packets arrived", lambda: not world["alice"].packets("tx", "bob")
                     and not world["bob"].packets("tx", "alice"))
    delivered(world, "alice", "bob", {there})
    delivered(world, "bob", "alice", {back})


def by_schedule_when_tx_exists(world: World) -> None:
    back = queue(world, "bob", "alice", "back", 1000).name
    with daemon(world["bob"]) as port:
        with_calls(world, port, **{"when-tx-exists": True, "nice": "100"})
        with running(world["alice"], "caller"):
            queue(world, "alice", "bob", "calm", 1000, "-nice", "101")
            time.sleep(3)
            assert "call-started" not in log_of(world["alice"]), "called with nothing to send"
            urgent = queue(world, "alice", "bob", "urgent", 1000, "-nice", "100").name
            wait_for("the packet arrived", lambda: world["bob"].packets("rx", "alice"))
    assert [path.name for path in world["bob"].packets("rx", "alice")] == [urgent]
    assert [path.name for path in world["bob"].packets("tx", "alice")] == [back], "above the limit"


def unverified(world: World) -> None:
    packet = queue(world, "bob", "alice", "f", 100_000).name
    with daemon(world["bob"]) as port:
        call(world, port, "-nock").ok()
        rx = world["alice"].spool / ident("bob") / "rx"
        assert (rx / f"{packet}.nock").exists() and not (rx / packet).exists()
        # An ordinary call verifies what is there, and confirms it.
        call(world, port).ok()
    delivered(world, "bob", "alice", {packet})


def unknown_caller(world: World) -> None:
    bob = world["bob"]
    del bob.config["neigh"]["alice"]
    bob.write_config()
    queue(world, "alice", "bob", "f", 1000)
    with daemon(bob) as port:
        call(world, port, "-onlinedeadline", "1").fails()
        assert "sp-startR-unknown" in log_of(bob)
    assert len(world["alice"].packets("tx", "bob")) == 1


def second_address(world: World) -> None:
    """The first address is dead, the second is bob."""
    there = queue(world, "alice", "bob", "there", 1000).name
    with daemon(world["bob"]) as port:
        world["alice"].neighbour("bob")["addrs"] = {"a": f"127.0.0.1:{free_port()}", "b": f"127.0.0.1:{port}"}
        world["alice"].write_config()
        world["alice"].run("call", "-onlinedeadline", "1", "bob").ok()
        world["alice"].run("call", "-onlinedeadline", "1", "bob:b").ok()
        world["alice"].run("call", "bob:a").fails()
        world["alice"].run("call", "bob:nowhere").fails()
    delivered(world, "alice", "bob", {there})


@contextlib.contextmanager
def two_hosts() -> Iterator[list[tuple[str, ...]]]:
    """Two network namespaces with a cable between them; what to put before a command to run it there."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise Skipped("network namespaces need root and ip")
    names = [f"nncp{os.getpid()}-{random.randrange(1 << 30):x}-{end}" for end in "ab"]

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    try:
        for name in names:
            ip("netns", "add", name)
            ip("netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "name", "cable", "netns", names[1])
        for name in names:
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "cable", "up")
        yield [("ip", "netns", "exec", name) for name in names]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def discovery(world: World) -> None:
    """Bob announces himself on the cable; alice, who has no address of him, hears and calls."""
    there = queue(world, "alice", "bob", "there", 100_000).name
    world["bob"].config["mcd-send"] = {"^cab": 1}
    world["bob"].write_config()
    world["alice"].config["mcd-listen"] = ["^cab"]
    world["alice"].write_config()
    with two_hosts() as (ours, theirs):
        world["alice"].run("call", "-mcd-wait", "2", "bob", wrap=ours).fails()
        with running(world["bob"], "daemon", "-bind", "[::]:4711", wrap=theirs):
            world["alice"].run("call", "-mcd-wait", "60", "-onlinedeadline", "1", "bob", wrap=ours).ok()
            delivered(world, "alice", "bob", {there})
            again = queue(world, "bob", "alice", "again", 1000).name
            world["alice"].neighbour("bob")["calls"] = [{"cron": "* * * * * * *", "onlinedeadline": 1}]
            world["alice"].write_config()
            with running(world["alice"], "caller", wrap=ours):
                wait_for("the caller hears bob too", lambda: not world["bob"].packets("tx", "alice"))
    delivered(world, "bob", "alice", {again})
    assert "mcd-add" in log_of(world["alice"])
    assert ":4711" in log_of(world["alice"])


def stopped(world: World) -> None:
    """SIGTERM during a transfer: both end at once and well, the part is kept, and the next call goes on from it."""
    alice, bob = world["alice"], world["bob"]
    packet = queue(world, "alice", "bob", "f", 100 * CHUNK).name
    part = bob.spool / ident("alice") / "rx" / f"{packet}.part"
    with daemon(bob) as port:
        with_calls(world, port, addr="main", txrate=20)
        with running(alice, "caller") as caller:
            wait_for("some of it arrived", lambda: part.exists() and part.stat().st_size > 2 * CHUNK)
            caller.terminate()
            # The reference dies of it.
            assert caller.wait(timeout=60) in (0, -15 if alice.implementation.name == "reference" else 0)
        size = part.stat().st_size
        assert 0 < size < 100 * CHUNK
    # Another daemon, since one of the reference may keep the locks of a session that broke (doc/weaknesses.md S17).
    with daemon(bob) as port:
        call(world, port).ok()
        call(world, port).ok()
    delivered(world, "alice", "bob", {packet})


def daemon_stopped(world: World) -> None:
    """SIGINT to the daemon during a transfer to it: it ends well, the part is kept, and the next call goes on."""
    alice, bob = world["alice"], world["bob"]
    packet = queue(world, "alice", "bob", "f", 100 * CHUNK).name
    part = bob.spool / ident("alice") / "rx" / f"{packet}.part"
    port = free_port()
    with running(bob, "daemon", "-bind", f"127.0.0.1:{port}") as process:
        wait_for("the daemon listens", lambda: listening(port))
        with running(alice, "call", "-txrate", "20", "bob", f"127.0.0.1:{port}"):
            wait_for("some of it arrived", lambda: part.exists() and part.stat().st_size > 2 * CHUNK)
            process.send_signal(signal.SIGINT)
            # The reference dies of it.
            status = process.wait(timeout=60)
            assert status == 0 or bob.implementation.name == "reference", f"status {status}"
        assert 0 < part.stat().st_size < 100 * CHUNK
    with daemon(bob) as port:
        call(world, port).ok()
        call(world, port).ok()
    delivered(world, "alice", "bob", {packet})
