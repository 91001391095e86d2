"""What only one side does."""

from ..harness.implementation import stands_in
from ..harness.runner import Skipped
from ..harness.world import World


def is_ours(world: World, name: str) -> bool:
    """True if packmule itself plays this node, and the reference does not stand in for it."""
    return not stands_in() and world[name].implementation.name == "packmule"


def ours(world: World, name: str) -> None:
    """Skips a check of what only packmule does."""
    if not is_ours(world, name):
        raise Skipped("only packmule does this")
