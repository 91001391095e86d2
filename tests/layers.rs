//! The tree holds to its arrows: imports go down, and what must be absent is absent.

#![allow(clippy::unwrap_used)]

#[path = "layers/circles.rs"]
mod circles;
#[path = "layers/imports.rs"]
mod imports;
#[path = "layers/origin.rs"]
mod origin;
#[path = "layers/sizes.rs"]
mod sizes;
#[path = "layers/source.rs"]
mod source;

use source::{files, sources};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders from the top down. A folder may import those on the lines below its own.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["net", "media", "reass", "doctor"],
    &["toss"],
    &["outbound", "handler"],
    &["local"],
    &["ledger"],
    &["config", "spool", "mtree", "zfs"],
    &["log", "blocks", "progress", "unpack"],
    &["disk"],
    &["settings"],
    &["chain", "inherited", "nearest", "age", "display", "random"],
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A source file without its tests, which may use whatever they need.
fn product(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
}

/// The folder of `src/` that a file belongs to, or the module that is a file of its own.
fn folder(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

fn layer(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&folder))
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for source in sources(&root().join("src")) {
        let from = folder(&source.path);
        let Some(own) = layer(&from) else { continue };
        let imports = source.imports.iter().map(|import| &import.path);
        for path in imports.chain(source.paths.iter().map(|(_, path)| path)) {
            let [first, to, ..] = path.as_slice() else { continue };
            if first == "crate" && *to != from && layer(to).is_some_and(|other| other <= own) {
                wrong.push(format!("{}: {from} imports {to}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_drawing_shows_the_layers() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let drawing = text.split("Imports go down only:").nth(1).unwrap().split("```").nth(1).unwrap();
    let drawn: Vec<Vec<&str>> = drawing
        .lines()
        .filter_map(|line| line.split_once("-->"))
        .flat_map(|(from, to)| if from.trim() == "cli" { vec![from, to] } else { vec![to] })
        .map(|box_| box_.split('"').nth(1).unwrap_or(box_).split('·').map(str::trim).collect())
        .collect();
    let (last, layers) = drawn.split_last().unwrap();
    assert_eq!(layers, LAYERS);
    assert_eq!(*last, ["the crate packmule-protocol"]);
}

#[test]
fn every_folder_has_its_place() {
    for path in files(&root().join("src")) {
        let folder = folder(&path);
        let known = layer(&folder).is_some() || matches!(folder.as_str(), "lib" | "main");
        assert!(known, "{folder} is in no layer");
    }
}

/// Files under `dir` whose product code contains one of `words`, outside of `allowed`.
fn check_absent(dir: &str, words: &[&str], allowed: &[&str]) {
    for path in files(&root().join(dir)) {
        let relative = path.strip_prefix(root()).unwrap().display().to_string();
        if allowed.iter().any(|allowed| relative.starts_with(allowed)) {
            continue;
        }
        let text = product(&path);
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in words {
                assert!(!line.contains(word), "{relative}: {word} in {line:?}");
            }
        }
    }
}

#[test]
fn the_protocol_touches_no_file_socket_clock_environment_or_thread() {
    let words = [
        "std::fs",
        "TcpStream",
        "UdpSocket",
        "std::env",
        "std::thread",
        "SystemTime::now",
        "Instant::now",
    ];
    check_absent("protocol/src", &words, &[]);
}

/// What needs randomness takes it, and one file provides it.
#[test]
fn only_one_file_asks_for_randomness() {
    check_absent("protocol/src", &["getrandom", "fixed_ephemeral_key"], &[]);
    check_absent("src", &["getrandom"], &["src/random.rs"]);
}

#[test]
fn only_net_is_async() {
    check_absent("src", &["async fn", "async move", ".await", "tokio"], &["src/net"]);
}

#[test]
fn only_the_command_line_prints_exits_or_reads_the_environment() {
    let words =
        ["println!", "eprintln!", "print!(", "eprint!(", "process::exit", "env::var", "env::args"];
    check_absent("src", &words, &["src/cli", "src/main.rs"]);
}

/// What gives more after its end makes readers run for ever.
#[test]
fn every_reader_is_held_to_its_end() {
    let mut unheld = Vec::new();
    for path in files(&root().join("src")) {
        let reads = product(&path).lines().any(|line| {
            line.starts_with("impl") && line.contains("Read for ") && !line.contains("AsyncRead")
        });
        let tests = path.with_extension("").join("tests.rs");
        let text =
            fs::read_to_string(&path).unwrap() + &fs::read_to_string(tests).unwrap_or_default();
        if reads && !text.contains("ends_for_good(") {
            unheld.push(path.display().to_string());
        }
    }
    assert!(unheld.is_empty(), "no test with blocks::ends_for_good in {unheld:?}");
}
