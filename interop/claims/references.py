"""What texts of this repository refer to is in this repository."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..harness.implementation import ROOT

PLACES = ("doc", "examples", "fuzz/fuzz_targets", "interop", "packaging", "protocol", "src", "testvectors", "tests")
KINDS = {".md", ".py", ".rs", ".sh", ".toml"}
# A file by its name, or a section of one by a number: "design.md", "design.md 3.2".
MARKDOWN = re.compile(r"(?<![\w*{/.-])((?:[\w-]+/)*[\w][\w.-]*\.md)\b( (?:[A-Z]\.)?\d)?")
PLACEHOLDER = re.compile("NAME|NNN")
NUMBER = re.compile(r"\b([WDS]\d{1,2})\b")


def texts() -> Iterator[tuple[Path, str]]:
    found = [path for place in PLACES for path in (ROOT / place).rglob("*")] + list(ROOT.glob("*.md"))
    for path in sorted(found):
        if path.suffix in KINDS and path.is_file():
            yield path.relative_to(ROOT), path.read_text()


def rows() -> set[str]:
    """The numbers of weaknesses."""
    return set(re.findall(r"^\| ([WDS]\d+) \|", (ROOT / "doc" / "weaknesses.md").read_text(), re.MULTILINE))


def claim_named_documents_exist(_directory: Path) -> None:
    """Each Markdown file that a comment or a document names is in the repository, and none is named with a section's number."""
    names = {path.name for path, _ in texts()}
    wrong = []
    for path, text in texts():
        if path.name == Path(__file__).name:
            continue
        for name, section in MARKDOWN.findall(text):
            if section or not (PLACEHOLDER.search(name) or Path(name).name in names):
                wrong.append(f"{path}: {name}{section}")
    assert not wrong, "\n".join(wrong)


def claim_numbers_of_weaknesses_exist(_directory: Path) -> None:
    """Numbers in parentheses in COMPATIBILITY.md, and behind `doc/weaknesses.md`, are rows of doc/weaknesses.md."""
    known = rows()
    assert len(known) > 60, known
    wrong = []
    for path, text in texts():
        if path.name == "COMPATIBILITY.md":
            named = [number for brackets in re.findall(r"\(([^()]*)\)", text) for number in NUMBER.findall(brackets)]
        else:
            named = re.findall(r"doc/weaknesses\.md,? ([WDS]\d+)", text)
        wrong += [f"{path}: {number}" for number in named if number not in known]
    assert not wrong, "\n".join(wrong)


def claim_calls_name_their_own_weaknesses(_directory: Path) -> None:
    """The section "Calls" of COMPATIBILITY.md names rows S, the others W and D."""
    for section in (ROOT / "COMPATIBILITY.md").read_text().split("\n## ")[1:]:
        title = section.partition("\n")[0]
        brackets = re.findall(r"\(([^()]*)\)", section)
        letters = {number[0] for bracket in brackets for number in NUMBER.findall(bracket)}
        assert letters <= ({"S"} if title == "Calls" else {"W", "D"}), f"{title}: {letters}"


def claim_compatibility_has_contents(_directory: Path) -> None:
    """COMPATIBILITY.md begins with a list of its sections, and holds no mark for a program."""
    text = (ROOT / "COMPATIBILITY.md").read_text()
    sections = re.findall(r"^## (.*)", text, re.MULTILINE)
    listed = re.findall(r"^- \[(.*)\]\(#(.*)\)$", text.partition("\n## ")[0], re.MULTILINE)
    assert listed == [(section, section.lower().replace(" ", "-")) for section in sections], listed
    assert "<!--" not in text
