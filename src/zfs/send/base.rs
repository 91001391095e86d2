//! The base of a stream: where it comes from, and how `zfs send -i` names it.

use super::super::pool::{Snapshot, State};
use super::error::SendError;
use super::marks::{Mark, Marks, Role};
use super::naming::Naming;
use super::properties::MADE;
use super::run::Run;
use super::step::Step;

/// Where the base of a stream comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The newest snapshot that was sent.
    Sent,
    /// The newest snapshot that the destination said it holds.
    Confirmed,
    /// The newest of these that is there: a receiver tells all that it has.
    Guids(Vec<u64>),
    /// None: a full stream.
    Nothing,
}

impl Run<'_> {
    /// The base from which a snapshot is sent to a destination; `None` is a full stream.
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

    /// The base of a chain that simplesnap began: its oldest snapshot, else its oldest bookmark.
    /// One of our own with such a name says nothing of what a destination holds.
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
        // A chain that went on to another destination is that one's.
        let may = options.naming == Naming::Simplesnap && !marks.has_others(state);
        let found = may.then(|| find(state, simplesnaps)).flatten();
        match found {
            Some(_) if self.marks.len() > 1 => Err(SendError::WhoseChain(dataset.to_string())),
            found => Ok(found),
        }
    }
}

/// The oldest snapshot, else the oldest bookmark, that is meant.
fn find(state: &State, meant: impl Fn(&Snapshot) -> bool) -> Option<Mark> {
    let snapshot = state.snapshots.iter().find(|snapshot| meant(snapshot)).map(Mark::of_snapshot);
    let bookmark = || state.bookmarks.iter().find(|mark| meant(mark)).map(Mark::of_bookmark);
    snapshot.or_else(bookmark)
}

/// A snapshot is a better base than its bookmark: every `zfs` can send from it.
pub(super) fn prefer(state: &State, base: Mark) -> Mark {
    match state.snapshot(base.guid) {
        Some(snapshot) => Mark { base: format!("@{}", snapshot.name), ..base },
        None => base,
    }
}
