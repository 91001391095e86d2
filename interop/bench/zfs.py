"""`python3 -m interop.bench.zfs`: what packmule adds to `zfs send` and `zfs receive`, on zfs-fuse.

On a RAM disk without fsync, and on the disk of `--disk` with it. Three ways take turns, so that a busy machine hurts
all; a time is the best of the rounds. *Bare* is `zfs` and `zstd` alone, from and to files. *Piped* is what a script
would do: `zfs send | packmule exec`, and a handler that runs `zfs receive`, so that packets are sealed, written,
authenticated and opened. The third is `packmule zfs send` and `builtin:zfs-receive`, which also walk the stream and ask
the pool. The walker's rate is by processor time: what one core checks in a second.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..harness.implementation import ROOT, packmule, target
from ..harness.measure import Measured, high_water
from ..harness.world import World, ident

LAB = ROOT / "interop" / "zfs" / "zfs-fuse-lab.sh"
RATE = 2e9
ADDED = 1.10
LIMIT_MIB = 64


def main() -> int:
    options = arguments()
    os.environ.setdefault("PACKMULE", str(target() / "release" / "packmule"))
    tables = [("RAM disk, no fsync", options.ram, False), ("disk, fsync", options.disk, True)]
    return 0 if all([table(title, Path(place), sync, options) for title, place, sync in tables if place]) else 1


def table(title: str, parent: Path, sync: bool, options: argparse.Namespace) -> bool:
    """Measures in fresh pools below this directory; whether all is as it should be."""
    print(f"\n### {title}\n")
    place = Path(tempfile.mkdtemp(prefix="packmule-zfs-bench-", dir=parent))
    environment = os.environ | {"LAB_SIZE": f"{options.mib * 4}M", "LAB_ARC_MB": "256"}
    started = subprocess.run(["sh", LAB, "start", place], env=environment, check=False).returncode
    if started == 3:
        print("zfs-fuse can not be run here: skipped")
        return True
    try:
        return started == 0 and bench(place, sync, options)
    finally:
        subprocess.run(["sh", LAB, "stop", place], check=False)
        shutil.rmtree(place, ignore_errors=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interop.bench.zfs", description=__doc__)
    parser.add_argument("--mib", type=int, default=512, help="of data in the dataset")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ram", default="/dev/shm", help="a RAM disk for pools, spools and streams; empty: skip")
    parser.add_argument("--disk", default=tempfile.gettempdir(), help="a disk for them; empty: skip")
    return parser.parse_args()


@dataclass
class Bench:
    """A source with one large snapshot, its stream, and two nodes."""

    place: Path
    world: World
    stream: Path
    sync: bool
    rounds: int
    used: int = 0

    def fresh(self) -> str:
        self.used += 1
        return f"n{self.used}"

    def environment(self, node: str) -> dict:
        environment = self.world[node].environment()
        if self.sync:
            del environment["NNCPNOSYNC"]
        return environment

    def packmule(self, node: str, *words: str, stdin: Path | None = None) -> tuple[Measured, float]:
        """Wall time and peak memory, and the processor's time."""
        argv = [os.environ["PACKMULE"], *words]
        environment = self.environment(node)
        with open(stdin or os.devnull, "rb") as source:
            began = time.perf_counter()
            process = subprocess.Popen(argv, stdin=source, stdout=subprocess.DEVNULL, env=environment)
            peak, used = 0, None
            while used is None:
                peak = high_water(process.pid) or peak
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                used = usage if pid else None
                time.sleep(0.001)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{argv}: status {process.returncode}")
        return Measured(seconds, peak), used.ru_utime + used.ru_stime


