//! Files and directories that the configuration is in, or names.

use super::Finding;
use crate::config::Node;
use crate::config::node::{Handle, Notify};
use crate::log::Target;
use rustix::fs::{Access, access};
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Private keys that others can read.
pub(super) fn secrets(config: &Path, node: &Node) -> Vec<Finding> {
    if node.keys.is_none() && node.areas.values().all(|area| area.private.is_none()) {
        return Vec::new();
    }
    let files = if config.is_dir() { key_files(config) } else { vec![config.to_owned()] };
    // Who may read the spool may read the keys where it is shared as the manual says ("Administration").
    let group = fs::metadata(&node.spool).map(|meta| meta.gid()).ok();
    let readable = |file: &PathBuf| {
        let open = |meta: Metadata| {
            let mode = meta.permissions().mode();
            mode & 0o037 != 0 || (mode & 0o040 != 0 && Some(meta.gid()) != group)
        };
        // An encrypted one is for everybody.
        fs::metadata(file).is_ok_and(open) && !is_encrypted(file)
    };
    let finding = |file: PathBuf| {
        let file = file.display();
        Finding::fault(
            "secrets-readable",
            format!(
                "{file} holds private keys and is open to others than its owner and the group of the spool"
            ),
            format!("chmod 600 {file}; if anybody can have read it, make new keys"),
        )
    };
    files.into_iter().filter(readable).map(finding).collect()
}

fn is_encrypted(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| packmule_protocol::eblob::Eblob::is_one(&bytes))
}

/// The private keys of the directory form.
fn key_files(dir: &Path) -> Vec<PathBuf> {
    let own = ["exchprv", "signprv", "noiseprv"].map(|name| dir.join("self").join(name));
    let areas = fs::read_dir(dir.join("areas")).into_iter().flatten().flatten();
    own.into_iter().chain(areas.map(|area| area.path().join("prv"))).collect()
}

/// Directories and programs that are not there, or not for us.
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
    // A new configuration has a mailer; it is run for notifications only.
    let runs = |handle: &Handle<'_>| {
        node.notify != Notify::default() || handle.at != "neigh.self.exec.sendmail"
    };
    findings.extend(
        node.handles().filter(runs).filter_map(|handle| missing_program(&handle.at, handle.words)),
    );
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
        let advice = format!("mkdir -p {shown}, for the user who runs packmule");
        return Some(Finding::fault(name, format!("{key}: {shown} is not a directory"), advice));
    }
    access(dir, wanted).err().map(|error| {
        let what = format!("{key}: this user can not {verb} {shown}: {error}");
        Finding::fault(name, what, format!("chown or chmod {shown}, or run packmule as its owner"))
    })
}

/// What is missing above a directory that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Above {
    /// Nothing.
    Parent,
    /// Its parent too, and maybe more.
    More,
}

/// Whether this user can make a directory; `None` when he can not.
pub(super) fn can_be_made(dir: &Path) -> Option<Above> {
    let there = dir.ancestors().skip(1).find(|path| path.exists())?;
    access(there, Access::WRITE_OK | Access::EXEC_OK).ok().filter(|()| there.is_dir())?;
    Some(if dir.parent() == Some(there) { Above::Parent } else { Above::More })
}

/// Toss makes `incoming` with the first file, where it can.
fn unmade(name: &'static str, key: &str, dir: &Path) -> Option<Finding> {
    let shown = dir.display();
    let advice = format!("mkdir -p {shown}, for the user who runs packmule");
    let what = format!("{key}: {shown} is not there, and the directory above it neither");
    match can_be_made(dir) {
        Some(Above::Parent) => None,
        Some(Above::More) => Some(Finding::warning(
            name,
            what,
            format!("correct the path, or {advice}; the first file makes it too"),
        )),
        None => {
            let what = format!("{key}: {shown} is not there, and this user can not make it");
            Some(Finding::fault(name, what, advice))
        }
    }
}

/// Only what has a path is looked for: where `PATH` leads depends on who tosses.
fn missing_program(key: &str, line: &[String]) -> Option<Finding> {
    let Some(program) = line.first() else {
        let what = format!("{key} names no program");
        return Some(Finding::warning(
            "program-missing",
            what,
            "give it one, or remove the handle",
        ));
    };
    if !program.starts_with('/') || access(program, Access::EXEC_OK).is_ok() {
        return None;
    }
    let what = format!("{key}: {program} can not be executed");
    Some(Finding::fault("program-missing", what, "install it, or correct its path"))
}

fn log_file(file: &Path) -> Option<Finding> {
    let writable = match file.exists() {
        true => access(file, Access::WRITE_OK),
        false => access(file.parent()?, Access::WRITE_OK | Access::EXEC_OK),
    };
    // A spool that is missing is told as such.
    let error = writable.err().filter(|error| *error != rustix::io::Errno::NOENT)?;
    let what = format!("log: this user can not write {}: {error}", file.display());
    Some(Finding::fault("log-unwritable", what, "chown it, or run packmule as its owner"))
}
