"""packmule killed at each system call that changes the disk, and refused by the disk there.

For each command: strace tells which calls it makes; then, for every one of them, the command is run on a fresh
copy of the state and killed at (or given an error by) that very call. After that a second run has to complete,
nothing may be lost and no packet's effect missing. strace counts calls per thread and name, so do we.

Power cuts, and syncs that fail once and then succeed without the bytes, need a disk of their own: `powercut.py`.
"""

from ..harness.runner import Check
from ..harness.strace import need_strace
from . import moving, sending, tossing
from .faults import BROKEN, FULL, crash, fault


def checks() -> list[Check]:
    need_strace()
    found = []
    for command in sending.commands() + tossing.commands() + moving.commands():
        found.append(Check(f"{command.name}: killed", crash(command)))
        found.append(Check(f"{command.name}: no space", fault(command, "ENOSPC", FULL)))
        found.append(Check(f"{command.name}: input/output error", fault(command, "EIO", BROKEN)))
    return found
