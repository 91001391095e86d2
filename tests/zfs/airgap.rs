//! The whole way with the binary itself: a laptop, a backup server, sticks in between.

use super::killer::{Killer, WAYS};
use super::lab::Lab;
use super::node::{Node, packmule};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A laptop that sends to a vault, which runs this `zfs`.
pub(crate) fn nodes(lab: &Lab, name: &str, zfs: &str) -> (Node, Node) {
    let handler = format!(
        "exec: {{ zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"labdst/b/laptop\", \
         \"--receipt\", \"zfsreceipt\", \"--zfs\", \"{zfs}\"] }}"
    );
    let receipts = "exec: { zfsreceipt: [\"builtin:zfs-receipt\"] }";
    let place = |node: &str| lab.path().join(name).join(node);
    let (laptop, vault) = (Node::new(place("laptop")), Node::new(place("vault")));
    let sets = "packmule: {\nzfs: {\nsets: {\nmain: {\nto: [\"vault\"]\ndatasets: [\"labsrc/home\"]\nrecursive: true\n}\n}\n}\n}";
    laptop.configure(&[vault.neighbour("vault", receipts)], sets);
    vault.configure(&[laptop.neighbour("laptop", &handler)], "");
    (laptop, vault)
}

/// An empty stick.
fn stick(lab: &Lab, name: &str) -> String {
    let place = lab.path().join(format!("stick-{name}"));
    fs::create_dir_all(&place).unwrap();
    place.display().to_string()
}

/// The backup's files are the source's, as `packmule mtree` sees them.
pub(crate) fn same_tree(lab: &Lab, source: &Path, backup: &str) {
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
    let (laptop, vault) = nodes(lab, "killed", &zfs);
    let stick = stick(lab, "killed");
    let mut homes = Vec::new();
    for (way, how) in WAYS.iter().enumerate() {
        for at in (1..).step_by(lab.stride()) {
            let name = format!("labsrc/{how}{at}");
            let home = lab.create(&name);
            let send = ["zfs", "send", "-quiet", "-keep", "2", "-zfs", &zfs, "vault", &name];
            let mut killed = false;
            // All that there was, also what retention destroyed since.
            let mut made = BTreeMap::new();
            // The first full stream, and a step.
            for round in 0..2 {
                fs::write(home.join(format!("{way}{round}")), name.repeat(20_000)).unwrap();
                killed |= killer.kills(laptop.command(&send), at, how);
                made.extend(lab.guids(&name));
                laptop.ok(&send);
                made.extend(lab.guids(&name));
            }
            homes.push((name, home, made));
            if !killed {
                break;
            }
        }
    }
    assert!(homes.len() > 20 / lab.stride(), "there are stages to be killed at: {}", homes.len());
    carry(&laptop, &vault, &stick);
    let mut stages = 0;
    for how in WAYS {
        for at in (1..20).step_by(lab.stride()) {
            stages += u32::from(killer.kills(vault.command(&["toss", "-quiet"]), at, how));
        }
    }
    assert!(stages as usize > 30 / lab.stride(), "{stages}");
    settle(&vault);
    for (name, home, made) in &homes {
        let backup = format!("labdst/b/laptop/{name}");
        let ours = lab.guids(&backup);
        // A killed run may have made a snapshot before the first that was sent.
        let first = ours.keys().next().unwrap();
        let sent = made.range(first.clone()..).map(|(name, guid)| (name.clone(), guid.clone()));
        assert_eq!(ours, sent.collect(), "{name}");
        assert!(made.range(..first.clone()).count() <= 1, "{name}");
        same_tree(lab, home, &backup);
    }
}

