"""Manifests of trees and archives: no verdict says more than was compared, no input is misread in silence."""

import functools
import gzip
import json
import lzma
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import binary, packmule
from ..harness.runner import Skipped
from ..harness.world import HANGS, Done, World

SHA256 = "sha256digest="


def mtree(directory: Path, *arguments: str | Path, stdin: bytes = b"") -> Done:
    """Runs `packmule mtree` in a directory."""
    command = [binary(), "mtree", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=directory, check=False, timeout=HANGS)
    return Done(done.returncode, done.stdout, done.stderr)


def tool(name: str, *arguments: str, stdin: bytes = b"", directory: Path | None = None) -> bytes:
    """What a program writes that is not ours."""
    if shutil.which(name) is None:
        raise Skipped(f"{name} is not installed")
    return subprocess.run([name, *arguments], input=stdin, capture_output=True, cwd=directory, check=True).stdout


def tree(directory: Path) -> Path:
    """Two files, a directory with one more, and a copy `other` in which `b` has other bytes of the same length."""
    for name, b in (("t", "world\n"), ("other", "WORLD\n")):
        place = directory / name
        (place / "d").mkdir(parents=True)
        for path, text in (("a", "hello\n"), ("b", b), ("d/c", "deep\n")):
            (place / path).write_text(text)
            os.utime(place / path, (1, 1))
        os.utime(place / "d", (1, 1))
        os.utime(place, (1, 1))
    return directory / "t"


def summary(done: Done) -> dict:
    return json.loads(done.out.splitlines()[-1])


def claim_content_without_a_digest_is_told(directory: Path) -> None:
    """A file that has no digest in the manifest is counted as not compared, by verify, in JSON, and -strict fails."""
    t = tree(directory)
    lines = mtree(directory, "create", t).ok().out.decode().splitlines()
    partly = [line.split(f" {SHA256}")[0] if line.startswith("./b") else line for line in lines]
    (directory / "one").write_text("\n".join(line for line in partly if not line.startswith("#:end")) + "\n")
    done = mtree(directory, "verify", "one", "other").ok()
    assert done.out.splitlines()[0] == b"content of 1 of 3 files not compared: no digest", done
    assert b"equal in what was compared" in done.out
    told = summary(mtree(directory, "verify", "-json", "one", "other").ok())
    assert (told["files"], told["undigested"], told["unchecked"]) == (3, 1, "content"), told
    bare = mtree(directory, "create", "-remove", "sha256", "-output", "bare", t).ok()
    assert not bare.err, bare
    done = mtree(directory, "verify", "-strict", "bare", "other")
    assert done.status == 1 and b"content of 3 of 3 files not compared: no digest" in done.out, done
    assert summary(mtree(directory, "verify", "-strict", "-json", "bare", "other"))["verdict"] == "unchecked"
    # A list of names alone.
    (directory / "names").write_text(".\n./a\n./b\n./d\n./d/c\n")
    assert b"content of 3 of 3 files" in mtree(directory, "verify", "names", "other").ok().out
    # With all digests nothing is told, and the other byte is found.
    (directory / "whole").write_bytes(mtree(directory, "create", t).ok().out)
    done = mtree(directory, "verify", "-strict", "whole", "t").ok()
    assert done.out == b"5 objects compared: equal\n" and not done.err, done
    assert mtree(directory, "verify", "whole", "other").status == 2


def claim_a_receipt_tells_what_was_not_compared(directory: Path) -> None:
    """The receipt of builtin:mtree-verify tells files without a digest, keywords nobody compares, and oddities."""
    t = tree(directory)
    (directory / "bare").write_text(". type=dir\n./a type=file flags=uarch\n./b colour=red\n./d type=dir\n./d/c\n")
    words = ["handle", "mtree-verify", "--tree", f"x={t}"]

    def receipt(*more: str, stdin: bytes) -> Done:
        command = [binary(), *words, *more, "--", "x"]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=HANGS)
        return Done(done.returncode, done.stdout, done.stderr)

    bare = (directory / "bare").read_bytes()
    told = receipt(stdin=bare).ok().out.decode()
    assert "content of 3 of 3 files not compared: no digest\n" in told, told
    assert "not compared: flags\n" in told, told
    assert "line 3: keyword colour is unknown, so it is not checked\n" in told, told
    receipt("--strict", stdin=bare).fails()
    refused = receipt(stdin=gzip.compress(bare)).fails()
    assert "compressed with gzip" in (refused.out + refused.err).decode(), refused


