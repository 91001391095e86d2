//! Datasets that a run leaves out are in nobody's way.

use super::airgap::nodes;
use super::lab::{Lab, options, run};
use super::scenarios::{done, write};
use packmule::internal::zfs::dialect::Dialect;
use packmule::internal::zfs::send::{Options, Source};
use std::fs;
use std::os::unix::fs::symlink;

/// With the name of a snapshot behind it, this is too long.
fn long() -> String {
    format!("labsrc/home/{}", "x".repeat(225))
}

pub(crate) fn no_snapshot(lab: &Lab) {
    lab.create("labsrc/home");
    lab.create("labsrc/home/anna");
    lab.zfs(&["create", "-o", "mountpoint=none", &long()]);
    let options = Options { recursive: true, ..options() };
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let (dispatches, packets) = lab.send("labsrc/home", &options, &["vault"]);
        let failed: Vec<_> =
            dispatches.iter().filter(|dispatch| dispatch.result.is_err()).collect();
        assert!(failed.len() == 1 && failed[0].dataset == long(), "{dispatches:?}");
        assert_eq!(packets.len(), 2, "the others are sent");
        waiting.extend(packets);
    }
    done(&lab.toss(&mut waiting, &[]));
    lab.same("labsrc/home");
}

pub(crate) fn no_name(lab: &Lab) {
    lab.create("labsrc/other");
    let (laptop, _) = nodes(lab, "no-name", "zfs");
    let send = ["zfs", "send", "-quiet", "vault", "labsrc/a@b", "labsrc/other"];
    let output = laptop.run(&send);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("\"labsrc/a@b\""), "{said}");
    let sent = String::from_utf8_lossy(&output.stdout);
    assert!(sent.starts_with("labsrc/other@"), "{sent}");
    assert_eq!(output.status.code(), Some(1));
}

pub(crate) fn unchanged(lab: &Lab) {
    let directory = lab.create("labsrc/idle");
    let (laptop, _) = nodes(lab, "unchanged", "zfs");
    let knows = Dialect::probe(&lab.zfs).unwrap() == Dialect::Open;
    // Whether it was sent, after a snapshot of another tool.
    let sent = |snapshot: &str| {
        lab.zfs(&["snapshot", &format!("labsrc/idle@{snapshot}")]);
        let send = ["zfs", "send", "-quiet", "-skip-unchanged", "vault", "labsrc/idle"];
        let output = laptop.run(&send);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.matches("skip-unchanged: ").count(), usize::from(!knows), "{said}");
        assert!(output.status.success(), "{said}");
        !output.stdout.is_empty()
    };
    assert!(sent("one"));
    assert_eq!(sent("two"), !knows);
    write(&directory, "file", "new\n");
    assert!(sent("three"));
    assert_eq!(sent("four"), !knows);
    if knows {
        // Only its bookmark is left of what was sent.
        let guids = lab.guids("labsrc/idle");
        for name in guids.keys().filter(|name| name.starts_with("@packmule")) {
            lab.zfs(&["destroy", &format!("labsrc/idle{name}")]);
        }
        assert!(!sent("five"));
    }
}

pub(crate) fn spool_within(lab: &Lab) {
    let home = lab.create("labsrc/home");
    let (laptop, _) = nodes(lab, "spool-within", "zfs");
    let spool = lab.path().join("spool-within/laptop/spool");
    let inside = home.join("backups/queue");
    fs::create_dir_all(&inside).unwrap();
    let stops = || {
        let output = laptop.run(&["zfs", "run"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("labsrc/home holds the spool"), "{said}");
        let doctor = String::from_utf8(laptop.run(&["doctor"]).stdout).unwrap();
        assert!(doctor.contains("the spool is in labsrc/home, which the set main"), "{doctor}");
    };
    run("mount", &["--bind", &inside.display().to_string(), &spool.display().to_string()]);
    stops();
    run("umount", &[&spool.display().to_string()]);
    fs::remove_dir(&spool).unwrap();
    symlink(&inside, &spool).unwrap();
    stops();
    let send = laptop.run(&["zfs", "send", "vault", "labsrc/home"]);
    assert_eq!(send.status.code(), Some(1));
    let snapshots = lab.zfs(&["list", "-H", "-o", "name", "-t", "snapshot", "-r", "labsrc/home"]);
    assert!(!snapshots.contains('@'), "{snapshots}");
    // With a dataset of its own the others are sent, and with the property all is well.
    let own = lab.create("labsrc/home/queue");
    fs::remove_file(&spool).unwrap();
    symlink(&own, &spool).unwrap();
    let output = laptop.run(&["zfs", "run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("labsrc/home@"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("labsrc/home/queue holds the spool"));
    lab.zfs(&["set", "packmule:exclude=on", "labsrc/home/queue"]);
    laptop.ok(&["zfs", "run"]);
    let doctor = String::from_utf8(laptop.run(&["doctor"]).stdout).unwrap();
    assert!(!doctor.contains("the spool is in"), "{doctor}");
}

pub(crate) fn a_copy_of_another_tool(lab: &Lab) {
    let home = lab.create("labsrc/home");
    write(&home, "one", "one");
    lab.zfs(&["snapshot", "labsrc/home@syncoid_laptop_1"]);
    let stream = run("zfs", &["send", "labsrc/home@syncoid_laptop_1"]);
    let mut copy = vec![(String::new(), "labsrc/home".to_owned(), stream)];
    done(&lab.toss(&mut copy, &[]));
    let (_, guid) = lab.newest("labdst/b/laptop/home");
    let (laptop, _) = nodes(lab, "adopted", "zfs");
    write(&home, "two", "two");
    let said = laptop.run(&["zfs", "resend", "-from", &guid, "vault", "labsrc/home"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("packmule zfs send -from GUID NODE labsrc/home"), "{said}");
    let from = Source::Guids(vec![guid.parse().unwrap()]);
    for round in 0..2 {
        let mut packets = match round {
            0 => lab.send_from("labsrc/home", &options(), &from).1,
            _ => lab.send("labsrc/home", &options(), &["vault"]).1,
        };
        assert_eq!(packets.len(), 1);
        done(&lab.toss(&mut packets, &[]));
    }
    lab.same("labsrc/home");
    // All marks are lost: nothing is sent, and both ways on are told.
    lab.forget_sent("labsrc/home");
    let before = lab.guids("labsrc/home");
    let (dispatches, packets) = lab.send("labsrc/home", &options(), &["vault"]);
    let said = dispatches[0].result.as_ref().unwrap_err().to_string();
    assert!(packets.is_empty() && said.contains("no mark of what vault was sent"), "{said}");
    assert_eq!(lab.guids("labsrc/home"), before, "no snapshot was made");
}
