//! Without root: what `zfs allow` grants to the user that runs packmule.

use super::airgap::nodes;
use super::guest::PACKMULE;
use super::lab::{Lab, run};
use super::open::{get, packet};
use super::scenarios::write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// A command, as the user `backup` of the emulated machine.
fn as_user(command: &Command) -> Command {
    // Not busybox's, which knows no --reuid.
    let mut ours = Command::new("/usr/bin/setpriv");
    ours.args(["--reuid=1000", "--regid=1000", "--clear-groups", "--"]);
    ours.arg(command.get_program()).args(command.get_args());
    ours.stdin(std::process::Stdio::null());
    ours
}

/// Hands the newest snapshot of a dataset, from this base, to the handler.
fn hand(lab: &Lab, send: &[&str], argument: &str, more: &[&str]) -> (Option<i32>, String) {
    let file = lab.path().join("stream");
    fs::write(&file, &packet(send, "")[0].2).unwrap();
    let mut command = Command::new(PACKMULE);
    command.args(["handle", "zfs-receive", "--into", "labdst/b/laptop"]).args(more);
    command.args(["--", argument]);
    let mut command = as_user(&command);
    command.env("NNCP_SENDER", "laptop").stdin(fs::File::open(file).unwrap());
    said(&command.output().unwrap())
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn allow(what: &str, dataset: &str) {
    run("zfs", &["allow", "backup", what, dataset]);
}

pub(crate) fn receive(lab: &Lab) {
    lab.create("labsrc/home");
    lab.create("labsrc/home/anna");
    for name in ["one", "two", "three"] {
        lab.zfs(&["snapshot", "-r", &format!("labsrc/home@{name}")]);
    }
    let (root, backup) = ("labdst/b/laptop", "labdst/b/laptop/home");
    let full = ["labsrc/home@one"];
    // Nothing is granted.
    let (status, text) = hand(lab, &full, "home", &[]);
    assert!(status == Some(1) && text.contains("permission denied"), "{text}");
    // Enough to receive, but readonly may not be set and is not inherited either.
    allow("receive,create,mount", root);
    let (status, text) = hand(lab, &full, "home", &[]);
    assert!(status == Some(1) && text.contains("readonly is not on"), "{text}");
    assert_eq!(hand(lab, &full, "home", &[]).0, Some(0), "a duplicate by now");
    // It is inherited: no more is needed than that.
    lab.zfs(&["set", "readonly=on", root]);
    let step = ["-i", "labsrc/home@one", "labsrc/home@two"];
    let (status, text) = hand(lab, &step, "home", &[]);
    assert!(status == Some(0) && text.contains("applied labdst/b/laptop/home@two"), "{text}");
    let applied = "packmule:applied";
    assert_eq!(get(lab, applied, &format!("{backup}@two")), "-", "may not be recorded");
    let step = ["-i", "labsrc/home@two", "labsrc/home@three"];
    allow("userprop", root);
    let (status, text) = hand(lab, &step, "home", &[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(get(lab, applied, &format!("{backup}@three")).starts_with("laptop,"));
    // A child before its parent needs the properties of a placeholder.
    let child = ["labsrc/home/anna@one"];
    let (status, text) = hand(lab, &child, "other/anna", &[]);
    assert!(status == Some(1) && text.contains("permission denied"), "{text}");
    allow("readonly,canmount,mountpoint", root);
    let (status, text) = hand(lab, &child, "other/anna", &[]);
    assert_eq!(status, Some(0), "{text}");
    let (status, text) = hand(lab, &full, "other", &[]);
    assert_eq!(status, Some(0), "over the placeholder: {text}");
    // What an attacker who is that user can not do.
    let mut destroy = Command::new("zfs");
    destroy.args(["destroy", &format!("{backup}@three")]);
    assert_ne!(said(&as_user(&destroy).output().unwrap()).0, Some(0));
}

pub(crate) fn send(lab: &Lab) {
    let home = lab.create("labsrc/home");
    fs::set_permissions(lab.path(), Permissions::from_mode(0o755)).unwrap();
    let (laptop, ..) = nodes(lab, "delegated", "zfs");
    let place = lab.path().join("delegated");
    run("chown", &["-R", "1000:1000", &place.display().to_string()]);
    let zfs_run = || said(&as_user(&laptop.command(&["zfs", "run"])).output().unwrap());
    let (status, text) = zfs_run();
    assert!(status == Some(1) && text.contains("permission denied"), "{text}");
    allow("send,snapshot,bookmark,destroy,mount", "labsrc/home");
    for round in 0..3 {
        write(&home, &format!("file{round}"), "more\n");
        let (status, text) = zfs_run();
        let kind = if round == 0 { "full" } else { "increment" };
        assert!(status == Some(0) && text.contains(kind), "{text}");
    }
    assert_eq!(lab.guids("labsrc/home").len(), 3);
}
