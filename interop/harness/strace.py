"""The system calls that change the disk, and strace, which lists them and makes them fail."""

import re
import shutil

from .runner import Skipped

CHANGING = (
    "write writev pwrite64 pwritev2 copy_file_range sendfile fallocate ftruncate fsync fdatasync rename renameat"
    " renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir fchmod fchmodat utimensat"
).split()
CALL = re.compile(r"^(\d+) +(\w+)\(")


def need_strace() -> None:
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")


def strace(*expressions: str) -> tuple[str, ...]:
    """What to put before a command that strace interferes with."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", *(word for one in expressions for word in ("-e", one)))
