"""What only one side does."""

from ..harness.implementation import stands_in
from ..harness.runner import Skipped
from ..harness.world import World


def ours(world: World, name: str) -> None:
    """What only packmule does is not asked of the reference standing in for it."""
    if stands_in() or world[name].implementation.name != "packmule":
        raise Skipped("only packmule does this")
