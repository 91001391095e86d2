"""One command run and measured."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ..world import Node


@dataclass(frozen=True)
class Measured:
    seconds: float
    peak_kib: int


def measured(node: Node, command: str, *arguments: str, stdin: Path | None = None, sync: bool = True) -> Measured:
    """Runs `nncp-COMMAND` as the node. Fails when it fails: a fast error is no result."""
    environment = node.environment()
    if sync:
        del environment["NNCPNOSYNC"]
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    argv = [node.implementation.command(command), *map(str, arguments)]
    started = time.perf_counter()
    process = subprocess.Popen(
        argv, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, cwd=node.home
    )
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if stdin:
        source.close()
    if process.returncode != 0:
        raise RuntimeError(f"{argv}: status {process.returncode}: {err[-500:]!r}")
    return Measured(seconds, usage.ru_maxrss)
