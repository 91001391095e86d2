"""Workflow, use cases, chunked files, bundles, areas."""

import json
import time

from .commands import carry, letters
from .example import Example, collect
from .stage import Actor, Stage

EXAMPLES: list[Example] = []
example = collect(EXAMPLES)


@example("Workflow", "from new keys to a file, a request and a command")
def workflow(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    for node in (alice, bob):
        node.types("nncp-cfgnew", "nncp-cfgnew | tail -n 0").ok()
    bob.knows("alice", freq={"path": str(bob.home / "pub")}, exec={"sendmail": bob.handler("sendmail")})
    bob.has("pub/offered", "offered\n")
    alice.has("letter")
    alice.types("nncp-file", "nncp-file letter bob:").ok()
    alice.types("nncp-freq", "nncp-freq bob:offered").ok()
    alice.types("nncp-exec", "echo Hello | nncp-exec bob sendmail you@example.com").ok()
    alice.types("nncp-xfer", "nncp-xfer -mkdir -keep -tx -node bob /media/usbstick").ok()
    bob.runs("nncp-xfer -rx /media/usbstick").ok()
    bob.types("nncp-ack", "nncp-ack -node alice").ok()
    bob.types("nncp-toss").ok()
    bob.types("nncp-bundle", "nncp-bundle -tx -delete alice > /dev/sa0").ok()
    alice.runs("nncp-bundle -rx -check < /dev/sa0").ok()
    alice.runs("nncp-toss").ok()
    assert not alice.packets("tx", "bob"), "all acknowledged"
    assert (alice.incoming / "offered").read_text() == "offered\n"


@example("Bundles", "a disc, a tape and a drive")
def bundles(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    letters(alice, "bob")
    record = {
        "nncp-bundle -tx SOMENODE | cdrecord -tao -": "dd if=/dev/cd0 bs=2048 | nncp-bundle -rx",
        "nncp-bundle -tx SOMENODE | dd of=/dev/sa0 bs=10240": "dd if=/dev/sa0 bs=10240 | nncp-bundle -rx",
        "nncp-bundle -tx SOMENODE | dd of=/dev/da0 bs=1M": "dd if=/dev/da0 bs=1M | nncp-bundle -rx",
    }
    for write, read in record.items():
        alice.types(write, quiet_dd(write.replace("SOMENODE", "bob"))).ok()
        bob.types(read, quiet_dd(read)).ok()
        assert len(bob.packets("rx", "alice")) == 2
        bob.runs("nncp-rm -quiet -all -rx").ok()
    alice.runs("nncp-bundle -quiet -tx -delete bob | cdrecord -tao -").ok()
    # A drive is longer than what is written to it.
    bob.runs("cat /dev/da0 /dev/zero | head -c 1000000 | nncp-bundle -rx -check").ok()
    bob.runs("nncp-check").ok()
    bob.runs("nncp-toss -seen").ok()
    bob.runs("dd status=none if=/dev/cd0 bs=2048 | nncp-bundle -rx").ok()


def quiet_dd(line: str) -> str:
    return line.replace("dd ", "dd status=none ")


@example("Chunked", "chunks are the file, one behind the other")
def chunked(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    alice.has("FILE", bytes(range(251)) * 1200)
    alice.types("nncp-file -chunked", "nncp-file -chunked 128 FILE bob:").ok()
    carry(alice, bob)
    bob.runs(
        "cat incoming/FILE.nncp.chunk0 incoming/FILE.nncp.chunk1 incoming/FILE.nncp.chunk2 | cmp - ../alice/FILE"
    ).ok()
    bob.types("nncp-reass", "nncp-reass incoming/FILE.nncp.meta").ok()
    bob.runs("cmp incoming/FILE ../alice/FILE").ok()


@example("UsecaseUnreliable", "fire and forget")
def unreliable(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    alice.has("file_i_want_to_send")
    alice.has("another_file", "a film\n")
    alice.types("nncp-file file_i_want_to_send bob:").ok()
    alice.types("nncp-file another_file bob:movie.avi").ok()
    carry(alice, bob)


@example("UsecaseNoLink", "one stick for everybody", "us bob alice")
def no_link(stage: Stage) -> None:
    us, bob, alice = stage.actors("us bob alice")
    letters(us, "bob")
    us.types("nncp-xfer -node bob /media/usbstick").ok()
    assert len(us.packets("tx", "bob")) == 2, "nothing is there to put it"
    us.types("-mkdir", "nncp-xfer -mkdir -node bob /media/usbstick").ok()
    us.has("for-alice", "for alice\n")
    us.runs("nncp-file for-alice alice:").ok()
    us.runs(f"mkdir /media/usbstick/{alice.id}").ok()
    us.types("nncp-xfer /media/usbstick").ok()
    for node in (bob, alice):
        node.types("nncp-xfer /media/usbstick").ok()
        node.runs("nncp-toss").ok()


@example("UsecaseQoS", "what is urgent goes first", "us node bob")
def quality(stage: Stage) -> None:
    us, node, bob = stage.actors("us node bob")
    us.has("myfile")
    us.types("nncp-file -nice FLASH myfile node:dst").ok()
    us.runs("nncp-file myfile node:later").ok()
    us.runs(f"mkdir /mnt/shared/{node.id}").ok()
    us.types("nncp-xfer -nice PRIORITY /mnt/shared").ok()
    assert len(us.packets("tx", "node")) == 1
    node.runs("nncp-xfer /mnt/shared").ok()
    node.runs("nncp-toss").ok()
    us.runs("nncp-file -nice NORMAL myfile bob:now").ok()
    us.runs("nncp-file -nice BULK myfile bob:later").ok()
    us.types("nncp-bundle -tx bob | cdrecord -tao -").ok()
    us.types(
        "nncp-bundle -tx bob | dd of=/dev/sa0 bs=10240", "nncp-bundle -tx bob | dd status=none of=/dev/sa0 bs=10240"
    ).ok()
    us.runs("cmp /dev/cd0 /dev/sa0", told=False)
    online(us, bob, "nncp-call -nice NORMAL bob")
    assert len(us.packets("tx", "bob")) == 1
    bob.runs("nncp-toss").ok()


def online(caller: Actor, daemon: Actor, call: str) -> None:
    """Calls until the daemon is up. What the log says of speeds and times is not told."""
    port = caller.stage.port
    caller.knows(daemon.name, addrs={"main": f"127.0.0.1:{port}"}, onlinedeadline=2)
    daemon.knows(caller.name, onlinedeadline=2)
    with daemon.running('nncp-daemon -quiet -bind "[::]":5400'):
        for _ in range(100):
            if caller.runs(call, told=False).status == 0:
                break
            time.sleep(0.2)
        else:
            raise AssertionError(f"no call was answered: {caller.runs(call, told=False).err!r}")
    for node in (caller, daemon):
        (node.home / "log").unlink(missing_ok=True)


@example("UsecaseF2F", "a daemon and a call, both ways")
def friends(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    stage.page.holds('nncp-daemon -bind "[::]":5400')
    stage.page.holds("nncp-call bob")
    letters(alice, "bob")
    letters(bob, "alice", 3)
    online(alice, bob, "nncp-call bob")
    assert not alice.packets("tx", "bob") and len(alice.packets("rx", "bob")) == 3
    for node in (alice, bob):
        node.runs("nncp-toss").ok()


@example("UsecaseBroadcast", "one stream for everybody, heard twice", "us alice bob eve")
def broadcast(stage: Stage) -> None:
    us = stage["us"]
    for name in ("alice", "bob", "eve"):
        letters(us, name, 2)
    us.types(
        "nncp-bundle -tx alice bob eve … | command to send broadcast", "nncp-bundle -tx alice bob eve | cat > /dev/sa0"
    ).ok()
    for node in stage.actors("alice bob eve"):
        line = "command to receive broadcast | nncp-bundle -rx"
        node.types(line, "cat /dev/sa0 | nncp-bundle -rx").ok()
        node.runs("nncp-toss -seen").ok()
        node.types(line, "cat /dev/sa0 | nncp-bundle -rx").ok()
        assert not node.packets("rx", "us"), "it was seen"


@example("UsecaseAirgap", "a relay that can not read what it passes on", "us bob bob-airgap")
def airgap(stage: Stage) -> None:
    us, bob, airgapped = stage.actors("us bob bob-airgap")
    us.knows("bob-airgap", via=["bob"])
    us.has("myfile")
    us.types("nncp-file myfile bob-airgap:").ok()
    carry(us, bob)
    carry(bob, airgapped)
    assert (airgapped.incoming / "myfile").is_file() and not (bob.incoming / "myfile").exists()


@example("UsecaseMail", "mail waits in the spool until there is a way")
def mail(stage: Stage) -> None:
    server, notebook = stage.actors("alice bob")
    notebook.knows("alice", exec={"sendmail": notebook.handler("sendmail")})
    server.types("nncp-exec", "printf 'Subject: hi\\n\\nhello\\n' | nncp-exec -quiet bob sendmail me@home").ok()
    carry(server, notebook)
    assert "<me@home>" in (notebook.home / "mailbox").read_text()


@example("UsecaseSpy", "packets are taken in without keys, and tossed elsewhere")
def spy(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    letters(alice, "bob", 1)
    bob.types("nncp-cfgmin", "nncp-cfgmin > minimal.new.hjson").ok()
    alice.runs("nncp-xfer -mkdir -node bob /media/usbstick").ok()
    bob.runs("NNCPCFG=minimal.new.hjson nncp-xfer /media/usbstick").ok()
    bob.runs("nncp-toss").ok()


def subscribe(stage: Stage, area: str, links: dict[str, str], keyless: str) -> None:
    """Makes the area at the first node, and gives what they may have to the others."""
    first = next(iter(stage.nodes.values()))
    printed = first.runs(f"nncp-cfgnew -area {area} -nocomments", told=False).ok().out.decode()
    keys = dict(line.split(": ") for line in map(str.strip, printed.splitlines()) if line.count(": ") == 1)
    keys = {name: keys[name] for name in ("id", "pub", "prv")}
    for name, node in stage.nodes.items():
        known = {"id": keys["id"]} if name in keyless.split() else keys | {"incoming": str(node.incoming)}
        node.config["areas"] = {area: known | {"subs": links.get(name, "").split()}}
        node.knows(name)
    stage.tell(f"keys {sorted(keys)}")


def flood(stage: Stage, everywhere: set[str]) -> None:
    """Carries what is queued until nothing is. A node may get what it has seen already."""
    for _ in range(10):
        moved = 0
        for name, node in stage.nodes.items():
            for peer in stage.nodes:
                waiting = len(node.packets("tx", peer)) if peer != name else 0
                if waiting:
                    node.runs(f"nncp-xfer -quiet -mkdir -tx -node {peer} /media/usbstick", told=False).ok()
                    stage[peer].runs("nncp-xfer -quiet -rx /media/usbstick", told=False).ok()
                    stage[peer].runs("nncp-toss -quiet", told=False).ok()
                moved += waiting
        if not moved:
            break
    have = {name for name, node in stage.nodes.items() if any(node.incoming.iterdir())}
    assert have == everywhere, have
    for node in stage.nodes.values():
        (node.home / "log").unlink(missing_ok=True)


@example("Multicast", "four nodes, one without the keys", "nodeA nodeB nodeC nodeD")
def multicast(stage: Stage) -> None:
    links = {}
    for line in stage.page.example("nodeA -> subs").strip().split("\n"):
        name, _, subs = line.partition(" -> subs: ")
        links[name] = " ".join(json.loads(subs.partition("]")[0] + "]"))
    assert "no keys" in stage.page.example("nodeB -> subs")
    subscribe(stage, "nodelist-updates", links, keyless="nodeB")
    node = stage["nodeA"]
    node.has("nodelist-20210704.rec.zst")
    node.types("nncp-file nodelist-20210704.rec.zst area:nodelist-updates:").ok()
    node.types("nncp-toss -node self").ok()
    flood(stage, {"nodeC", "nodeD"})
    stage["nodeC"].has("answer")
    stage["nodeC"].runs("nncp-file answer area:nodelist-updates:").ok()
    stage["nodeC"].runs("nncp-toss -node self").ok()
    flood(stage, {"nodeA", "nodeC", "nodeD"})


@example("UsecaseMulticast", "eleven nodes, a relay without keys", "A B C D E F G H I J K")
def flooding(stage: Stage) -> None:
    links = {}
    for line in stage.page.example("A -> B C E").split("\n"):
        name, arrow, subs = line[20:].strip().partition(" -> ")
        if arrow:
            links[name] = subs
    assert links["E"] == "D F G", links
    stage.page.holds("nncp-cfgnew -area filelists -nocomments")
    subscribe(stage, "filelists", links, keyless="E")
    node = stage["A"]
    node.has("tree-of-A-20210715.txt.zst")
    node.types("nncp-file tree-of-A-20210715.txt.zst area:filelists:").ok()
    node.types("nncp-toss -node self").ok()
    flood(stage, set("BCDFGHJK"))
