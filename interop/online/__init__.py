"""Calls between all pairs of implementations: alice calls, bob answers."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..harness.implementation import packmule, reference
from ..harness.runner import Check, Skipped
from ..harness.world import Done, Node, World, ident, rule

MIB = 1 << 20
CHUNK = 65232


class Line:
    """A TCP relay to bob that can be cut: after so many bytes from either side, both ends are closed."""

    def __init__(self, port: int):
        self.port = port
        self.allowed = None
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


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def running(node: Node, command: str, *arguments: str, wrap: tuple = (), **more) -> Iterator[subprocess.Popen]:
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
            process.wait(timeout=15)
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


def call(world: World, address: str | int, *arguments: str, **more) -> Done:
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


# ------------------------------------------------------------------------------------- scenarios


def empty(world: World) -> None:
    with daemon(world["bob"]) as port:
        call(world, port).ok()


def to_the_called(world: World) -> None:
    names = {queue(world, "alice", "bob", f"f{n}", size).name for n, size in enumerate((0, 1000, 3 * MIB))}
    with daemon(world["bob"]) as port:
        call(world, port).ok()
    delivered(world, "alice", "bob", names)


def to_the_caller(world: World) -> None:
    names = {queue(world, "bob", "alice", f"f{n}", size).name for n, size in enumerate((0, 1000, 3 * MIB))}
    with daemon(world["bob"]) as port:
        call(world, port).ok()
    delivered(world, "bob", "alice", names)


def both_ways(world: World) -> None:
    there = {queue(world, "alice", "bob", f"a{n}", 5 * MIB + n).name for n in range(3)}
    back = {queue(world, "bob", "alice", f"b{n}", 5 * MIB + n).name for n in range(3)}
    with daemon(world["bob"]) as port:
        call(world, port).ok()
    delivered(world, "alice", "bob", there)
    delivered(world, "bob", "alice", back)
    world["alice"].run("check").ok()
    world["bob"].run("check").ok()


def a_gibibyte(world: World) -> None:
    node = world["alice"]
    with open(node.home / "f", "wb") as file:
        file.truncate(1 << 30)
    node.run("file", "f", "bob:f").ok()
    (packet,) = node.packets("tx", "bob")
    with daemon(world["bob"]) as port:
        call(world, port, timeout=240).ok()
    delivered(world, "alice", "bob", {packet.name})


def two_thousand(world: World) -> None:
    node = world["alice"]
    (node.home / "f").write_bytes(os.urandom(2000 * 1024))
    node.run("file", "-chunked", "1", "f", "bob:f").ok()
    names = {path.name for path in node.packets("tx", "bob")}
    assert len(names) >= 2000
    with daemon(world["bob"]) as port:
        call(world, port, timeout=240).ok()
    delivered(world, "alice", "bob", names)


def cut_fifty_times(world: World) -> None:
    """Cut in the handshake, in a request, in the middle of a packet, between packets: nothing is lost."""
    chance = random.Random(str(world["alice"].implementation) + str(world["bob"].implementation))
    there = {queue(world, "alice", "bob", f"a{n}", 4 * MIB + n).name for n in range(3)}
    back = {queue(world, "bob", "alice", f"b{n}", 4 * MIB + n).name for n in range(3)}
    with daemon(world["bob"]) as port:
        line = Line(port)
        for _ in range(50):
            line.allowed = chance.choice([chance.randrange(1, 70_000), chance.randrange(1, 1_200_000)])
            call(world, line.address)
            # The reference lets go of its locks a moment after the line is cut.
            time.sleep(0.25)
        line.close()
    # A daemon of the reference may have kept a lock from one of the broken sessions, for good (W17).
    with daemon(world["bob"]) as port:
        done = call(world, port, timeout=120)
        if "packmule" not in str(world["alice"].implementation) and done.status:
            # It ends its first good call after so many broken ones with status 1 now and then.
            done = call(world, port, timeout=120)
        done.ok()
        # What was put together from pieces is verified after the last byte, and confirmed in the next call.
        call(world, port).ok()
    delivered(world, "alice", "bob", there)
    delivered(world, "bob", "alice", back)


def niceness(world: World) -> None:
    urgent = queue(world, "alice", "bob", "urgent", 1000, "-nice", "10").name
    calm = queue(world, "alice", "bob", "calm", 1000, "-nice", "200").name
    back = queue(world, "bob", "alice", "back", 1000, "-nice", "200").name
    with daemon(world["bob"]) as port:
        call(world, port, "-nice", "100").ok()
        assert [path.name for path in world["bob"].packets("rx", "alice")] == [urgent]
        assert [path.name for path in world["alice"].packets("tx", "bob")] == [calm]
        assert [path.name for path in world["bob"].packets("tx", "alice")] == [back]
        call(world, port, "-nice", "200").ok()
    delivered(world, "alice", "bob", {urgent, calm})
    delivered(world, "bob", "alice", {back})


def one_way(world: World) -> None:
    there = queue(world, "alice", "bob", "there", 100_000).name
    back = queue(world, "bob", "alice", "back", 100_000).name
    with daemon(world["bob"]) as port:
        call(world, port, "-rx").ok()
        assert world["alice"].packets("tx", "bob") and not world["bob"].packets("rx", "alice")
        delivered(world, "bob", "alice", {back})
        again = queue(world, "bob", "alice", "again", 100_000).name
        call(world, port, "-tx").ok()
        delivered(world, "alice", "bob", {there})
        assert [path.name for path in world["bob"].packets("tx", "alice")] == [again]
    call(world, port, "-tx", "-rx").fails()


def listing(world: World) -> None:
    packet = queue(world, "bob", "alice", "f", 100_000, "-nice", "200")
    with daemon(world["bob"]) as port:
        call(world, port, "-list", "-nice", "10").ok()
    assert packet.exists() and not world["alice"].packets("rx", "bob")
    assert f"Pkt: {packet.name}" in log_of(world["alice"]), "not said"


def a_named_packet(world: World) -> None:
    packets = [queue(world, "bob", "alice", f"f{n}", 1000 + n) for n in range(3)]
    there = queue(world, "alice", "bob", "there", 1000).name
    with daemon(world["bob"]) as port:
        call(world, port, "-pkts", packets[1].name).ok()
        assert [path.name for path in world["alice"].packets("rx", "bob")] == [packets[1].name]
        delivered(world, "alice", "bob", {there})


def rates(world: World) -> None:
    names = {queue(world, "alice", "bob", "there", 10 * CHUNK).name}
    back = {queue(world, "bob", "alice", "back", 10 * CHUNK).name}
    with daemon(world["bob"]) as port:
        for arguments in (("-txrate", "5", "-tx"), ("-rxrate", "5", "-rx")):
            started = time.monotonic()
            call(world, port, *arguments).ok()
            took = time.monotonic() - started
            assert took > 2.5, f"{took:.1f} s for ten chunks at five a second, and one second of silence"
    delivered(world, "alice", "bob", names)
    delivered(world, "bob", "alice", back)


def queued_during_the_session(world: World) -> None:
    with daemon(world["bob"]) as port:
        arguments = ("-onlinedeadline", "4", "bob", f"127.0.0.1:{port}")
        with running(world["alice"], "call", *arguments) as caller:
            wait_for("the call stands", lambda: "call-started" in log_of(world["alice"]))
            time.sleep(0.5)
            there = queue(world, "alice", "bob", "there", 200_000).name
            back = queue(world, "bob", "alice", "back", 200_000).name
            assert caller.wait(timeout=30) == 0
    delivered(world, "alice", "bob", {there})
    delivered(world, "bob", "alice", {back})


def tossing_at_the_same_time(world: World) -> None:
    """Both toss while they receive, and a second process of bob tosses too."""
    for n in range(20):
        queue(world, "alice", "bob", f"a{n}", 300_000 + n)
        queue(world, "bob", "alice", f"b{n}", 300_000 + n)
    with daemon(world["bob"], "-autotoss") as port, running(world["bob"], "toss", "-cycle", "1"):
        # The reference's status with -autotoss is the wrong way round.
        done = call(world, port, "-autotoss", "-onlinedeadline", "3")
        assert done.status == (1 if world["alice"].implementation.name == "reference" else 0), f"status {done.status}"
        for node, prefix in (("bob", "a"), ("alice", "b")):
            wanted = {f"{prefix}{n}": rule(300_000 + n) for n in range(20)}
            world[node].run("toss")
            wait_for(f"{node} has all files", lambda node=node, wanted=wanted: world[node].received() == wanted)


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
        stdin=theirs,
        stdout=theirs,
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
            assert calling.wait(timeout=30) == 0
            assert answering.wait(timeout=30) == 0
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
def two_hosts() -> Iterator[tuple[tuple, tuple]]:
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
        yield tuple(("ip", "netns", "exec", name) for name in names)
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
            world["alice"].run("call", "-mcd-wait", "15", "-onlinedeadline", "1", "bob", wrap=ours).ok()
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
            assert caller.wait(timeout=10) in (0, -15 if alice.implementation.name == "reference" else 0)
        size = part.stat().st_size
        assert 0 < size < 100 * CHUNK
    # Another daemon, since one of the reference may keep the locks of a session that broke (W17).
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
            status = process.wait(timeout=30)
            assert status == 0 or bob.implementation.name == "reference", f"status {status}"
        assert 0 < part.stat().st_size < 100 * CHUNK
    with daemon(bob) as port:
        call(world, port).ok()
        call(world, port).ok()
    delivered(world, "alice", "bob", {packet})


SCENARIOS = {
    "empty": empty,
    "to the called": to_the_called,
    "to the caller": to_the_caller,
    "both ways at once": both_ways,
    "1 GiB": a_gibibyte,
    "2000 small packets": two_thousand,
    "cut 50 times": cut_fifty_times,
    "niceness limit": niceness,
    "one way": one_way,
    "list": listing,
    "a named packet": a_named_packet,
    "rates": rates,
    "packets queued during the session": queued_during_the_session,
    "tossing at the same time": tossing_at_the_same_time,
    "over a pipe": over_a_pipe,
    "over UCSPI": over_ucspi,
    "by schedule": by_schedule,
    "by schedule when-tx-exists": by_schedule_when_tx_exists,
    "unverified": unverified,
    "unknown caller": unknown_caller,
    "second address": second_address,
    "discovery": discovery,
    "stopped by a signal": stopped,
    "daemon stopped by a signal": daemon_stopped,
}


# The reference ends its last call after so many broken ones with status 1 now and then, also against itself:
# nothing is learnt about packmule there.
NOT_AGAINST_ITSELF = {"cut 50 times"}


def checks() -> list[Check]:
    sides = (packmule(), reference())

    def check(name: str, scenario: Callable[[World], None], caller, called) -> Check:
        def prove(directory: Path) -> None:
            scenario(World(directory, {"alice": caller, "bob": called}))

        attempts = 3 if "reference" in (str(caller), str(called)) else 1
        return Check(f"online {name}: {caller} calls {called}", prove, attempts)

    return [
        check(name, scenario, caller, called)
        for name, scenario in SCENARIOS.items()
        for caller in sides
        for called in sides
        if name not in NOT_AGAINST_ITSELF or "packmule" in (str(caller), str(called))
    ]
