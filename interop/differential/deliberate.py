"""What differs on purpose: `deliberate.toml`, whose tables are rows of COMPATIBILITY.md."""

import fnmatch
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..harness.implementation import ROOT, stands_in

DOCUMENT = ROOT / "COMPATIBILITY.md"
DATA = Path(__file__).with_name("deliberate.toml")


@dataclass(frozen=True)
class Mark:
    """One deliberate difference: comparisons whose names match `cases` may differ in what matches `lines`."""

    row: str
    cases: str
    lines: re.Pattern[str] | None

    def covers(self, title: str) -> bool:
        return fnmatch.fnmatchcase(title, self.cases)

    def allows(self, line: str) -> bool:
        return self.lines is None or self.lines.search(line) is not None


def deliberate() -> list[Mark]:
    """All marks. There are none if the reference plays packmule."""
    return [] if stands_in() else read(DATA.read_text())


def read(data: str) -> list[Mark]:
    found = []
    for row, patterns in tomllib.loads(data).items():
        for cases, expressions in patterns.items():
            found += [Mark(row, cases, re.compile(one)) for one in expressions] or [Mark(row, cases, None)]
    return found


def faults(marks: list[Mark], document: str, titles: list[str]) -> list[str]:
    """Marks whose row is not in the document, or that match no comparison."""
    begins = [line.removeprefix("| ") for line in document.splitlines() if line.startswith("| ")]
    found = []
    for row in dict.fromkeys(mark.row for mark in marks):
        rows = sum(line.startswith(row) for line in begins)
        if rows != 1:
            found.append(f"{DATA.name}: {rows} rows of {DOCUMENT.name} begin with {row!r}, expected one")
    for mark in marks:
        if not any(mark.covers(title) for title in titles):
            found.append(f"{DATA.name}: {mark.cases!r} of {mark.row!r} matches no comparison")
    return found
