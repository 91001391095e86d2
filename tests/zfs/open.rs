//! What only OpenZFS can play: kinds of stream and properties that zfs-fuse does not know.

use super::lab::{Lab, Packets, files, options, run};
use super::scenarios::{Scenario, chain, done, step, write};
use super::{delegation, dump, raw};
use packmule::internal::zfs::decide::{Refusal, Wait};
use packmule::internal::zfs::receive::Outcome;
use packmule::internal::zfs::send::{Options, Source};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// All of it.
pub(crate) const ALL: &[Scenario] = &[
    ("raw streams, full and increments, readable with the key", raw::raw_chain),
    ("raw and plain increments do not mix, nor raw with local snapshots", raw::raw_does_not_mix),
    ("a raw parent takes its placeholder's place", raw::over_placeholder),
    ("a raw parent killed on the way to its place gets there", raw::over_placeholder_killed),
    ("a plain stream below a locked parent waits for the key", raw::locked_parent),
    ("compressed, large and embedded blocks", blocks),
    ("properties set and left out, for file systems", properties),
    ("volumes, where allowed", volumes),
    ("a tree as one package, again and further", tree_package),
    ("bookmarks are bases when every snapshot is gone", bookmarks),
    ("somebody's hold does not stop a run", holds),
    ("an interrupted resumable receive is told, and dropped where that is allowed", partial_state),
    ("a resuming stream goes only where it fits", resuming),
    ("a receive in progress is waited for", busy),
    ("no space and no feature are told by name", quota_and_feature),
    ("a user without root receives by delegation, as far as it goes", delegation::receive),
    ("a user without root sends by delegation", delegation::send),
];

/// What is to be played after everything else.
pub(crate) const LAST: &[Scenario] = &[("the walker sees what zstream sees", zstream)];

pub(crate) fn get(lab: &Lab, property: &str, dataset: &str) -> String {
    lab.zfs(&["get", "-Hp", "-o", "value", property, dataset]).trim().to_owned()
}

/// What `zfs send` with these words writes, as a packet for this dataset.
pub(crate) fn packet(words: &[&str], dataset: &str) -> Packets {
    let stream = run("zfs", &[&["send"], words].concat());
    dump::keep(&stream);
    vec![(String::new(), dataset.to_owned(), stream)]
}

fn blocks(lab: &Lab) {
    for (number, compression) in ["lz4", "zstd", "off"].into_iter().enumerate() {
        let name = format!("labsrc/b{number}");
        let directory = lab.create(&name);
        lab.zfs(&["set", "recordsize=1M", &name]);
        lab.zfs(&["set", &format!("compression={compression}"), &name]);
        write(&directory, "large", &"a line of text\n".repeat(80));
        fs::write(directory.join("tiny"), "x".repeat(60)).unwrap();
        let all = Options { compressed: true, large_blocks: true, embedded: true, ..options() };
        let (_, mut packets) = lab.send(&name, &all, &["vault"]);
        fs::write(directory.join("more"), "y".repeat(100_000)).unwrap();
        packets.extend(lab.send(&name, &all, &["vault"]).1);
        done(&lab.toss(&mut packets, &[]));
        lab.same(&name);
        assert_eq!(lab.content(&name), files(&directory));
        // A chain of large blocks must stay one.
        let (dispatches, none) = lab.send(&name, &options(), &["vault"]);
        let refused = dispatches[0].result.as_ref().unwrap_err().to_string();
        assert!(none.is_empty() && refused.contains("large blocks so far"), "{refused}");
        let base = lab.guids(&format!("labdst/b/laptop/b{number}"));
        let base = format!("{name}{}", base.keys().next_back().unwrap());
        lab.zfs(&["snapshot", &format!("{name}@small")]);
        let mut packets = packet(&["-i", &base, &format!("{name}@small")], &name);
        let outcomes = lab.toss(&mut packets, &[]);
        let Outcome::Reject(Refusal::Zfs(said)) = &outcomes[0].1 else { panic!("{outcomes:?}") };
        assert!(said.contains("requires -L"), "{said}");
    }
}

