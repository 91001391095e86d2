//! Removes expired marks and snapshots, but never a base, and never a snapshot of another tool.

use super::super::dialect::Dialect;
use super::super::name::Dataset;
use super::super::state::{Snapshot, State};
use super::age::Age;
use super::error::SendError;
use super::marks::{HOLD, Role, is_marked};
use super::run::Run;

impl Run<'_> {
    /// Removes what the policy no longer keeps, except bases and snapshots of other tools.
    pub(super) fn retain(&self, dataset: &Dataset) -> Result<(), SendError> {
        let state = &self.read_state(dataset)?;
        let now = jiff::Timestamp::now().as_second();
        let age = Age { now, keep: self.options.keep_marks };
        for marks in self.marks.values() {
            if marks.newest(state, Role::Sent).is_some() {
                // A run that was killed after it had marked a snapshot as sent leaves its pending
                // mark.
                marks.clear(self.zfs, dataset, state, Role::Pending, |_| true)?;
            }
            for role in [Role::Sent, Role::Confirmed] {
                marks.prune(self.zfs, dataset, state, role, &age)?;
            }
        }
        let Some(keep) = self.options.keep else { return Ok(()) };
        let state = &self.read_state(dataset)?;
        let ours = |s: &&Snapshot| self.options.naming.is_of(&self.options.set, &s.name);
        for old in state.snapshots.iter().rev().filter(ours).skip(keep.max(1)) {
            if self.is_needed(state, old) {
                continue;
            }
            let name = format!("{dataset}@{}", old.name);
            if self.dialect == Dialect::Fuse {
                // A killed run may have left a hold on a snapshot without a mark.
                let _ = self.zfs.ask(&["release", HOLD, &name]);
                self.zfs.ask(&["destroy", &name])?;
            } else {
                // -d defers the destruction of a snapshot that is held or cloned until it is released.
                self.zfs.ask(&["destroy", "-d", &name])?;
            }
        }
        Ok(())
    }

    /// True if the snapshot is the base of a destination, or has not been sent to all of them.
    fn is_needed(&self, state: &State, snapshot: &Snapshot) -> bool {
        is_marked(snapshot)
            || self.marks.values().any(|marks| {
                let sent = marks.newest(state, Role::Sent);
                sent.is_none_or(|sent| sent.createtxg < snapshot.createtxg)
            })
    }
}
