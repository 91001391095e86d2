"""One example: the page, who takes part, and the play."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stage import Stage


@dataclass(frozen=True)
class Example:
    page: str
    title: str
    nodes: list[str]
    programs: tuple[str, ...]
    play: "Callable[[Stage], None]"


def collect(examples: list[Example]) -> Callable:
    """Makes the decorator that puts functions into `examples`: `@example("PAGE", "TITLE", "NODE NODE")`."""

    def example(page: str, title: str, nodes: str = "alice bob", programs: tuple[str, ...] = ()) -> Callable:
        def add(play: "Callable[[Stage], None]") -> "Callable[[Stage], None]":
            examples.append(Example(page, title, nodes.split(), programs, play))
            return play

        return add

    return example