fn properties(lab: &Lab) {
    let mut packets = chain(lab, "a", 1);
    let words = ["-o", "canmount=noauto", "-o", "compression=zstd", "-x", "atime"];
    done(&lab.toss(&mut packets, &words));
    let backup = "labdst/b/laptop/a";
    let property =
        |name: &str| lab.zfs(&["get", "-H", "-o", "value,source", name, backup]).trim().to_owned();
    assert_eq!(property("canmount"), "noauto\tlocal");
    assert_eq!(property("compression"), "zstd\tlocal");
    assert_eq!(property("readonly"), "on\tlocal");
    lab.same("labsrc/a");
    // Where the configuration wants it writable, that is what it is checked for.
    let mut packets = chain(lab, "w", 0);
    done(&lab.toss(&mut packets, &["-o", "readonly=off"]));
    assert_eq!(get(lab, "readonly", "labdst/b/laptop/w"), "off");
    // The name of a property that is none: zfs says no, and the packet stays.
    let mut packets = chain(lab, "n", 0);
    let outcomes = lab.toss(&mut packets, &["-o", "nonsense=on"]);
    let Outcome::Defer(Wait::Zfs(_)) = &outcomes[0].1 else { panic!("{outcomes:?}") };
    assert_eq!(packets.len(), 1);
}

fn volumes(lab: &Lab) {
    lab.zfs(&["create", "-V", "8M", "labsrc/disk"]);
    let device = newest_device();
    fs::write(&device, b"a file system of another kind".repeat(4096)).unwrap();
    let mut packets = step(lab, "labsrc/disk");
    fs::write(&device, b"and then it changed".repeat(4096)).unwrap();
    packets.extend(step(lab, "labsrc/disk"));
    let outcomes = lab.toss(&mut packets.clone(), &[]);
    assert!(matches!(outcomes[0].1, Outcome::Reject(Refusal::Kind("volume"))), "{outcomes:?}");
    // What does not fit a volume is not asked of it.
    let words = ["--allow", "volume", "-o", "canmount=off", "-x", "mountpoint"];
    done(&lab.toss(&mut packets, &words));
    lab.same("labsrc/disk");
    assert_eq!(get(lab, "type", "labdst/b/laptop/disk"), "volume");
    assert_eq!(get(lab, "readonly", "labdst/b/laptop/disk"), "on");
    assert_eq!(fs::read(newest_device()).unwrap(), fs::read(&device).unwrap());
    // Nothing may lie below a volume.
    lab.create("labsrc/x");
    let mut below = packet_of(step(lab, "labsrc/x"), "labsrc/disk/x");
    let outcomes = lab.toss(&mut below, &["--allow", "volume"]);
    assert!(matches!(outcomes[0].1, Outcome::Reject(Refusal::Name(_))), "{outcomes:?}");
}

fn packet_of(packets: Packets, dataset: &str) -> Packets {
    packets.into_iter().map(|(to, _, bytes)| (to, dataset.to_owned(), bytes)).collect()
}

