"""Packets that every implementation must open: what the reference made, with what is inside."""

import json
from pathlib import Path

from . import craft
from .craft import BLOCK, PLAIN_HEADER, SIZE, rule
from .keys import Area, base32, blake2b, nodes
from .reference import Node

KINDS = {1: "file", 2: "freq", 3: "exec", 4: "trns", 5: "exec-fat", 6: "area", 7: "ack"}

# Payload lengths around every edge of the block layout: one byte to each side of
# a full SIZE block, of the tail block behind it, and of one and two full blocks.
EDGES = [
    0, 1,
    BLOCK - SIZE - PLAIN_HEADER - 1, BLOCK - SIZE - PLAIN_HEADER, BLOCK - SIZE - PLAIN_HEADER + 1,
    BLOCK - PLAIN_HEADER - 1, BLOCK - PLAIN_HEADER, BLOCK - PLAIN_HEADER + 1,
    2 * BLOCK - SIZE - PLAIN_HEADER, 2 * BLOCK - SIZE - PLAIN_HEADER + 1,
    2 * BLOCK - PLAIN_HEADER - 1, 2 * BLOCK - PLAIN_HEADER,
]  # fmt: skip


class Collection:
    """Packets written to a directory, and the manifest that tells what they hold."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.entries: list[dict] = []
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()

    def add(self, file: str, packet: bytes, made_by: str, **more) -> dict:
        (self.directory / f"{file}.pkt").write_bytes(packet)
        entry = {"file": f"{file}.pkt", "made_by": made_by} | describe(packet) | more
        self.entries.append(entry)
        return entry

    def close(self) -> None:
        text = json.dumps(self.entries, indent=1) + "\n"
        (self.directory / "manifest.json").write_text(text)


def node_name(raw: bytes) -> str:
    for name, keys in nodes().items():
        if keys.id == raw:
            return name
    return Area.name if raw == Area().id else base32(raw)


def describe(packet: bytes) -> dict:
    """What the encrypted header says, the packet's name and length."""
    return {
        "name": base32(craft.mth(packet)),
        "length": len(packet),
        "nice": packet[11],
        "sender": node_name(packet[12:44]),
        "recipient": node_name(packet[44:76]),
    }


def describe_plain(plain: bytes) -> dict:
    """What the reference found inside, field by field."""
    length = plain[19]
    payload = plain[PLAIN_HEADER:]
    if payload == rule(len(payload)):
        told: dict[str, int | str] = {"rule": len(payload)}
    elif len(payload) <= 1024:
        told = {"hex": payload.hex()}
    else:
        told = {"length": len(payload), "mth": craft.mth(payload).hex()}
    return {
        "kind": KINDS[plain[11]],
        "plain_nice": plain[15],
        "path": plain[20 : 20 + length].hex(),
        "payload": told,
    }


