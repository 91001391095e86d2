"""What is typed and can not be meant is told in one line, with what may have been meant."""

import subprocess
from pathlib import Path

from ..harness.implementation import binary, packmule
from ..harness.world import Done, World


def alice(directory: Path):
    return World(directory, {"alice": packmule()})["alice"]


def own(node, *words: str, stdin: bytes = b"") -> Done:
    done = subprocess.run(
        [binary(), *map(str, words)], env=node.environment(), cwd=node.home, input=stdin, capture_output=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def is_short(done: Done) -> Done:
    """The reason and how to get help, and no page."""
    reason, *more = done.err.decode().splitlines()
    assert len(more) == 1 and more[0].endswith(" -h explains it"), done.err
    assert done.out == b"" and reason, done
    return done


def claim_a_word_that_no_command_uses_is_told(directory: Path):
    """A surplus word is refused with where it belongs, before anything is done."""
    node = alice(directory)
    node.run("file", "-", "bob:x", stdin=b"x").ok()
    (packet,) = node.packets("tx", "bob")
    for command in (
        ["rm", "-all", "-pkt", packet.name],
        ["toss", "bob"],
        ["freq", "bob:x", "there", "extra"],
        ["stat", "bob"],
        ["check", "bob"],
        ["ack", "-all", "bob"],
        ["log", "bob"],
        ["pkt", str(packet)],
        ["hash", str(packet)],
        ["cfgmin", "there"],
        ["cfgnew", "there"],
        ["daemon", "there"],
        ["xfer", "-tx", "/nowhere", "bob"],
        ["trns", "-via", "bob", "bob:x", "carol"],
        ["reass", "one.nncp.meta", "two.nncp.meta"],
        ["file", "a", "bob:x", "b"],
        ["doctor", "bob"],
        ["peers", "bob"],
        ["links", "here", "there"],
        ["mtree", "verify", "a", "b", "c"],
        ["mtree", "from-tar", "archive.tar"],
        ["mtree", "create", "a", "b"],
        ["mtree", "diff", "a", "b", "c"],
        ["zfs", "inspect", "stream"],
        ["completion", "bash", "zsh"],
        ["cfgenc", "a", "b"],
        ["cfgdir", "-dump", "a", "b"],
    ):
        done = own(node, *command)
        status = 1 if packmule_only(command[0]) is False or command[0] == "mtree" else 2
        assert done.status == status, (command, done)
        is_short(done).says(f'unexpected argument "{command[-1]}"')
    own(node, "toss", "bob").says("use -node bob")
    own(node, "rm", "-all", "-pkt", packet.name).says("rm reads names of packets from standard input")
    own(node, "toss", "-node", "bob", "-dryrun").ok()
    assert packet.exists()


def packmule_only(name: str) -> bool:
    return name in ("doctor", "peers", "links", "completion", "zfs", "mtree")


def claim_a_wrong_command_line_is_one_line(directory: Path):
    """A wrong flag, a missing word or a wrong combination is one line with the reason, then how to get help."""
    node = alice(directory)
    for command, reason in (
        (["toss", "-nod", "bob"], "flag provided but not defined: -nod (did you mean -node?)"),
        (["toss", "-dry-run"], "flag provided but not defined: -dry-run (did you mean -dryrun?)"),
        (["toss", "-cycle"], "flag needs an argument: -cycle"),
        (["file"], "SRC is missing"),
        (["file", "x"], "NODE:[DST] is missing"),
        (["file", "x", "bob"], "it has no colon"),
        (["freq"], "NODE:SRC is missing"),
        (["freq", "bob"], "it has no colon"),
        (["exec", "bob"], "HANDLE is missing"),
        (["call"], "NODE[:ADDR] is missing"),
        (["xfer", "-tx"], "DIR is missing"),
        (["rm"], "give -tmp, -lock, -all or -node"),
        (["reass"], "exactly one of FILE, -node and -all"),
        (["ack"], "either -all or -node"),
        (["cfgdir", "x"], "-dump or -load is missing"),
        (["links"], "DIR is missing"),
        (["handle", "zfs-receive"], "-- is missing"),
        (["mtree"], "a subcommand is missing: create, verify"),
        (["mtree", "verfy"], "no such subcommand: verfy: verify"),
        (["mtree", "verify"], "MANIFEST is missing"),
        (["zfs", "sned"], "no such subcommand: sned: send"),
        (["zfs", "send", "bob"], "DATASET... is missing"),
        (["zfs", "resend", "bob", "tank"], "-from is missing"),
    ):
        done = own(node, *command).fails().says(reason)
        is_short(done)
        assert done.status in (1, 2)


def claim_a_name_that_is_none_is_told_with_the_nearest(directory: Path):
    """A name of a neighbour, area, command or builtin that is none is told with the nearest ones."""
    node = alice(directory)
    for command in (["file", "-", "bbo:x"], ["exec", "bbo", "r"], ["freq", "bbo:x"], ["toss", "-node", "bbo"]):
        own(node, *command, stdin=b"x").fails().says('no neighbour is called "bbo": bob, ')
    own(node, "file", "-via", "craol", "-", "bob:x", stdin=b"x").fails().says('called "craol": carol, ')
    own(node, "file", "-", "area:newz:x", stdin=b"x").fails().says('no area is called "newz": ')
    own(node, "tsos").fails().says("no such command: tsos (did you mean toss?")
    own(node, "help", "tsos").fails().says("no such command: tsos: toss, ")
    own(node, "handle", "zfs-recieve", "--").fails().says('no builtin is called "zfs-recieve": zfs-receive, ')
    node.config["packmule"] = {"zfs": {"sets": {"main": {}, "other": {}}}}
    node.write_config()
    own(node, "zfs", "run", "mian").fails().says('the configuration has no set "mian": main, other')


def claim_help_explains_subcommands(directory: Path):
    """`packmule help zfs status`, `zfs-status`, `zfs help status` and `zfs status -h` say the same."""
    node = alice(directory)
    for group, sub in (("zfs", "status"), ("zfs", "receive-dir"), ("mtree", "from-tar")):
        want = own(node, group, sub, "-h").ok().err.decode()
        assert f"packmule {group} {sub} -- " in want
        body = want.partition("\n")[0]
        for words in (["help", group, sub], ["help", f"{group}-{sub}"], [group, "help", sub]):
            assert own(node, *words).ok().out.decode().startswith(body), words
    assert own(node, "help", "zfs").ok().out == own(node, "zfs", "help").ok().out
    assert own(node, "help", "nncp-toss").ok().out.startswith(b"nncp-toss -- ")
    own(node, "help", "zfs", "statsu").fails().says("no subcommand statsu: status")
    own(node, "help", "toss", "x").fails().says("toss has no subcommands")


def claim_an_announcement_needs_a_port(directory: Path):
    """`daemon -mcd-once` without an address to announce is an error, not a wait without end."""
    alice(directory).run("daemon", "-mcd-once", "-bind", "").fails().says("-bind is empty")
