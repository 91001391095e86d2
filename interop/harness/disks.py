"""Disks that lose their power, or what was written to them: images on loop devices, as root."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .runner import Skipped
from .strace import need_strace

KINDS = {"ext2": ("-t", "ext2"), "ext4 without a journal": ("-t", "ext4", "-O", "^has_journal"), "ext4": ("-t", "ext4")}
PROGRAMS = ("mke2fs", "e2fsck", "mount", "umount", "cp")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def system(*command: str | Path, fine: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, capture_output=True, check=False, env={"PATH": PATH})
    assert done.returncode in fine, f"{command}: {done.returncode} {(done.stdout + done.stderr).decode(errors='replace')}"


class Disk:
    """An image of one kind of file system, and where it is mounted."""

    SIZE = 24 << 20

    def __init__(self, directory: Path, kind: str, more: tuple[str, ...] = ()):
        self.image, self.mount = directory / "disk", directory / "mnt"
        self.options = (*KINDS[kind], *more)
        self.mount.mkdir(parents=True)
        self.format()

    def format(self) -> None:
        with self.image.open("wb") as file:
            file.truncate(self.SIZE)
        system("mke2fs", "-q", "-F", *self.options, self.image)

    @contextlib.contextmanager
    def mounted(self, image: Path | None = None) -> Iterator[Path]:
        """A copy of the disk, or the disk itself, always at the same place."""
        mount(image or self.image, self.mount)
        try:
            yield self.mount
        finally:
            unmount(self.mount)

    def copy(self, to: Path, image: Path | None = None) -> Path:
        """As the disk is now; what the system keeps in memory is not on it."""
        system("cp", "--sparse=always", image or self.image, to)
        return to


class LossyDisk(Disk):
    """A disk that can be made to lose what is written where nothing was before, as if sectors went bad.

    Its image lies on a RAM disk that is made too small for more: the kernel's write-back gets an error, tells the next
    fsync of it, and forgets. That is no imitation of what Linux does after a write error, it is that.
    """

    ROOM = 64 << 20

    def __init__(self, directory: Path, kind: str):
        self.ram = directory / "ram"
        self.ram.mkdir(parents=True)
        system("mount", "-t", "tmpfs", "-o", f"size={self.ROOM}", "tmpfs", self.ram)
        # Inode tables are there from the start, so that only new content is lost.
        super().__init__(self.ram, kind, ("-E", "nodiscard,lazy_itable_init=0"))

    def __enter__(self) -> "LossyDisk":
        return self

    def __exit__(self, *_) -> None:
        unmount(self.mount)
        unmount(self.ram)

    def renew(self) -> None:
        """Puts the files on a new file system.

        A block that was used and freed is there, so a write to it succeeds. If a file's indirect block is lost and its
        content is not, the file reads well until the power fails, and no program can find that out.
        """
        files = self.ram.parent / "files"
        with self.mounted() as place:
            system("cp", "-a", place, files)
        self.format()
        with self.mounted() as place:
            system("cp", "-a", f"{files}/.", place)
        shutil.rmtree(files)

    def fail(self) -> None:
        system("sync", "-f", self.mount)
        state = os.statvfs(self.ram)
        system("mount", "-o", f"remount,size={(state.f_blocks - state.f_bfree) * state.f_bsize}", self.ram)

    def heal(self) -> None:
        system("mount", "-o", f"remount,size={self.ROOM}", self.ram)


def mount(image: Path, place: Path) -> None:
    # No access times: reading changes nothing.
    system("mount", "-o", "loop,noatime,user_xattr", image, place)


def unmount(place: Path) -> None:
    for attempt in range(300):
        if not os.path.ismount(place):
            return
        try:
            return system("umount", place)
        except AssertionError:
            if attempt == 299:
                raise
        time.sleep(0.1)


def repair(image: Path) -> bool:
    """What a machine does to the disk when it starts again, as often as it takes; whether all of it could be repaired.

    On ext2 an inode that was removed in memory only still claims blocks that are a new file's or directory's by now.
    If one was its indirect block, e2fsck "clears illegal blocks" inside of the new owner. No program can help that.
    """
    for _ in range(4):
        with contextlib.suppress(AssertionError):
            system("e2fsck", "-fy", image, fine=(0, 1, 2, 3))
            return True
    return False


def need_mounts(directory: Path) -> None:
    """Skips by name where a file cannot be mounted as a disk."""
    for program in PROGRAMS:
        if shutil.which(program, path=PATH) is None:
            raise Skipped(f"{program} is not installed")
    need_strace()
    if os.geteuid() != 0:
        raise Skipped("only root may mount a disk's image")
    try:
        with Disk(directory / "probe", "ext2").mounted():
            pass
    except AssertionError as reason:
        raise Skipped(f"a disk's image cannot be mounted here: {reason}") from None


def write_out(directory: Path) -> None:
    """Puts a directory on the disk, and with it what was removed from it."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)
