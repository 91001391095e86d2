//! Decides what to do with a stream, from the snapshots of its target and the other known streams.

use super::name::Dataset;
use super::offer::Offer;
use super::outcome::Outcome;
pub use super::reason::{Refusal, Wait};
use super::state::{Snapshot, State};
use crate::chain::{Relation, relation};

/// How a stream is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Into the target.
    Straight,
    /// Over a placeholder, with `-F`. This is the only case that needs `-F`.
    Over,
    /// Into a sibling of the placeholder, which then takes its name: a raw stream cannot be
    /// received over an existing dataset.
    Sibling,
}

/// How to receive a stream, or the outcome if it is not received.
pub type Decision = Result<Route, Outcome>;

/// The target has the snapshot.
pub const ALREADY_THERE: Outcome = Outcome::Duplicate("already there");
/// A newer stream of the same chain was received. This stream can no longer be applied, and nobody
/// needs it.
pub const SUPERSEDED: Outcome = Outcome::Duplicate("superseded by a newer one");

/// Facts about a stream that are neither in its offer nor in the state of its target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// True if the dataset was changed since the stream's base; `None` if unknown. Only read if the
    /// base is not the newest snapshot.
    pub changed: Option<bool>,
    /// Other streams form a chain from the snapshot that this one makes to one that the target has.
    pub passed: bool,
}

/// Decides about one plain stream for the dataset `target`. `state` is `None` if `target` does not
/// exist.
pub fn decide(offer: &Offer, target: &Dataset, state: Option<&State>, known: Known) -> Decision {
    let relation = relation(&offer.step, state, known.passed);
    if relation != Relation::Duplicate && offer.resuming {
        // Only `zfs` knows which partial state the target has, so `zfs` decides whether it fits.
        return match state {
            Some(state) if state.partial => Ok(Route::Straight),
            _ => Err(Outcome::Reject(Refusal::NothingToResume)),
        };
    }
    let base = offer.step.from_guid;
    match (relation, state) {
        (Relation::Duplicate, _) => Err(ALREADY_THERE),
        (Relation::Passed, _) => Err(SUPERSEDED),
        (Relation::NoChain, _) => Err(Outcome::Defer(Wait::Full(base))),
        (Relation::NoBase, _) => Err(Outcome::Defer(Wait::Base(base))),
        (_, None) => Ok(Route::Straight),
        (_, Some(state)) if state.partial => Err(Outcome::Defer(Wait::PartialState)),
        (Relation::Begins | Relation::IntoEmpty, Some(state)) => into_empty(offer, target, state),
        (Relation::Older(newest), Some(state)) => {
            let (dataset, name) = (target.clone(), name_of(state, newest.guid));
            Err(Outcome::Reject(Refusal::Older { dataset, name }))
        }
        (Relation::Restarts(newest), Some(state)) => {
            let (name, guid) = (name_of(state, newest.guid), newest.guid);
            Err(Outcome::Reject(Refusal::OtherLineage { name, guid }))
        }
        (Relation::Continues, Some(state)) => onto_newest(target, state),
        (Relation::JumpedOver, _) => Err(SUPERSEDED),
        (Relation::Aside, Some(state)) => aside(offer, target, state, known),
    }
}

/// A full stream for a dataset without snapshots.
fn into_empty(offer: &Offer, target: &Dataset, state: &State) -> Decision {
    match (state.placeholder, offer.raw) {
        (true, true) => Ok(Route::Sibling),
        (true, false) => Ok(Route::Over),
        // A dataset looks like this while another receive is in progress.
        (false, _) => Err(Outcome::Defer(Wait::Empty(target.clone()))),
    }
}

fn onto_newest(target: &Dataset, state: &State) -> Decision {
    match (state.written, state.newest()) {
        (Some(bytes), Some(newest)) if bytes > 0 => {
            let newest = format!("{target}@{}", newest.name);
            Err(Outcome::Reject(Refusal::Modified { bytes, newest }))
        }
        _ => Ok(Route::Straight),
    }
}

/// An increment whose base is not the newest snapshot.
fn aside(offer: &Offer, target: &Dataset, state: &State, known: Known) -> Decision {
    match known.changed {
        Some(true) => {
            let (dataset, snapshot) = (target.clone(), name_of(state, offer.step.from_guid));
            Err(Outcome::Defer(Wait::Fork { dataset, snapshot }))
        }
        Some(false) | None if offer.raw => Err(Outcome::Reject(local(offer, target, state))),
        Some(false) | None => Ok(Route::Straight),
    }
}

fn name_of(state: &State, guid: u64) -> String {
    state.snapshot(guid).map(|snapshot| snapshot.name.clone()).unwrap_or_default()
}

/// The snapshots that block a raw stream, since its base is not the newest snapshot: everything
/// newer than the base, in the syntax of `zfs destroy`.
fn local(offer: &Offer, target: &Dataset, state: &State) -> Refusal {
    let is_base = |snapshot: &Snapshot| snapshot.guid == offer.step.from_guid;
    let base = state.snapshots.iter().position(is_base).map_or(0, |at| at + 1);
    Refusal::LocalSnapshot(match &state.snapshots[base..] {
        [first, .., last] => format!("{target}@{}%{}", first.name, last.name),
        [only] => format!("{target}@{}", only.name),
        [] => target.to_string(),
    })
}

#[cfg(test)]
mod tests;
