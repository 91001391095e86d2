"""Packets in queues and on the stick: whole, and somewhere."""

import subprocess
from pathlib import Path

from ..harness.implementation import reference
from ..harness.world import World, is_packet, rule


def nothing(world: World) -> None:
    pass


def whole(path: Path) -> bool:
    """Whether a packet's content has the hash that is its name."""
    done = subprocess.run([reference().command("hash"), "-file", path], capture_output=True, check=True)
    import base64

    return base64.b32encode(bytes.fromhex(done.stdout.decode().strip())).decode().rstrip("=") == path.name


def packets_below(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if is_packet(found) and found.parent.name not in ("hdr", "seen")]


def all_whole(world: World) -> None:
    """Whatever bears a packet's name is that packet, on the stick and in every queue."""
    places = [world.stick] + [node.spool for node in world.nodes.values()]
    for packet in (found for place in places for found in packets_below(place)):
        if packet.parent.name in ("rx", "tx") or world.stick in packet.parents:
            assert whole(packet), f"{packet} is not what its name says"


def has_file(world: World) -> bool:
    return rule(200_000) in world["bob"].received().values()


def one_file(world: World) -> None:
    """doc/weaknesses.md W5: a file is not delivered twice."""
    assert delivered(world) == ["dir/f"], delivered(world)


def delivered(world: World) -> list[str]:
    """Names of what bob received, without what a killed run could not clean up."""
    return [name for name in world["bob"].received() if not Path(name).name.startswith("nncp")]
