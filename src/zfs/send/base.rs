//! The base of a stream: where it comes from, and how `zfs send -i` names it.

use super::super::name::Dataset;
use super::super::pool::{Snapshot, State};
use super::{Job, Mark, Marks, Naming, Role, SendError};

/// Where the base of a stream comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The newest snapshot that was sent.
    Sent,
    /// The newest snapshot that the destination said it holds.
    Confirmed,
    /// This one.
    Guid(u64),
    /// None: a full stream.
    Nothing,
}

impl Job<'_> {
    /// The base from which a snapshot is sent to a destination; `None` is a full stream.
    pub(super) fn base(
        &self,
        dataset: &Dataset,
        state: &State,
        marks: &Marks,
        source: &Source,
        snapshot: &Snapshot,
    ) -> Result<Option<Mark>, SendError> {
        let no_base = |what: &str| SendError::NoBase(dataset.to_string(), what.to_owned());
        let base = match source {
            Source::Nothing => return Ok(None),
            Source::Sent => match marks.newest(state, Role::Sent) {
                None => self.adopted(state, snapshot),
                sent => sent,
            },
            Source::Confirmed => {
                let confirmed = marks.newest(state, Role::Confirmed);
                Some(confirmed.ok_or_else(|| no_base("that the destination confirmed"))?)
            }
            Source::Guid(guid) => {
                let found = find(state, |other| other.guid == *guid);
                Some(found.ok_or_else(|| no_base(&guid.to_string()))?)
            }
        };
        Ok(base.map(|base| {
            let chain = base.chain.or_else(|| marks.chain_at(state, base.guid));
            prefer(state, Mark { chain, ..base })
        }))
    }

    /// The base of a chain that simplesnap began: its oldest snapshot, else its oldest bookmark.
    fn adopted(&self, state: &State, new: &Snapshot) -> Option<Mark> {
        let options = &self.options;
        let ours = |other: &Snapshot| {
            other.guid != new.guid && options.naming.is_of(&options.set, &other.name)
        };
        (options.naming == Naming::Simplesnap).then(|| find(state, ours))?
    }
}

/// The oldest snapshot, else the oldest bookmark, that is meant.
fn find(state: &State, meant: impl Fn(&Snapshot) -> bool) -> Option<Mark> {
    let snapshot = state.snapshots.iter().find(|snapshot| meant(snapshot)).map(Mark::of_snapshot);
    let bookmark = || state.bookmarks.iter().find(|mark| meant(mark)).map(Mark::of_bookmark);
    snapshot.or_else(bookmark)
}

/// A snapshot is a better base than its bookmark: every `zfs` can send from it.
fn prefer(state: &State, base: Mark) -> Mark {
    match state.snapshot(base.guid) {
        Some(snapshot) => Mark { base: format!("@{}", snapshot.name), ..base },
        None => base,
    }
}
