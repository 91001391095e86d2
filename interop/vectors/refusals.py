"""Packets that nobody must open, each with one fault and the name of the error it has to give."""

import json
from pathlib import Path
from typing import Any

from . import craft
from .craft import BLOCK, HEADER, PLAIN_HEADER, SIZE, TAG, rule
from .keys import nodes, stranger

SEALED = BLOCK + TAG
# X25519 points of low order: with any private key they give the same, known "secret".
LOW_ORDER = {
    "zero": bytes(32),
    "one": b"\1" + bytes(31),
    "eighth": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "other-eighth": bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    "minus-one": bytes.fromhex("ec" + "ff" * 30 + "7f"),
    "prime": bytes.fromhex("ed" + "ff" * 30 + "7f"),
    "prime-plus-one": bytes.fromhex("ee" + "ff" * 30 + "7f"),
}


class Refusals:
    """Files written to a directory, one a case, and the list of their errors."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.entries: list[dict] = []
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()

    def add(self, case: str, packet: bytes, error: str, why: str) -> None:
        """`error`: the name all readers of the list map to their own."""
        (self.directory / f"{case}.pkt").write_bytes(packet)
        self.entries.append({"file": f"{case}.pkt", "error": error, "why": why})

    def close(self) -> None:
        text = json.dumps(self.entries, indent=1) + "\n"
        (self.directory / "manifest.json").write_text(text)


def flip(packet: bytes, at: int, bit: int = 0) -> bytes:
    """`packet` with one bit changed; a negative place counts from the end."""
    out = bytearray(packet)
    out[at] ^= 1 << bit
    return bytes(out)


def replace(packet: bytes, at: int, piece: bytes) -> bytes:
    return packet[:at] + piece + packet[at + len(piece) :]


def make(directory: Path, packets: dict[str, bytes]) -> None:
    """Makes them all, from the reference's `packets` and by hand."""
    refusals = Refusals(directory)
    headers(refusals, packets["file.pkt"])
    blocks(refusals, packets)
    cuts(refusals, packets)
    additions(refusals, packets)
    claims(refusals)
    padding(refusals)
    senders(refusals)
    plain_headers(refusals)
    refusals.close()


def headers(refusals: Refusals, packet: bytes) -> None:
    for case, at, bit, error in [
        ("magic-letter", 4, 1, "UnknownMagic"),
        ("magic-version", 7, 0, "UnknownMagic"),
        ("niceness", 11, 0, "BadSignature"),
        ("niceness-above-255", 10, 0, "BadField"),
        ("sender", 12, 0, "UnknownSender"),
        ("recipient", 44, 0, "NotForUs"),
        ("recipient-last", 75, 7, "NotForUs"),
        ("ephemeral-key", 76, 0, "BadSignature"),
        ("ephemeral-key-last", 107, 6, "BadSignature"),
        ("signature-r", 108, 0, "BadSignature"),
        ("signature-s", 140, 0, "BadSignature"),
        ("signature-last", 171, 7, "BadSignature"),
    ]:
        why = f"bit {bit} of byte {at} flipped"
        refusals.add(f"flipped-{case}", flip(packet, at, bit), error, why)
    for version in range(1, 6):
        why = f"encrypted packet version {version}, which was given up"
        refusals.add(f"obsolete-{version}", flip(packet, 7, 0)[:7] + bytes([version]) + packet[8:], "ObsoleteMagic", why)
    other = replace(packet, 12, nodes()["carol"].id)
    refusals.add("sender-replaced", other, "BadSignature", "another known node named as the sender")
    mirrored = replace(packet, 12, packet[44:76])
    refusals.add("sender-is-recipient", mirrored, "BadSignature", "the recipient named as the sender")
    zeroed = replace(packet, 108, bytes(64))
    refusals.add("signature-zero", zeroed, "BadSignature", "a signature of zeros")
    refusals.add("plain-packet", craft.plain(1, 224, b"f", b"x"), "UnknownMagic", "not encrypted at all")


