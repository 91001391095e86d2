//! The decision table: what is to be done with a stream, from guids alone.

use super::name::Dataset;
use super::outcome::Outcome;
use super::pool::{Snapshot, State};
pub use super::reason::{Refusal, Wait};
use super::stream::{Begin, Features};

/// What matters of a plain stream for deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The snapshot it makes.
    pub to_guid: u64,
    /// The snapshot it needs; 0 for a full stream.
    pub from_guid: u64,
    /// Encrypted as on disk.
    pub raw: bool,
    /// It goes on where an interrupted receive stopped.
    pub resuming: bool,
    /// Creation of the snapshot on the sending side.
    pub creation: u64,
}

impl From<&Begin> for Offer {
    fn from(begin: &Begin) -> Self {
        Self {
            to_guid: begin.to_guid,
            from_guid: begin.from_guid,
            raw: begin.features.contains(Features::RAW),
            resuming: begin.features.contains(Features::RESUMING),
            creation: begin.creation_time,
        }
    }
}

/// How a stream is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// As it is.
    Straight,
    /// Over a placeholder: the one case where `-F` is right.
    Over,
    /// Beside a placeholder, whose place it then takes: a raw stream does not go over anything.
    Beside,
}

/// How to receive a stream, or what becomes of it without that.
pub type Decision = Result<Route, Outcome>;

/// The snapshot is there.
pub const HELD: Outcome = Outcome::Duplicate("already there");
/// Something newer of the same chain was received, so the stream can never be applied, nor is it
/// needed.
pub const SUPERSEDED: Outcome = Outcome::Duplicate("superseded by a newer one");

/// What is known of a stream beside its offer and the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether the dataset was changed since the stream's base, if that is known; it is looked at
    /// only when the base is not the newest snapshot.
    pub changed: Option<bool>,
    /// Other streams led from the snapshot that it makes to one that the target has.
    pub passed: bool,
}

/// Decides about one plain stream for the dataset `target`, whose state is `None` when it does not
/// exist.
pub fn decide(offer: &Offer, target: &Dataset, state: Option<&State>, known: Known) -> Decision {
    if state.is_some_and(|state| state.snapshot(offer.to_guid).is_some()) {
        return Err(HELD);
    }
    let partial = state.is_some_and(|state| state.partial);
    match (offer.resuming, offer.from_guid, state) {
        // Whether it fits is for `zfs` to say, which knows what is there.
        (true, ..) if partial => Ok(Route::Straight),
        (true, ..) => Err(Outcome::Reject(Refusal::NothingToResume)),
        (false, 0, None) => Ok(Route::Straight),
        (false, 0, Some(_)) if known.passed => Err(SUPERSEDED),
        (false, 0, Some(state)) => full(offer, target, state),
        (false, base, None) => Err(Outcome::Defer(Wait::Full(base))),
        (false, _, Some(state)) => incremental(offer, target, state, known),
    }
}

fn full(offer: &Offer, target: &Dataset, state: &State) -> Decision {
    if state.partial {
        return Err(Outcome::Defer(Wait::PartialState));
    }
    match (state.newest_received().or(state.newest()), state.placeholder) {
        (None, true) if offer.raw => Ok(Route::Beside),
        (None, true) => Ok(Route::Over),
        // A receive in progress shows a dataset without snapshots.
        (None, false) => Err(Outcome::Defer(Wait::Empty(target.clone()))),
        (Some(newest), _) if offer.creation <= newest.creation => {
            let (dataset, name) = (target.clone(), newest.name.clone());
            Err(Outcome::Reject(Refusal::Older { dataset, name }))
        }
        (Some(newest), _) => {
            let (name, guid) = (newest.name.clone(), newest.guid);
            Err(Outcome::Reject(Refusal::OtherLineage { name, guid }))
        }
    }
}

fn incremental(offer: &Offer, target: &Dataset, state: &State, known: Known) -> Decision {
    let base = offer.from_guid;
    if known.passed {
        return Err(SUPERSEDED);
    }
    let Some(found) = state.snapshot(base) else { return Err(Outcome::Defer(Wait::Base(base))) };
    if state.partial {
        return Err(Outcome::Defer(Wait::PartialState));
    }
    if let Some(newest) = state.newest().filter(|newest| newest.guid == base) {
        return match state.written {
            None | Some(0) => Ok(Route::Straight),
            Some(bytes) => {
                let newest = format!("{target}@{}", newest.name);
                Err(Outcome::Reject(Refusal::Modified { bytes, newest }))
            }
        };
    }
    match known.changed {
        _ if is_jumped_over(offer, state) => Err(SUPERSEDED),
        Some(false) | None if offer.raw => Err(Outcome::Reject(local(offer, target, state))),
        Some(false) | None => Ok(Route::Straight),
        Some(true) => {
            let (dataset, snapshot) = (target.clone(), found.name.clone());
            Err(Outcome::Defer(Wait::Fork { dataset, snapshot }))
        }
    }
}

