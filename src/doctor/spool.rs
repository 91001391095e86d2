//! Checks the spool: existence, free space, stale files, unknown nodes.

use super::files::{self, Above};
use super::finding::{Finding, count};
use super::patient::Patient;
use crate::age;
use crate::spool::{Spool, Suffix, Xx};
use jiff::Timestamp;
use packmule_protocol::id::NodeId;
use std::fs::{self, DirEntry};

/// Doctor warns if less space than this is free.
const LOW: u64 = 1 << 30;
/// packmule did not exist before this time, so a clock before it is not set.
const RELEASE: i64 = 1_767_225_600;

pub(super) fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let spool = patient.spool;
    let shown = spool.root().display();
    let meta = match fs::metadata(spool.root()) {
        Ok(meta) if meta.is_dir() => meta,
        Ok(_) => {
            let what = format!("the spool {shown} is not a directory");
            return vec![Finding::fault(
                "spool-missing",
                what,
                "move it away, then create a directory there",
            )];
        }
        Err(error) => {
            let what = format!("the spool {shown}: {}", crate::display::reason(&error));
            let advice = format!("mkdir -p -m 700 {shown}, for the user who runs packmule");
            let finding = match files::can_be_made(spool.root()) {
                Some(Above::Parent) => Finding::warning(
                    "spool-missing",
                    what,
                    format!("{advice}; the first packet makes it too"),
                ),
                _ => Finding::fault("spool-missing", what, advice),
            };
            return vec![finding];
        }
    };
    let mut findings = super::owner::examine(spool.root(), &meta, &patient.loaded.node.log);
    findings.extend(space(spool));
    findings.extend(left_overs(spool));
    findings.extend(strangers(patient));
    findings
}

fn space(spool: &Spool) -> Option<Finding> {
    let free = spool.free_space().ok()?;
    (free < LOW).then(|| {
        let what = format!("{} MiB are free for the spool", free >> 20);
        let advice = "make room: a packet that does not fit is not queued, received or delivered";
        Finding::warning("space-low", what, advice)
    })
}

fn left_overs(spool: &Spool) -> Option<Finding> {
    let (number, bytes) = spool.stale_tmp().ok()?;
    (number > 0).then(|| {
        let files = count(number, "file");
        let what = format!("{files} left in tmp/ by interrupted commands, {} MiB", bytes >> 20);
        let advice =
            "the next toss removes them; if no other command runs, packmule rm -tmp does too";
        Finding::warning("tmp-stale", what, advice)
    })
}

/// Directories of nodes that the configuration does not know.
fn strangers(patient: &Patient<'_>) -> Vec<Finding> {
    let node = &patient.loaded.node;
    let entries = fs::read_dir(patient.spool.root()).into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| NodeId::from_file_name(entry.file_name().to_str()?));
    ids.filter(|id| node.by_id(id).is_none())
        .map(|id| {
            let what = format!("the spool holds packets of {id}, which is not a neighbour");
            let advice = format!(
                "add the node to neigh, or remove {}",
                patient.spool.node_dir(&id).display()
            );
            Finding::warning("stranger", what, advice)
        })
        .collect()
}

/// The modification times of the newest packet of each queue, and of the partly received ones.
fn packets(patient: &Patient<'_>) -> impl Iterator<Item = Timestamp> {
    let spool = patient.spool;
    patient.loaded.node.neighbours.values().flat_map(move |neighbour| {
        let newest = |xx| spool.totals(&neighbour.id, xx).unwrap_or_default().newest;
        let whole = [Xx::Rx, Xx::Tx].into_iter().filter_map(newest);
        let whole = whole.filter_map(|written| Timestamp::from_second(written).ok());
        let parts = spool.parts(&neighbour.id).unwrap_or_default().into_iter();
        let parts = parts.filter_map(|(hash, _)| {
            let path = spool.unfinished(&neighbour.id, &hash, Suffix::Part);
            Timestamp::try_from(path.symlink_metadata().ok()?.modified().ok()?).ok()
        });
        whole.chain(parts).collect::<Vec<_>>()
    })
}

/// Reports a clock that is before the spool's files, or not set.
pub(super) fn clock(patient: &Patient<'_>) -> Option<Finding> {
    let now = patient.now;
    let advice = "set the clock: schedules, ages (-older) and the log depend on it";
    if now.as_second() < RELEASE {
        return Some(Finding::fault("clock-behind", format!("the clock says {now:.0}"), advice));
    }
    let changed =
        |entry: DirEntry| Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok();
    let entries = fs::read_dir(patient.spool.root()).into_iter().flatten().flatten();
    let newest = entries.filter_map(changed).chain(packets(patient)).max()?;
    age::seconds(now.as_second(), newest.as_second()).is_none().then(|| {
        let what = format!("the clock says {now:.0}, but the spool was changed at {newest:.0}");
        Finding::fault("clock-behind", what, advice)
    })
}
