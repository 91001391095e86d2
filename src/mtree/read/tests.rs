use super::*;
use crate::mtree::{WriteOptions, write};
use std::io;

fn read_text(text: &[u8]) -> Result<Reading, ReadError> {
    read(text, &ReadOptions::default())
}

/// Reads and writes again, without the signature and the trailer.
fn entries(text: &str) -> String {
    let reading = read_text(text.as_bytes()).unwrap();
    let mut written = Vec::new();
    write(&reading.manifest, &WriteOptions::default(), &mut written).unwrap();
    let written = String::from_utf8(written).unwrap();
    let lines = written.lines().filter(|line| !line.starts_with("#mtree"));
    lines.filter(|line| !line.starts_with("#:end")).map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn check(text: &str, want: &str) {
    assert_eq!(entries(text), want);
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, line: u64, message: &str) {
    let error = read_text(text.as_ref()).unwrap_err();
    assert_eq!((error.line, error.fault.to_string().as_str()), (line, message));
}

#[test]
fn netbsds_own_layout_with_its_escapes_and_wraps() {
    check(
        "# .\n\
         /set type=file uid=1000 mode=0644 nlink=1 flags=none\n\
         .               type=dir mode=0755\n    \
             S\\M-C\\M-#o  size=1 \\\n               time=7.5\n    \
             there       type=link link=\\M-C\\M^\\\n\
         # ./sub\n\
         sub             type=dir\n    \
             a\\sb        size=2\n\
         # ./sub\n..\n",
        ". type=dir uid=1000 mode=0755 nlink=1 flags=none\n\
         ./S\\303\\243o type=file uid=1000 mode=0644 nlink=1 size=1 time=7.000000005 flags=none\n\
         ./sub type=dir uid=1000 mode=0644 nlink=1 flags=none\n\
         ./sub/a\\040b type=file uid=1000 mode=0644 nlink=1 size=2 flags=none\n\
         ./there type=link uid=1000 mode=0644 nlink=1 link=\\303\\234 flags=none\n",
    );
}

#[test]
fn full_paths_of_libarchive_go_mtree_and_casync() {
    let want = ". type=dir\n./b type=dir\n./b/c type=file\n./d type=dir\n./e type=file\n";
    check("#mtree\n. type=dir\n./b type=dir\n./b/c type=file\n./d type=dir\n./e type=file\n", want);
    check(". type=dir\nd type=dir\nb type=dir\nb/c type=file\ne type=file\n", want);
    check("b/c type=file\n./e type=file\nd type=dir\n", want);
}

#[test]
fn the_path_may_be_the_last_word() {
    check(
        "type=dir .\ntype=file size=1 ./a\\040b\ntype=dir ./d\ntype=file ./d/x\n",
        ". type=dir\n./a\\040b type=file size=1\n./d type=dir\n./d/x type=file\n",
    );
}

#[test]
fn mixed_layouts_are_read_as_netbsd_does_and_with_a_signature_as_libarchive() {
    let text = ". type=dir\nsub type=dir\n..\n./sub/y type=file\nq type=file\n";
    check(text, ". type=dir\n./sub type=dir\n./sub/q type=file\n./sub/y type=file\n");
    let text = format!("#mtree\n{text}");
    check(&text, ". type=dir\n./q type=file\n./sub type=dir\n./sub/y type=file\n");
}

/// The example from libarchive's documentation: a full path does not change the current directory.
#[test]
fn a_signature_is_honoured_from_the_first_line_on() {
    let text = "dir2 type=dir\n dir3a type=dir\n  indir3a type=file\ndir2/full type=file mode=0777\n  \
                ..\n indir2 type=file\n ..\nnotindir type=file\n";
    check(
        &format!("#mtree\n{text}"),
        ". type=dir\n./dir2 type=dir\n./dir2/dir3a type=dir\n./dir2/dir3a/indir3a type=file\n\
         ./dir2/full type=file mode=0777\n./dir2/indir2 type=file\n./notindir type=file\n",
    );
    check(
        "#mtree\n. type=dir\nd type=dir\nd/x type=file\ny type=file\n",
        ". type=dir\n./d type=dir\n./d/x type=file\n./d/y type=file\n",
    );
}

#[test]
fn a_list_that_may_be_flat_is_known() {
    let flat = |text: &str| read_text(text.as_bytes()).unwrap().maybe_flat;
    assert!(flat(". type=dir\ninbox type=dir\nnotes type=file\n"));
    for text in [
        ". type=dir\nnotes type=file\ninbox type=dir\n",
        ". type=dir\ninbox type=dir\nnotes type=file\n..\n",
        ". type=dir\ninbox type=dir\n    notes type=file\n",
        ". type=dir\n./inbox type=dir\n./notes type=file\n",
        ". type=dir\ninbox type=dir\nnotes type=file\na/b type=file\n",
    ] {
        assert!(!flat(text), "{text}");
    }
}

#[test]
fn one_line_that_closes_the_root_is_no_oddity() {
    let text = "/set type=dir\n.\n    a\n    ..\n..\n";
    assert_eq!(read_text(text.as_bytes()).unwrap().warnings, []);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let mut text = b"\xEF\xBB\xBF".to_vec();
    let manifest = read_text(b". type=dir\n./a type=file\n").unwrap().manifest;
    write(&manifest, &WriteOptions::default(), &mut text).unwrap();
    assert_eq!(read_text(&text).unwrap().trailer, Trailer::Whole);
}

#[test]
fn every_digests_spelling_and_case() {
    let md5 = "0x0123456789ABCDEF0123456789abcdef";
    check(
        &format!(". type=dir\na md5={md5} rmd160={}\n", "ab".repeat(20)),
        &format!(
            ". type=dir\n./a md5digest={} rmd160digest={}\n",
            md5[2..].to_lowercase(),
            "ab".repeat(20)
        ),
    );
}

#[test]
fn defaults_are_added_to_and_taken_away() {
    check(
        "/set uid=1 gid=2\n/set gid=3 optional\n. type=dir\n/unset uid optional\na\n/unset all\nb gid=9\n",
        ". type=dir uid=1 gid=3 optional\n./a gid=3\n./b gid=9\n",
    );
}

#[test]
fn paths_beside_each_other_and_elsewhere() {
    check(
        "#mtree\n. type=dir\n./d type=dir\n./d/a uid=1\n./d/b uid=2\n./d/e/f uid=3\n./d/c uid=4\n\
         ./d//g uid=5\n./d//h uid=6\n./d/\\056x uid=7\n./d/y uid=8\n./z/ type=dir\n./z/y uid=9\n",
        ". type=dir\n./d type=dir\n./d/.x uid=7\n./d/a uid=1\n./d/b uid=2\n./d/c uid=4\n\
         ./d/e type=dir\n./d/e/f uid=3\n./d/g uid=5\n./d/h uid=6\n./d/y uid=8\n\
         ./z type=dir\n./z/y uid=9\n",
    );
    for name in ["..", ".", "../x"] {
        let text = format!("#mtree\n. type=dir\n./d/a type=file\n./d/{name} type=dir\n");
        let error = read_text(text.as_bytes()).unwrap_err();
        assert!(matches!((error.line, error.fault), (4, Fault::Outside(_))), "{name}");
    }
    refused(
        "./d/a type=file\n./d type=file\n./d/b type=file\n",
        2,
        "./d is not a directory, but has entries below it",
    );
}

/// The seeds were written by the tools themselves.
#[test]
fn the_seeds_of_the_fuzzer_are_read() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/mtree_read");
    for seed in std::fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        assert!(read_text(&text).unwrap().manifest.len() > 3, "{}", path.display());
    }
}

