"""Our own tutorial, packmule-airgap(7), and recipe, nncp-ack(1): under the reference's names they are true of both."""

from pathlib import Path

from ..harness.world import is_packet
from .example import Example, collect
from .pages import ACK, TUTORIAL
from .stage import Stage

EXAMPLES: list[Example] = []
example = collect(EXAMPLES)


@example(TUTORIAL, "from the laptop over the spooler to the vault", "laptop spooler vault")
def airgap(stage: Stage) -> None:
    laptop, spooler, vault = stage.actors("laptop spooler vault")
    stage.places["/media/stick"] = stage.places["/media/usbstick"]
    stage.places["/mnt/spooler-share"] = stage.places["/srv/spooler-share"] = stage.places["/mnt/shared"]
    stage.places["/srv/in/laptop"] = str(vault.incoming)
    stage.places["/usr/local/bin/save"] = str(vault.has("save", 'cat > "$1"', 0o755))

    laptop.types("nncp-cfgnew > /etc/nncp.hjson", "umask 077; nncp-cfgnew > etc.new.hjson").ok()
    assert 'via: ["spooler"]' in stage.page.example("vault:")
    laptop.knows("vault", via=["spooler"])
    assert 'save: ["/usr/local/bin/save"]' in stage.page.example("incoming: /srv/in/laptop")
    vault.knows("laptop", exec={"save": vault.handler("sh", "-c", 'cd "$HOME"; sh ./save "$@"', "save")})

    laptop.has("backup.tar.zst", "a backup\n")
    laptop.has("photos/one", "a photo\n")
    commands = [line.strip() for line in stage.page.example("nncp-file backup.tar.zst vault:").strip().split("\n")]
    assert len(commands) == 3
    for command in commands:
        laptop.runs(command.replace("pg_dump mail", "echo the mail")).ok()
    laptop.types("nncp-stat").ok()
    laptop.types("nncp-xfer -mkdir /mnt/spooler-share").ok()

    relaying = [line.strip() for line in stage.page.example("nncp-xfer -rx /srv/spooler-share").strip().split("\n")]
    assert relaying.pop() == "umount /media/stick"
    for command in relaying:
        spooler.runs(command).ok()
    for command in stage.page.example("nncp-xfer -rx /media/stick").strip().split("\n"):
        vault.runs(command.strip()).ok()
    assert (vault.home / "mail.sql").read_text() == "the mail\n"

    letter = vault.has("answer", "all is well\n")
    vault.runs(f"nncp-file {letter.name} laptop:").ok()
    vault.runs("nncp-xfer -mkdir /media/stick").ok()
    laptop.runs("nncp-xfer /media/stick").ok()
    laptop.runs("nncp-toss").ok()
    for command in ("nncp-stat -pkt", "nncp-check", "nncp-log"):
        laptop.types(command, f"{command} > {laptop.home}/.out; rm .out").ok()


@example(ACK, "packets stay until their acknowledgement has come, and come into effect once", "laptop vault")
def acknowledged(stage: Stage) -> None:
    laptop, vault = stage.actors("laptop vault")
    stage.places["/media/stick"] = stage.places["/media/usbstick"]
    sending, receiving = (stage.page.example(part).strip().split("\n") for part in ("-tx -keep", "nncp-toss -seen"))

    def round(*names: str) -> None:
        for name in names:
            laptop.has(name, f"{name}\n")
            laptop.runs(f"nncp-file -quiet {name} vault:").ok()
        for node, commands in ((laptop, sending), (vault, receiving)):
            for command in commands:
                node.runs(command.strip()).ok()

    round("one", "two")
    assert len(laptop.packets("tx", "vault")) == 2
    round("three")
    assert len(laptop.packets("tx", "vault")) == 1
    # A packet whose acknowledgement got lost goes along again, and has no second effect.
    laptop.runs("nncp-xfer -rx /media/stick").ok()
    laptop.runs("rm -r /var/spool/nncp/vault/rx").ok()
    round()
    assert sorted(path.name for path in vault.incoming.iterdir()) == ["one", "three", "two"]
    assert len(laptop.packets("tx", "vault")) == 1
    assert not [path for path in Path(stage.places["/media/stick"]).rglob("*") if is_packet(path)]
