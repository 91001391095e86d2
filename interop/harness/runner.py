"""Runs named checks side by side and prints one line for each."""

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Check:
    """A claim and the code that proves it in an empty directory.

    The code may return a word for its line instead of `ok`.
    """

    name: str
    prove: Callable[[Path], str | None]
    attempts: int = 1
    """How often it may be tried. More than once only where the reference takes part: it has races of its own
    (`concurrent map writes`, a lost end of a session), and a claim that then holds is told with its try."""


class Ours(AssertionError):
    """packmule itself failed: another try would be no excuse."""


class Skipped(Exception):
    """The check can not run here; the message says what is missing."""


def run(title: str, checks: list[Check], words: list[str]) -> int:
    """Runs the checks whose names contain all `words`. Returns the exit status."""
    chosen = [check for check in checks if all(word in check.name for word in words)]
    started = time.monotonic()
    # Files on a RAM disk: these tests are about what is written, not about the disk.
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="interop-", dir=base) as scratch:
        with ThreadPoolExecutor(max_workers=(os.cpu_count() or 2) + 2) as pool:
            numbered = list(enumerate(chosen))
            outcomes = list(pool.map(lambda item: _one(Path(scratch) / str(item[0]), item[1]), numbered))
    count = {kind: sum(outcome == kind for outcome in outcomes) for kind in ("passed", "FAILED", "skipped")}
    seconds = time.monotonic() - started
    print(f"{title}: {count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped in {seconds:.0f} s")
    skip_is_failure = bool(os.environ.get("CI")) and count["skipped"] > 0
    return 1 if count["FAILED"] or skip_is_failure or not chosen else 0


def _one(directory: Path, check: Check) -> str:
    for attempt in range(1, check.attempts + 1):
        kind, word, why, certain = _try(directory / str(attempt), check)
        if kind != "FAILED" or certain:
            break
    if attempt > 1 and kind == "passed":
        why = f"at try {attempt}"
    if not os.environ.get("KEEP") and (held := _held(directory)):
        kind, word, why = "FAILED", "FAILED", f"its directory can not be removed, does something still run? {held}"
    lines = f"{word:8}{check.name}" + "".join(f"\n        | {line}" for line in why.splitlines())
    sys.stdout.write(lines + "\n")
    sys.stdout.flush()
    return kind


def _try(directory: Path, check: Check) -> tuple[str, str, str, bool]:
    directory.mkdir(parents=True)
    kind, word, why, certain = "passed", "ok", "", False
    try:
        word = check.prove(directory) or "ok"
    except Skipped as reason:
        kind, word, why = "skipped", "skipped", str(reason)
    except AssertionError as reason:
        kind, word, why, certain = "FAILED", "FAILED", str(reason), isinstance(reason, Ours)
    except Exception:
        kind, word, why = "FAILED", "FAILED", traceback.format_exc()
    return kind, word, why, certain


def _held(directory: Path, seconds: float = 60) -> OSError | None:
    """Removes the directory; what still stands in the way of it after so many seconds.

    A node's process that was told to end may write a last file while we remove.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            _remove(directory)
            return None
        except OSError as reason:
            if time.monotonic() > end:
                return reason
        time.sleep(0.1)


def _remove(directory: Path) -> None:
    for root, names, files in os.walk(directory, topdown=False):
        for name in files:
            os.unlink(os.path.join(root, name))
        for name in names:
            path = os.path.join(root, name)
            os.unlink(path) if os.path.islink(path) else os.rmdir(path)
    os.rmdir(directory)


def blame(what: str, claim: Callable[[], object]) -> None:
    """Proves a claim; if it does not hold, the complaint begins with `what`."""
    try:
        claim()
    except AssertionError as reason:
        raise AssertionError(f"{what}: {reason}") from None
