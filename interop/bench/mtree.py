"""`python3 -m interop.bench.mtree`: manifests made and verified, beside NetBSD's mtree and bsdtar.

Three trees: large files, many small files in nested directories, many files in one directory. The tools take turns,
so that a busy machine hurts all; a time is the best of the rounds. bsdtar can only make manifests.

With `--only`, `--work` and `--keep` in short pieces, for a machine that is seldom quiet: `--results` keeps what was
measured, the best of all pieces, and shows it. `--rounds 0` only makes the trees.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..harness.implementation import target
from ..harness.measure import high_water

KEYWORDS = "type,uid,gid,mode,nlink,size,link,time"
PACKMULE = os.environ.get("PACKMULE", str(target() / "release" / "packmule"))
CREATE = {
    "packmule": [PACKMULE, "mtree", "create", "-keywords", KEYWORDS + ",sha256", "{tree}"],
    "mtree": ["mtree", "-c", "-k", KEYWORDS + ",sha256", "-p", "{tree}"],
    "bsdtar": ["bsdtar", "-cf", "-", "--format=mtree", "--options", "mtree:sha256", "-C", "{tree}", "."],
}
VERIFY = {
    "packmule": [PACKMULE, "mtree", "verify", "{manifest}", "{tree}"],
    "mtree": ["mtree", "-f", "{manifest}", "-p", "{tree}"],
}
METADATA = {
    "packmule": [PACKMULE, "mtree", "create", "-keywords", KEYWORDS, "{tree}"],
    "mtree": ["mtree", "-c", "-k", KEYWORDS, "-p", "{tree}"],
    "bsdtar": ["bsdtar", "-cf", "-", "--format=mtree", "-C", "{tree}", "."],
}
WORKS = {
    "create": ("create, sha256", CREATE),
    "verify": ("verify, sha256", VERIFY),
    "metadata": ("create, metadata", METADATA),
}
WANTED = {"mtree": 4, "bsdtar": 2}
# A run as long as this is not repeated: what it is off by does not matter.
LONG = 20


@dataclass(frozen=True)
class Row:
    tree: str
    work: str
    seconds: dict[str, float]
    peak_kib: int
    entries: int
    idle_kib: int

    def __str__(self) -> str:
        times = [f"{self.seconds[tool]:.2f}" if tool in self.seconds else "" for tool in CREATE]
        ratios = [f"{ratio:.1f}" if (ratio := self.ratio(tool)) else "" for tool in WANTED]
        # What a run on nothing takes is not an entry's, and of a few entries there is nothing to say.
        each = f"{(self.peak_kib - self.idle_kib) * 1024 / self.entries:.0f}" if self.entries > 10_000 else ""
        cells = [self.tree, self.work, *times, *ratios, f"{self.peak_kib / 1024:.0f}", each]
        return f"| {' | '.join(cells)} |"

    def ratio(self, tool: str) -> float | None:
        return self.seconds[tool] / self.seconds["packmule"] if tool in self.seconds else None


def main() -> int:
    options = arguments()
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        rows = measure(options, Path(options.keep))
    else:
        with tempfile.TemporaryDirectory(prefix="packmule-mtree-", dir=options.place) as directory:
            rows = measure(options, Path(directory))
    if options.results:
        with open(options.results, "a") as results:
            results.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
        rows = best([Row(**json.loads(line)) for line in open(options.results)])
    return summary(rows) if rows else 0


def best(rows: list[Row]) -> list[Row]:
    """One row a tree and work, with the shortest time of each tool."""
    merged: dict[tuple[str, str], Row] = {}
    for row in rows:
        other = merged.get((row.tree, row.work), row)
        seconds = {tool: min(row.seconds[tool], other.seconds[tool]) for tool in row.seconds}
        merged[row.tree, row.work] = replace(row, seconds=seconds)
    return list(merged.values())


def summary(rows: list[Row]) -> int:
    print("| tree | work | packmule, s | mtree, s | bsdtar, s | times mtree | times bsdtar | peak, MiB | bytes an entry |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        print(row)
    fast = True
    for tool, wanted in WANTED.items():
        ratios = [ratio for row in rows if "sha256" in row.work and (ratio := row.ratio(tool))]
        if not ratios:
            continue
        mean = statistics.geometric_mean(ratios)
        print(f"\ngeometric mean with sha256: {mean:.1f} times {tool} (wanted: {wanted})")
        fast = fast and mean >= wanted
    return 0 if fast else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interop.bench.mtree", description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="of the sizes and counts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", default="/dev/shm", help="where the trees are made")
    parser.add_argument("--only", choices=["large", "nested", "flat"], help="one tree")
    parser.add_argument("--work", choices=list(WORKS), help="one of the works")
    parser.add_argument("--keep", help="a directory where the trees are made once, and left")
    parser.add_argument("--results", help="a file to which what is measured is added")
    return parser.parse_args()


def measure(options, directory: Path) -> list[Row]:
    rows = []
    nothing = directory / "nothing"
    nothing.mkdir(exist_ok=True)
    idle = idle_kib(nothing)
    for short, (name, make, entries) in trees(options.scale).items():
        if options.only not in (None, short):
            continue
        tree, manifest = directory / short, directory / f"{short}.mtree"
        if not manifest.exists():
            make(tree)
            run(CREATE["packmule"], tree, manifest, manifest)
        for work, (title, tools) in WORKS.items():
            if options.rounds and options.work in (None, work):
                seconds = times(tools, tree, manifest, options.rounds)
                peak = peak_kib(tools["packmule"], tree, manifest)
                rows.append(Row(name, title, seconds, peak, entries, idle))
                print(rows[-1], file=sys.stderr, flush=True)
        if not options.keep:
            shutil.rmtree(tree)
    return rows


def times(tools: dict, tree: Path, manifest: Path, rounds: int) -> dict[str, float]:
    shortest: dict[str, float] = {}
    for _ in range(rounds):
        for tool, argv in tools.items():
            if shortest.get(tool, 0) < LONG:
                shortest[tool] = min(shortest.get(tool, float("inf")), run(argv, tree, manifest))
    return shortest


def trees(scale: float) -> dict:
    """Title, how it is made, and how many objects it has at least."""
    small, flat, large = (int(n * scale) for n in (200_000, 100_000, 4 << 30))
    return {
        "large": (f"{large / (1 << 30):.1f} GiB in 16 files", lambda tree: make_large(tree, large // 16), 17),
        "nested": (f"{small} files, nested", lambda tree: make_nested(tree, small), small),
        "flat": (f"{flat} files, one directory", lambda tree: make_flat(tree, flat), flat + 1),
    }


def make_large(tree: Path, size: int) -> None:
    tree.mkdir()
    piece = os.urandom(1 << 20)
    for number in range(16):
        with open(tree / f"file{number}", "wb") as file:
            for _ in range(size >> 20):
                file.write(piece)


def make_nested(tree: Path, count: int) -> None:
    for number in range(count):
        directory = tree / f"{number // 10_000}" / f"{number // 100 % 100}" / f"{number // 20 % 5}"
        if number % 20 == 0:
            directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file-{number}").write_bytes(b"%d" % number * 200)


def make_flat(tree: Path, count: int) -> None:
    tree.mkdir()
    for number in range(count):
        (tree / f"file-{number}").write_bytes(b"%d" % number * 200)


def run(argv: list[str], tree: Path, manifest: Path, output: Path | None = None) -> float:
    """Seconds. Fails when the tool does: a fast error is no result."""
    argv = [word.format(tree=tree, manifest=manifest) for word in argv]
    with open(output or os.devnull, "wb") as out:
        started = time.perf_counter()
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        return time.perf_counter() - started


def peak_kib(argv: list[str], tree: Path, manifest: Path) -> int:
    """Most memory, from a run of its own: asking often is no part of a time."""
    argv = [word.format(tree=tree, manifest=manifest) for word in argv]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = high_water(process.pid) or peak
        time.sleep(0.001)
    if process.returncode != 0:
        raise RuntimeError(f"{argv}: status {process.returncode}")
    return peak


def idle_kib(nothing: Path) -> int:
    """Memory of a run that has nothing to do, while it waits for its manifest: it would be over before it is seen."""
    argv = [PACKMULE, "mtree", "verify", "-e", "-quiet", "-", str(nothing)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    idle = high_water(process.pid)
    process.communicate(b". type=dir\n")
    return idle


if __name__ == "__main__":
    sys.exit(main())
