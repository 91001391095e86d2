//! Raw streams: encrypted as on disk, with the keys at the sender.

use super::lab::{Lab, Packets, files, options};
use super::open::{get, packet};
use super::scenarios::{done, write};
use packmule::internal::zfs::decide::{Refusal, Wait};
use packmule::internal::zfs::receive::Outcome;
use packmule::internal::zfs::send::Options;
use std::fs;
use std::path::PathBuf;

const ALLOW: [&str; 2] = ["--allow", "raw"];

fn raw() -> Options {
    Options { raw: true, ..options() }
}

/// An encrypted dataset in the source pool; gives its directory, and where its key is.
fn encrypted(lab: &Lab, name: &str) -> (PathBuf, String) {
    let key = lab.path().join("key");
    fs::write(&key, [7; 32]).unwrap();
    let key = format!("file://{}", key.display());
    let place = lab.path().join(name.replace('/', "_"));
    let mountpoint = format!("mountpoint={}", place.display());
    let location = format!("keylocation={key}");
    let secret = ["-o", "encryption=on", "-o", "keyformat=raw", "-o", &location];
    lab.zfs(&[&["create", "-o", &mountpoint], &secret[..], &[name]].concat());
    (place, key)
}

pub(crate) fn raw_chain(lab: &Lab) {
    let (directory, key) = encrypted(lab, "labsrc/e");
    let mut packets = Packets::new();
    for number in 0..4 {
        write(&directory, &format!("file{number}"), "a secret\n");
        packets.extend(lab.send("labsrc/e", &raw(), &["vault"]).1);
    }
    assert!(packets.iter().all(|(_, _, bytes)| !bytes.windows(8).any(|w| w == b"a secret")));
    let outcomes = lab.toss(&mut packets.clone(), &[]);
    assert!(matches!(outcomes[0].1, Outcome::Reject(Refusal::Kind("raw"))), "{outcomes:?}");
    packets.reverse();
    let mut some = packets.split_off(2);
    done(&lab.toss(&mut some, &ALLOW));
    // Without its key, the sender goes on all the same.
    let mut more = {
        lab.zfs(&["unmount", "labsrc/e"]);
        lab.zfs(&["unload-key", "labsrc/e"]);
        let (dispatches, packets) = lab.send("labsrc/e", &raw(), &["vault"]);
        dispatches.iter().for_each(|dispatch| assert!(dispatch.result.is_ok(), "{dispatch:?}"));
        packets
    };
    more.extend(packets);
    done(&lab.toss(&mut more, &ALLOW));
    lab.same("labsrc/e");
    let backup = "labdst/b/laptop/e";
    assert_eq!(get(lab, "keystatus", backup), "unavailable");
    assert_eq!(get(lab, "readonly", backup), "on");
    assert_eq!(get(lab, "keylocation", backup), "prompt", "the sender's file is not looked at");
    lab.zfs(&["load-key", "-L", &key, backup]);
    lab.zfs(&["load-key", "labsrc/e"]);
    lab.zfs(&["mount", "labsrc/e"]);
    assert_eq!(lab.content("labsrc/e"), files(&directory));
    // Plain streams of the same dataset need the key, and say so; nothing is queued.
    lab.zfs(&["unmount", "labsrc/e"]);
    lab.zfs(&["unload-key", "labsrc/e"]);
    let (dispatches, packets) = lab.send("labsrc/e", &options(), &["other"]);
    assert!(packets.is_empty() && dispatches[0].result.is_err(), "{dispatches:?}");
}

pub(crate) fn raw_does_not_mix(lab: &Lab) {
    let (directory, key) = encrypted(lab, "labsrc/e");
    let (_, mut packets) = lab.send("labsrc/e", &raw(), &["vault"]);
    done(&lab.toss(&mut packets, &ALLOW));
    let backup = "labdst/b/laptop/e";
    // A snapshot of our own is in the way of a raw step, though nothing was written.
    lab.zfs(&["snapshot", &format!("{backup}@mine")]);
    write(&directory, "more", "more\n");
    let (_, mut packets) = lab.send("labsrc/e", &raw(), &["vault"]);
    let outcomes = lab.toss(&mut packets, &ALLOW);
    let Outcome::Reject(refusal @ Refusal::LocalSnapshot(_)) = &outcomes[0].1 else {
        panic!("{outcomes:?}")
    };
    assert!(refusal.to_string().ends_with(&format!(": zfs destroy {backup}@mine")), "{refusal}");
    lab.zfs(&["destroy", &format!("{backup}@mine")]);
    done(&lab.toss(&mut packets, &ALLOW));
    // The sender does not leave its chain by itself.
    let (dispatches, none) = lab.send("labsrc/e", &options(), &["vault"]);
    let refused = dispatches[0].result.as_ref().unwrap_err().to_string();
    assert!(none.is_empty() && refused.contains("sent raw so far"), "{refused}");
    // A plain step onto raw ones waits for the key.
    let step = |kind: &[&str], from: &str, to: &str| {
        lab.zfs(&["snapshot", to]);
        packet(&[kind, &["-i", from, to]].concat(), "labsrc/e")
    };
    let base = lab.guids(backup).into_keys().next_back().unwrap();
    let mut plain = step(&[], &format!("labsrc/e{base}"), "labsrc/e@plain");
    let outcomes = lab.toss(&mut plain, &ALLOW);
    let Outcome::Defer(wait) = &outcomes[0].1 else { panic!("{outcomes:?}") };
    assert!(wait.needs_person() && wait.to_string().contains("key"), "{wait}");
    lab.zfs(&["load-key", "-L", &key, backup]);
    done(&lab.toss(&mut plain, &ALLOW));
    // And then no raw step fits any more.
    let mut packets = step(&["-w"], "labsrc/e@plain", "labsrc/e@raw");
    let outcomes = lab.toss(&mut packets, &ALLOW);
    assert!(matches!(outcomes[0].1, Outcome::Reject(Refusal::Zfs(_))), "{outcomes:?}");
    assert_eq!(packets.len(), 1);
}

