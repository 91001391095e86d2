//! What `packmule zfs status` advises, followed to the letter: it ends well each time.

use super::airgap::nodes;
use super::lab::Lab;
use super::node::Node;
use super::scenarios::Scenario;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) const ALL: &[Scenario] = &[
    ("advice: the newest snapshot of a backup was destroyed", newest_destroyed),
    ("advice: all snapshots of a backup were destroyed", all_destroyed),
    ("advice: a backup was written to", written_to),
    ("advice: the sender was restored from an old copy", restored),
    ("advice: a dataset took the name of another", name_taken),
    ("advice: a dataset was made anew, by a clock in the past", made_anew),
];

const HOME: &str = "labsrc/home";
const BACKUP: &str = "labdst/b/laptop/labsrc/home";

/// A laptop with a home, and its vault.
struct Pair<'a> {
    lab: &'a Lab,
    laptop: Node,
    vault: Node,
    home: PathBuf,
    stick: String,
}

impl<'a> Pair<'a> {
    fn new(lab: &'a Lab, name: &str) -> Self {
        let (laptop, vault) = nodes(lab, name, "/sbin/zfs");
        let home = lab.create(HOME);
        let stick = lab.path().join(format!("stick-{name}"));
        fs::create_dir_all(&stick).unwrap();
        Self { lab, laptop, vault, home, stick: stick.display().to_string() }
    }

    /// A run of the laptop; the packets stay there.
    fn day(&self, number: u32) {
        fs::write(self.home.join(format!("day{number}")), "content\n".repeat(3000)).unwrap();
        self.laptop.ok(&["zfs", "run", "-quiet"]);
    }

    fn carry(&self) {
        self.laptop.ok(&["xfer", "-quiet", "-mkdir", &self.stick]);
        self.vault.ok(&["xfer", "-quiet", &self.stick]);
    }

    fn deliver(&self) {
        self.carry();
        self.vault.run(&["toss", "-quiet"]);
    }

    fn status(&self) -> String {
        String::from_utf8(self.vault.run(&["zfs", "status"]).stdout).unwrap()
    }

    /// Runs the `zfs` commands that a line tells, up to what ends them.
    fn here(&self, commands: &str) {
        for command in commands.split("; ").filter(|command| command.starts_with("zfs ")) {
            let command = command.split(", where").next().unwrap();
            let command = command.split(" (its").next().unwrap();
            let command = command.replace("PLACE", "labdst/moved");
            let words: Vec<_> = command.split(' ').skip(1).collect();
            self.lab.zfs(&words);
        }
    }

    /// Does what the one repair in `status` says.
    fn repair(&self, status: &str) {
        let (_, advice) = status.split_once("if a packet was lost").expect(status);
        let (first, command) = advice.split_once("on laptop: packmule ").unwrap();
        if let Some((_, first)) = first.split_once("first here: ") {
            self.here(first.split("; then").next().unwrap());
        }
        let command = command.lines().next().unwrap().replace("NODE", "vault");
        let words: Vec<_> = command.split(' ').collect();
        self.laptop.ok(&[&words[..2], &["-quiet"], &words[2..]].concat());
        self.deliver();
    }

    fn is_well(&self) {
        assert!(!self.status().contains("packet"), "{}", self.status());
        let (ours, theirs) = (self.lab.guids(BACKUP), self.lab.guids(HOME));
        let newest = theirs.iter().next_back().unwrap();
        assert_eq!(ours.get(newest.0), Some(newest.1), "{ours:?}");
    }
}

/// What follows `start` up to `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start}: {text}"));
    rest.split(end).next().unwrap()
}

fn newest_destroyed(lab: &Lab) {
    let pair = Pair::new(lab, "newest-destroyed");
    (0..3).for_each(|day| pair.day(day));
    pair.deliver();
    let (newest, _) = lab.newest(BACKUP);
    lab.zfs(&["destroy", &format!("{BACKUP}@{newest}")]);
    pair.day(3);
    pair.deliver();
    let status = pair.status();
    assert!(status.contains("first here: zfs rollback "), "{status}");
    pair.repair(&status);
    pair.is_well();
}

fn all_destroyed(lab: &Lab) {
    let pair = Pair::new(lab, "all-destroyed");
    pair.day(0);
    pair.deliver();
    let (only, _) = lab.newest(BACKUP);
    lab.zfs(&["destroy", &format!("{BACKUP}@{only}")]);
    pair.day(1);
    pair.deliver();
    let status = pair.status();
    assert!(status.contains(&format!("first here: zfs destroy {BACKUP}; then")), "{status}");
    pair.repair(&status);
    pair.is_well();
}