#[test]
fn comments_carriage_returns_and_a_last_line_without_end() {
    check(
        "#mtree\r\n. type=dir # a comment \\\r\n\r\n./a#b type=file link=x#y",
        ". type=dir\n./a\\043b type=file link=x\\043y\n",
    );
}

#[test]
fn what_is_odd_is_warned_about_with_its_line() {
    let text = ". type=dir\na type=file colour=red\na type=file size=1\n..\n..\nf type=fifo md5=00000000000000000000000000000000 colour=blue\nx contents=/etc/passwd\n#:hardlink 1 ./nothing\n";
    let warnings = read_text(text.as_bytes()).unwrap().warnings;
    let want = [
        (2, Warning::UnknownKeyword("colour".into())),
        (3, Warning::Twice("./a".into())),
        (5, Warning::AboveRoot),
        (6, Warning::DigestOfNoFile("./f".into())),
        (7, Warning::Contents),
        (8, Warning::HardLink),
    ];
    assert_eq!(warnings, want);
}

#[test]
fn a_name_with_nul_is_refused_also_beside_another() {
    refused(
        b". type=dir\n./a type=file\n./f\0oo type=file\n",
        3,
        "name f\\000oo: an escape for NUL",
    );
}

#[test]
fn names_that_leave_the_tree_are_refused() {
    for name in ["./a/../b", "../b", "a/..", "./\\056\\056", "\\056\\056/x", "./a/./b", "./a/\\056"]
    {
        let error = read_text(format!(". type=dir\n{name} type=dir\n").as_bytes()).unwrap_err();
        assert!(matches!((error.line, error.fault), (2, Fault::Outside(_))), "{name}");
    }
    refused(
        ". type=dir\n/etc/passwd type=file\n",
        2,
        "/etc/passwd would leave the tree, or has no name",
    );
    refused("a\\057b type=file\n", 1, "name a\\057b: an escape for a slash");
    refused("a\\000b type=file\n", 1, "name a\\000b: an escape for NUL");
    refused("/include x\n", 1, "/include is not a command of mtree");
}

