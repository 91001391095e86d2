//! Streams that arrive as files in incoming directories.

use super::killer::{Killer, WAYS};
use super::lab::Lab;
use super::node::packmule;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Streams of a full snapshot and `count` increments, as the article's scripts send them: packed,
/// with the dataset in the name, and names that sort the wrong way round.
fn files_of_a_chain(lab: &Lab, count: u32) -> Vec<(String, Vec<u8>)> {
    let directory = lab.create("labsrc/a");
    let mut base = None;
    let file = |number: u32| {
        fs::write(directory.join(format!("f{number}")), "content\n".repeat(9000)).unwrap();
        let snapshot = format!("labsrc/a@s{number}");
        lab.zfs(&["snapshot", &snapshot]);
        let mut send = Command::new("zfs");
        send.arg("send");
        if let Some(base) = base.replace(snapshot.clone()) {
            send.args(["-i", &base]);
        }
        let stream = send.arg(&snapshot).output().unwrap().stdout;
        let name = format!("bakfsfmt2-{}.5.77_laptop@data@a", 1000 - number);
        (name, zstd::encode_all(&stream[..], 3).unwrap())
    };
    (0..=count).map(file).collect()
}

/// `packmule zfs receive-dir` on the incoming directories.
fn receive_dir(incoming: &Path, options: &[&str], zfs: &str) -> Command {
    let mut command = packmule(&["zfs", "receive-dir"]);
    command.args(options).arg(incoming).args(["--", "--into", "labdst/b/{host}", "--zfs", zfs]);
    command
}

fn names_in(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let names = fs::read_dir(directory).unwrap().map(name);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

pub(crate) fn files_in_incoming_directories(lab: &Lab) {
    let incoming = lab.path().join("incoming");
    let laptop = incoming.join("laptop");
    fs::create_dir_all(&laptop).unwrap();
    for (name, content) in files_of_a_chain(lab, 3) {
        fs::write(laptop.join(name), content).unwrap();
    }
    fs::write(laptop.join("bakfsfmt2-1_server@data"), "another host").unwrap();
    let run = || receive_dir(&incoming, &[], "zfs").output().unwrap();
    let output = run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bakfsfmt2-1_server@data"), "{said}");
    assert!(said.contains("warning: labdst/b/laptop: readonly is off"), "{said}");
    assert_eq!(names_in(&laptop), ["bakfsfmt2-1_server@data"], "only what was refused is kept");
    assert_eq!(lab.guids("labdst/b/laptop/data/a"), lab.guids("labsrc/a"));
    fs::remove_file(laptop.join("bakfsfmt2-1_server@data")).unwrap();
    assert_eq!(run().status.code(), Some(0));
}

/// A `zfs` that can not make datasets called `bad`.
const CAN_NOT: &str = r#"#!/bin/sh
case "$1 $*" in create*bad*) echo "cannot create: permission denied" >&2; exit 1 ;; esac
exec zfs "$@"
"#;

