//! Manifests of archives: what an archive unpacks to verifies clean.

use crate::tools::{installed, mtree, run_in, set_time, tree};
use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

#[test]
fn what_an_archive_unpacks_to_is_clean() {
    if !installed(&["tar", "bsdtar", "zstd"]) {
        return;
    }
    let (dir, _) = tree();
    let dir = dir.path();
    let archives = [
        (
            "gnu",
            run_in(dir, "tar", &["-cf", "-", "--format=gnu", "--sparse", "-C", "t", "."], b"").ok(),
        ),
        (
            "pax",
            run_in(dir, "tar", &["-cf", "-", "--format=pax", "--sparse", "-C", "t", "."], b"").ok(),
        ),
        (
            "bsd ustar",
            run_in(dir, "bsdtar", &["-cf", "-", "--format=ustar", "-C", "t", "."], b"").ok(),
        ),
        ("bsd pax", run_in(dir, "bsdtar", &["-cf", "-", "--format=pax", "-C", "t", "."], b"").ok()),
    ];
    for (name, archive) in archives {
        let unpacked = dir.join(format!("unpacked-{}", name.replace(' ', "-")));
        fs::create_dir(&unpacked).unwrap();
        // GNU tar loses the times of directories that are not followed by what is in them.
        let unpack = if name.contains("bsd") { "bsdtar" } else { "tar" };
        run_in(&unpacked, unpack, &["-xpf", "-"], &archive).ok();
        let packed = run_in(dir, "zstd", &["-c"], &archive).ok();
        for stream in [archive, packed] {
            let ran = mtree(dir, &["from-tar", "-tee", "-output", "m"], &stream);
            assert_eq!(ran.code, 0, "{name}: {}", ran.err);
            assert!(ran.out == stream, "{name}: the archive was changed on its way");
            let at = unpacked.to_str().unwrap();
            // bsdtar leaves the time of a root that was there.
            let ignore = if unpack == "bsdtar" { "time" } else { "" };
            let verified = mtree(dir, &["verify", "-ignore", ignore, "m", at], b"");
            assert_eq!(verified.code, 0, "{name}: {} {}", verified.text(), verified.err);
        }
    }
}

#[test]
fn libarchives_own_manifest_of_an_archive_has_a_root_too() {
    if !installed(&["tar", "bsdtar"]) {
        return;
    }
    let (dir, _) = tree();
    let dir = dir.path();
    run_in(dir, "tar", &["-cf", "a.tar", "-C", "t", "."], b"").ok();
    let converted = run_in(dir, "bsdtar", &["-cf", "-", "--format=mtree", "@a.tar"], b"").ok();
    // Its hard links have no size; times are whole seconds.
    let ran = mtree(dir, &["verify", "-ignore", "size", "-", "t"], &converted);
    assert_eq!(ran.code, 0, "{} {}", ran.text(), ran.err);
}

/// A directory `s` with what every format of tar can hold: times in whole seconds, and a file with
/// more pieces between holes than a header has room for.
fn plain_tree(dir: &Path) {
    let s = dir.join("s");
    fs::create_dir_all(s.join("sub/deep")).unwrap();
    fs::create_dir(s.join("empty")).unwrap();
    fs::write(s.join("file"), "hello\n").unwrap();
    fs::write(s.join("sub/deep/leaf"), "leaf").unwrap();
    fs::write(s.join("one"), "linked").unwrap();
    fs::hard_link(s.join("one"), s.join("sub/two")).unwrap();
    symlink("file", s.join("link")).unwrap();
    let holes = fs::File::create(s.join("holes")).unwrap();
    for piece in 1..60 {
        holes.write_all_at(b"piece", piece << 16).unwrap();
    }
    holes.set_len(5_000_000).unwrap();
    let names = ["file", "sub/deep/leaf", "one", "link", "holes", "empty", "sub/deep", "sub", "."];
    for (nth, name) in names.iter().enumerate() {
        set_time(&s.join(name), 1_600_000_000 + nth as i64, 0);
    }
}

