//! The Hjson dialect and the directory form, against what the reference reads and writes.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::internal::config::{self, ConfigError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

type Files = BTreeMap<String, String>;

/// A row of `testvectors/config/dialect.json`.
#[derive(Deserialize)]
struct Row {
    text: String,
    /// What the reference wrote; absent when it refused.
    files: Option<Files>,
    /// What packmule writes where that differs on purpose, `null` when it refuses.
    #[serde(default, deserialize_with = "present")]
    ours: Option<Option<Files>>,
}

/// Tells `null` from absent.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<Files>>, D::Error> {
    Option::deserialize(from).map(Some)
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../testvectors/config/dialect.json")).unwrap()
}

fn files_under(top: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

fn no_passphrase() -> io::Result<config::Passphrase> {
    panic!("nothing here is encrypted")
}

fn dumped(text: &str) -> Result<Files, ConfigError> {
    let top = tempfile::tempdir().unwrap();
    let (file, out) = (top.path().join("in"), top.path().join("out"));
    fs::write(&file, text).unwrap();
    config::dump_directory(&config::load_tree(&file, no_passphrase)?, &out)?;
    Ok(files_under(&out))
}

#[test]
fn every_text_is_read_as_the_reference_reads_it() {
    let mut wrong = Vec::new();
    for row in rows() {
        let ours = dumped(&row.text);
        let want = row.ours.unwrap_or(row.files);
        if ours.as_ref().ok() != want.as_ref() {
            wrong.push(format!("{:?} gives {ours:?}, not {want:?}", row.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reference_still_reads_them_so() {
    if Command::new("nncp-cfgdir").arg("-version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "nncp-cfgdir is not installed");
        println!("skipped: nncp-cfgdir is not installed");
        return;
    }
    for row in rows() {
        let top = tempfile::tempdir().unwrap();
        let (file, out) = (top.path().join("in"), top.path().join("a/b/out"));
        fs::create_dir_all(top.path().join("a/b")).unwrap();
        fs::write(&file, &row.text).unwrap();
        let mut run = Command::new("nncp-cfgdir");
        let run = run.arg("-cfg").arg(&file).arg("-dump").arg(&out).output().unwrap();
        let files = run.status.success().then(|| files_under(&out));
        let escaped = row.text.contains("../");
        assert!(escaped || files == row.files, "{:?} gives {files:?}", row.text);
    }
}