pub(crate) fn what_fails_holds_nobody_up(lab: &Lab) {
    let incoming = lab.path().join("failing");
    let laptop = incoming.join("laptop");
    fs::create_dir_all(&laptop).unwrap();
    let odd = incoming.join("an odd host");
    fs::create_dir(&odd).unwrap();
    let zfs = lab.path().join("can-not");
    fs::write(&zfs, CAN_NOT).unwrap();
    fs::set_permissions(&zfs, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (_, full) = files_of_a_chain(lab, 0).remove(0);
    let bad = "bakfsfmt2-1.5.77_laptop@bad@child";
    for name in [bad, "bakfsfmt2-2.5.77_laptop@data@a", "bakfsfmt2-3.5.77_server@a"] {
        fs::write(laptop.join(name), &full).unwrap();
    }
    fs::write(odd.join("bakfsfmt2-1.5.77_laptop@data@a"), &full).unwrap();
    let zfs = zfs.to_str().unwrap();
    let output = receive_dir(&incoming, &["-quiet"], zfs).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let names = |line: &&str| line.contains(bad) && line.contains("permission denied");
    assert_eq!(said.lines().filter(names).count(), 1, "{said}");
    assert!(said.contains("an odd host: "), "{said}");
    assert_eq!(lab.guids("labdst/b/laptop/data/a"), lab.guids("labsrc/a"), "{said}");
    // The next time they are told again, and then only when they change.
    let watched = lab.path().join("said");
    let mut command = receive_dir(&incoming, &["-watch", "1", "-quiet"], zfs);
    command.stdout(Stdio::null()).stderr(fs::File::create(&watched).unwrap());
    let mut watcher = command.spawn().unwrap();
    let read = || fs::read_to_string(&watched).unwrap();
    fs::write(laptop.join("bakfsfmt2-4.5.77_laptop@data@b"), &full).unwrap();
    until("it was tossed once", || !laptop.join("bakfsfmt2-4.5.77_laptop@data@b").exists());
    fs::write(laptop.join("bakfsfmt2-5.5.77_laptop@data@c"), &full).unwrap();
    until("and again", || !laptop.join("bakfsfmt2-5.5.77_laptop@data@c").exists());
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(read().lines().filter(|line| lines.contains(line)).count(), lines.len(), "{said}");
}

pub(crate) fn files_watched_for(lab: &Lab) {
    let incoming = lab.path().join("watched");
    let laptop = incoming.join("laptop");
    fs::create_dir_all(&laptop).unwrap();
    let mut files = files_of_a_chain(lab, 3);
    let put = |(name, content): &(String, Vec<u8>)| {
        // As a toss does: whole, and then named.
        fs::write(incoming.join("tmp"), content).unwrap();
        fs::rename(incoming.join("tmp"), laptop.join(name)).unwrap();
    };
    let mut command = receive_dir(&incoming, &["-watch", "1", "-quiet"], "zfs");
    let mut watcher = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let first = files.remove(0);
    // The full stream comes last, and a host of its own comes later still.
    files.iter().for_each(put);
    put(&first);
    until("the chain is applied", || names_in(&laptop).is_empty());
    fs::create_dir(incoming.join("server")).unwrap();
    lab.zfs(&["create", "labdst/b/server"]);
    let name = first.0.replace("laptop", "server");
    fs::write(incoming.join("tmp"), &first.1).unwrap();
    fs::rename(incoming.join("tmp"), incoming.join("server").join(name)).unwrap();
    until("the new host's file is applied", || names_in(&incoming.join("server")).is_empty());
    assert!(watcher.try_wait().unwrap().is_none(), "it goes on watching");
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    assert_eq!(lab.guids("labdst/b/laptop/data/a"), lab.guids("labsrc/a"));
    assert_eq!(lab.guids("labdst/b/server/data/a").len(), 1);
}

/// Waits for what must become true, far longer than it should take.
fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not in a minute: {what}");
}

pub(crate) fn files_killed_at_every_stage(lab: &Lab) {
    let killer = Killer::new(lab.path().join("killer-dir"));
    let incoming = lab.path().join("killed-dir");
    let laptop = incoming.join("laptop");
    fs::create_dir_all(&laptop).unwrap();
    for (name, content) in files_of_a_chain(lab, 12) {
        fs::write(laptop.join(name), content).unwrap();
    }
    let mut stages = 0;
    for at in (1..12).step_by(lab.stride()) {
        for how in WAYS {
            let command = receive_dir(&incoming, &["-quiet"], &killer.zfs());
            stages += u32::from(killer.kills(command, at, how));
            // A file goes only when what it holds is in the pool.
            let applied =
                lab.zfs.ask(&["get", "-Hp", "-r", "-o", "value", "guid", "labdst/b/laptop"]);
            let gone = 13 - names_in(&laptop).len();
            let held = applied.map(|_| lab.guids("labdst/b/laptop").len()).unwrap();
            assert!(gone <= held, "killed {how} call {at}: {gone} files gone, {held} snapshots");
        }
    }
    assert!(stages as usize > 10 / lab.stride(), "{stages}");
    until("all is applied", || {
        let output = receive_dir(&incoming, &["-quiet"], &killer.zfs()).output().unwrap();
        output.status.success() && names_in(&laptop).is_empty()
    });
    assert_eq!(lab.guids("labdst/b/laptop/data/a"), lab.guids("labsrc/a"));
}