/// What is in the way of a raw stream whose base is not the newest snapshot: all that is newer, as
/// `zfs destroy` names it.
fn local(offer: &Offer, target: &Dataset, state: &State) -> Refusal {
    let is_base = |snapshot: &Snapshot| snapshot.guid == offer.from_guid;
    let base = state.snapshots.iter().position(is_base).map_or(0, |at| at + 1);
    Refusal::LocalSnapshot(match &state.snapshots[base..] {
        [first, .., last] => format!("{target}@{}%{}", first.name, last.name),
        [only] => format!("{target}@{}", only.name),
        [] => target.to_string(),
    })
}

/// Whether a stream that led from the same base to a newer snapshot was received.
///
/// The sender's clock tells what is newer, which has only seconds and may have been set back. So
/// what is not surely older is kept, and without a snapshot received after the base there is
/// nothing that could hold what the offer brings. Local snapshots say nothing.
fn is_jumped_over(offer: &Offer, state: &State) -> bool {
    let Some(base) = state.snapshot(offer.from_guid) else { return false };
    state.newest_received().is_some_and(|newest| {
        newest.createtxg > base.createtxg
            && (base.creation..newest.creation).contains(&offer.creation)
    })
}

#[cfg(test)]
mod tests {
    use super::super::pool::{APPLIED, Snapshot};
    use super::*;

    /// A dataset with received snapshots of these guids, made at these seconds.
    fn state(snapshots: &[u64]) -> State {
        let snapshot = |guid: &u64| Snapshot {
            name: guid.to_string(),
            guid: *guid,
            createtxg: *guid,
            creation: *guid,
            properties: [(APPLIED.to_owned(), String::new())].into(),
        };
        State { snapshots: snapshots.iter().map(snapshot).collect(), ..State::default() }
    }

    fn target() -> Dataset {
        Dataset::parse("tank/b").unwrap()
    }

    fn fork(guid: u64) -> Wait {
        Wait::Fork { dataset: target(), snapshot: guid.to_string() }
    }

    fn older(guid: u64) -> Refusal {
        Refusal::Older { dataset: target(), name: guid.to_string() }
    }

    fn with_local(mut state: State, guid: u64) -> State {
        let creation = 1_000_000;
        let name = guid.to_string();
        let snapshot = Snapshot { name, guid, createtxg: guid, creation, ..Snapshot::default() };
        state.snapshots.push(snapshot);
        state
    }

