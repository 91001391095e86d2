//! Checks the owner and the permissions of the spool.

use super::finding::{Finding, count};
use crate::disk::sharing::Shared;
use crate::display::reason;
use crate::log::{Target, lock_path};
use rustix::fs::{Access, access};
use rustix::process::geteuid;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Reports if this user, or the owner, cannot use the spool at `root`.
pub(super) fn examine(root: &Path, spool: &Metadata, log: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    let shown = root.display();
    let owner = spool.uid();
    if let Err(errno) = access(root, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        let error = reason(&errno.into());
        let what = format!("this user cannot write to the spool {shown}: {error}");
        let advice = format!("run packmule as user {owner}, or chown -R {shown}");
        findings.push(Finding::fault("spool-unwritable", what, advice));
    } else if owner != geteuid().as_raw() && Shared::of(root).is_none() {
        let what = format!("the spool {shown} belongs to user {owner}, not to this one");
        let advice = "the owner may be unable to use files written by this user: run packmule as its owner, or \
                      share the spool with a group (chmod 2770, chgrp)";
        findings.push(Finding::warning("spool-of-another", what, advice));
    }
    if spool.permissions().mode() & 0o002 != 0 {
        let what = format!("every user can write to the spool {shown}");
        findings.push(Finding::fault("spool-open", what, format!("chmod o-w {shown}")));
    }
    findings.extend(closed(root, spool));
    findings.extend(closed_log(root, spool, log));
    findings.extend(half_shared(root, spool));
    findings
}

/// Reports files that the owner cannot use. The usual cause: someone ran toss as root.
fn closed(root: &Path, spool: &Metadata) -> Option<Finding> {
    let owner = spool.uid();
    let what = found(root, |path, meta| may(spool, meta, wanted(path, meta)))?;
    let what = format!("user {owner}, who owns the spool, cannot use {what}");
    let advice =
        format!("chown -R {owner} {}, and never run packmule as another user", root.display());
    Some(Finding::fault("spool-closed", what, advice))
}

/// Checks the log and its lock if they are outside the spool.
fn closed_log(root: &Path, spool: &Metadata, log: &Target) -> Option<Finding> {
    let Target::File(log) = log else { return None };
    if log.starts_with(root) {
        return None;
    }
    let paths = [log.clone(), lock_path(log)];
    let closed =
        paths.iter().find(|path| fs::metadata(path).is_ok_and(|meta| !may(spool, &meta, 0o2)))?;
    let (owner, shown) = (spool.uid(), closed.display());
    let what = format!("user {owner}, who owns the spool, cannot write to {shown}");
    let advice = format!("chown {owner} {shown}, and never run packmule as another user");
    Some(Finding::fault("log-closed", what, advice))
}

/// Checks the permissions of a spool that a group of users shares.
fn half_shared(root: &Path, spool: &Metadata) -> Option<Finding> {
    let (group, shown) = (spool.gid(), root.display());
    let advice = format!(
        "chgrp -R {group} {shown}; chmod -R g+rwX {shown}; find {shown} -type d -exec chmod g+s {{}} +"
    );
    if Shared::of(root).is_none() {
        let writable = spool.permissions().mode() & 0o020 != 0;
        return writable.then(|| {
            let what = format!(
                "the group of the spool {shown} can write to it, but it is not setgid: users will \
                 leave files there that the others can not use"
            );
            Finding::warning("spool-half-shared", what, advice)
        });
    }
    let usable = |path: &Path, meta: &Metadata| {
        let mode = meta.permissions().mode();
        let setgid = !meta.is_dir() || mode & 0o2000 != 0;
        meta.is_symlink()
            || setgid && meta.gid() == group && mode >> 3 & wanted(path, meta) == wanted(path, meta)
    };
    let what = found(root, usable)?;
    let what = format!("group {group} shares the spool, but cannot use {what}");
    Some(Finding::fault("spool-half-shared", what, advice))
}

