"""`-command`: what a program wrote is queued only if the program ended well."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..harness.implementation import packmule
from ..harness.world import HANGS, KEYS, Done, Node, World, rule

AREA = KEYS["area"]["name"]
FAILING = {
    "exit": ("sh", "-c", "cat part; exit 3"),
    "nothing": ("false",),
    "signal": ("sh", "-c", "cat part; kill -9 $$"),
    "closed": ("sh", "-c", "cat part; exec >&-; sleep 0.2; exit 4"),
    "absent": ("/nowhere/tar", "-c", "."),
}
NAMED = {
    "exit": "ended with status 3",
    "nothing": "false ended with status 1",
    "signal": "was ended by signal 9",
    "closed": "ended with status 4",
    "absent": "starting /nowhere/tar: ",
}


def world(directory: Path) -> World:
    here = World(directory, dict.fromkeys(("alice", "bob", "carol"), packmule()))
    (here["alice"].home / "part").write_bytes(rule(300_000))
    return here


def own(node: Node, *arguments: str, **more) -> Done:
    """Runs `packmule ARGUMENTS` as the node."""
    binary = Path(node.implementation.command("file")).resolve()
    done = subprocess.run(
        [binary, *arguments], capture_output=True, env=node.environment(), cwd=node.home, timeout=HANGS, check=False, **more
    )
    return Done(done.returncode, done.stdout, done.stderr)


def queued(node: Node) -> list[Path]:
    """All packets, and all temporary files."""
    return [path for path in node.spool.rglob("*") if path.is_file() and path.suffix != ".lock"]


@contextmanager
def begun(node: Node, *arguments: str, feed: bytes = b"", **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """`packmule ARGUMENTS`, given `feed`, as soon as there is something under tmp/."""
    binary = Path(node.implementation.command("file")).resolve()
    command: list[str | Path] = [binary, *map(str, arguments)]
    with subprocess.Popen(
        command, env=node.environment(), cwd=node.home, stderr=subprocess.PIPE, start_new_session=True, **more
    ) as process:
        try:
            if feed and process.stdin:
                process.stdin.write(feed)
                process.stdin.flush()
            deadline = time.monotonic() + 60
            while not any(path.stat().st_size for path in (node.spool / "tmp").glob("nncp*")):
                assert time.monotonic() < deadline and process.poll() is None, process.stderr and process.stderr.read()
                time.sleep(0.02)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def claim_whole(directory: Path) -> None:
    """What the program wrote arrives whole: plain, in pieces, uncompressed, over a relay, in an area."""
    here = world(directory)
    alice, bob, carol = here["alice"], here["bob"], here["carol"]
    content = rule(300_000)
    program = ("--", "sh", "-c", "cat part")
    own(alice, "file", "-command", "bob:plain", *program).ok()
    own(alice, "file", "-command", "-maxsize", "1000", "bob:limited", *program).ok()
    own(alice, "file", "-command", "-chunked", "64", "bob:pieces", *program).ok()
    own(alice, "file", "-command", "-via", "carol", "bob:relayed", *program).ok()
    own(alice, "exec", "-command", "bob", "save", *program).ok()
    own(alice, "exec", "-command", "-nocompress", "bob", "append", "one", "two", *program).ok()
    own(alice, "file", "-command", "--", "bob:dashes", *program).ok()
    here.carry("alice", "bob")
    here.carry("alice", "carol")
    carol.run("toss").ok()
    here.carry("carol", "bob")
    bob.run("toss").ok()
    bob.run("reass", bob.incoming / "pieces.nncp.meta").ok()
    assert bob.received() == dict.fromkeys(("plain", "limited", "pieces", "relayed", "dashes"), content)
    assert (bob.home / "saved").read_bytes() == content
    assert (bob.home / "ran").read_bytes() == b"one|two|" + content
    own(alice, "file", "-command", f"area:{AREA}:posted", *program).ok()
    alice.run("toss").ok()


def claim_failure(directory: Path) -> None:
    """Of a program that failed nothing is queued, and its end is named."""
    alice = world(directory)["alice"]
    for case, program in FAILING.items():
        for words in (
            ("file", "-command", "bob:x"),
            ("file", "-command", "-chunked", "1", "bob:x"),
            ("file", "-command", "-via", "carol", "bob:x"),
            ("file", "-command", f"area:{AREA}:x"),
            ("exec", "-command", "bob", "save"),
            ("exec", "-command", "-nocompress", "bob", "save", "arg"),
            ("exec", "-command", f"area:{AREA}", "save"),
        ):
            done = own(alice, *words, "--", *program)
            assert done.status == 1, (words, case, done)
            done.says(NAMED[case])
            assert not queued(alice), (words, case, queued(alice))


def claim_usage(directory: Path) -> None:
    """Without a program, a name or a target it is wrong usage, and the reference's names do not have it."""
    alice = world(directory)["alice"]
    for words in (("bob:x",), ("bob:x", "--"), ("--", "true"), ("a", "bob:x", "--", "true"), ("bob:", "--", "true")):
        done = own(alice, "file", "-command", *words)
        assert done.status == 1, done
    for words in (("bob",), ("bob", "save"), ("bob", "--", "true"), ("bob", "save", "--")):
        assert own(alice, "exec", "-command", *words).status == 1, words
    for command in ("file", "exec"):
        done = alice.run(command, "-command", "bob:x", "--", "true")
        assert done.status == 2 and b"flag provided but not defined: -command" in done.err, done
        assert b"-command" not in alice.run(command, "-h").err
        assert b"-command" in own(alice, command, "-h").err
    assert not queued(alice)


def claim_failure_here(directory: Path) -> None:
    """If packmule fails the program is ended too."""
    alice = world(directory)["alice"]
    script = "echo $$ > pid; head -c 5000000 /dev/zero; while :; do sleep 1000; done"
    own(alice, "file", "-command", "-maxsize", "100", "bob:x", "--", "sh", "-c", script).fails().says("Too big")
    assert gone(int((alice.home / "pid").read_text()))
    assert not queued(alice)


def claim_signal(directory: Path) -> None:
    """A signal ends both and leaves nothing."""
    alice = world(directory)["alice"]
    script = "echo $$ > pid; trap '' INT; while :; do cat part; sleep 0.05; done"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for words in (("file", "-command", "bob:x"), ("exec", "-command", "-nocompress", "bob", "save")):
            with begun(alice, *words, "--", "sh", "-c", script) as process:
                process.send_signal(number)
                assert process.wait(60) == -number
            assert gone(int((alice.home / "pid").read_text())), (number, words)
            assert not queued(alice), (number, words)


def gone(pid: int) -> bool:
    for _ in range(3000):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or ") Z " in stat.read_text():
            return True
        time.sleep(0.02)
    return False