def pad_of(packet: bytes, plain: bytes) -> int:
    tags = 16 * -(-(len(plain) + SIZE) // BLOCK)
    return len(packet) - craft.HEADER - len(plain) - SIZE - tags


def make(directory: Path) -> dict[str, bytes]:
    """Makes them all. Answers with each packet by its file name, for the refusals."""
    collection = Collection(directory)
    alice, bob = Node("alice"), Node("bob")

    def sent(file: str, command: str, *arguments: str, stdin: bytes = b"") -> None:
        alice.run(command, *arguments, stdin=stdin)
        name, packet = alice.take_one(bob.keys.id)
        plain = bob.opened(packet)
        entry = collection.add(
            file, packet, "reference", **describe_plain(plain), pad=pad_of(packet, plain)
        )
        assert entry["name"] == name, file

    kinds(sent)
    sizes(sent)
    relayed(collection)
    area_message(collection)
    crafted(collection, bob)
    collection.close()
    return {
        entry["file"]: (directory / entry["file"]).read_bytes() for entry in collection.entries
    }


def kinds(sent) -> None:
    sent("file", "file", "-", "bob:dir/hi", stdin=b"hello\n")
    sent("file-longest-path", "file", "-", "bob:" + "p" * 255, stdin=rule(10))
    sent("file-utf8-path", "file", "-", "bob:a/ä ö/…", stdin=rule(10))
    sent("file-climbing-path", "file", "-", "bob:../up", stdin=rule(10))
    for nice in ("1", "F", "P+3", "MAX"):
        sent(f"file-nice-{nice}", "file", "-nice", nice, "-", "bob:f", stdin=rule(10))
    sent("freq", "freq", "bob:src/f", "dst/g")
    sent("freq-whole-tree", "freq", "-nice", "F", "-replynice", "F+7", "bob:", "all")
    sent("exec", "exec", "bob", "handle", "one", "", "three", stdin=rule(1000))
    sent("exec-empty", "exec", "-nice", "N", "-replynice", "MAX", "bob", "handle")
    sent("exec-fat", "exec", "-nocompress", "bob", "handle", "arg", stdin=rule(1000))
    sent("exec-fat-empty", "exec", "-nocompress", "bob", "handle")
    acked = base32(craft.mth(b""))
    sent("ack", "ack", "-node", "bob", "-pkt", acked)
    sent("ack-padded", "ack", "-minsize", "1", "-node", "bob", "-pkt", acked)


def sizes(sent) -> None:
    for length in EDGES:
        sent(f"size-{length}", "file", "-", "bob:f", stdin=rule(length))
    # Padding that ends inside the last block, and beyond it.
    for length, minsize in [
        (0, 1), (1, 3), (1, 128), (1, 129), (BLOCK - SIZE - PLAIN_HEADER, 129),
        (BLOCK - SIZE - PLAIN_HEADER + 1, 129), (BLOCK - SIZE - PLAIN_HEADER + 1, 257), (1000, 0),
    ]:  # fmt: skip
        arguments = ("-minsize", str(minsize), "-", "bob:f")
        sent(f"pad-{length}-to-{minsize}k", "file", *arguments, stdin=rule(length))


def relayed(collection: Collection) -> None:
    """Through one, two and three relays; `layers` is what each of them passes on."""
    routes = [
        ("via-1", ["carol"], 0),
        ("via-1-padded", ["carol"], 2),
        ("via-2", ["carol", "dave"], 0),
        ("via-3", ["carol", "dave", "erin"], 0),
        ("via-3-padded", ["carol", "dave", "erin"], 8),
    ]
    for file, hops, minsize in routes:
        alice = Node("alice")
        arguments = ("-via", ",".join(hops), "-minsize", str(minsize), "-nice", "N", "-", "bob:f")
        alice.run("file", *arguments, stdin=rule(1000))
        relays = [Node(hop) for hop in hops] + [Node("bob")]
        name, packet = outermost = alice.take_one(relays[0].keys.id)
        layers, previous = [], alice
        for node, following in zip(relays, relays[1:]):
            layer = describe_plain(node.opened(packet))
            node.put(previous.keys.id, name, packet)
            node.run("toss", "-quiet")
            name, packet = node.take_one(following.keys.id)
            layer["payload"] = describe(packet)
            layers.append(layer)
            previous = node
        plain = relays[-1].opened(packet)
        layers.append(describe_plain(plain) | {"pad": pad_of(packet, plain)})
        collection.add(file, outermost[1], "reference", route=hops, layers=layers)


def area_message(collection: Collection) -> None:
    """A message to an area: as the author queues it for himself, and as he sends it on."""
    area = Area()
    for file, minsize in [("area", 0), ("area-padded", 4)]:
        alice, bob = Node("alice"), Node("bob")
        alice.run("file", "-minsize", str(minsize), "-", f"area:{area.name}:f", stdin=rule(1000))
        _, queued = alice.take_one(alice.keys.id)
        inner = alice.opened(queued)[PLAIN_HEADER:]
        message = describe(inner) | {"msgid": base32(blake2b(inner[:172]))}
        # The area's key opens it for every member.
        message |= describe_plain(bob.opened(inner))
        for suffix, owner, packet in [("-queued", alice, queued), ("", bob, None)]:
            if packet is None:
                alice.put_own(queued)
                alice.run("toss", "-quiet", "-node", "self")
                _, packet = alice.take_one(bob.keys.id)
            plain = owner.opened(packet)
            told = describe_plain(plain) | {"payload": message, "pad": pad_of(packet, plain)}
            collection.add(file + suffix, packet, "reference", **told)


def crafted(collection: Collection, bob: Node) -> None:
    """What no option of the reference gives, but what it reads: checked by its reading it."""
    everyone = nodes()
    # Non-zero bytes behind the path are nobody's business.
    plain = craft.plain(craft.FILE, 224, b"f", rule(10), fill=b"\xa5" * 255)
    packet = craft.seal(craft.Recipe(everyone["alice"], everyone["bob"]), plain)
    assert bob.opened(packet) == plain
    told = describe_plain(plain) | {"pad": 0}
    collection.add("path-field-not-zeroed", packet, "hand", **told)


def sealed(path: Path) -> None:
    """Packets as their ephemeral key fixes them byte for byte, told by length and name alone.

    All are alice's to bob, a file `f`, niceness 224, ephemeral key 32 times 0x41. The reference
    is made to open each one.
    """
    everyone, bob = nodes(), Node("bob")
    cases = [(length, 0) for length in EDGES]
    for length in (0, 1, 1000, *EDGES[2:8]):
        rest = (length + PLAIN_HEADER) % BLOCK
        last = rest - (BLOCK - SIZE) if rest > BLOCK - SIZE else rest + SIZE
        room = BLOCK - last
        cases += [(length, pad) for pad in (1, 543, room - 1, room, room + 1, room + BLOCK)]
    entries = []
    for length, pad in sorted({case for case in cases if case[1] >= 0}):
        recipe = craft.Recipe(everyone["alice"], everyone["bob"], pad=pad)
        plain = craft.plain(craft.FILE, 224, b"f", rule(length))
        packet = craft.seal(recipe, plain)
        assert bob.opened(packet) == plain, (length, pad)
        name = base32(craft.mth(packet))
        entries.append({"payload": length, "pad": pad, "length": len(packet), "name": name})
    path.write_text(json.dumps(entries, indent=1) + "\n")
