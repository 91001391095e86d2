"""Completions, tried in the shells themselves: what is typed, TAB, and what then stands there."""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .harness.implementation import packmule
from .harness.runner import Check, Skipped

READY = "READY> "
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source ./packmule.bash"),
    "zsh": (["zsh", "-f", "-i"], "LISTMAX=1000; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D"),
}
FILES = {"bash": "packmule.bash", "zsh": "_packmule", "fish": "packmule.fish"}


class Shell:
    """A shell on a terminal, in a directory that holds its completions and `letter.txt`."""

    def __init__(self, name: str, directory: Path, path: str):
        argv, setup = START[name]
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(directory)
            environment = {"PATH": path, "TERM": "dumb", "PS1": READY, "HOME": str(directory), "LC_ALL": "C.UTF-8"}
            os.execvpe(argv[0], argv, environment)
        self.screen = ""
        if name == "bash":
            setup += "; bind 'set completion-query-items 0'; bind 'set page-completions off'"
        self.types(f"{setup}; PS1='{READY}'; echo set''up\n")
        self.shows("setup")

    def types(self, text: str) -> None:
        self.screen = ""
        os.write(self.terminal, text.encode())

    def shows(self, *words: str) -> None:
        """Waits until all `words` are on the screen that came since the last typing."""
        deadline = time.monotonic() + 60
        while missing := [word for word in words if word not in self.screen]:
            assert time.monotonic() < deadline, f"no {missing} in {self.screen!r}"
            if select.select([self.terminal], [], [], 1)[0]:
                self.screen += os.read(self.terminal, 65536).decode(errors="replace")

    def gives_up_the_line(self) -> None:
        self.types("\x15echo line''cleared\n")
        self.shows("linecleared")

    def close(self) -> None:
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


def prepare(name: str, directory: Path) -> str:
    """The completions as files, `PATH` with all names. Returns it."""
    if shutil.which(name) is None:
        raise Skipped(f"{name} is not installed")
    links = packmule().directory
    binary = (links / "nncp-file").resolve()
    (links / "packmule").symlink_to(binary)
    script = subprocess.run([binary, "completion", name], capture_output=True, check=True).stdout
    (directory / FILES[name]).write_bytes(script)
    (directory / "letter.txt").write_text("")
    return f"{links}:/usr/local/bin:/usr/bin:/bin"


def on_terminal(name: str) -> Callable[[Path], None]:
    def prove(directory: Path) -> None:
        shell = Shell(name, directory, prepare(name, directory))
        try:
            shell.types("packmule fi\t")
            shell.shows("packmule file ")
            shell.gives_up_the_line()
            shell.types("nncp-file -\t\t")
            shell.shows("-chunked", "-minsize", "-nice")
            shell.gives_up_the_line()
            shell.types("packmule toss -noe\t")
            shell.shows("toss -noexec ")
            shell.gives_up_the_line()
            shell.types("nncp-file -nice M\t")
            shell.shows("-nice MAX")
            shell.gives_up_the_line()
            shell.types("nncp-file lett\t")
            shell.shows("letter.txt")
        finally:
            shell.close()

    return prove


def fish(directory: Path) -> None:
    """Fish tells what it would offer without a terminal."""
    path = prepare("fish", directory)

    def offers(line: str) -> list[str]:
        argv = ["fish", "--no-config", "-c", f"source packmule.fish; complete -C '{line}'"]
        environment = {"PATH": path, "HOME": str(directory), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, cwd=directory, check=True)
        return [offer.partition("\t")[0] for offer in done.stdout.splitlines()]

    assert offers("packmule fi") == ["file"], offers("packmule fi")
    for line in ("nncp-file -", "packmule file -"):
        assert {"-chunked", "-minsize", "-nice"} <= set(offers(line)), offers(line)
    assert "-nofile" not in offers("nncp-file -"), "that is of toss"
    assert offers("nncp-file -nice M") == ["MAX"], offers("nncp-file -nice M")
    assert "letter.txt" in offers("nncp-file lett"), offers("nncp-file lett")


def checks() -> list[Check]:
    found = [Check(f"completion in {name}: commands, flags, values, files", on_terminal(name)) for name in START]
    return [*found, Check("completion in fish: commands, flags, values, files", fish)]
