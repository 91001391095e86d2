//! The whole way with the binary itself: a laptop, a spooler, a backup server, sticks in between.

use super::killer::{Killer, WAYS};
use super::lab::Lab;
use super::node::{Node, packmule};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A laptop that sends to the vault, directly or over a spooler.
fn nodes(lab: &Lab, name: &str, over_spooler: bool) -> (Node, Node, Node) {
    nodes_with(lab, name, over_spooler, "zfs")
}

/// The vault runs this `zfs`.
fn nodes_with(lab: &Lab, name: &str, over_spooler: bool, zfs: &str) -> (Node, Node, Node) {
    let handler = format!(
        "exec: {{ zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"labdst/b/laptop\", \
         \"--receipt\", \"zfsreceipt\", \"--zfs\", \"{zfs}\"] }}"
    );
    let receipts = "exec: { zfsreceipt: [\"builtin:zfs-receipt\"] }";
    let place = |node: &str| lab.path().join(name).join(node);
    let nodes =
        (Node::new(place("laptop")), Node::new(place("spooler")), Node::new(place("vault")));
    let (laptop, spooler, vault) = &nodes;
    let via = if over_spooler { "via: [\"spooler\"]\n" } else { "" };
    let vault_at_laptop = vault.neighbour("vault", &format!("{via}{receipts}"));
    let sets = "packmule: {\nzfs: {\nsets: {\nmain: {\nto: [\"vault\"]\ndatasets: [\"labsrc/home\"]\nrecursive: true\n}\n}\n}\n}";
    laptop.configure(&[spooler.neighbour("spooler", ""), vault_at_laptop], sets);
    spooler.configure(&[laptop.neighbour("laptop", ""), vault.neighbour("vault", "")], "");
    vault.configure(&[laptop.neighbour("laptop", &handler), spooler.neighbour("spooler", "")], "");
    nodes
}

fn backups_are_the_source(lab: &Lab) {
    let backup = lab.guids("labdst/b/laptop/labsrc/home");
    assert_eq!(backup, lab.guids("labsrc/home"));
}

/// An empty stick.
fn stick(lab: &Lab, name: &str) -> String {
    let place = lab.path().join(format!("stick-{name}"));
    fs::create_dir_all(&place).unwrap();
    place.display().to_string()
}

pub(crate) fn from_an_empty_pool_to_verified_snapshots(lab: &Lab) {
    let (laptop, spooler, vault) = nodes(lab, "airgap", true);
    let home = lab.create("labsrc/home");
    lab.create("labsrc/home/anna");
    let stick = |number: &str| stick(lab, number);
    for day in 0..3 {
        fs::write(home.join(format!("day{day}")), format!("day {day}\n").repeat(3000)).unwrap();
        laptop.ok(&["zfs", "run", "-quiet"]);
        let (first, second) = (stick(&format!("{day}a")), stick(&format!("{day}b")));
        laptop.ok(&["xfer", "-quiet", "-mkdir", &first]);
        spooler.ok(&["xfer", "-quiet", &first]);
        spooler.ok(&["toss", "-quiet"]);
        spooler.ok(&["xfer", "-quiet", "-mkdir", &second]);
        vault.ok(&["xfer", "-quiet", &second]);
        let status = vault.ok(&["zfs", "status", "-json"]);
        assert!(status.contains("\"waiting\""), "{status}");
        vault.ok(&["toss", "-quiet"]);
        backups_are_the_source(lab);
    }
    let status = vault.ok(&["zfs", "status", "-max-age", "1h"]);
    assert_eq!(status.lines().count(), 2, "{status}");
    assert!(!status.contains("packet"), "nothing waits: {status}");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(vault.run(&["zfs", "status", "-max-age", "0s"]).status.code(), Some(2));
    same_tree(lab, &home, "labdst/b/laptop/labsrc/home");
}

/// The backup's files are the source's, as `packmule mtree` sees them.
fn same_tree(lab: &Lab, source: &Path, backup: &str) {
    let manifest = lab.path().join("manifest");
    let create = packmule(&["mtree", "create", "-keywords", "type,size,mode,uid,gid,sha256"])
        .arg(source)
        .output()
        .unwrap();
    assert!(create.status.success(), "{}", String::from_utf8_lossy(&create.stderr));
    fs::write(&manifest, create.stdout).unwrap();
    let place = lab.path().join("restored");
    lab.zfs(&["set", "canmount=on", backup]);
    // Children can not be mounted below a read-only parent, which is no matter here.
    let _ = lab.zfs.ask(&["set", &format!("mountpoint={}", place.display()), backup]);
    let _ = lab.zfs.ask(&["mount", backup]);
    let verify = packmule(&["mtree", "verify"]).arg(&manifest).arg(&place).output().unwrap();
    lab.zfs(&["set", "mountpoint=none", backup]);
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
}

/// Everything that one node has for another goes there, on a stick.
fn carry(from: &Node, to: &Node, stick: &str) {
    from.ok(&["xfer", "-quiet", "-mkdir", stick]);
    to.ok(&["xfer", "-quiet", stick]);
}

