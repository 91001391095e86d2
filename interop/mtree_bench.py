"""`python3 -m interop.mtree_bench`: manifests made and verified, beside NetBSD's mtree and bsdtar.

Three trees: large files, many small files in nested directories, many files in one directory. The tools take turns,
so that a busy machine hurts all; a time is the best of the rounds. bsdtar can only make manifests.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .implementation import target


def main() -> int:
    options = arguments()
    packmule = os.environ.get("PACKMULE", str(target() / "release" / "packmule"))
    create = {
        "packmule": [packmule, "mtree", "create", "-keywords", KEYWORDS + ",sha256", "{tree}"],
        "mtree": ["mtree", "-c", "-k", KEYWORDS + ",sha256", "-p", "{tree}"],
        "bsdtar": ["bsdtar", "-cf", "-", "--format=mtree", "--options", "mtree:sha256", "-C", "{tree}", "."],
    }
    verify = {
        "packmule": [packmule, "mtree", "verify", "{manifest}", "{tree}"],
        "mtree": ["mtree", "-f", "{manifest}", "-p", "{tree}"],
    }
    plain = {
        "packmule": [packmule, "mtree", "create", "-keywords", KEYWORDS, "{tree}"],
        "mtree": ["mtree", "-c", "-k", KEYWORDS, "-p", "{tree}"],
        "bsdtar": ["bsdtar", "-cf", "-", "--format=mtree", "-C", "{tree}", "."],
    }
    ratios: dict[str, list[float]] = {"mtree": [], "bsdtar": []}
    print(f"{os.cpu_count()} cores, best of {options.rounds} rounds, trees in {options.place}\n")
    print("| tree | work | packmule, s | mtree, s | bsdtar, s | peak, MiB | bytes an entry |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="packmule-mtree-", dir=options.place) as directory:
        idle = run([packmule, "mtree", "create", "-keywords", "type", "{tree}"], empty(Path(directory)), None)[1]
        for name, make in trees(options).items():
            tree = Path(directory) / "tree"
            entries = make(tree)
            manifest = Path(directory) / "manifest"
            run(create["packmule"], tree, None, manifest)
            for work, tools in [("create, sha256", create), ("verify, sha256", verify), ("create, metadata", plain)]:
                row(name, work, tools, tree, manifest, entries, idle, options.rounds, ratios)
            shutil.rmtree(tree)
    for tool, wanted in [("mtree", 4), ("bsdtar", 2)]:
        print(f"\ngeometric mean with sha256: {statistics.geometric_mean(ratios[tool]):.1f} times {tool} (wanted: {wanted})")
    fast = statistics.geometric_mean(ratios["mtree"]) >= 4 and statistics.geometric_mean(ratios["bsdtar"]) >= 2
    return 0 if fast else 1


KEYWORDS = "type,uid,gid,mode,nlink,size,link,time"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interop.mtree_bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="of the sizes and counts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", default="/dev/shm", help="where the trees are made")
    return parser.parse_args()


def trees(options) -> dict:
    small, flat, large = (int(n * options.scale) for n in (200_000, 100_000, 4 << 30))
    return {
        f"{large / (1 << 30):.1f} GiB in 16 files": lambda tree: make_large(tree, large // 16),
        f"{small} files, nested": lambda tree: make_nested(tree, small),
        f"{flat} files, one directory": lambda tree: make_flat(tree, flat),
    }


def make_large(tree: Path, size: int) -> int:
    tree.mkdir()
    piece = os.urandom(1 << 20)
    for number in range(16):
        with open(tree / f"file{number}", "wb") as file:
            for _ in range(size >> 20):
                file.write(piece)
    return 17


def make_nested(tree: Path, count: int) -> int:
    entries = count
    for number in range(count):
        directory = tree / f"{number // 10_000}" / f"{number // 100 % 100}" / f"{number // 20 % 5}"
        if number % 20 == 0:
            directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file-{number}").write_bytes(b"%d" % number * 200)
    return entries + sum(len(dirs) for _, dirs, _ in os.walk(tree)) + 1


def make_flat(tree: Path, count: int) -> int:
    tree.mkdir()
    for number in range(count):
        (tree / f"file-{number}").write_bytes(b"%d" % number * 200)
    return count + 1


def empty(directory: Path) -> Path:
    (directory / "empty").mkdir()
    return directory / "empty"


def row(name, work, tools, tree, manifest, entries, idle, rounds, ratios) -> None:
    best = {tool: float("inf") for tool in tools}
    peak = 0
    for _ in range(rounds):
        for tool, argv in tools.items():
            seconds, kib = run(argv, tree, manifest)
            best[tool] = min(best[tool], seconds)
            if tool == "packmule":
                peak = max(peak, kib)
    for tool in ratios:
        if tool in best and "sha256" in work:
            ratios[tool].append(best[tool] / best["packmule"])
    cells = [f"{best[tool]:.2f}" if tool in best else "" for tool in ("packmule", "mtree", "bsdtar")]
    # What a run on nothing takes is not an entry's, and of a few entries there is nothing to say.
    each = f"{(peak - idle) * 1024 / entries:.0f}" if entries > 10_000 else ""
    print(f"| {name} | {work} | {' | '.join(cells)} | {peak / 1024:.1f} | {each} |", flush=True)


def run(argv: list[str], tree: Path, manifest: Path | None, output: Path | None = None) -> tuple[float, int]:
    """Seconds and peak KiB. Fails when the tool does: a fast error is no result."""
    argv = [word.format(tree=tree, manifest=manifest) for word in argv]
    with open(output or os.devnull, "wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{argv}: status {process.returncode}")
    return seconds, usage.ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