def claim_diff_names_what_it_did_not_compare(directory: Path) -> None:
    """diff compares time with tar_time and says so; it names what only one says of some object, and content."""
    (directory / "d1").write_text("#mtree\n. type=dir\n./a type=file size=1 tar_time=1000.000000000\n")
    (directory / "d2").write_text("#mtree\n. type=dir\n./a type=file size=1 time=999999.500000000\n")
    done = mtree(directory, "diff", "d1", "d2")
    assert done.status == 2 and b"tar_time" not in done.err, done
    assert summary(mtree(directory, "diff", "-json", "d1", "d2"))["unchecked"] == "content"
    digest = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"
    (directory / "d3").write_text(f". type=dir\n./a type=file {SHA256}{digest} mode=0644\n./b type=file mode=0644\n")
    (directory / "d4").write_text(f". type=dir\n./a type=file {SHA256}{digest}\n./b type=file mode=0644\n")
    done = mtree(directory, "diff", "d3", "d4").ok()
    assert b"content of 1 of 2 files not compared: no digest" in done.out, done
    assert done.err == b"not compared: mode\n", done
    # Different algorithms compare nothing.
    (directory / "d5").write_text(f". type=dir\n./a type=file md5={'0' * 32} mode=0644\n")
    (directory / "d6").write_text(f". type=dir\n./a type=file {SHA256}{digest} mode=0644\n")
    done = mtree(directory, "diff", "d5", "d6").ok()
    assert b"content of 1 of 1 files not compared: no digest" in done.out, done
    whole = [mtree(directory, "convert", name) for name in ("d5", "d6")]
    assert all(b"#:end" not in done.ok().out for done in whole), "nobody knows whether they are whole"


def claim_an_archive_without_an_end_proves_nothing(directory: Path) -> None:
    """from-tar of a producer that failed, or of a cut archive, exits 1 and writes no #:end and no -output."""
    tree(directory)
    archive = tool("tar", "--format=ustar", "-C", "t", "-cf", "-", ".", directory=directory)
    end = archive.rindex(archive.rstrip(b"\0")[-1:]) // 512 * 512 + 512
    for length in (0, 300, 512, 1024, 1536, end, end + 100, end + 512, end + 1000):
        done = mtree(directory, "from-tar", stdin=archive[:length])
        assert done.status == 1 and b"#:end" not in done.out, (length, done)
        done.says("the archive was cut off, or its producer failed")
        mtree(directory, "from-tar", "-output", "m", stdin=archive[:length]).fails()
        assert not (directory / "m").exists()
    assert b"#:end" in mtree(directory, "from-tar", stdin=archive[: end + 1024]).ok().out
    # The archive itself is passed on as far as it goes.
    done = mtree(directory, "from-tar", "-tee", "-output", "m", stdin=archive[:1024]).fails()
    assert done.out == archive[:1024]
    assert b"#:end" in mtree(directory, "from-tar", stdin=bytes(10240)).ok().out, "no member is no fault"


def claim_a_manifest_of_nothing_proves_nothing(directory: Path) -> None:
    """An empty manifest, as a producer leaves it that was not found, equals nothing: exit status 1, or 2 if files are extra."""
    (directory / "y").mkdir()
    for text in (b"", b"#mtree\n", b"# comment\n\n"):
        done = mtree(directory, "verify", "-", "y", stdin=text)
        assert done.status == 1 and b"the manifest has no entries" in done.out and b"equal" not in done.out, done
        (directory / "m").write_bytes(text)
        assert mtree(directory, "diff", "m", "m").status == 1
        done = mtree(directory, "convert", "m").fails().says("the manifest is empty")
        assert not done.out, done
    (directory / "y/f").touch()
    assert mtree(directory, "verify", "m", "y").status == 2
    assert mtree(directory, "verify", "-e", "m", "y").status == 1
    assert summary(mtree(directory, "verify", "-e", "-json", "m", "y"))["verdict"] == "unchecked"