/// The device of the volume that was made last. It appears a moment after its volume.
fn newest_device() -> std::path::PathBuf {
    let count = fs::read_to_string("/proc/partitions").unwrap();
    let known = count.lines().filter(|line| line.contains(" zd")).count();
    for _ in 0..100 {
        let partitions = fs::read_to_string("/proc/partitions").unwrap();
        let mut devices: Vec<_> = partitions
            .lines()
            .filter_map(|line| line.split_whitespace().last()?.strip_prefix("zd")?.parse().ok())
            .collect();
        devices.sort_unstable();
        if let Some(last) = devices.last().copied().filter(|_| devices.len() >= known.max(1)) {
            let _: u32 = last;
            return format!("/dev/zd{last}").into();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no volume has a device")
}

fn tree_package(lab: &Lab) {
    let directory = lab.create("labsrc/t");
    lab.create("labsrc/t/child");
    lab.zfs(&["create", "-V", "4M", "labsrc/t/disk"]);
    lab.zfs(&["set", "org.example:note=hostile", "labsrc/t"]);
    lab.zfs(&["set", "quota=100M", "labsrc/t"]);
    lab.zfs(&["snapshot", "-r", "labsrc/t@one"]);
    write(&directory, "x", "x");
    lab.zfs(&["snapshot", "-r", "labsrc/t@two"]);
    lab.zfs(&["hold", "forever", "labsrc/t@two"]);
    let allow = ["--allow", "package,volume"];
    let full = packet(&["-R", "-h", "labsrc/t@two"], "labsrc/t");
    done(&lab.toss(&mut full.clone(), &allow));
    lab.same("labsrc/t");
    let backup = "labdst/b/laptop/t";
    assert_eq!(get(lab, "org.example:note", backup), "-");
    assert_eq!(get(lab, "quota", backup), "0");
    assert_eq!(lab.zfs(&["holds", "-H", &format!("{backup}@two")]), "");
    assert!(get(lab, "mountpoint", backup).contains("none"));
    let again = lab.toss(&mut full.clone(), &allow);
    assert!(matches!(again[0].1, Outcome::Duplicate(_)), "{again:?}");
    lab.zfs(&["rename", "-r", "labsrc/t@one", "first"]);
    lab.zfs(&["snapshot", "-r", "labsrc/t@three"]);
    let mut more = packet(&["-R", "-I", "labsrc/t@first", "labsrc/t@three"], "labsrc/t");
    done(&lab.toss(&mut more, &allow));
    let backup = lab.guids(backup);
    assert!(backup.contains_key("/child@three") && backup.contains_key("@one"), "not renamed");
}

fn bookmarks(lab: &Lab) {
    let directory = lab.create("labsrc/a");
    let mut packets = step(lab, "labsrc/a");
    done(&lab.toss(&mut packets, &[]));
    for round in 0..3 {
        for name in lab.guids("labsrc/a").keys() {
            lab.zfs(&["destroy", &format!("labsrc/a{name}")]);
        }
        write(&directory, &format!("file{round}"), "more\n");
        let (dispatches, mut packets) = lab.send("labsrc/a", &options(), &["vault"]);
        let sent = dispatches[0].result.as_ref().unwrap().as_ref().unwrap();
        assert_ne!(sent.from_guid, 0, "from the bookmark");
        done(&lab.toss(&mut packets, &[]));
    }
    assert_eq!(lab.guids("labdst/b/laptop/a").len(), 4);
    assert_eq!(lab.content("labsrc/a"), files(&directory));
    // A resend from what is only a bookmark by now.
    let first =
        lab.zfs(&["list", "-Hp", "-t", "bookmark", "-o", "guid", "-s", "createtxg", "labsrc/a"]);
    let first = first.lines().next().unwrap().parse().unwrap();
    let mut repair = lab.resend("labsrc/a", &options(), &Source::Guids(vec![first]));
    let outcomes = lab.toss(&mut repair, &[]);
    assert!(matches!(outcomes[0].1, Outcome::Duplicate(_)), "{outcomes:?}");
}

fn holds(lab: &Lab) {
    lab.create("labsrc/a");
    let keep = Options { keep: Some(1), ..options() };
    let (_, mut packets) = lab.send("labsrc/a", &keep, &["vault"]);
    let first = lab.guids("labsrc/a").into_keys().next().unwrap();
    lab.zfs(&["hold", "mine", &format!("labsrc/a{first}")]);
    for _ in 0..2 {
        let (dispatches, more) = lab.send("labsrc/a", &keep, &["vault"]);
        dispatches.iter().for_each(|dispatch| assert!(dispatch.result.is_ok(), "{dispatch:?}"));
        packets.extend(more);
    }
    let left = lab.guids("labsrc/a");
    assert_eq!(left.len(), 2, "the held one and the newest: {left:?}");
    assert!(left.contains_key(&first));
    done(&lab.toss(&mut packets, &[]));
}

/// Half a stream into `zfs receive -s`, as a connection that broke leaves it.
fn interrupted(stream: &[u8], target: &str) {
    let mut child = Command::new("zfs")
        .args(["receive", "-s", "-u", target])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&stream[..stream.len() / 2]).unwrap();
    assert!(!child.wait().unwrap().success());
}

/// A chain of a full stream and an increment, both large enough to be interrupted.
fn large_chain(lab: &Lab) -> Packets {
    let directory = lab.create("labsrc/a");
    lab.zfs(&["set", "compression=off", "labsrc/a"]);
    let mut packets = Packets::new();
    for number in 0..2_u8 {
        fs::write(directory.join(format!("file{number}")), vec![number; 4 << 20]).unwrap();
        packets.extend(step(lab, "labsrc/a"));
    }
    packets
}

fn partial_state(lab: &Lab) {
    let packets = large_chain(lab);
    let target = "labdst/b/laptop/a";
    for number in 0..2 {
        interrupted(&packets[number].2, target);
        assert_ne!(get(lab, "receive_resume_token", target), "-");
        let mut waiting = packets[..=number].to_vec();
        let outcomes = lab.toss(&mut waiting, &[]);
        let partial = |(_, outcome): &(String, Outcome)| matches!(outcome, Outcome::Defer(wait @ Wait::PartialState) if wait.needs_person());
        assert!(outcomes.iter().any(partial), "it is told: {outcomes:?}");
        assert_ne!(get(lab, "receive_resume_token", target), "-", "and left as it is");
        for (_, outcome) in lab.toss(&mut waiting, &["--drop-partial"]) {
            assert!(matches!(outcome, Outcome::Done(_) | Outcome::Duplicate(_)), "{outcome:?}");
        }
        assert!(waiting.is_empty());
        assert_eq!(get(lab, "receive_resume_token", target), "-");
    }
    lab.same("labsrc/a");
    assert_eq!(lab.content("labsrc/a"), files(&lab.path().join("labsrc_a")));
}

fn resuming(lab: &Lab) {
    let packets = large_chain(lab);
    let target = "labdst/b/laptop/a";
    let allow = ["--allow", "resuming"];
    for number in 0..2 {
        interrupted(&packets[number].2, target);
        let token = get(lab, "receive_resume_token", target);
        let rest = packet(&["-t", &token], "labsrc/a");
        assert!(rest[0].2.len() < packets[number].2.len());
        let outcomes = lab.toss(&mut rest.clone(), &[]);
        let refused = matches!(outcomes[0].1, Outcome::Reject(Refusal::Kind("resuming")));
        assert!(refused, "{outcomes:?}");
        // The rest of something else, while there is something to resume.
        if number == 1 {
            lab.zfs(&["receive", "-A", target]);
            let quarter = &packets[1].2[..packets[1].2.len() / 2];
            interrupted(quarter, target);
            let outcomes = lab.toss(&mut rest.clone(), &allow);
            assert!(!matches!(outcomes[0].1, Outcome::Done(_)), "{outcomes:?}");
            // A receive that begins and fails may take the state along.
            let _ = lab.zfs.ask(&["receive", "-A", target]);
            interrupted(&packets[1].2, target);
        }
        done(&lab.toss(&mut rest.clone(), &allow));
        let again = lab.toss(&mut rest.clone(), &allow);
        assert!(matches!(again[0].1, Outcome::Duplicate(_)), "{again:?}");
        let elsewhere = &mut packet_of(rest, "labsrc/elsewhere");
        let outcomes = lab.toss(elsewhere, &allow);
        let refused = matches!(outcomes[0].1, Outcome::Reject(Refusal::NothingToResume));
        assert!(refused, "{outcomes:?}");
    }
    lab.same("labsrc/a");
    assert_eq!(lab.content("labsrc/a"), files(&lab.path().join("labsrc_a")));
}

fn busy(lab: &Lab) {
    let packets = large_chain(lab);
    let target = "labdst/b/laptop/a";
    for packet in &packets {
        let mut child = Command::new("zfs")
            .args(["receive", "-u", target])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&packet.2[..packet.2.len() / 2]).unwrap();
        let mut waiting = vec![packet.clone()];
        let outcomes = lab.toss(&mut waiting, &[]);
        let waits = matches!(outcomes[0].1, Outcome::Defer(Wait::Busy | Wait::Empty(_)));
        assert!(waits, "{outcomes:?}");
        drop(stdin);
        child.wait().unwrap();
        done(&lab.toss(&mut waiting, &[]));
    }
    lab.same("labsrc/a");
}

