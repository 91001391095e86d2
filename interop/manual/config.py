"""Configurations as the manual's workflow makes them: printed by `nncp-cfgnew`, then public keys are exchanged."""

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stage import Actor

PUBLIC = ("id", "exchpub", "signpub", "noisepub")


def fresh(node: "Actor") -> dict:
    """New keys of the implementation's own, read through its directory form."""
    command = node.stage.implementation.command
    printed = subprocess.run([command("cfgnew"), "-nocomments"], capture_output=True, check=True).stdout
    new, tree = node.home / "fresh.new.hjson", node.home / "fresh.d"
    new.write_bytes(printed)
    subprocess.run([command("cfgdir"), "-cfg", str(new), "-dump", str(tree)], capture_output=True, check=True)
    keys = {path.name: path.read_text().strip() for path in (tree / "self").iterdir()}
    shutil.rmtree(tree)
    return {"spool": str(node.spool), "log": str(node.home / "log"), "self": keys, "neigh": {}}


def introduce(nodes: list["Actor"]) -> None:
    """Everybody knows everybody, and may put files where they arrive."""
    for node in nodes:
        for other in nodes:
            section = {key: other.config["self"][key] for key in PUBLIC} | {"incoming": str(node.incoming)}
            node.config["neigh"]["self" if other is node else other.name] = section
        write(node)


def write(node: "Actor") -> None:
    path = node.home / "nncp.hjson"
    path.write_text(json.dumps(node.config, indent=1))
    path.chmod(0o600)
