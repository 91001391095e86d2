"""The other formats: Merkle hashes, niceness, descriptions of chunked files, encrypted blobs."""

import json
import subprocess
from pathlib import Path

from .craft import BLOCK, PLAIN_HEADER, mth, rule
from .keys import nodes
from .reference import Node, with_passphrase


def write(path: Path, entries: object) -> None:
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def hashes(path: Path) -> None:
    """What `nncp-hash` says of the bytes i mod 251, around every number of blocks up to eight."""
    lengths = {0, 1, 31, 32, 64, 1024, 1025, 8 * BLOCK + 1, 1048577}
    for count in range(1, 9):
        lengths |= {count * BLOCK - 1, count * BLOCK, count * BLOCK + 1}
    entries = []
    for length in sorted(lengths):
        done = subprocess.run(["nncp-hash"], input=rule(length), capture_output=True, check=True)
        entries.append({"length": length, "hash": done.stdout.decode().strip()})
    write(path, entries)


PARSED = [
    "1", "255", "+5", "007", "0", "256", "-5", "1_0", " 5", "5 ", "", "+", "0x10", "f", "F", "flash",
    "FLASH", "Flash", "p", "priority", "n", "Normal", "b", "bulk", "BULK", "max", "MAX", "F+0", "F-0", "F-31",
    "F-32", "F+32", "F+33", "P-31", "P+32", "N+32", "N-31", "B-31", "B-32", "B+31", "B+32", "BULK+31",
    "MAX-1", "MAX-31", "MAX-32", "MAX+0", "x+1", "32+1", "f+", "f+-1", "F+1\n", "f+010", "F +1", "F+ 1",
    "f+99999999999999999999", "99999999999999999999", "-0", "+0", "flash-5", "PRIORITY+10", "ſ", "fláish",
]  # fmt: skip


def niceness(path: Path) -> None:
    """Every value as the reference shows it, and every spelling as it reads it."""
    alice = Node("alice")
    alice.run("file", "-", "bob:f", stdin=b"x")
    _, packet = alice.take_one(nodes()["bob"].id)
    shown = []
    for nice in range(256):
        told = alice.run("pkt", stdin=packet[:11] + bytes([nice]) + packet[12:]).decode()
        line = next(line for line in told.splitlines() if line.startswith("Niceness: "))
        shown.append(line.split()[1])
    parsed = []
    for text in PARSED:
        done = alice.try_run("file", "-nice", text, "-", "bob:f", stdin=b"x")
        value = alice.take_one(nodes()["bob"].id)[1][11] if done.returncode == 0 else None
        error = done.stderr.decode().strip().split(": ")[-1] if value is None else None
        parsed.append({"text": text, "value": value} | ({"error": error} if error else {}))
    write(path, {"shown": shown, "parsed": parsed})


def chunked(directory: Path) -> None:
    """Descriptions of files of i mod 251, sent in chunks of 1 KiB or more."""
    directory.mkdir(parents=True, exist_ok=True)
    entries = []
    for length, chunk in [(0, 1), (1024, 1), (1025, 1), (2048, 1), (2500, 1), (300_000, 128), (262_144, 128)]:
        alice, bob = Node("alice"), nodes()["bob"]
        alice.run("file", "-chunked", str(chunk), "-", "bob:f", stdin=rule(length))
        bobs = Node("bob")
        plains = [bobs.opened(packet) for _, packet in alice.take(bob.id)]
        (meta,) = [plain[PLAIN_HEADER:] for plain in plains if plain[20 : 20 + plain[19]] == b"f.nncp.meta"]
        file = f"{length}-by-{chunk}k.meta"
        (directory / file).write_bytes(meta)
        size = chunk * 1024
        pieces = [rule(length)[at : at + size] for at in range(0, length or 1, size)]
        checksums = [mth(piece).hex() for piece in pieces]
        assert meta[28:] == bytes.fromhex("".join(checksums))
        entries.append({"file": file, "file_size": length, "chunk_size": size, "checksums": checksums})
    write(directory / "manifest.json", {"good": entries, "refused": refused_meta(directory)})


