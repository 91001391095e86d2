//! Exit statuses, as packmule(1) tells them.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use std::process::Command;

fn check(words: &[&str], want: i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_packmule")).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(want), "{words:?}: {said}");
}

#[test]
fn a_wrong_command_line_is_2_where_2_means_nothing_else() {
    check(&["nosuch"], 2);
    check(&["toss", "-nosuch"], 2);
    check(&["links"], 2);
    check(&["zfs", "send", "-nosuch"], 2);
    check(&["zfs", "status", "-nosuch"], 1);
    check(&["mtree", "nosuch"], 1);
    check(&["mtree", "verify", "-nosuch"], 1);
    check(&["mtree", "verify"], 1);
}

#[test]
fn what_differs_is_2_and_what_can_not_be_compared_is_1() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = dir.path().join("manifest");
    let (manifest, tree) = (manifest.to_str().unwrap(), dir.path().join("tree"));
    std::fs::create_dir(&tree).unwrap();
    let tree = tree.to_str().unwrap();
    std::fs::write(manifest, "#mtree\n. type=dir\n").unwrap();
    check(&["mtree", "verify", manifest, tree], 0);
    std::fs::write(manifest, "#mtree\n. type=dir\n./a type=file\n").unwrap();
    check(&["mtree", "verify", manifest, tree], 2);
    check(&["mtree", "verify", manifest, "/nowhere"], 1);
}
