//! Manifests of archives: what an archive unpacks to verifies clean.

use crate::tools::{installed, mtree, run_in, tree};
use std::fs;

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
