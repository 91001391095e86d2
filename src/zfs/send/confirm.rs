//! Processes a receipt: moves the `confirmed` mark forward, and never backward.

use super::super::command::Zfs;
use super::super::dialect::Dialect;
use super::super::get::{Depth, More};
use super::super::name::Dataset;
use super::super::pool::View;
use super::super::receipt::Receipt;
use super::error::SendError;
use super::marks::{Mark, Marks, Role};
use crate::chain::{Confirmation, confirms};

/// Marks the snapshot in the receipt as confirmed by `destination`, if it was sent there.
///
/// # Errors
/// If the snapshot exists but nothing of its dataset was ever sent to `destination`, or `zfs`
/// fails.
pub fn confirm(zfs: &Zfs, destination: &str, receipt: &Receipt) -> Result<Confirmation, SendError> {
    let dialect = Dialect::probe(zfs)?;
    let dataset = Dataset::parse(&receipt.dataset)?;
    let roles = Role::ALL.map(Role::property);
    let more = More { of_datasets: &[], of_snapshots: &roles };
    let view = View::read(zfs, dialect, &dataset, Depth::One, more)?;
    let absent = || SendError::NoDataset(dataset.to_string());
    let state = view.dataset(&dataset).ok_or_else(absent)?;
    let snapshot = state.snapshot(receipt.guid).map(Mark::of_snapshot);
    let bookmark = || state.bookmarks.iter().find(|mark| mark.guid == receipt.guid);
    let Some(held) = snapshot.or_else(|| bookmark().map(Mark::of_bookmark)) else {
        return Ok(Confirmation::Gone);
    };
    let sets = Marks::of_destination(dialect, state, destination);
    if sets.is_empty() {
        return Err(SendError::NeverSent(dataset.to_string(), destination.to_owned()));
    }
    let age = |mark: &Mark| mark.createtxg;
    let mut confirmation = Confirmation::Known;
    for marks in sets {
        let sent = marks.newest(state, Role::Sent);
        let chain = marks.chain_at(state, held.guid).or(sent.as_ref().and_then(|s| s.chain));
        let confirmed = marks.newest(state, Role::Confirmed);
        // A set whose newest sent snapshot is older than this one did not send it.
        let (sent, confirmed) = (sent.as_ref().map(age), confirmed.as_ref().map(age));
        if confirms(held.createtxg, sent, confirmed) != Confirmation::Moved {
            continue;
        }
        let held = Mark { chain, ..held.clone() };
        marks.set(zfs, &dataset, state, &held, Role::Confirmed)?;
        marks.clear(zfs, &dataset, state, Role::Confirmed, |guid| guid != held.guid)?;
        confirmation = Confirmation::Moved;
    }
    Ok(confirmation)
}
