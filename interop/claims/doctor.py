"""`packmule doctor` looks at everything that commands trip over."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from ..harness.implementation import binary, packmule
from ..harness.runner import Skipped
from ..harness.world import Node, World
from .configuration import as_nobody, doctor


def alice(directory: Path) -> Node:
    return World(directory, {"alice": packmule()})["alice"]


def names(node: Node, **who) -> set[str]:
    """The names of what doctor finds; how full the disk is depends on the machine."""
    done = subprocess.run(
        [binary(), "doctor", "-json"], env=node.environment(), capture_output=True, text=True, check=False, **who
    )
    return {json.loads(line)["name"] for line in done.stdout.splitlines()} - {"space-low"}


def claim_each_mistake_in_a_configuration_is_found(directory: Path):
    """Handlers, addresses, calls, rules and notifications that can not work are each a finding."""
    node = alice(directory)
    assert names(node) == set(), names(node)
    healthy = json.dumps(node.config)
    cron = {"cron": "*/5 * * * *"}
    area = next(iter(node.config["areas"]))
    for path, value, want in (
        ("neigh.bob.exec", {"h": ["nosuchprogram"]}, "program-missing"),
        ("neigh.bob.exec", {"h": ["nix-store --import"]}, "program-missing"),
        ("neigh.bob.exec", {"h": ["/etc"]}, "program-missing"),
        ("neigh.bob.exec", {"h": ["/etc/passwd", "x"]}, "program-missing"),
        ("neigh.bob.exec", {"h": []}, "program-missing"),
        ("neigh.bob.exec", {"h": ["builtin:zfs-recieve"]}, "handler-unusable"),
        ("neigh.bob.exec", {"h": ["builtin:mtree-verify", "--tre", "a=/b"]}, "handler-unusable"),
        ("neigh.bob.addrs", {"a": "tcp://h:5400"}, "address-wrong"),
        ("neigh.bob.addrs", {"a": "h"}, "address-wrong"),
        ("neigh.bob.addrs", {"a": "h:99999"}, "address-wrong"),
        ("neigh.bob.addrs", {"a": "h:5400 # home"}, "address-wrong"),
        ("neigh.bob.addrs", {"a": "fe80::1:5400"}, "address-wrong"),
        ("neigh.bob.addrs", {"a": ""}, "address-wrong"),
        ("neigh.bob.calls", [cron | {"addr": "wan"}], "address-wrong"),
        ("neigh.bob.calls", [cron], "call-without-address"),
        ("mcd-listen", ["eth[0-9"], "rule-wrong"),
        ("mcd-send", {"(": 10}, "rule-wrong"),
        ("notify", {"file": {"from": "a", "to": "b"}}, "notify-without-mailer"),
        ("notify", {"exec": {"*.nosuch": {"from": "a", "to": "b"}}}, "notify-unused"),
        (f"areas.{area}.exec", {"h": ["builtin:mtree-verify", "--tree", "a=/b", "--report-exec=r"]}, "answer-lost"),
        ("packmule", {"zfs": {"set": {}}}, "zfs-set-unusable"),
        ("packmule", {"zsf": {}}, "zfs-set-unusable"),
        ("neigh.bob.packmule", {"zfs": {}}, "zfs-set-unusable"),
    ):
        node.config = json.loads(healthy)
        *above, last = path.split(".")
        section = node.config
        for key in above:
            section = section[key]
        section[last] = value
        node.write_config()
        assert want in names(node), (path, value, names(node))
        assert "nothing is wrong" not in doctor(node)


def claim_what_is_wrong_with_a_set_is_told_with_its_key(directory: Path):
    """Each fault of packmule.zfs.sets is told in our words with the path of its key, by doctor and by zfs run."""
    node = alice(directory)
    zfs = directory / "zfs"
    zfs.write_text('#!/bin/sh\ncase "$*" in *tank/there*) echo tank/there;; *) echo "does not exist" >&2; exit 1;; esac\n')
    zfs.chmod(0o755)
    right = {"to": ["bob"], "datasets": ["tank/there"], "zfs": str(zfs)}
    for change, want in (
        ({"kep": 7}, "packmule.zfs.sets.main.kep: "),
        ({"keep": -1}, "packmule.zfs.sets.main.keep: -1 is not "),
        ({"keep": "7"}, "packmule.zfs.sets.main.keep: "),
        ({"recursive": "yes"}, "packmule.zfs.sets.main.recursive: "),
        ({"to": "bob"}, "packmule.zfs.sets.main.to: "),
        ({"to": ["bbo"]}, 'packmule.zfs.sets.main.to: no neighbour is called "bbo": bob'),
        ({"to": []}, "packmule.zfs.sets.main.to: the list is empty"),
        ({"datasets": []}, "packmule.zfs.sets.main.datasets: the list is empty"),
        ({"datasets": ["a//b"]}, "packmule.zfs.sets.main.datasets: illegal"),
        ({"zstd": 99}, "packmule.zfs.sets.main.zstd: 99 is not "),
        ({"naming": "bogus"}, 'packmule.zfs.sets.main.naming: "bogus" is '),
        ({"keep-marks": "1y"}, "packmule.zfs.sets.main.keep-marks: "),
        ({"nice": "Z"}, "packmule.zfs.sets.main.nice: "),
        ({"datasets": ["tank/gone"]}, "packmule.zfs.sets.main.datasets: tank/gone does not exist"),
    ):
        node.config["packmule"] = {"zfs": {"sets": {"main": right | change}}}
        node.write_config()
        found = doctor(node)
        assert want in found, (change, found)
        if "gone" not in want:
            run = subprocess.run([binary(), "zfs", "run"], env=node.environment(), capture_output=True, check=False)
            assert run.returncode == 1 and want.encode() in run.stderr, (change, run)
    node.config["packmule"] = {"zfs": {"sets": {"main": right}}}
    node.write_config()
    assert names(node) == set(), doctor(node)


def claim_what_an_interrupted_command_left_is_found(directory: Path):
    """The temporary file of a command that was killed is found at once, that of one at work is not."""
    node = alice(directory)
    command = [node.implementation.command("file"), "-quiet", "-", "bob:x"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=node.environment())
    assert process.stdin is not None
    process.stdin.write(os.urandom(4 << 20))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not list(node.spool.glob("tmp/*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "tmp-stale" not in names(node)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if list(node.spool.glob("tmp/*")):
        assert "tmp-stale" in names(node)
        node.run("rm", "-tmp").ok()
    assert "tmp-stale" not in names(node)


def claim_a_spool_that_two_users_break_is_found(directory: Path):
    """A half-shared spool, files in a shared one that its group can not use, and a foreign log lock are found."""
    if os.geteuid() != 0:
        raise Skipped("only root can give files away")
    node = alice(directory)
    node.run("file", "-", "bob:x", stdin=b"x").ok()
    who = as_nobody(node, directory)
    assert names(node, **who) == set(), names(node, **who)
    lock = node.home / "log.lock"
    os.chown(lock, 0, 0)
    lock.chmod(0o600)
    assert "log-unwritable" in names(node, **who) and "log-closed" in names(node)
    subprocess.run(["chown", "nobody", lock], check=True)
    node.spool.chmod(0o770)
    assert "spool-half-shared" in names(node)
    node.spool.chmod(0o2770)
    assert "spool-half-shared" in names(node), "what was made before is not shared"
    group = node.spool.stat().st_gid
    subprocess.run(["chgrp", "-R", str(group), node.spool], check=True)
    subprocess.run(["chmod", "-R", "g+rwX", node.spool], check=True)
    subprocess.run(["find", node.spool, "-type", "d", "-exec", "chmod", "g+s", "{}", "+"], check=True)
    assert names(node) == set(), doctor(node)
    node.run("file", "-", "bob:y", stdin=b"y").ok()
    assert names(node) == set(), doctor(node)


def claim_builtins_have_one_grammar(directory: Path):
    """Every builtin takes --name value and --name=value, and names the setting that was meant."""
    node = alice(directory)

    def handle(*words: str) -> bytes:
        command = [binary(), "handle", *words, "--"]
        environment = node.environment() | {"NNCP_SENDER": node.id, "NNCP_SELF": node.id}
        return subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False).stderr

    zfs = ("--zfs=/bin/false",)
    for builtin, settings in (
        ("zfs-receipt", [("--destination=v",), ("--destination", "v"), ("-destination=v",)]),
        ("zfs-receive", [("--into=tank/x",), ("--into", "tank/x"), ("-into", "tank/x"), ("--into=tank/x", "-o=a:b=c")]),
        ("mtree-verify", [("--tree=a=/b",), ("--tree", "a=/b"), ("-tree=a=/b", "--tolerance=3", "--strict")]),
    ):
        for words in settings:
            said = handle(builtin, *words, *zfs)
            assert b"option" not in said and b"needs a value" not in said, (builtin, words, said)
        word = settings[0][0].partition("=")[0]
        assert b"needs a value" in handle(builtin, word), builtin
        assert f"(did you mean {word}?)".encode() in handle(builtin, word[:-1] + "=x"), builtin
        assert b"unknown option" in handle(builtin, "--bogus=1"), builtin
