use super::super::state::{APPLIED, Snapshot};
use super::*;
use crate::chain::Step;

/// A dataset with received snapshots of these guids, created at the second that equals the
/// guid.
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

const fn offer(from_guid: u64, to_guid: u64, creation: u64) -> Offer {
    Offer { step: Step { to_guid, from_guid, creation }, raw: false, resuming: false }
}

const FULL: Offer = offer(0, 1, 1);
const STEP: Offer = offer(4, 5, 5);

#[test]
fn the_table() {
    let placeholder = State { placeholder: true, ..state(&[]) };
    let partial = |of: &[u64]| State { partial: true, ..state(of) };
    let written = |of: &[u64], bytes| State { written: Some(bytes), ..state(of) };
    let raw = |offer: Offer| Offer { raw: true, ..offer };
    let resuming = |offer: Offer| Offer { resuming: true, ..offer };
    let step_from_3 = offer(3, 5, 5);
    let local = || with_local(state(&[2, 3]), 9);
    let rows: &[Row] = &[
        ("full, absent", FULL, None, None, Ok(Route::Straight)),
        ("full again", FULL, Some(state(&[1, 2])), None, Err(ALREADY_THERE)),
        (
            "full again, base of all pruned",
            FULL,
            Some(state(&[2])),
            None,
            Err(Outcome::Reject(older(2))),
        ),
        ("full, token", FULL, Some(partial(&[])), None, Err(Outcome::Defer(Wait::PartialState))),
        ("rest of a full, token", resuming(FULL), Some(partial(&[])), None, Ok(Route::Straight)),
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
        ("rest of a step again", resuming(STEP), Some(state(&[4, 5])), None, Err(ALREADY_THERE)),
        ("full, placeholder", FULL, Some(placeholder.clone()), None, Ok(Route::Over)),
        ("raw full, placeholder", raw(FULL), Some(placeholder), None, Ok(Route::Sibling)),
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
            offer(0, 1, 8),
            Some(state(&[7])),
            None,
            Err(Outcome::Reject(Refusal::OtherLineage { name: "7".to_owned(), guid: 7 })),
        ),
        (
            "full of the same second",
            offer(0, 1, 7),
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
        ("step again, base pruned", STEP, Some(state(&[5, 6])), None, Err(ALREADY_THERE)),
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
        ("local on top, unchanged", step_from_3, Some(local()), Some(false), Ok(Route::Straight)),
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
            offer(3, 5, 3),
            Some(local()),
            None,
            Ok(Route::Straight),
        ),
        (
            "local on top, the sender's clock was set back",
            offer(3, 5, 1),
            Some(local()),
            Some(false),
            Ok(Route::Straight),
        ),
        (
            "jumped over by one of the same second",
            offer(4, 5, 8),
            Some(state(&[4, 8])),
            Some(true),
            Err(Outcome::Defer(fork(4))),
        ),
        (
            "jumped over, but the sender's clock was set back",
            offer(4, 5, 3),
            Some(state(&[4, 8])),
            Some(true),
            Err(Outcome::Defer(fork(4))),
        ),
        (
            "jumped over by one that is older there",
            offer(4, 5, 9),
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
    assert_eq!(check(&state(&[5, 8])), Err(ALREADY_THERE));
    let full = decide(&FULL, &target(), Some(&state(&[8])), known);
    assert_eq!(full, Err(SUPERSEDED));
}

#[test]
fn waits_that_no_packet_ends_have_an_end() {
    assert!(Wait::Empty(target()).patience().is_some() && fork(1).patience().is_some());
    assert!(Wait::Base(1).patience().is_none(), "a stick may take its time");
}
