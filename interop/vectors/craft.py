"""Packets made by hand, to any recipe: what the reference will not make for us."""

import struct
from dataclasses import dataclass, field

import blake3
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .keys import Area, Keys

BLOCK = 128 * 1024
TAG = 16
HEADER = 172
PLAIN_HEADER = 276
SIZE = 16
PACKET_MAGIC = b"NNCPE\0\0\6"
PLAIN_MAGIC = b"NNCPP\0\0\3"
FILE, FREQ, EXEC, TRNS, EXEC_FAT, AREA, ACK = range(1, 8)


def rule(length: int) -> bytes:
    """The payload of the vectors: byte i is i mod 251."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def plain(kind: int, nice: int, path: bytes, payload: bytes, **odd) -> bytes:
    """A plain packet. `odd` may set magic, pathlen and the bytes after the path."""
    field_bytes = path + odd.get("fill", b"\0" * (256 - len(path)))
    header = odd.get("magic", PLAIN_MAGIC) + struct.pack(
        ">III", kind, nice, odd.get("pathlen", len(path))
    )
    return header + field_bytes + payload


def derive(context: bytes, shared: bytes) -> bytes:
    return blake3.blake3(shared, derive_key_context=context.decode()).digest()


@dataclass
class Recipe:
    """How to seal a plain packet, faults included. Without faults: as the format says."""

    sender: Keys
    recipient: Keys | Area
    nice: int = 224
    ephemeral: bytes = bytes([0x41]) * 32
    pad: int = 0
    # Faults. None: the true value.
    size_claim: int | None = None
    pad_claim: int | None = None
    inner_pad: bytes | None = None
    outer_pad: bytes | None = None
    epub: bytes | None = None
    shared: bytes | None = None
    recipient_id: bytes | None = None
    sender_id: bytes | None = None
    signature: bytes | None = None
    swap_keys: bool = field(default=False)


def seal(recipe: Recipe, plaintext: bytes) -> bytes:
    """The encrypted packet that `recipe` makes of `plaintext`."""
    private = X25519PrivateKey.from_private_bytes(recipe.ephemeral)
    epub = recipe.epub or private.public_key().public_bytes_raw()
    signed = (
        PACKET_MAGIC
        + struct.pack(">I", recipe.nice)
        + (recipe.sender_id or recipe.sender.id)
        + (recipe.recipient_id or recipe.recipient.id)
        + epub
    )
    signature = recipe.signature or recipe.sender.sign.sign(signed)
    shared = recipe.shared or private.exchange(
        X25519PublicKey.from_public_bytes(recipe.recipient.exchpub)
    )
    return signed + signature + body(recipe, plaintext, shared, signed)


def body(recipe: Recipe, plaintext: bytes, shared: bytes, signed: bytes) -> bytes:
    full = ChaCha20Poly1305(derive(PACKET_MAGIC + b" FULL", shared))
    size = ChaCha20Poly1305(derive(PACKET_MAGIC + b" SIZE", shared))
    if recipe.swap_keys:
        full, size = size, full
    pad_key = derive(PACKET_MAGIC + b" PAD", shared)
    associated = blake3.blake3(signed).digest()
    out: list[bytes] = []

    def block(key, data: bytes) -> None:
        out.append(key.encrypt(len(out).to_bytes(12, "big"), data, associated))

    whole = len(plaintext) // BLOCK * BLOCK
    for start in range(0, whole, BLOCK):
        block(full, plaintext[start : start + BLOCK])
    claims = (
        len(plaintext) if recipe.size_claim is None else recipe.size_claim,
        recipe.pad if recipe.pad_claim is None else recipe.pad_claim,
    )
    last = struct.pack(">QQ", *claims) + plaintext[whole:]
    key = size
    if len(last) > BLOCK:
        block(size, last[:BLOCK])
        key, last = full, last[BLOCK:]
    inner = min(recipe.pad, BLOCK - len(last))
    block(key, last + (bytes(inner) if recipe.inner_pad is None else recipe.inner_pad))
    outer = blake3.blake3(b"", key=pad_key).digest(length=max(recipe.pad - inner, 1))
    out.append(outer[: recipe.pad - inner] if recipe.outer_pad is None else recipe.outer_pad)
    return b"".join(out)


def mth(data: bytes) -> bytes:
    """The Merkle tree hash that names a packet."""
    leaf_key = blake3.blake3(b"NNCP MTH LEAF").digest()
    node_key = blake3.blake3(b"NNCP MTH NODE").digest()
    level = [
        blake3.blake3(data[start : start + BLOCK], key=leaf_key).digest()
        for start in range(0, len(data) or 1, BLOCK)
    ]
    if len(level) == 1:
        level *= 2
    while len(level) > 1:
        pairs = [
            blake3.blake3(level[i] + level[i + 1], key=node_key).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]
