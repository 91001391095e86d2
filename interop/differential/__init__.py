"""Each command with each flag under both implementations, on copies of one state.

Compared are exit status, standard output and error, spool, log and files, as `observe` reports them. What
differs on purpose is listed in `deliberate.toml`, each entry with its row of COMPATIBILITY.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from ..harness.implementation import Implementation, packmule, reference
from ..harness.runner import Check, Ours
from . import invoke, observe
from .commands import CASES
from .deliberate import DATA, DOCUMENT, Mark, deliberate, faults
from .states import state


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
    found = [Check("deliberate.toml: every entry has its row of COMPATIBILITY.md and a comparison", every_mark_applies)]
    for name, commands in CASES.items():
        for line in commands:
            title = f"{name}: {line}"
            found.append(Check(title, compare(name, line, sides, [mark for mark in listed if mark.covers(title)]), attempts=3))
    return found


def every_mark_applies(_directory: Path) -> None:
    from .. import manual

    titles = [f"{name}: {line}" for name, commands in CASES.items() for line in commands]
    found = faults(deliberate(), DOCUMENT.read_text(), titles + manual.titles())
    assert not found, "\n".join(found)


def compare(name: str, line: str, sides: tuple[Implementation, ...], marks: list[Mark]) -> Callable[[Path], str | None]:
    ours: list[list[str]] = []

    def prove(directory: Path) -> str | None:
        first, second = (outcome(name, line, directory / str(number), side) for number, side in enumerate(sides))
        # Only the reference may need another try.
        ours.append(second.lines())
        if ours[-1] != ours[0]:
            raise Ours("packmule does not do the same each time:\n" + "\n".join(unified_diff(ours[-2], ours[-1])))
        say_more(first, second)
        difference = list(unified_diff(first.lines(), second.lines(), "reference", "packmule", lineterm="", n=0))[2:]
        changed = [one for one in difference if not one.startswith("@@")]
        if any(mark.lines is None for mark in marks):
            assert changed, f"{DATA.name} says that this differs, but it does not"
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
