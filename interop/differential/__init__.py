"""Each command with each flag under both implementations, on copies of one state.

Compared are exit status, standard output and error, spool, log and files, as `observe` tells them. What
differs on purpose stands in COMPATIBILITY.md, in a line that names the comparison:
`<!-- differs: STATE: COMMAND LINE -->`; a comparison named there and found equal is a failure too.
"""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from ..implementation import ROOT, Implementation, packmule, reference, stands_in
from ..runner import Check
from . import invoke, observe
from .cases import CASES
from .states import state

MARKER = re.compile(r"<!-- differs: (.*?) -->")


@dataclass
class Outcome:
    """What one run of a command did, ready to be compared."""

    status: int
    out: list[str]
    err: list[str]
    tree: list[str]

    def lines(self) -> list[str]:
        told = [f"status {self.status}"]
        told += [f"out: {line}" for line in self.out]
        told += [f"err: {line}" for line in self.err]
        return told + [f"tree: {line}" for line in self.tree]


def checks() -> list[Check]:
    sides = (reference(), packmule())
    listed = deliberate()
    found = []
    for name, commands in CASES.items():
        for line in commands:
            title = f"{name}: {line}"
            found.append(Check(title, compare(name, line, sides, matching(title, listed))))
    return found


def deliberate() -> list[str]:
    path = ROOT / "COMPATIBILITY.md"
    return MARKER.findall(path.read_text()) if path.is_file() and not stands_in() else []


def matching(title: str, listed: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(title, pattern) for pattern in listed)


def compare(name: str, line: str, sides: tuple[Implementation, ...], differs: bool) -> Callable[[Path], str | None]:
    def prove(directory: Path) -> str | None:
        first, second = (outcome(name, line, directory / str(number), side) for number, side in enumerate(sides))
        say_more(first, second)
        difference = list(unified_diff(first.lines(), second.lines(), "reference", "packmule", lineterm="", n=0))
        if differs:
            assert difference, "COMPATIBILITY.md says that this differs, but it does not"
            return "differs"
        assert not difference, "\n".join(difference)
        return "same"

    return prove


def say_more(first: Outcome, second: Outcome) -> None:
    """A fatal error of ours may say more than the reference's, as long as it has its words."""
    for number, line in enumerate(second.err):
        if not line.startswith("TIME ") or " ERROR " in line:
            shorter = [theirs for theirs in first.err if theirs and theirs not in second.err and theirs in line]
            if shorter:
                second.err[number] = shorter[0]
    second.err.sort()


def outcome(name: str, line: str, directory: Path, side: Implementation) -> Outcome:
    source = state(name)
    node = source.copy(directory, side)
    done = invoke.run(node, line, source.words)
    known = observe.Known(directory, source.names())
    out = observe.output(known, done.out)
    if "cfgdir -load" in line and done.status == 0:
        out = observe.meaning(done.out.replace(str(directory).encode(), b"/ROOT"))
    if line.split()[-1] == "-pkt" or " -pkt " in line or "stat" in line.split():
        out = sorted(out)
    return Outcome(done.status, out, observe.messages(known, done.err), observe.tree(known, node.home, directory))