fn written_to(lab: &Lab) {
    let pair = Pair::new(lab, "written-to");
    pair.day(0);
    pair.deliver();
    let place = lab.path().join("written-to-mount");
    lab.zfs(&["set", "readonly=off", BACKUP]);
    lab.zfs(&["set", &format!("mountpoint={}", place.display()), BACKUP]);
    let _ = lab.zfs.ask(&["mount", BACKUP]);
    fs::write(place.join("mine"), "mine").unwrap();
    lab.zfs(&["set", "mountpoint=none", BACKUP]);
    pair.day(1);
    pair.deliver();
    let status = pair.status();
    assert!(!status.contains("ready"), "it failed: {status}");
    pair.here(&format!("zfs rollback {}", between(&status, ": zfs rollback ", "\n")));
    pair.vault.ok(&["toss", "-quiet"]);
    pair.is_well();
}

fn restored(lab: &Lab) {
    let pair = Pair::new(lab, "restored");
    pair.day(0);
    let (first, _) = lab.newest(HOME);
    (1..3).for_each(|day| pair.day(day));
    pair.deliver();
    // An old copy: nothing of the last days, and no mark of them.
    for name in lab.guids(HOME).keys().filter(|name| **name > format!("@{first}")) {
        let snapshot = format!("{HOME}{name}");
        let _ = lab.zfs.ask(&["release", "packmule", &snapshot]);
        lab.zfs(&["destroy", &snapshot]);
    }
    lab.zfs(&["rollback", &format!("{HOME}@{first}")]);
    let sent = |name: &str, from: &str| {
        let name = format!("{HOME}@packmule-main-{name}");
        lab.zfs(&["snapshot", &name]);
        pair.laptop.ok(&["zfs", "resend", "-quiet", "-from", from, "vault", HOME]);
        lab.guids(HOME).into_values().next_back().unwrap()
    };
    let guid = sent("20990101T000000.000000Z", &lab.guids(HOME)[&format!("@{first}")]);
    for packet in
        fs::read_dir(lab.path().join("restored/laptop/spool").join(pair.vault.id()).join("tx"))
            .unwrap()
    {
        let path = packet.unwrap().path();
        if path.is_file() && path.extension().is_none() {
            fs::remove_file(path).unwrap();
        }
    }
    sent("20990102T000000.000000Z", &guid);
    pair.deliver();
    let status = pair.status();
    // The newest there is none that the laptop has; an older one is.
    pair.repair(&status);
    let status = pair.status();
    pair.here(&format!("zfs rollback -r {}", between(&status, ": zfs rollback -r ", ", or")));
    pair.vault.ok(&["toss", "-quiet"]);
    pair.is_well();
}

/// A FUSE mount that is just going away keeps its dataset busy for a moment.
fn patiently(lab: &Lab, words: &[&str]) {
    let done = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        lab.zfs.ask(words).is_ok()
    });
    assert!(done, "{words:?}");
}

fn name_taken(lab: &Lab) {
    let pair = Pair::new(lab, "name-taken");
    lab.create("labsrc/home/a");
    lab.create("labsrc/home/b");
    pair.day(0);
    pair.deliver();
    for name in lab.guids("labsrc/home/a").keys() {
        let _ = lab.zfs.ask(&["release", "packmule", &format!("labsrc/home/a{name}")]);
    }
    patiently(lab, &["destroy", "-r", "labsrc/home/a"]);
    patiently(lab, &["rename", "labsrc/home/b", "labsrc/home/a"]);
    pair.day(1);
    pair.deliver();
    let status = pair.status();
    pair.here(between(&status, "rename it here, too: ", "\n"));
    pair.vault.ok(&["toss", "-quiet"]);
    pair.is_well();
    assert_eq!(lab.guids(&format!("{BACKUP}/a")), lab.guids("labsrc/home/a"));
}

fn made_anew(lab: &Lab) {
    let pair = Pair::new(lab, "made-anew");
    lab.create("labsrc/old");
    lab.zfs(&["snapshot", "labsrc/old@packmule-main-19990101T000000.000000Z"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    pair.day(0);
    pair.deliver();
    // By its creation it is older than what is there, and the only stream of the dataset.
    let stream = lab.path().join("stream");
    let send = ["send", "labsrc/old@packmule-main-19990101T000000.000000Z"];
    fs::write(&stream, Command::new("zfs").args(send).output().unwrap().stdout).unwrap();
    let mut queue = pair.laptop.command(&["exec", "-quiet", "vault", "zfsreceive", HOME]);
    assert!(queue.stdin(fs::File::open(&stream).unwrap()).status().unwrap().success());
    pair.deliver();
    let status = pair.status();
    assert!(status.contains("made the dataset anew"), "{status}");
    pair.here(&format!(
        "zfs rename {} PLACE",
        between(&status, "been wrong), move ", " out of --into")
    ));
    pair.vault.ok(&["toss", "-quiet"]);
    assert!(!pair.status().contains("packet"), "{}", pair.status());
    assert_eq!(lab.guids(BACKUP), lab.guids("labsrc/old"));
}
