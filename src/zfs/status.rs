//! What was applied, read back from the pool itself.

use super::command::{Zfs, ZfsError};
use super::name::Dataset;
use super::pool::{APPLIED, Depth, Dialect, State, View};
use super::receive::{SETTINGS, warnings};
use serde::Serialize;

/// The newest applied snapshot of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Newest {
    /// Who sent it, by name in our configuration.
    pub sender: String,
    /// The dataset.
    pub dataset: String,
    /// The snapshot, without the dataset's name.
    pub snapshot: String,
    /// Its guid.
    pub guid: u64,
    /// Its creation on the sending side, seconds since 1970.
    pub creation: u64,
    /// When it was applied, seconds since 1970.
    pub applied: u64,
    /// Length of its stream.
    pub bytes: u64,
    /// Seconds since its creation.
    pub age: u64,
}

/// What is known of backups below one dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The newest applied snapshot of every dataset.
    pub newest: Vec<Newest>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// The backups at and below `root`; `now` in seconds since 1970.
///
/// # Errors
/// Those of `zfs`.
pub fn status(zfs: &Zfs, root: &Dataset, now: u64) -> Result<Status, ZfsError> {
    let view = View::read(zfs, Dialect::probe(zfs)?, root, Depth::All, &SETTINGS)?;
    let newest = view.datasets().filter_map(|(name, state)| newest(name, state, now)).collect();
    Ok(Status { newest, warnings: warnings(&view, root) })
}

fn newest(dataset: &Dataset, state: &State, now: u64) -> Option<Newest> {
    let snapshot = state.newest_received()?;
    let mut record = snapshot.properties.get(APPLIED)?.split(',');
    let sender = record.next()?.to_owned();
    let (bytes, applied) = (record.next()?.parse().ok()?, record.next()?.parse().ok()?);
    Some(Newest {
        sender,
        dataset: dataset.to_string(),
        snapshot: snapshot.name.clone(),
        guid: snapshot.guid,
        creation: snapshot.creation,
        applied,
        bytes,
        age: now.saturating_sub(snapshot.creation),
    })
}
