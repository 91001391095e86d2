//! Sends to each destination the snapshots of the set that it lacks.

use super::super::name::Dataset;
use super::super::state::{Snapshot, State};
use super::base::Source;
use super::dispatch::Dispatch;
use super::error::SendError;
use super::marks::{Marks, Role};
use super::queue::Queue;
use super::run::Run;
use super::step::Step;
use std::collections::BTreeSet;

impl Run<'_> {
    /// Sends each snapshot of the set since the newest that was sent, one increment after the
    /// other. A run that was killed after it queued a snapshot, and before it marked it, left the
    /// snapshot without a mark. If the same increment is queued again, the receiver skips it as a
    /// duplicate; an increment that skips the snapshot would fork the chain.
    ///
    /// # Errors
    /// If the dataset cannot be read.
    pub(super) fn catch_up(
        &self,
        dataset: &Dataset,
        state: &State,
        newest: &str,
        to: &BTreeSet<String>,
        queue: &Queue<'_>,
        dispatches: &mut Vec<Dispatch>,
    ) -> Result<(), SendError> {
        let starts = self.marks.values().filter_map(|marks| {
            let pending = || Some(marks.pending(state)?.createtxg.saturating_sub(1));
            marks.newest(state, Role::Sent).map(|sent| sent.createtxg).or_else(pending)
        });
        let oldest = starts.min();
        let unsent = state.snapshots.iter().filter(|snapshot| {
            snapshot.name == newest
                || self.options.naming.is_of(&self.options.set, &snapshot.name)
                    && oldest.is_some_and(|sent| snapshot.createtxg > sent)
        });
        // A destination that fails gets no later increment in this run: an earlier run may have
        // queued the failed one, and then a longer one would fork the chain.
        let mut open = to.clone();
        for snapshot in unsent {
            // The previous increment has moved the marks.
            let state = &self.read_state(dataset)?;
            let is_newest = snapshot.name == newest;
            let due = |name: &&String| is_due(&self.marks[*name], state, snapshot, is_newest);
            let due: Vec<_> = open.iter().filter(due).cloned().collect();
            let step = match state.snapshots.iter().find(|other| other.name == snapshot.name) {
                Some(snapshot) => {
                    self.send_step(Step { dataset, state, snapshot }, &Source::Sent, &due, queue)
                }
                None => due.iter().map(|name| Dispatch::gone(dataset, name)).collect(),
            };
            for failed in step.iter().filter(|dispatch| dispatch.result.is_err()) {
                open.remove(&failed.destination);
            }
            dispatches.extend(step);
        }
        Ok(())
    }
}

/// True if the snapshot has to be sent to a destination.
fn is_due(marks: &Marks, state: &State, snapshot: &Snapshot, is_newest: bool) -> bool {
    match (marks.newest(state, Role::Sent), marks.pending(state)) {
        (Some(sent), _) => sent.createtxg < snapshot.createtxg,
        (None, Some(pending)) => pending.guid == snapshot.guid,
        (None, None) => is_newest,
    }
}