def bench(place: Path, sync: bool, options: argparse.Namespace) -> bool:
    this = Bench(place, nodes(place), place / "stream", sync, options.rounds)
    zfs("create", "-o", f"mountpoint={place}/src", "labsrc/a")
    for number in range(options.mib // 16):
        # Half of it can be compressed, as files are.
        data = os.urandom(8 << 20) + bytes(8 << 20)
        (place / "src" / f"f{number}").write_bytes(data)
    zfs("snapshot", "labsrc/a@s")
    shell(f"zfs send labsrc/a@s > {this.stream}")
    shell(f"zstd -q -3 < {this.stream} > {this.stream}.zst")
    size = this.stream.stat().st_size
    print(f"{os.cpu_count()} cores, best of {options.rounds} rounds, a stream of {size >> 20} MiB\n")
    good = walker(this, size)
    print("| work | bare, s | piped, s | packmule zfs, s | to bare, % | to piped, % | peak, MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for level, end in [(0, "cat"), (3, "zstd -q -3")]:
        send = f"zfs send labsrc/a@s | {end}"
        ways = (lambda: sent_bare(this, send), lambda: sent_piped(this, send), lambda: sent(this, level))
        good &= row(this, f"zfs send, {end}", *ways)
    for suffix, end in [("", "cat"), (".zst", "zstd -q -dc")]:
        packed = Path(f"{this.stream}{suffix}")
        ways = (
            lambda: received_bare(this, packed, end),
            lambda: received(this, packed, "cat" if end == "cat" else "zstd").seconds,
            lambda: received(this, packed, "zfsreceive"),
        )
        good &= row(this, f"{end}, zfs receive", *ways)
    return good


def nodes(place: Path) -> World:
    ours = packmule()
    world = World(place / "world", {"alice": ours, "bob": ours})
    world["bob"].neighbour("alice")["exec"] = {
        "zfsreceive": ["builtin:zfs-receive", "--into", "labdst/b"],
        "cat": ["/bin/sh", "-c", 'zfs receive -u "labdst/b/$1"', "sh"],
        "zstd": ["/bin/sh", "-c", 'zstd -q -dc | zfs receive -u "labdst/b/$1"', "sh"],
    }
    world["bob"].write_config()
    zfs("create", "-o", "mountpoint=none", "-o", "canmount=off", "-o", "readonly=on", "labdst/b")
    return world


def zfs(*words: str) -> None:
    subprocess.run(["zfs", *words], check=True)


def shell(line: str, **more) -> None:
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True, **more)


def walker(this: Bench, size: int) -> bool:
    runs = [this.packmule("alice", "zfs", "inspect", stdin=this.stream) for _ in range(this.rounds)]
    rate = size / min(seconds for _, seconds in runs)
    print(f"the walker checks {rate / 1e9:.1f} GB/s a core (wanted: {RATE / 1e9:.0f})\n")
    return rate >= RATE


def row(
    this: Bench, name: str, bare: Callable[[], float], piped: Callable[[], float], ours: Callable[[], Measured]
) -> bool:
    rounds = [(bare(), piped(), ours()) for _ in range(this.rounds)]
    alone, script = min(times[0] for times in rounds), min(times[1] for times in rounds)
    mine, peak = min(times[2].seconds for times in rounds), max(times[2].peak_kib for times in rounds) / 1024
    added = [f"{(mine / other - 1) * 100:+.0f}" for other in (alone, script)]
    print(f"| {name} | {alone:.2f} | {script:.2f} | {mine:.2f} | {' | '.join(added)} | {peak:.0f} |", flush=True)
    return mine <= script * ADDED and peak <= LIMIT_MIB


def timed(line: str, **more) -> float:
    began = time.perf_counter()
    shell(line, **more)
    return time.perf_counter() - began


def sent_bare(this: Bench, send: str) -> float:
    out = this.place / "out"
    seconds = timed(f"{send} > {out}" + (f" && sync {out}" if this.sync else ""))
    out.unlink()
    return seconds


def sent_piped(this: Bench, send: str) -> float:
    alice = this.world["alice"]
    command = f"{send} | {alice.implementation.command('exec')} -quiet -nocompress bob cat n"
    seconds = timed(command, env=this.environment("alice"))
    shutil.rmtree(alice.spool / ident("bob"))
    return seconds


def sent(this: Bench, level: int) -> Measured:
    words = ("zfs", "send", "-quiet", "-set", this.fresh(), "-zstd", str(level), "bob", "labsrc/a")
    found = this.packmule("alice", *words)[0]
    shutil.rmtree(this.world["alice"].spool / ident("bob"))
    return found


def received_bare(this: Bench, packed: Path, end: str) -> float:
    name = f"labdst/b/{this.fresh()}"
    seconds = timed(f"{end} < {packed} | zfs receive -u {name}")
    zfs("destroy", "-r", name)
    return seconds


def received(this: Bench, packed: Path, handle: str) -> Measured:
    alice, bob = this.world["alice"], this.world["bob"]
    name = this.fresh()
    with open(packed, "rb") as stream:
        argv = [alice.implementation.command("exec"), "-quiet", "-nocompress", "bob", handle, name]
        subprocess.run(argv, stdin=stream, env=this.environment("alice"), check=True)
    queue = bob.spool / ident("alice") / "rx"
    queue.mkdir(parents=True, exist_ok=True)
    for packet in alice.packets("tx", "bob"):
        shutil.move(packet, queue / packet.name)
    found = this.packmule("bob", "toss", "-quiet")[0]
    zfs("destroy", "-r", f"labdst/b/{name}")
    return found


if __name__ == "__main__":
    sys.exit(main())
