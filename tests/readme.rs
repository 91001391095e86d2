//! README's "An airgapped backup, step by step", run as it stands there: its commands and its pieces
//! of configuration, with its places moved below a temporary directory and its `…` filled in.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use std::collections::HashMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const KEYS: [&str; 4] = ["id", "exchpub", "signpub", "noisepub"];

/// The three machines.
struct Setup {
    top: tempfile::TempDir,
    /// Code of the section that was not run yet, block by block.
    blocks: std::vec::IntoIter<String>,
    port: u16,
    /// Public keys by node and kind.
    keys: HashMap<(String, &'static str), String>,
}

impl Setup {
    fn new() -> Self {
        let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
        let section = readme.split("\n## ").find(|text| text.starts_with("An airgapped backup"));
        let blocks = section.unwrap().split("```\n").skip(1).step_by(2);
        let blocks = blocks.map(str::to_owned).collect::<Vec<_>>().into_iter();
        let top = tempfile::tempdir().unwrap();
        for dir in ["bin", "media/stick", "laptop/documents", "spooler", "vault"] {
            fs::create_dir_all(top.path().join(dir)).unwrap();
        }
        let packmule = top.path().join("bin/packmule");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_packmule"), packmule).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { top, blocks, port, keys: HashMap::new() }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.top.path().join(below)
    }

    /// README's text with its places where `node` has them here.
    fn here(&self, node: &str, text: &str) -> String {
        let top = self.top.path().display();
        [("/usr/local/bin", "bin"), ("/media/stick", "media/stick"), ("/backups", "backups")]
            .iter()
            .fold(text.to_owned(), |text, (place, below)| {
                text.replace(place, &format!("{top}/{below}"))
            })
            .replace("/etc/nncp.hjson", &format!("{top}/{node}/nncp.hjson"))
            .replace("/var/spool/nncp", &format!("{top}/{node}/spool"))
            .replace("spooler.example.org:5400", &format!("127.0.0.1:{}", self.port))
    }

    fn command(&self, node: &str, line: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", &self.here(node, line)])
            .current_dir(self.path(node))
            .env("HOME", self.path(node))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("NNCPCFG", self.path(node).join("nncp.hjson"));
        command
    }

    fn runs(&self, node: &str, line: &str) {
        let output = self.command(node, line).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{node}: {line}: {said}");
    }

    /// The next block, which must hold `part`.
    fn block(&mut self, part: &str) -> String {
        let block = self.blocks.next().unwrap();
        assert!(block.contains(part), "{part}: {block}");
        block
    }

    /// Runs the next block, line by line.
    fn next(&mut self, node: &str, part: &str) {
        for line in self.block(part).lines() {
            self.runs(node, line);
        }
    }

    /// Notes the public keys of a node, as its new configuration has them.
    fn meet(&mut self, node: &str) {
        let text = fs::read_to_string(self.path(node).join("nncp.hjson")).unwrap();
        let (_, neighbours) = text.split_once("neigh: {").unwrap();
        for key in KEYS {
            let (_, value) = neighbours.split_once(&format!("{key}: ")).unwrap();
            let value = value.lines().next().unwrap().trim_matches(['"', ',', ' ']);
            self.keys.insert((node.to_owned(), key), value.to_owned());
        }
    }

    /// Puts the next block, with the keys filled in, into the configuration of a node.
    fn configure(&mut self, node: &str) {
        let block = self.block("neigh: {");
        let mut filled = String::new();
        let mut whose = "";
        for line in block.lines() {
            if let Some((name, _)) = line.split_once(": {")
                && ["laptop", "spooler", "vault"].contains(&name.trim())
            {
                whose = name.trim();
            }
            let line = KEYS.iter().fold(line.to_owned(), |line, key| {
                let value = self.keys.get(&(whose.to_owned(), *key));
                let value = value.map_or("…", |value| value.as_str());
                line.replace(&format!("{key}: \"…\""), &format!("{key}: \"{value}\""))
            });
            filled += &(line + "\n");
        }
        assert!(!filled.contains('…'), "{filled}");
        let ours = filled.strip_suffix("}\n").unwrap();
        let config = self.path(node).join("nncp.hjson");
        let text = fs::read_to_string(&config).unwrap();
        assert_eq!(text.matches("neigh: {").count(), 1);
        let text = text.replace("neigh: {", ours);
        fs::write(&config, self.here(node, &text)).unwrap();
    }

    /// Listens as the spooler until it is dropped.
    fn daemon(&self) -> Daemon {
        let line = format!("exec nncp-daemon -quiet -bind 127.0.0.1:{}", self.port);
        let daemon = Daemon(self.command("spooler", &line).spawn().unwrap());
        let listens = || TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        let end = Instant::now() + Duration::from_secs(60);
        while !listens() {
            assert!(Instant::now() < end, "the daemon does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon
    }
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_walk_through_works_as_it_stands() {
    let mut setup = Setup::new();
    fs::write(setup.path("laptop/thesis.pdf"), "a thesis").unwrap();
    fs::write(setup.path("laptop/documents/letter"), "a letter").unwrap();
    setup.next("laptop", "packmule links");
    let keys = setup.block("nncp-cfgnew");
    for node in ["laptop", "spooler", "vault"] {
        setup.runs(node, &keys);
        setup.meet(node);
    }
    for node in ["laptop", "spooler", "vault"] {
        setup.configure(node);
    }
    setup.next("vault", "mkdir");
    for node in ["laptop", "spooler", "vault"] {
        setup.runs(node, "packmule doctor");
    }
    setup.next("laptop", "nncp-file");
    let daemon = setup.daemon();
    setup.next("laptop", "nncp-call");
    drop(daemon);
    setup.next("spooler", "nncp-toss");
    setup.next("vault", "nncp-xfer -rx");
    assert_eq!(setup.blocks.next(), None, "all of the section was run");
    assert_eq!(content(&setup.path("backups/laptop/thesis.pdf")), "a thesis");
    let unpacked = setup.path("laptop/documents/letter");
    let tree = setup.path("backups/laptop/tree");
    assert_eq!(content(&tree.join(unpacked.strip_prefix("/").unwrap())), "a letter");
    for node in ["laptop", "spooler", "vault"] {
        setup.runs(node, "packmule doctor");
    }
}
