//! The spool: whose it is, how full its disk is, and what was left behind in it.

use super::{Finding, Patient, count};
use crate::spool::Spool;
use crate::spool::sweep::Manner;
use jiff::{SignedDuration, Timestamp};
use packmule_protocol::id::NodeId;
use rustix::fs::{Access, access, statvfs};
use rustix::process::geteuid;
use std::fs::{self, DirEntry};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::{path::Path, time::Duration};

/// A writer that lives does not take longer.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Less free space than this is told.
const LOW: u64 = 1 << 30;
/// A clock before this is not set: packmule is younger.
const RELEASE: i64 = 1_767_225_600;

pub(super) fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let spool = patient.spool;
    let shown = spool.root().display();
    let meta = match fs::metadata(spool.root()) {
        Ok(meta) if meta.is_dir() => meta,
        Ok(_) => {
            let what = format!("the spool {shown} is not a directory");
            return vec![Finding::fault("spool-missing", what, "move it away, then mkdir it")];
        }
        Err(error) => {
            let what = format!("the spool {shown}: {}", crate::spool::disk::reason(&error));
            let advice = format!("mkdir -p -m 700 {shown}, for the user who runs packmule");
            return vec![Finding::fault("spool-missing", what, advice)];
        }
    };
    let mut findings = Vec::new();
    if let Err(error) = access(spool.root(), Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        let what = format!("this user can not write to the spool {shown}: {error}");
        let advice = format!("run packmule as user {}, or chown -R {shown}", meta.uid());
        findings.push(Finding::fault("spool-unwritable", what, advice));
    } else if meta.uid() != geteuid().as_raw() {
        let what = format!("the spool {shown} belongs to user {}, not to this one", meta.uid());
        let advice =
            "what this user writes, that one may be unable to toss: run packmule as its owner";
        findings.push(Finding::warning("spool-of-another", what, advice));
    }
    if meta.permissions().mode() & 0o002 != 0 {
        let what = format!("anybody can write to the spool {shown}");
        findings.push(Finding::fault("spool-open", what, format!("chmod o-w {shown}")));
    }
    findings.extend(foreign_files(spool, meta.uid()));
    findings.extend(space(spool));
    findings.extend(left_overs(spool));
    findings.extend(strangers(patient));
    findings
}

fn foreign_files(spool: &Spool, owner: u32) -> Option<Finding> {
    // A packet is three levels down: ID/rx/PACKET.
    let number = owned_by_others(spool.root(), owner, 3);
    (number > 0).then(|| {
        let shown = spool.root().display();
        let what = format!("{} in the spool not owned by the spool's owner", count(number, "file"));
        let advice =
            format!("chown -R {owner} {shown}: most likely packmule ran as another user once");
        Finding::warning("spool-mixed-owners", what, advice)
    })
}

fn owned_by_others(dir: &Path, owner: u32, levels: usize) -> usize {
    let mut number = 0;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        number += usize::from(meta.uid() != owner);
        if levels > 1 && meta.is_dir() {
            number += owned_by_others(&entry.path(), owner, levels - 1);
        }
    }
    number
}

fn space(spool: &Spool) -> Option<Finding> {
    let vfs = statvfs(spool.root()).ok()?;
    let free = vfs.f_bavail.saturating_mul(vfs.f_frsize);
    (free < LOW).then(|| {
        let what = format!("{} MiB are free for the spool", free >> 20);
        let advice = "make room: a packet that does not fit is not queued, received or delivered";
        Finding::warning("space-low", what, advice)
    })
}

fn left_overs(spool: &Spool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let look = Manner { older: Some(STALE), dry_run: true };
    if let Some(number) =
        spool.sweep_tmp(look).ok().map(|swept| swept.gone.len()).filter(|n| *n > 0)
    {
        let what = format!("{} of writers that were killed in tmp/", count(number, "file"));
        findings.push(Finding::warning("tmp-stale", what, "packmule rm -tmp -older 1d"));
    }
    if let Ok(swept) = spool.sweep_locks(look)
        && !swept.gone.is_empty()
    {
        let what = format!("{} that nobody holds", count(swept.gone.len(), "lock file"));
        findings.push(Finding::warning(
            "lock-stale",
            what,
            "harmless; packmule rm -lock removes them",
        ));
    }
    findings
}

/// Directories of nodes that the configuration does not know.
fn strangers(patient: &Patient<'_>) -> Vec<Finding> {
    let node = &patient.loaded.node;
    let entries = fs::read_dir(patient.spool.root()).into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| NodeId::from_file_name(entry.file_name().to_str()?));
    ids.filter(|id| node.by_id(id).is_none())
        .map(|id| {
            let what = format!("the spool holds packets of {id}, who is no neighbour");
            let advice = format!(
                "add the node to neigh, or remove {}",
                patient.spool.node_dir(&id).display()
            );
            Finding::warning("stranger", what, advice)
        })
        .collect()
}

/// A clock that is wrong: niceness, age and schedules depend on it.
pub(super) fn clock(patient: &Patient<'_>) -> Option<Finding> {
    let now = patient.now;
    let advice = "set the clock: schedules, ages (-older) and the log depend on it";
    if now.as_second() < RELEASE {
        return Some(Finding::fault("clock-behind", format!("the clock says {now:.0}"), advice));
    }
    let changed =
        |entry: DirEntry| Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok();
    let entries = fs::read_dir(patient.spool.root()).into_iter().flatten().flatten();
    let newest = entries.filter_map(changed).max()?;
    let ahead = newest.duration_since(now);
    (ahead > SignedDuration::from_hours(1)).then(|| {
        let what = format!("the clock says {now:.0}, but the spool was changed at {newest:.0}");
        Finding::fault("clock-behind", what, advice)
    })
}