#[test]
fn faults_name_line_and_keyword() {
    refused(
        "\n. type=TABLE\n",
        2,
        "type=TABLE: not a legal value; expected file, dir, link, fifo, socket, char, block or door",
    );
    refused(
        ". type=dir uid=4294967296\n",
        1,
        "uid=4294967296: out of range; expected a number up to 4294967295",
    );
    refused(
        ". type=dir \\\nmode=9\n",
        1,
        "mode=9: not a legal value; expected octal digits up to 7777, or clauses such as u=rw,go=r",
    );
    refused(
        ". type\n",
        1,
        "type: it needs a value; expected file, dir, link, fifo, socket, char, block or door",
    );
    refused("/set all\n", 1, "all cannot be a default");
    refused("/set link=x\n", 1, "link=x cannot be a default");
    refused(
        ". type=dir\na type=file\na type=dir\n",
        3,
        "./a has two entries: first type file, then type dir",
    );
    refused(
        ". type=dir\n./a type=file\n./a/b type=file\n",
        3,
        "./a is not a directory, but has entries below it",
    );
    refused("a type=file\n. type=file\n", 2, ". is not a directory, but has entries below it");
    refused(". sha256=00\n", 1, "sha256=00: not a legal value; expected 64 hexadecimal digits");
}

#[test]
fn hostile_sizes_are_bounded() {
    let limits = Limits { line: 1000, entries: 10, depth: 5 };
    let options = ReadOptions { limits, merge: false };
    let check = |text: Vec<u8>, want: &str| {
        assert_eq!(read(&text[..], &options).unwrap_err().fault.to_string(), want);
    };
    check(b"a".repeat(5000), "longer than 1000 bytes");
    let endless = io::BufReader::new(io::Read::take(io::repeat(b'a'), u64::MAX));
    assert!(matches!(read(endless, &options).unwrap_err().fault, Fault::TooLong(1000)));
    check(b"a\\\n".repeat(5000), "longer than 1000 bytes");
    check(
        (0..100).map(|n| format!("./{n} type=file\n")).collect::<String>().into(),
        "more than 10 entries",
    );
    check(b"d type=dir\n".repeat(100), "more than 5 directories deep");
    check(b"./a/a/a/a/a/a type=file\n".to_vec(), "more than 5 directories deep");
    let many =
        [&b"/set uid=1 uname=root mode=0644\n".repeat(100_000)[..], b". type=dir\n"].concat();
    assert_eq!(read(&many[..], &options).unwrap().manifest.len(), 1);
}

#[test]
fn the_trailer_tells_whether_all_is_there() {
    let manifest = read_text(b". type=dir\n./a type=file\n").unwrap().manifest;
    let mut text = Vec::new();
    write(&manifest, &WriteOptions::default(), &mut text).unwrap();
    let trailer = |text: &[u8]| read_text(text).unwrap().trailer;
    assert_eq!(trailer(&text), Trailer::Whole);
    assert_eq!(trailer(&[&text[..], b"./b type=file\n"].concat()), Trailer::Broken);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(trailer(text.replace("./a", "./b").as_bytes()), Trailer::Broken);
    assert_eq!(trailer(text.replace("./a type=file\n", "").as_bytes()), Trailer::Broken);
    assert_eq!(trailer(b". type=dir\n"), Trailer::Absent);
}

#[test]
fn names_of_one_inode_are_kept() {
    let text =
        ". type=dir\n./a type=file\n./b\\040 type=file\n#:hardlink 1 ./a\n#:hardlink 1 ./b\\040\n";
    check(text, text);
}

#[test]
fn what_holds_something_is_a_directory() {
    check(
        "#mtree\n. type=dir\n./d uid=1 sha1digest=11f6ad8ec52a2984abaafd7c3b516503785c2072\n./d/f type=file\n",
        ". type=dir\n./d type=dir uid=1\n./d/f type=file\n",
    );
}
