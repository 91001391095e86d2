//! Finds the base of a stream, and the name that `zfs send -i` takes for it.

use super::super::state::{Snapshot, State};
use super::error::SendError;
use super::marks::{Mark, Marks, Role};
use super::naming::Naming;
use super::properties::MADE;
use super::run::Run;
use super::step::Step;

/// How the base of a stream is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The newest snapshot that was sent.
    Sent,
    /// The newest snapshot that the destination confirmed.
    Confirmed,
    /// The newest snapshot with one of these guids. A receiver lists all guids that it has.
    Guids(Vec<u64>),
    /// None: a full stream.
    Nothing,
}

impl Run<'_> {
    /// The base of a snapshot's stream to a destination; `None` for a full stream.
    pub(super) fn base(
        &self,
        step: Step<'_>,
        marks: &Marks,
        source: &Source,
    ) -> Result<Option<Mark>, SendError> {
        let Step { dataset, state, snapshot } = step;
        let base = match source {
            Source::Nothing => return Ok(None),
            Source::Sent => {
                let is_older = |mark: &Mark| mark.createtxg <= snapshot.createtxg;
                let held = |role| marks.all(state, role).into_iter().rfind(is_older);
                match held(Role::Sent).or_else(|| held(Role::Confirmed)) {
                    None => self.adopted(step, marks)?,
                    held => held,
                }
            }
            Source::Confirmed => {
                let confirmed = marks.newest(state, Role::Confirmed);
                Some(confirmed.ok_or_else(|| SendError::Unconfirmed(dataset.to_string()))?)
            }
            Source::Guids(guids) => {
                let found =
                    guids.iter().filter_map(|guid| find(state, |other| other.guid == *guid));
                let found = found.filter(|mark| mark.createtxg <= snapshot.createtxg);
                let newest = found.max_by_key(|mark| mark.createtxg);
                let none = || SendError::NoBase(dataset.to_string(), guids.clone());
                Some(newest.ok_or_else(none)?)
            }
        };
        Ok(base.map(|base| {
            let chain = base.chain.or_else(|| marks.chain_at(state, base.guid));
            prefer(state, Mark { chain, ..base })
        }))
    }

    /// The base of a chain that simplesnap began: its oldest snapshot, or else its oldest bookmark.
    /// A snapshot that packmule made in simplesnap's naming does not show what a destination has.
    fn adopted(
        &self,
        Step { dataset, state, snapshot: new }: Step<'_>,
        marks: &Marks,
    ) -> Result<Option<Mark>, SendError> {
        let options = &self.options;
        let simplesnaps = |other: &Snapshot| {
            other.createtxg < new.createtxg
                && !other.properties.contains_key(MADE)
                && options.naming.is_of(&options.set, &other.name)
        };
        // The chain continues to one destination only. If another one has marks, the chain is that
        // one's.
        let may = options.naming == Naming::Simplesnap && !marks.has_others(state);
        let found = may.then(|| find(state, simplesnaps)).flatten();
        match found {
            Some(_) if self.marks.len() > 1 => Err(SendError::WhoseChain(dataset.to_string())),
            found => Ok(found),
        }
    }
}

/// The oldest matching snapshot, or else the oldest matching bookmark.
fn find(state: &State, meant: impl Fn(&Snapshot) -> bool) -> Option<Mark> {
    let snapshot = state.snapshots.iter().find(|snapshot| meant(snapshot)).map(Mark::of_snapshot);
    let bookmark = || state.bookmarks.iter().find(|mark| meant(mark)).map(Mark::of_bookmark);
    snapshot.or_else(bookmark)
}

/// Prefers a snapshot to its bookmark, since not every `zfs` can send from a bookmark.
pub(super) fn prefer(state: &State, base: Mark) -> Mark {
    match state.snapshot(base.guid) {
        Some(snapshot) => Mark { base: format!("@{}", snapshot.name), ..base },
        None => base,
    }
}