/// The first file of the spool that is not `usable`, and the number of others.
fn found(root: &Path, usable: impl Fn(&Path, &Metadata) -> bool) -> Option<String> {
    let mut closed = Vec::new();
    // A packet is three levels down: ID/rx/PACKET.
    collect(root, &usable, 3, &mut closed);
    let first = closed.first()?;
    let others = match closed.len() - 1 {
        0 => String::new(),
        number => format!(" and {} more", count(number, "file")),
    };
    Some(format!("{}{others}", first.display()))
}

fn collect(
    dir: &Path,
    usable: &impl Fn(&Path, &Metadata) -> bool,
    levels: usize,
    closed: &mut Vec<PathBuf>,
) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        let path = entry.path();
        let is_usable = usable(&path, &meta);
        if !is_usable {
            closed.push(path.clone());
        }
        if is_usable && levels > 1 && meta.is_dir() {
            collect(&path, usable, levels - 1, closed);
        }
    }
}

/// The permissions that packmule needs: read for packets, read and write for locks and the log.
fn wanted(path: &Path, meta: &Metadata) -> u32 {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if meta.is_symlink() {
        0
    } else if meta.is_dir() {
        0o7
    } else if name.ends_with(".lock") || name.ends_with(".part") || name == "log" {
        0o2
    } else {
        0o4
    }
}

/// True if the spool's owner has the permissions. Assumes that the owner is in the spool's group.
fn may(spool: &Metadata, meta: &Metadata, wanted: u32) -> bool {
    let mode = meta.permissions().mode();
    let granted = match (spool.uid(), meta.uid() == spool.uid(), meta.gid() == spool.gid()) {
        (0, ..) => 0o7,
        (_, true, _) => mode >> 6,
        (_, _, true) => mode >> 3,
        _ => mode,
    };
    granted & wanted == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Gid, Uid};
    use std::os::unix::fs::chown;

    /// The finding for a spool of user 4711 after `change`. Without root, it tests nothing.
    fn finding_of(change: impl Fn(&Path)) -> Option<String> {
        let top = tempfile::tempdir().unwrap();
        let root = top.path();
        fs::create_dir_all(root.join("ID/rx")).unwrap();
        fs::write(root.join("ID/toss.lock"), "").unwrap();
        fs::write(root.join("ID/rx/PACKET"), "").unwrap();
        let own = |path: &Path| {
            rustix::fs::chown(path, Some(Uid::from_raw(4711)), Some(Gid::from_raw(4711))).unwrap();
        };
        for path in ["", "ID", "ID/rx", "ID/toss.lock", "ID/rx/PACKET"] {
            own(&root.join(path));
        }
        change(root);
        let finding = closed(root, &fs::metadata(root).unwrap())?;
        assert_eq!(finding.level, super::super::Level::Fault);
        assert!(finding.advice.starts_with("chown -R 4711 /"), "{}", finding.advice);
        Some(finding.what.replace(&root.display().to_string(), "SPOOL"))
    }

    #[test]
    fn what_the_owner_can_not_use_is_a_fault() {
        if !geteuid().is_root() {
            println!("skipped: only root can give files away");
            return;
        }
        let give = |path: &Path, mode: u32| {
            chown(path, Some(0), Some(0)).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        assert_eq!(finding_of(|_| ()), None);
        let lock = finding_of(|root| give(&root.join("ID/toss.lock"), 0o644));
        assert_eq!(lock.unwrap(), "user 4711, who owns the spool, cannot use SPOOL/ID/toss.lock");
        assert!(
            finding_of(|root| give(&root.join("ID/rx"), 0o755)).unwrap().ends_with("SPOOL/ID/rx")
        );
        assert!(finding_of(|root| give(&root.join("ID/rx/PACKET"), 0o600)).is_some());
        // The owner only has to read and unlink a packet.
        assert_eq!(finding_of(|root| give(&root.join("ID/rx/PACKET"), 0o644)), None);
        let grouped = |root: &Path| {
            give(&root.join("ID/toss.lock"), 0o664);
            chown(root.join("ID/toss.lock"), None, Some(4711)).unwrap();
        };
        assert_eq!(finding_of(grouped), None);
    }
}
