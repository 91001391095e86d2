//! Datasets that a run leaves out are in nobody's way.

use super::airgap::nodes;
use super::lab::{Lab, options};
use super::scenarios::{done, write};
use packmule::zfs::pool::Dialect;
use packmule::zfs::send::Options;

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
        let (reports, packets) = lab.send("labsrc/home", &options, &["vault"]);
        let failed: Vec<_> = reports.iter().filter(|report| report.result.is_err()).collect();
        assert!(failed.len() == 1 && failed[0].dataset == long(), "{reports:?}");
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
