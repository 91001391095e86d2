"""Each command with each flag under both implementations, on copies of one state.

Compared are exit status, standard output and error, spool, log and files, as `observe` tells them. What
differs on purpose stands in COMPATIBILITY.md, in a line with a mark for this comparison:
`<!-- differs: CASES -->` or, narrower, `<!-- differs: CASES :: LINES -->`. CASES is a shell pattern for names of
comparisons, LINES a regular expression for the lines that may differ in them. A mark for whole comparisons that
are found equal is a failure too.
"""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from ..implementation import ROOT, Implementation, packmule, reference, stands_in
from ..runner import Check, Ours
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
            found.append(Check(title, compare(name, line, sides, [mark for mark in listed if mark.covers(title)]), attempts=3))
    return found


@dataclass(frozen=True)
class Mark:
    """One deliberate difference."""

    cases: str
    lines: re.Pattern | None

    def covers(self, title: str) -> bool:
        return fnmatch.fnmatchcase(title, self.cases)

    def allows(self, line: str) -> bool:
        return self.lines is None or self.lines.search(line) is not None


def deliberate() -> list[Mark]:
    path = ROOT / "COMPATIBILITY.md"
    if not path.is_file() or stands_in():
        return []
    found = [mark.partition(" :: ") for mark in MARKER.findall(path.read_text())]
    return [Mark(cases, re.compile(lines) if lines else None) for cases, _, lines in found]


def compare(name: str, line: str, sides: tuple[Implementation, ...], marks: list[Mark]) -> Callable[[Path], str | None]:
    ours: list[list[str]] = []

    def prove(directory: Path) -> str | None:
        first, second = (outcome(name, line, directory / str(number), side) for number, side in enumerate(sides))
        # Only the reference may need another try.
        ours.append(second.lines())
        if ours[-1] != ours[0]:
            raise Ours("packmule does not do the same each time:\n" + "\n".join(unified_diff(*ours[-2:])))
        say_more(first, second)
        difference = list(unified_diff(first.lines(), second.lines(), "reference", "packmule", lineterm="", n=0))[2:]
        changed = [one for one in difference if not one.startswith("@@")]
        if any(mark.lines is None for mark in marks):
            assert changed, "COMPATIBILITY.md says that this differs, but it does not"
        unexpected = [one for one in changed if not any(mark.allows(one) for mark in marks)]
        assert not unexpected, "\n".join(unexpected)
        return "differs" if changed else "same"

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