def packed(name: str, content: bytes) -> bytes:
    return tool(name, "-c", stdin=content)


def claim_foreign_compression_is_named(directory: Path) -> None:
    """Input that is compressed with anything but zstd, or is UTF-16 text, is named by every command, with what to do."""
    t = tree(directory)
    manifest = mtree(directory, "create", t).ok().out
    archive = tool("tar", "-cf", "-", "t", directory=directory)
    forms: dict[str, Callable[[bytes], bytes]] = {
        "compressed with gzip": gzip.compress,
        "compressed with xz": lzma.compress,
        "compressed with lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
        "compressed with bzip2": functools.partial(packed, "bzip2"),
        "compressed with lz4": functools.partial(packed, "lz4"),
        "UTF-16 text": lambda data: data.decode("latin-1").encode("utf-16"),
    }
    for form, name in (("lzip", "lzip"), ("compress", "compress")):
        if shutil.which(name):
            forms[f"compressed with {form}"] = functools.partial(packed, name)
    for form, pack in forms.items():
        (directory / "packed m").write_bytes(pack(manifest))
        for words in (("verify", "packed m", "t"), ("convert", "packed m"), ("diff", "packed m", "packed m")):
            done = mtree(directory, *words).fails().says(f"packed m is {form}: ")
            done.says(f"'packed m' | packmule mtree {words[0]} -")
            assert done.status == 1 and done.err.count(b"\n") == 1, done
        mtree(directory, "verify", "-", "t", stdin=pack(manifest)).fails().says(f"standard input is {form}")
        mtree(directory, "from-tar", stdin=pack(archive)).fails().says(f"standard input is {form}")
    (directory / "marked").write_bytes(b"\xef\xbb\xbf" + manifest)
    mtree(directory, "verify", "-strict", "marked", "t").ok()
    for data in (manifest, archive):
        tool("zstd", "-c", stdin=data)
    mtree(directory, "verify", "-", "t", stdin=tool("zstd", "-c", stdin=manifest)).ok()


def claim_a_compressed_bundle_is_named(directory: Path) -> None:
    """bundle -rx of a bundle that was compressed on its way says so and exits 1, and takes it once it is unpacked."""
    world = World(directory, {name: packmule() for name in ("alice", "bob")})
    world["alice"].run("file", "-", "bob:x", stdin=b"text").ok()
    bundle = world["alice"].run("bundle", "-tx", "bob").ok().out
    packed = {"gzip": gzip.compress(bundle), "xz": lzma.compress(bundle), "zstd": tool("zstd", "-c", stdin=bundle)}
    for form, stream in packed.items():
        world["bob"].run("bundle", "-rx", stdin=stream).fails().says(f"the bundle is compressed with {form}: pipe it through ")
        world["bob"].run("bundle", "-rx", "-delete", stdin=stream).fails().says(f"compressed with {form}")
    world["bob"].run("bundle", "-rx", stdin=packed["gzip"] + bundle).ok()
    assert world["bob"].packets("rx", "alice")


def claim_what_was_asked_for_in_vain_is_told(directory: Path) -> None:
    """Patterns that match nothing, keywords that no object or manifest has, are told, and values that are wrong."""
    tree(directory)
    done = mtree(directory, "create", "-exclude", "d/", "-exclude", "a*", "-keywords", "flags,uid", "t").ok()
    done.says("pattern d/ matches nothing").says("keyword flags is left out")
    assert b"a*" not in done.err and b"uid " not in done.err, done
    (directory / "patterns").write_text("# none\n*.o\n./d/c\n")
    (directory / "m").write_bytes(mtree(directory, "create", "t").ok().out)
    done = mtree(directory, "verify", "-exclude-from", "patterns", "m", "t").ok()
    assert done.err == b"pattern *.o matches nothing\n", done
    assert mtree(directory, "verify", "-quiet", "-exclude", "nothing", "m", "t").ok().err == b""
    mtree(directory, "convert", "-add", "md5", "m").ok().says("not in m: md5digest")
    archive = tool("tar", "-cf", "-", "t", directory=directory)
    done = mtree(directory, "from-tar", "-add", "inode,acl", stdin=archive).ok()
    done.says("keyword inode is left out").says("keyword acl is left out")
    for word, allowed in (("type=hlink", "file, dir, link"), ("mode=0999", "octal"), ("sha1=00", "40 hexadecimal")):
        (directory / "bad").write_text(f". type=dir\n./a {word}\n")
        mtree(directory, "verify", "bad", "t").fails().says(f"line 2: {word}: ").says(allowed)


