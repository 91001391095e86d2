"""The examples of the reference's own manual, typed as they are printed there, under both implementations.

Commands are checked against the page they are said to stand on. Names of hosts that the manual leaves open, and the
places of media, are those of the stage; programs that are not NNCP's and not everywhere are small ones in `bin/`.
Compared are exit status, output and messages of each command, and what all nodes are left with. Deliberate
differences are listed in `differential/deliberate.toml`.
"""

import itertools
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from ..differential.deliberate import Mark, deliberate
from ..harness.implementation import Implementation, packmule, reference
from ..harness.runner import Check, Ours, Skipped
from .example import Example
from .pages import page
from .stage import Stage, needs


def checks() -> list[Check]:
    sides = (reference(), packmule())
    marks = deliberate()
    found = []
    for example in examples():
        covering = [mark for mark in marks if mark.covers(title(example))]
        found.append(Check(title(example), compare(example, sides, covering), attempts=3))
    return found


def examples() -> list[Example]:
    from . import administration, commands, integration, tutorial, usecases

    modules = (commands, usecases, administration, integration, tutorial)
    return list(itertools.chain.from_iterable(module.EXAMPLES for module in modules))


def titles() -> list[str]:
    return [title(example) for example in examples()]


def title(example: Example) -> str:
    return f"manual: {example.page}: {example.title}"


def compare(example: Example, sides: tuple[Implementation, ...], marks: list[Mark]) -> Callable[[Path], str | None]:
    def prove(directory: Path) -> str | None:
        if missing := needs(*example.programs):
            raise Skipped(f"not installed: {' '.join(missing)}")
        first, second = (outcome(example, directory / str(number), side) for number, side in enumerate(sides))
        difference = list(unified_diff(first, second, "reference", "packmule", lineterm="", n=0))[2:]
        changed = [one for one in difference if not one.startswith("@@")]
        unexpected = [one for one in changed if not any(mark.allows(one) for mark in marks)]
        assert not unexpected, "\n".join(unexpected)
        return "differs" if changed else "same"

    return prove


def outcome(example: Example, directory: Path, side: Implementation) -> list[str]:
    stage = Stage(directory, side, page(example.page), example.nodes)
    try:
        example.play(stage)
    except AssertionError as claim:
        failure = Ours if side.name == "packmule" else AssertionError
        raise failure(f"under {side}: {claim}\n" + "\n".join(stage.told)) from claim
    return stage.outcome()
