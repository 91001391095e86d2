//! The whole way with the binary itself: a laptop, a spooler, a backup server, sticks in between.

use super::lab::Lab;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A node in a directory of its own.
pub(crate) struct Node {
    directory: PathBuf,
    keys: BTreeMap<String, String>,
}

impl Node {
    fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(directory.join("spool")).unwrap();
        let fresh = packmule(&["cfgnew", "-nocomments"]).output().unwrap().stdout;
        let fresh = String::from_utf8(fresh).unwrap();
        let keys = fresh.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once(": ")?;
            (value.len() > 40).then(|| (name.to_owned(), value.trim_matches('"').to_owned()))
        });
        Self { directory, keys: keys.collect() }
    }

    fn neighbour(&self, name: &str, more: &str) -> String {
        let key = |name: &str| &self.keys[name];
        let (id, exchange, sign) = (key("id"), key("exchpub"), key("signpub"));
        format!("{name}: {{\nid: {id}\nexchpub: {exchange}\nsignpub: {sign}\n{more}\n}}\n")
    }

    fn configure(&self, neighbours: &[String], own: &str) {
        let keys: String =
            ["id", "exchpub", "exchprv", "signpub", "signprv", "noisepub", "noiseprv"]
                .iter()
                .map(|name| format!("{name}: {}\n", self.keys[*name]))
                .collect();
        let directory = self.directory.display();
        let neighbours = [&[self.neighbour("self", "")], neighbours].concat().concat();
        let text = format!(
            "{{\nspool: {directory}/spool\nlog: {directory}/log\nself: {{\n{keys}}}\n\
             neigh: {{\n{neighbours}}}\n{own}\n}}\n"
        );
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
    }

    fn config(&self) -> PathBuf {
        self.directory.join("nncp.hjson")
    }

    fn command(&self, words: &[&str]) -> Command {
        let config = self.config();
        let (name, rest) = words.split_at(if words[0] == "zfs" { 2 } else { 1 });
        let mut command = packmule(name);
        command.arg("-cfg").arg(config).args(rest);
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        let log = || fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        assert!(output.status.success(), "{words:?}: {said}\n{}", log());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command and kills it after a while.
    fn killed(&self, words: &[&str], after: Duration) {
        let mut command = self.command(words);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn packmule(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packmule"));
    command.args(words).stdin(Stdio::null());
    for name in ["NNCPCFG", "NNCPSPOOL", "NNCPLOG"] {
        command.env_remove(name);
    }
    command
}

const HANDLER: &str =
    "exec: { zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"labdst/b/laptop\"] }";

/// A laptop that sends to the vault, directly or over a spooler.
fn nodes(lab: &Lab, name: &str, over_spooler: bool) -> (Node, Node, Node) {
    let place = |node: &str| lab.path().join(name).join(node);
    let nodes =
        (Node::new(place("laptop")), Node::new(place("spooler")), Node::new(place("vault")));
    let (laptop, spooler, vault) = &nodes;
    let via = if over_spooler { "via: [\"spooler\"]" } else { "" };
    let sets = "packmule: {\nzfs: {\nsets: {\nmain: {\nto: [\"vault\"]\ndatasets: [\"labsrc/home\"]\nrecursive: true\n}\n}\n}\n}";
    laptop.configure(&[spooler.neighbour("spooler", ""), vault.neighbour("vault", via)], sets);
    spooler.configure(&[laptop.neighbour("laptop", ""), vault.neighbour("vault", "")], "");
    vault.configure(&[laptop.neighbour("laptop", HANDLER), spooler.neighbour("spooler", "")], "");
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

pub(crate) fn killed_at_every_stage(lab: &Lab) {
    let (laptop, _, vault) = nodes(lab, "killed", false);
    let home = lab.create("labsrc/home");
    let stick = stick(lab, "killed");
    for round in 0..12_u32 {
        let text = format!("round {round}\n").repeat(20_000);
        fs::write(home.join(format!("round{round}")), text).unwrap();
        let patience = Duration::from_millis(u64::from(round) * 9);
        laptop.killed(&["zfs", "run"], patience);
        laptop.ok(&["zfs", "run", "-quiet"]);
        laptop.killed(&["xfer", "-mkdir", &stick], patience);
        laptop.ok(&["xfer", "-quiet", "-mkdir", &stick]);
        vault.killed(&["xfer", &stick], patience);
        vault.ok(&["xfer", "-quiet", &stick]);
        vault.killed(&["toss"], patience);
        vault.killed(&["toss"], patience * 2);
    }
    // A killed receive may keep its dataset busy for a moment.
    for _ in 0..50 {
        vault.run(&["toss", "-quiet"]);
        if !vault.ok(&["zfs", "status"]).contains("packet") {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let status = vault.ok(&["zfs", "status"]);
    assert!(!status.contains("packet"), "{status}");
    let (ours, theirs) = (lab.guids("labdst/b/laptop/labsrc/home"), lab.guids("labsrc/home"));
    assert_eq!(ours.iter().next_back(), theirs.iter().next_back());
    let known = |entry: &(&String, &String)| theirs.get(entry.0) == Some(entry.1);
    assert!(ours.iter().all(|entry| known(&entry)), "{ours:?}\n{theirs:?}");
    same_tree(lab, &home, "labdst/b/laptop/labsrc/home");
}

pub(crate) fn files_in_incoming_directories(lab: &Lab) {
    let incoming = lab.path().join("incoming");
    let laptop = incoming.join("laptop");
    fs::create_dir_all(&laptop).unwrap();
    lab.create("labsrc/a");
    let mut base = None;
    for number in 0..4 {
        let snapshot = format!("labsrc/a@s{number}");
        lab.zfs(&["snapshot", &snapshot]);
        let mut send = Command::new("zfs");
        send.arg("send");
        if let Some(base) = base.replace(snapshot.clone()) {
            send.args(["-i", &base]);
        }
        let stream = send.arg(&snapshot).output().unwrap().stdout;
        let packed = zstd::encode_all(&stream[..], 3).unwrap();
        // The names sort the wrong way round.
        let name = format!("bakfsfmt2-{}.5.77_laptop@data@a", 1000 - number);
        fs::write(laptop.join(name), packed).unwrap();
    }
    fs::write(laptop.join("bakfsfmt2-1_server@data"), "another host").unwrap();
    let run = || {
        packmule(&["zfs", "receive-dir"])
            .arg(&incoming)
            .args(["--", "--into", "labdst/b/{host}"])
            .output()
            .unwrap()
    };
    let output = run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bakfsfmt2-1_server@data"), "{said}");
    let left: Vec<_> = fs::read_dir(&laptop).unwrap().collect();
    assert_eq!(left.len(), 1, "only what was refused is kept");
    assert_eq!(lab.guids("labdst/b/laptop/data/a"), lab.guids("labsrc/a"));
    fs::remove_file(laptop.join("bakfsfmt2-1_server@data")).unwrap();
    assert_eq!(run().status.code(), Some(0));
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
