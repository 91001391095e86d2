"""Packets in bob's queue, genuine and hostile, and what came of them."""

import shutil
import subprocess
from pathlib import Path

from ..harness.implementation import ROOT, reference
from ..harness.world import Done, World, ident

BLOCK = 128 * 1024
SEALED = BLOCK + 16
HOSTILE = ROOT / "testvectors" / "hostile"


def sent(world: World, *command: str, stdin: bytes = b"", to: str = "bob", sender: str = "alice") -> Path:
    """The packet that a command of `sender` puts into `to`'s queue of received packets."""
    before = set(world[sender].packets("tx", to))
    world[sender].run(*command, stdin=stdin).ok()
    (packet,) = set(world[sender].packets("tx", to)) - before
    (packet.parent / "hdr" / packet.name).unlink(missing_ok=True)
    queue = world[to].spool / ident(sender) / "rx"
    queue.mkdir(parents=True, exist_ok=True)
    return packet.rename(queue / packet.name)


def hostile(world: World, case: str) -> Path:
    """A packet of testvectors/hostile in bob's queue, under its right name."""
    source = HOSTILE / f"{case}.pkt"
    done = subprocess.run([reference().command("hash"), "-file", source], capture_output=True, check=True)
    import base64

    name = base64.b32encode(bytes.fromhex(done.stdout.decode().strip())).decode().rstrip("=")
    queue = world["bob"].spool / ident("alice") / "rx"
    queue.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, queue / name)
    return queue / name


def below(path: Path) -> set[str]:
    return {str(found.relative_to(path)) for found in path.rglob("*")}


def ran(world: World) -> bytes:
    path = world["bob"].home / "ran"
    return path.read_bytes() if path.exists() else b""


def refused(world: World, case: str) -> Done:
    """The packet stays, the status tells, and nothing appears outside of the spool and the log."""
    packet = hostile(world, case)
    before = {name for name in below(world.directory) if "/spool/" not in name}
    done = world["bob"].run("toss").fails()
    after = {name for name in below(world.directory) if "/spool/" not in name}
    assert after <= before | {"bob/log", "bob/log.lock"}, f"{case}: {after - before}"
    assert packet.exists(), f"{case}: the packet is gone"
    packet.unlink()
    return done


def posted(world: World, *command: str, stdin: bytes = b"") -> Path:
    """A message to the area in bob's queue."""
    alice = world["alice"]
    alice.config["areas"]["news"]["subs"] = ["bob"]
    alice.write_config()
    alice.run(*command, stdin=stdin).ok()
    alice.run("toss").ok()
    world.carry("alice", "bob")
    (packet,) = world["bob"].packets("rx", "alice")
    return packet