/// Makes the manifest of an archive, and of each tool's extraction of it sees that it is equal.
fn check_archive(dir: &Path, name: &str, archive: &[u8]) {
    let ran = mtree(dir, &["from-tar", "-output", "m"], archive);
    assert_eq!(ran.code, 0, "{name}: {}", ran.err);
    assert_eq!(ran.err, "", "{name}");
    for tool in ["tar", "bsdtar"] {
        let unpacked = dir.join("x");
        fs::create_dir(&unpacked).unwrap();
        run_in(&unpacked, tool, &["-xpf", "-"], archive).ok();
        // bsdtar leaves the time of a root that was there; GNU tar loses the times of directories
        // that are not followed by what is in them.
        set_time(&unpacked, 1_600_000_008, 0);
        let ignore = if tool == "tar" && name.starts_with("bsdtar") { "time" } else { "" };
        let verified = mtree(dir, &["verify", "-ignore", ignore, "m", "x"], b"");
        assert_eq!(verified.code, 0, "{name}, {tool}: {} {}", verified.text(), verified.err);
        fs::remove_dir_all(unpacked).unwrap();
    }
}

#[test]
fn every_form_of_tar_is_what_it_unpacks_to() {
    if !installed(&["tar", "bsdtar"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    plain_tree(dir);
    for format in ["v7", "oldgnu", "gnu", "ustar", "pax"] {
        let sparse: &[&str] = match format {
            "pax" => &["", "-S --sparse-version=0.0", "-S --sparse-version=0.1", "-S"],
            "gnu" | "oldgnu" => &["", "-S"],
            _ => &[""],
        };
        // GNU tar has no place for a level or a label in these.
        let others: &[&str] =
            if ["v7", "ustar"].contains(&format) { &[""] } else { &["", "-g snap", "-V label x"] };
        for (sparse, other) in
            sparse.iter().flat_map(|one| others.iter().map(move |two| (one, two)))
        {
            let format = format!("--format={format}");
            let mut arguments = vec!["-cf", "-", &format, "-C", "s"];
            arguments.extend(sparse.split_whitespace());
            let other = other.splitn(2, ' ').filter(|word| !word.is_empty());
            arguments.extend(other);
            arguments.push(".");
            let _ = fs::remove_file(dir.join("snap"));
            let archive = run_in(dir, "tar", &arguments, b"").ok();
            check_archive(dir, &arguments.join(" "), &archive);
        }
    }
    for format in ["v7", "ustar", "pax", "gnutar"] {
        let format = format!("--format={format}");
        let archive = run_in(dir, "bsdtar", &["-cf", "-", &format, "-C", "s", "."], b"").ok();
        check_archive(dir, &format!("bsdtar {format}"), &archive);
    }
}

#[test]
fn an_archive_that_was_cut_anywhere_has_no_whole_manifest() {
    if !installed(&["tar", "zstd"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    plain_tree(dir);
    let arguments = ["-cf", "-", "--format=pax", "-S", "-C", "s", "file", "link", "holes", "sub"];
    let archive = run_in(dir, "tar", &arguments, b"").ok();
    let content = archive.iter().rposition(|byte| *byte != 0).unwrap();
    // What is before the two blocks of zeros that end it.
    let members = content.next_multiple_of(512);
    let mut cuts: Vec<usize> = (0..=members + 512).step_by(512).collect();
    cuts.extend((0..members + 1024).step_by(700));
    cuts.push(members + 1023);
    for cut in cuts {
        let ran = mtree(dir, &["from-tar"], &archive[..cut]);
        assert_eq!(ran.code, 1, "{cut}: {}", ran.text());
        assert!(ran.err.contains("the archive was cut off, or its producer failed"), "{}", ran.err);
        assert!(!ran.text().contains("#:end"), "{cut}");
    }
    assert_eq!(mtree(dir, &["from-tar"], &archive[..members + 1024]).code, 0);
    let packed = run_in(dir, "zstd", &["-c"], &archive).ok();
    for cut in [packed.len() / 2, packed.len() - 1] {
        let ran = mtree(dir, &["from-tar", "-output", "cut.m"], &packed[..cut]);
        assert_eq!(ran.code, 1, "{cut}");
        assert!(!dir.join("cut.m").exists());
    }
}
