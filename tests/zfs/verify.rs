//! Snapshots held against manifests, each in a clone that is gone afterwards.

use super::lab::Lab;
use super::node::{Node, packmule};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Verifies a snapshot of `labsrc/a`, as `packmule handle` does it.
fn handle(manifest: &Path, snapshot: &str) -> Output {
    packmule(&["handle", "mtree-verify", "--tree", "home=labsrc/a", "--zfs-snapshot", "--"])
        .args(["home", snapshot])
        .env("NNCP_SENDER", "laptop")
        .stdin(fs::File::open(manifest).unwrap())
        .output()
        .unwrap()
}

/// A dataset with a good snapshot and one with a damaged file, and the good one's manifest.
fn good_and_bad(lab: &Lab) -> PathBuf {
    let home = lab.create("labsrc/a");
    fs::create_dir(home.join("letters")).unwrap();
    fs::write(home.join("letters/alice"), "Dear Alice").unwrap();
    fs::write(home.join("photo"), vec![7; 300_000]).unwrap();
    let manifest = lab.path().join("manifest");
    let created = packmule(&["mtree", "create", "-output"]).arg(&manifest).arg(&home).output();
    assert!(created.unwrap().status.success());
    lab.zfs(&["snapshot", "labsrc/a@good"]);
    fs::write(home.join("letters/alice"), "Dear alice").unwrap();
    lab.zfs(&["snapshot", "labsrc/a@bad"]);
    manifest
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn no_clone_is_left(lab: &Lab) {
    let list = lab.zfs(&["list", "-H", "-o", "name", "-t", "filesystem"]);
    assert!(!list.contains("packmule-clone"), "{list}");
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains("packmule-clone"), "{mounts}");
}

pub(crate) fn in_a_temporary_clone(lab: &Lab) {
    let manifest = good_and_bad(lab);
    let good = handle(&manifest, "good");
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(text(&good.stdout).contains("objects compared: equal\n"), "{}", text(&good.stdout));
    no_clone_is_left(lab);
    let bad = handle(&manifest, "bad");
    assert!(bad.status.success(), "differences are a report: {}", text(&bad.stderr));
    assert!(text(&bad.stdout).contains("\ncontent ./letters/alice: "), "{}", text(&bad.stdout));
    no_clone_is_left(lab);
    let absent = handle(&manifest, "tomorrow");
    assert_eq!(absent.status.code(), Some(75), "{}", text(&absent.stderr));
    assert!(text(&absent.stderr).contains("does not exist"), "{}", text(&absent.stderr));
    for name in ["../a", "good@bad", "..", ""] {
        assert_eq!(handle(&manifest, name).status.code(), Some(1), "{name}");
    }
    fs::write(&manifest, ". type=dir\n/etc/passwd type=file\n").unwrap();
    assert_eq!(handle(&manifest, "good").status.code(), Some(1));
    no_clone_is_left(lab);
}

pub(crate) fn after_a_crash(lab: &Lab) {
    let manifest = good_and_bad(lab);
    // As a run that was killed leaves it, and with a snapshot that a timer made of it.
    let origin = "labsrc/a@bad";
    lab.zfs(&["clone", "-o", "packmule:clone=on", origin, "labsrc/packmule-clone-a"]);
    lab.zfs(&["snapshot", "labsrc/packmule-clone-a@hourly"]);
    let good = handle(&manifest, "good");
    assert!(text(&good.stdout).contains("objects compared: equal\n"), "{}", text(&good.stderr));
    no_clone_is_left(lab);
    // A dataset that somebody else made is left alone.
    lab.zfs(&["create", "labsrc/packmule-clone-a"]);
    let foreign = handle(&manifest, "good");
    assert_eq!(foreign.status.code(), Some(75));
    assert!(
        text(&foreign.stderr).contains("packmule did not make it"),
        "{}",
        text(&foreign.stderr)
    );
    lab.zfs(&["destroy", "labsrc/packmule-clone-a"]);
}

const HANDLERS: &str = "exec: {\nzfsreceive: [\"builtin:zfs-receive\", \"--into\", \
    \"labdst/b/laptop\"]\nverify: [\"builtin:mtree-verify\", \"--tree\", \
    \"home=labdst/b/laptop/labsrc/home\", \"--zfs-snapshot\", \"--ignore\", \"time\", \
    \"--report-file\", \"reports\"]\n}";

pub(crate) fn across_the_airgap(lab: &Lab) {
    let place = |node: &str| lab.path().join("verify").join(node);
    let (laptop, vault) = (Node::new(place("laptop")), Node::new(place("vault")));
    let sets = "packmule: {\nzfs: {\nsets: {\nmain: {\nto: [\"vault\"]\ndatasets: [\"labsrc/home\"]\n}\n}\n}\n}";
    let incoming = place("laptop").join("incoming");
    fs::create_dir_all(&incoming).unwrap();
    let reports = format!("incoming: {}", incoming.display());
    laptop.configure(&[vault.neighbour("vault", &reports)], sets);
    vault.configure(&[laptop.neighbour("laptop", HANDLERS)], "");

    let home = lab.create("labsrc/home");
    fs::write(home.join("file"), "precious").unwrap();
    laptop.ok(&["zfs", "run", "-quiet"]);
    let guids = lab.guids("labsrc/home");
    let snapshot = guids.keys().next().unwrap().trim_start_matches('@');
    let send = ["mtree", "send", "-snapshot", snapshot, "vault", "verify", "home"];
    let at = home.to_str().unwrap();
    laptop.ok(&[&send[..], &[at]].concat());
    // What the laptop has now is not what the snapshot has.
    fs::write(home.join("file"), "damaged!").unwrap();
    laptop.ok(&[&send[..], &[at]].concat());

    let stick = place("stick");
    fs::create_dir_all(&stick).unwrap();
    let stick = stick.display().to_string();
    laptop.ok(&["xfer", "-quiet", "-mkdir", &stick]);
    vault.ok(&["xfer", "-quiet", &stick]);
    // The manifest is more urgent than the stream: it waits for the next toss if it came first.
    vault.run(&["toss", "-quiet"]);
    vault.ok(&["toss", "-quiet"]);
    no_clone_is_left(lab);
    vault.ok(&["xfer", "-quiet", "-mkdir", &stick]);
    laptop.ok(&["xfer", "-quiet", &stick]);
    laptop.ok(&["toss", "-quiet"]);
    let reports = fs::read_dir(incoming.join("reports")).unwrap();
    let mut reports: Vec<_> =
        reports.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    reports.sort_by_key(|report| report.contains("content ./file: "));
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(reports[0].contains("objects compared: equal\n"), "{reports:?}");
    assert!(reports[1].contains("\ncontent ./file: "), "{reports:?}");
}
