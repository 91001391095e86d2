"""Sets of ZFS datasets: what a flag, the configuration and `doctor` make of them."""

import subprocess
from pathlib import Path

from ..harness.implementation import binary, packmule
from ..harness.world import Node, World

SETTINGS = {
    # Key, a value that zfs send can not use or that shows in its arguments, and the flag that says the default.
    "naming": ("bogus", ("-naming", "packmule"), "naming"),
    "zstd": (99, ("-zstd", "3"), "zstd"),
    "keep-marks": ("soon", ("-keep-marks", "90d"), "keep-marks"),
    "nice": ("loud", ("-nice", "B"), "loud"),
}

FAKE = """#!/bin/sh
[ "$1" = get ] && { echo "$0: the pool does not exist" >&2; exit 1; }
exit 0
"""


def own(node: Node, *words: str | Path) -> str:
    """What a command says that only packmule has, and that fails."""
    command = [binary(), *map(str, words)]
    done = subprocess.run(command, env=node.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1, f"status {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def laptop(directory: Path, sets: dict) -> tuple[Node, Path]:
    world = World(directory, {name: packmule() for name in ("alice", "bob")})
    alice = world["alice"]
    fake = directory / "zfs"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    alice.config["packmule"] = {"zfs": {"sets": sets}}
    alice.write_config()
    return alice, fake


def claim_a_flag_that_was_given_beats_the_configuration(directory: Path):
    """A flag of `zfs send` that equals its default beats the set of the configuration all the same."""
    for number, (key, (value, flag, word)) in enumerate(SETTINGS.items()):
        alice, fake = laptop(directory / str(number), {"main": {key: value}})
        send = ("zfs", "send", "-zfs", fake)
        without = own(alice, *send, "bob", "tank/home")
        assert word in without and str(value) in without, without
        given = own(alice, *send, *flag, "bob", "tank/home")
        assert str(value) not in given and "tank/home does not exist" in given, given


def claim_two_sets_that_meet_are_an_error(directory: Path):
    """Two sets that send one dataset to one place are an error that names both; another host or handle is none."""
    first = {"to": ["bob"], "datasets": ["tank"], "recursive": True, "zfs": "/bin/false"}
    second = {"to": ["bob"], "datasets": ["tank/home"], "zfs": "/bin/false"}
    alice, _ = laptop(directory / "meet", {"daily": first, "weekly": second})
    for command in (("zfs", "run"), ("doctor",)):
        text = own(alice, *command)
        assert "daily and weekly both send tank/home to bob" in text, text
    for more in ({"host": "other"}, {"handle": "other"}, {"to": ["self"]}, {"datasets": ["tankhome"]}):
        alice, _ = laptop(directory / "-".join(more), {"daily": first, "weekly": second | more})
        text = own(alice, "zfs", "run")
        assert "both send" not in text, text


def claim_a_wrong_set_is_named_by_its_key(directory: Path):
    """`zfs run` and `doctor` name the whole path of a wrong key or value of a set."""
    rows = {
        "keep": (-1, "packmule.zfs.sets.main.keep: -1 is not a number from 0 up"),
        "dataset": (["tank"], "packmule.zfs.sets.main.dataset: unknown key"),
        "to": ("bob", 'packmule.zfs.sets.main.to: "bob" is not a list of strings'),
        "recursive": ("yes", 'packmule.zfs.sets.main.recursive: "yes" is not true or false'),
        "encrypt": ("age -r K", 'packmule.zfs.sets.main.encrypt: "age -r K" is not a list of words'),
    }
    for key, (value, want) in rows.items():
        good = {"to": ["bob"], "datasets": ["tank"]}
        alice, _ = laptop(directory / key, {"main": good | {key: value}})
        for command in (("zfs", "run"), ("doctor",)):
            text = own(alice, *command)
            assert want in text, text
    alice, _ = laptop(directory / "node", {"main": {"to": ["vualt"], "datasets": ["tank"]}})
    text = own(alice, "doctor")
    assert "packmule.zfs.sets.main.to" in text and "vualt" in text, text
