"""A spool that several users work in: setgid and writable by its group."""

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

from ..harness.implementation import packmule
from ..harness.runner import Skipped
from ..harness.world import World


def modes(top: Path) -> dict[str, int]:
    """The mode of everything below `top`, links aside."""
    found = (path for path in top.rglob("*") if not path.is_symlink())
    return {str(path.relative_to(top)): stat.S_IMODE(path.stat().st_mode) for path in found}


def worked(directory: Path, mode: int, mask: int) -> dict[str, int]:
    """The modes in bob's spool of that mode after every kind of work with that umask."""
    world = World(directory, {name: packmule() for name in ("alice", "bob")})
    alice, bob = world["alice"], world["bob"]
    bob.config["log"] = str(bob.spool / "log")
    bob.write_config()
    bob.spool.chmod(mode)
    masked: dict[str, Any] = {"preexec_fn": lambda: os.umask(mask)}
    alice.run("file", "-", "bob:one", stdin=b"x").ok()
    alice.run("file", "-", "bob:two", stdin=b"y").ok()
    (world.stick / bob.id).mkdir()
    alice.run("xfer", "-tx", world.stick).ok()
    bob.run("xfer", "-rx", world.stick, **masked).ok()
    bob.run("toss", "-seen", "-gen-ack", **masked).ok()
    bob.run("file", "-", "alice:three", stdin=b"z", **masked).ok()
    return modes(bob.spool)


def claim_everything_in_a_shared_spool_has_its_mode(directory: Path):
    """In a setgid, group-writable spool new files and directories get the spool's mode, whatever the umask."""
    for mode, mask in ((0o2770, 0o077), (0o2770, 0o022), (0o2775, 0o027)):
        found = worked(directory / f"{mode:o}-{mask:o}", mode, mask)
        kinds = ("log", "log.lock", "tmp", "/tx", "/rx", "/hdr", "/seen", "/ack", "toss.lock")
        assert all(any(name.endswith(kind) for name in found) for kind in kinds), found
        for name, got in found.items():
            allowed = {mode} if got & 0o2000 else {mode & 0o666}
            assert got in allowed, f"{name} is {got:o} in a spool of {mode:o} with umask {mask:o}"


def claim_a_spool_of_one_user_is_left_to_the_umask(directory: Path):
    """A spool that is not shared gets files as the umask says."""
    found = worked(directory / "private", 0o755, 0o077)
    assert not [name for name, mode in found.items() if mode & 0o077], found


def claim_two_users_can_share_a_spool(directory: Path):
    """What root's cron leaves in a shared spool, another user of the group can toss, log and remove."""
    if os.geteuid() != 0:
        raise Skipped("only root can become somebody else")
    world = World(directory, {name: packmule() for name in ("alice", "bob")})
    alice, bob = world["alice"], world["bob"]
    bob.config["log"] = str(bob.spool / "log")
    bob.write_config()
    group = 54321
    for path in [directory, *directory.parents]:
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
        if path.name.startswith("interop-"):
            break
    subprocess.run(["chgrp", "-R", str(group), bob.home], check=True)
    subprocess.run(["chmod", "-R", "g+rwX", bob.home], check=True)
    bob.spool.chmod(0o2770)
    as_root: dict[str, Any] = {"preexec_fn": lambda: os.umask(0o077)}
    for number in range(2):
        alice.run("file", "-", f"bob:file{number}", stdin=b"x").ok()
        (world.stick / bob.id).mkdir(exist_ok=True)
        alice.run("xfer", "-tx", world.stick).ok()
        bob.run("xfer", "-rx", world.stick, **as_root).ok()
        if number == 0:
            bob.run("toss", **as_root).ok()
    other = ("setpriv", "--reuid", "54320", "--regid", str(group), "--clear-groups")
    done = bob.run("toss", wrap=other).ok()
    assert b"Can not" not in done.err, done.err
    assert set(bob.received()) == {"file0", "file1"}