def blocks(refusals: Refusals, packets: dict[str, bytes]) -> None:
    small = packets["file.pkt"]
    for case, at in [
        ("size", HEADER), ("pad-claim", HEADER + 8), ("plain-magic", HEADER + SIZE),
        ("payload", HEADER + SIZE + PLAIN_HEADER), ("tag", -1),
    ]:  # fmt: skip
        why = f"the ciphertext of the {case} changed"
        refusals.add(f"flipped-block-{case}", flip(small, at), "Forged", why)
    tail = packets["size-130781.pkt"]
    for case, at in [("full-size-block", HEADER), ("tail", HEADER + SEALED)]:
        refusals.add(f"flipped-{case}", flip(tail, at), "Forged", "one bit of the block changed")
    two = packets["size-130797.pkt"]
    refusals.add("flipped-full-block", flip(two, HEADER + 5000), "Forged", "one bit of block 0 changed")
    full, rest = two[HEADER : HEADER + SEALED], two[HEADER + SEALED :]
    refusals.add("blocks-swapped", two[:HEADER] + rest + full, "Forged", "blocks in another order")
    refusals.add("block-missing", two[:HEADER] + rest, "Forged", "block 0 left out")
    stranger_body = small[:HEADER] + packets["file-nice-F.pkt"][HEADER:]
    refusals.add("body-of-another-packet", stranger_body, "Forged", "a body that belongs to another header")
    everyone = nodes()
    recipe = craft.Recipe(everyone["alice"], everyone["bob"], swap_keys=True)
    swapped = craft.seal(recipe, craft.plain(1, 224, b"f", b"x"))
    refusals.add("size-block-with-full-key", swapped, "Forged", "the SIZE block sealed with the key of full blocks")


def cuts(refusals: Refusals, packets: dict[str, bytes]) -> None:
    small = packets["file.pkt"]
    for length in (0, 7, 8, 11, 12, 44, 76, 108, HEADER - 1):
        refusals.add(f"cut-to-{length}", small[:length], "BadField", "not a whole header")
    refusals.add("cut-to-header", small[:HEADER], "Truncated", "a header and nothing else")
    for length in (1, TAG - 1, TAG, TAG + SIZE, len(small) - HEADER - 1):
        why = f"cut {length} bytes into the SIZE block"
        refusals.add(f"cut-in-block-at-{length}", small[: HEADER + length], "Forged", why)
    two = packets["size-130797.pkt"]
    refusals.add("cut-between-blocks", two[: HEADER + SEALED], "Truncated", "exactly one block, then nothing: no SIZE block")
    refusals.add("cut-in-full-block", two[: HEADER + SEALED - 1], "Forged", "one byte short of a full block")
    tail = packets["size-130781.pkt"]
    refusals.add("cut-before-tail", tail[: HEADER + SEALED], "Truncated", "the SIZE block whole, its tail block missing")
    refusals.add("cut-in-tail", tail[:-1], "Forged", "the tail block is one byte short")
    padded = packets["pad-130780-to-129k.pkt"]
    edge = HEADER + SEALED
    refusals.add("cut-before-outer-padding", padded[:edge], "Truncated", "all blocks, no outer padding")
    refusals.add("cut-in-outer-padding", padded[: edge + 100], "Truncated", "outer padding cut")
    refusals.add("cut-last-byte-of-outer-padding", padded[:-1], "Truncated", "one byte of outer padding missing")


def additions(refusals: Refusals, packets: dict[str, bytes]) -> None:
    small = packets["file.pkt"]
    refusals.add("added-to-short-block", small + b"\0", "Forged", "a byte behind a short last block")
    refusals.add("added-packet", small + small, "Forged", "the packet twice")
    exact = packets["size-130780.pkt"]
    refusals.add("added-to-full-block", exact + b"\0", "TrailingBytes", "a byte behind a full SIZE block; the reference takes it")
    padded = packets["pad-130780-to-129k.pkt"]
    refusals.add("added-to-outer-padding", padded + b"\0", "TrailingBytes", "a byte behind the outer padding")
    tail = packets["size-130781.pkt"]
    refusals.add("added-to-tail", tail + b"\0", "Forged", "a byte behind a short tail block")


