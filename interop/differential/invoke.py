"""Runs a line of the case table as a node."""

import os
import pty
import re
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path

from ..harness.world import HANGS, KEYS, Done, Node, is_packet

SETTING = re.compile(r"^([A-Za-z]+)=(.*)$", re.DOTALL)


def run(node: Node, line: str, words: dict[str, str]) -> Done:
    settings, stdin, descriptor, arguments = parse(node, line, words)
    command, *rest = arguments
    # `stop` and `tty` are the harness's own, in lower case.
    environment = node.environment() | {key: value for key, value in settings.items() if key.isupper()}
    argv = [node.implementation.command(command), *rest]
    if descriptor:
        argv = ["/bin/sh", "-c", f'exec "$0" "$@" 4>{descriptor}', *argv]
    if "tty" in settings:
        return on_terminal(argv, environment, node.home, settings["tty"].split(","))
    if "stop" in settings:
        return stopped(argv, environment, node.home, float(settings["stop"]))
    done = subprocess.run(
        argv, input=stdin, capture_output=True, env=environment, cwd=node.home, timeout=HANGS, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def parse(node: Node, line: str, words: dict[str, str]) -> tuple[dict, bytes, str | None, list[str]]:
    settings: dict[str, str] = {}
    stdin, descriptor = b"", None
    arguments: list[str] = []
    places = {"spool": "spool", **{name: keys["id"] for name, keys in KEYS["nodes"].items()}, **words}
    if "{rx:" in line:
        places |= received(node)
    for word in shlex.split(line):
        word = re.sub(r"\{([\w:]+)\}", lambda found: places[found[1]], word)
        if (found := SETTING.match(word)) and not arguments:
            settings[found[1]] = found[2]
        elif word.startswith("<="):
            stdin = word[2:].replace("\\n", "\n").encode()
        elif word.startswith("<"):
            stdin = (node.home / word[1:]).read_bytes()
        elif word.startswith("4>"):
            descriptor = word[2:]
        else:
            arguments.append(word)
    return settings, stdin, descriptor, arguments


def received(node: Node) -> dict[str, str]:
    """The largest packet that waits to be tossed, which is a file."""
    queue = node.spool / KEYS["nodes"]["bob"]["id"] / "rx"
    packets = sorted((path for path in queue.iterdir() if is_packet(path)), key=lambda path: path.stat().st_size)
    return {"rx:file": str(packets[-1].relative_to(node.home))}


def on_terminal(argv: list[str], environment: dict, home: Path, typed: list[str]) -> Done:
    """Types the next of `typed`, the last one again and again, at each passphrase prompt."""
    terminal, side = pty.openpty()
    typed = list(typed)
    with tempfile.TemporaryFile() as out, subprocess.Popen(
        argv, stdin=side, stdout=out, stderr=subprocess.PIPE, env=environment, cwd=home
    ) as process:
        os.close(side)
        assert process.stderr is not None
        seen = b""
        while byte := process.stderr.read(1):
            seen += byte
            if seen.endswith(b"assphrase:"):
                answer = typed.pop(0) if len(typed) > 1 else typed[0]
                os.write(terminal, answer.encode() + b"\n")
        status = process.wait()
        os.close(terminal)
        out.seek(0)
        return Done(status, out.read(), seen)


def stopped(argv: list[str], environment: dict, home: Path, seconds: float) -> Done:
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=home
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        return Done(process.returncode, out, err)