fn quota_and_feature(lab: &Lab) {
    let directory = lab.create("labsrc/a");
    // What no compression at the receiver makes smaller.
    let noise = std::iter::successors(Some(1_u32), |word| {
        Some(word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    });
    let noise: Vec<u8> = noise.map(|word| (word >> 24) as u8).take(16 << 20).collect();
    fs::write(directory.join("file"), noise).unwrap();
    let mut waiting = step(lab, "labsrc/a");
    lab.zfs(&["set", "quota=2M", "labdst/b/laptop"]);
    let outcomes = lab.toss(&mut waiting, &[]);
    let Outcome::Defer(wait) = &outcomes[0].1 else { panic!("{outcomes:?}") };
    assert!(wait.needs_person() && wait.to_string().contains("quota"), "{wait}");
    lab.zfs(&["set", "quota=none", "labdst/b/laptop"]);
    done(&lab.toss(&mut waiting, &[]));
    // A pool without any feature.
    let image = lab.path().join("labold.img");
    fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
    let image = image.display().to_string();
    run("zpool", &["create", "-f", "-d", "-O", "mountpoint=none", "labold", &image]);
    let directory = lab.create("labsrc/large");
    lab.zfs(&["set", "recordsize=1M", "labsrc/large"]);
    fs::write(directory.join("x"), vec![1; 3 << 20]).unwrap();
    let large = Options { large_blocks: true, ..options() };
    let (_, mut packets) = lab.send("labsrc/large", &large, &["vault"]);
    let outcomes = lab.toss(&mut packets, &["--into", "labold"]);
    run("zpool", &["destroy", "-f", "labold"]);
    let Outcome::Reject(Refusal::Zfs(said)) = &outcomes[0].1 else { panic!("{outcomes:?}") };
    assert!(said.contains("pool must be upgraded"), "{said}");
}

fn zstream(lab: &Lab) {
    step_of_each_kind(lab);
    dump::agree();
}

/// So that this scenario sees some streams when it is played alone, too.
fn step_of_each_kind(lab: &Lab) {
    chain(lab, "a", 1);
    packet(&["-R", &format!("labsrc/a{}", lab.guids("labsrc/a").keys().next_back().unwrap())], "");
}