def refused_meta(directory: Path) -> list[dict]:
    """Descriptions that lie. The reference crashes on some and believes others."""
    good = (directory / "2500-by-1k.meta").read_bytes()

    def number(at: int, width: int, value: int) -> bytes:
        return good[:at] + value.to_bytes(width, "big") + good[at + width :]

    cases = {
        "magic": (b"NNCPX\0\0\2" + good[8:], "UnknownMagic"),
        "obsolete": (b"NNCPM\0\0\1" + good[8:], "ObsoleteMagic"),
        "chunk-size-zero": (number(16, 8, 0), "ZeroChunk"),
        "count-zero": (number(24, 4, 0), "Count"),
        "count-one-less": (number(24, 4, 2), "Count"),
        "count-huge": (number(24, 4, 0xFFFFFFFF), "Count"),
        "file-size-one-chunk-more": (number(8, 8, 2500 + 1024), "Count"),
        "file-size-one-chunk-less": (number(8, 8, 2500 - 1024), "Count"),
        "file-size-huge": (number(8, 8, 0xFFFFFFFFFFFFFFFF), "Count"),
        "cut-in-checksums": (good[:-1], "BadField"),
        "cut-before-checksums": (good[:28], "BadField"),
        "cut-in-numbers": (good[:27], "BadField"),
        "empty": (b"", "BadField"),
        "matching-count-without-checksums": (
            good[:8] + ((1 << 32) - 1).to_bytes(8, "big") + (1).to_bytes(8, "big") + b"\xff\xff\xff\xff" + good[28:],
            "BadField",
        ),
    }
    for case, (raw, _) in cases.items():
        (directory / f"refused-{case}.meta").write_bytes(raw)
    return [{"file": f"refused-{case}.meta", "error": error} for case, (_, error) in cases.items()]


def eblobs(directory: Path) -> None:
    """Blobs of `nncp-cfgenc`, and damaged copies of one of them."""
    directory.mkdir(parents=True, exist_ok=True)
    entries = []
    for passphrase, space, time, parallel, length in [
        ("pass", 1, 1, 1, 0), ("pass", 5, 2, 2, 3), ("", 7, 1, 1, 6), ("naïve ключ", 16, 3, 1, 100),
        ("pass", 100, 1, 3, 1001), ("pass", 32768, 16, 2, 5000),
    ]:  # fmt: skip
        plain = directory / "plain"
        plain.write_bytes(rule(length))
        costs = ("-s", str(space), "-t", str(time), "-p", str(parallel))
        blob = with_passphrase(passphrase, "nncp-cfgenc", *costs, str(plain))
        plain.unlink()
        file = f"s{space}-t{time}-p{parallel}-{length}.eblob"
        (directory / file).write_bytes(blob)
        assert with_passphrase(passphrase, "nncp-cfgenc", "-d", str(directory / file)) == rule(length)
        entries.append({
            "file": file, "passphrase": passphrase, "space": space, "time": time,
            "parallel": parallel, "payload": length,
        })  # fmt: skip
    write(directory / "manifest.json", {"good": entries, "refused": refused_eblobs(directory)})


def refused_eblobs(directory: Path) -> list[dict]:
    """All with the passphrase `pass`."""
    good = (directory / "s5-t2-p2-3.eblob").read_bytes()

    def number(at: int, value: int) -> bytes:
        return good[:at] + value.to_bytes(4, "big") + good[at + 4 :]

    def flip(at: int) -> bytes:
        return good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]

    cases = {
        "magic": (b"NNCPX\0\0\3" + good[8:], "UnknownMagic"),
        "obsolete-1": (b"NNCPB\0\0\1" + good[8:], "ObsoleteMagic"),
        "obsolete-2": (b"NNCPB\0\0\2" + good[8:], "ObsoleteMagic"),
        "space-zero": (number(8, 0), "Costs"),
        "time-zero": (number(12, 0), "Costs"),
        "parallel-zero": (number(16, 0), "Costs"),
        "space-huge": (number(8, 0xFFFFFFFF), "Costs"),
        "parallel-huge": (number(16, 0xFFFFFFFF), "Costs"),
        "time-huge": (number(12, 0xFFFFFFFF), "Costs"),
        "space-other": (number(8, 6), "Forged"),
        "salt-flipped": (flip(20), "Forged"),
        "blob-flipped": (flip(56), "Forged"),
        "length-huge": (number(52, 0xFFFFFFFF), "BadField"),
        "length-below-tag": (number(52, 15), "BadField"),
        "cut-in-blob": (good[:60], "BadField"),
        "fill-missing": (good[:-1], "BadField"),
        "cut-in-header": (good[:55], "BadField"),
        "empty": (b"", "BadField"),
    }
    for case, (raw, _) in cases.items():
        (directory / f"refused-{case}.eblob").write_bytes(raw)
    return [{"file": f"refused-{case}.eblob", "error": error} for case, (_, error) in cases.items()]