pub(crate) fn killed_at_every_stage(lab: &Lab) {
    let killer = Killer::new(lab.path().join("killer"));
    let zfs = killer.zfs();
    let (laptop, _, vault) = nodes_with(lab, "killed", false, &zfs);
    let stick = stick(lab, "killed");
    let mut homes = Vec::new();
    for (way, how) in WAYS.iter().enumerate() {
        for at in 1.. {
            let name = format!("labsrc/{how}{at}");
            let home = lab.create(&name);
            let send = ["zfs", "send", "-quiet", "-keep", "2", "-zfs", &zfs, "vault", &name];
            let mut killed = false;
            // The first full stream, and a step.
            for round in 0..2 {
                fs::write(home.join(format!("{way}{round}")), name.repeat(20_000)).unwrap();
                killed |= killer.kills(laptop.command(&send), at, how);
                laptop.ok(&send);
            }
            homes.push((name, home));
            if !killed {
                break;
            }
        }
    }
    assert!(homes.len() > 20, "there are stages to be killed at: {}", homes.len());
    carry(&laptop, &vault, &stick);
    let mut stages = 0;
    for how in WAYS {
        for at in 1..20 {
            stages += u32::from(killer.kills(vault.command(&["toss", "-quiet"]), at, how));
        }
    }
    assert!(stages > 30, "{stages}");
    settle(&vault);
    for (name, home) in &homes {
        let backup = format!("labdst/b/laptop/{name}");
        let (ours, theirs) = (lab.guids(&backup), lab.guids(name));
        assert_eq!(ours.iter().next_back(), theirs.iter().next_back(), "{name}");
        let (last, _) = homes.last().unwrap();
        if name == last {
            same_tree(lab, home, &backup);
        }
    }
}

/// Tosses until nothing waits: a killed receive may keep its dataset busy for a moment.
fn settle(vault: &Node) {
    for _ in 0..100 {
        vault.run(&["toss", "-quiet"]);
        if !vault.ok(&["zfs", "status"]).contains("packet") {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{}", vault.ok(&["zfs", "status"]));
}

pub(crate) fn receipts_come_home(lab: &Lab) {
    let (laptop, _, vault) = nodes(lab, "receipts", false);
    let home = lab.create("labsrc/home");
    let stick = stick(lab, "receipts");
    let confirmed = || {
        let get = ["get", "-H", "-r", "-o", "name", "-s", "local", "packmule:confirmed"];
        lab.zfs(&[&get[..], &["labsrc/home"]].concat())
    };
    let day = |number: u32| {
        fs::write(home.join(format!("day{number}")), "content\n".repeat(3000)).unwrap();
        laptop.ok(&["zfs", "run", "-quiet"]);
        lab.newest("labsrc/home")
    };
    let resend = ["zfs", "resend", "-quiet", "-from", "last-applied", "vault", "labsrc/home"];
    let first = day(0);
    assert_eq!(laptop.run(&resend).status.code(), Some(1), "nothing was confirmed yet");
    carry(&laptop, &vault, &stick);
    vault.ok(&["toss", "-quiet"]);
    carry(&vault, &laptop, &stick);
    laptop.ok(&["toss", "-quiet"]);
    assert_eq!(confirmed(), format!("labsrc/home@{}\n", first.0));
    // The stick of the second day is lost; what comes after it waits.
    day(1);
    laptop.ok(&["xfer", "-quiet", "-mkdir", &stick]);
    fs::remove_dir_all(&stick).unwrap();
    fs::create_dir(&stick).unwrap();
    let third = day(2);
    carry(&laptop, &vault, &stick);
    vault.ok(&["toss", "-quiet"]);
    assert!(vault.ok(&["zfs", "status"]).contains("waits for the snapshot with guid"));
    laptop.ok(&resend);
    carry(&laptop, &vault, &stick);
    vault.ok(&["toss", "-quiet"]);
    assert!(!vault.ok(&["zfs", "status"]).contains("packet"), "the late step was superseded");
    assert_eq!(lab.newest("labdst/b/laptop/labsrc/home"), third);
    carry(&vault, &laptop, &stick);
    laptop.ok(&["toss", "-quiet"]);
    assert_eq!(confirmed(), format!("labsrc/home@{}\n", third.0));
    // What is said late, or of what was never sent, moves nothing.
    let say = |dataset: &str, guid: &str| {
        let text = format!("{{\"dataset\":\"{dataset}\",\"snapshot\":\"s\",\"guid\":{guid}}}\n");
        let file = lab.path().join("receipt");
        fs::write(&file, text).unwrap();
        let mut command = packmule(&["handle", "zfs-receipt", "--destination", "vault", "--"]);
        command.stdin(fs::File::open(file).unwrap()).output().unwrap()
    };
    assert!(say("labsrc/home", &first.1).status.success());
    assert!(say("labsrc/home", "77").status.success());
    assert_eq!(confirmed(), format!("labsrc/home@{}\n", third.0));
    for (dataset, want) in [("labsrc", "nothing of labsrc was sent to vault"), ("x/y", "does not")]
    {
        let refused = say(dataset, &first.1);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(want), "{said}");
    }
    same_tree(lab, &home, "labdst/b/laptop/labsrc/home");
}

pub(crate) fn the_handle_command(lab: &Lab) {
    lab.create("labsrc/a");
    lab.zfs(&["snapshot", "labsrc/a@one"]);
    let stream = Command::new("zfs").args(["send", "labsrc/a@one"]).output().unwrap().stdout;
    let run = |argument: &str| {
        let file = lab.path().join("stream");
        fs::write(&file, &stream).unwrap();
        packmule(&["handle", "zfs-receive", "--into", "labdst/b/laptop", "--host", "laptop", "--"])
            .arg(argument)
            .env("NNCP_SENDER", "laptop")
            .stdin(fs::File::open(file).unwrap())
            .output()
            .unwrap()
    };
    let refused = run("server/a");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not below laptop"));
    let done = run("laptop/a");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("applied labdst/b/laptop/a@one"));
    assert!(run("laptop/a").status.success(), "a duplicate is as good as done");
    lab.same("labsrc/a");
}
