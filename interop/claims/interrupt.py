"""A command that a person interrupts leaves nothing half-done, whatever it is waiting for."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import ROOT, binary, packmule
from ..harness.network import wait_for
from ..harness.world import Node, World
from .producer import begun, gone, own, queued

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

ZFS = r"""#!/bin/sh
# A zfs with the dataset tank/l: `pool` holds a name, a guid and a transaction group a line.
d=${0%/*}
for last; do :; done
new() { printf '%s\t%s\t%s\n' "$1" "$2" "$(wc -l < "$d/pool")" >> "$d/pool"; }
case "$1" in
bookmark)
    [ $# = 3 ] || { echo "missing argument" >&2; exit 2; }
    new "$3" "$(grep "^$2	" "$d/pool" | cut -f 2)" ;;
snapshot) new "$last" "$(cat "$d/guid")" ;;
destroy) grep -v "^$last	" "$d/pool" > "$d/left"; mv "$d/left" "$d/pool" ;;
send)
    [ -e "$d/slow" ] || exec cat "$d/stream"
    head -c 5000 "$d/stream"
    echo $$ > "$d/sending"
    while printf x; do sleep 0.05; done ;;
get)
    printf '%s\ttype\tfilesystem\t-\n' "${last%%[@#]*}"
    awk -F '\t' '{ print $1 "\tguid\t" $2 "\t-\n" $1 "\tcreatetxg\t" $3 "\t-" }' "$d/pool" ;;
esac
exit 0
"""


def world(directory: Path) -> World:
    return World(directory, dict.fromkeys(("alice", "bob"), packmule()))


def claim_waiting_for_input(directory: Path) -> None:
    """While it waits for standard input the temporary files go at once, those of written pieces too."""
    alice = world(directory)["alice"]
    for number in SIGNALS:
        for words in (
            ("file", "-", "bob:x"),
            ("file", "-chunked", "64", "-", "bob:x"),
            ("exec", "-nocompress", "bob", "save"),
        ):
            # More than it gathers before it writes.
            with begun(alice, *words, feed=os.urandom(8 << 20), stdin=subprocess.PIPE) as process:
                process.send_signal(number)
                assert process.wait(60) == -number, (number, words)
            assert not queued(alice), (number, words, queued(alice))


def claim_writing(directory: Path) -> None:
    """While it writes a large file too."""
    alice = world(directory)["alice"]
    with (alice.home / "large").open("wb") as large:
        large.truncate(20 << 30)
    for words in (("file", "large", "bob:x"), ("file", "-chunked", "1024", "large", "bob:x")):
        with begun(alice, *words) as process:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM
        assert not queued(alice), words


def claim_ignored(directory: Path) -> None:
    """What nohup or a shell's background wants ignored stays ignored."""
    alice = world(directory)["alice"]
    ignoring = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    with begun(alice, "file", "-", "bob:x", feed=bytes(8 << 20), stdin=subprocess.PIPE, preexec_fn=ignoring) as process:
        process.send_signal(signal.SIGHUP)
        assert process.stdin is not None
        process.stdin.write(b"more")
        process.stdin.close()
        assert process.wait(60) == 0
    assert len(alice.packets("tx", "bob")) == 1


def small(directory: Path, *inject: str) -> tuple[Node, list[str]]:
    """A node, and its command that sends a small file, played by strace with faults."""
    alice = world(directory)["alice"]
    (alice.home / "small").write_bytes(b"small")
    return alice, ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *inject, binary(), "file", "-quiet", "small", "bob:x"]


def claim_small_file(directory: Path) -> None:
    """A small file is queued whole before the signal ends the command; a second signal ends it at once."""
    slow = ("-e", "inject=rename,renameat,renameat2:delay_enter=3s:when=1")
    for numbers in (*((number,) for number in SIGNALS), (signal.SIGTERM, signal.SIGINT)):
        alice, command = small(directory / "-".join(number.name for number in numbers), *slow)
        with subprocess.Popen(command, env=alice.environment(), cwd=alice.home) as process:
            tmp = alice.spool / "tmp"
            wait_for("it is written", lambda: tmp.is_dir() and any(path.stat().st_size for path in tmp.iterdir()))
            for number in numbers:
                process.send_signal(number)
            status = process.wait(60)
        if len(numbers) == 1:
            assert status == -numbers[0], (numbers, status)
            assert len(alice.packets("tx", "bob")) == 1 and not list(tmp.iterdir()), queued(alice)
            alice.run("check").ok()
        else:
            assert status in (128 + number for number in numbers), (numbers, status)


def claim_nothing_begun(directory: Path) -> None:
    """A command that has no temporary file ends at once, here while somebody holds the lock of the log."""
    alice, command = small(directory)
    with (alice.home / "log.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(command[-5:], env=alice.environment(), cwd=alice.home) as process:
            header = alice.spool / alice.neighbour("bob")["id"] / "tx" / "hdr"
            wait_for("it is queued", lambda: header.is_dir() and any(header.iterdir()))
            wait_for("nothing is under tmp/", lambda: not any((alice.spool / "tmp").iterdir()))
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM
    assert not list((alice.spool / "tmp").iterdir())


def sender(directory: Path) -> Node:
    """A node with a set of one dataset, on a zfs that sends very slowly."""
    alice = world(directory)["alice"]
    zfs = directory / "zfs"
    zfs.write_text(ZFS)
    zfs.chmod(0o755)
    streams = ["tar", "--zstd", "-xOf", str(ROOT / "testvectors/zfs/streams.tar.zst"), "openzfs-2.1/full.s1"]
    stream = subprocess.run(streams, capture_output=True, check=True).stdout
    (directory / "stream").write_bytes(stream)
    (directory / "guid").write_text(str(int.from_bytes(stream[40:48], "little")))
    for name in ("pool", "slow"):
        (directory / name).touch()
    alice.config["packmule"] = {"zfs": {"sets": {"main": {"to": ["bob"], "datasets": ["tank/l"], "zfs": str(zfs)}}}}
    alice.write_config()
    return alice


def claim_zfs_run(directory: Path) -> None:
    """Ctrl-C in `zfs run`, or a signal to it alone, ends `zfs send` too and leaves no packet; the next run sends it."""
    ends: list[Callable[[subprocess.Popen, int], None]] = [
        lambda process, number: os.killpg(process.pid, number),
        lambda process, number: process.send_signal(number),
    ]
    for number in SIGNALS:
        for kind, end in enumerate(ends):
            place = directory / f"{number.name}-{kind}"
            alice = sender(place)
            command = [binary(), "zfs", "run", "-quiet"]
            with subprocess.Popen(command, env=alice.environment(), cwd=alice.home, start_new_session=True) as process:
                wait_for("zfs send runs", lambda: (place / "sending").exists() and queued(alice))
                end(process, number)
                assert process.wait(60) == -number, (number, kind, process.returncode)
            assert gone(int((place / "sending").read_text())), "zfs send runs on"
            assert not queued(alice), queued(alice)
            (place / "slow").unlink()
            own(alice, "zfs", "run", "-quiet").ok()
            assert len(alice.packets("tx", "bob")) == 1
