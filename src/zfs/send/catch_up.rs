//! What is due to each destination: every snapshot of the set since what it was sent.

use super::super::name::Dataset;
use super::super::pool::{Snapshot, State};
use super::base::Source;
use super::dispatch::Dispatch;
use super::error::SendError;
use super::marks::{Marks, Role};
use super::queue::Queue;
use super::run::Run;
use super::step::Step;
use std::collections::BTreeSet;

impl Run<'_> {
    /// Sends every snapshot of the set since what was sent, step by step. A run that was killed
    /// between queueing a step and marking it left a snapshot without a mark: sent again as the
    /// same step it is a duplicate, while a new step around it would fork the chain.
    ///
    /// # Errors
    /// When the dataset can not be looked at.
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
        // Who failed one step gets no later one: the failed one may have been queued by a run before.
        let mut open = to.clone();
        for snapshot in unsent {
            // The step before has moved the marks.
            let state = &self.look(dataset)?;
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

/// Whether a snapshot is the next one for a destination.
fn is_due(marks: &Marks, state: &State, snapshot: &Snapshot, is_newest: bool) -> bool {
    match (marks.newest(state, Role::Sent), marks.pending(state)) {
        (Some(sent), _) => sent.createtxg < snapshot.createtxg,
        (None, Some(pending)) => pending.guid == snapshot.guid,
        (None, None) => is_newest,
    }
}