def claims(refusals: Refusals) -> None:
    """SIZE blocks that lie, by a sender who has the keys."""
    everyone = nodes()
    small, large = 1000, BLOCK + 1000
    cases: list[tuple[str, int, int, dict[str, Any], str]] = [
        ("size-below-full-blocks", large, 0, {"size_claim": BLOCK - 1}, "BadSize"),
        ("size-one-short", small, 0, {"size_claim": PLAIN_HEADER + small - 1}, "UnexpectedPad"),
        ("size-one-long", small, 0, {"size_claim": PLAIN_HEADER + small + 1}, "BadSize"),
        ("size-of-a-block-more", small, 0, {"size_claim": PLAIN_HEADER + small + BLOCK}, "BadSize"),
        ("size-2-to-63", small, 0, {"size_claim": 1 << 63}, "BadSize"),
        ("size-2-to-63-less-one", small, 0, {"size_claim": (1 << 63) - 1}, "BadSize"),
        ("size-2-to-64-less-one", small, 0, {"size_claim": (1 << 64) - 1}, "BadSize"),
        ("size-2-to-63-after-a-block", large, 0, {"size_claim": (1 << 63) + BLOCK}, "BadSize"),
        ("pad-one-short", small, 100, {"pad_claim": 99}, "UnexpectedPad"),
        ("pad-none", small, 100, {"pad_claim": 0}, "UnexpectedPad"),
        ("pad-one-long", small, 100, {"pad_claim": 101}, "Truncated"),
        ("pad-without-any", small, 0, {"pad_claim": 1 << 40}, "Truncated"),
        ("pad-2-to-63", small, 0, {"pad_claim": 1 << 63}, "BadSize"),
        ("pad-2-to-64-less-one", small, 0, {"pad_claim": (1 << 64) - 1}, "BadSize"),
        ("pad-2-to-63-with-padding", small, 100, {"pad_claim": (1 << 63) + 100}, "BadSize"),
    ]
    for case, length, pad, faults, error in cases:
        recipe = craft.Recipe(everyone["alice"], everyone["bob"], pad=pad, **faults)
        packet = craft.seal(recipe, craft.plain(1, 224, b"f", rule(length)))
        claimed = ", ".join(f"{name} {value}" for name, value in faults.items())
        refusals.add(f"claim-{case}", packet, error, f"plain length {PLAIN_HEADER + length}, padding {pad}; {claimed}")
    # A tail of 1 to 15 bytes is all that may follow a full SIZE block.
    full = BLOCK - SIZE - PLAIN_HEADER
    recipe = craft.Recipe(everyone["alice"], everyone["bob"], size_claim=BLOCK)
    packet = craft.seal(recipe, craft.plain(1, 224, b"f", rule(full)))
    refusals.add("claim-size-of-a-longer-tail", packet, "BadSize", "a full SIZE block that claims 16 bytes more")
    recipe = craft.Recipe(everyone["alice"], everyone["bob"], size_claim=PLAIN_HEADER + full + 9)
    packet = craft.seal(recipe, craft.plain(1, 224, b"f", rule(full + 3)))
    refusals.add("claim-size-beyond-tail", packet, "BadSize", "a tail block shorter than SIZE says")


