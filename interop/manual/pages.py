"""The reference's manual, as its package installs it, and our own tutorial."""

import functools
import html
import re
from pathlib import Path

from ..harness.implementation import ROOT
from ..harness.runner import Skipped

# Our own pages, which have to be as true, and their texts.
TUTORIAL = "packmule-airgap.7"
ACK = "packmule-ack.1"
OWN = {TUTORIAL: "packmule-airgap.7.md", ACK: "ack.md"}
MANUAL = Path("/usr/share/doc/nncp/nncp.html")


class Page:
    """One page: its text, and its examples."""

    def __init__(self, name: str):
        self.name = name
        if name in OWN:
            self.text = (ROOT / "doc" / "man" / OWN[name]).read_text()
            self.examples = [found.group() for found in re.finditer(r"(^    .*\n)+", self.text, re.MULTILINE)]
            return
        file = MANUAL / (name.replace("-", "_002d") + ".html")
        if not file.is_file():
            file = MANUAL / f"{name}.html"
        if not file.is_file():
            raise Skipped("the reference's manual is not installed (/usr/share/doc/nncp, package nncp)")
        source = file.read_text()
        self.text = plain(source)
        self.examples = [plain(found) for found in re.findall(r"<pre[^>]*>(.*?)</pre>", source, re.DOTALL)]

    def holds(self, command: str) -> None:
        """A command that is told to be the manual's has to stand there, word for word."""
        assert one_line(command) in one_line(self.text), f"not on the page {self.name}: {command}"

    def example(self, part: str) -> str:
        """The whole example that holds `part`: a script, or a piece of configuration."""
        for example in self.examples:
            if part in example:
                return example
        raise AssertionError(f"no example on the page {self.name} has {part!r}")


@functools.cache
def page(name: str) -> Page:
    return Page(name)


def plain(source: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", source))


def one_line(text: str) -> str:
    return " ".join(text.split())
