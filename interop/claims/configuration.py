"""A configuration with something odd in it stops nothing that does not use it, and the oddity is named."""

import base64
import os
import subprocess
from pathlib import Path

from ..harness.implementation import binary, packmule
from ..harness.world import PUBLIC, Node, World

WEAK = base64.b32encode(bytes(32)).decode().rstrip("=")
"""A point of low order, as X25519 key and as Ed25519 key."""
NO_POINT = base64.b32encode(b"\x02" + bytes(31)).decode().rstrip("=")
"""y = 2 is on no point of Ed25519's curve."""


def world(directory: Path) -> World:
    return World(directory, {name: packmule() for name in ("alice", "bob", "carol")})


def copied(node: Node, name: str) -> dict:
    return {key: node.neighbour(name)[key] for key in PUBLIC}


def write(node: Node, text: str) -> None:
    (node.home / "nncp.hjson").write_text(text)
    (node.home / "nncp.hjson").chmod(0o600)


def claim_a_key_that_is_none_stops_only_its_own_neighbour(directory: Path):
    """A neighbour's wrong signpub, exchpub or noisepub is a warning; only what uses that neighbour fails."""
    for key, value in (("signpub", NO_POINT), ("signpub", WEAK), ("exchpub", WEAK), ("noisepub", WEAK)):
        alice = world(directory / f"{key}-{value[:9]}")["alice"]
        alice.neighbour("carol")[key] = value
        alice.write_config()
        alice.run("stat").ok().says(f"warning: {alice.home}/nncp.hjson: neigh.carol.{key} ")
        assert b"carol" not in alice.run("file", "-quiet", "-", "bob:x", stdin=b"x").ok().err
        for command in ("toss", "check", "rm"):
            alice.run(command, *(["-tmp"] if command == "rm" else [])).ok()
        used = alice.run("file", "-", "carol:x", stdin=b"x")
        if key == "noisepub":
            used.ok()
            alice.run("call", "carol", "127.0.0.1:1").fails()
        else:
            used.fails().says(f"neigh.carol.{key} is")
            assert not alice.packets("tx", "carol")
            alice.run("file", "-via", "carol", "-", "bob:x", stdin=b"x").fails().says(f"neigh.carol.{key} is")
        assert f"fault: neigh.carol.{key} is" in doctor(alice)


def doctor(node: Node, **who) -> str:
    """What doctor finds; never nothing."""
    done = subprocess.run(
        [binary(), "doctor"], env=node.environment(), capture_output=True, text=True, check=False, **who
    )
    assert "nothing is wrong" not in done.stdout and done.stdout, done
    return done.stdout


def claim_a_packet_of_a_neighbour_without_a_key_says_why_it_stays(directory: Path):
    """A packet whose sender's signpub is none stays, and the reason names the key; others are tossed."""
    nodes = world(directory)
    alice, bob, carol = (nodes[name] for name in ("alice", "bob", "carol"))
    for sender in (alice, carol):
        sender.run("file", "-", "bob:" + sender.name, stdin=b"x").ok()
        nodes.carry(sender.name, "bob")
    bob.neighbour("carol")["signpub"] = NO_POINT
    bob.write_config()
    bob.run("toss").fails().says("signpub is no Ed25519 public key")
    assert set(bob.received()) == {"alice"} and bob.packets("rx", "carol")


def claim_a_neighbour_that_is_there_twice_is_one_with_two_names(directory: Path):
    """Sections of one id that say the same are a warning; both names work, and packets are taken once."""
    nodes = world(directory)
    alice, bob = nodes["alice"], nodes["bob"]
    own, twin = alice.neighbour("alice"), alice.neighbour("bob")
    alice.config["neigh"] |= {"alice": own, "zed": twin | {"via": [], "addrs": {}}}
    alice.write_config()
    said = alice.run("stat").ok()
    said.says("neigh.self and neigh.alice are equal").says("neigh.bob and neigh.zed are equal")
    assert said.out.count(b"bob") == 1 and b"zed" not in said.out, said.out
    for name in ("zed", "bob"):
        alice.run("file", "-", f"{name}:{name}", stdin=b"x").ok()
    nodes.carry("alice", "bob")
    bob.run("toss").ok()
    assert set(bob.received()) == {"zed", "bob"}
    assert "warning: neigh.self and neigh.alice are equal" in doctor(alice)


def claim_sections_of_one_id_that_differ_are_refused(directory: Path):
    """Sections of one id that differ in something that has an effect are refused, both by name."""
    alice = world(directory)["alice"]
    alice.config["neigh"]["zed"] = alice.neighbour("bob") | {"exec": {"other": ["/bin/false"]}}
    alice.write_config()
    alice.run("stat").fails().says("neigh.bob and neigh.zed have the same id")


def claim_an_area_that_is_there_twice_is_one_with_two_names(directory: Path):
    """Two equal areas of one id are one area with two names."""
    alice = world(directory)["alice"]
    (name, area), *_ = alice.config["areas"].items()
    alice.config["areas"]["zzz"] = area
    alice.write_config()
    alice.run("stat").ok().says(f"areas.{name} and areas.zzz are equal")
    alice.run("file", "-", "area:zzz:x", stdin=b"x").ok()