def padding(refusals: Refusals) -> None:
    everyone = nodes()
    plain = craft.plain(1, 224, b"f", rule(1000))
    room = BLOCK - SIZE - len(plain)

    def add(case: str, error: str, why: str, **recipe) -> None:
        made = craft.seal(craft.Recipe(everyone["alice"], everyone["bob"], **recipe), plain)
        refusals.add(f"padding-{case}", made, error, why)

    add("inner-first-not-zero", "NonZeroPad", "first byte of inner padding is 1", pad=100, inner_pad=b"\1" + bytes(99))
    add("inner-last-not-zero", "NonZeroPad", "last byte of inner padding is 1", pad=100, inner_pad=bytes(99) + b"\1")
    add("inner-not-full", "Forged", "outer padding before inner padding fills the block", pad=200, inner_pad=bytes(100), outer_pad=bytes(100))
    made = craft.seal(craft.Recipe(everyone["alice"], everyone["bob"], pad=room + 200), plain)
    refusals.add("padding-outer-first-wrong", flip(made, -200), "WrongPad", "first byte of outer padding changed")
    refusals.add("padding-outer-last-wrong", flip(made, -1, 7), "WrongPad", "last byte of outer padding changed")


def senders(refusals: Refusals) -> None:
    everyone, plain = nodes(), craft.plain(1, 224, b"f", rule(10))
    alice, bob, carol = everyone["alice"], everyone["bob"], everyone["carol"]
    refusals.add("recipient-wrong", craft.seal(craft.Recipe(alice, carol), plain), "NotForUs", "a good packet for carol")
    refusals.add("sender-unknown", craft.seal(craft.Recipe(stranger(), bob), plain), "UnknownSender", "signed by a node that bob does not know")
    signed_by_other = craft.Recipe(stranger(), bob, sender_id=alice.id)
    refusals.add("sender-claimed", craft.seal(signed_by_other, plain), "BadSignature", "alice's name, a stranger's signature")
    to_carols_key = craft.Recipe(alice, carol, recipient_id=bob.id)
    refusals.add("sealed-for-another-key", craft.seal(to_carols_key, plain), "Forged", "bob's name, carol's key")
    for case, point in LOW_ORDER.items():
        recipe = craft.Recipe(alice, bob, epub=point, shared=bytes(32))
        refusals.add(f"low-order-{case}", craft.seal(recipe, plain), "LowOrderKey", "signed, but the shared secret is all zeros")


def plain_headers(refusals: Refusals) -> None:
    """Whole and authentic packets whose content no reader may act on."""
    everyone = nodes()

    def add(case: str, plain: bytes, error: str, why: str) -> None:
        packet = craft.seal(craft.Recipe(everyone["alice"], everyone["bob"]), plain)
        refusals.add(f"plain-{case}", packet, error, why)

    good = craft.plain(1, 224, b"f", b"")
    add("magic-unknown", craft.plain(1, 224, b"f", b"x", magic=b"NNCPX\0\0\3"), "PlainUnknownMagic", "no plain packet; the reference acts on it")
    for version in (1, 2):
        magic = b"NNCPP\0\0" + bytes([version])
        add(f"magic-obsolete-{version}", craft.plain(1, 224, b"f", b"x", magic=magic), "PlainObsoleteMagic", "plain packet of a version that was given up")
    for kind in (0, 8, 255):
        add(f"kind-{kind}", craft.plain(kind, 224, b"f", b""), "UnknownKind", "no such kind")
    add("kind-256", craft.plain(256, 224, b"f", b""), "PlainBadField", "kind above 255")
    add("kind-257", craft.plain(257, 224, b"f", b""), "PlainBadField", "kind 1 with a bit above the byte")
    add("niceness-256", craft.plain(1, 256, b"f", b""), "PlainBadField", "niceness above 255")
    add("path-length-256", craft.plain(1, 224, b"f", b"", pathlen=256), "PlainBadField", "path length above 255")
    add("one-byte-short", good[: PLAIN_HEADER - 1], "PlainBadField", "shorter than a plain header")
    add("empty", b"", "PlainBadField", "no plain header at all")
    for length in (0, 31, 33):
        for name, kind in [("trns", craft.TRNS), ("area", craft.AREA), ("ack", craft.ACK)]:
            path = everyone["carol"].id.ljust(33, b"\0")[:length]
            add(f"{name}-id-of-{length}", craft.plain(kind, 0, path, b""), "NotAnId", "a path that is no 32-byte id")
