//! `packmule handle mtree-verify`, as a node that the reference runs calls it.

use crate::airgap::World;
use crate::tools::{Ran, mtree, run_with, tree};
use std::fs;
use std::path::Path;

const PACKMULE: &str = env!("CARGO_BIN_EXE_packmule");

fn handle(dir: &Path, words: &[&str], manifest: &[u8]) -> Ran {
    let arguments: Vec<_> = ["handle"].iter().chain(words).copied().collect();
    run_with(dir, PACKMULE, &arguments, &[("NNCP_SENDER", "SENDER")], manifest)
}

#[test]
fn the_exit_status_says_what_becomes_of_the_packet() {
    let (dir, t) = tree();
    let manifest = mtree(dir.path(), &["create", "t"], b"").ok();
    let place = format!("home={}", t.display());
    let run = |words: &[&str], manifest: &[u8]| {
        let words: Vec<_> =
            ["mtree-verify", "--tree", &place].iter().chain(words).copied().collect();
        handle(dir.path(), &words, manifest)
    };
    let equal = run(&["--", "home"], &manifest);
    assert_eq!(equal.code, 0, "{}", equal.err);
    assert!(equal.text().starts_with("tree: home\nmanifest: sha256 "), "{}", equal.text());
    assert!(equal.text().contains("objects compared: equal\n"), "{}", equal.text());
    fs::write(t.join("file"), "jello\n").unwrap();
    let different = run(&["--", "home"], &manifest);
    assert_eq!(different.code, 0, "what differs is a report: {}", different.err);
    assert!(different.text().contains("\ncontent ./file: "), "{}", different.text());
    assert_eq!(run(&["--", "home"], b". type=table\n").code, 1);
    assert_eq!(run(&["--", "office"], &manifest).code, 1);
    fs::rename(&t, dir.path().join("away")).unwrap();
    let later = run(&["--", "home"], &manifest);
    assert_eq!(later.code, 75, "{}", later.err);
}

#[test]
fn what_the_sender_adds_is_never_a_setting() {
    let (dir, t) = tree();
    let manifest = mtree(dir.path(), &["create", "t"], b"").ok();
    let place = format!("home={}", t.display());
    let words = ["mtree-verify", "--tree", &place, "--", "home", "--tree", "home=/etc"];
    let ran = handle(dir.path(), &words, &manifest);
    assert_eq!((ran.code, ran.text().as_str()), (1, ""));
    assert!(ran.err.contains("expected one argument: a tree name"), "{}", ran.err);
    // Without the separator nothing tells settings and arguments apart.
    let ran = handle(dir.path(), &["mtree-verify", "--tree", &place, "home"], &manifest);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(handle(dir.path(), &["no-such-builtin", "--"], b"").code, 1);
    assert_eq!(handle(dir.path(), &["--"], b"").code, 2);
}

#[test]
fn the_report_is_queued_for_the_sender() {
    let world = World::new();
    let backup = world.home("backup");
    let t = backup.join("data");
    fs::write(t.join("file"), "hello\n").unwrap();
    let manifest = mtree(&backup, &["create", "data"], b"").ok();
    let place = format!("home={}", t.display());
    let config = backup.join("nncp.hjson");
    let words = ["handle", "-cfg", config.to_str().unwrap(), "mtree-verify", "--tree", &place];
    let words = [&words[..], &["--report-file", "reports", "--", "home"]].concat();
    let run =
        |sender: &str| run_with(&backup, PACKMULE, &words, &[("NNCP_SENDER", sender)], &manifest);
    let unknown = run("NOBODY");
    assert_eq!(unknown.code, 1, "a report that cannot be sent is no success");
    let ran = run(&world.id("laptop"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let reports = world.back();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0], ran.text(), "what it prints is what it sends");
}
