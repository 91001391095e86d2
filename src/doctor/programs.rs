//! Checks the programs of handlers, and notifications that are never sent.

use super::finding::Finding;
use crate::config::{Handle, Node, Notify};
use rustix::fs::{Access, access};
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The name of the handle that sends mail.
const MAILER: &str = "sendmail";

pub(super) fn examine(node: &Node, path: &OsStr) -> Vec<Finding> {
    let notifies = node.notify != Notify::default();
    // Every new configuration names a mailer, which only notifications run: check it only for them.
    let runs = |handle: &Handle<'_>| notifies || handle.at != "neigh.self.exec.sendmail";
    let mut findings: Vec<_> =
        node.handles().filter(runs).filter_map(|handle| program(&handle, path)).collect();
    if notifies && !node.self_neighbour().exec.contains_key(MAILER) {
        findings.push(Finding::fault(
            "notify-without-mailer",
            "notify requests mails, but neigh.self.exec has no sendmail".to_owned(),
            "add sendmail: [\"/usr/sbin/sendmail\"] to neigh.self.exec",
        ));
    }
    findings.extend(node.notify.exec.keys().filter_map(|key| unheard(node, key)));
    findings
}

/// Reports a notification whose handle does not exist. Its key is `NODE.HANDLE` or `*.HANDLE`.
fn unheard(node: &Node, key: &str) -> Option<Finding> {
    let runs = node.handles().any(|handle| {
        let name = handle.at.rsplit_once(".exec.").map_or("", |(_, name)| name);
        key == format!("{}.{name}", handle.author) || key == format!("*.{name}")
    });
    (!runs).then(|| {
        let what = format!("notify.exec.{key}: no neighbour has this handle");
        let advice = "call it NODE.HANDLE or *.HANDLE, as in the exec section of the neighbour";
        Finding::warning("notify-unused", what, advice)
    })
}

fn program(handle: &Handle<'_>, path: &OsStr) -> Option<Finding> {
    let key = &handle.at;
    let Some(word) = handle.words.first() else {
        let what = format!("{key} names no program");
        let advice = "give it one, or remove the handle";
        return Some(Finding::warning("program-missing", what, advice));
    };
    // Each builtin checks its own settings, elsewhere.
    if word.starts_with("builtin:") {
        return None;
    }
    let fault = |why: &str, advice: String| {
        Some(Finding::fault("program-missing", format!("{key}: {word:?} {why}"), advice))
    };
    let candidates = candidates(word, path);
    if candidates.iter().any(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok()) {
        return None;
    }
    if handle.words.len() == 1 && word.contains(char::is_whitespace) {
        let words: Vec<_> = word.split_whitespace().collect();
        return fault("is a whole command line in one word", format!("write {words:?}"));
    }
    match candidates.iter().find(|path| path.exists()) {
        Some(path) if path.is_dir() => fault("is a directory", "name a program in it".to_owned()),
        Some(path) => {
            fault("is not executable", format!("chmod +x {}, or correct its path", path.display()))
        }
        None if word.contains('/') => {
            fault("is not there", "install it, or correct its path".to_owned())
        }
        None => fault(
            "is in no directory of this user's PATH",
            "install it, or give its full path: the user who tosses may have another PATH"
                .to_owned(),
        ),
    }
}

/// The paths where a program may be.
fn candidates(word: &str, path: &OsStr) -> Vec<PathBuf> {
    if word.contains('/') {
        return vec![Path::new(word).to_owned()];
    }
    env::split_paths(path).map(|dir| dir.join(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding_of(words: &[&str]) -> Option<String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let handle = Handle { at: "at".into(), author: "bob".into(), words: &words };
        program(&handle, OsStr::new("/usr/bin:/bin")).map(|finding| finding.what)
    }

    #[test]
    fn a_program_that_can_not_run_is_named_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let finding_of = |words: &[&str]| finding_of(words).unwrap_or_default();
        assert!(finding_of(&["nosuchprogram"]).contains("PATH"));
        assert!(finding_of(&["nix-store --import"]).contains("command line in one word"));
        assert!(finding_of(&["/bin/sh -c true"]).contains("command line in one word"));
        assert!(finding_of(&["/etc"]).contains("is a directory"));
        assert!(finding_of(&[plain.to_str().unwrap()]).contains("is not executable"));
        assert!(finding_of(&["/nonexistent/x"]).contains("is not there"));
        assert!(finding_of(&[]).contains("names no program"));
        for right in [&["sh"][..], &["/bin/sh", "-c", "exit 0"], &["builtin:whatever"]] {
            assert_eq!(finding_of(right), "");
        }
    }
}
