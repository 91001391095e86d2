//! The state of the backups, read from the records in the pool.

use super::command::{Zfs, ZfsError};
use super::dialect::Dialect;
use super::get::Depth;
use super::name::Dataset;
use super::pool::{Missing, View};
use super::receive::{RECEIVER, warnings};
use super::state::{APPLIED, State};
use crate::age;
use serde::Serialize;

/// The newest applied snapshot of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Newest {
    /// Name of the sender in the configuration.
    pub sender: String,
    /// The dataset.
    pub dataset: String,
    /// The snapshot, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    #[serde(serialize_with = "super::guid::text")]
    pub guid: u64,
    /// Its creation by the sender's clock, seconds since 1970.
    pub creation: u64,
    /// The time of the receive, seconds since 1970.
    pub applied: u64,
    /// Length of its stream in bytes.
    pub bytes: u64,
    /// Seconds since its creation. If the creation is later than the receive, the sender's clock is
    /// wrong, and this counts from the receive. `None` if the receive is in the future by this
    /// machine's clock, so the age is unknown.
    pub age: Option<u64>,
}

/// The backups below one dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// The newest applied snapshot of every dataset.
    pub newest: Vec<Newest>,
    /// Datasets that have snapshots, but none with a record of its receive.
    pub unrecorded: Vec<Dataset>,
    /// Problems that a person should solve.
    pub warnings: Vec<String>,
}

/// Why the status is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatusError {
    /// The dataset does not exist.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// `zfs` failed.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
}

/// The backups at and below `root`, except those at and below `others`. `now` is in seconds since
/// 1970.
///
/// # Errors
/// If `zfs` fails or `root` does not exist.
pub(crate) fn status(
    zfs: &Zfs,
    root: &Dataset,
    others: &[Dataset],
    now: u64,
) -> Result<Status, StatusError> {
    let mut view = View::read(zfs, Dialect::probe(zfs)?, root, Depth::All, RECEIVER)?;
    if let Some(missing) = view.missing(zfs, root)? {
        return Err(missing.into());
    }
    others.iter().for_each(|other| view.remove(other));
    Ok(Status::of(&view, root, now))
}

impl Status {
    fn of(view: &View, root: &Dataset, now: u64) -> Self {
        let mut status = Self { warnings: warnings(view, root), ..Self::default() };
        // If the root has children, nothing is received into it: its own snapshots are no backups.
        let is_parent = view.datasets().count() > 1;
        for (name, state) in view.datasets() {
            match newest(name, state, now) {
                Some(newest) => {
                    status.warnings.extend(wrong_clock(&newest, now));
                    status.newest.push(newest);
                }
                None if state.snapshots.is_empty() || (is_parent && name == root) => {}
                None => {
                    status.warnings.push(format!(
                        "{name}: {} snapshot(s), and no record of a receive: it needs \
                         zfs allow USER userprop; earlier receives have no record",
                        state.snapshots.len()
                    ));
                    status.unrecorded.push(name.clone());
                }
            }
        }
        status
    }
}

fn newest(dataset: &Dataset, state: &State, now: u64) -> Option<Newest> {
    let snapshot = state.newest_received()?;
    let mut record = snapshot.properties.get(APPLIED)?.split(',');
    let sender = record.next()?.to_owned();
    let (bytes, applied): (_, u64) = (record.next()?.parse().ok()?, record.next()?.parse().ok()?);
    Some(Newest {
        sender,
        dataset: dataset.to_string(),
        snapshot: snapshot.name.clone(),
        guid: snapshot.guid,
        creation: snapshot.creation,
        applied,
        bytes,
        // The sender's clock may be wrong or forged, but a snapshot is never newer than its
        // receive.
        age: age::seconds(signed(now), signed(applied))
            .map(|since| since.max(now.saturating_sub(snapshot.creation))),
    })
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn wrong_clock(newest: &Newest, now: u64) -> Option<String> {
    let Newest { dataset, snapshot, sender, creation, applied, .. } = newest;
    let is_after = |time: &u64, other: u64| age::seconds(signed(other), signed(*time)).is_none();
    let what = if is_after(creation, *applied) {
        format!("was made after it was applied here, by the clock of {sender}")
    } else if is_after(applied, now) {
        "was applied in the future, by the clock of this machine".to_owned()
    } else {
        return None;
    };
    Some(format!("{dataset}@{snapshot} {what}: correct that clock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    fn check(lines: &str, want: &[(&str, Option<u64>)], unrecorded: &[&str], warnings: &[&str]) {
        let root = Dataset::parse("tank/b").unwrap();
        let view = View::parse(&format!("tank/b\treadonly\ton\tlocal\n{lines}")).unwrap();
        let status = Status::of(&view, &root, NOW);
        let newest = status.newest.iter().map(|newest| (newest.dataset.as_str(), newest.age));
        assert_eq!(newest.collect::<Vec<_>>(), want);
        let found = status.unrecorded.iter().map(Dataset::as_str).collect::<Vec<_>>();
        assert_eq!(found, unrecorded);
        assert_eq!(status.warnings.len(), warnings.len(), "{:?}", status.warnings);
        for (warning, want) in status.warnings.iter().zip(warnings) {
            assert!(warning.contains(want), "{warning}");
        }
    }

    fn snapshot(name: &str, creation: u64, record: &str) -> String {
        format!(
            "tank/b/{name}\tguid\t7\t-\ntank/b/{name}\tcreation\t{creation}\t-\n\
             tank/b/{name}\tpackmule:applied\t{record}\tlocal\n"
        )
    }

    #[test]
    fn the_age_is_that_of_the_creation() {
        let record = format!("laptop,5,{}", NOW - 10);
        check(&snapshot("a@s", NOW - 100, &record), &[("tank/b/a", Some(100))], &[], &[]);
        check(&snapshot("a@s", NOW + 200, &record), &[("tank/b/a", Some(10))], &[], &[]);
    }

    #[test]
    fn a_clock_in_the_future_hides_nothing() {
        let record = format!("laptop,5,{}", NOW - 86400);
        let ahead = "made after it was applied here, by the clock of laptop";
        check(&snapshot("a@s", NOW + 86400, &record), &[("tank/b/a", Some(86400))], &[], &[ahead]);
        check(&snapshot("a@s", u64::MAX, &record), &[("tank/b/a", Some(86400))], &[], &[ahead]);
        let record = format!("laptop,5,{}", NOW + 86400);
        let future = "applied in the future, by the clock of this machine";
        check(&snapshot("a@s", NOW - 100, &record), &[("tank/b/a", None)], &[], &[future]);
    }

    #[test]
    fn snapshots_without_a_record_are_told() {
        let lines = snapshot("a@s", 5, "-") + &snapshot("b@s", 5, "no record");
        let said = "1 snapshot(s), and no record";
        check(&lines, &[], &["tank/b/a", "tank/b/b"], &[said, said]);
        let of_root = "tank/b@s\tguid\t7\t-\n";
        check(of_root, &[], &["tank/b"], &["tank/b: 1 snapshot(s)"]);
        check(&format!("{of_root}tank/b/a\ttype\tfilesystem\t-\n"), &[], &[], &[]);
    }
}
