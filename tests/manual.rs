//! The manual pages: nothing is missing, and `man` can show them.

use packmule::internal::{Builtin, manual};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn pages() -> Vec<manual::Page> {
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/man");
    manual::pages(|name| fs::read_to_string(texts.join(name)).ok())
}

#[test]
fn every_command_of_nncp_has_a_page_and_so_have_configuration_and_tutorial() {
    let pages = pages();
    let files: Vec<_> = pages.iter().map(|page| page.file.as_str()).collect();
    assert_eq!(files.iter().filter(|file| file.starts_with("nncp-")).count(), 23);
    for file in
        ["packmule.1", "packmule-links.1", "nncp.hjson.5", "packmule-airgap.7", "packmule-json.7"]
    {
        assert!(files.contains(&file), "{file}");
    }
}

#[test]
fn every_page_has_a_text_and_every_text_a_page() {
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/man");
    let names = fs::read_dir(&texts).unwrap().map(|entry| entry.unwrap().file_name());
    let mut unread: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    let mut missing = Vec::new();
    let asked = RefCell::new(Vec::new());
    manual::pages(|name| {
        asked.borrow_mut().push(name.to_owned());
        None
    });
    for name in asked.into_inner() {
        if !unread.remove(&name) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty() && unread.is_empty(), "missing {missing:?}, left over {unread:?}");
}

#[test]
fn no_page_has_an_empty_section() {
    for page in pages() {
        let lines: Vec<_> = page.roff.lines().collect();
        for two in lines.windows(2) {
            let empty = two[0].starts_with(".SH") && two[1].starts_with(".SH");
            assert!(!empty, "{}: {}", page.file, two[0]);
        }
    }
}

#[test]
fn every_setting_of_a_builtin_is_in_its_manual_page() {
    let page = pages().into_iter().find(|page| page.file == "packmule-handle.1").unwrap().roff;
    for name in ["mtree-verify", "zfs-receive", "zfs-receipt"] {
        let settings = Builtin::called(name).unwrap().settings();
        assert!(settings.0.len() >= 3, "{name}");
        for setting in settings.0 {
            let term = format!("\\fB{}\\fR", setting.to_string().replace('-', "\\-"));
            assert!(page.contains(&term), "{name}: {term}");
        }
    }
    assert!(!page.contains("settings:"));
}

#[test]
fn groff_has_nothing_to_complain_about() {
    if Command::new("groff").arg("--version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("CI").is_none(), "groff is not installed");
        println!("skipped: groff is not installed");
        return;
    }
    for page in pages() {
        let mut groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        groff.stdin.take().unwrap().write_all(page.roff.as_bytes()).unwrap();
        let complaints = groff.wait_with_output().unwrap().stderr;
        assert_eq!(String::from_utf8_lossy(&complaints), "", "{}", page.file);
    }
}
