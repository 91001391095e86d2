"""`python3 -m interop.bench`: the tables of README.

On a RAM disk without fsync, and on the disk of `--disk` with it; both implementations in turn, so that a busy
machine hurts both. A ratio is the median over the rounds of reference time by packmule time.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ..harness.implementation import ROOT, Implementation, packmule, reference, target
from ..harness.measure import Measured
from .operations import Operation, Sizes, Work, build, command, copy, operations, source, template

LIMIT_MIB = 64


def main() -> int:
    options = arguments()
    directory = "debug" if options.profile == "dev" else options.profile
    os.environ.setdefault("PACKMULE", str(target() / directory / "packmule"))
    sizes = Sizes(parse_size(options.size), options.small, options.listed, options.spawned)
    sides = (reference(), packmule())
    best = ceiling(options.profile)
    print(f"{os.cpu_count()} cores; at best " + ", ".join(f"{name} {rate / 1e9:.1f} GB/s" for name, rate in best.items()))
    fast = True
    if options.memory:
        fast &= memory(Path(options.ram), parse_size(options.memory), sides[1])
    for title, place, sync in [("RAM disk, no fsync", options.ram, False), ("disk, fsync", options.disk, True)]:
        if place:
            fast &= table(title, Path(place), sync, sizes, sides, best, options)
    return 0 if fast else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interop.bench", description=__doc__)
    parser.add_argument("--size", default="1G", help="of the large file")
    parser.add_argument("--small", type=int, default=1000, help="how many small packets")
    parser.add_argument("--listed", type=int, default=10_000, help="how many packets stat lists")
    parser.add_argument("--spawned", type=int, default=100, help="how many times nncp-file is started")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", default="4G", help="size of the packet for peak memory; empty: skip")
    parser.add_argument("--ram", default="/dev/shm", help="a RAM disk; empty: skip")
    parser.add_argument("--disk", default=tempfile.gettempdir(), help="a disk; empty: skip")
    parser.add_argument("--profile", default="release", help="of cargo; dev to try the script out")
    parser.add_argument("--only", default="", help="operations whose names hold this")
    return parser.parse_args()


def parse_size(text: str) -> int:
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def ceiling(profile: str) -> dict[str, float]:
    """Bytes a second of the cipher and the hash on all cores, of reading and of writing."""
    run = ["cargo", "run", "--quiet", "--profile", profile, "--example", "ceiling"]
    return json.loads(subprocess.run(run, cwd=ROOT, capture_output=True, check=True).stdout)


def table(title: str, place: Path, sync: bool, sizes: Sizes, sides, best: dict, options) -> bool:
    print(f"\n### {title}\n")
    print("| operation | nncp-go, s | packmule, s | times faster | peak, MiB (nncp-go) | of the machine's best |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    ratios = []
    for operation in operations(sizes):
        if options.only in operation.name:
            ratios.append(row(operation, place, sync, sizes, sides, best, options.rounds))
    mean = statistics.geometric_mean(ratios)
    print(f"| **geometric mean** | | | **{mean:.2f}** | | |")
    return mean >= 2 and min(ratios) >= 1


def row(operation: Operation, place: Path, sync: bool, sizes: Sizes, sides, best: dict, rounds: int) -> float:
    times: dict[str, list[Measured]] = {side.name: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix="packmule-bench-", dir=place) as directory:
        world = template(Path(directory) / "template", operation, sizes)
        for _number in range(rounds):
            for side in sides:
                run = copy(world, Path(directory) / "run", side)
                if sync:
                    os.sync()
                times[side.name].append(operation.run(run, sync))
                shutil.rmtree(run.directory)
    theirs, ours = (times[side.name] for side in sides)
    ratio = statistics.median(one.seconds / other.seconds for one, other in zip(theirs, ours))
    their_seconds, seconds = (statistics.median(run.seconds for run in runs) for runs in (theirs, ours))
    share = f"{100 * least(operation.work, sizes.large, best) / seconds:.0f} %" if operation.work else ""
    peak, their_peak = (max(run.peak_kib for run in runs) / 1024 for runs in (ours, theirs))
    print(
        f"| {operation.name} | {their_seconds:.3f} | {seconds:.3f} | {ratio:.2f} | {peak:.0f} ({their_peak:.0f}) | {share} |"
    )
    sys.stdout.flush()
    return ratio


def least(work: Work, size: int, best: dict) -> float:
    """Seconds below which nothing could do it: the cores' work, or the copying, whichever is longer."""
    cores = size * (work.aead / best["aead"] + work.hash / best["hash"])
    copying = size * (work.read / best["read"] + work.write / best["write"])
    return max(cores, copying, cores + copying if os.cpu_count() == 1 else 0)


def memory(place: Path, size: int, side: Implementation) -> bool:
    """Peak memory of one large packet all the way through two relays."""
    print(f"\n### Peak memory, one packet of {size / 2**30:g} GiB over two relays\n")
    print("| operation | MiB |\n| --- | ---: |")
    peaks = []
    with tempfile.TemporaryDirectory(prefix="packmule-bench-", dir=place) as directory:
        world = build(Path(directory) / "world", side)
        source(world, Sizes(size, 0, 0, 0))

        def step(name: str, run) -> None:
            peak = run(world, False).peak_kib / 1024
            peaks.append(peak)
            print(f"| {name} | {peak:.0f} |")
            sys.stdout.flush()

        step("exec over two relays", command("alice", "exec", "-nocompress", "-via", "carol,dave", "bob", "sink", stdin="f"))
        clear(world)
        step("file over two relays", command("alice", "file", "-via", "carol,dave", "f", "bob:f"))
        (world["alice"].home / "f").unlink()
        hops = ["alice", "carol", "dave", "bob"]
        for giver, taker in zip(hops, hops[1:]):
            (world.stick / world[taker].id).mkdir()
            step(f"check by {giver}", command(giver, "check"))
            step(f"xfer -tx by {giver}", command(giver, "xfer", "-tx", "../stick"))
            step(f"xfer -rx by {taker}", command(taker, "xfer", "-rx", "../stick"))
            step(f"toss by {taker}", command(taker, "toss"))
    print(f"| **most** | **{max(peaks):.0f}** |")
    return max(peaks) < LIMIT_MIB


def clear(world) -> None:
    for path in world["alice"].packets("tx", "carol"):
        path.unlink()
        (path.parent / "hdr" / path.name).unlink(missing_ok=True)


sys.exit(main())
