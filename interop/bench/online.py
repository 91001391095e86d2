"""`python3 -m interop.bench.online`: calls over loopback, nncp-go at both ends and packmule at both ends.

The time is from the start of the call until the last packet is in its place and gone from the sender's queue,
since both wait for more after that. Memory is the peak of either process. Then the memory of idle sessions.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..harness.implementation import Implementation, packmule, reference, target
from ..harness.network import free_port, listening, running, wait_for
from ..harness.world import PUBLIC, World, ident


def main() -> int:
    parser = argparse.ArgumentParser(prog="interop.bench.online", description=__doc__)
    parser.add_argument("--large", type=int, default=1 << 30, help="bytes of the large packet")
    parser.add_argument("--small", type=int, default=2000, help="how many small packets")
    parser.add_argument("--idle", type=int, default=200, help="how many idle sessions")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", default="/dev/shm", help="where the spools are")
    parser.add_argument("--sync", action="store_true", help="packets are made durable, as they are by default")
    options = parser.parse_args()
    os.environ.setdefault("PACKMULE", str(target() / "release" / "packmule"))
    sides = (reference(), packmule())
    good = True
    print("| call over loopback | nncp-go, s | packmule, s | times faster | peak, MiB (nncp-go) |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, arguments, size in (
        ("one packet of 1 GiB", ("f", "bob:f"), options.large),
        ("2000 small packets", ("-chunked", "1", "f", "bob:f"), options.small * 1024),
    ):
        good &= row(name, arguments, size, sides, options)
    good &= idle(sides[1], options)
    return 0 if good else 1


def row(name: str, arguments: tuple, size: int, sides, options) -> bool:
    seconds: dict[str, list[float]] = {side.name: [] for side in sides}
    peaks: dict[str, list[int]] = {side.name: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix="packmule-bench-", dir=options.directory) as directory:
        template = World(Path(directory) / "template", {"alice": sides[0], "bob": sides[0]})
        alice = template["alice"]
        with open(alice.home / "f", "wb") as file:
            for start in range(0, size, 1 << 20):
                file.write(os.urandom(min(size - start, 1 << 20)))
        alice.run("file", "-quiet", *arguments, timeout=600).ok()
        (alice.home / "f").unlink()
        for _ in range(options.rounds):
            for side in sides:
                took, peak = one_call(Path(directory), template, side, options.sync)
                seconds[side.name].append(took)
                peaks[side.name].append(peak)
    theirs, ours = (statistics.median(seconds[side.name]) for side in sides)
    their_peak, our_peak = (max(peaks[side.name]) / 1024 for side in sides)
    print(f"| {name} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.2f} | {our_peak:.0f} ({their_peak:.0f}) |")
    sys.stdout.flush()
    return theirs / ours >= 2 and our_peak <= their_peak


def one_call(directory: Path, template: World, side: Implementation, sync: bool) -> tuple[float, int]:
    """Seconds, and the larger peak of both processes in KiB."""
    run = directory / "run"
    world = World(run, {"alice": side, "bob": side})
    alice, bob = world["alice"], world["bob"]
    # Links, not copies: the call removes the names and leaves the content.
    shutil.copytree(template["alice"].spool / ident("bob"), alice.spool / ident("bob"), copy_function=os.link)
    queue = alice.spool / ident("bob") / "tx"
    port = free_port()
    # Both sync unless the variable holds something.
    more = {"NNCPNOSYNC": ""} if sync else {}
    with running(bob, "daemon", "-bind", f"127.0.0.1:{port}", env=more) as daemon:
        wait_for("the daemon listens", lambda: listening(port))
        started = time.monotonic()
        with running(alice, "call", "bob", f"127.0.0.1:{port}", env=more) as caller:
            while any(len(entry.name) == 52 for entry in os.scandir(queue)):
                time.sleep(0.005)
            took = time.monotonic() - started
            peak = max(memory(daemon.pid, "VmHWM"), memory(caller.pid, "VmHWM"))
    shutil.rmtree(run)
    return took, peak


def memory(pid: int, kind: str) -> int:
    """KiB."""
    (value,) = re.findall(rf"{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(value)


def idle(side: Implementation, options) -> bool:
    """What each of many idle sessions adds to a daemon, when each has brought a packet of a mebibyte."""
    count = options.idle
    with tempfile.TemporaryDirectory(prefix="packmule-bench-", dir=options.directory) as directory:
        world = World(Path(directory), {"alice": side, "bob": side})
        bob = world["bob"]
        callers = [fresh(Path(directory) / f"n{number}", side, bob) for number in range(count)]
        for number, (_, public) in enumerate(callers):
            bob.config["neigh"][f"n{number}"] = public
        bob.write_config()
        port = free_port()
        with contextlib.ExitStack() as stack:
            daemon = stack.enter_context(running(bob, "daemon", "-maxconn", "1000", "-bind", f"127.0.0.1:{port}"))
            wait_for("the daemon listens", lambda: listening(port))
            before = memory(daemon.pid, "VmRSS")
            for config, _ in callers:
                environment = bob.environment() | {"NNCPCFG": str(config)}
                give = [side.command("file"), "-quiet", str(config.parent / "f"), "bob:"]
                subprocess.run(give, env=environment, check=True)
                argv = [side.command("call"), "-quiet", "-onlinedeadline", "600", "bob", f"127.0.0.1:{port}"]
                stack.callback(subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL).kill)
            log = bob.home / "log"
            for what in ("call-started", "sp-file-done"):
                wait_for(what, lambda: log.exists() and log.read_text().count(what) >= count, 120)
            # Idle threads end after ten seconds.
            time.sleep(12)
            after = memory(daemon.pid, "VmRSS")
    each = (after - before) / count
    print(f"\n{count} idle sessions, after a packet of 1 MiB each: {each:.0f} KiB each")
    return each < 1024


def fresh(home: Path, side: Implementation, peer) -> tuple[Path, dict]:
    """A node that knows only `peer`: its configuration, and its public keys."""
    home.mkdir(parents=True)
    text = subprocess.run([side.command("cfgnew"), "-nocomments"], capture_output=True, text=True, check=True).stdout
    own = dict(re.findall(r"(\w+): (\w+)", text[text.index("self: {") : text.index("neigh")]))
    public = {key: own[key] for key in PUBLIC}
    config = {
        "spool": str(home / "spool"),
        "log": str(home / "log"),
        "self": own,
        "neigh": {"self": public, "bob": {key: peer.neighbour("bob")[key] for key in PUBLIC}},
    }
    (home / "spool").mkdir()
    (home / "f").write_bytes(os.urandom(1 << 20))
    (home / "cfg").write_text(json.dumps(config))
    return home / "cfg", public | {"onlinedeadline": 600}


if __name__ == "__main__":
    sys.exit(main())
