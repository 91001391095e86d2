use super::*;
use crate::mtree::{WriteOptions, write};
use crate::progress::{Progress, Work};
use tar::EntryType;

fn manifest(archive: &[u8]) -> (String, Vec<String>) {
    let meter = Progress::default().start(Work::Hash, "archive", None);
    let created = of_archive(archive, Keywords::DEFAULT, &meter).unwrap();
    let mut text = Vec::new();
    write(&created.manifest, &WriteOptions::default(), &mut text).unwrap();
    let troubles = created.troubles.iter().map(ToString::to_string).collect();
    (String::from_utf8(text).unwrap(), troubles)
}

fn header(kind: EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(7);
    header.set_uid(1);
    header.set_gid(2);
    header
}

#[test]
fn hard_links_are_their_target_and_directories_are_there() {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header(EntryType::Regular, 3), "d/b", &b"hi\n"[..]).unwrap();
    archive.append_link(&mut header(EntryType::Link, 0), "a", "d/b").unwrap();
    archive.append_link(&mut header(EntryType::Symlink, 0), "s", "x y").unwrap();
    let archive = archive.into_inner().unwrap();
    let digest = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";
    let file = format!("nlink=2 size=3 time=7.000000000 sha256digest={digest}");
    let want = format!(
        "#mtree\n\
         . type=dir\n\
         ./a type=file uid=1 gid=2 mode=0644 {file}\n\
         ./d type=dir\n\
         ./d/b type=file uid=1 gid=2 mode=0644 {file}\n\
         ./s type=link uid=1 gid=2 mode=0644 nlink=1 link=x\\040y time=7.000000000\n\
         #:hardlink 1 ./a\n\
         #:hardlink 1 ./d/b\n"
    );
    let packed = zstd::encode_all(&archive[..], 1).unwrap();
    for stream in [archive, packed] {
        let (text, troubles) = manifest(&stream);
        assert!(text.starts_with(&want), "{text}");
        assert!(troubles.is_empty());
    }
}

#[test]
fn members_that_would_leave_the_tree_are_reported() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut evil = header(EntryType::Regular, 0);
    evil.as_gnu_mut().unwrap().name[..6].copy_from_slice(b"../etc");
    evil.set_cksum();
    archive.append(&evil, &b""[..]).unwrap();
    archive.append_link(&mut header(EntryType::Link, 0), "a", "nothing").unwrap();
    let (text, troubles) = manifest(&archive.into_inner().unwrap());
    assert!(!text.contains("etc"));
    assert_eq!(
        troubles,
        [
            "../etc: its name would leave the tree",
            "a: it is a hard link to a member that did not come before"
        ]
    );
}

#[test]
fn what_is_no_archive_is_refused() {
    let meter = Progress::default().start(Work::Hash, "archive", None);
    assert!(of_archive(&[b'x'; 2000][..], Keywords::DEFAULT, &meter).is_err());
}

/// A member with this type flag, and its content.
fn member(letter: u8, path: &str, target: &str, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = header(EntryType::new(letter), size);
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    let filling = vec![0; content.len().next_multiple_of(512) - content.len()];
    [header.as_bytes(), content, &filling[..]].concat()
}

fn file(path: &str, content: &str) -> Vec<u8> {
    member(b'0', path, "", content.len() as u64, content.as_bytes())
}