def claim_a_section_that_is_there_twice_is_named_with_both_lines(directory: Path):
    """A second section of one name is a warning with both lines, and the cause of what it lost."""
    alice = world(directory)["alice"]
    own = "\n".join(f"{key}: {value}" for key, value in copied(alice, "alice").items())
    bob = "\n".join(f"{key}: {value}" for key, value in copied(alice, "bob").items())
    head = f"spool: {alice.spool}\nlog: {alice.spool}/log\n"
    write(alice, f"{head}neigh: {{\nbob: {{\n{bob}\n}}\n}}\nneigh: {{\nself: {{\n{own}\n}}\n}}\n")
    alice.run("stat").ok().says("neigh is there twice, in line 3 and in line 11,")
    assert "fault: neigh is there twice" in doctor(alice)
    write(alice, f"{head}neigh: {{\nself: {{\n{own}\n}}\n}}\nneigh: {{\nbob: {{\n{bob}\n}}\n}}\n")
    failed = alice.run("stat").fails().says("neigh is there twice, in line 3 and in line 11,")
    assert b"self neighbour missing" not in failed.err
    assert "in line 3 and in line 11" in doctor(alice)
    write(alice, f"{head}neigh: {{\nself: {{\n{own}\n}}\nbob: {{\n{bob}\n}}\nbob: {{\nid: X\n}}\n}}\n")
    alice.run("stat").fails().says("neigh.bob is there twice, in line 10 and in line 16,")


def claim_an_unquoted_string_that_took_in_a_bracket_is_named_by_its_line(directory: Path):
    """What an unquoted string took in is named with its line: a bracket that is missing, a comment, a comma."""
    alice = world(directory)["alice"]
    write(alice, "{\nself: { id: X }\nneigh: {\n}\n}\n")
    alice.run("stat").fails().says("line 2").says("takes the rest of its line").says("quote it")
    write(alice, "{\nneigh: {\nbob: {\nvia: [alice, carol]\n}\n}\n}\n")
    alice.run("stat").fails().says("line 4").says("quote it")
    own = "\n".join(f"{key}: {value}" for key, value in copied(alice, "alice").items())
    text = f"spool: {alice.spool}\nlog: {alice.spool}/log\nneigh: {{\nself: {{\n{own}\nincoming: %s\n}}\n}}\n"
    for value, what in (("/in # mine", "comment"), ("/in,", "`,`"), ("/in // mine", "comment"), ("/in ]", "`]`")):
        write(alice, text % value)
        assert alice.run("stat").ok().err == b""
        assert f"neigh.self.incoming in line 9 includes the {what}" in doctor(alice)
    write(alice, text % '"/nonexistent/in # mine"')
    assert "includes" not in doctor(alice)


def claim_rules_for_listening_do_not_stop_a_daemon(directory: Path):
    """A daemon starts with an mcd-listen rule that is no expression, a caller with an mcd-send rule."""
    alice = world(directory)["alice"]
    alice.config["mcd-listen"] = ["eth[0-9"]
    alice.write_config()
    done = alice.run("daemon", "-bind", "127.0.0.1:0", wrap=("timeout", "--preserve-status", "1"))
    assert b"eth[0-9" not in done.err, done.err
    assert "mcd-listen" in doctor(alice)
    alice.config["mcd-send"] = {"eth[0-9": 10}
    alice.write_config()
    alice.run("daemon", "-bind", "127.0.0.1:0", wrap=("timeout", "1")).fails().says("eth[0-9")


def claim_private_keys_that_others_can_read_are_told_by_every_command(directory: Path):
    """Every command warns of private keys that others can read, and -quiet silences that."""
    alice = world(directory)["alice"]
    config = alice.home / "nncp.hjson"
    for mode, warns in ((0o600, False), (0o644, True), (0o604, True), (0o620, True), (0o400, False)):
        config.chmod(mode)
        for command in (["stat"], ["toss"], ["file", "-", "bob:x"], ["rm", "-tmp"], ["check"], ["log"], ["cfgmin"]):
            done = alice.run(*command, stdin=b"x").ok()
            assert (b"holds private keys" in done.err) == warns, (oct(mode), command, done.err)
        assert alice.run("toss", "-quiet").ok().err == b""
    minimal = alice.run("cfgmin").ok().out
    config.write_bytes(minimal)
    config.chmod(0o644)
    assert b"private" not in alice.run("stat").ok().err
    assert os.stat(config).st_mode & 0o044


def claim_doctor_does_not_advise_to_remove_what_it_can_not_read(directory: Path):
    """A packet that its user can not read is told as unreadable, and never to be removed."""
    nodes = world(directory)
    alice = nodes["alice"]
    alice.run("file", "-", "bob:x", stdin=b"x").ok()
    (packet,) = alice.packets("tx", "bob")
    packet.chmod(0)
    found = doctor(alice, **as_nobody(alice, directory))
    assert f"cannot read {packet}: permission denied" in found, found
    assert f"rm {packet}" not in found and "is not a packet" not in found, found
    packet.chmod(0o644)
    packet.write_bytes(b"junk")
    assert f"rm {packet}" in doctor(alice)


def as_nobody(node: Node, directory: Path) -> dict:
    """Arguments that run a command as a user without rights, who can reach the node's home."""
    if os.geteuid() != 0:
        return {}
    for path in [directory, *directory.parents]:
        path.chmod(path.stat().st_mode | 0o055)
        if path.name.startswith("interop-"):
            break
    subprocess.run(["chown", "-R", "nobody", node.home], check=True)
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}
