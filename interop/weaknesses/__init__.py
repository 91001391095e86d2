"""The weaknesses of the reference, by their numbers in doc/weaknesses.md: packmule does what the last column says.

W27 is about calls; `tossing_at_the_same_time` of `online` proves it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ..harness.implementation import Implementation, packmule
from ..harness.runner import Check
from ..harness.world import World
from . import areas, commands, hostile, interrupted

Claim = Callable[[World], None]


def checks() -> list[Check]:
    side = packmule()
    found = [claim for module in (areas, commands, hostile, interrupted) for claim in claims(module)]
    return [Check(f"W{number} {(claim.__doc__ or '').strip()}", prove(claim, side)) for number, claim in sorted(found)]


def claims(module: ModuleType) -> list[tuple[int, Claim]]:
    """The functions called `w` and a number."""
    return [(int(name[1:]), claim) for name, claim in vars(module).items() if re.fullmatch(r"w\d+", name)]


def prove(claim: Claim, side: Implementation) -> Callable[[Path], None]:
    def run(directory: Path) -> None:
        claim(World(directory, {name: side for name in ("alice", "bob", "carol")}))

    return run