/// Checks the entries of an archive of these members, with their types and sizes.
#[track_caller]
fn check(members: &[Vec<u8>], want: &str, trouble: &str) {
    let archive = [&members.concat()[..], &[0; 1024]].concat();
    let meter = Progress::default().start(Work::Hash, "archive", None);
    let keywords = "type,size,nlink,link,time".parse().unwrap();
    let created = of_archive(&archive[..], keywords, &meter).unwrap();
    let mut text = Vec::new();
    write(&created.manifest, &WriteOptions::default(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap().replace(" time=7.000000000", "");
    let entries = text.lines().filter(|line| line.starts_with("./"));
    let entries: Vec<_> = entries.map(|line| line.replace(" type=", " ")).collect();
    assert_eq!(entries.join("; "), want);
    let troubles: Vec<_> = created.troubles.iter().map(ToString::to_string).collect();
    assert_eq!(troubles.join("; "), trouble);
    assert!(created.cut.is_none());
}

#[test]
fn members_of_old_tars_are_what_they_become() {
    let f = || file("f", "hi");
    let f_line = "./f file nlink=1 size=2";
    let d_and_f = "./d dir; ./f file nlink=1 size=2";
    check(&[member(b'D', "d/", "", 4, b"Yf\0\0"), f()], d_and_f, "");
    check(&[member(b'V', "label", "", 0, b""), f()], f_line, "");
    check(&[member(0, "d/", "", 0, b""), f()], d_and_f, "");
    check(&[member(b'5', "d/", "", 4096, b""), f()], d_and_f, "");
    check(&[member(b'A', "acl", "", 3, b"acl"), f()], f_line, "");
    check(
        &[member(b'2', "l", "f", 100, b""), f()],
        "./f file nlink=1 size=2; ./l link nlink=1 link=f",
        "",
    );
    check(
        &[f(), member(b'Z', "z", "", 1, b"z")],
        &format!("{f_line}; ./z file nlink=1 size=1"),
        "",
    );
    check(&[member(b'X', "x", "", 10, b"10 path=g\n"), f()], "./g file nlink=1 size=2", "");
    check(
        &[member(b'M', "m", "", 4, b"rest"), f()],
        f_line,
        "m: it is the continuation of a file on another volume",
    );
}

#[test]
fn a_hard_links_size_may_be_that_of_data_or_of_nothing() {
    let linked = "./f file nlink=2 size=2; ./h file nlink=2 size=2";
    let others = "; ./g file nlink=1 size=3";
    let check = |size, content: &[u8]| {
        let members = [file("f", "hi"), member(b'1', "h", "f", size, content), file("g", "abc")];
        let want = linked.replacen("; ", &format!("{others}; "), 1);
        super::tests::check(&members, &want, "");
    };
    check(0, b"");
    check(2, b"");
    check(2, b"hi");
}

#[test]
fn a_name_that_comes_again_is_another_file() {
    let h = || member(b'1', "h", "f", 0, b"");
    let want = "./f file nlink=1 size=3; ./h file nlink=1 size=2";
    check(&[file("f", "hi"), h(), file("f", "new")], want, "");
    let want = "./f file nlink=1 size=2; ./h file nlink=1 size=3";
    check(&[file("f", "hi"), h(), file("h", "new")], want, "");
    check(
        &[file("d/f", "hi"), file("d", "new")],
        "./d dir; ./d/f file nlink=1 size=2",
        "d: it would replace a directory that is not empty",
    );
    let itself = member(b'1', "f", "./f", 0, b"");
    check(&[file("f", "hi"), itself], "./f file nlink=1 size=2", "");
}

#[test]
fn what_is_said_of_all_members_counts_where_a_member_says_nothing() {
    let all = member(b'g', "g", "", 11, b"11 mtime=8\n");
    let own = member(b'x', "x", "", 11, b"11 mtime=9\n");
    let want = "./a file nlink=1 size=2 time=8.000000000; ./b file nlink=1 size=2 time=9.000000000";
    check(&[all, file("a", "hi"), own, file("b", "hi")], want, "");
}

#[test]
fn a_single_block_of_zeros_is_no_end() {
    let meter = Progress::default().start(Work::Hash, "archive", None);
    let end = |blocks: usize| vec![0; 512 * blocks];
    let cut = |archive: &[u8]| {
        let created = of_archive(archive, Keywords::DEFAULT, &meter).unwrap();
        (created.manifest.len() - 1, created.cut.is_some())
    };
    assert_eq!(cut(&[file("f", "hi"), end(2)].concat()), (1, false));
    assert_eq!(cut(&[file("f", "hi"), end(1)].concat()), (1, true));
    assert_eq!(cut(&[file("f", "hi"), end(1), file("g", "hi"), end(2)].concat()), (1, true));
    assert_eq!(cut(&[end(2), file("f", "hi")].concat()), (0, false));
    assert_eq!(cut(b""), (0, true));
}

#[test]
fn times_before_1970_are_known_without_pax() {
    let mut header = header(EntryType::Regular, 0);
    header.as_old_mut().name[0] = b'f';
    header.as_old_mut().mtime.copy_from_slice(&[0xFF; 12]);
    header.set_cksum();
    let want = "./f file nlink=1 size=0 time=-1.000000000";
    check(&[header.as_bytes().to_vec()], want, "");
}
