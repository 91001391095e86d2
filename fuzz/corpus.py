"""`corpus.py TARGET DIRECTORY` writes what a target starts from: the vectors of the reference, cut to its input."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "testvectors"
# In each target's own comment it says what its input means.


def files(*patterns: str) -> Iterator[bytes]:
    for pattern in patterns:
        for path in sorted(VECTORS.glob(pattern)):
            yield path.read_bytes()


def packets() -> list[bytes]:
    return list(files("packets/*.pkt", "hostile/*.pkt"))


def dialect() -> Iterator[bytes]:
    yield from files("config/*.hjson")
    for name in ("dialect", "faults"):
        for row in json.loads((VECTORS / f"config/{name}.json").read_text()):
            yield from (value.encode(errors="surrogatepass") for value in texts(row))


def texts(value: object) -> Iterator[str]:
    """Every text within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def expressions() -> Iterator[bytes]:
    for line in (VECTORS / "cron/expressions.txt").read_bytes().splitlines():
        yield line
        yield line.split(b"\t")[0]


def nicenesses() -> Iterator[bytes]:
    yield from (text.encode() for text in texts(json.loads((VECTORS / "niceness.json").read_text())))
    yield from (b"N", b"P+3", b"F-1", b"B", b"MAX", b"1", b"255", b"256")


def xdr_bytes(value: bytes) -> bytes:
    """As PlainHeader has its path: 255 bytes, with their length before."""
    return len(value).to_bytes(4, "big") + value.ljust(256, b"\0")


def plain_headers() -> Iterator[bytes]:
    magic = b"NNCPP\0\0\3"
    for kind in range(8):
        for path in (b"dir/f", b"", b"x" * 255, b"nncp\0arg", b"../up"):
            yield magic + kind.to_bytes(4, "big") + (224).to_bytes(4, "big") + xdr_bytes(path)


def bundles() -> Iterator[bytes]:
    """The first byte says how uneven the reads are."""
    import tarfile

    for count in (1, 3):
        with tempfile.TemporaryFile() as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for number, packet in enumerate(packets()[:count]):
                    name = "A" * 51 + "AQ"[number % 2]
                    packet = packet[:2000]
                    for entry, data in (("NNCP/", b""), (f"NNCP/{name[:52]}/{name[:52]}", packet)):
                        member = tarfile.TarInfo(entry)
                        member.size = len(data)
                        member.type = tarfile.DIRTYPE if entry.endswith("/") else tarfile.REGTYPE
                        with tempfile.TemporaryFile() as content:
                            content.write(data)
                            content.seek(0)
                            archive.addfile(member, content)
            file.seek(0)
            yield b"\x40" + file.read()


def records() -> Iterator[bytes]:
    yield b"When: 2026-11-22T22:09:36.1Z\nWho: rx\nMsg: Got file\n+ more\nSize: 12\n\n"
    yield b"# comment\n\nWhen: 2026-11-22T22:09:36Z\nWho: toss\nErr: no\n"


def frames() -> Iterator[bytes]:
    """A first byte that cuts the stream, then frames: their length behind a magic, messages inside."""
    info = b"\0\0\0\1" + (224).to_bytes(4, "big") + (300).to_bytes(8, "big") + bytes(32)
    freq = b"\0\0\0\2" + bytes(32) + (7).to_bytes(8, "big")
    for message in (b"\0\0\0\0", info, freq, b"\0\0\0\3" + bytes(40), b"\0\0\0\4" + bytes(32), b"\0\0\0\5"):
        yield b"\x05" + b"NNCPS\0\0\1" + len(message).to_bytes(4, "big") + message
        yield b"\x40" + message


def steps() -> Iterator[bytes]:
    """100 bytes of a first payload, then steps: a kind, a time, a length, bytes."""
    info = b"\0\0\0\1" + (224).to_bytes(4, "big") + (300).to_bytes(8, "big") + bytes(32)
    freq = b"\0\0\0\2" + bytes([1] * 32) + (0).to_bytes(8, "big")
    done = b"\0\0\0\4" + bytes([1] * 32)
    data = b"\0\0\0\3" + bytes(32) + (0).to_bytes(8, "big") + (4).to_bytes(4, "big") + b"data"
    halts = b"\0\0\0\0" * 25
    for messages in ((info,), (freq, done), (info, data), (freq, info, data, done)):
        yield halts + b"".join(bytes([1, 1, len(message)]) + message for message in messages)


def statement_lines() -> Iterator[bytes]:
    packet, head = "A" * 52, '{"statement":1,"ledger":"AEAQCAIBAEAQCAIBAEAQCAIBAE","number":1,"made":1,'
    yield (head + '"receipts":{"first":1,"after":0,"upto":0},"whole":true}\n').encode()
    for line in (
        f'{{"r":"done","p":"{packet}","at":1}}',
        f'{{"r":"failed","p":"{packet}","at":1,"reason":"exit status 3","tries":5}}',
        f'{{"w":"{packet}","since":1,"reason":"x","needs":{{"pieces":"3,7-9"}}}}',
        '{"f":"zfs","dataset":"tank","snapshot":"s","guid":"2656","creation":1,"applied":2}',
        '{"f":"tree","tree":"home","manifest":"ab","verdict":"equal","objects":1,"differences":0,"at":1}',
        '{"m":"AMBQGAYDAMBQGAYDAMBQGAYDAM","name":"blue","session":7,"at":1}',
        '{"o":{"packets":7,"bytes":3,"oldest":1}}',
        f'{{"o":"{packet}","size":3,"since":1}}',
    ):
        yield line.encode() + b"\n"


def zfs_streams() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as directory:
        archive = VECTORS / "zfs/streams.tar.zst"
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", directory], check=True)
        for path in sorted(Path(directory).rglob("*")):
            if path.is_file() and path.stat().st_size < 1 << 20:
                yield path.read_bytes()


TARGETS: dict[str, Callable[[], Iterator[bytes]]] = {
    "announce": lambda: iter([bytes(32), bytes(33)]),
    "bundle": bundles,
    "config": dialect,
    "cron": expressions,
    "eblob": lambda: files("eblob/*.eblob"),
    # A number of a genuine packet, a length to cut off, and bytes of another.
    "encrypted_packet": lambda: (bytes([which, 0, which]) + packet[:3000] for which, packet in enumerate(packets())),
    "hjson": dialect,
    "meta": lambda: files("chunked/*.meta"),
    "mtree_read": lambda: (path.read_bytes() for path in sorted((ROOT / "fuzz/seeds/mtree_read").iterdir())),
    "niceness": nicenesses,
    "plain_header": plain_headers,
    "recfile": records,
    "statement": statement_lines,
    "sync_frames": frames,
    "sync_session": steps,
    "zfs_stream": zfs_streams,
}


def main() -> None:
    target, directory = sys.argv[1], Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, seed in enumerate(TARGETS[target](), 1):
        (directory / f"seed-{count:04}").write_bytes(seed)
    if count == 0:
        raise SystemExit(f"no seeds for {target}")


main()
