"""One command run and measured."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .world import Node


@dataclass(frozen=True)
class Measured:
    seconds: float
    peak_kib: int


def measured(node: Node, command: str, *arguments: str, stdin: Path | None = None, sync: bool = True) -> Measured:
    """Runs `nncp-COMMAND` as the node. Fails when it fails: a fast error is no result."""
    environment = node.environment()
    if sync:
        del environment["NNCPNOSYNC"]
    argv = [node.implementation.command(command), *map(str, arguments)]
    peak = 0
    with tempfile.TemporaryFile() as err, open(stdin or os.devnull, "rb") as source:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv, stdin=source, stdout=subprocess.DEVNULL, stderr=err, env=environment, cwd=node.home
        )
        while process.poll() is None:
            peak = high_water(process.pid) or peak
            time.sleep(0.001)
        seconds = time.perf_counter() - started
        err.seek(0)
        said = err.read()
    if process.returncode != 0:
        raise RuntimeError(f"{argv}: status {process.returncode}: {said[-500:]!r}")
    return Measured(seconds, peak)


def high_water(pid: int) -> int:
    """Most memory that the process had resident so far, in KiB. What `wait4` tells would include this
    program's own, from before the command took its place."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
