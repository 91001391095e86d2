"""The fixed keys of the test vectors: made of constant bytes, so that anybody can make them again."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

# Name, then the byte that fills the Ed25519 seed; the next two fill exchange and noise keys.
NODES = {"alice": 0x11, "bob": 0x21, "carol": 0x31, "dave": 0x51, "erin": 0x61}
# A node that nobody has in the configuration.
STRANGER = {"stranger": 0x71}
AREA_BYTE = 0x81


def base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def unbase32(text: str) -> bytes:
    return base64.b32decode(text + "=" * (-len(text) % 8))


def blake2b(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=32).digest()


class Keys:
    """The keys of one node, raw."""

    def __init__(self, name: str, byte: int):
        self.name = name
        self.sign = Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32)
        self.signpub = self.sign.public_key().public_bytes_raw()
        self.signprv = bytes([byte]) * 32 + self.signpub
        self.exchprv, self.exchpub = exchange(byte + 1)
        self.noiseprv, self.noisepub = exchange(byte + 2)
        self.id = blake2b(self.signpub)

    def public(self) -> dict:
        names = ("id", "exchpub", "signpub", "noisepub")
        return {name: base32(getattr(self, name)) for name in names}

    def private(self) -> dict:
        names = ("exchprv", "signprv", "noiseprv")
        return self.public() | {name: base32(getattr(self, name)) for name in names}


class Area:
    """The keys of the one area, raw."""

    name = "news"

    def __init__(self):
        self.exchprv, self.exchpub = exchange(AREA_BYTE)
        self.id = blake2b(self.exchpub)

    def text(self) -> dict:
        return {"id": base32(self.id), "pub": base32(self.exchpub), "prv": base32(self.exchprv)}


def exchange(byte: int) -> tuple[bytes, bytes]:
    """An X25519 pair whose private key is 32 times `byte`."""
    private = bytes([byte]) * 32
    return private, X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def nodes() -> dict[str, Keys]:
    return {name: Keys(name, byte) for name, byte in NODES.items()}


def stranger() -> Keys:
    return Keys("stranger", STRANGER["stranger"])
