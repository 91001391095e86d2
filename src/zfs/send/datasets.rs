//! A run: lists the datasets, makes snapshots, sends them from their bases, and marks them as sent.

use super::super::name::{Dataset, check_snapshot};
use super::super::state::{Snapshot, State};
use super::base::Source;
use super::choose::Wanted;
use super::dispatch::Dispatch;
use super::error::SendError;
use super::queue::Queue;
use super::run::{Run, absent};
use super::step::Step;

impl Run<'_> {
    /// Makes a snapshot of each dataset and sends it as an increment to what was sent before. If a
    /// dataset fails, the run continues with the next one.
    ///
    /// # Errors
    /// If the datasets cannot be listed, or no snapshot can be made.
    pub fn send(&self, root: &Dataset, queue: &Queue<'_>) -> Result<Vec<Dispatch>, SendError> {
        self.send_from(root, &Source::Sent, queue)
    }

    /// As [`Run::send`], but from a base that a person names, who knows what the destination has.
    ///
    /// # Errors
    /// As for [`Run::send`].
    pub fn send_from(
        &self,
        root: &Dataset,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Result<Vec<Dispatch>, SendError> {
        let before = self.view(root)?;
        let (datasets, mut dispatches) = self.listed(root, &before)?;
        let wanted = datasets.into_iter();
        let wanted: Vec<_> = wanted
            .filter_map(|dataset| self.wanted(dataset, &before, from, &mut dispatches))
            .collect();
        if wanted.is_empty() {
            return Ok(dispatches);
        }
        let name = self.options.naming.name(&self.options.set, &jiff::ZonedDateTime::now());
        check_snapshot(&name)?;
        dispatches.extend(self.snapshot(root, &wanted, &before, &name)?);
        let view = self.view(root)?;
        for Wanted { dataset, to, .. } in &wanted {
            let done = match (view.dataset(dataset), from) {
                (None, _) => Err(absent(dataset)),
                (Some(state), Source::Sent) => {
                    self.catch_up(dataset, state, &name, to, queue, &mut dispatches)
                }
                (Some(state), from) => {
                    dispatches.extend(self.send_named(dataset, state, &name, from, queue));
                    Ok(())
                }
            };
            let done = done.and_then(|()| self.retain(dataset));
            dispatches.extend(done.err().map(|error| Dispatch::failed(dataset, error)));
        }
        Ok(dispatches)
    }

    /// Sends an existing snapshot. Makes and removes none.
    ///
    /// # Errors
    /// If the datasets cannot be listed, or the name is illegal.
    pub fn send_existing(
        &self,
        root: &Dataset,
        name: &str,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Result<Vec<Dispatch>, SendError> {
        check_snapshot(name)?;
        let view = self.view(root)?;
        let (datasets, mut dispatches) = self.listed(root, &view)?;
        for dataset in datasets {
            let Some(state) = view.dataset(&dataset) else { continue };
            dispatches.extend(self.send_named(&dataset, state, name, from, queue));
        }
        Ok(dispatches)
    }

    fn send_named(
        &self,
        dataset: &Dataset,
        state: &State,
        name: &str,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Vec<Dispatch> {
        let all: Vec<_> = self.marks.keys().cloned().collect();
        match state.snapshots.iter().find(|snapshot| snapshot.name == name) {
            Some(snapshot) => self.send_step(Step { dataset, state, snapshot }, from, &all, queue),
            None => {
                let error = SendError::NoSuchSnapshot(dataset.to_string(), name.to_owned());
                vec![Dispatch::failed(dataset, error)]
            }
        }
    }

    /// Sends the newest snapshot of the set again, as an increment from this base. That repairs a
    /// broken chain.
    ///
    /// # Errors
    /// If the datasets cannot be listed.
    pub fn resend(
        &self,
        root: &Dataset,
        from: &Source,
        queue: &Queue<'_>,
    ) -> Result<Vec<Dispatch>, SendError> {
        let view = self.view(root)?;
        let all: Vec<_> = self.marks.keys().cloned().collect();
        let (datasets, mut dispatches) = self.listed(root, &view)?;
        for dataset in datasets {
            let ours = |s: &&Snapshot| self.options.naming.is_of(&self.options.set, &s.name);
            let state = view.dataset(&dataset);
            let newest = state.and_then(|state| {
                let snapshot = state.snapshots.iter().rev().find(ours)?;
                Some(Step { dataset: &dataset, state, snapshot })
            });
            dispatches.extend(match newest {
                Some(newest) => self.send_step(newest, from, &all, queue),
                None => vec![Dispatch::failed(&dataset, self.no_snapshot(&dataset))],
            });
        }
        Ok(dispatches)
    }

    fn no_snapshot(&self, dataset: &Dataset) -> SendError {
        let set = self.options.set.as_str().to_owned();
        let send = self.command("send -from GUID", "NODE", dataset);
        SendError::NoSnapshotOf { dataset: dataset.to_string(), set, send }
    }
}