/// An encrypted tree, sent raw: the parent's packet, and those of what is below it.
fn tree(lab: &Lab) -> (Packets, Packets) {
    let (directory, _) = encrypted(lab, "labsrc/home");
    write(&directory, "file", "of the parent\n");
    for name in ["labsrc/home/anna", "labsrc/home/bob"] {
        lab.zfs(&["create", name]);
    }
    let options = Options { recursive: true, ..raw() };
    let (_, mut packets) = lab.send("labsrc/home", &options, &["vault"]);
    assert_eq!(packets.len(), 3);
    let parent = vec![packets.remove(0)];
    assert_eq!(parent[0].1, "labsrc/home");
    (parent, packets)
}

fn is_settled(lab: &Lab) {
    lab.same("labsrc/home");
    let left = lab.zfs(&["list", "-H", "-o", "name", "-r", "labdst/b"]);
    assert!(!left.contains("packmule-"), "nothing is left beside it: {left}");
    let marks = lab.zfs(&["get", "-H", "-r", "-o", "value", "packmule:placeholder", "labdst/b"]);
    assert!(!marks.contains("on"), "no placeholder is left");
    let options = Options { recursive: true, ..raw() };
    let (_, mut packets) = lab.send("labsrc/home", &options, &["vault"]);
    packets.reverse();
    done(&lab.toss(&mut packets, &ALLOW));
    lab.same("labsrc/home");
}

pub(crate) fn over_placeholder(lab: &Lab) {
    let (mut parent, mut children) = tree(lab);
    children.reverse();
    done(&lab.toss(&mut children, &ALLOW));
    assert_eq!(get(lab, "packmule:placeholder", "labdst/b/laptop/home"), "on");
    done(&lab.toss(&mut parent, &ALLOW));
    is_settled(lab);
}

/// Every state that a kill can leave is made by hand, and the packet comes again.
pub(crate) fn over_placeholder_killed(lab: &Lab) {
    for stage in 0..4 {
        lab.clean();
        let (mut parent, mut children) = tree(lab);
        done(&lab.toss(&mut children, &ALLOW));
        let target = "labdst/b/laptop/home";
        let guid: u64 = get(lab, "guid", &newest(lab)).parse().unwrap();
        let side = format!("{target}:packmule-{guid:016x}");
        let stream = lab.path().join("stream");
        fs::write(&stream, &parent[0].2).unwrap();
        let receive = format!("zfs receive -u -o readonly=on {side} < {}", stream.display());
        super::lab::run("sh", &["-c", &receive]);
        if stage > 0 {
            lab.zfs(&["rename", "-u", &format!("{target}/anna"), &format!("{side}/anna")]);
        }
        if stage > 1 {
            lab.zfs(&["rename", "-u", &format!("{target}/bob"), &format!("{side}/bob")]);
        }
        if stage > 2 {
            lab.zfs(&["destroy", target]);
        }
        done(&lab.toss(&mut parent, &ALLOW));
        is_settled(lab);
    }
}

fn newest(lab: &Lab) -> String {
    let name = lab.guids("labsrc/home").into_keys().find(|name| name.starts_with('@')).unwrap();
    format!("labsrc/home{name}")
}

pub(crate) fn locked_parent(lab: &Lab) {
    let (_, key) = encrypted(lab, "labsrc/e");
    let (_, mut packets) = lab.send("labsrc/e", &raw(), &["vault"]);
    done(&lab.toss(&mut packets, &ALLOW));
    lab.create("labsrc/plain");
    let (_, packets) = lab.send("labsrc/plain", &options(), &["vault"]);
    let below = |(to, _, bytes)| (to, "labsrc/e/plain".to_owned(), bytes);
    let mut packets: Packets = packets.into_iter().map(below).collect();
    let outcomes = lab.toss(&mut packets, &[]);
    let Outcome::Defer(wait @ Wait::Zfs(_)) = &outcomes[0].1 else { panic!("{outcomes:?}") };
    assert!(wait.needs_person(), "{wait}");
    lab.zfs(&["load-key", "-L", &key, "labdst/b/laptop/e"]);
    done(&lab.toss(&mut packets, &[]));
}