    type Row = (&'static str, Offer, Option<State>, Option<bool>, Decision);

    const FULL: Offer =
        Offer { to_guid: 1, from_guid: 0, raw: false, resuming: false, creation: 1 };
    const STEP: Offer =
        Offer { to_guid: 5, from_guid: 4, raw: false, resuming: false, creation: 5 };

    #[test]
    fn the_table() {
        let placeholder = State { placeholder: true, ..state(&[]) };
        let partial = |of: &[u64]| State { partial: true, ..state(of) };
        let written = |of: &[u64], bytes| State { written: Some(bytes), ..state(of) };
        let raw = |offer: Offer| Offer { raw: true, ..offer };
        let resuming = |offer: Offer| Offer { resuming: true, ..offer };
        let step_from_3 = Offer { from_guid: 3, ..STEP };
        let local = || with_local(state(&[2, 3]), 9);
        let rows: &[Row] = &[
            ("full, absent", FULL, None, None, Ok(Route::Straight)),
            ("full again", FULL, Some(state(&[1, 2])), None, Err(HELD)),
            (
                "full again, base of all pruned",
                FULL,
                Some(state(&[2])),
                None,
                Err(Outcome::Reject(older(2))),
            ),
            (
                "full, token",
                FULL,
                Some(partial(&[])),
                None,
                Err(Outcome::Defer(Wait::PartialState)),
            ),
            (
                "rest of a full, token",
                resuming(FULL),
                Some(partial(&[])),
                None,
                Ok(Route::Straight),
            ),
            (
                "rest of a full, absent",
                resuming(FULL),
                None,
                None,
                Err(Outcome::Reject(Refusal::NothingToResume)),
            ),
            (
                "rest of a step, token",
                resuming(STEP),
                Some(partial(&[3, 4])),
                None,
                Ok(Route::Straight),
            ),
            ("rest of a step again", resuming(STEP), Some(state(&[4, 5])), None, Err(HELD)),
            ("full, placeholder", FULL, Some(placeholder.clone()), None, Ok(Route::Over)),
            ("raw full, placeholder", raw(FULL), Some(placeholder), None, Ok(Route::Beside)),
            (
                "full, no snapshots",
                FULL,
                Some(state(&[])),
                None,
                Err(Outcome::Defer(Wait::Empty(target()))),
            ),
            (
                "placeholder mark, but snapshots",
                FULL,
                Some(State { placeholder: true, ..state(&[7]) }),
                None,
                Err(Outcome::Reject(older(7))),
            ),
            (
                "full of a dataset that was made anew",
                Offer { creation: 8, ..FULL },
                Some(state(&[7])),
                None,
                Err(Outcome::Reject(Refusal::OtherLineage { name: "7".to_owned(), guid: 7 })),
            ),
            (
                "full of the same second",
                Offer { creation: 7, ..FULL },
                Some(state(&[7])),
                None,
                Err(Outcome::Reject(older(7))),
            ),
            ("step, absent", STEP, None, None, Err(Outcome::Defer(Wait::Full(4)))),
            (
                "step, base missing",
                STEP,
                Some(state(&[2, 3])),
                None,
                Err(Outcome::Defer(Wait::Base(4))),
            ),
            ("step again, base pruned", STEP, Some(state(&[5, 6])), None, Err(HELD)),
            ("step on newest", STEP, Some(state(&[3, 4])), None, Ok(Route::Straight)),
            ("step on newest, clean", STEP, Some(written(&[3, 4], 0)), None, Ok(Route::Straight)),
            (
                "step on newest, modified",
                STEP,
                Some(written(&[3, 4], 7)),
                None,
                Err(Outcome::Reject(Refusal::Modified { bytes: 7, newest: "tank/b@4".to_owned() })),
            ),
            (
                "step, token",
                STEP,
                Some(partial(&[3, 4])),
                None,
                Err(Outcome::Defer(Wait::PartialState)),
            ),
            (
                "local on top, unchanged",
                step_from_3,
                Some(local()),
                Some(false),
                Ok(Route::Straight),
            ),
            ("local on top, not known", step_from_3, Some(local()), None, Ok(Route::Straight)),
            (
                "local on top, unchanged, raw",
                raw(step_from_3),
                Some(local()),
                Some(false),
                Err(Outcome::Reject(Refusal::LocalSnapshot("tank/b@9".to_owned()))),
            ),
            (
                "local on top, changed",
                step_from_3,
                Some(local()),
                Some(true),
                Err(Outcome::Defer(fork(3))),
            ),
            ("jumped over", STEP, Some(state(&[4, 8])), Some(true), Err(SUPERSEDED)),
            ("jumped over, not known", STEP, Some(state(&[4, 8])), None, Err(SUPERSEDED)),
            (
                "local on top, all made in one second",
                Offer { from_guid: 3, creation: 3, ..STEP },
                Some(local()),
                None,
                Ok(Route::Straight),
            ),
            (
                "local on top, the sender's clock was set back",
                Offer { from_guid: 3, creation: 1, ..STEP },
                Some(local()),
                Some(false),
                Ok(Route::Straight),
            ),
            (
                "jumped over by one of the same second",
                Offer { creation: 8, ..STEP },
                Some(state(&[4, 8])),
                Some(true),
                Err(Outcome::Defer(fork(4))),
            ),
            (
                "jumped over, but the sender's clock was set back",
                Offer { creation: 3, ..STEP },
                Some(state(&[4, 8])),
                Some(true),
                Err(Outcome::Defer(fork(4))),
            ),
            (
                "jumped over by one that is older there",
                Offer { creation: 9, ..STEP },
                Some(state(&[4, 8])),
                Some(true),
                Err(Outcome::Defer(fork(4))),
            ),
        ];
        for (name, offer, state, changed, want) in rows {
            let known = Known { changed: *changed, ..Known::default() };
            assert_eq!(&decide(offer, &target(), state.as_ref(), known), want, "{name}");
        }
    }

    #[test]
    fn what_others_led_past_is_superseded_and_nothing_else_is_needed_to_know() {
        let known = Known { passed: true, ..Known::default() };
        let check = |state: &State| decide(&STEP, &target(), Some(state), known);
        assert_eq!(check(&state(&[4, 8])), Err(SUPERSEDED));
        assert_eq!(check(&state(&[8])), Err(SUPERSEDED), "its base was passed, too");
        assert_eq!(check(&state(&[5, 8])), Err(HELD));
        let full = decide(&FULL, &target(), Some(&state(&[8])), known);
        assert_eq!(full, Err(SUPERSEDED));
    }

    #[test]
    fn waits_that_no_packet_ends_have_an_end() {
        assert!(Wait::Empty(target()).patience().is_some() && fork(1).patience().is_some());
        assert!(Wait::Base(1).patience().is_none(), "a stick may take its time");
    }
}
