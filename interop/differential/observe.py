"""What a command left behind, with everything taken out that differs between two runs of one program."""

import hashlib
import io
import os
import re
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ..harness.implementation import ROOT, reference
from ..harness.world import KEYS

HEADER, PLAIN_HEADER = 172, 276
KINDS = {1: "file", 2: "freq", 3: "exec", 4: "trns", 5: "exec-fat", 6: "area", 7: "ack"}
OWNERS = {keys["id"]: name for name, keys in KEYS["nodes"].items()} | {KEYS["area"]["id"]: "area news"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NAME = re.compile(r"(?<![A-Z2-7])[A-Z2-7]{52}(?![A-Z2-7])")
LONG_KEY = re.compile(r"(?<![A-Z2-7])[A-Z2-7]{103}(?![A-Z2-7])")
# `cfgnew -yggdrasil`; hashes are compared, so these are told by what stands before them.
HEX_KEY = re.compile(r"(?<=: )[0-9a-f]{64,128}$", re.MULTILINE)
TEMPORARY = re.compile(r"nncp(file|xfer|bundle|reass|exec)?[0-9a-f]{6,}")
# What stands before a fatal error: a line of the reference's source, or the program's name.
PREFIX = re.compile(r"^(\w+\.go:\d+: |\S*nncp-\w+: |\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )")
# Progress: control sequences, or what stands between two of them.
BAR = re.compile(r"\x1b|\d% \([^)]*/sec\)$")
# Zstandard encoders differ, so do the sizes of what they made.
EXEC_SIZE = re.compile(r"(Exec is sent to .*|Got exec from .*) \([\d.]+ [KMGTPE]?i?B\)")


class Names(Protocol):
    """Takes out of a text what differs between two runs."""

    def text(self, text: str) -> str: ...


class Known:
    """Names that stand in the state before the command ran; all others are new."""

    def __init__(self, root: Path, names: Iterable[str]):
        self.root = str(root)
        self.names = set(names) | set(OWNERS)

    def text(self, text: str) -> str:
        text = text.replace(self.root, "ROOT")
        text = TIME.sub("TIME", text)
        text = LONG_KEY.sub("LONGKEY", text)
        text = NAME.sub(lambda found: found[0] if found[0] in self.names else "NEW", text)
        return TEMPORARY.sub("TEMPORARY", text)

    def path(self, path: str) -> str:
        return self.text(path)


def messages(known: Names, raw: bytes) -> list[str]:
    """Standard error: lines in no order, without progress bars and the program's own line numbers."""
    text = re.sub(r"(Repeat p|P)assphrase:", "\n", raw.decode(errors="replace"))
    usage = "Usage:" in text or "\nOptions:" in text or "\n  -version" in text or " -h explains it" in text
    if "\ngoroutine " in text:
        return ["CRASH"]
    lines = [PREFIX.sub("", line) for line in text.replace("\r", "\n").split("\n")]
    lines = [known.text(line) for line in lines if line.strip() and not BAR.search(line)]
    lines = [EXEC_SIZE.sub(r"\1 (SIZE)", line).split(" - read: ")[0] for line in lines]
    if usage:
        # Flag errors have a line of their own; the words of the usage text, and what packmule says instead, are free.
        lines = [re.sub(r" \(did you mean .*\)$", "", line) for line in lines]
        return sorted([line for line in lines if line.startswith(("flag ", "invalid ", "bad "))] + ["USAGE"])
    return sorted(lines)


def output(known: Names, raw: bytes) -> list[str]:
    """Standard output, as text in the order it came, or its digest when it is no text."""
    if raw.startswith(b"NNCP\0") and raw[156:157] == b"5":
        return sorted(bytes_of(entry) for entry in bundled(raw))
    if raw.startswith(b"NNCPB"):
        return [f"blob of {len(raw)} bytes"]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return [bytes_of(raw)]
    text = HEX_KEY.sub("HEXKEY", text)
    if "warranty" in text.lower():
        return ["no warranty"]
    text = re.sub(r"^NNCP version .*", "NNCP version", text)
    # Hjson may open a brace on either line, and needs none around the root.
    text = re.sub(r":\s*\n\s*([{\[])", r": \1", text)
    # The words of comments in a new configuration are free.
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    return [known.text(line) for line in text.split("\n")]


def bundled(stream: bytes) -> list[bytes]:
    """The packets of a bundle with their tar headers, in the order of the stream."""
    starts = [
        at for at in range(0, len(stream), 512) if stream.startswith(b"NNCP\0", at) and stream[at + 156] == ord("5")
    ]
    return [stream[start:end] for start, end in zip(starts, [*starts[1:], len(stream)])]


def meaning(config: bytes) -> list[str]:
    """A printed configuration, as the reference's own directory form of it."""
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory) / "source", Path(directory) / "target"
        source.write_bytes(config)
        argv = [reference().command("cfgdir"), "-cfg", str(source), "-dump", str(target)]
        done = subprocess.run(argv, capture_output=True, check=False)
        if done.returncode != 0:
            return [f"which the reference can not read: {done.stderr.decode()}"]
        files = sorted(path for path in target.rglob("*") if path.is_file())
        return [f"{path.relative_to(target)} {path.read_text()!r}" for path in files]


