"""Integration with existing software."""

import re

from .commands import carry
from .example import Example, collect
from .stage import Stage

EXAMPLES: list[Example] = []
example = collect(EXAMPLES)


@example("Postfix", "what the pipe of master.cf runs, and the receiving script")
def postfix(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    script = bob.has("receive", stage.page.example("reformail -x Return-Path"), 0o755)
    bob.knows("alice", exec={"sendmail": bob.handler(str(script))})
    (argv, _) = re.findall(r"argv=(.*)", stage.page.text)
    argv = argv.replace("$nexthop", "bob").replace("$recipient", "'one@example.com' 'two; three@example.com'")
    alice.has("letter", "Return-Path: me@example.org\nSubject: hi\n\nhello\n")
    alice.runs(f"{argv} < letter").ok()
    carry(alice, bob)
    assert "<-f> <me@example.org>" in (bob.home / "mailbox").read_text()


@example("Exim", "batched SMTP")
def exim(stage: Stage) -> None:
    alice, bob = stage.actors("alice bob")
    assert 'rsmtp: ["/usr/sbin/sendmail", "-bS"]' in stage.page.text
    bob.knows("alice", exec={"rsmtp": bob.handler("sendmail", "-bS")})
    (command,) = re.findall(r"command = /usr/local/nncp/bin/(.*)", stage.page.text)
    command = command.replace("hostname_goes_here", "bob")
    alice.has("batch", "HELO alice\nMAIL FROM:<a>\nRCPT TO:<b>\nDATA\nhello\n.\nQUIT\n")
    alice.runs(f"{command} < batch").ok()
    carry(alice, bob)


@example("Feeds", "new entries of all Maildirs", "alice remote.node", ("zsh", "zstdmt"))
def feeds(stage: Stage) -> None:
    alice, remote = stage.actors("alice remote.node")
    for name in ("a/new/1", "b/new/2", "b/cur/3"):
        alice.has(f"feeds/{name}", f"entry {name}\n")
    line = "tar cf - **/new/*(.) | zstdmt | nncp-file - remote.node:feeds-`date -Iseconds`.tar.zst"
    alice.types(line, "cd feeds; " + line.replace("tar cf", "tar --mtime=@0 -cf"), shell="zsh").ok()
    carry(alice, remote)
    remote.runs("zstd -dc incoming/feeds-20261125.tar.zst | tar tf -").ok()


# Names and dates that make the same commits each time.
COMMITTER = "export GIT_AUTHOR_DATE=@1700000000+0000 GIT_COMMITTER_DATE=@1700000000+0000"
REPOSITORY = f"""
git init -q -b master . && git config user.name us && git config user.email us@example.com
{COMMITTER}
echo one > file && git add file && git commit -qm one && git tag v1
echo two >> file && git commit -qam two
"""


@example("Git", "a repository and its changes", "alice remote.node", ("git",))
def git(stage: Stage) -> None:
    alice, remote = stage.actors("alice remote.node")
    alice.runs(f"mkdir repo; cd repo; {REPOSITORY}").ok()
    for line in stage.page.example("repo-initial.bundle").strip().split("\n"):
        alice.types(line[2:], f"cd repo; {line[2:]}", messages=False).ok()
    # The day is always the same, so is the name: one after the other.
    carry(alice, remote)
    alice.runs(f"cd repo; {COMMITTER}; echo three >> file; git commit -qam three").ok()
    line = "git bundle create repo-$(date '+%Y%M%d%H%m%S').bundle last-bundle..master"
    alice.types(line, f"cd repo; {line} && nncp-file repo-20261125.bundle remote.node:", messages=False).ok()
    carry(alice, remote)
    line = "git clone -b master repo-XXX.bundle"
    remote.types(line, f"{line.replace('repo-XXX.bundle', 'incoming/repo-20261125.bundle')} repo", messages=False)
    line = "git fetch repo.bundle master:localRef"
    remote.types(
        line, f"cd repo; {line.replace('repo.bundle', '../incoming/repo-20261125.bundle')}", messages=False
    ).ok()
    remote.runs("cd repo; git log --format=%s localRef").ok()
    remote.runs("rm -r repo").ok()
    alice.runs("rm -rf repo").ok()


@example("Git", "changes on request", "us REMOTE", ("git",))
def git_handler(stage: Stage) -> None:
    us, remote = stage.actors("us REMOTE")
    script = remote.has("bundler.sh", stage.page.example("git bundle create $tmp $revs"), 0o755)
    remote.knows("us", exec={"bundler": remote.handler(str(script))})
    remote.runs(f"mkdir -p git/REPONAME.git; cd git/REPONAME.git; {REPOSITORY}").ok()
    line = "echo some-old-commit..master | nncp-exec REMOTE bundler REPONAME"
    us.types(line, line.replace("some-old-commit", "v1")).ok()
    carry(us, remote)
    carry(remote, us)
    us.runs("git bundle list-heads incoming/REPONAME-20261125.bundle").ok()
    remote.runs("rm -rf git").ok()


@example("DownloadService", "pages are fetched on request and sent back", "us remote.node", ("zstd",))
def downloads(stage: Stage) -> None:
    us, remote = stage.actors("us remote.node")
    remote.has("warcer.sh", stage.page.example("--warc-file"))
    remote.has("wgeter.sh", stage.page.example("wget --output-document"))
    assert 'warcer: ["/bin/sh", "/path/to/warcer.sh"]' in stage.page.text
    handlers = {name: remote.handler("/bin/sh", str(remote.home / f"{name}.sh")) for name in ("warcer", "wgeter")}
    remote.knows("us", exec=handlers)
    orders = stage.page.example("nncp-exec remote.node warcer").split("$ ")[1:3]
    for order in orders:
        us.types(order.strip()).ok()
    carry(us, remote)
    carry(remote, us)
    for name in ("postfix-whole-page-20261125.warc.zst", "postfix-html-page-20261125.zst"):
        us.runs(f"zstd -dc incoming/{name}").ok()


@example("BitTorrent", "a finished download is sent on", "us stargrave.org")
def torrents(stage: Stage) -> None:
    us, remote = stage.actors("us stargrave.org")
    script = stage.page.example("TORRENTS_DIR").replace("/storage/torrents", str(us.home / "torrents"))
    us.has("torrents/aria2-downloaded.sh", script, 0o755)
    lines = stage.page.example("cat jobs").strip().split("\n")
    start = lines.index("$ aria2c \\")
    us.has("torrents/jobs", "\n".join(lines[1:start]) + "\n")
    us.runs("cd torrents; " + "\n".join(lines[start:])[2:]).ok()
    us.has("torrents/series/season/one", "one\n")
    us.has("torrents/series/season/two", "two\n")
    us.runs('cd torrents; ./aria2-downloaded.sh GID 2 "$PWD/series/season"').ok()
    us.runs("cd torrents; ./aria2-downloaded.sh GID 0 ''").ok()
    carry(us, remote)


@example("Multimedia", "films, each as soon as it is there", "us remote.node")
def films(stage: Stage) -> None:
    us, remote = stage.actors("us remote.node")
    us.runs(stage.page.example("yt-dlp").strip()[2:]).ok()
    carry(us, remote)
    assert (remote.incoming / "two two.webm").is_file()


@example("WARCs", "a page with all that belongs to it", "us remote.node", ("zstd",))
def pages(stage: Stage) -> None:
    us, remote = stage.actors("us remote.node")
    us.runs(stage.page.example("--page-requisites").strip()[2:]).ok()
    line = stage.page.example("nncp-file - remote.node").strip()[2:]
    us.types(line, line.replace("tar cf", "tar --mtime=@0 -cf")).ok()
    carry(us, remote)
    remote.runs("zstd -dc incoming/*.tar.zst | tar tf - | sort").ok()


@example("FreqIndex", "a list of what can be asked for", "us remote", ("zstdmt",))
def index(stage: Stage) -> None:
    us, remote = stage.actors("us remote")
    remote.knows("us", freq={"path": str(remote.home / "storage")})
    remote.has("storage/sub/film", "a film\n")
    line = stage.page.example("TREE.txt.zst").strip()
    job = re.split(r"\s+", line, maxsplit=5)[5].replace("\\%", "%").replace("/storage", str(remote.home / "storage"))
    remote.runs(job).ok()
    us.runs("nncp-freq remote:TREE.txt.zst").ok()
    us.runs("nncp-freq remote:sub/film").ok()
    carry(us, remote)
    carry(remote, us)
    us.runs("zstd -dc incoming/TREE.txt.zst").ok()
