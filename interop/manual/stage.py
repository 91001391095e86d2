"""Nodes with the manual's names, its paths as directories of their own, and commands typed as it prints them."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..differential import invoke, observe
from ..harness.implementation import NAMES, Implementation
from ..harness.world import HANGS, Done, is_packet
from . import config
from .pages import Page

STAND_INS = Path(__file__).resolve().parent / "bin"
HUMAN_SIZE = re.compile(r"\b\d+(\.\d)? ([KMGT]i)?B\b")
# What ends up in every script's own variables, not in a file.
KEPT = ("HOME", "LANG")


class Stage:
    """One run of an example under one implementation. What is to be compared is told in `told`."""

    def __init__(self, directory: Path, implementation: Implementation, page: Page, names: list[str]):
        self.directory = directory
        self.implementation = implementation
        self.page = page
        self.told: list[str] = []
        self.port = free_port()
        # Places of the manual's, and where they are here. The longest name is replaced first.
        self.places = {
            place: str(directory / place.strip("/").replace("/", "-"))
            for place in ("/media/usbstick", "/mnt/shared", "/dev/sa0", "/dev/cd0", "/dev/da0", "/var/service")
        }
        self.places["/usr/sbin/sendmail"] = str(STAND_INS / "sendmail")
        for name in NAMES:
            self.places[f"/usr/local/bin/nncp-{name}"] = implementation.command(name)
        for medium in ("/media/usbstick", "/mnt/shared", "/var/service"):
            Path(self.places[medium]).mkdir(parents=True)
        self.nodes = {name: Actor(self, name) for name in names}
        config.introduce(list(self.nodes.values()))

    def __getitem__(self, name: str) -> "Actor":
        return self.nodes[name]

    def actors(self, names: str) -> list["Actor"]:
        return [self.nodes[name] for name in names.split()]

    def tell(self, line: str) -> None:
        self.told.append(self.text(line))

    def text(self, text: str) -> str:
        """`text` without what differs between two runs of one program."""
        for name, node in self.nodes.items():
            text = text.replace(node.id, f"ID({name})")
        text = text.replace(str(self.implementation.directory), "BIN").replace(str(self.directory), "ROOT")
        text = observe.TEMPORARY.sub("TEMPORARY", observe.NAME.sub("HASH", observe.TIME.sub("TIME", text)))
        text = re.sub(r"\b(tmp\.\w{10}|finished\.\w{6})\b", "MKTEMP", text)
        return HUMAN_SIZE.sub("SIZE", observe.LONG_KEY.sub("LONGKEY", text))

    def outcome(self) -> list[str]:
        """What was told, and what all nodes are left with."""
        return self.told + [f"{name} has {line}" for name, node in self.nodes.items() for line in node.left()]


class Actor:
    """One node, and whoever sits in front of it."""

    def __init__(self, stage: Stage, name: str):
        self.stage = stage
        self.name = name
        self.home = stage.directory / name
        self.spool = self.home / "spool"
        self.incoming = self.home / "incoming"
        for path in (self.spool, self.incoming, self.home / "pub"):
            path.mkdir(parents=True)
        self.config = config.fresh(self)
        self.id = self.config["self"]["id"]

    def knows(self, peer: str, **settings) -> "Actor":
        """Puts `settings` into the section of a neighbour."""
        self.config["neigh"]["self" if peer == self.name else peer].update(settings)
        config.write(self)
        return self

    def has(self, name: str, content: str | bytes = b"content\n", mode: int = 0o644) -> Path:
        """Puts a file into the home directory, scripts with the places that this node knows."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.here(content).encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def types(self, command: str, reading: str = "", **how) -> Done:
        """Runs what stands on the page, or `reading` where the page leaves a choice or needs a name."""
        self.stage.page.holds(command)
        return self.runs(reading or command, **how)

    def runs(self, command: str, shell: str = "sh", told: bool = True, typed: str = "", messages: bool = True) -> Done:
        """Runs a shell's line in the home directory, answering passphrase prompts with `typed`."""
        argv = [shell, "-c", self.here(command)]
        if typed:
            done = invoke.on_terminal(argv, self.environment(), self.home, [typed])
        else:
            run = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self.environment(),
                cwd=self.home,
                timeout=HANGS,
                check=False,
            )
            done = Done(run.returncode, run.stdout, run.stderr)
        if told:
            self.stage.tell(f"{self.name}$ {command}\n  status {done.status}")
            self.stage.told += [f"  out: {line}" for line in observe.output(self.stage, done.out) if line]
            if messages:
                self.stage.told += [f"  err: {line}" for line in observe.messages(self.stage, done.err)]
        return done

    @contextmanager
    def running(self, command: str) -> Iterator[subprocess.Popen]:
        """A command that does not end by itself, in a group of its own, until the block is left."""
        process = subprocess.Popen(
            ["sh", "-c", "exec " + self.here(command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment(),
            cwd=self.home,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=60)

    def handler(self, *argv: str) -> list[str]:
        """A handler of the manual's. Handlers get no environment, here they need to find the stage."""
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in self.environment().items()), *argv]

    def here(self, command: str) -> str:
        places = self.stage.places | {
            "/usr/local/etc/nncp.hjson": str(self.home / "nncp.hjson"),
            "/var/spool/nncp": str(self.spool),
            "/path/to": str(self.home),
            f"/home/{self.name}": str(self.home),
        }
        for place in sorted(places, key=len, reverse=True):
            command = command.replace(place, places[place])
        return command.replace("5400", str(self.stage.port))

    def environment(self) -> dict[str, str]:
        path = f"{STAND_INS}:{self.stage.implementation.directory}:{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | {
            "PATH": path,
            "STAGE": str(self.stage.directory),
            "HOME": str(self.home),
            "NNCPCFG": str(self.home / "nncp.hjson"),
            "NNCPNOSYNC": "1",
            "TZ": "UTC",
        }

    def packets(self, xx: str, peer: str) -> list[Path]:
        queue = self.spool / self.stage[peer].id / xx
        return sorted(path for path in queue.iterdir() if is_packet(path)) if queue.is_dir() else []

    def left(self) -> list[str]:
        """Files outside of the spool by content, the spool by what kind of file lies where, the log by record."""
        told = []
        for path in sorted(self.home.rglob("*")):
            place = self.stage.text(str(path.relative_to(self.home)))
            if self.spool in path.parents or not path.is_file() or path.name == "nncp.hjson" or ".git/" in place:
                continue
            if path == self.home / "log":
                told += [f"record {record}" for record in sorted(self.sentences(path))]
            elif not place.endswith((".new.hjson", ".eblob")):
                told.append(f"{place}: {self.content(path)}")
        return told + [f"{number} x spool/{place}" for place, number in sorted(self.spooled().items())]

    def content(self, path: Path) -> str:
        content = path.read_bytes()
        if path.suffix == ".tar":
            # Archives tell when they were made, and by whom.
            return " ".join(observe.members(content))
        try:
            text = self.stage.text(content.decode())
        except UnicodeDecodeError:
            return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:16]}"
        return repr(text) if len(text) < 300 else f"text {hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def sentences(self, log: Path) -> Iterator[str]:
        for record in log.read_text(errors="replace").split("\n\n"):
            fields = dict(re.findall(r"^(\w+): (.*)$", record, re.MULTILINE))
            if "Msg" in fields:
                yield self.stage.text(f"{fields['Who']}: {fields['Msg']} {fields.get('Err', '')}").rstrip()

    def spooled(self) -> Counter[str]:
        places: Counter[str] = Counter()
        for path in self.spool.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.suffix != ".lock":
                places[self.stage.text(str(path.relative_to(self.spool)))] += 1
        return places


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def needs(*programs: str) -> list[str]:
    """Programs of an example that are not installed here."""
    return [program for program in programs if shutil.which(program) is None]
