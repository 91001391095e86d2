"""Authentic packets from alice to bob that ask for what must not be done (doc/weaknesses.md, W)."""

import json
from pathlib import Path

from . import craft
from .craft import rule
from .keys import Area, nodes


def make(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    everyone, area = nodes(), Area()
    alice, bob, carol = everyone["alice"], everyone["bob"], everyone["carol"]
    entries = []

    def add(case: str, plain: bytes, why: str) -> None:
        packet = craft.seal(craft.Recipe(alice, bob), plain)
        (directory / f"{case}.pkt").write_bytes(packet)
        entries.append({"file": f"{case}.pkt", "why": why})

    def inside(kind: int, path: bytes, payload: bytes) -> bytes:
        message = craft.seal(craft.Recipe(alice, area), craft.plain(kind, 224, path, payload))
        return craft.plain(craft.AREA, 0, area.id, message)

    paths = {
        "climbing": b"../victim/pwn",
        "climbing-inside": b"in/../../../esc",
        "sibling": b"../incomingX/evil",
        "parent": b"..",
        "dot": b".",
        "cancelling": b"a/..",
        "empty": b"",
        "absolute": b"/tmp/packmule-was-here",
        "nul": b"a\0b",
        "line-breaks": b"x\n\nWhen: 2020-01-01T00:00:00Z\nWho: rx\nMsg: Forged entry\n",
        "terminal": b"\x1b[2J\x07name",
    }
    for case, path in paths.items():
        add(f"file-{case}", craft.plain(craft.FILE, 224, path, b"payload"), f"file to {path!r}")
    for case in ("climbing", "sibling", "parent", "absolute"):
        path = paths[case].replace(b"incoming", b"public")
        add(f"freq-{case}", craft.plain(craft.FREQ, 224, path, b"answer"), f"request for {path!r}")
    add("freq-answer-climbing", craft.plain(craft.FREQ, 224, b"wanted", b"../answer"), "an answer to go to ..")
    add("freq-answer-long", craft.plain(craft.FREQ, 224, b"wanted", b"x" * 300_000), "a destination of 300000 bytes")
    add("trns-garbage", craft.plain(craft.TRNS, 0, carol.id, rule(5000)), "garbage to be passed on")
    add("trns-empty", craft.plain(craft.TRNS, 0, carol.id, b""), "nothing to be passed on")
    for_alice = craft.seal(craft.Recipe(bob, alice), craft.plain(craft.FILE, 224, b"f", b"x"))
    add("trns-for-another", craft.plain(craft.TRNS, 0, carol.id, for_alice), "a packet for alice to be passed on to carol")
    add("exec-not-compressed", craft.plain(craft.EXEC, 224, b"append", b"not Zstandard"), "no Zstandard frame")
    to_carol = craft.seal(craft.Recipe(alice, carol), craft.plain(craft.FILE, 224, b"f", b"x"))
    add("area-trns", inside(craft.TRNS, carol.id, to_carol), "an area message that is to be passed on")
    add("area-ack", inside(craft.ACK, bytes(32), b""), "an acknowledgement in an area")
    add("area-freq", inside(craft.FREQ, b"wanted", b"x"), "a request in an area")
    add("area-climbing", inside(craft.FILE, b"../up", b"x"), "a file of an area to ..")
    (directory / "manifest.json").write_text(json.dumps(entries, indent=1) + "\n")
