"""Every kind of packet from a sender over a relay to a receiver, in every mix of implementations."""

import itertools
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import packmule, reference
from ..harness.runner import Check
from ..harness.world import World
from .routes import ROUTES, all_gone
from .shared import SHARED


def checks() -> list[Check]:
    sides = (reference(), packmule())
    found = []
    for title, scenario in (ROUTES | SHARED).items():
        for mix in itertools.product(sides, repeat=3):
            alice, carol, bob = mix
            if title in SHARED and (carol is not alice or bob is alice):
                continue
            implementations = {"alice": alice, "carol": carol, "bob": bob}
            name = f"{title}: {alice} > {carol} > {bob}"
            found.append(Check(name, prove(scenario, implementations, title)))
    return found


def prove(scenario: Callable[[World], None], implementations: dict, title: str) -> Callable[[Path], None]:
    def run(directory: Path) -> None:
        world = World(directory, implementations)
        for end in ("alice", "bob"):
            world[end].neighbour("bob" if end == "alice" else "alice")["via"] = ["carol"]
            world[end].write_config()
        scenario(world)
        all_gone(world)

    return run
