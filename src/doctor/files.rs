//! Checks the files of the configuration, and the files and directories that it names.

use super::finding::Finding;
use crate::config::{Exposed, Node, exposed};
use crate::display::reason;
use crate::log::{Target, lock_path};
use rustix::fs::{Access, access};
use std::path::Path;

/// Reports private keys that other users can read.
pub(super) fn secrets(config: &Path, node: &Node) -> Vec<Finding> {
    let finding = |exposed: Exposed| {
        let advice =
            format!("{}; if another user may have read it, make new keys", exposed.remedy());
        Finding::fault("secrets-readable", exposed.to_string(), advice)
    };
    exposed(config, node).into_iter().map(finding).collect()
}

/// Reports directories and the log if they are missing, or this user cannot use them.
pub(super) fn places(node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut incoming = Vec::new();
    for neighbour in node.neighbours.values() {
        let at = format!("neigh.{}", neighbour.name);
        incoming.extend(neighbour.incoming.as_ref().map(|dir| (format!("{at}.incoming"), dir)));
        if let Some(dir) = &neighbour.freq.path {
            findings.extend(usable(
                &format!("{at}.freq.path"),
                dir,
                Access::READ_OK | Access::EXEC_OK,
            ));
        }
    }
    for area in node.areas.values() {
        let at = format!("areas.{}", area.name);
        incoming.extend(area.incoming.as_ref().map(|dir| (format!("{at}.incoming"), dir)));
    }
    for (key, dir) in incoming {
        findings.extend(usable(&key, dir, Access::WRITE_OK | Access::EXEC_OK));
    }
    if let Target::File(file) = &node.log {
        findings.extend(log_file(file));
    }
    findings
}

fn usable(key: &str, dir: &Path, wanted: Access) -> Option<Finding> {
    let shown = dir.display();
    let writing = wanted.contains(Access::WRITE_OK);
    let (name, verb) =
        if writing { ("incoming-unusable", "write to") } else { ("freq-unusable", "read") };
    if writing && dir.symlink_metadata().is_err() {
        return unmade(name, key, dir);
    }
    if !dir.is_dir() {
        let advice = format!("mkdir -p {shown}, as the user who runs packmule");
        return Some(Finding::fault(name, format!("{key}: {shown} is not a directory"), advice));
    }
    access(dir, wanted).err().map(|errno| {
        let error = reason(&errno.into());
        let what = format!("{key}: this user cannot {verb} {shown}: {error}");
        Finding::fault(name, what, format!("chown or chmod {shown}, or run packmule as its owner"))
    })
}

/// The directories that are missing above a missing directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Above {
    /// Nothing.
    Parent,
    /// Its parent too, and maybe more levels.
    More,
}

/// Checks whether this user can create a directory; `None` if not.
pub(super) fn can_be_made(dir: &Path) -> Option<Above> {
    let there = dir.ancestors().skip(1).find(|path| path.exists())?;
    access(there, Access::WRITE_OK | Access::EXEC_OK).ok().filter(|()| there.is_dir())?;
    Some(if dir.parent() == Some(there) { Above::Parent } else { Above::More })
}

/// Reports a missing directory, unless toss can create it with the first file.
fn unmade(name: &'static str, key: &str, dir: &Path) -> Option<Finding> {
    let shown = dir.display();
    let advice = format!("mkdir -p {shown}, as the user who runs packmule");
    let what = format!("{key}: {shown} is missing, and so is the directory above it");
    match can_be_made(dir) {
        Some(Above::Parent) => None,
        Some(Above::More) => Some(Finding::warning(
            name,
            what,
            format!("correct the path, or {advice}; toss creates it with the first file"),
        )),
        None => {
            let what = format!("{key}: {shown} is missing, and this user cannot create it");
            Some(Finding::fault(name, what, advice))
        }
    }
}

/// Checks the log, and the lock that every command takes to write to it.
fn log_file(file: &Path) -> Option<Finding> {
    [file.to_owned(), lock_path(file)].iter().find_map(|path| {
        let writable = match path.exists() {
            true => access(path, Access::WRITE_OK),
            false => access(path.parent()?, Access::WRITE_OK | Access::EXEC_OK),
        };
        // A missing spool is another finding.
        let error = writable.err().filter(|error| *error != rustix::io::Errno::NOENT)?;
        let error = reason(&error.into());
        let what = format!("log: this user cannot write {}: {error}", path.display());
        let advice = "chown it, or run packmule as its owner";
        Some(Finding::fault("log-unwritable", what, advice))
    })
}
