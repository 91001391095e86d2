"""Configuration and administration."""

import re
import time

from .commands import carry, letters
from .example import Example, collect
from .pages import MANUAL
from .stage import Stage

EXAMPLES: list[Example] = []
example = collect(EXAMPLES)


@example("Administration", "one spool for a group")
def group(stage: Stage) -> None:
    alice = stage["alice"]
    alice.runs("nncp-cfgnew -nocomments > nncp.hjson; chmod 600 nncp.hjson; chmod 700 spool").ok()
    config = (alice.home / "nncp.hjson").read_text()
    # What is appended belongs to the root only where no braces are around it.
    config = config.strip().removeprefix("{").removesuffix("}") + "\n"
    (alice.home / "nncp.hjson").write_text(re.sub("spool: .*", f"spool: {alice.spool}", config))
    for line in stage.page.example("chgrp nncp").strip().split("\n"):
        alice.runs(line[2:].replace("chgrp nncp", "chgrp $(id -g)")).ok()
    alice.has("letter")
    alice.runs("umask 077; nncp-file letter self:").ok()
    alice.runs("cd spool; find . -type f ! -name log ! -name '*.lock' -perm 660 | wc -l").ok()
    alice.runs("find spool -perm -2070 -type d | sort").ok()


@example("Administration", "chunks are put together by cron")
def reassembly(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    (crontab,) = (line for line in stage.page.text.split("\n") if line.startswith("*/1\t*"))
    alice.has("large", bytes(range(256)) * 50)
    alice.runs("nncp-file -chunked 4 large bob:").ok()
    carry(alice, bob)
    bob.runs(crontab.split("\t")[-1]).ok()
    bob.runs("cmp incoming/large ../alice/large").ok()


@example("Administration", "toss under daemontools")
def daemontools(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    script = "\n".join(line.removeprefix("# ") for line in stage.page.example(".nncp-toss/log").split("\n"))
    bob.runs(script).ok()
    letters(alice, "bob", 1)
    alice.runs("nncp-xfer -quiet -mkdir -tx -node bob /media/usbstick").ok()
    bob.runs("nncp-xfer -quiet -rx /media/usbstick").ok()
    with bob.running("/var/service/nncp-toss/run"):
        wait_for(lambda: (bob.incoming / "letter0").is_file() and not bob.packets("rx", "alice"))


@example("Administration", "a daemon under UCSPI-TCP")
def ucspi(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    script = "\n".join(line.removeprefix("# ") for line in stage.page.example(".nncp-daemon/log").split("\n"))
    bob.runs(script).ok()
    letters(alice, "bob", 2)
    alice.knows("bob", addrs={"main": f"127.0.0.1:{stage.port}"}, onlinedeadline=2)
    bob.knows("alice", onlinedeadline=2)
    with bob.running(f"env UUCP={stage.port} /var/service/nncp-daemon/run"):
        wait_for(lambda: alice.runs("nncp-call bob", told=False).status == 0)
        wait_for(lambda: len(bob.packets("rx", "alice")) == 2)
    assert not alice.packets("tx", "bob")
    for node in (alice, bob):
        (node.home / "log").unlink(missing_ok=True)
    bob.runs("nncp-toss").ok()


@example("Administration", "a daemon under inetd")
def inetd(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    (line,) = (line for line in stage.page.text.split("\n") if line.startswith("uucp\tstream"))
    program, command = line.split("\t")[5:]
    letters(alice, "bob", 2)
    alice.knows("bob", addrs={"main": f"127.0.0.1:{stage.port}"}, onlinedeadline=2)
    bob.knows("alice", onlinedeadline=2)
    server = f"env UUCP={stage.port} tcpserver -DHRU -l 0 ::0 uucp {program} {command.partition(' ')[2]}"
    with bob.running(server):
        wait_for(lambda: alice.runs("nncp-call bob", told=False).status == 0)
        wait_for(lambda: len(bob.packets("rx", "alice")) == 2)
    for node in (alice, bob):
        (node.home / "log").unlink(missing_ok=True)
    bob.runs("nncp-toss").ok()


def wait_for(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.1)


@example("Configuration-directory", "the tree of files that is shown there", "us beta gw")
def directory(stage: Stage) -> None:
    us, beta = stage.actors("us beta")
    values = values_of(stage)
    for path in paths(stage.page.example("nncp-cfg-dir")):
        known = next((values[key] for key in values if re.fullmatch(key, path)), None)
        assert known is not None, path
        us.has(f"nncp-cfg-dir/{path}", known)
    us.runs("chmod -R go= nncp-cfg-dir").ok()
    us.types("NNCPCFG", "NNCPCFG=nncp-cfg-dir nncp-stat").ok()
    us.has("letter")
    us.types("-cfg", "unset NNCPCFG; nncp-file -cfg nncp-cfg-dir letter beta:").ok()
    us.runs("nncp-cfgdir -load nncp-cfg-dir > loaded.new.hjson").ok()
    us.runs(
        "nncp-cfgdir -cfg loaded.new.hjson -dump again && diff -r nncp-cfg-dir again && rm -r again nncp-cfg-dir"
    ).ok()
    carry(us, stage["gw"])
    carry(stage["gw"], beta)


def values_of(stage: Stage) -> dict[str, str]:
    """What to write into the files of the page, by pattern of their paths."""
    us = stage["us"]
    area = us.runs("nncp-cfgnew -area home -nocomments", told=False).ok().out.decode()
    keys = dict(line.split(": ") for line in map(str.strip, area.splitlines()) if line.count(": ") == 1)
    values = {
        r"areas/\w+/(id|prv|pub)": None,
        r"areas/\w+/subs": "beta\ngw\n",
        r".*/incoming": f"{us.incoming}\n",
        r".*/allow-unknown": "",
        r".*/exec/\w+": "/bin/cat\n-\n",
        "log": f"{us.home}/log\n",
        "mcd-listen": ".*\n",
        "neigh/beta/via": "gw\n",
        r".*/addrs/\w+": "localhost:5400\n",
        r".*/addr": "lan\n",
        r".*/autotoss": "",
        r".*/cron": "*/1 * * * *\n",
        r".*/nice": "PRIORITY\n",
        r".*/(rxrate|chunked)": "10\n",
        r".*/onlinedeadline": "3600\n",
        r".*/freq/path": f"{us.home}/pub\n",
        r"notify/.*": "someone@example.com\n",
        "spool": f"{us.spool}\n",
    }
    for name in ("id", "prv", "pub"):
        values[rf"areas/home/{name}"] = keys[name] + "\n"
    second = us.runs("nncp-cfgnew -area homero -nocomments", told=False).ok().out.decode()
    for line in map(str.strip, second.splitlines()):
        if line.count(": ") == 1:
            name, _, value = line.partition(": ")
            values[rf"areas/homero/{name}"] = value + "\n"
    for name, node in stage.nodes.items():
        section = "self" if node is us else name
        for key in ("id", "exchpub", "signpub", "noisepub"):
            values[f"neigh/{section}/{key}"] = node.config["self"][key] + "\n"
    for key, value in us.config["self"].items():
        values[f"self/{key}"] = value + "\n"
    return {pattern: value for pattern, value in values.items() if value is not None}


def paths(drawing: str) -> list[str]:
    """The files of a tree that is drawn with lines."""
    found: list[str] = []
    stack: list[str] = []
    for line in drawing.strip().split("\n")[1:]:
        line = line.replace("\xa0", " ")
        name = line.lstrip("│├└─ ")
        depth = (len(line) - len(name)) // 4
        stack[depth - 1 :] = [name]
        found.append("/".join(stack))
    return [path for path in found if not any(other.startswith(path + "/") for other in found)]


@example("nncp-rm", "the daily job of Debian's package", "alice")
def daily(stage: Stage) -> None:
    """/usr/share/doc/nncp/examples/cron-daily-nncp, without the change of user."""
    alice = stage["alice"]
    letters(alice, "self", 2)
    alice.runs("nncp-toss -seen").ok()
    alice.runs("find spool -type f | xargs touch -d '10 days ago'").ok()
    script = (MANUAL.parent / "examples" / "cron-daily-nncp").read_text()
    script = re.sub(r'su nncp -s /bin/bash -c "(.*?)"', r"\1", script)
    alice.runs(script.partition("\n")[2]).ok()
