//! The walk-through "Verify a backup across the airgap": laptop, relay, and a backup host that only
//! a stick reaches.

use crate::tools::{Ran, installed, mtree, run_in};
use std::fs;
use std::path::{Path, PathBuf};

/// Three nodes below one directory.
pub(crate) struct World {
    dir: tempfile::TempDir,
    ids: Vec<String>,
}

const NODES: [&str; 3] = ["laptop", "relay", "backup"];

impl World {
    /// Nodes that know each other; laptop and backup reach each other through relay.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<String> = NODES
            .iter()
            .map(|_| {
                let made = run_in(dir.path(), PACKMULE, &["cfgnew", "-nocomments"], b"").ok();
                String::from_utf8(made).unwrap()
            })
            .collect();
        let world = Self { dir, ids: made.iter().map(|config| id(config)).collect() };
        for (nth, name) in NODES.iter().enumerate() {
            let home = world.home(name);
            for sub in ["incoming", "spool", "data"] {
                fs::create_dir_all(home.join(sub)).unwrap();
            }
            let mut text = format!("{{\n  spool: {0}/spool\n  log: {0}/log\n", home.display());
            text.push_str(&section(&made[nth], "self", "self", ""));
            text.push_str("  neigh: {\n");
            text.push_str(&section(&made[nth], "neigh", "self", "exec: {}"));
            for (other, peer) in NODES.iter().enumerate().filter(|(other, _)| *other != nth) {
                let exec = match (*name, *peer) {
                    ("backup", "laptop") => format!(
                        "exec: {{verify: [\"builtin:mtree-verify\", \"--tree\", \"home={}/data/home\", \
                         \"--report-file\", \"reports\"]}}",
                        home.display()
                    ),
                    _ => String::new(),
                };
                let via =
                    if *name != "relay" && *peer != "relay" { "via: [\"relay\"]" } else { "" };
                let incoming = format!("incoming: {}/incoming", home.display());
                let more = format!("{exec}\n      {incoming}\n      {via}");
                text.push_str(
                    &section(&made[other], "neigh", "self", &more).replacen("self", peer, 1),
                );
            }
            text.push_str("  }\n}\n");
            fs::write(home.join("nncp.hjson"), text).unwrap();
        }
        world
    }

    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, node: &str, arguments: &[&str], input: &[u8]) -> Ran {
        let home = self.home(node);
        let config = home.join("nncp.hjson");
        let place = match arguments {
            ["mtree", _, ..] => 2,
            _ => 1,
        };
        let (command, rest) = arguments.split_at(place);
        let flags = ["-cfg", config.to_str().unwrap(), "-quiet"];
        let all: Vec<_> = command.iter().chain(&flags).chain(rest).copied().collect();
        run_in(&home, PACKMULE, &all, input)
    }

    /// From one node to another on a stick, then tossed there.
    fn carry(&self, from: &str, to: &str) {
        let stick = self.dir.path().join("stick");
        fs::create_dir_all(&stick).unwrap();
        let stick = stick.to_str().unwrap();
        self.run(from, &["xfer", "-mkdir", stick], b"").ok();
        self.run(to, &["xfer", stick], b"").ok();
        self.run(to, &["toss"], b"").ok();
    }

    fn over_the_airgap(&self) {
        self.carry("laptop", "relay");
        self.carry("relay", "backup");
    }

    /// What the environment of handlers calls a node.
    pub(crate) fn id(&self, name: &str) -> String {
        self.ids[NODES.iter().position(|node| *node == name).unwrap()].clone()
    }

    /// From the backup host home; gives the reports that are there.
    pub(crate) fn back(&self) -> Vec<String> {
        self.carry("backup", "relay");
        self.carry("relay", "laptop");
        let reports = self.home("laptop").join("incoming/reports");
        let mut texts: Vec<_> = fs::read_dir(reports)
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        texts.sort_unstable();
        texts
    }
}

const PACKMULE: &str = env!("CARGO_BIN_EXE_packmule");

/// The id in a new configuration.
fn id(config: &str) -> String {
    let line = config.lines().find_map(|line| line.trim().strip_prefix("id: ")).unwrap();
    line.trim_matches('"').to_owned()
}

/// The braces after `inner` in the section `outer` of a new configuration, with `more` added.
fn section(config: &str, outer: &str, inner: &str, more: &str) -> String {
    let start = config.find(&format!("  {outer}: {{")).unwrap();
    let start = start + config[start..].find(&format!("{inner}: {{")).unwrap();
    let body = &config[start..];
    let lines: Vec<_> = body
        .lines()
        .skip(1)
        .take_while(|line| line.trim() != "}")
        .filter(|line| !line.trim().starts_with("exec:"))
        .collect();
    format!("  {inner}: {{\n{}\n      {more}\n  }}\n", lines.join("\n"))
}

fn damage(path: &Path) {
    let mut content = fs::read(path).unwrap();
    content[0] ^= 1;
    fs::write(path, content).unwrap();
}

#[test]
fn a_damaged_file_beyond_the_airgap_is_named_in_a_report_at_home() {
    if !installed(&["tar"]) {
        return;
    }
    let world = World::new();
    let home = world.home("laptop").join("data/home");
    fs::create_dir_all(home.join("letters")).unwrap();
    fs::write(home.join("letters/to alice"), "Dear Alice").unwrap();
    fs::write(home.join("photo"), vec![7; 300_000]).unwrap();

    // The manifest is made while the archive is sent, and follows it.
    let archive = run_in(&home, "tar", &["-cf", "-", "--format=pax", "."], b"").ok();
    let made = ["from-tar", "-tee", "-output", "home.mtree"];
    let passed = mtree(&world.home("laptop"), &made, &archive).ok();
    world.run("laptop", &["file", "-", "backup:home.tar"], &passed).ok();
    let manifest = fs::read(world.home("laptop").join("home.mtree")).unwrap();
    world.over_the_airgap();

    // The receiver unpacks.
    let tree = world.home("backup").join("data/home");
    fs::create_dir_all(&tree).unwrap();
    let arrived = fs::read(world.home("backup").join("incoming/home.tar")).unwrap();
    run_in(&tree, "tar", &["-xpf", "-"], &arrived).ok();
    world.run("laptop", &["exec", "backup", "verify", "home"], &manifest).ok();
    world.over_the_airgap();
    let reports = world.back();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].starts_with("tree: home\nmanifest: sha256 "), "{reports:?}");
    assert!(reports[0].contains("objects compared: equal\n"), "{reports:?}");

    // Later a file rots. The next verification sends a manifest of its own.
    damage(&tree.join("letters/to alice"));
    world.run("laptop", &["mtree", "send", "backup", "verify", "home", "data/home"], b"").ok();
    world.over_the_airgap();
    let reports = world.back();
    assert_eq!(reports.len(), 2);
    let named = |report: &String| report.contains("content ./letters/to\\040alice: sha256digest ");
    assert_eq!(reports.iter().filter(|report| named(report)).count(), 1, "{reports:?}");
}
