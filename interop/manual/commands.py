"""The pages of the commands."""

import datetime

from .example import Example, collect
from .stage import Actor, Stage

EXAMPLES: list[Example] = []
example = collect(EXAMPLES)


def carry(giver: Actor, taker: Actor) -> None:
    """By stick, and into effect."""
    giver.runs(f"nncp-xfer -quiet -tx -mkdir -node {taker.name} /media/usbstick").ok()
    taker.runs("nncp-xfer -quiet -rx /media/usbstick").ok()
    taker.runs("nncp-toss").ok()


def letters(sender: Actor, recipient: str, number: int = 2) -> None:
    for index in range(number):
        sender.has(f"letter{index}", f"letter {index}\n")
        sender.runs(f"nncp-file -quiet letter{index} {recipient}:").ok()


@example("nncp-ack", "packets wait until their receipt is acknowledged")
def ack(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    letters(alice, "bob")
    for node in ("alice", "bob"):
        alice.runs(f"mkdir -p /mnt/shared/{stage[node].id}", told=False).ok()
    alice.types("nncp-xfer -keep -tx -node bob /mnt/shared").ok()
    bob.types("nncp-xfer -rx /mnt/shared").ok()
    bob.types("nncp-ack -node alice 4>acks").ok()
    bob.types("nncp-xfer [-keep] -tx /mnt/shared", "nncp-xfer -keep -tx /mnt/shared").ok()
    bob.types("nncp-rm -node alice -pkt <acks").ok()
    assert len(alice.packets("tx", "bob")) == 2
    alice.types("nncp-xfer -rx /mnt/shared").ok()
    alice.types("nncp-toss").ok()
    assert not alice.packets("tx", "bob")
    bob.runs("nncp-toss").ok()


@example("nncp-ack", "acknowledgements of everybody's packets, removed at once by a pipe", "alice bob eve")
def ack_of_all(stage: Stage) -> None:
    alice, bob, eve = stage.actors("alice bob eve")
    for sender in (alice, eve):
        letters(sender, "bob")
        sender.runs("nncp-xfer -quiet -mkdir -tx -node bob /mnt/shared").ok()
    bob.runs("nncp-xfer -quiet -rx /mnt/shared").ok()
    bob.types("nncp-ack [options] -all", "nncp-ack -all").ok()
    bob.types(
        "nncp-ack […] 4>&1 >&2 | nncp-rm […] -pkt", "nncp-ack -node alice 4>&1 >&2 | nncp-rm -node alice -pkt"
    ).ok()
    (first, _) = bob.packets("rx", "alice")
    bob.types("nncp-ack [options] -node NODE -pkt PKT", f"nncp-ack -node alice -pkt {first.name}").ok()
    assert len(bob.packets("tx", "alice")) == 3 and len(bob.packets("tx", "eve")) == 2


@example("nncp-bundle", "a disc is recorded, and read again to remove what is on it", "alice bob whatever us")
def bundle(stage: Stage) -> None:
    us = stage["us"]
    for node in ("alice", "bob", "whatever"):
        letters(us, node, 1)
    line = "nncp-bundle -tx ALICE BOB WHATEVER | cdrecord -tao -"
    us.types(line, line.replace("ALICE BOB WHATEVER", "alice bob whatever")).ok()
    us.types(
        "dd if=/dev/cd0 bs=2048 | nncp-bundle -rx -delete",
        "dd status=none if=/dev/cd0 bs=2048 | nncp-bundle -rx -delete",
    ).ok()
    for node in ("alice", "bob", "whatever"):
        assert not us.packets("tx", node)
        stage[node].types(
            "nncp-bundle [options] -rx [-check] [-dryrun] [NODE …] < …", "nncp-bundle -rx -check < /dev/cd0"
        ).ok()
        stage[node].runs("nncp-toss").ok()


@example("nncp-cfgdir", "into a directory and back")
def cfgdir(stage: Stage) -> None:
    alice = stage["alice"]
    alice.types(
        "nncp-cfgdir [options] [-cfg …] -dump /path/to/dir", "nncp-cfgdir -cfg nncp.hjson -dump /path/to/dir"
    ).ok()
    alice.types(
        "nncp-cfgdir [options] -load /path/to/dir > cfg.hjson", "nncp-cfgdir -load /path/to/dir > cfg.new.hjson"
    ).ok()
    alice.runs("chmod 600 cfg.new.hjson; NNCPCFG=cfg.new.hjson nncp-stat").ok()
    letter = alice.has("letter")
    alice.runs(f"NNCPCFG=/path/to/dir nncp-file {letter.name} bob:").ok()
    alice.runs("rm -r /path/to/dir").ok()
    carry(alice, stage["bob"])


@example("nncp-cfgenc", "encrypted, used, told and decrypted")
def cfgenc(stage: Stage) -> None:
    alice = stage["alice"]
    line = "nncp-cfgenc [options] [-s INT] [-t INT] [-p INT] cfg.hjson > cfg.hjson.eblob"
    alice.types(line, "nncp-cfgenc -s 128 -t 4 -p 2 nncp.hjson > nncp.hjson.eblob", typed="secret").ok()
    line = "nncp-cfgenc -dump /usr/local/etc/nncp.hjson.eblob"
    told = alice.types(line).ok().out.decode()
    for words in stage.page.example("Strengthening function").split("\n")[1:]:
        assert words.partition(":")[0] in told, words
    alice.has("letter")
    alice.runs("nncp-file -cfg nncp.hjson.eblob letter bob:", typed="secret").ok()
    alice.runs("NNCPCFG=nncp.hjson.eblob nncp-file letter bob:", typed="secret").ok()
    alice.runs("NNCPCFG=nncp.hjson.eblob nncp-file letter bob:", typed="wrong").fails()
    line = "nncp-cfgenc [options] -d cfg.hjson.eblob > cfg.hjson"
    alice.types(line, "nncp-cfgenc -d nncp.hjson.eblob > again.new.hjson", typed="secret").ok()
    alice.runs("cmp nncp.hjson again.new.hjson").ok()
    carry(alice, stage["bob"])


@example("nncp-cfgmin", "a node without private keys passes packets on, and can not read them")
def cfgmin(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    alice.types("nncp-cfgmin [options] > stripped.hjson", "nncp-cfgmin > stripped.new.hjson").ok()
    letters(alice, "bob", 1)
    bob.runs("nncp-cfgmin > stripped.new.hjson").ok()
    alice.runs("nncp-xfer -quiet -mkdir -tx -node bob /media/usbstick").ok()
    bob.runs("NNCPCFG=stripped.new.hjson nncp-xfer -rx /media/usbstick").ok()
    bob.runs("NNCPCFG=stripped.new.hjson nncp-stat").ok()
    assert len(bob.packets("rx", "alice")) == 1
    bob.runs("NNCPCFG=stripped.new.hjson nncp-toss")
    bob.runs("nncp-toss").ok()


@example("nncp-cfgnew", "a new configuration, and keys of an area")
def cfgnew(stage: Stage) -> None:
    line = "nncp-cfgnew [options] [-area NAME] [-yggdrasil] [-nocomments] > new.hjson"
    for flags in ("", "-nocomments", "-area home", "-area home -nocomments"):
        stage["alice"].types(line, f"nncp-cfgnew {flags} > new.new.hjson".replace("  ", " ")).ok()
        stage["alice"].runs("sed '/^ *#/d; s/:.*//' new.new.hjson | tr -d '{},[] \\t' | grep . | sort").ok()
    stage["alice"].runs("nncp-cfgnew -nocomments > new.new.hjson; nncp-cfgmin -cfg new.new.hjson > /dev/null").ok()


@example("nncp-check", "packets are checked against their names")
def check(stage: Stage) -> None:
    alice = stage["alice"]
    letters(alice, "bob")
    alice.types("nncp-check [-nock] [-cycle INT] [options]", "nncp-check").ok()
    alice.runs("nncp-check -nock").ok()
    damaged = alice.packets("tx", "bob")[0]
    damaged.write_bytes(damaged.read_bytes() + b"x")
    alice.runs("nncp-check").fails()


@example("nncp-cronexpr", "times of an expression")
def cronexpr(stage: Stage) -> None:
    year = datetime.datetime.now(datetime.UTC).year + 1
    line = 'nncp-cronexpr -num 12 "*/1 * * * * SAT,SUN 2021"'
    stage["alice"].types(line)
    stage["alice"].types(line, line.replace("2021", str(year)))
    done = stage["alice"].types('nncp-cronexpr "*/5 * * * * * *"').ok()
    assert len(done.out.splitlines()) == len(stage.page.example("Now:").strip().splitlines()) - 1
    times = [datetime.datetime.fromisoformat(line.split()[1][:19]) for line in done.out.decode().splitlines()[1:]]
    assert all((later - first).seconds == 5 for first, later in zip(times, times[1:]))


@example("nncp-exec", "a letter by mail, and what goes to a file")
def exec_(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    page = stage.page.example("sendmail: [/usr/sbin/sendmail")
    assert 'appender: ["/bin/sh", "-c", "cat >> /append"]' in page
    handlers = {"sendmail": bob.handler("sendmail", "-t"), "appender": ["/bin/sh", "-c", f"cat >> {bob.home}/append"]}
    bob.knows("alice", exec=handlers)
    alice.types("echo My message |", "echo My message | nncp-exec -nice 123 bob sendmail root@localhost").ok()
    line = "nncp-exec [options] [-use-tmp] [-nocompress]      NODE HANDLE [ARG0 ARG1 …]"
    alice.types(line, "echo My message | nncp-exec -use-tmp bob appender")
    alice.types(line, "echo My message | nncp-exec bob appender").ok()
    alice.types(line, "echo My message | nncp-exec -nocompress -replynice 123 bob sendmail root@localhost").ok()
    alice.types(line, "echo Not allowed | nncp-exec bob nosuch").ok()
    alice.runs("nncp-xfer -quiet -mkdir -tx -node bob /media/usbstick").ok()
    bob.runs("nncp-xfer -quiet -rx /media/usbstick").ok()
    bob.runs("nncp-toss").fails()


@example("nncp-file", "a file, a stream, a directory, chunks")
def file(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    line = "nncp-file [options] [-chunked INT] SRC      NODE:[DST]"
    alice.has("SRC", bytes(range(256)) * 20)
    alice.has("tree/sub/one", "one\n")
    alice.has("tree/two", "two\n")
    for reading in (
        "nncp-file SRC bob:",
        "nncp-file SRC bob:DST",
        "nncp-file SRC bob:DST",
        "cat SRC | nncp-file - bob:stream",
        "nncp-file tree bob:",
        "nncp-file -chunked 2 SRC bob:chunked",
        "nncp-file -chunked 0 SRC bob:whole",
    ):
        alice.types(line, reading).ok()
    alice.types(line, "nncp-file - bob:").fails()
    # Packets of one niceness are tossed in any order.
    carry(alice, bob)
    assert {"DST", "DST.0", "tree.tar", "chunked.nncp.meta"} <= {path.name for path in bob.incoming.iterdir()}


@example("nncp-freq", "files are asked for, and come")
def freq(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    bob.knows("alice", freq={"path": str(bob.home / "pub"), "chunked": 2, "minsize": 1})
    bob.has("pub/small", "small\n")
    bob.has("pub/sub/large", bytes(range(256)) * 20)
    alice.types("nncp-freq [options] NODE:SRC [DST]", "nncp-freq bob:small").ok()
    alice.runs("nncp-freq -replynice F+2 bob:sub/large DST").ok()
    carry(alice, bob)
    carry(bob, alice)
    alice.runs("nncp-reass -all").ok()
    assert (alice.incoming / "DST").read_bytes() == (bob.home / "pub/sub/large").read_bytes()


@example("nncp-hash", "of a file, of standard input, from its middle")
def hash_(stage: Stage) -> None:
    alice = stage["alice"]
    alice.has("some", bytes(range(251)) * 2000)
    line = "nncp-hash [-file …] [-seek X] [-debug] [-progress]"
    results = {
        alice.types(line, reading).ok().out
        for reading in ("nncp-hash -file some", "nncp-hash < some", "nncp-hash -file some -seek 262144")
    }
    assert len(results) == 1


@example("nncp-log", "the log, for people")
def log(stage: Stage) -> None:
    letters(stage["alice"], "bob")
    stage["alice"].types("nncp-log [options]", "nncp-log | grep -v ' \\[.*xx'").ok()


@example("nncp-pkt", "headers and contents of packets", "alice bob relay")
def pkt(stage: Stage) -> None:
    alice = stage["alice"]
    alice.knows("bob", via=["relay"])
    alice.has("letter", "content of a letter\n" * 20)
    alice.runs("nncp-file letter self:").ok()
    alice.runs("nncp-exec bob stargrave@stargrave.org < letter").ok()
    (file_,), (transit,) = alice.packets("tx", "alice"), alice.packets("tx", "relay")
    told = alice.types("nncp-pkt [options] < pkt", f"nncp-pkt < {file_}").ok().out.decode()
    for words in stage.page.example("Packet type: encrypted").strip().split("\n"):
        assert words.partition(":")[0] in told, words
    line = "nncp-pkt [options] [-decompress] -dump < pkt > payload"
    alice.types(line, f"nncp-pkt -dump < {file_} | nncp-pkt").ok()
    alice.runs(f"nncp-pkt -dump < {file_} | tail -c 400").ok()
    stage["relay"].runs(f"nncp-pkt -dump < {transit} | nncp-pkt").ok()
    stage["relay"].runs(f"nncp-pkt -dump < {transit} | tail -c +277 > inner").ok()
    stage["bob"].runs("nncp-pkt < ../relay/inner").ok()
    stage["bob"].runs("nncp-pkt -dump < ../relay/inner | nncp-pkt").ok()
    stage["bob"].runs("nncp-pkt -dump < ../relay/inner | nncp-pkt -decompress -dump").ok()
    stage["relay"].runs("rm inner").ok()
    alice.types("nncp-pkt -overheads").ok()


@example("nncp-reass", "chunks are told and put together")
def reass(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    alice.has("testfile", bytes(range(251)) * 30)
    alice.runs("nncp-file -chunked 2 testfile bob:").ok()
    alice.runs("nncp-file -chunked 2 testfile bob:other").ok()
    carry(alice, bob)
    line = "nncp-reass [options] [-dryrun] [-keep] [-dump] [-stdout] FILE.nncp.meta"
    told = bob.types(line, "nncp-reass -dump incoming/testfile.nncp.meta").ok().out.decode()
    for words in stage.page.example("Original filename").strip().split("\n")[:5]:
        assert words.partition(":")[0] in told, words
    bob.types(line, "nncp-reass -dryrun incoming/testfile.nncp.meta").ok()
    bob.types(line, "nncp-reass -keep incoming/testfile.nncp.meta").ok()
    bob.types(line, "nncp-reass -stdout incoming/testfile.nncp.meta | cmp - ../alice/testfile").ok()
    line = "nncp-reass [options] [-dryrun] [-keep] {-all | -node NODE}"
    bob.types(line, "nncp-reass -dryrun -all").ok()
    bob.types(line, "nncp-reass -node alice").ok()
    bob.runs("cmp incoming/other ../alice/testfile").ok()


@example("nncp-rm", "each kind of file")
def rm(stage: Stage) -> None:
    alice = stage["alice"]
    letters(alice, "bob", 4)
    listed = [path.name for path in alice.packets("tx", "bob")]
    queue = alice.spool / stage["bob"].id
    for name in ("seen/" + listed[0], "x.part", "y.nock", "area/" + "A" * 52 + "/" + listed[1]):
        alice.has(str((queue / "rx" / name if "area" not in name else queue / name).relative_to(alice.home)), "")
    alice.has("spool/tmp/nncp123456", "left over")
    for line, reading in (
        ("nncp-rm [options] [-older X] -tmp", "nncp-rm -older 1d -tmp"),
        ("nncp-rm [options] [-older X] -tmp", "nncp-rm -tmp"),
        ("nncp-rm [options] -lock", "nncp-rm -lock"),
        ("nncp-rm [options] [-older X] {-all|-node NODE} -part", "nncp-rm -node bob -part"),
        ("nncp-rm [options] [-older X] {-all|-node NODE} -seen", "nncp-rm -all -seen"),
        ("nncp-rm [options] [-older X] {-all|-node NODE} -nock", "nncp-rm -all -nock"),
        ("nncp-rm [options] [-older X] {-all|-node NODE} -area", "nncp-rm -all -area"),
        ("nncp-rm [options] [-older X] {-all|-node NODE} {-rx|-tx} [-hdr]", "nncp-rm -node bob -tx -hdr"),
    ):
        alice.types(line, reading).ok()
    script = stage.page.example("<<EOF").split("\n")
    start = next(number for number, line in enumerate(script) if "<<EOF" in line)
    heredoc = script[start][2:].replace("[options] [-older X] {-all|-node NODE}", "-node bob")
    names = [listed[0], listed[1], f"bob/{listed[2]}"]
    alice.runs("\n".join([heredoc, *names, "EOF"])).ok()
    assert [path.name for path in alice.packets("tx", "bob")] == listed[3:]
    alice.runs("nncp-rm -all -dryrun -tx").ok()
    alice.runs("nncp-rm -all -tx").ok()


@example("nncp-stat", "what waits")
def stat(stage: Stage) -> None:
    letters(stage["alice"], "bob")
    stage["alice"].types("nncp-stat [options] [-pkt] [-node NODE]", "nncp-stat").ok()
    stage["alice"].runs("nncp-stat -pkt -node bob").ok()


@example("nncp-toss", "what is not to be done stays")
def toss(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    bob.knows("alice", exec={"save": ["/bin/sh", "-c", f"cat > {bob.home}/saved"]})
    letters(alice, "bob", 1)
    alice.runs("echo input | nncp-exec bob save").ok()
    alice.runs("nncp-xfer -quiet -mkdir -tx -node bob /media/usbstick").ok()
    bob.runs("nncp-xfer -quiet -rx /media/usbstick").ok()
    for flags in ("-dryrun", "-nofile -nofreq -noexec -notrns -noarea", "-node alice -noexec", "-seen"):
        bob.types("[-nofile] [-nofreq] [-noexec] [-notrns] [-noarea]", f"nncp-toss {flags}").ok()


@example("nncp-trns", "a packet takes another way", "alice bob relay")
def trns(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    letters(alice, "bob", 2)
    first, second = alice.packets("tx", "bob")
    alice.types("nncp-trns [options] -via NODEx[,…] NODE:PKT", f"nncp-trns -via relay bob:{first.name}").ok()
    alice.types("nncp-trns [options] -via NODEx[,…] /path/to/PKT", f"nncp-trns -via relay {second}").ok()
    carry(alice, stage["relay"])
    carry(stage["relay"], bob)


@example("nncp-xfer", "directories are made where they are missing")
def xfer(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    letters(alice, "bob", 1)
    line = "nncp-xfer [options] [-node NODE] [-mkdir] [-keep] [-rx|-tx] DIR"
    for flags in ("-tx", "-tx -mkdir -keep", "-tx"):
        alice.types(line, f"nncp-xfer {flags} /media/usbstick").ok()
    bob.types(line, "nncp-xfer -rx -keep /media/usbstick").ok()
    bob.types(line, "nncp-xfer -node alice /media/usbstick").ok()
    bob.runs("nncp-toss").ok()


@example("CfgNeigh", "arguments, and what a handler is told")
def handlers(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    assert 'exec: {flag: ["/usr/bin/touch", "-t"]}' in stage.page.text
    bob.knows("alice", exec={"sendmail": bob.handler("sendmail", "-t"), "flag": ["/usr/bin/touch", "-t"]})
    assert "/usr/sbin/sendmail -t ARG0 ARG1 ARG2" in stage.page.example("NNCP_SELF=OURNODE")
    alice.runs("echo body | nncp-exec -replynice 64 bob sendmail ARG0 ARG1 ARG2").ok()
    alice.runs(f"nncp-exec bob flag 202111250000 {bob.home}/flag </dev/null").ok()
    carry(alice, bob)
    told = (bob.home / "mailbox").read_text()
    assert told == f"<-t> <ARG0> <ARG1> <ARG2> from {alice.id} to {bob.id} nice 64\nbody\n", told