/// Tosses until nothing waits: a killed receive may keep its dataset busy for a moment.
fn settle(vault: &Node) {
    for _ in 0..100 {
        vault.run(&["toss", "-quiet"]);
        let status = vault.run(&["zfs", "status"]);
        if !String::from_utf8_lossy(&status.stdout).contains("packet") {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{}", vault.ok(&["zfs", "status"]));
}

pub(crate) fn by_two_ways(lab: &Lab) {
    let (laptop, vault) = nodes(lab, "two-ways", "zfs");
    let spooler = Node::new(lab.path().join("two-ways/spooler"));
    let handler =
        "exec: { zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"labdst/b/laptop\"] }";
    let neighbours = [laptop.neighbour("laptop", handler), spooler.neighbour("spooler", "")];
    vault.configure(&neighbours, "");
    let home = lab.create("labsrc/home");
    let stick = stick(lab, "two-ways");
    let (direct, relayed) = (vault.received_from(&laptop), vault.received_from(&spooler));
    [&direct, &relayed].iter().for_each(|place| fs::create_dir_all(place).unwrap());
    let names = || -> BTreeSet<_> {
        fs::read_dir(&direct).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    for day in 0..6 {
        fs::write(home.join(format!("day{day}")), "content\n".repeat(3000)).unwrap();
        laptop.ok(&["zfs", "run", "-quiet"]);
        let before = names();
        carry(&laptop, &vault, &stick);
        // Every other one comes by the spooler, the full one too.
        if day % 2 == 0 {
            for name in names().difference(&before) {
                fs::rename(direct.join(name), relayed.join(name)).unwrap();
            }
        }
    }
    vault.ok(&["toss", "-quiet"]);
    assert!(!vault.ok(&["zfs", "status"]).contains("packet"), "one toss applies all");
    assert_eq!(lab.guids("labdst/b/laptop/labsrc/home"), lab.guids("labsrc/home"));
}

pub(crate) fn receipts_come_home(lab: &Lab) {
    let (laptop, vault) = nodes(lab, "receipts", "zfs");
    let home = lab.create("labsrc/home");
    let stick = stick(lab, "receipts");
    let confirmed = || lab.confirmed("labsrc/home");
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
    assert_eq!(confirmed(), format!("@{}", first.0));
    // The stick of the second day is lost; what comes after it waits.
    day(1);
    laptop.ok(&["xfer", "-quiet", "-mkdir", &stick]);
    fs::remove_dir_all(&stick).unwrap();
    fs::create_dir(&stick).unwrap();
    let third = day(2);
    carry(&laptop, &vault, &stick);
    vault.ok(&["toss", "-quiet"]);
    let status = vault.ok(&["zfs", "status"]);
    assert!(status.contains("waits for the snapshot with guid"), "{status}");
    assert!(status.contains("warning: labdst/b/laptop: readonly is off"), "{status}");
    let status = vault.ok(&["zfs", "status", "-json"]);
    assert!(status.contains("\"waiting\"") && status.contains("\"warning\""), "{status}");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(vault.run(&["zfs", "status", "-max-age", "0s"]).status.code(), Some(2));
    laptop.ok(&resend);
    carry(&laptop, &vault, &stick);
    vault.ok(&["toss", "-quiet"]);
    assert!(!vault.ok(&["zfs", "status"]).contains("packet"), "the late step was superseded");
    assert_eq!(lab.newest("labdst/b/laptop/labsrc/home"), third);
    carry(&vault, &laptop, &stick);
    laptop.ok(&["toss", "-quiet"]);
    assert_eq!(confirmed(), format!("@{}", third.0));
    let again = laptop.ok(&resend);
    assert!(again.contains("has the newest snapshot"), "nothing is left to repair: {again}");
    // What was confirmed is held, whatever became of the other mark.
    lab.forget_sent("labsrc/home");
    let went = laptop.ok(&["zfs", "run"]);
    assert!(went.contains("increment"), "{went}");
    // What is said late, or of what was never sent, moves nothing.
    let say_as = |destination: &str, dataset: &str, guid: &str| {
        let text = format!("{{\"dataset\":\"{dataset}\",\"snapshot\":\"s\",\"guid\":{guid}}}\n");
        let file = lab.path().join("receipt");
        fs::write(&file, text).unwrap();
        let mut command = packmule(&["handle", "zfs-receipt", "--destination", destination, "--"]);
        command.stdin(fs::File::open(file).unwrap()).output().unwrap()
    };
    let say = |dataset: &str, guid: &str| say_as("vault", dataset, guid);
    assert!(say("labsrc/home", &first.1).status.success());
    assert!(say("labsrc/home", "77").status.success());
    assert_eq!(confirmed(), format!("@{}", third.0));
    assert!(say("labsrc/gone", &first.1).status.success(), "it was renamed or destroyed");
    assert!(say("labsrc", &first.1).status.success(), "it was made anew, and never sent");
    for (destination, dataset, status, want) in [
        ("mallory", "labsrc/home", 1, "nothing of labsrc/home was sent to mallory"),
        ("vault", "x/y", 75, "the pool x is not imported"),
    ] {
        let refused = say_as(destination, dataset, &third.1);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(status), "{said}");
        assert!(said.contains(want), "{said}");
    }
    same_tree(lab, &home, "labdst/b/laptop/labsrc/home");
}

pub(crate) fn the_handle_command(lab: &Lab) {
    lab.create("labsrc/a");
    lab.zfs(&["snapshot", "labsrc/a@one"]);
    let stream = Command::new("zfs").args(["send", "labsrc/a@one"]).output().unwrap().stdout;
    let (laptop, vault) = nodes(lab, "handle", "zfs");
    let run = |argument: &str| {
        let file = lab.path().join("stream");
        fs::write(&file, &stream).unwrap();
        packmule(&["handle", "zfs-receive", "--into", "labdst/b/laptop", "--host", "laptop", "--"])
            .arg(argument)
            .env("NNCP_SENDER", laptop.id())
            .env("NNCPCFG", vault.config())
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
    let record = ["get", "-H", "-o", "value", "packmule:applied", "labdst/b/laptop/a@one"];
    assert!(lab.zfs(&record).starts_with("laptop,"), "it is known by its name here");
    lab.same("labsrc/a");
}