def claim_quiet_and_in_mtrees_words_equal_is_silent(directory: Path) -> None:
    """`verify -quiet -format mtree` prints what mtree prints: nothing when equal, also without digests."""
    tree(directory)
    for more in ((), ("-remove", "sha256")):
        (directory / "m").write_bytes(mtree(directory, "create", *more, "t").ok().out)
        done = mtree(directory, "verify", "-quiet", "-format", "mtree", "m", "t").ok()
        assert (done.out, done.err) == (b"", b""), done
    (directory / "t/a").unlink()
    os.utime(directory / "t", (1, 1))
    done = mtree(directory, "verify", "-quiet", "-format", "mtree", "m", "t")
    assert (done.status, done.out, done.err) == (2, b"missing: ./a\n", b""), done


def claim_convert_keeps_what_directories_say(directory: Path) -> None:
    """convert keeps the size and nlink of a directory, and names nothing more whole than it was."""
    text = "#mtree\n. type=dir nlink=3 size=4096\n./l type=link nlink=1 link=x size=1\n"
    done = mtree(directory, "convert", stdin=text.encode()).ok()
    assert done.out == b"#mtree\n. type=dir nlink=3 size=4096\n./l type=link nlink=1 link=x size=1\n", done
    whole = mtree(directory, "create", tree(directory)).ok().out
    assert b"\n#:end entries=5 " in mtree(directory, "convert", "-layout", "relative", stdin=whole).ok().out


def claim_a_manifest_inside_its_tree_is_no_part_of_it(directory: Path) -> None:
    """create leaves out the file that standard output or -output goes to; verify does not report it as extra."""
    t = tree(directory)
    with (t / "m.mtree").open("wb") as out:
        subprocess.run([binary(), "mtree", "create"], cwd=t, stdout=out, check=True)
    assert b"m.mtree" not in (t / "m.mtree").read_bytes()
    mtree(t, "verify", "-strict", "m.mtree").ok()
    assert mtree(t, "verify", "-", stdin=(t / "m.mtree").read_bytes()).status == 2, "as a stranger it is extra"
    mtree(t, "create", "-output", "m.mtree").ok()
    mtree(t, "create", "-output", "m.mtree").ok()
    assert b"m.mtree" not in (t / "m.mtree").read_bytes()


def claim_signed_manifests_are_read_as_libarchive_reads_them(directory: Path) -> None:
    """With #mtree a full path leaves the current directory alone, as in bsdtar; a list that may be flat is hinted at."""
    text = (
        "#mtree\ndir2 type=dir\n dir3a type=dir\n  indir3a type=file\ndir2/full type=file mode=0777\n  ..\n"
        " indir2 type=file\n ..\nnotindir type=file\n"
    )
    (directory / "m").write_text(text)
    names = {f"./{name}" for name in tool("bsdtar", "-tf", str(directory / "m")).decode().split()}
    done = mtree(directory, "convert", "m").ok()
    ours = {line.split()[0] for line in done.out.decode().splitlines() if line.startswith("./")}
    assert ours == names and not done.err, (ours, names, done.err)
    (directory / "flat").write_text(". type=dir\ninbox type=dir\nnotes type=file\n")
    (directory / "y/inbox").mkdir(parents=True)
    (directory / "y/notes").touch()
    done = mtree(directory, "verify", "flat", "y").says("hint: ").says("put ./ in front")
    assert done.status == 2
    (directory / "closed").write_text("/set type=dir\n.\n    inbox\n    ..\n..\n")
    (directory / "y/notes").unlink()
    assert mtree(directory, "verify", "closed", "y").ok().err == b""
