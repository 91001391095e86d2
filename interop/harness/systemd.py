"""A machine with systemd, as far as namespaces make one: its own process 1, network, cgroup and mounts."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from .network import wait_for
from .runner import Skipped
from .world import HANGS

# Everything in there happens over an overlay that is thrown away. /sys and /proc/sys can not be written, and /dev
# has what every container has, so that nothing in there reaches the host.
BOOT = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/,upperdir=UPPER,workdir=WORK ROOT
cd ROOT
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs dev
mkdir dev/shm dev/pts
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for fresh in run tmp var/spool etc/systemd/system; do mkdir -p $fresh; mount -t tmpfs tmpfs $fresh; done
chmod 1777 tmp
: >etc/fstab
mkdir -p etc/systemd/system
printf '[Unit]\n' >etc/systemd/system/idle.target
ip link set lo up
pivot_root . mnt
umount -l /mnt
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD --system --unit=idle.target \
    --log-target=console --log-level=notice
"""
SPACES = "pid mount uts ipc net cgroup".split()


def tool(name: str, package: str = "systemd") -> str:
    """The path of a program."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin:/lib/systemd")
    if found is None:
        raise Skipped(f"{name} is not installed (package {package})")
    return found


class Machine:
    """systemd as process 1, until the block ends."""

    def __init__(self, directory: Path):
        if os.geteuid() != 0:
            raise Skipped("namespaces need root")
        self.systemd = tool("systemd")
        self.directory = directory
        self.cgroup = cgroups() / f"packmule-{os.getpid()}-{time.monotonic_ns()}"
        self.pid = 0

    def __enter__(self) -> "Machine":
        script = BOOT.replace("SYSTEMD", self.systemd)
        for name in ("root", "upper", "work"):
            (self.directory / name).mkdir(parents=True)
            script = script.replace(name.upper(), str(self.directory / name))
        self.cgroup.mkdir()
        spaces = " ".join(f"--{space}" for space in SPACES)
        enter = f'echo $$ >{self.cgroup}/cgroup.procs && exec unshare {spaces} --fork --kill-child /bin/sh -c "$0"'
        with open(self.directory / "console", "wb") as console:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", enter, script], stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        try:
            wait_for("systemd runs", self._runs, 60)
        except AssertionError as error:
            self.__exit__()
            raise Skipped(f"{error}: {self.console()}") from None
        return self

    def _runs(self) -> bool:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError):
            self.pid = int(children.read_text().split()[0]) if children.read_text() else 0
        if self.pid == 0 or not self.path("/run/systemd/private").exists():
            assert self.process.poll() is None, "it did not start"
            return False
        return self.run("systemctl", "is-active", "idle.target", check=False).strip() == "active"

    def __exit__(self, *_reason: object) -> None:
        # With process 1 everything in there ends.
        self.process.kill()
        self.process.wait()
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            wait_for("the group is empty", lambda: removed(Path(directory)))
        for name in ("root", "upper", "work"):
            shutil.rmtree(self.directory / name, ignore_errors=True)

    def network(self) -> tuple[str, ...]:
        """What to put before a command of the host to run it in this network."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net")

    def run(self, *argv: str, check: bool = True) -> str:
        """Runs a command in there; what it says."""
        spaces = [f"--{space}" for space in SPACES]
        enter = ["nsenter", f"--target={self.pid}", *spaces, f"--root=/proc/{self.pid}/root", "--wd=/"]
        done = subprocess.run([*enter, *argv], capture_output=True, text=True, check=False, timeout=HANGS)
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}{self.console()}"
        return done.stdout

    def state(self, unit: str, what: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", what, unit).strip()

    def console(self) -> str:
        """What was said lately, by systemd and what it runs."""
        console = (self.directory / "console").read_text(errors="replace")[-3000:]
        journal = ""
        if self.pid and self.process.poll() is None:
            journal = self.run("systemctl", "status", "--no-pager", "--state=failed", check=False)
        return console + journal

    def path(self, path: str) -> Path:
        """The host's path of a file in there."""
        return Path(f"/proc/{self.pid}/root") / path.lstrip("/")

    def write(self, path: str, content: str | Path, mode: int = 0o644) -> None:
        """Puts a file in there."""
        place = self.path(path)
        place.write_bytes(content.read_bytes() if isinstance(content, Path) else content.encode())
        place.chmod(mode)


def cgroups() -> Path:
    """Where the host has its version 2 groups."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise Skipped("no cgroup2 is mounted")


def removed(directory: Path) -> bool:
    with contextlib.suppress(OSError):
        directory.rmdir()
    return not directory.exists()
