//! What commands print with `-json`: every field stands in packmule-json(7), under its command.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::{Command, Output};

/// Objects of these have keys that are no fields.
const MAPS: [&str; 3] = ["counts", "records", "nvlist"];

/// A node that has one neighbour, and sends to itself.
struct Node(tempfile::TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        let spool = node.0.path().join("spool").display().to_string();
        let config = node.text("packmule cfgnew -nocomments").replace("/var/spool/nncp", &spool);
        let bob = node.text("packmule cfgnew -nocomments");
        let keys = ["id", "exchpub", "signpub", "noisepub"].map(|key| public(&bob, key)).join("\n");
        let proof = "packmule: { proof: true }";
        let bob = format!("neigh: {{\n  bob: {{\n{keys}\n{proof}\n}}");
        let config = config.replace("neigh: {", &bob);
        fs::write(node.0.path().join("nncp.hjson"), config).unwrap();
        for dir in ["tree", "stick", "spool/tmp"] {
            fs::create_dir_all(node.0.path().join(dir)).unwrap();
        }
        fs::write(node.0.path().join("tree/file"), "content").unwrap();
        node
    }

    fn sh(&self, line: &str) -> Output {
        let line = line.replace("packmule", env!("CARGO_BIN_EXE_packmule"));
        let mut sh = Command::new("sh");
        let sh = sh.args(["-c", &line]).current_dir(self.0.path()).env("NNCPCFG", "nncp.hjson");
        sh.output().unwrap()
    }

    fn text(&self, line: &str) -> String {
        let output = self.sh(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The line of a public key.
fn public(config: &str, key: &str) -> String {
    let (_, neighbours) = config.split_once("neigh: {").unwrap();
    let (_, value) = neighbours.split_once(&format!("{key}: ")).unwrap();
    format!("{key}: {}", value.lines().next().unwrap())
}

/// The fields that stand in the section of a command.
fn documented(command: &str) -> BTreeSet<String> {
    let page = include_str!("../doc/man/packmule-json.7.md");
    let heading = format!("{command}\n");
    let section = page.split("\n## ").find(|section| section.starts_with(&heading)).unwrap();
    section.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                if !MAPS.contains(&key.as_str()) {
                    fields(value, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

/// One of the streams among the test vectors.
fn stream() -> Vec<u8> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testvectors/zfs/streams.tar.zst");
    let mut archive = tar::Archive::new(zstd::Decoder::new(fs::File::open(file).unwrap()).unwrap());
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries.find(|entry| entry.path().unwrap().ends_with("lz4.c.1")).unwrap();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_field_is_documented() {
    let node = Node::new();
    fs::write(node.0.path().join("stream"), stream()).unwrap();
    node.text("packmule file -quiet tree/file self:; packmule file -quiet tree/file bob:; echo x | packmule exec -quiet self handle");
    node.text("for id in spool/*/tx; do touch $id/../../left; mkdir -p $id/../rx; done");
    node.text("packmule mtree create tree > manifest; echo more >> tree/file");
    node.text("cat spool/*/tx/[A-Z]* | head -c 480 > spool/tmp/nncp1234");
    let part = "P".repeat(52);
    node.text(&format!("for id in spool/*/rx; do touch $id/{part}.part $id/{part}; done"));
    let lines = [
        ("stat", "packmule stat -json -pkt"),
        ("peers", "packmule peers -json"),
        ("bundle", "packmule bundle -tx -json bob 2>&1 > bundle"),
        ("xfer", "packmule xfer -json -mkdir stick"),
        ("status", "packmule status -json -pkt"),
        ("pkt", "packmule pkt -json -overheads"),
        ("pkt", "for p in stick/*/*/*; do packmule pkt -json < $p; done"),
        ("pkt", "for p in stick/*/*/*; do packmule pkt -dump < $p | packmule pkt -json; done"),
        ("bundle", "packmule bundle -rx -json < bundle"),
        ("check", "packmule check -json"),
        ("toss", "packmule toss -json"),
        ("rm", "packmule rm -json -tmp"),
        ("doctor", "packmule doctor -json"),
        ("mtree", "packmule mtree verify -json manifest tree"),
        ("log", "packmule log -json"),
        ("zfs", "packmule zfs inspect -json < stream"),
    ];
    for (command, line) in lines {
        let output = node.sh(line);
        let (printed, said) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(printed).unwrap();
        let mut found = BTreeSet::new();
        // A bundle's own goes to standard error, among its messages.
        for object in printed.lines().filter(|line| line.starts_with('{')) {
            fields(&serde_json::from_str(object).unwrap(), &mut found);
        }
        assert!(!found.is_empty(), "{line} prints nothing: {said}");
        let unknown: Vec<_> = found.difference(&documented(command)).cloned().collect();
        assert_eq!(unknown, [""; 0], "{line}");
    }
}

#[test]
fn every_field_of_the_log_is_documented() {
    let documented = documented("log");
    let mut number = 0;
    for dir in ["src/log", "src/log/event"] {
        for entry in fs::read_dir(dir).unwrap().flatten().filter(|entry| entry.path().is_file()) {
            let text = fs::read_to_string(entry.path()).unwrap();
            for field in text.split(".field(\"").skip(1) {
                let field = field.split('"').next().unwrap();
                // Tests have fields of their own.
                assert!(documented.contains(field) || field == "A", "{field}");
                number += 1;
            }
        }
    }
    assert!(number > 50, "{number}");
}