def tree(known: Known, root: Path, everything: Path) -> list[str]:
    """Everything below `root`: one line a file, new packets told by what is in them."""
    told = []
    for path in sorted(everything.rglob("*")):
        place = known.path(str(path.relative_to(everything)))
        if path.name.endswith(".lock"):
            continue
        told.append(f"{place} {describe(known, path)}")
        if is_log(path):
            told += [f"{place} record {record}" for record in records(known, path.read_bytes())]
    return sorted(told)


def describe(known: Known, path: Path) -> str:
    status = path.lstat()
    mode = f"{stat.S_IMODE(status.st_mode):o}"
    if path.is_symlink():
        return "-> " + known.path(os.readlink(path))
    if path.is_dir():
        return f"directory {mode}"
    if not path.is_file():
        return "special"
    content = path.read_bytes()
    if is_log(path):
        return f"{mode} log"
    if TEMPORARY.fullmatch(path.name):
        return f"{mode} left over"
    if path.parent.name == "hdr" and (packet := path.parent.parent / path.name).is_file():
        same = packet.read_bytes()[:HEADER] == content
        return f"{mode} " + ("header of its packet" if same else "header of another packet")
    if NAME.fullmatch(path.name) and path.name not in known.names:
        return f"{mode} {packet_of(content)}"
    return f"{mode} {bytes_of(plain_text(known, content))}"


def plain_text(known: Known, content: bytes) -> bytes:
    """Small text files name packets too, in lines of no particular order."""
    try:
        lines = known.text(content[:100_000].decode()).split("\n")
    except UnicodeDecodeError:
        return content
    return "\n".join(sorted(lines)).encode() if len(content) < 100_000 else content


def is_log(path: Path) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(7) == b"\nWhen: "


def bytes_of(content: bytes) -> str:
    return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:16]}"


def packet_of(packet: bytes) -> str:
    """A packet, opened with its recipient's keys."""
    if len(packet) < HEADER:
        return bytes_of(packet)
    sender, recipient = OWNERS.get(base32(packet[12:44])), OWNERS.get(base32(packet[44:76]))
    head = f"nice {packet[11]} from {sender} to {recipient}"
    reader = "bob" if recipient == "area news" else recipient
    config = ROOT / "testvectors" / "config" / f"{reader}.hjson"
    done = subprocess.run(
        [reference().command("pkt"), "-dump"],
        input=packet,
        capture_output=True,
        env=os.environ | {"NNCPCFG": str(config)},
        check=False,
    )
    if done.returncode != 0:
        return f"{head}, which does not open: {done.stderr.decode()[-100:]}"
    plain = done.stdout
    kind, nice, length = KINDS.get(plain[11]), plain[15], plain[19]
    path, payload = plain[20 : 20 + length], plain[PLAIN_HEADER:]
    size = "" if kind == "exec" or kind in ("trns", "area") else f" ({len(packet)} bytes)"
    return f"[{head}{size}: {kind} nice {nice} path {path_of(kind, path)} {payload_of(kind, payload)}]"


def base32(raw: bytes) -> str:
    import base64

    return base64.b32encode(raw).decode().rstrip("=")


def path_of(kind: str | None, path: bytes) -> str:
    if kind in ("trns", "area"):
        return str(OWNERS.get(base32(path)))
    return base32(path) if kind == "ack" else repr(path)


def payload_of(kind: str | None, payload: bytes) -> str:
    if kind in ("trns", "area"):
        return packet_of(payload)
    if kind == "exec" and payload:
        done = subprocess.run(["zstd", "-dc"], input=payload, capture_output=True, check=True)
        return "compressed " + bytes_of(done.stdout)
    if payload[257:262] == b"ustar":
        return "tar " + " ".join(members(payload))
    if payload.startswith(b"NNCPM"):
        # The checksums are those of chunks that stand beside it.
        return f"description of {int.from_bytes(payload[8:16])} bytes by {int.from_bytes(payload[16:24])}"
    return bytes_of(payload)


def members(archive: bytes) -> list[str]:
    """The entries of a directory sent as a tar; its comment records name the program."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            return [f"{entry.name} {entry.type!r} {entry.mode:o} {entry.uid} {entry.gid} {entry.size}" for entry in tar]
    except tarfile.ReadError:
        return [f"cut after {len(archive)} bytes"]


def records(known: Known, log: bytes) -> list[str]:
    """The log's records, in no order."""
    told = []
    for record in log.decode(errors="replace").split("\n\n"):
        fields = [known.text(line) for line in record.strip("\n").split("\n") if line]
        if any(field in ("Type: exec", "Type: exec-fat") for field in fields):
            fields = [re.sub(r"^Size: .*", "Size: SIZE", EXEC_SIZE.sub(r"\1 (SIZE)", field)) for field in fields]
        if fields:
            told.append("; ".join(fields))
    return sorted(told)
